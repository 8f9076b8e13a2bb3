"""Two rows of teeth in their gums, built along the jaws of one head.

The base mesh has a plain strip for each jaw. Here every tooth has its own width and height (means of adults, after
Wheeler's Dental Anatomy), stands out from the gaps beside it and ends in a scalloped gum. Upper teeth keep to the
skull, lower ones to the jaw.
"""

import numpy as np
from scipy.spatial import cKDTree

from lca_core.body.face_pulls import Face
from lca_core.body.face_regions import LOWER_TEETH, UPPER_TEETH
from lca_core.people.who.spec import PersonSpec

# Millimetres, from the middle to the back: widths, and heights of the crowns.
_WIDTHS = {"upper": (8.6, 6.7, 7.7, 7.1, 6.8, 10.0, 9.4), "lower": (5.4, 5.9, 6.9, 7.1, 7.2, 11.0, 10.4)}
_CROWNS = {"upper": (10.4, 9.2, 10.3, 8.6, 8.1, 7.4, 7.0), "lower": (8.6, 8.8, 9.8, 8.6, 8.0, 7.4, 7.0)}
_SHORTER = {"upper": (0.0, 0.7, -0.1, 0.5, 0.8, 1.1, 1.4), "lower": (0.0, 0.1, -0.2, 0.3, 0.5, 0.6, 0.8)}
_ACROSS = 7  # columns of a tooth
_GUM = 5.0  # millimetres of gum that are built
_DEEP = 4.0  # millimetres from the front of a biting edge to its back
_BEHIND_LIPS = 1.2  # millimetres from the front teeth to the inner skin of the lips
_REST_EDGE = {"upper": -1.6, "lower": 0.6}  # millimetres of the biting edges over the line where the lips meet
_TUCKED = 2.2  # millimetres that lower teeth stand behind upper ones
_UNDER_SKIN = 4.5  # millimetres from the skin of lips and chin to what is under it
_FRONT_ROWS, _BACK_ROWS = 9, 3
_EDGE, _GUMLINE = 0.25, 0.72  # places on the texture's height
_PX = (96, 1024)


def teeth(rest: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(vertices float32 [V, 3] at rest, faces int32 [F, 3], uv float32 [F, 3, 2], lower bool [V]) of both rows."""
    vertices, faces, uv, lower = [], [], [], []
    for row, (jaw, strip) in enumerate((("upper", UPPER_TEETH), ("lower", LOWER_TEETH))):
        points, grid_uv, shape = _row(jaw, rest[strip].astype(float), face)
        points[:, 2] = np.minimum(points[:, 2], _skin_before(points, face) - _UNDER_SKIN * face.unit)
        top = np.arange(shape[0] * shape[1]).reshape(shape)
        quads = np.stack([top[:-1, :-1], top[:-1, 1:], top[1:, 1:], top[1:, :-1]], -1).reshape(-1, 4)
        if jaw == "lower":
            quads = quads[:, ::-1]
        tris = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        grid_uv = grid_uv * [1, 0.5] + [0, 0.5 * row]
        uv.append(grid_uv[tris])
        faces.append(tris + sum(map(len, vertices)))
        vertices.append(points)
        lower.append(np.full(len(points), jaw == "lower"))
    return (
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(uv).astype(np.float32),
        np.concatenate(lower),
    )


def _row(jaw: str, strip: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """(points [rows * columns, 3], uv, (rows, columns)); the rows go from the back over the edge to the gum."""
    unit, sign = face.unit, 1 if jaw == "upper" else -1
    widths, crowns, shorter = (np.array(table[jaw]) * unit for table in (_WIDTHS, _CROWNS, _SHORTER))
    tooth, within, along = _columns(widths)
    front, seam = _front(face)
    arch = _Arch(strip, front - (_TUCKED * unit if jaw == "lower" else 0))
    x, z, normal = arch.at(along)
    edge = seam + (_REST_EDGE[jaw] * unit) + sign * shorter[tooth]
    gap = np.abs(2 * within - 1)
    edge = edge + sign * 0.7 * unit * gap**6  # rounded corners
    relief = -0.9 * unit * gap**4 + 0.15 * unit
    rows, heights = [], []
    for t in np.linspace(1, 0, _BACK_ROWS, endpoint=False):  # up the back of the teeth
        y = edge + sign * t * 3.0 * unit
        back = -_DEEP * unit * (0.35 + 0.65 * t)
        rows.append(np.stack([x + normal[0] * back, y, z + normal[1] * back], -1))
        heights.append(_EDGE * (1 - t))
    total = crowns[tooth] + _GUM * unit
    for t in np.linspace(0, 1, _FRONT_ROWS):
        down = t * total
        crown = np.clip(down / crowns[tooth], 0, 1.6)
        bulge = unit * (-0.9 * (1 - crown).clip(0) ** 3 - 0.5 * (crown - 0.6).clip(0) ** 2)
        out = bulge + relief * np.clip(1.35 - crown, 0, 1) + 0.5 * unit * np.exp(-(((crown - 1.12) / 0.12) ** 2))
        y = edge + sign * down
        rows.append(np.stack([x + normal[0] * out, y, z + normal[1] * out], -1))
        share = np.interp(crown.mean(), (0, 1, 1.6), (_EDGE, _GUMLINE, 1.0))
        heights.append(share)
    points = np.stack(rows)
    u = np.broadcast_to((along - along[0]) / (along[-1] - along[0]), points.shape[:2])
    v = np.broadcast_to(np.array(heights)[:, None], points.shape[:2])
    return points.reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2), points.shape[:2]


def _skin_before(points: np.ndarray, face: Face) -> np.ndarray:
    """[n]: how far forward the outer skin is before points [n, 3]."""
    skin = face.rest[face.regions.outside & (face.regions.offset[:, 2] > -30)]
    away, near = cKDTree(skin[:, :2]).query(points[:, :2], k=4)
    return np.where(away < 0.02, skin[near, 2], np.inf).min(1)


def _columns(widths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(number of the tooth from the middle, place on it 0..1, place along the arch in metres), right to left."""
    place = np.linspace(0, 1, _ACROSS)
    tooth = np.repeat(np.arange(len(widths)), _ACROSS)
    within = np.tile(place, len(widths))
    along = (np.r_[0, np.cumsum(widths)[:-1]])[tooth] + within * widths[tooth]
    return np.r_[tooth[::-1], tooth], np.r_[within[::-1], within], np.r_[-along[::-1], along]


def _front(face: Face) -> tuple[float, float]:
    """(z of the upper front teeth, y of the line where the lips meet) of a head, metres."""
    lips = face.regions.lips
    inner = face.rest[lips[9:, 0], 2].min()
    seam = face.rest[lips[7, [0, 19]], 1].mean()
    return float(inner - _BEHIND_LIPS * face.unit), float(seam)


class _Arch:
    """The curve that a row of teeth follows, seen from above: the strip's own width, with its front at `front`."""

    def __init__(self, strip: np.ndarray, front: float):
        half, depth = np.abs(strip[:, 0]).max() * 0.92, np.ptp(strip[:, 2])
        t = np.linspace(0, 1, 200)
        x = half * np.sin(t * np.pi / 2) ** 1.0
        z = front - depth * (1 - np.cos(t * np.pi / 2)) ** 1.05
        length = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(z)))]
        self._table = length, x, z

    def at(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """(x, z, outward normal) at signed distances from the middle."""
        length, x, z = self._table
        d = np.abs(along)
        px, pz = np.interp(d, length, x), np.interp(d, length, z)
        dx = np.interp(d + 1e-4, length, x) - np.interp(d - 1e-4, length, x)
        dz = np.interp(d + 1e-4, length, z) - np.interp(d - 1e-4, length, z)
        norm = np.maximum(np.hypot(dx, dz), 1e-12)
        side = np.sign(along)
        return side * px, pz, (side * -dz / norm, dx / norm)


def paint_teeth(spec: PersonSpec) -> np.ndarray:
    """uint8 sRGB [h, w, 3]: the upper row in the lower half of the texture's height, the lower row above it."""
    rng = np.random.default_rng([spec.seed, 22])
    yellow = rng.uniform(0, 1) * 0.5 + min(spec.skin.wrinkles, 1) * 0.5
    enamel = np.array([0.965, 0.950, 0.915]) - yellow * np.array([0.045, 0.07, 0.13])
    gum = np.array([0.80, 0.46, 0.45]) * (1 - 0.25 * spec.skin.tone)
    halves = [_paint_row(np.array(_WIDTHS[jaw]), enamel, gum, rng) for jaw in ("upper", "lower")]
    return (np.concatenate(halves[::-1]).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _paint_row(widths: np.ndarray, enamel: np.ndarray, gum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = _PX[0] // 2, _PX[1]
    ends = np.r_[0, np.cumsum(widths)]
    along = ((np.arange(width) + 0.5) / width * 2 - 1) * ends[-1]
    tooth = np.clip(np.searchsorted(ends, np.abs(along), "right") - 1, 0, len(widths) - 1)
    within = (np.abs(along) - ends[tooth]) / widths[tooth]
    gap = np.abs(2 * within - 1)
    v = 1 - (np.arange(height)[:, None] + 0.5) / height
    tint = 1 + 0.02 * rng.normal(size=(2, len(widths)))[(along > 0).astype(int), tooth] - 0.02 * (tooth >= 2)
    color = enamel * tint[None, :, None] * np.ones((height, 1, 1))
    crown = np.clip((v - _EDGE) / (_GUMLINE - _EDGE), 0, 1)[..., None]
    color = color * (1 - np.array([0.02, 0.05, 0.10]) * crown**1.5)
    seams = (np.clip((gap[None] - 0.90) / 0.08, 0, 1) * np.clip(v / _EDGE, 0, 1))[..., None]
    color = color * (1 - seams * np.array([0.42, 0.50, 0.55]))
    line = _GUMLINE - 0.16 * gap[None] ** 3.5
    on_gum = np.clip((v - line) / 0.03 + 0.5, 0, 1)[..., None]
    return color * (1 - on_gum) + gum * (1 - 0.06 * gap[None, :, None]) * on_gum
