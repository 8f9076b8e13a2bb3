"""Eyeballs with a painted iris and a clear bulge before it, lashes, teeth and tongue."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from lca_core.people import basemesh
from lca_core.people.spec import PersonSpec

_IRIS_ANGLE = 0.50  # radians from the axis: a 5.9 mm iris on a 12.3 mm eyeball
_PUPIL = 0.40  # of the iris radius
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
    """The front of an eye: white with fine veins, iris with fibres and limbal ring, pupil. uint8 [px, px, 3]."""
    rng = np.random.default_rng([spec.seed, 11])
    axis = (np.arange(px) + 0.5) / px * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    angle = np.hypot(x, y) * _TEXTURE_ANGLE
    turn = np.arctan2(y, x)
    r = angle / _IRIS_ANGLE
    fibres = sum(
        np.cos(turn * n + phase + 3 * r) * 0.5
        for n, phase in zip(rng.integers(9, 60, 8), rng.uniform(0, 6.28, 8), strict=True)
    )
    iris = np.asarray(spec.iris)
    shade = (0.95 + 0.09 * fibres) * (1 + 0.25 * np.exp(-(((r - 0.52) / 0.14) ** 2)))
    color = iris * shade[..., None] * (1.05 + 0.25 * (0.5 - 0.5 * y / 0.4).clip(0, 1))[..., None]
    color = _mix(color, iris * 0.28, _step(r, 0.93, 0.09))
    color = _mix(color, np.full(3, 0.012), 1 - _step(r, _PUPIL, 0.035))
    white = np.array([0.90, 0.875, 0.855]) - 0.05 * spec.skin.tone
    veins = (angle - _IRIS_ANGLE).clip(0, 1)[..., None] * np.array([0.10, 0.26, 0.26])
    color = _mix(color, white - veins, _step(r, 1.03, 0.045))
    return (color.clip(0, 1) * 255 + 0.5).astype(np.uint8)


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
    for root in np.linspace(0.01, 0.99, 46) + rng.normal(size=46) * 0.004:
        lean = 0.05 * (root - 0.5) + rng.normal() * 0.006
        width = 0.0075 * (1 - v / rng.uniform(0.75, 1.0)).clip(0, 1)
        hairs = np.maximum(hairs, (np.abs(u - root - lean * v * v * 2) < width) * 1.0)
    line = v < 0.07
    return (np.maximum(hairs, line) * 255).astype(np.uint8)


def _step(value: np.ndarray, at: float, width: float) -> np.ndarray:
    t = ((value - at) / (2 * width) + 0.5).clip(0, 1)
    return t * t * (3 - 2 * t)


def _mix(color: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return color + (other - color) * amount[..., None]
