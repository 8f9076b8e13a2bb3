"""What stylised pictures are made from: one view's layers, and the fields derived from them.

Fields are float32 pictures: shading without colour, smooth noise, flow along strands and folds, ink lines.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lca_core.data.srgb import to_linear, to_srgb8
from lca_core.people.body.parts import PART_IDS

SKIN, EYE, LASH, HAIR = (PART_IDS[name] for name in ("skin", "eye", "lash", "hair"))
FACE = tuple(PART_IDS[name] for name in ("skin", "eye", "lash", "teeth", "tongue"))
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Layers:
    """One view of a person as the renderer gives it.

    color: float32 [H, W, 3] linear light, premultiplied by alpha; alpha: float32 [H, W, 1]; albedo: float32
    [H, W, 3] linear; normals: float32 [H, W, 3] unit, world space (y up); depth: float32 [H, W] metres, 0 outside;
    parts: uint8 [H, W] of PART_IDS; background: uint8 [H, W, 3] sRGB.
    """

    color: np.ndarray
    alpha: np.ndarray
    albedo: np.ndarray
    normals: np.ndarray
    depth: np.ndarray
    parts: np.ndarray
    background: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """bool [H, W]: the person."""
        return self.alpha[..., 0] > 0.5


def composite(layers: Layers) -> np.ndarray:
    """The plain picture: the person before the background, uint8 sRGB [H, W, 3]."""
    return to_srgb8(layers.color + (1 - layers.alpha) * to_linear(layers.background))


def enlarged(layers: Layers, factor: int) -> Layers:
    """The same view on `factor` times as many pixels a side, with smooth outlines between parts."""
    h, w = layers.parts.shape
    size = (w * factor, h * factor)
    grow = lambda x: cv2.resize(np.ascontiguousarray(x, np.float32), size, interpolation=cv2.INTER_LINEAR)  # noqa: E731
    # Past the silhouette parts, albedo and depth carry on, so that no outline mixes with what lies behind.
    nearest = nearest_inside((layers.parts > 0) & layers.inside)
    present = np.unique(layers.parts[nearest])
    weight = np.where(np.isin(present, (EYE, LASH)), 2.0, 1.0)  # eyes a pixel high are not to be voted away
    votes = [v * grow(blur(layers.parts[nearest] == part, 0.7)) for part, v in zip(present, weight)]
    alpha = grow(layers.alpha)[..., None]
    parts = np.where(alpha[..., 0] > 0.5, present[np.argmax(votes, 0)], 0).astype(np.uint8)
    normals = grow(layers.normals[nearest])
    return Layers(
        grow(layers.color),
        alpha,
        grow(layers.albedo[nearest]),
        normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6),
        cv2.resize(layers.depth[nearest], size, interpolation=cv2.INTER_LINEAR),
        parts,
        cv2.resize(layers.background, size, interpolation=cv2.INTER_LINEAR),
    )


def reduced(picture: np.ndarray, factor: int) -> np.ndarray:
    """A float sRGB picture in 0..1 averaged over blocks of `factor` pixels a side: uint8 [H, W, 3]."""
    h, w = picture.shape[:2]
    small = cv2.resize(picture.astype(np.float32), (w // factor, h // factor), interpolation=cv2.INTER_AREA)
    return np.round(255 * np.clip(small, 0, 1)).astype(np.uint8)


def nearest_inside(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, each [H, W], of the pixel of `inside` (bool [H, W]) nearest to every pixel."""
    if not inside.any():
        return tuple(np.indices(inside.shape))
    _, label = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(inside)
    place = np.zeros(label.max() + 1, np.int64)
    place[label[rows, columns]] = np.arange(len(rows))
    return rows[place[label]], columns[place[label]]


def blur(x: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, float32."""
    return cv2.GaussianBlur(np.ascontiguousarray(x, np.float32), (0, 0), float(sigma), borderType=cv2.BORDER_REPLICATE)


def blur_within(x: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of x [H, W] or [H, W, C] that takes nothing from outside the mask `inside` [H, W]."""
    weight = inside.astype(np.float32)
    total = np.maximum(blur(weight, sigma), 1e-4)
    return blur(x * (weight if x.ndim == 2 else weight[..., None]), sigma) / (
        total if x.ndim == 2 else total[..., None]
    )


def luminance(linear: np.ndarray) -> np.ndarray:
    """Relative luminance [H, W] of linear light [H, W, 3]."""
    return linear @ _LUMINANCE


def srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to float32 sRGB in 0..1."""
    x = np.clip(linear, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def unit(picture: np.ndarray) -> np.ndarray:
    """uint8 sRGB to float32 sRGB in 0..1."""
    return picture.astype(np.float32) / 255


def shading(layers: Layers, sigma: float) -> np.ndarray:
    """Light on the person without its colours, float32 [H, W]: about 1 where well lit, 0 in the dark."""
    inside = layers.inside
    light = luminance(layers.color) / np.maximum(luminance(layers.albedo) * layers.alpha[..., 0], 0.01)
    light = blur_within(np.minimum(light, 3), inside, sigma)
    if not inside.any():
        return light
    return np.clip(light / max(float(np.percentile(light[inside], 85)), 1e-3), 0, 1.3)


def tones(x: np.ndarray, levels: int, softness: float = 0.015) -> np.ndarray:
    """x in 0..1 in `levels` flat steps from 0 to 1, the edges between them anti-aliased."""
    edges = (np.arange(levels - 1) + 1) / levels
    return sum(step(x, edge, softness) for edge in edges) / (levels - 1)


def step(x: np.ndarray, edge: float | np.ndarray, softness: float) -> np.ndarray:
    """0 below `edge`, 1 above, linear over `softness` to either side."""
    return np.clip((x - edge) / (2 * softness) + 0.5, 0, 1)


def noise(generator: np.random.Generator, shape: tuple[int, int], period: float) -> np.ndarray:
    """Smooth noise float32 [H, W], mean 0 and standard deviation about 1, with features of `period` pixels."""
    h, w = (int(np.ceil(n / period)) + 3 for n in shape)
    coarse = generator.standard_normal((h, w)).astype(np.float32)
    fine = cv2.resize(coarse, (int(w * period), int(h * period)), interpolation=cv2.INTER_CUBIC)
    top, left = (int(period * generator.uniform(0, 1)) for _ in range(2))
    return 1.4 * np.ascontiguousarray(fine[top : top + shape[0], left : left + shape[1]])


def flow(gray: np.ndarray, sigma: float, calm: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Unit direction (x, y), each [H, W], along which a grey picture changes least (smoothed structure tensor).

    calm: angles [H, W] to take where the picture has no direction of its own.
    """
    gx, gy = (cv2.Scharr(blur(gray, 0.8), cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))
    tensor = [blur(v, sigma) for v in (gx * gx - gy * gy, 2 * gx * gy)]
    if calm is not None:
        own = np.cos(2 * calm), np.sin(2 * calm)
        tensor = [v + 0.25 * blur(v, 4 * sigma) - 0.02 * c for v, c in zip(tensor, own)]
    angle = 0.5 * np.arctan2(tensor[1], tensor[0]) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def smear(x: np.ndarray, direction: tuple[np.ndarray, np.ndarray], length: int) -> np.ndarray:
    """Line integral convolution: x float32 [H, W] averaged over `length` pixels to either side along a field."""
    rows, columns = np.indices(x.shape, np.float32)
    total = x.copy()
    for sign in (1, -1):
        u, v = columns.copy(), rows.copy()
        last = tuple(np.float32(sign) * d for d in direction)
        for _ in range(length):
            u, v = u + last[0], v + last[1]
            ahead = [cv2.remap(d, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) for d in direction]
            same = np.sign(ahead[0] * last[0] + ahead[1] * last[1])  # the field has no sign of its own
            last = ahead[0] * same, ahead[1] * same
            total += cv2.remap(x, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return total / (2 * length + 1)


def strands(layers: Layers, grain: np.ndarray, sigma: float) -> np.ndarray:
    """`grain` float32 [H, W] smeared along the hair, deviation 1; 0 far from hair. sigma: smoothness of its flow."""
    result = np.zeros_like(grain)
    rows, columns = np.nonzero(layers.parts == HAIR)
    if len(rows):
        box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        smeared = smear(grain[box], flow(srgb(layers.color[box]).mean(-1), sigma), 12)
        result[box] = smeared / max(float(smeared.std()), 1e-6)
    return result


def contours(layers: Layers) -> np.ndarray:
    """bool [H, W]: silhouette, borders between parts and jumps in depth, without specks."""
    group = np.where(np.isin(layers.parts, FACE), SKIN, layers.parts).astype(np.int32)
    edges = _differs(group)
    inside = layers.inside
    depth = layers.depth
    slope = np.hypot(cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1))
    if inside.any():
        typical = max(float(np.median(slope[inside])), 1e-5)
        core = cv2.erode((inside & (layers.parts != HAIR)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        edges |= core & (np.abs(cv2.Laplacian(depth, cv2.CV_32F)) > 3.5 * typical)
    count, label, stats, _ = cv2.connectedComponentsWithStats(edges.astype(np.uint8), connectivity=8)
    long = stats[:, cv2.CC_STAT_AREA] >= 14
    long[0] = False
    return long[label]


def ink(layers: Layers, generator: np.random.Generator, width: float) -> np.ndarray:
    """Coverage [H, W] in 0..1 of contour lines about `width` pixels wide that swell and thin like a pen's."""
    far = cv2.distanceTransform((~contours(layers)).astype(np.uint8), cv2.DIST_L2, 5)
    swell = width / 2 * (1 + 0.3 * noise(generator, far.shape, 40))
    return np.clip(np.maximum(swell, 0.3) - far + 1, 0, 1)


def features(gray: np.ndarray, sigma: float, sharpness: float, level: float) -> np.ndarray:
    """Coverage [H, W] of dark lines in a grey picture: extended difference of Gaussians (Winnemoeller 2012)."""
    fine, coarse = blur(gray, sigma), blur(gray, 1.6 * sigma)
    return np.clip(sharpness * ((coarse - fine) / np.maximum(coarse, 0.05) - level), 0, 1)


def _differs(label: np.ndarray) -> np.ndarray:
    edges = np.zeros(label.shape, bool)
    edges[:, :-1] |= label[:, 1:] != label[:, :-1]
    edges[:-1] |= label[1:] != label[:-1]
    return edges


def k_means(points: np.ndarray, count: int, generator: np.random.Generator, rounds: int = 8) -> np.ndarray:
    """`count` centres float32 [count, C] of points [N, C]: Lloyd's iterations from k-means++ seeds."""
    points = points.astype(float)
    if len(points) > 4000:
        points = points[generator.choice(len(points), 4000, replace=False)]
    centres = points[generator.integers(len(points))][None]
    while len(centres) < count:
        far = np.square(points[:, None] - centres).sum(-1).min(1) + 1e-9
        centres = np.concatenate([centres, points[generator.choice(len(points), p=far / far.sum())][None]])
    for _ in range(rounds):
        nearest = np.square(points[:, None] - centres).sum(-1).argmin(1)
        members = np.maximum(np.bincount(nearest, minlength=count), 1)[:, None]
        sums = np.stack([np.bincount(nearest, points[:, i], count) for i in range(points.shape[1])], -1)
        centres = np.where((np.bincount(nearest, minlength=count) > 0)[:, None], sums / members, centres)
    return centres.astype(np.float32)


def patches(picture: np.ndarray, count: int, detail: int, generator: np.random.Generator) -> tuple:
    """A uint8 picture [H, W, 3] as flat patches with smooth borders, none much narrower than `detail` pixels.

    Returns (which patch int [H, W], their sRGB colours [count, 3] in 0..1).
    """
    h, w = picture.shape[:2]
    small = cv2.resize(picture, (max(w // detail, 2), max(h // detail, 2)), interpolation=cv2.INTER_AREA)
    soft = blur(unit(small), 1.2)
    colors = k_means(soft.reshape(-1, 3), count, generator)
    apart = [np.square(soft - c).sum(-1).astype(np.float32) for c in colors]
    return np.argmin([cv2.resize(d, (w, h), interpolation=cv2.INTER_CUBIC) for d in apart], 0), colors
