"""Garments cut from MakeHuman's clothing helpers: clipped exactly at hems, eased away from the skin, textured.

A garment is a piece of the tights or skirt helper on the person's T-pose. Cutting lines are zero sets of
functions in metres, so a hem is a curve through triangles and not a row of whole ones. The same functions say
which skin lies under the cloth.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from lca_core.body.layout import JOINT_NAMES
from lca_core.people import basemesh
from lca_core.people.cut import Piece, clip
from lca_core.people.spec import Garment, PersonSpec

_J = {name: number for number, name in enumerate(JOINT_NAMES)}
_HEAD = [_J[name] for name in ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")]
HEM = 0.006  # metres that a hem is folded inwards


@dataclass(frozen=True)
class Cloth:
    """A garment at rest. vertices float32 [V, 3]; weights float32 [V, 55]; faces int32 [F, 3]; uv float32
    [F, 3, 2]; albedo uint8 [px, px, 3]; hides: bool [body vertices], skin that it covers for certain."""

    part: str
    vertices: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    albedo: np.ndarray
    hides: np.ndarray
    roughness: float = 0.9
    specular: float = 0.03


@lru_cache(maxsize=4)
def _fine_helper(name: str):
    """(vertices used [n], subdivision matrix over them, triangles) of a helper group."""
    mesh = basemesh.load()
    quads = mesh.quads[mesh.select(name)]
    used, local = np.unique(quads, return_inverse=True)
    matrix, fine = basemesh.catmull_clark(local.reshape(-1, 4).astype(np.int32), len(used))
    faces = np.concatenate([fine[:, [0, 1, 2]], fine[:, [0, 2, 3]]])
    return used, matrix, faces


def dress(spec: PersonSpec, rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, px: int) -> list[Cloth]:
    """Shoes, bottom and top of a person.

    rest: float32 [V, 3] shaped T-pose in base.obj order; joints [55, 3]; weights [V, 55]; px: texture size.
    """
    mesh = basemesh.load()
    body = _Skin.of(rest, mesh.triangles(mesh.select("body"))[0])
    lines = _Lines(rest, joints)
    top_cuts = lines.top(_old(spec.top or spec.bottom))
    person = (body, rest, weights, lines)
    shoes = _make("shoe", spec.shoes, lines.shoes(), 0.006, *person, px // 4, spec.seed)
    bottom = _make("bottom", _old(spec.bottom), lines.bottom(_old(spec.bottom)), 0.006, *person, px // 2, spec.seed)
    under = np.min([cut(bottom.vertices) for cut in top_cuts], 0) - 0.045
    bottom = _without(bottom, under > 0)
    top = _make("top", _old(spec.top or spec.bottom), top_cuts, 0.012, *person, px, spec.seed)
    return [shoes, bottom, top]


def _old(garment: Garment) -> Garment:
    """Stand-in until the new garments are here."""
    kinds = {"polo": "tshirt", "shirt": "long_sleeve", "blouse": "tshirt", "sweater": "long_sleeve",
             "hoodie": "long_sleeve", "jeans": "trousers", "leggings": "trousers", "joggers": "trousers",
             "pleated_skirt": "skirt", "dress": "skirt", "long_dress": "skirt"}  # fmt: skip
    return replace(garment, kind=kinds.get(garment.kind, garment.kind))


@dataclass(frozen=True)
class _Skin:
    """The body as clothes keep clear of it."""

    vertices: np.ndarray
    normals: np.ndarray
    tree: cKDTree

    @classmethod
    def of(cls, rest: np.ndarray, faces: np.ndarray) -> "_Skin":
        used = np.unique(faces)
        return cls(rest[used], basemesh.vertex_normals(rest, faces)[used], cKDTree(rest[used]))

    def clear(self, points: np.ndarray, least: np.ndarray, most: np.ndarray, smooth_over: int = 4) -> np.ndarray:
        """Move points along the skin's normal until each is between `least` and `most` metres above it."""
        _, nearest = self.tree.query(points, k=smooth_over)
        normal = self.normals[nearest].mean(1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        height = ((points[:, None] - self.vertices[nearest]) * normal[:, None]).sum(-1).max(1)
        return points + normal * (np.clip(height, least, most) - height)[:, None]


class _Lines:
    """Cutting lines of garments on one person: functions of points [n, 3], metres inside, negative outside."""

    def __init__(self, rest: np.ndarray, joints: np.ndarray):
        self.joints = joints
        self.shoulder_x = joints[_J["left_shoulder"], 0]
        self.arm = joints[_J["left_wrist"], 0] - self.shoulder_x
        self.hip_y = joints[[_J["left_hip"], _J["right_hip"]], 1].mean()
        self.knee_y = joints[_J["left_knee"], 1]
        self.ankle = joints[_J["left_ankle"]]
        self.neck = joints[_J["neck"]]
        ring = rest[:13380][np.abs(rest[:13380, 1] - self.neck[1] - 0.025) < 0.008]
        ring = ring[np.abs(ring[:, 0]) < 0.12]
        self.neck_half = np.abs(ring[:, 0]).max()
        self.neck_z = (ring[:, 2].max() + ring[:, 2].min()) / 2
        self.neck_deep = (ring[:, 2].max() - ring[:, 2].min()) / 2
        self.waist_y = joints[_J["spine1"], 1] * 0.4 + joints[_J["spine2"], 1] * 0.6
        self.torso = self.neck[1] - self.hip_y
        self.leg = self.hip_y - self.ankle[1]

    def top(self, garment: Garment) -> list:
        hem = self.hip_y + self.torso * (0.16 - 0.20 * garment.length)
        reach = {"tshirt": 0.38 + 0.22 * garment.length, "long_sleeve": 0.97, "tank": -0.08}.get(garment.kind, 0.4)

        def neckline(p):
            across = p[:, 0] / (self.neck_half + 0.012 + 0.022 * garment.neck)
            forward = p[:, 2] - self.neck_z
            room = np.where(forward > 0, 0.008 + 0.024 * garment.neck, 0.010)
            away = np.hypot(across, forward / (self.neck_deep + room)) - 1
            below = self.neck[1] - 0.045 - 0.045 * garment.neck - p[:, 1]
            a, b = away * self.neck_half, below  # a rounded union, so that the line has no corners
            return np.maximum(a, b) + np.square((0.02 - np.abs(a - b)).clip(0)) / 0.08

        def sleeve(p):
            if garment.kind != "tank":
                return self.shoulder_x + reach * self.arm - np.abs(p[:, 0])
            low = np.clip(self.joints[_J["left_shoulder"], 1] - p[:, 1], -0.05, 0.16)
            return self.shoulder_x - 0.028 - np.abs(p[:, 0]) + 1.6 * np.square(np.maximum(low - 0.02, 0)) / 0.16

        return [neckline, sleeve, lambda p: p[:, 1] - hem]

    def bottom(self, garment: Garment) -> list:
        end = {
            "trousers": self.ankle[1] + 0.01 + 0.03 * garment.length,
            "shorts": self.knee_y + self.leg * (0.22 - 0.2 * garment.length),
            "skirt": self.knee_y + self.leg * (0.2 - 0.45 * garment.length),
        }[garment.kind]
        return [lambda p: self.waist_y + 0.01 - p[:, 1], lambda p: p[:, 1] - end,
                lambda p: self.shoulder_x * 1.9 - np.abs(p[:, 0])]  # fmt: skip

    def shoes(self) -> list:
        top = self.ankle[1] + 0.022
        return [lambda p: top - 0.25 * (p[:, 2] - self.ankle[2]).clip(-0.05, 0.06) - p[:, 1]]


def _make(part, garment, cuts, distance, body, rest, weights, lines, px, seed) -> Cloth:
    used, matrix, faces = _fine_helper("helper-skirt" if garment.kind == "skirt" else "helper-tights")
    vertices = matrix @ rest[used]
    if garment.kind == "skirt":
        drop = (lines.hip_y - vertices[:, 1]).clip(0) / lines.leg
        wide = 1 + (0.25 + 0.9 * garment.loose) * drop
        vertices = vertices * np.stack([wide, np.ones_like(wide), wide], -1)
    clearance = _ease(part, garment, vertices, lines, distance, seed)
    snug = cuts[0](vertices).clip(0) if part == "top" else np.full(len(vertices), 1.0)  # collars lie on the neck
    vertices = body.clear(vertices, clearance, clearance + 0.002 + 0.5 * snug)
    if part == "shoe":
        sole = body.vertices[:, 1].min() - 0.012
        vertices[:, 1] = np.where(vertices[:, 1] < sole + 0.018, sole, vertices[:, 1])
    piece = Piece(vertices, matrix @ weights[used], faces)
    for cut in cuts:
        piece = clip(piece, cut(piece.vertices))
    faces, uv = piece.faces, _chart(part, garment, piece, lines)
    covered = np.min([cut(rest) for cut in cuts], 0) > (0.012 if part == "shoe" else 0.03)
    # The cuts are open upwards (a neckline is a ring): without this, noses and chins count as under the collar.
    covered &= weights[:, _HEAD].sum(1) < 0.02
    piece, faces, uv = _fold_hems(piece, faces, uv)
    return Cloth(
        part, piece.vertices.astype(np.float32), piece.weights.astype(np.float32), faces.astype(np.int32),
        uv.astype(np.float32), paint_cloth(part, garment, px, seed), covered,
        *((0.45, 0.3) if part == "shoe" else (0.9, 0.03)),
    )  # fmt: skip


def _ease(part, garment, p, lines, distance, seed) -> np.ndarray:
    """How far cloth keeps from the skin, metres: wider towards hems and where the garment is loose, with folds."""
    if part == "shoe":
        return np.full(len(p), distance)
    rng = np.random.default_rng([seed, 20 + len(part)])
    folds = np.zeros(len(p))
    for _ in range(6):
        k = rng.normal(size=3) * [28, 16, 28]
        folds += np.sin(p @ k + rng.uniform(0, 6.28)) / 6
    if part == "top":
        low = ((lines.neck[1] - 0.12 - p[:, 1]) / lines.torso).clip(0, 1)
        out = ((np.abs(p[:, 0]) - lines.shoulder_x) / lines.arm).clip(0, 1)
        room = (0.004 + 0.016 * garment.loose) * np.maximum(low, out if garment.kind != "tank" else 0)
    else:
        low = ((lines.hip_y - 0.10 - p[:, 1]) / lines.leg).clip(0, 1)
        room = (0.003 + 0.024 * garment.loose) * low
    return distance + room * (1 + 0.5 * folds) + 0.0015 * (1 + folds)


def _without(cloth: Cloth, hidden: np.ndarray) -> Cloth:
    keep = ~hidden[cloth.faces].all(1)
    return replace(cloth, faces=cloth.faces[keep], uv=cloth.uv[keep])


def _fold_hems(piece: Piece, faces: np.ndarray, uv: np.ndarray) -> tuple[Piece, np.ndarray, np.ndarray]:
    """Give open edges thickness: a strip of cloth turned inwards."""
    edges = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    key = np.sort(edges, 1)
    _, first, uses = np.unique(key, axis=0, return_index=True, return_counts=True)
    border = first[uses == 1]
    start, end = edges[border].T
    normals = basemesh.vertex_normals(piece.vertices, faces)
    rim, local = np.unique(np.concatenate([start, end]), return_inverse=True)
    inner = np.arange(len(rim)) + len(piece.vertices)
    s, e = inner[local[: len(start)]], inner[local[len(start) :]]
    vertices = np.concatenate([piece.vertices, piece.vertices[rim] - HEM * normals[rim]])
    weights = np.concatenate([piece.weights, piece.weights[rim]])
    strip = np.concatenate([np.stack([end, start, s], -1), np.stack([end, s, e], -1)])
    corner, side = border // 3, border % 3
    uv_start, uv_end = uv[corner, side], uv[corner, (side + 1) % 3]
    strip_uv = np.concatenate([np.stack([uv_end, uv_start, uv_start], 1), np.stack([uv_end, uv_start, uv_end], 1)])
    return Piece(vertices, weights, faces), np.concatenate([faces, strip]), np.concatenate([uv, strip_uv])


# Texture charts, in metres of cloth a texture is 1.6 m wide and high: the torso (or a leg, a shoe) is unrolled
# about its axis with the seam at the back (inside), sleeves above it.
EXTENT = 1.6
_TORSO_V, _SLEEVE_V = 0.05, 1.02


def _chart(part: str, garment: Garment, piece: Piece, lines: _Lines) -> np.ndarray:
    p = piece.vertices[piece.faces]  # [F, 3, 3]
    middle = p.mean(1)
    side = np.sign(middle[:, 0])[:, None]
    if part == "top":
        sleeve = np.abs(middle[:, 0]) > lines.shoulder_x + 0.015
        torso = _unroll(p[..., 0], p[..., 2] - lines.neck[2] + 0.02, 0.155)
        v = p[..., 1] - (lines.hip_y - 0.06)
        axis = lines.joints[_J["left_shoulder"]]
        arm = _unroll(p[..., 1] - axis[1], p[..., 2] - axis[2], 0.055)
        along = np.abs(p[..., 0]) - lines.shoulder_x
        u = np.where(sleeve[:, None], 0.28 + along, 0.8 + torso)
        v = np.where(sleeve[:, None], _SLEEVE_V + 0.25 + arm, _TORSO_V + v)
    elif garment.kind == "skirt":
        u = 0.8 + _unroll(p[..., 0], p[..., 2] - lines.ankle[2], 0.19)
        v = 1.3 - (lines.waist_y - p[..., 1])
    elif part == "shoe":
        u = 0.8 + 2 * (p[..., 2] - lines.ankle[2])
        v = 0.1 + 5 * (p[..., 1] - (lines.ankle[1] - 0.12))
    else:
        y = p[..., 1]
        axis_x = np.interp(-y, [-lines.hip_y, -lines.knee_y, -lines.ankle[1]],
                           lines.joints[[_J["left_hip"], _J["left_knee"], _J["left_ankle"]], 0])  # fmt: skip
        axis_z = np.interp(-y, [-lines.hip_y, -lines.knee_y, -lines.ankle[1]],
                           lines.joints[[_J["left_hip"], _J["left_knee"], _J["left_ankle"]], 2])  # fmt: skip
        u = 0.8 + _unroll(p[..., 0] * side - axis_x, p[..., 2] - axis_z, 0.09)
        v = 1.3 - (lines.waist_y - y)
    return np.stack([u, v], -1) / EXTENT


def _unroll(across: np.ndarray, forward: np.ndarray, radius: float) -> np.ndarray:
    """Arc length [F, 3] about an axis, 0 at the front, whole triangles on one side of the seam at the back."""
    angle = np.arctan2(across, forward)
    wrap = (angle.max(1) - angle.min(1)) > np.pi
    turned = np.where(wrap[:, None] & (angle < 0), angle + 2 * np.pi, angle)
    return turned * radius


def paint_cloth(part: str, garment: Garment, px: int, seed: int) -> np.ndarray:
    """The garment's fabric over its charts: uint8 sRGB [px, px, 3]."""
    rng = np.random.default_rng([seed, 30 + len(part)])
    axis = (np.arange(px, dtype=np.float32) + 0.5) / px * EXTENT
    u, v = axis[None, :], axis[::-1, None]
    base, second, third = (np.asarray(color, np.float32) for color in garment.colors)
    if part == "shoe":
        sole = (v < 0.1 + 5 * 0.042) * np.ones_like(u)
        color = base + (second * 0.4 + 0.5 - base) * sole[..., None]
        return (color.clip(0, 1) * 255).astype(np.uint8)
    sleeve = (v > _SLEEVE_V) if part == "top" else np.zeros_like(v, bool)
    along_u, along_v = np.where(sleeve, v - _SLEEVE_V, u - 0.8), np.where(sleeve, u, v)
    along_u, along_v = np.broadcast_arrays(along_u, along_v)
    color = np.broadcast_to(base, (px, px, 3)).copy()
    period = garment.scale
    band = lambda x, share: _edge(np.abs((x / period) % 1 - 0.5) * period, share * period / 2, EXTENT / px)  # noqa: E731
    if garment.pattern == "stripes_h":
        color = _mix(color, second, band(along_v, 0.5))
    elif garment.pattern == "stripes_v":
        color = _mix(color, second, band(along_u, 0.42))
    elif garment.pattern == "checks":
        color = _mix(color, second, 0.5 * band(along_u, 0.45) + 0.5 * band(along_v, 0.45))
        color = _mix(color, third, 0.8 * np.maximum(band(along_u + 0.02, 0.06), band(along_v + 0.02, 0.06)))
    elif garment.pattern == "print":
        blotch, other = (_cloud(rng, px, period * 0.7) for _ in range(2))
        color = _mix(color, second, _edge(blotch, -0.22, 0.04))
        color = _mix(color, third, _edge(other, -0.35, 0.04))
    elif garment.pattern == "logo":
        center = _TORSO_V + 0.35 + 0.03 * rng.uniform(-1, 1)
        distance = np.hypot(u - 0.8, v - center)
        radius = 0.045 + 0.45 * period
        color = _mix(color, second, _edge(distance, radius, EXTENT / px))
        color = _mix(color, third, _edge(np.abs(distance - 0.68 * radius), 0.08 * radius, EXTENT / px))
    weave = 0.025 * rng.standard_normal((px, px), dtype=np.float32) + 0.06 * _cloud(rng, px, 0.09)
    return ((color * (1 + weave[..., None])).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _edge(distance: np.ndarray, radius: float, width: float) -> np.ndarray:
    """1 where distance < radius, 0 outside, smooth over `width`."""
    return ((radius - distance) / (2 * width) + 0.5).clip(0, 1)


def _cloud(rng: np.random.Generator, px: int, size: float) -> np.ndarray:
    """Smooth noise in about -1..1 with features of `size` metres, [px, px]."""
    count = max(4, int(EXTENT / size) + 1)
    coarse = rng.uniform(-1, 1, (count + 1, count + 1)).astype(np.float32)
    place = np.linspace(0, count, px, endpoint=False, dtype=np.float32)
    whole = place.astype(int)
    t = place - whole
    t = t * t * (3 - 2 * t)
    rows = coarse[whole] * (1 - t[:, None]) + coarse[whole + 1] * t[:, None]
    return rows[:, whole] * (1 - t) + rows[:, whole + 1] * t


def _mix(color: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return color + (other - color) * amount[..., None]
