"""What hair grows on and lies on: roots, the head, the surface of body and clothes, and what all styles share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.people.body.skin import Landmarks
from lca_core.people.who.spec import PersonSpec

DOWN = np.array([0.0, -1.0, 0.0])
_REACH = 0.17  # metres beside the spine within which hair meets the body
_VOXEL = 0.005  # metres
GROOVE = 0.030  # metres from the parting to where hair has its full height
_EAR = 0.045  # metres from its centre to its rim, generously


@dataclass(frozen=True)
class Style:
    """volume: thickness of the cap that carries the mass, metres; radius: of a strand's root, metres; locks: how many;
    clump: how much strands of a lock close up (0..1); curly: whether the cap shows curls rather than combed hair;
    cropped: whether its sides are thinner than its top; past_ears: whether hair covers the ears or goes behind them,
    rather than being cut free of them."""

    comb: Callable
    count: int
    volume: float
    radius: float
    locks: int
    clump: float
    curly: bool = False
    cropped: bool = False
    past_ears: bool = False


@dataclass(frozen=True)
class Roots:
    """points, normals [S, 3]; depth [S] metres inside the hairline; lock [S]."""

    points: np.ndarray
    normals: np.ndarray
    depth: np.ndarray
    lock: np.ndarray

    def at(self, rows: np.ndarray) -> "Roots":
        return Roots(self.points[rows], self.normals[rows], self.depth[rows], self.lock[rows])


@dataclass(frozen=True)
class Tress:
    """Strands combed alike: points [S, K, 3], lock [S]."""

    points: np.ndarray
    lock: np.ndarray


@dataclass(frozen=True)
class Ground:
    """What hair lies on: head, neck and shoulders, and the clothes over them, as a table of voxels.

    points, normals: [n, 3] samples of the surface; depth: [n] metres inside the hairline, 0 outside; low: [3] the
    table's corner; nearest: int [x, y, z] the sample nearest to each voxel.
    """

    points: np.ndarray
    normals: np.ndarray
    depth: np.ndarray
    low: np.ndarray
    nearest: np.ndarray

    @classmethod
    def of(
        cls,
        rest: np.ndarray,
        faces: np.ndarray,
        depth: np.ndarray,
        cloth: np.ndarray,
        low: float,
        ear: np.ndarray | None,
    ) -> "Ground":
        """From the body's vertices [V, 3], triangles [F, 3] and depth inside the hairline [V], and points of clothing
        [n, 3] (normals as below them), all above the height `low`.

        ear: [3] centre of the left ear when hair goes past the ears, which are then left out.
        """
        near = (rest[:, 1] > low) & (np.abs(rest[:, 0]) < _REACH)
        if ear is not None:
            aside = np.abs(rest[:, 0])
            from_ear = np.linalg.norm(np.c_[aside, rest[:, 1:]] - ear, axis=1)
            near &= (from_ear > _EAR) | (aside < ear[0] - 0.018)
        faces = faces[near[faces].all(1)]
        normals = basemesh.vertex_normals(rest, faces)
        shares = np.array([[6, 0, 0], [3, 3, 0], [0, 3, 3], [3, 0, 3], [2, 2, 2], [4, 1, 1], [1, 4, 1], [1, 1, 4]]) / 6
        points = np.einsum("sk,fkd->sfd", shares, rest[faces]).reshape(-1, 3)
        normals = np.einsum("sk,fkd->sfd", shares, normals[faces]).reshape(-1, 3)
        depth = (shares @ depth[faces].T).ravel().clip(0)
        cloth = cloth[(cloth[:, 1] > low) & (np.abs(cloth[:, 0]) < _REACH)]
        if len(cloth):
            _, below = cKDTree(points).query(cloth)
            points, normals = np.concatenate([points, cloth]), np.concatenate([normals, normals[below]])
            depth = np.pad(depth, (0, len(cloth)))
        corner = points.min(0) - 0.10
        cell = ((points - corner) / _VOXEL).astype(int)
        table = np.full(((points.max(0) + 0.10 - corner) / _VOXEL).astype(int) + 1, -1)
        table[tuple(cell.T)] = np.arange(len(points))
        place = distance_transform_edt(table < 0, return_distances=False, return_indices=True)
        return cls(points, unit(normals), depth, corner, table[tuple(place)])

    def above(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of points [..., 3]: height over the surface (negative inside), normal [..., 3] and depth inside the
        hairline there."""
        cell = ((p - self.low) / _VOXEL).astype(int).clip(0, np.array(self.nearest.shape) - 1)
        nearest = self.nearest[tuple(np.moveaxis(cell, -1, 0))]
        normal = self.normals[nearest]
        return ((p - self.points[nearest]) * normal).sum(-1), normal, self.depth[nearest]

    def clear(self, p: np.ndarray, height: np.ndarray | float) -> np.ndarray:
        """Points [n, 3] lifted to at least `height`."""
        above, normal, _ = self.above(p)
        return p + normal * np.maximum(height - above, 0)[:, None]


@dataclass(frozen=True)
class Head:
    """The head that is combed. hatted: whether a hat will sit on it."""

    marks: Landmarks
    ground: Ground
    hatted: bool

    @property
    def whorl(self) -> np.ndarray:
        return np.array([0.004, self.marks.crown, self.marks.center[2] - 0.045])


def parting(spec: PersonSpec) -> float:
    """Where the hair parts, metres to the left of the middle."""
    if spec.hair.style == "side_part":
        return 0.030 if spec.hair.part > 0 else -0.030
    return 0.0 if spec.hair.style == "braids" else 0.022 * spec.hair.part


def cap_height(style: Style, depth: np.ndarray, height: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Height of the cap over the skin [n], metres: thin at the hairline, and at the sides of cropped hair.

    depth: metres inside the hairline; height: of the skin above the ground (y), both [n].
    """
    side = 0.3 + 0.7 * upper(height, marks) if style.cropped else 1.0
    return 0.0008 + style.volume * side * (depth / 0.035).clip(0, 1) ** 0.8


def upper(height: np.ndarray, marks: Landmarks) -> np.ndarray:
    """0 at the sides and back of a head, 1 on its top."""
    return ((height - marks.eye[1] - 0.035) / 0.055).clip(0, 1)


def clumped(points: np.ndarray, lock: np.ndarray, amount: float) -> np.ndarray:
    """Strands [S, K, 3] drawn towards the middle of their locks [S], from not at all at the roots to `amount`."""
    count = np.maximum(np.bincount(lock), 1)
    mean = sp.csr_matrix((1 / count[lock], (lock, np.arange(len(lock))))) @ points.reshape(len(points), -1)
    share = amount * np.linspace(0, 1, points.shape[1])[:, None] ** 1.2
    return points + share * (mean.reshape(-1, *points.shape[1:])[lock] - points)


def curled(points, lock, radius, turns, depth, ramp, rng) -> np.ndarray:
    """Waves (depth < 1) or ringlets (depth 1) that the strands of a lock share; turns a metre, full after `ramp`."""
    along = np.cumsum(np.r_["1", np.zeros((len(points), 1)), np.linalg.norm(np.diff(points, axis=1), axis=-1)], 1)
    phase = rng.uniform(0, 2 * np.pi, lock.max() + 1)[lock] + rng.normal(0, 0.25, len(lock))
    pace = rng.uniform(0.85, 1.15, lock.max() + 1)[lock]
    angle = phase[:, None] + 2 * np.pi * turns * pace[:, None] * along
    tangent = unit(np.gradient(points, axis=1))
    across = unit(np.cross(tangent, [0.13, 0.2, 1.0]))
    out = np.cross(across, tangent)
    size = (radius * rng.uniform(0.7, 1.25, lock.max() + 1)[lock])[:, None] * (along / ramp).clip(0, 1)
    return points + (size * np.cos(angle))[..., None] * across + (depth * size * np.sin(angle))[..., None] * out


def tangent(v: np.ndarray, normal: np.ndarray) -> np.ndarray:
    return v - (v * normal).sum(-1, keepdims=True) * normal


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
