"""Regions of the face on MakeHuman's base mesh: rings of the lips and lids, and how far what moves there reaches.

Everything is found once on the template (rest positions in millimetres from the point between the eyes, x to the
person's left, y up, z forward) and holds for every person, because all share the topology. Lips and lids are closed
rings of quads: a vertex is known by its ring (from the outer rim inwards) and its column (around the opening).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from lca_core.body.layout import JOINT_NAMES

# Vertices of base.obj on the midline of the upper lip, from the skin above it to the cavity, one a ring.
_LIP_STARTS = (5342, 362, 455, 466, 467, 509, 468, 474, 520, 537, 554)
_CONTROLLED = slice(2, 10)  # rings of the lips themselves: they move as one piece
SEAM = 7  # ring at which the lips meet
LIP_COLUMNS = 38  # 0: middle of the upper lip; 11: left corner; 19: middle of the lower lip; 27: right corner
LEFT_CORNER, RIGHT_CORNER = 11, 27
# Vertices in the middle of the left upper lid, from inside the socket over the margin to the brow.
_LID_STARTS = (7774, 7748, 13352, 6785, 11465, 6787, 6789, 11515, 6874, 6930, 6947, 6953)
LID_COLUMNS = 28
MARGIN = 3  # ring of the lid's edge
EYEBALLS = (slice(14598, 14670), slice(14670, 14742))  # left, right helper
LOWER_TEETH, UPPER_TEETH = slice(14992, 15060), slice(15060, 15128)
TONGUE = slice(13380, 13606)
LASHES = (slice(14742, 14867), slice(14867, 14992))  # left, right; both lids
SKIN = slice(0, 13380)
_HINGE = (62.0, -24.0, -62.0)  # millimetres: in front of the ear, where the jaw turns
_TENSION = 1 / 14.0**2  # per square millimetre: how soon skin stops following
_JAW = JOINT_NAMES.index("jaw")
# Columns of the lips from the middle of the upper one, and their shares of the jaw's turn: an open mouth is round.
_JAW_OF_LIPS = (
    (5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18),
    (0.0, 0.08, 0.30, 0.40, 0.48, 0.54, 0.60, 0.68, 0.79, 0.92, 0.98, 1.0),
)


@dataclass(frozen=True)
class FaceRegions:
    """offset: float64 [V, 3] millimetres on the template; lips: [11, 38] and lids: [2, 12, 28] vertices by ring and
    column; lip_reach: float32 [V, 38], how far each vertex follows each column of the lips; jaw: float32 [V] share of
    the jaw's turn; outside: bool [V], skin that is neither in the mouth nor behind the lids; hinge: [2] vertices beside
    the jaw's joints; lash_columns: [2, n] columns of the margin that the lashes' vertices hang on."""

    offset: np.ndarray
    lips: np.ndarray
    lids: np.ndarray
    lip_reach: np.ndarray
    jaw: np.ndarray
    outside: np.ndarray
    hinge: np.ndarray
    lash_columns: np.ndarray

    def bump(self, place: tuple[float, float], spread: tuple[float, float], both: bool = False) -> np.ndarray:
        """[V]: a Gaussian on the outer skin at (x, y) millimetres, spread in x and y; both: mirrored too."""
        x, y, z = self.offset.T
        x = np.abs(x) if both else x
        near = np.exp(-0.5 * (((x - place[0]) / spread[0]) ** 2 + ((y - place[1]) / spread[1]) ** 2))
        return near * self.outside * ramp(z, -45, -15)


def face_regions(template: np.ndarray, quads: np.ndarray, weights: np.ndarray) -> FaceRegions:
    """Find the regions.

    template: [V, 3] metres, every vertex of base.obj in the T-pose; quads: [F, 4] of the skin; weights: [V, 55].
    """
    eyes = [template[ball].mean(0) for ball in EYEBALLS]
    offset = (template - (eyes[0] + eyes[1]) / 2) * 1000.0
    walk = _Walk(quads, offset)
    mirror = _mirror(offset)
    lips = np.stack([walk.half_ring(start, mirror) for start in _LIP_STARTS])
    left = np.stack([walk.ring(start) for start in _LID_STARTS])
    lids = np.stack([left, mirror[left]])
    outside = np.zeros(len(template), bool)
    outside[walk.reached(5342, np.concatenate([lips[9], lids[:, 1].ravel()]))] = True
    graph = _Graph(quads, offset)
    hinge = np.array([np.linalg.norm(offset[SKIN] - np.multiply(_HINGE, (s, 1, 1)), axis=1).argmin() for s in (1, -1)])
    lash_columns = np.stack([_hung(offset, ring[MARGIN], lashes) for ring, lashes in zip(lids, LASHES)])
    return FaceRegions(
        offset, lips, lids, _lip_reach(graph, offset, lips, outside), _jaw(graph, offset, lips, outside, weights),
        outside, hinge, lash_columns,
    )  # fmt: skip


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high` (or the other way round), smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _mirror(offset: np.ndarray) -> np.ndarray:
    """[V]: for each vertex the one on the other side of the face."""
    return cKDTree(offset[SKIN]).query(offset[SKIN] * [-1, 1, 1])[1]


def _hung(offset: np.ndarray, margin: np.ndarray, lashes: slice) -> np.ndarray:
    """Columns of a margin [28] nearest to the lashes' vertices, along the lid."""
    middle = offset[margin].mean(0)
    angle = lambda p: np.arctan2(p[:, 1] - middle[1], p[:, 0] - middle[0])  # noqa: E731
    away = np.abs(np.angle(np.exp(1j * (angle(offset[lashes])[:, None] - angle(offset[margin])))))
    return away.argmin(1)


class _Walk:
    """Walks over quads: straight on at every vertex where four of them meet."""

    def __init__(self, quads: np.ndarray, offset: np.ndarray):
        self._offset = offset
        self._faces: dict[int, list[list[int]]] = {}
        for quad in quads.tolist():
            for vertex in quad:
                self._faces.setdefault(vertex, []).append(quad)

    def around(self, vertex: int) -> list[int]:
        """Vertices joined to this one by an edge."""
        found = {q[(q.index(vertex) + step) % 4]: None for q in self._faces[vertex] for step in (1, 3)}
        return list(found)

    def path(self, start: int, second: int, most: int) -> list[int]:
        """Straight on from an edge until it closes, the mesh branches or `most` vertices are passed."""
        path = [start, second]
        while len(path) < most:
            near = {v for q in self._faces[path[-1]] if path[-2] in q for v in q}
            ahead = [v for v in self.around(path[-1]) if v not in near]
            if len(ahead) != 1 or ahead[0] == start:
                break
            path.append(ahead[0])
        return path

    def ring(self, start: int) -> np.ndarray:
        """The ring of a lid through `start`, first towards the nose."""
        paths = [self.path(start, second, LID_COLUMNS + 1) for second in self.around(start)]
        closed = [p for p in paths if len(p) == LID_COLUMNS and start in self.around(p[-1])]
        return np.array(min(closed, key=lambda p: self._offset[p[1], 0]))

    def half_ring(self, start: int, mirror: np.ndarray) -> np.ndarray:
        """The ring of the lips through `start` on the midline, first to the person's left."""
        half = LIP_COLUMNS // 2 + 1
        paths = [self.path(start, second, half) for second in self.around(start) if self._offset[second, 0] > 0.5]
        left = next(p for p in paths if len(p) == half and abs(self._offset[p[-1], 0]) < 0.5)
        return np.array(left + mirror[left[-2:0:-1]].tolist())

    def reached(self, start: int, fence: np.ndarray) -> list[int]:
        """Vertices joined to `start` without crossing `fence`, the fence included."""
        closed, seen, front = set(fence.tolist()), {start}, [start]
        while front:
            front = [v for a in front if a not in closed for v in self.around(a) if v not in seen and not seen.add(v)]
        return list(seen)


class _Graph:
    """Fields on the mesh that are given at some vertices and smooth between them."""

    def __init__(self, quads: np.ndarray, offset: np.ndarray):
        ends = np.unique(np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1), axis=0)
        length = np.maximum(np.linalg.norm(offset[ends[:, 0]] - offset[ends[:, 1]], axis=1), 0.3)
        count = len(offset)
        joined = sp.coo_matrix((1 / length, ends.T), shape=(count, count))
        joined = (joined + joined.T).tocsr()
        self._laplacian = sp.diags(np.asarray(joined.sum(1)).ravel()) - joined
        size = np.bincount(ends.ravel(), np.repeat(length, 2), count) / np.maximum(
            np.bincount(ends.ravel(), None, count), 1
        )
        self._inverse_area = sp.diags(1 / np.maximum(size, 0.3) ** 2)

    def fill(self, given: np.ndarray, values: np.ndarray) -> np.ndarray:
        """float32 [V, n]: `values` [V, n] at the vertices `given` [V], elsewhere of least bending and stretching."""
        free = np.flatnonzero(~given)
        energy = (self._laplacian @ self._inverse_area @ self._laplacian + _TENSION * self._laplacian).tocsr()
        pulled = energy[free] @ sp.csr_matrix(np.where(given[:, None], values, 0))
        result = np.where(given[:, None], values, 0.0)
        result[free] = splu(energy[free][:, free].tocsc()).solve(-pulled.toarray())
        return result.astype(np.float32)


def _lip_reach(graph: _Graph, offset: np.ndarray, lips: np.ndarray, outside: np.ndarray) -> np.ndarray:
    x, y, z = offset.T
    free = (y < -9) & (y > -116) & (np.abs(x) < 66) & (z > -48)
    free &= ~((np.abs(x) < 10) & (y > -47) & (z > 28))  # the nose stays
    free &= outside | (z > -6)
    free[SKIN.stop :] = False
    values = np.zeros((len(offset), LIP_COLUMNS))
    for ring in lips[_CONTROLLED]:
        values[ring, np.arange(LIP_COLUMNS)] = 1
        free[ring] = False
    return graph.fill(~free, values)


def _jaw(graph: _Graph, offset: np.ndarray, lips: np.ndarray, outside: np.ndarray, weights: np.ndarray) -> np.ndarray:
    x, y, z = offset.T
    share = weights[:, _JAW] / 0.84
    bone = (share > 0.95) & (y < -72)
    free = (y < -22) & (y > -150) & (np.abs(x) < 75) & (weights[:, _JAW] > 0.02)
    free |= (y < -40) & (y > -110) & (np.abs(x) < 62) & (z > -40)
    free[SKIN.stop :] = False
    values = np.zeros((len(offset), 1))
    values[bone & outside] = 1
    free[bone & outside] = False
    column = np.minimum(np.arange(LIP_COLUMNS), LIP_COLUMNS - np.arange(LIP_COLUMNS))
    for ring in lips[_CONTROLLED]:
        values[ring, 0] = np.interp(column, *_JAW_OF_LIPS)
        free[ring] = False
    floor = ~outside & (share > 0.55) & (y < -70)  # the mouth's floor before the teeth goes with them
    values[floor], free[floor] = 1, False
    jaw = graph.fill(~free, values)[:, 0].clip(0, 1)
    jaw[LOWER_TEETH] = 1
    jaw[TONGUE] = ramp(z[TONGUE], -62, -20)
    return jaw
