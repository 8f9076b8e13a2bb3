"""Stylised pictures of digital humans: the same view and matte, drawn as a cartoon, in ink, paint, clay or pixels.

They measure how far a model trained on photographs holds for drawn people, with the exact truth of the rendered
ones. Every style keeps what tells a person apart (colours of hair, skin and clothes, the face's features) and
varies with the generator. "exaggerate" changes geometry (`lca_core.people.styles.exaggerate`), not pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np

from lca_core.data.srgb import to_srgb8
from lca_core.errors import InputError
from lca_core.people.styles.clay import clay
from lca_core.people.styles.fields import (
    EYE,
    FACE,
    HAIR,
    LASH,
    Layers,
    blur,
    blur_within,
    composite,
    enlarged,
    features,
    ink,
    k_means,
    noise,
    patches,
    reduced,
    shading,
    srgb,
    step,
    strands,
    tones,
    unit,
)
from lca_core.people.styles.paint import painterly

STYLES = ("toon", "sketch", "painterly", "clay", "pixel", "exaggerate")
EXAGGERATED = "exaggerate"  # the one style that changes geometry, not pixels
_FINE = 2  # lines are drawn on twice as many pixels a side
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 + 1 / 32


def stylise(name: str, layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """The view `layers` in the style `name` (of STYLES), uint8 sRGB [H, W, 3].

    The generator chooses the style's own variation. "exaggerate" gives the plain picture: its geometry is
    already another. InputError for a style there is not.
    """
    if name not in STYLES:
        raise InputError(f"no style is called {name!r}; choose one of {', '.join(STYLES)}")
    return _PICTURES[name](layers, generator)


def toon(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Flat colours in a few tones with dark outlines, as in cel animation."""
    levels, floor = int(generator.integers(2, 5)), generator.uniform(0.42, 0.6)
    width, vivid = generator.uniform(1.4, 3.2), generator.uniform(1.1, 1.5)
    shadow = np.float32([0.88, 0.92, 1.12] if generator.random() < 0.7 else [1.06, 0.94, 0.9])
    fine = enlarged(layers, _FINE)
    flat = _flattened(to_srgb8(fine.albedo), 14)
    flat = np.where((fine.parts == EYE)[..., None], srgb(fine.albedo), flat)
    tone = tones(np.clip(shading(fine, 3.0) * 0.95, 0, 1), levels)[..., None]
    lit = floor + (1 - floor) * tone
    color = _vivid(flat, vivid) * np.where(fine.parts[..., None] == EYE, 0.5 + 0.5 * lit, lit)
    color = color * (tone + (1 - tone) * shadow)
    gloss = 0.35 * (fine.parts == HAIR) * step(blur_within(shading(fine, 2.0), fine.parts == HAIR, 3.0), 0.98, 0.02)
    color = color * (1 + gloss[..., None]) + 0.12 * gloss[..., None]
    lines = np.maximum(ink(fine, generator, width), _face_lines(fine, 0.9))
    color = np.where((fine.parts == LASH)[..., None], 0.08, color)
    patch, paints = patches(fine.background, int(generator.integers(6, 13)), 4, generator)
    behind = 0.8 * _vivid(paints, vivid)[patch] + 0.18
    edge = step(fine.alpha, 0.5, 0.25)
    picture = color * edge + behind * (1 - edge)
    dark = np.float32([0.07, 0.05, 0.09])
    return reduced(picture + (dark - picture) * lines[..., None], _FINE)


def sketch(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Pen and ink on paper: outlines and hatching that grows denser with the dark, perhaps a light wash of colour."""
    tint = generator.uniform(-0.025, 0.025) * np.array([1, 0, -1])
    paper = np.array([0.99, 0.975, 0.94]) * generator.uniform(0.94, 1.0) + tint
    pen = np.array([0.1, 0.09, 0.1]) + generator.uniform(0, 0.12) * np.array([1.0, 0.6, 0.3])
    period, angle = generator.uniform(6.0, 8.5), generator.uniform(0.5, 1.0) * generator.choice([-1, 1])
    wash = float(generator.choice([0.0, 0.0, 0.16, 0.26]))
    fine = enlarged(layers, _FINE)
    shape, face = fine.parts.shape, np.isin(fine.parts, FACE)
    value = srgb(fine.albedo).mean(-1)
    tone = np.clip(shading(fine, 2.0), 0, 1.1)
    dark = 1 - np.where(face, 0.5 + 0.5 * value, 0.25 + 0.75 * value) * (0.25 + 0.75 * tone)
    form = blur_within(fine.normals, fine.inside, 8.0)[..., :2].sum(-1)
    drawn = np.where(face, 0.65, 0.8) * _hatching(
        np.where(face, np.minimum(dark, 0.62), dark), 9 * form, period, angle, generator
    )
    fibre = strands(fine, generator.standard_normal(shape, np.float32), 3.0)
    drawn = np.where(fine.parts == HAIR, 0.95 * step(fibre, 2.3 - 3.4 * dark, 0.35), drawn)
    drawn = np.where(fine.parts == EYE, step(1 - value, 0.4, 0.25), np.where(fine.parts == LASH, 1, drawn))
    behind = 1 - blur(unit(fine.background).mean(-1), 4)
    far = 0.5 * _hatching(0.75 * behind + 0.08 * noise(generator, shape, 120), 0, 1.6 * period, -0.8 * angle, generator)
    edge = step(fine.alpha[..., 0], 0.5, 0.25)
    width = generator.uniform(1.4, 2.4)
    lines = np.maximum(_wobbled(ink(fine, generator, width), generator), 0.6 * ink(fine, generator, 0.6 * width))
    coverage = np.maximum.reduce([drawn * edge + far * (1 - edge), lines, _face_lines(fine, 1.0)])
    tint = blur(srgb(fine.albedo) * edge[..., None] + unit(fine.background) * (1 - edge[..., None]), 3)
    picture = paper.astype(np.float32) * (1 + 0.012 * noise(generator, shape, 3)[..., None])
    picture = picture * (1 - wash * (1 - tint) * (0.55 + 0.45 * edge[..., None]))
    return reduced(picture + (pen.astype(np.float32) - picture) * np.clip(coverage, 0, 1)[..., None], _FINE)


def pixel(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Pixel art: big square pixels, few colours with ordered dithering, dark outline."""
    h, w = layers.parts.shape
    thickness = cv2.distanceTransform(layers.inside.astype(np.uint8), cv2.DIST_L2, 5).max() / max(h, w)
    block = max(2, round(max(h, w) / generator.integers(28 if thickness > 0.12 else 48, 57)))
    count, spread = int(generator.integers(12, 29)), generator.uniform(0.0, 0.7)
    alpha = _shrunk(layers.alpha[..., 0], block)
    inside = alpha > 0.5
    crisp = srgb(layers.color / np.maximum(layers.alpha, 1e-3))
    crisp = np.clip(crisp + 0.9 * (crisp - blur_within(crisp, layers.inside, block)), 0, 1) * layers.alpha
    person = _vivid(_shrunk(crisp, block) / np.maximum(alpha, 1e-3)[..., None], 1.25)
    color = np.where(inside[..., None], person, 0.85 * _shrunk(unit(layers.background), block) + 0.1)
    # The outline lies outside, and lets the background through: limbs are but two pixels wide.
    border = ~inside & (cv2.dilate(inside.astype(np.uint8), _CROSS) > 0)
    color = np.where(border[..., None], color * generator.uniform(0.25, 0.55), color)
    palette = _palette(color, inside, count, generator)
    chosen = palette[_dithered(color, palette, spread * np.where(inside, 0.4, 1.0))]
    big = np.repeat(np.repeat(chosen, block, 0), block, 1)[:h, :w]
    return np.round(255 * big).astype(np.uint8)


def _shrunk(x: np.ndarray, block: int) -> np.ndarray:
    """Means of x over squares of `block` pixels; the last row and column are carried on to fill theirs."""
    h, w = x.shape[:2]
    rows, columns = -(-h // block), -(-w // block)
    margin = ((0, rows * block - h), (0, columns * block - w), *((0, 0),) * (x.ndim - 2))
    whole = np.pad(x, margin, "edge").astype(np.float32)
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)


def _flattened(picture: np.ndarray, strength: float) -> np.ndarray:
    """A uint8 picture's flat regions with its edges kept, float32 in 0..1 (mean shift)."""
    return unit(cv2.pyrMeanShiftFiltering(np.ascontiguousarray(picture), 6, strength, maxLevel=1))


def _vivid(color: np.ndarray, factor: float) -> np.ndarray:
    grey = color.mean(-1, keepdims=True)
    return np.clip(grey + (color - grey) * factor, 0, 1)


def _face_lines(layers: Layers, strength: float) -> np.ndarray:
    """Brows, lids, lips and nostrils as lines [H, W]."""
    face = np.isin(layers.parts, FACE)
    color = srgb(layers.color / np.maximum(layers.alpha, 1e-3)).mean(-1)
    paint = srgb(layers.albedo).mean(-1)
    lines = np.zeros(face.shape, np.float32)
    for gray, sigma, level in ((color, 0.9, 0.03), (color, 1.6, 0.045), (paint, 3.0, 0.035)):
        gray = np.where(face, gray, blur_within(gray, face, 2.0))
        lines = np.maximum(lines, features(gray, sigma, 12.0, level))
    return strength * lines * face


def _hatching(dark, bend, period: float, angle: float, generator: np.random.Generator) -> np.ndarray:
    """Pen hatching [H, W] for darkness in 0..1: up to three crossing sets of strokes that widen with the dark.

    period: pixels between lines; bend: pixels by which lines are pushed aside, so that they follow the form.
    """
    rows, columns = np.indices(dark.shape, np.float32)
    total = np.zeros(dark.shape, np.float32)
    for start, turn in ((0.2, 0.0), (0.48, 0.45 * np.pi), (0.7, 0.22 * np.pi)):
        a, length = angle + turn, generator.uniform(7, 12) * period
        cos, sin = np.cos(a, dtype=np.float32), np.sin(a, dtype=np.float32)
        wander = 1.2 * noise(generator, dark.shape, 60)
        across = (columns * cos + rows * sin + bend + wander) / period
        line = np.round(across)
        # Strokes of finite length, each line's beginning somewhere else; they taper to their ends.
        along = (rows * cos - columns * sin) / length + (np.sin(line * 12.9898) * 43758.5) % 1
        taper = np.clip(9 * (along % 1) * (1 - along % 1), 0, 1)
        half = 0.2 * period * np.clip((dark - start) / 0.45, 0, 1) + 0.15 * noise(generator, dark.shape, 16)
        away = np.abs(across - line) * period
        total = np.maximum(total, np.clip(half * taper - away + 0.6, 0, 1) * step(dark, start + 0.06, 0.06) * taper)
    return total


def _wobbled(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """x moved about by a pixel, as a hand would."""
    rows, columns = np.indices(x.shape, np.float32)
    shift = [0.7 * noise(generator, x.shape, 24) for _ in range(2)]
    return cv2.remap(
        x.astype(np.float32), columns + shift[0], rows + shift[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _palette(color: np.ndarray, inside: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """`count` sRGB colours [count, 3] for a picture, most of them for the person (k-means)."""
    groups = []
    for mask, share in ((inside, 0.7), (~inside, 0.3)):
        points = color[mask].astype(np.float32)
        k = min(max(2, round(share * count)), len(points))
        if k:
            groups.append(k_means(points, k, generator))
    return np.concatenate(groups)


def _dithered(color: np.ndarray, palette: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Index [H, W] into the palette: the nearest colour, or the second nearest where Bayer's matrix says so."""
    distance = np.linalg.norm(color[:, :, None] - palette, axis=-1)
    near, second = np.moveaxis(np.argsort(distance, -1)[..., :2], -1, 0)
    axis = palette[second] - palette[near]
    share = ((color - palette[near]) * axis).sum(-1) / np.maximum((axis * axis).sum(-1), 1e-6)
    tile = np.tile(_BAYER, (color.shape[0] // 4 + 1, color.shape[1] // 4 + 1))[: color.shape[0], : color.shape[1]]
    alike = np.linalg.norm(axis, axis=-1) < 0.22
    return np.where(alike & (share * spread * 2 > tile), second, near)


_PICTURES: dict[str, Callable[[Layers, np.random.Generator], np.ndarray]] = {
    "toon": toon,
    "sketch": sketch,
    "painterly": painterly,
    "clay": clay,
    "pixel": pixel,
    EXAGGERATED: lambda layers, generator: composite(layers),
}
