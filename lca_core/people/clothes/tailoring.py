"""Geometry that garments are sewn from: shells that keep clear of each other, cloth that hangs about the trunk,
hems, bands and collars along edges, patches laid on cloth."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates, maximum_filter
from scipy.spatial import cKDTree

from lca_core.body.basemesh import vertex_normals
from lca_core.people.body.cut import Piece

HEM = 0.012  # metres that a hem is folded inwards
THICKNESS = 0.002  # metres of cloth
UNDER, LEAST = 0.0035, 0.0015  # metres from the skin to cloth, and to what is turned in under it
_ANGLES = 72  # directions about the trunk in a Hang
_SLICE = 0.015  # metres from one slice to the next


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 at `low`, 1 at `high` (which may be the smaller), smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Shell:
    """A surface that things keep clear of, by its vertices [V, 3] and normals [V, 3]."""

    vertices: np.ndarray
    normals: np.ndarray
    tree: cKDTree

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray) -> "Shell":
        used = np.unique(faces)
        return cls(vertices[used], vertex_normals(vertices, faces)[used], cKDTree(vertices[used]))

    @classmethod
    def fine(cls, vertices: np.ndarray, faces: np.ndarray) -> "Shell":
        """With the middles of the triangles as well."""
        used = np.unique(faces)
        normals = vertex_normals(vertices, faces)
        middle = vertices[faces].mean(1)
        points = np.concatenate([vertices[used], middle])
        corner = normals[faces].mean(1)
        corner /= np.maximum(np.linalg.norm(corner, axis=1, keepdims=True), 1e-9)
        return cls(points, np.concatenate([normals[used], corner]), cKDTree(points))

    def clear(self, points: np.ndarray, least: np.ndarray, most: np.ndarray = np.inf) -> np.ndarray:
        """Move points [n, 3] along the shell's normal until each is between `least` and `most` metres above it."""
        height, normal = self.above(points)
        return points + normal * (np.clip(height, least, most) - height)[:, None]

    def above(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heights [n] of points [n, 3] over the shell, negative inside, and its normals [n, 3] there."""
        _, nearest = self.tree.query(points, k=4)
        normal = self.normals[nearest].mean(1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        return ((points[:, None] - self.vertices[nearest]) * normal[:, None]).sum(-1).max(1), normal


class Hang:
    """How far from the trunk's axis (vertical through x = 0, z = `axis`) cloth lies, by direction and height.

    radius: [rows, directions] at heights from `high` down by `step`, metres.
    """

    def __init__(self, axis: float, high: float, step: float, radius: np.ndarray):
        self.axis, self._high, self._step, self._radius = axis, high, step, radius

    @classmethod
    def around(cls, points: np.ndarray, edges: np.ndarray, axis: float, low: float, high: float) -> "Hang":
        """The convex hull of every slice of a body without arms: points [V, 3], edges [E, 2], heights in metres."""
        heights = np.arange(high, low, -_SLICE)
        turn = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
        outward = np.stack([np.sin(turn), np.cos(turn)])
        start, end = points[edges[:, 0]], points[edges[:, 1]]
        support = np.zeros((len(heights), _ANGLES))
        for row, y in enumerate(heights):
            crossing = (start[:, 1] > y) != (end[:, 1] > y)
            a, b = start[crossing], end[crossing]
            t = ((y - a[:, 1]) / (b[:, 1] - a[:, 1]))[:, None]
            support[row] = (((a + (b - a) * t)[:, [0, 2]] - [0, axis]) @ outward).max(0)
        leaning = np.cos(turn[:, None] - turn)
        reach = np.where(leaning > 0.2, support[:, None, :] / np.maximum(leaning, 0.2), np.inf)
        return cls(axis, high, _SLICE, reach.min(2))

    def falling(self, slope: float, start: float) -> "Hang":
        """Cloth that below the height `start` falls inwards by at most `slope` metres a metre: 0 hangs straight down
        from what is widest above."""
        radius = self._radius.copy()
        for row in range(1, len(radius)):
            if self._high - row * self._step < start:
                radius[row] = np.maximum(radius[row], radius[row - 1] - slope * self._step)
        smooth = gaussian_filter1d(gaussian_filter1d(radius, 1.5, axis=0, mode="nearest"), 1.0, axis=1, mode="wrap")
        return Hang(self.axis, self._high, self._step, np.maximum(radius, smooth))

    def outside(self, points: np.ndarray) -> "Hang":
        """Cloth that also keeps outside other clothes about the trunk, by their vertices [n, 3]."""
        rows = np.clip(np.rint((self._high - points[:, 1]) / self._step).astype(int), 0, len(self._radius) - 1)
        columns = np.rint(self.angle(points) / (2 * np.pi) * _ANGLES).astype(int) % _ANGLES
        reach = np.zeros_like(self._radius)
        np.maximum.at(reach, (rows, columns), np.hypot(points[:, 0], points[:, 2] - self.axis))
        reach = maximum_filter(reach, (3, 5), mode=("nearest", "wrap"))
        radius = np.maximum(self._radius, reach)
        smooth = gaussian_filter1d(gaussian_filter1d(radius, 1.0, axis=0, mode="nearest"), 1.0, axis=1, mode="wrap")
        return Hang(self.axis, self._high, self._step, np.maximum(radius, smooth))

    def angle(self, points: np.ndarray) -> np.ndarray:
        """Direction [...] of points [..., 3]: 0 in front, positive to the person's left, within +-pi."""
        return np.arctan2(points[..., 0], points[..., 2] - self.axis)

    def radius(self, angle: np.ndarray, y: np.ndarray) -> np.ndarray:
        place = [(self._high - y) / self._step, np.mod(angle, 2 * np.pi) / (2 * np.pi) * _ANGLES]
        padded = np.concatenate([self._radius, self._radius[:, :1]], 1)
        return map_coordinates(padded, place, order=1, mode="nearest")

    def at(self, angle: np.ndarray, y: np.ndarray, room: np.ndarray) -> np.ndarray:
        """Points [..., 3] `room` metres outside the hanging surface."""
        angle, y, room = np.broadcast_arrays(angle, y, room)
        radius = self.radius(angle, y) + room
        return np.stack([radius * np.sin(angle), y, self.axis + radius * np.cos(angle)], -1)


def like(piece: Piece, points: np.ndarray, spread: float = 0.01) -> np.ndarray:
    """Skinning weights [n, J] for points [n, 3], blended from the piece's vertices around the nearest."""
    distance, nearest = cKDTree(piece.vertices).query(points, k=8)
    share = np.exp(-np.square((distance - distance[:, :1]) / spread))
    return (piece.weights[nearest] * (share / share.sum(1, keepdims=True))[..., None]).sum(1)


def sew(*pieces: Piece) -> Piece:
    """Several pieces as one mesh."""
    starts = np.cumsum([0, *(len(p.vertices) for p in pieces[:-1])])
    return Piece(
        np.concatenate([p.vertices for p in pieces]),
        np.concatenate([p.weights for p in pieces]),
        np.concatenate([p.faces + start for p, start in zip(pieces, starts)]),
    )


def lattice(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Triangles over points [rows, columns]; a closed one joins the last column to the first.

    They face outwards where rows run down and columns run to the person's left in front.
    """
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], 1)
    a, b, c, d = (q.ravel() for q in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    return np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])


def border_edges(faces: np.ndarray) -> np.ndarray:
    """Directed edges [B, 2] that one triangle only uses."""
    edges = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    low, high = np.sort(edges, 1).astype(np.int64).T
    _, first, uses = np.unique(low << 32 | high, return_index=True, return_counts=True)
    return edges[first[uses == 1]]


def fold_hems(piece: Piece, depth: float) -> Piece:
    """Give open edges a rounded rim: cloth turned inwards and back along itself by `depth`."""
    start, end = border_edges(piece.faces).T
    normals = vertex_normals(piece.vertices, piece.faces)
    rim, local = np.unique(np.concatenate([start, end]), return_inverse=True)
    along = np.zeros((len(piece.vertices), 3))
    direction = piece.vertices[end] - piece.vertices[start]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    np.add.at(along, start, direction)
    np.add.at(along, end, direction)
    inwards = np.cross(normals[rim], along[rim])
    inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-9)
    base = piece.vertices[rim]
    turned = base - THICKNESS * normals[rim]
    rows = [base - 0.5 * THICKNESS * (normals[rim] + inwards), turned, turned + depth * inwards]
    count, faces = len(piece.vertices), [piece.faces]
    s, e = start, end
    for row in range(len(rows)):
        inner = count + row * len(rim)
        s2, e2 = inner + local[: len(start)], inner + local[len(start) :]
        faces += [np.stack([e, s, s2], -1), np.stack([e, s2, e2], -1)]
        s, e = s2, e2
    return Piece(
        np.concatenate([piece.vertices, *rows]),
        np.concatenate([piece.weights, *[piece.weights[rim]] * len(rows)]),
        np.concatenate(faces),
    )


def edge_loop(piece: Piece, on_edge: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Border vertices [n] for which on_edge [V] holds, in the order of the values around [V]."""
    border = np.unique(border_edges(piece.faces))
    border = border[on_edge[border]]
    return border[np.argsort(around[border], kind="stable")]


def along_loop(values: np.ndarray, angle: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values [m, 3] at the angles `at` of a curve that has values [n, 3] at angles [n], which repeat after a turn."""
    return np.stack([np.interp(at, angle, values[:, axis], period=2 * np.pi) for axis in range(3)], -1)


def patch(piece: Piece, x: np.ndarray, y: np.ndarray, lift: float, front: bool) -> Piece:
    """Cloth laid `lift` metres on the front (or back) of a piece: its points over x, y [rows, columns] in metres.

    The rim goes down into the cloth below. Rows run down; columns to the person's left.
    """
    normals = vertex_normals(piece.vertices, piece.faces)
    facing = (normals[:, 2] > 0.15) if front else (normals[:, 2] < -0.15)
    low, high = [x.min() - 0.06, y.min() - 0.06], [x.max() + 0.06, y.max() + 0.06]
    near = facing & (piece.vertices[:, :2] > low).all(1) & (piece.vertices[:, :2] < high).all(1)
    if near.sum() < 8:
        return Piece(np.zeros((0, 3)), piece.weights[:0], np.zeros((0, 3), int))
    values = np.concatenate([piece.vertices[near, 2:], normals[near]], 1)
    x, y = (np.pad(grid, 1, mode="edge") for grid in (x, y))
    distance, nearest = cKDTree(piece.vertices[near, :2]).query(np.stack([x, y], -1), k=8)
    share = np.exp(-np.square(distance / 0.010 - distance[..., :1] / 0.010))
    found = (values[nearest] * (share / share.sum(-1, keepdims=True))[..., None]).sum(-2)
    height = np.full(x.shape, lift)
    height[[0, -1]] = height[:, [0, -1]] = -0.001
    points = np.stack([x, y, found[..., 0]], -1) + height[..., None] * found[..., 1:]
    faces = lattice(*x.shape, closed=False)
    points = points.reshape(-1, 3)
    return Piece(points, like(piece, points), faces if front else faces[:, ::-1])
