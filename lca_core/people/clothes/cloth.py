"""Loose cloth of digital humans: skirts, dresses and open coats that hang, swing and rest on the moving body.

Extended position-based dynamics (Macklin, Mueller & Chentanez 2016) with one sweep over the constraints in each of
many small steps (Macklin et al. 2019, "Small steps in physics simulation"). Everything runs in one thread and in a
fixed order, so the same input gives the same bits on any number of cores. SI units throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from lca_core.body.layout import HAND_JOINTS, JOINT_NAMES

FPS = 30  # frames a second at which motion should be sampled for `simulate`
SUBSTEPS = 30  # small steps a frame
DENSITY = 0.25  # kg/m^2, a light woven cloth
STRETCH, SHEAR, BEND = 1e-4, 2e-2, 0.3  # compliances, m/N: along threads, across them, over the edge of two triangles
CRUSH = 1.0  # m/N: compliance of every thread under pressure; real cloth puckers finer than the mesh can
GRAVITY = 9.81
AIR = 3.0  # 1/m: pressure of air on moving cloth over DENSITY, 0.5 * 1.2 kg/m^3 * 1.25 / DENSITY
DAMPING = 0.6  # 1/s: of every movement
INNER_FRICTION = 12.0  # 1/s: of neighbouring threads against each other
SKIN_FRICTION = 0.15  # Coulomb's coefficient of cloth on skin
LEASH = 0.03  # metres that a half-free vertex may leave its place on the skin
CLEARANCE = 0.008  # metres that cloth keeps from the skin
REACH = 0.12  # metres from the body within which cloth is watched for contact
SLANT = 0.03  # metres sideways from a vertex of the body beyond which its tangent plane says nothing
POSE_FRAMES, REST_FRAMES = 24, 21  # of the lead-in: T-pose to first pose, and standing still in it

_TRUNK = ("pelvis", "spine1", "spine2", "spine3")
_LEGS = [[f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot")] for side in ("left", "right")]
_ARMS = [name for name in JOINT_NAMES if name.endswith(("shoulder", "elbow", "wrist")) or name in HAND_JOINTS]
_REGIONS = (_ARMS, *_LEGS, _TRUNK)  # the last one has the last word where cloth is caught between two


@dataclass(frozen=True)
class Collider:
    """The surface that cloth keeps clear of: arms, legs and trunk of one person, each searched on its own so that
    cloth between the legs meets both.

    rest: [B, 3] T-pose; bones, shares: [B, K] joints that move a vertex and their weights; faces: [F, 3];
    regions: rows of each region.
    """

    rest: np.ndarray
    bones: np.ndarray
    shares: np.ndarray
    faces: np.ndarray
    regions: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, rest: np.ndarray, weights: np.ndarray, faces: np.ndarray) -> "Collider":
        """rest: [V, 3] shaped T-pose; weights: [V, 55]; faces: [F, 3] of the skin alone."""
        names = np.array(JOINT_NAMES)[weights.argmax(1)]
        member = np.isin(names, np.concatenate(_REGIONS))
        faces = faces[member[faces].all(1)]
        used, local = np.unique(faces, return_inverse=True)
        regions = tuple(np.flatnonzero(np.isin(names[used], region)) for region in _REGIONS)
        return cls(rest[used].astype(float), *_strongest(weights[used]), local.reshape(-1, 3), regions)

    def posed(self, transforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(points, outward unit normals), each [B, 3], under transforms [55, 3, 4]."""
        points = skinned(self.rest, self.bones, self.shares, transforms)
        return points, _normals(points, self.faces)

    def nearest(self, cloth: np.ndarray, points: np.ndarray, normals: np.ndarray, layers=()) -> np.ndarray:
        """int [V, regions + layers]: in each the vertex whose tangent plane holds off each cloth vertex, or -1.

        points, normals: of the body and after it of garments beneath; layers: rows of each of those.
        """
        regions = (*self.regions, *layers)
        found = np.full((len(cloth), len(regions)), -1)
        if not len(cloth):
            return found
        close = ((points > cloth.min(0) - REACH) & (points < cloth.max(0) + REACH)).all(1)
        for column, rows in enumerate(regions):
            rows = rows[close[rows]]
            if not len(rows):
                continue
            distance, index = cKDTree(points[rows], balanced_tree=False, compact_nodes=False).query(
                cloth, distance_upper_bound=REACH
            )
            near = np.flatnonzero(np.isfinite(distance))
            row = rows[index[near]]
            height = ((cloth[near] - points[row]) * normals[row]).sum(1)
            holds = distance[near] ** 2 - height**2 < SLANT**2
            if column == 0:  # arms only press cloth inwards: a hand that got under it must not lift it
                inwards = points[self.regions[-1]].mean(0) - points[row]
                inwards[:, 1] = 0
                holds &= (inwards * normals[row]).sum(1) > 0.7 * np.linalg.norm(inwards, axis=1)
            found[near[holds], column] = row[holds]
        return found


def lead_in(full_pose: np.ndarray) -> np.ndarray:
    """Frames before a clip in which cloth comes to rest: [T, 55, 3] axis-angle -> [LEAD + T, 55, 3].

    The person goes from the T-pose, where garments are cut, to the clip's first pose and stands still in it. Drop
    the first LEAD frames of what `simulate` gives.
    """
    t = (np.arange(LEAD) / POSE_FRAMES).clip(0, 1)[:, None, None]
    start = t * t * (3 - 2 * t) * full_pose[:1]
    start[:, 0] = full_pose[0, 0]
    return np.concatenate([start.astype(full_pose.dtype), full_pose])


LEAD = POSE_FRAMES + REST_FRAMES


def simulate(
    rest: np.ndarray,  # [V, 3] the garment on the T-pose
    faces: np.ndarray,  # [F, 3]
    weights: np.ndarray,  # [V, 55]
    free: np.ndarray,  # [V] 0 follows the skin, 1 hangs freely
    transforms: np.ndarray,  # [T, 55, 3, 4] from the T-pose to the world
    body: Collider,
    fps: float = FPS,
    clearance: float = CLEARANCE,  # metres kept from the skin and from garments beneath
    ground: float = 0.0,  # height of the floor
    under: Sequence[tuple[np.ndarray, np.ndarray]] = (),  # garments beneath, already in motion: [T, U, 3], [F, 3]
) -> np.ndarray:
    """The garment in motion, float32 [T, V, 3], one frame for each of `transforms`.

    It starts skinned and at rest, see `lead_in`. Vertices with free 0 are skinned exactly; one between 0 and 1
    stays within LEASH * free / (1 - free) of its place on the skin.
    """
    rest = np.asarray(rest, float)
    pairs, lengths, compliance = threads(rest, faces, free)
    hanging = (np.asarray(free) > 0) & np.isin(np.arange(len(rest)), faces)
    kept = np.unique(np.concatenate([pairs.ravel(), np.flatnonzero(hanging)]))  # what hangs, and what holds it
    place = np.zeros(len(rest), np.int64)
    place[kept] = np.arange(len(kept))
    pairs, sides = place[pairs], place[faces[hanging[faces].any(1)]]
    moving = np.flatnonzero(hanging[kept])
    inverse_mass = np.where(hanging, 1 / _masses(rest, faces), 0.0)[kept]
    free = np.clip(free, 0, 1).astype(float)[kept]
    leash = np.where(free < 1, LEASH * free / np.maximum(1 - free, 1e-6), np.inf)
    bones, shares = _strongest(weights)

    skin = skinned(rest, bones, shares, transforms[0])
    points, normals = _surface(body, transforms[0], under, 0)
    layers = _layers(len(body.rest), under)
    x = skin[kept]
    v = np.zeros_like(x)
    contacts = np.full((len(kept), len(body.regions) + len(layers)), -1)
    result = np.empty((len(transforms), *rest.shape), np.float32)
    for frame, now in enumerate(transforms):
        before, points_before, normals_before = skin, points, normals
        skin = skinned(rest, bones, shares, now)
        points, normals = _surface(body, now, under, frame)
        contacts[moving] = body.nearest(x[moving], points_before, normals_before, layers)
        _frame(
            x, v, inverse_mass, before[kept], skin[kept], leash, pairs, lengths, compliance, contacts, points_before,
            points, normals_before, normals, _normals(x, sides), 1.0 / fps, clearance, ground,
        )  # fmt: skip
        result[frame] = skin
        result[frame, kept[moving]] = x[moving]
    return result


def _surface(body: Collider, transforms: np.ndarray, under: Sequence, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """(points, normals) of the body and then of the garments beneath.

    Folds face every way, so a garment's normals are drawn towards the horizontal away from its middle.
    """
    parts = [body.posed(transforms)]
    for moved, faces in under:
        points = moved[frame].astype(float)
        away = (points - points.mean(0)) * [1, 0, 1]
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        away += 0.5 * _normals(points, faces)
        parts.append((points, away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)))
    points, normals = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return points, normals


def _layers(first: int, under: Sequence) -> list[np.ndarray]:
    """Rows of each garment beneath that face outwards at first: the inner sides of folded hems do not."""
    rows = []
    for moved, faces in under:
        points = moved[0].astype(float)
        outward = ((points - points.mean(0)) * _normals(points, faces))[:, ::2].sum(1) > 0.02
        rows.append(first + np.flatnonzero(outward))
        first += len(points)
    return rows


def threads(rest: np.ndarray, faces: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pairs int [C, 2], lengths [C], compliances [C]): distances that cloth keeps, from the pinned part outwards.

    Edges of triangles; those that are the longest side of both their triangles lie across the weave and shear. The
    corners opposite to an edge keep their distance softly, which is what resists bending.
    """
    corners = faces[:, [[1, 2], [2, 0], [0, 1]]]
    ends = np.sort(corners.reshape(-1, 2), 1)
    edges, first, edge_of = np.unique(ends, axis=0, return_index=True, return_inverse=True)
    edge_of = edge_of.ravel()
    side = np.linalg.norm(rest[corners[..., 0]] - rest[corners[..., 1]], axis=2)
    longest = (side == side.max(1, keepdims=True)).ravel()
    votes, uses = np.bincount(edge_of, longest), np.bincount(edge_of)
    order = np.argsort(edge_of, kind="stable")
    second = np.flatnonzero(np.diff(edge_of[order]) == 0)
    opposite = faces.ravel()[np.stack([order[second], order[second + 1]], 1)]
    opposite = opposite[opposite[:, 0] != opposite[:, 1]]
    pairs = np.concatenate([edges, opposite])
    compliance = np.concatenate([np.where((votes == 2) & (uses == 2), SHEAR, STRETCH), np.full(len(opposite), BEND)])
    keep = (free[pairs] > 0).any(1)
    pairs, compliance = pairs[keep], compliance[keep]
    pinned = rest[free == 0]
    depth = cKDTree(pinned).query(rest)[0] if len(pinned) else -rest[:, 1]
    order = np.argsort(depth[pairs].min(1), kind="stable")
    pairs, compliance = pairs[order], compliance[order]
    return pairs, np.linalg.norm(rest[pairs[:, 0]] - rest[pairs[:, 1]], axis=1), compliance


def _masses(rest: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Mass of every vertex [V], kg: a third of its triangles, but never so little that slivers fly off."""
    corner = rest[faces]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 2
    mass = DENSITY * np.bincount(faces.ravel(), np.repeat(area / 3, 3), minlength=len(rest))
    return np.maximum(mass, 0.3 * mass.mean())


def _strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(joints int [V, K], weights [V, K]) with as many joints as the vertex that has most of them."""
    count = max(1, int((weights > 0).sum(1).max()))
    bones = np.argsort(-weights, 1, kind="stable")[:, :count]
    return bones, np.take_along_axis(weights, bones, 1).astype(float)


@njit(cache=True, error_model="numpy")
def skinned(rest, bones, shares, transforms):
    """Linear blend skinning: [V, 3] by joints `bones` [V, K] with weights `shares` [V, K]."""
    result = np.zeros_like(rest)
    for i in range(len(rest)):
        for k in range(bones.shape[1]):
            j, share = bones[i, k], shares[i, k]
            if share > 0:
                for a in range(3):
                    result[i, a] += share * (
                        transforms[j, a, 0] * rest[i, 0] + transforms[j, a, 1] * rest[i, 1]
                        + transforms[j, a, 2] * rest[i, 2] + transforms[j, a, 3]
                    )  # fmt: skip
    return result


@njit(cache=True, error_model="numpy")
def _normals(points, faces):
    """Unit normals [V, 3], area-weighted over triangles."""
    result = np.zeros_like(points)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        p0, p1, p2 = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        q0, q1, q2 = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        for corner in (a, b, c):
            result[corner, 0] += p1 * q2 - p2 * q1
            result[corner, 1] += p2 * q0 - p0 * q2
            result[corner, 2] += p0 * q1 - p1 * q0
    for i in range(len(result)):
        length = max(np.sqrt(result[i, 0] ** 2 + result[i, 1] ** 2 + result[i, 2] ** 2), 1e-12)
        for a in range(3):
            result[i, a] /= length
    return result


@njit(cache=True, error_model="numpy")
def _frame(
    x, v, w, before, target, leash, pairs, lengths, compliance, contacts, points_before, points, normals_before,
    normals, facing, dt, clearance, ground,
):  # fmt: skip
    """Advance positions x and velocities v [V, 3] by one frame, in place. w: inverse masses, 0 where pinned."""
    h = dt / SUBSTEPS
    last = x.copy()
    for step in range(SUBSTEPS):
        then, now = step / SUBSTEPS, (step + 1) / SUBSTEPS
        for i in range(len(x)):
            for a in range(3):
                last[i, a] = x[i, a]
            if w[i] > 0:
                _fall(x, v, facing, i, h)
            else:
                for a in range(3):
                    x[i, a] = before[i, a] + (target[i, a] - before[i, a]) * now
        _keep_distances(x, w, pairs, lengths, compliance, h)
        for i in range(len(x)):
            if w[i] > 0:
                if leash[i] < np.inf:
                    _hold(x, before, target, i, now, leash[i])
                for region in range(contacts.shape[1]):
                    if contacts[i, region] >= 0:
                        _keep_off(x, last, i, points_before, points, normals_before, normals, contacts[i, region],
                                  then, now, clearance)  # fmt: skip
                x[i, 1] = max(x[i, 1], ground)
            for a in range(3):
                v[i, a] = (x[i, a] - last[i, a]) / h
    _rub(v, w, pairs, INNER_FRICTION * dt)


@njit(cache=True, error_model="numpy")
def _fall(x, v, facing, i, h):
    """Gravity and air: broadside cloth is braked by the square of its speed."""
    v[i, 1] -= GRAVITY * h
    across = v[i, 0] * facing[i, 0] + v[i, 1] * facing[i, 1] + v[i, 2] * facing[i, 2]
    brake = across - across / (1 + AIR * abs(across) * h)
    for a in range(3):
        v[i, a] = (v[i, a] - brake * facing[i, a]) / (1 + DAMPING * h)
        x[i, a] += h * v[i, a]


@njit(cache=True, error_model="numpy")
def _keep_distances(x, w, pairs, lengths, compliance, h):
    """XPBD distance constraints (Macklin et al. 2016, eq. 17 and 18, from multipliers of zero), one after another."""
    for c in range(len(pairs)):
        i, j = pairs[c, 0], pairs[c, 1]
        d0, d1, d2 = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
        distance = np.sqrt(d0 * d0 + d1 * d1 + d2 * d2)
        soft = compliance[c] if distance > lengths[c] else max(compliance[c], CRUSH)
        share = (distance - lengths[c]) / ((w[i] + w[j] + soft / h**2) * max(distance, 1e-9))
        mine, other = w[i] * share, w[j] * share
        x[i, 0] -= mine * d0
        x[i, 1] -= mine * d1
        x[i, 2] -= mine * d2
        x[j, 0] += other * d0
        x[j, 1] += other * d1
        x[j, 2] += other * d2


@njit(cache=True, error_model="numpy")
def _hold(x, before, target, i, now, most):
    """Bring x[i] back to within `most` metres of its place on the skin."""
    square = 0.0
    for a in range(3):
        square += (x[i, a] - before[i, a] - (target[i, a] - before[i, a]) * now) ** 2
    if square > most * most:
        scale = most / np.sqrt(square)
        for a in range(3):
            place = before[i, a] + (target[i, a] - before[i, a]) * now
            x[i, a] = place + (x[i, a] - place) * scale


@njit(cache=True, error_model="numpy")
def _keep_off(x, last, i, points_before, points, normals_before, normals, j, then, now, clearance):
    """Push x[i] out of the tangent plane of the body's moving vertex j, with friction and without bouncing."""
    height = -clearance
    for a in range(3):
        n = normals_before[j, a] + (normals[j, a] - normals_before[j, a]) * now
        height += (x[i, a] - points_before[j, a] - (points[j, a] - points_before[j, a]) * now) * n
    if height >= 0:
        return
    along = 0.0  # the way along the normal that the vertex of cloth has come, seen from the body
    for a in range(3):
        n = normals_before[j, a] + (normals[j, a] - normals_before[j, a]) * now
        x[i, a] -= height * n
        along += (x[i, a] - last[i, a] - (points[j, a] - points_before[j, a]) * (now - then)) * n
    slip = 0.0
    for a in range(3):
        n = normals_before[j, a] + (normals[j, a] - normals_before[j, a]) * now
        slip += (x[i, a] - last[i, a] - (points[j, a] - points_before[j, a]) * (now - then) - along * n) ** 2
    held = min(1.0, SKIN_FRICTION * -height / max(np.sqrt(slip), 1e-12))
    for a in range(3):
        n = normals_before[j, a] + (normals[j, a] - normals_before[j, a]) * now
        x[i, a] -= held * (x[i, a] - last[i, a] - (points[j, a] - points_before[j, a]) * (now - then) - along * n)
        last[i, a] += max(along, 0.0) * n


@njit(cache=True, error_model="numpy")
def _rub(v, w, pairs, amount):
    """Neighbours share some of their difference in velocity: cloth loses energy when it bends."""
    for c in range(len(pairs)):
        i, j = pairs[c, 0], pairs[c, 1]
        for a in range(3):
            change = amount * (v[j, a] - v[i, a]) / (w[i] + w[j])
            v[i, a] += w[i] * change
            v[j, a] -= w[j] * change
