"""Clay pictures: the person modelled in a few matt plasticines, lit softly, with dents and fingerprints."""

import cv2
import numpy as np

from lca_core.people.body.parts import PART_IDS
from lca_core.people.styles.fields import (
    EYE,
    FACE,
    HAIR,
    LASH,
    Layers,
    blur,
    blur_within,
    enlarged,
    k_means,
    noise,
    patches,
    reduced,
    srgb,
    step,
    strands,
)

_FINE = 2
_COLOURS = {PART_IDS["skin"]: 3, PART_IDS["hair"]: 1, PART_IDS["shoe"]: 1}  # clays a part is made of; 2 for others


def clay(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Stop-motion plasticine: one matt material in a few colours a part, before a backdrop of clay slabs."""
    fine = enlarged(layers, _FINE)
    inside, shape = fine.inside, fine.parts.shape
    color = _clays(fine, generator)
    dents = 3.2 * noise(generator, shape, 34) + 0.9 * noise(generator, shape, 14)
    dents += generator.uniform(0.7, 1.2) * _fingerprints(shape, generator)
    dents = np.where(fine.parts == HAIR, dents + 6 * blur(strands(fine, noise(generator, shape, 5.0), 6.0), 1.0), dents)
    pillow = _bevel(fine)
    normals = np.zeros_like(fine.normals)
    for part in np.unique(fine.parts[inside]) if inside.any() else ():
        mask = fine.parts == part
        if part in (EYE, LASH):
            normals[mask] = fine.normals[mask]
        else:
            normals[mask] = blur_within(fine.normals, mask, 6.0 if part == HAIR else 1.6)[mask]
    key = generator.uniform([-0.9, 0.5, 0.7], [-0.4, 0.9, 1.1]) * [generator.choice([-1, 1]), 1, 1]
    key = np.float32(key / np.linalg.norm(key))
    light = _lit(normals @ _view(fine).T, dents + pillow, key)
    light = blur_within(light, inside, 0.7) * (0.55 + 0.45 * _openness(fine))
    person = color * light[..., None]
    edge = step(fine.alpha, 0.5, 0.25)
    return reduced(srgb(person * edge + _backdrop(fine, key, generator) * (1 - edge)), _FINE)


def _clays(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Each part's albedo reduced to a few plasticine colours, linear [H, W, 3]."""
    color = layers.albedo.copy()
    smooth = cv2.bilateralFilter(srgb(layers.albedo), 9, 0.15, 4)
    for part in np.unique(layers.parts[layers.parts > 0]):
        mask = layers.parts == part
        if part == EYE:
            continue
        points = smooth[mask]
        centres = k_means(points, min(_COLOURS.get(int(part), 2), len(points)), generator)
        color[mask] = centres[np.square(points[:, None] - centres).sum(-1).argmin(1)] ** 2.2
    color = np.where((layers.parts == LASH)[..., None], 0.02, color)
    grey = color.mean(-1, keepdims=True)
    return np.clip(0.045 + 0.9 * (grey + (color - grey) * generator.uniform(1.15, 1.5)), 0.01, 1)


def _fingerprints(shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Relief [H, W] of thumb marks: shallow hollows with bent concentric ridges."""
    total = np.zeros(shape, np.float32)
    for _ in range(round(shape[0] * shape[1] / 7000)):
        y, x = generator.integers(0, shape[0]), generator.integers(0, shape[1])
        size, turn = generator.uniform(15, 28), generator.uniform(0, np.pi)
        window = tuple(slice(max(0, int(c - 2 * size)), int(c + 2 * size)) for c in (y, x))
        rows, columns = (np.arange(s.start, min(s.stop, n), dtype=np.float32) for s, n in zip(window, shape))
        v, u = rows[:, None] - y, columns[None] - x
        u, v = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
        radius = np.hypot(u * 1.5, v + 0.012 * u * u)
        total[window] += (np.sin(radius * 2 * np.pi / 6.5) - 2.0) * np.exp(-((radius / size) ** 4))
    return total


def _bevel(layers: Layers) -> np.ndarray:
    """Height [H, W] of rounded rims, so that each part looks laid on rather than printed."""
    height = np.zeros(layers.parts.shape, np.float32)
    group = np.where(np.isin(layers.parts, FACE), FACE[0], layers.parts)
    for part in np.unique(group[group > 0]):
        far = cv2.distanceTransform((group == part).astype(np.uint8), cv2.DIST_L2, 5)
        height += 5.0 * (1 - np.exp(-far / 4))
    return blur(height, 1.2)


def _view(layers: Layers) -> np.ndarray:
    """Axes [3, 3] of the view in the world (right, up, towards the camera), guessed from the visible normals."""
    towards = layers.normals[layers.inside].mean(0) * [1, 0, 1] if layers.inside.any() else np.array([0, 0, 1.0])
    towards = towards / max(np.linalg.norm(towards), 1e-6)
    return np.stack([np.cross([0, 1, 0], towards), [0, 1, 0], towards]).astype(np.float32)


def _lit(normals: np.ndarray, relief: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Light [H, W] on matt clay with view-space normals [H, W, 3] and relief [H, W] in pixels: key, sky, sheen."""
    x, y = (cv2.Scharr(relief.astype(np.float32), cv2.CV_32F, *d) / 32 for d in ((1, 0), (0, 1)))
    bumped = normals + 0.5 * np.stack([-x, y, np.zeros_like(x)], -1)
    bumped = bumped / np.sqrt(np.square(bumped).sum(-1, keepdims=True) + 1e-9)
    half = key + np.float32([0, 0, 1])
    wrapped = np.clip((bumped @ key + 0.25) / 1.25, 0, 1) ** 1.3
    sheen = np.clip(bumped @ (half / np.linalg.norm(half)), 0, 1) ** 14
    return 0.16 + 0.2 * (0.5 + 0.5 * bumped[..., 1]) + 0.85 * wrapped + 0.16 * sheen


def _openness(layers: Layers) -> np.ndarray:
    """1 where open, less in folds and behind nearer parts [H, W], from the depth's neighbourhood."""
    depth, inside = layers.depth, layers.inside
    if not inside.any():
        return np.ones_like(depth)
    hollow = np.zeros_like(depth)
    for sigma in (4, 12):
        difference = depth - blur_within(depth, inside, sigma)
        spread = max(float(np.abs(difference[inside]).mean()), 1e-5)
        hollow += np.clip(difference / (4 * spread), 0, 1) / 2
    return 1 - blur_within(hollow, inside, 1.5)


def _backdrop(layers: Layers, key: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The background as slabs of clay, with the person's soft shadow on them, linear [H, W, 3]."""
    shape = layers.parts.shape
    slab, centres = patches(layers.background, int(generator.integers(3, 6)), 8, generator)
    grey = centres.mean(-1, keepdims=True)
    colors = np.clip(0.12 + 0.8 * (grey + (centres - grey) * 1.25), 0.05, 0.95) ** 2.2
    relief = blur(6.0 * generator.permutation(len(centres))[slab].astype(np.float32), 2.5)
    relief += 2.2 * noise(generator, shape, 40) + 0.5 * noise(generator, shape, 11)
    relief += 0.6 * _fingerprints(shape, generator)
    flat = np.broadcast_to(np.array([0, 0.1, 1], np.float32), (*shape, 3))
    offset = np.float32([[1, 0, -14 * key[0]], [0, 1, 12 * key[1]]])
    shadow = blur(cv2.warpAffine(layers.alpha[..., 0], offset, shape[::-1]), 9)
    return colors[slab] * (_lit(flat, relief, key) * (1 - 0.45 * shadow))[..., None]
