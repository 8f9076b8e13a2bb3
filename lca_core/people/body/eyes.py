"""Eyeballs with a painted iris and a clear bulge before it, and lashes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from lca_core.body import basemesh
from lca_core.people.who.spec import PersonSpec

_IRIS_ANGLE = 0.50  # radians from the axis: a 5.9 mm iris on a 12.3 mm eyeball
_PUPIL = 0.36  # of the iris radius
_TEXTURE_ANGLE = 1.25  # the texture's edge, radians from the axis; the white goes on behind


@dataclass(frozen=True)
class Eyeball:
    """vertices float32 [V, 3] at rest looking along +Z, faces int32 [F, 3], uv float32 [F, 3, 2]."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray


def eyeball(rest: np.ndarray, side: str) -> Eyeball:
    """The eyeball that fills the socket of `side` ("l" or "r") on rest vertices [V, 3] (base.obj order)."""
    mesh = basemesh.load()
    helper = rest[np.unique(mesh.quads[mesh.select(f"helper-{side}-eye")])].astype(np.float64)
    back = helper[helper[:, 2] < helper[:, 2].max() - 0.004]  # without the cornea, which is no part of the sphere
    system = np.c_[2 * back, np.ones(len(back))]
    solution = np.linalg.lstsq(system, np.square(back).sum(1), rcond=None)[0]
    center = solution[:3]
    radius = np.sqrt(solution[3] + center @ center)
    angles = np.concatenate([np.linspace(0, 0.7, 13), np.linspace(0.7, np.pi * 0.62, 12)[1:]])
    around = np.linspace(0, 2 * np.pi, 33)[:-1]
    polar, turn = np.meshgrid(angles, around, indexing="ij")
    bulge = 1 + 0.055 * np.clip(1 - (polar / (_IRIS_ANGLE * 1.12)) ** 2, 0, None)
    ring = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1)
    vertices = center + radius * (bulge[..., None] * ring).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(len(angles) - 1), np.arange(32), indexing="ij")
    a, b = row * 32 + column, row * 32 + (column + 1) % 32
    faces = np.stack([np.stack([a, a + 32, b + 32], -1), np.stack([a, b + 32, b], -1)], 2).reshape(-1, 3)
    plane = (polar / _TEXTURE_ANGLE).clip(0, 0.99)[..., None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    uv = (0.5 + 0.5 * plane).reshape(-1, 2)[faces]
    return Eyeball(vertices.astype(np.float32), faces.astype(np.int32), uv.astype(np.float32))


def paint_eye(spec: PersonSpec, px: int) -> np.ndarray:
    """The front of an eye: pupil, iris with fibres, collarette and dark limbal ring, white with veins.

    uint8 sRGB [px, px, 3]. What the lids shade on a real eye (more than a few bounces of light show) is painted:
    darker towards the upper lid, at the corners and over the top of the iris.
    """
    rng = np.random.default_rng([spec.seed, 21])
    axis = (np.arange(px) + 0.5) / px * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    angle = np.hypot(x, y) * _TEXTURE_ANGLE
    turn = np.arctan2(y, x)
    iris_angle = _IRIS_ANGLE * rng.uniform(0.96, 1.04)
    pupil = _PUPIL * rng.uniform(0.85, 1.15)
    r = angle / iris_angle
    within = ((r - pupil) / (1 - pupil)).clip(0, 1)  # 0 at the pupil, 1 at the white

    table = rng.uniform(-1, 1, (2, 96)).astype(np.float32)
    fibres = _around(table[0], turn + 0.10 * np.sin(3 * turn + 5 * within))
    fibres += 0.6 * _around(table[1], 2 * turn - 0.3 * within)
    base = np.asarray(spec.iris)
    inner = base * rng.uniform([1.1, 0.9, 0.7], [1.35, 1.1, 0.95])  # a warmer ring round the pupil
    color = _mix(np.broadcast_to(base, (*r.shape, 3)), inner, 0.8 * (1 - _step(within, rng.uniform(0.25, 0.45), 0.12)))
    color = color * (1 + 0.20 * fibres * (0.4 + 0.6 * within))[..., None]
    color = color * (0.80 + 0.20 * np.sin(np.pi * within))[..., None]
    color = _mix(color, base * 0.20, 0.9 * _step(r, rng.uniform(0.86, 0.93), 0.09))
    color = _mix(color, np.full(3, 0.008), 1 - _step(r, pupil, 0.035))

    white = np.array([0.850, 0.820, 0.795]) - [0.07 * spec.skin.tone, 0.08 * spec.skin.tone, 0.11 * spec.skin.tone]
    out = (angle - iris_angle).clip(0, 0.8)[..., None]
    veins = np.abs(_around(rng.uniform(-1, 1, 24).astype(np.float32), turn + 0.35 * np.sin(9 * angle)))[..., None]
    sclera = white - out * np.array([0.12, 0.26, 0.25]) - out * np.array([0.02, 0.16, 0.15]) * (1 - veins).clip(0) ** 4
    color = _mix(color, sclera, _step(r, 1.03, 0.06))

    lid = 1 - 0.42 * _step(y * _TEXTURE_ANGLE, 0.40, 0.28) - 0.20 * _step(-y * _TEXTURE_ANGLE, 0.45, 0.25)
    corners = 1 - 0.30 * _step(np.abs(x) * _TEXTURE_ANGLE, 0.80, 0.35)
    return ((color * (lid * corners)[..., None]).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _around(table: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values round a circle, linear between the table's, at angles `turn` in radians."""
    place = turn / (2 * np.pi) * len(table)
    below = np.floor(place).astype(int)
    share = place - below
    return (1 - share) * table[below % len(table)] + share * table[(below + 1) % len(table)]


def lash_uv(quads: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Texture coordinates [Q, 4, 2] of one lash card, a grid of quads [Q, 4]: u along the lid, v root to tip."""
    used, local = np.unique(quads, return_inverse=True)
    local = local.reshape(-1, 4)
    uses = np.bincount(local.ravel())
    ends = np.sort(np.stack([local, np.roll(local, -1, 1)], -1).reshape(-1, 2), 1)
    edges = np.unique(ends, axis=0)
    corners = np.flatnonzero(uses == 1)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(used), len(used)))
    steps = dijkstra(graph, directed=False, unweighted=True, indices=corners)  # [4, n] steps from each corner
    apart = steps[0, corners]
    across = corners[np.argsort(apart)[1]]  # the corner that shares a short side with the first one
    other = np.argsort(apart)[2]
    # On a grid, steps from two corners of one side differ by the position along it.
    short, long = apart.max() - apart[other], apart[other]
    rows = (steps[0] - steps[list(corners).index(across)] + short) / 2
    columns = (steps[0] - steps[other] + long) / 2
    depth = rest[used, 2]
    if depth[rows == rows.min()].mean() > depth[rows == rows.max()].mean():
        rows = rows.max() - rows
    return np.stack([columns / columns.max(), rows / rows.max()], -1)[local].astype(np.float32)


@lru_cache(maxsize=1)
def paint_lashes(px: int = 256) -> np.ndarray:
    """Opacity of the lash cards, uint8 [px, px]: thin hairs that taper away from the lid.

    Addressed by `lash_uv`: u runs along the lid, v from the lid (0) to the tips (1).
    """
    rng = np.random.default_rng(5)
    u, v = np.meshgrid((np.arange(px) + 0.5) / px, 1 - (np.arange(px) + 0.5) / px)
    hairs = np.zeros((px, px))
    for root in np.linspace(0.04, 0.96, 60) + rng.normal(size=60) * 0.004:
        reach = rng.uniform(0.55, 0.95) * (1 - 0.45 * abs(2 * root - 1) ** 3)  # shorter towards the corners
        lean = 0.06 * (root - 0.5) + rng.normal() * 0.008
        width = 0.0052 * (1 - v / reach).clip(0, 1) ** 0.7
        hairs = np.maximum(hairs, (0.5 + (width - np.abs(u - root - lean * v * v * 2)) * px).clip(0, 1) * (width > 0))
    line = (v < 0.06) & (np.abs(u - 0.5) < 0.47)
    return (np.maximum(hairs, 0.9 * line) * 255).astype(np.uint8)


def _step(value: np.ndarray, at: float, width: float) -> np.ndarray:
    t = ((value - at) / (2 * width) + 0.5).clip(0, 1)
    return t * t * (3 - 2 * t)


def _mix(color: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return color + (other - color) * amount[..., None]
