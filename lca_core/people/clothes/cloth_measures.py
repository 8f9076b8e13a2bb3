"""How well simulated cloth does: how far it leaves skinning alone, and how much skin shows through it."""

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from lca_core.body.basemesh import vertex_normals

RING, RAISED = 8, 0.15  # cameras in a ring, every other one raised by so many radians, the others level
PX = 192  # pixels across a camera's square picture
DEPTH = 0.05  # metres that skin may lie in front of the cloth that it pierces
_UNDER = 0.25  # metres between skin and the cloth that covers it at rest
_RIM = 0.015  # metres from an open edge, where cloth covers nothing for certain


def deviation_mm(simulated: np.ndarray, by_skinning: np.ndarray, free: np.ndarray) -> float:
    """Mean distance in millimetres between [T, V, 3] simulated and skinned, over vertices whose `free` [V] is 1."""
    return 1000 * float(np.linalg.norm(simulated - by_skinning, axis=2)[:, free >= 1].mean())


def covered_at_rest(skin: np.ndarray, cloth: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """bool [S]: points of skin [S, 3] under the garment (vertices [V, 3], faces [F, 3]), both on the T-pose.

    The nearest vertex of the cloth must be within 0.25 m, away from open edges, and face away from the skin: legs
    below a hem, hands and neck are bare.
    """
    ends = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
    edges, uses = np.unique(ends, axis=0, return_counts=True)
    rim = cloth[np.unique(edges[uses == 1])]
    used = np.unique(faces)
    distance, nearest = cKDTree(cloth[used]).query(skin, distance_upper_bound=_UNDER)
    near = np.isfinite(distance)
    over = used[np.where(near, nearest, 0)]
    outside = ((cloth[over] - skin) * vertex_normals(cloth, faces)[over]).sum(1) > 0
    from_rim = cKDTree(rim).query(cloth[over])[0] if len(rim) else np.full(len(skin), np.inf)
    return near & outside & (from_rim > _RIM)


def poke_through(
    cloth: np.ndarray, cloth_faces: np.ndarray, skin: np.ndarray, skin_faces: np.ndarray, covered: np.ndarray
) -> float:
    """Share of the garment's visible outer side where skin lies in front of it, seen by a ring of cameras.

    cloth: [V, 3] and skin: [S, 3] posed, counter-clockwise faces seen from outside; covered: bool [S], skin that is
    under the garment at rest (`covered_at_rest`). A pixel shows the garment's outer side where the nearest cloth
    faces the camera and nothing lies in front. It is poked through where covered skin lies in front of such cloth
    by less than DEPTH. The share is poked / (poked + shown). So bare legs below the hem, hands before the skirt,
    thighs seen from below or against the inner side of a skirt that flies up do not count.
    """
    centre, reach = (cloth.max(0) + cloth.min(0)) / 2, 1.02 * np.linalg.norm(np.ptp(cloth, axis=0)) / 2
    under = covered[skin_faces].all(1)
    poked = shown = 0
    for number in range(RING):
        axes = _camera(2 * np.pi * number / RING, RAISED * (number % 2))
        front, back, bare, skin_depth, behind = (np.full((PX, PX), np.inf) for _ in range(5))
        seen_cloth = _picture(cloth, centre, axes, reach)
        seen_skin = _picture(skin, centre, axes, reach)
        draw(seen_cloth, cloth_faces, front, back)
        draw(seen_skin, skin_faces[under], skin_depth, behind)
        draw(seen_skin, skin_faces[~under], bare, bare)
        outer = (front < back) & (front < bare)
        poked += int((outer & (skin_depth < front) & (skin_depth > front - DEPTH)).sum())
        shown += int((outer & (skin_depth >= front)).sum())
    return poked / max(poked + shown, 1)


def _camera(yaw: float, raised: float) -> np.ndarray:
    """[3, 3] rows: right, up, and away from the camera."""
    away = -np.array([np.sin(yaw) * np.cos(raised), np.sin(raised), np.cos(yaw) * np.cos(raised)])
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    return np.stack([right, np.cross(away, -right), away])


def _picture(points: np.ndarray, centre: np.ndarray, axes: np.ndarray, reach: float) -> np.ndarray:
    """[n, 3]: column, row (upwards) in pixels and depth in metres, by parallel projection."""
    seen = (points - centre) @ axes.T
    seen[:, :2] = (seen[:, :2] / reach + 1) * (PX / 2)
    return seen.astype(float)


@njit(cache=True, error_model="numpy")
def draw(points, faces, front, back):
    """Lower depth buffers [px, px] to those of triangles seen from their front, and from behind.

    points: [n, 3] columns, rows and depths.
    """
    px = len(front)
    for f in range(len(faces)):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        target = front if area > 0 else back
        left, right = min(a[0], b[0], c[0]), max(a[0], b[0], c[0])
        low, high = min(a[1], b[1], c[1]), max(a[1], b[1], c[1])
        for row in range(max(0, int(np.ceil(low - 0.5))), min(px, int(np.floor(high - 0.5)) + 1)):
            for column in range(max(0, int(np.ceil(left - 0.5))), min(px, int(np.floor(right - 0.5)) + 1)):
                u, v = column + 0.5, row + 0.5
                wa = ((b[0] - u) * (c[1] - v) - (b[1] - v) * (c[0] - u)) / area
                wb = ((c[0] - u) * (a[1] - v) - (c[1] - v) * (a[0] - u)) / area
                wc = 1 - wa - wb
                if wa >= 0 and wb >= 0 and wc >= 0:
                    depth = wa * a[2] + wb * b[2] + wc * c[2]
                    if depth < target[row, column]:
                        target[row, column] = depth
