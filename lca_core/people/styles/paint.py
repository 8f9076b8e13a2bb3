"""Painterly pictures: brush strokes of several sizes along the picture's flow, on canvas.

After Hertzmann, "Painterly rendering with curved brush strokes of multiple sizes" (1998): big strokes first, then
smaller ones where the painting still differs from the picture; relief of the paint as in his "Fast paint texture".
"""

import cv2
import numpy as np
from numba import njit

from lca_core.people.styles.fields import (
    EYE,
    LASH,
    Layers,
    blur,
    blur_within,
    composite,
    flow,
    nearest_inside,
    noise,
    unit,
)

_REACH = 4  # points of a stroke to either side of its first one, at most
_TOLERANCE = 0.12  # difference in sRGB at which a stroke ends


def painterly(layers: Layers, generator: np.random.Generator) -> np.ndarray:
    """Oil paint: strokes of several sizes, canvas and relief."""
    target = unit(composite(layers))
    target = _graded(target, generator)
    shape = target.shape[:2]
    zoom = max(shape) / 224  # sizes below were chosen on pictures of 224 pixels
    coarse = zoom * generator.uniform(5.0, 8.0)
    alpha = layers.alpha[..., 0]
    ragged = (alpha + 0.12 * np.clip(noise(generator, shape, 3), -2, 2) > 0.5).astype(np.int8)
    eyes = cv2.dilate(np.isin(layers.parts, (EYE, LASH)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    calm = generator.uniform(0, np.pi) + 0.5 * noise(generator, shape, 90 * zoom)
    direction = flow(target.mean(-1), 3.0 * zoom, calm)
    inside = ragged > 0
    canvas = 0.9 * _blurred_apart(target, inside, coarse)
    height = np.zeros(shape, np.float32)
    for scale, tolerance in ((1.0, -1.0), (0.5, 0.055), (0.25, 0.055), (0.13, 0.055)):
        radius = max(coarse * scale, 0.7)
        reference = _blurred_apart(target, inside, radius / 2)
        error = blur(np.abs(reference - canvas).max(-1), max(radius / 2, 0.5))
        wanted = error + np.where(inside, 0.02, -0.02) + np.where(eyes, 0.2, 0) > tolerance
        seeds = _seeds(wanted, radius, generator)
        colors = reference[seeds[:, 0], seeds[:, 1]] + generator.normal(0, 0.035 * scale**0.5, (len(seeds), 1))
        colors = np.clip(colors + generator.normal(0, 0.015, colors.shape), 0, 1).astype(np.float32)
        phase = generator.uniform(0, 2 * np.pi, (len(seeds), 2)).astype(np.float32)
        size = np.float32(radius), np.float32(scale**0.5)
        _stroke(canvas, height, reference, ragged, seeds, colors, *direction, *size, phase)
    # Strokes end at whole pixels of the silhouette: its edge is drawn again, softly.
    rim = blur(inside, 0.6)[..., None]
    canvas = canvas[nearest_inside(inside)] * rim + canvas[nearest_inside(~inside)] * (1 - rim)
    return _varnished(canvas, height, generator)


def _blurred_apart(target: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """The picture [H, W, 3] blurred, person and background each by itself."""
    return np.where(inside[..., None], blur_within(target, inside, sigma), blur_within(target, ~inside, sigma))


def _graded(target: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A painter's palette: somewhat more colour, a warm or cool ground."""
    grey = target.mean(-1, keepdims=True)
    ground = np.array([[0.06, 0.02, -0.05], [-0.04, 0.0, 0.05], [0.0, 0.0, 0.0]])[generator.integers(3)]
    vivid = grey + (target - grey) * generator.uniform(1.15, 1.5)
    return np.clip(vivid + ground * 4 * grey * (1 - grey) * 0.7, 0, 1).astype(np.float32)


def _seeds(wanted: np.ndarray, radius: float, generator: np.random.Generator) -> np.ndarray:
    """Where strokes begin, int [N, 2] (row, column) in random order: a jittered grid where paint is wanted."""
    h, w = wanted.shape
    rows, columns = np.meshgrid(np.arange(0, h, radius), np.arange(0, w, radius), indexing="ij")
    places = np.stack([rows.ravel(), columns.ravel()], -1) + generator.uniform(0, radius, (rows.size, 2))
    places = np.minimum(places.astype(np.int64), [h - 1, w - 1])
    places = places[wanted[places[:, 0], places[:, 1]]]
    return places[generator.permutation(len(places))]


def _varnished(canvas: np.ndarray, height: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The painting lit from the upper left: relief of paint and weave of the canvas. uint8 [H, W, 3]."""
    rows, columns = np.indices(height.shape)
    weave = 0.5 * (np.sin(columns * 2.3) * (rows % 2 * 2 - 1) + np.sin(rows * 2.3) * (columns % 2 * 2 - 1))
    relief = height * generator.uniform(0.3, 0.7) + weave * generator.uniform(0.02, 0.07)
    slope = sum(cv2.Sobel(relief.astype(np.float32), cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    lit = canvas * (1 + np.clip(0.11 * slope, -0.16, 0.16))[..., None]
    return np.round(255 * np.clip(lit, 0, 1)).astype(np.uint8)


@njit(cache=True, fastmath=True, error_model="numpy")
def _stroke(canvas, height, reference, region, seeds, colors, flow_x, flow_y, radius, thickness, phase):
    """Paint curved strokes in place, each kept to the region (person or background) in which it begins.

    canvas, reference: [H, W, 3]; height: [H, W] relief, up to `thickness` in a stroke; region: int8 [H, W]; seeds:
    [N, 2]; colors: [N, 3]; flow_x, flow_y: [H, W]; phase: [N, 2], of the bristles.
    """
    h, w = height.shape
    path = np.empty((2 * _REACH + 1, 2), np.float32)
    owner = np.full((h, w), -1, np.int32)  # the last stroke that came near a pixel, and
    offset = np.empty((h, w), np.float32)  # how far the pixel is from its middle line, signed
    touched = np.empty((h * w, 2), np.int32)
    for n in range(len(seeds)):
        place = region[seeds[n, 0], seeds[n, 1]]
        first, last = _walk(path, seeds[n], colors[n], reference, region, flow_x, flow_y, 1.6 * radius)
        count = 0
        for k in range(first, max(last, first + 1)):
            ay, ax = path[k, 0], path[k, 1]
            ey, ex = (path[k + 1, 0] - ay, path[k + 1, 1] - ax) if k < last else (np.float32(0), np.float32(0))
            top, left = min(ay, ay + ey) - radius - 0.5, min(ax, ax + ex) - radius - 0.5
            bottom, right = max(ay, ay + ey) + radius + 0.5, max(ax, ax + ex) + radius + 0.5
            for i in range(max(0, int(np.ceil(top))), min(h, int(bottom) + 1)):
                for j in range(max(0, int(np.ceil(left))), min(w, int(right) + 1)):
                    if region[i, j] != place:
                        continue
                    t = ((i - ay) * ey + (j - ax) * ex) / max(ey * ey + ex * ex, np.float32(1e-6))
                    t = min(max(t, np.float32(0)), np.float32(1))
                    qy, qx = i - ay - t * ey, j - ax - t * ex
                    far = np.sqrt(qy * qy + qx * qx)
                    if far > radius + 0.5:
                        continue
                    if owner[i, j] != n:
                        owner[i, j] = n
                        touched[count, 0], touched[count, 1] = i, j
                        count += 1
                    elif far >= abs(offset[i, j]):
                        continue
                    offset[i, j] = far if qx * ey > qy * ex else -far
        for m in range(count):
            i, j = touched[m]
            s = offset[i, j] / radius
            bristle = 0.5 + 0.3 * np.sin(5 * s + phase[n, 0]) + 0.2 * np.sin(11 * s + phase[n, 1])
            cover = min(radius - abs(offset[i, j]) + 0.5, 1) * (0.75 + 0.25 * bristle)
            for c in range(3):
                canvas[i, j, c] += cover * (colors[n, c] * (0.96 + 0.08 * bristle) - canvas[i, j, c])
            height[i, j] += cover * (thickness * bristle * (1 - 0.6 * s * s) - height[i, j])


@njit(cache=True, fastmath=True, error_model="numpy")
def _walk(path, seed, color, reference, region, flow_x, flow_y, pace):
    """Fill `path` with a stroke's middle line to either side of its seed; (first, last) index of its points.

    It turns with the flow and ends where its colour would be wrong (Hertzmann 1998, section 2.2).
    """
    h, w = region.shape
    first, last = _REACH, _REACH
    path[_REACH, 0], path[_REACH, 1] = seed[0], seed[1]
    for sign in (-1, 1):
        y, x = path[_REACH, 0], path[_REACH, 1]
        dx, dy = np.float32(0), np.float32(0)
        for k in range(1, _REACH + 1):
            i, j = int(y), int(x)
            turned = sign if k == 1 else (1 if flow_x[i, j] * dx + flow_y[i, j] * dy > 0 else -1)
            dx, dy = turned * flow_x[i, j], turned * flow_y[i, j]
            y, x = y + dy * pace, x + dx * pace
            i, j = int(y), int(x)
            if y < 0 or x < 0 or i >= h or j >= w or region[i, j] != region[seed[0], seed[1]]:
                break
            off = np.float32(0)
            for c in range(3):
                off = max(off, abs(reference[i, j, c] - color[c]))
            if off > _TOLERANCE:
                break
            at = _REACH + sign * k
            path[at, 0], path[at, 1] = y, x
            first, last = min(first, at), max(last, at)
    return first, last
