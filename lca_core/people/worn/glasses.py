"""Glasses: rims, bridge, pads on the nose and temples over the ears; sunglasses have dark lenses."""

import numpy as np
from scipy.spatial import cKDTree

from lca_core.people.body.parts import Surface
from lca_core.people.who.spec import Accessory
from lca_core.people.worn.headform import Head, accessory
from lca_core.people.worn.tube import grid_faces, tube

_BEFORE_CORNEA = 0.0155  # metres from the cornea to the lens
_CLEAR = 0.0015  # metres between frame and skin
_EYE_X = 0.0305  # metres from the middle to the eye of the face that all other lengths are meant for
_BOW = 1.3  # 1/m: how far the front bends back towards the temples
_TILT = 0.06  # how far its upper edge leans forward
_BRIDGES = (0.0085, 0.0100, 0.0115, 0.0130)  # half widths between the rims, metres
# (half width, half height, exponent of the outline, radius of the rim) of each kind, metres.
_FRAMES = {
    "round": (0.0215, 0.0205, 2.0, 0.0010),
    "square": (0.0245, 0.0180, 4.5, 0.0017),
    "sunglasses": (0.0252, 0.0205, 3.0, 0.0017),
}


def make_glasses(glasses: Accessory, head: Head) -> list[Surface]:
    """A pair of glasses on this head: the frame, and for sunglasses the lenses."""
    half, high, power, rim = _FRAMES[glasses.kind]
    scale = float(np.clip(head.eye[0] / _EYE_X, 0.8, 1.15))
    half, high = (size * scale * (0.95 + 0.12 * glasses.size) for size in (half, high))
    face = _Face(head)
    turn = 2 * np.pi * np.arange(48) / 48
    power_of = lambda x: np.sign(x) * np.abs(x) ** (2 / power)  # noqa: E731
    shape = lambda p: _TILT * (p[:, 1] - head.eye[1]) - _BOW * p[:, 0] ** 2  # noqa: E731
    before_eye = head.cornea + _BEFORE_CORNEA + rim - shape(head.eye[None, :2])[0]
    for bridge in _BRIDGES:  # the narrowest that the nose lets near enough to the eyes
        center = np.array([max(head.eye[0] + 0.001, half + bridge * scale), head.eye[1] - 0.0015])
        outline = center + np.stack([half * power_of(np.cos(turn)), high * power_of(np.sin(turn))], -1)
        before_skin = (face.depth(outline) + _CLEAR + rim - shape(outline)).max()
        if before_skin < before_eye + 0.001:
            break
    front = max(before_eye, before_skin)
    ring = np.c_[outline, front + shape(outline)]

    tubes = [tube(ring, rim, 8, closed=True)]
    hinge = ring[0] + [rim, 0.35 * high, -0.001]
    tubes.append(_temple(hinge, head, face, 1.3 * rim))
    inner = ring[(turn > 2.4) & (turn < 3.9)]
    tubes.append(_pad(inner, face))
    sides = [(v * mirror, f[:, ::step]) for v, f in tubes for mirror, step in (((1, 1, 1), 1), ((-1, 1, 1), -1))]
    sides.append(_bridge(ring[np.abs(turn - 2.75).argmin()], face, 1.1 * rim))
    offsets = np.cumsum([0, *(len(v) for v, _ in sides)])
    vertices = np.concatenate([v for v, _ in sides])
    faces = np.concatenate([f + o for (_, f), o in zip(sides, offsets[:-1], strict=True)])
    surfaces = [_plain(vertices, faces, glasses.color, 0.22, 0.7)]
    if glasses.kind == "sunglasses":
        surfaces.append(_lenses(ring))
    return surfaces


class _Face:
    """How far the face reaches forward at (x, y), and the head outwards at (y, z); both sides taken together."""

    def __init__(self, head: Head):
        skin = np.abs(head.skin * [1, 0, 0]) + head.skin * [0, 1, 1]
        self.front = skin[skin[:, 2] > head.marks.center[2] + 0.02]
        self.side = skin[skin[:, 0] > 0.04]
        self._front_tree, self._side_tree = cKDTree(self.front[:, :2]), cKDTree(self.side[:, 1:])

    def depth(self, points: np.ndarray) -> np.ndarray:
        """z [n] of the skin before which points [n, 2] (x, y) lie."""
        return self.front[self._front_tree.query(np.c_[np.abs(points[:, 0]), points[:, 1]], k=4)[1], 2].max(1)

    def width(self, points: np.ndarray) -> np.ndarray:
        """x [n] of the skin beside points [n, 2] (y, z)."""
        return self.side[self._side_tree.query(points, k=5)[1], 0].max(1)


def _temple(hinge: np.ndarray, head: Head, face: _Face, radius: float):
    """From the hinge straight over the ear, then down behind it."""
    top = head.ear[head.ear[:, 1] > head.ear[:, 1].max() - 0.012]
    rest_on = np.array([top[:, 0].min(), head.ear[:, 1].max() + radius, top[:, 2].max()])
    behind = head.ear[:, 2].min()
    straight = hinge + np.linspace(0, 1, 16)[:, None] * (rest_on + [0, 0, -0.004] - hinge)
    bend = np.linspace(0, 1, 9)[1:, None] ** [1, 1.6, 0.8]
    hook = straight[-1] + bend * ([0, -0.032, behind - 0.001 - straight[-1, 2]])
    path = np.concatenate([hinge[None] + [0, 0, 0.001], straight[1:], hook])
    path[2:, 0] = np.maximum(path[2:, 0], face.width(path[2:, 1:]) + _CLEAR + radius)
    path[1:, 0] = np.maximum(path[1:, 0], hinge[0] - 0.09 * (hinge[2] - path[1:, 2]))
    path[len(straight) :, 0] = path[len(straight) - 1, 0] - 0.004 * bend[:, 0]
    return tube(path, radius * np.r_[np.ones(16), np.full(8, 1.15)], 8)


def _pad(inner: np.ndarray, face: _Face):
    """The pad beside the nose, joined to the rim."""
    rim = inner[len(inner) * 3 // 5]
    place = np.array([0.0, rim[1] - 0.003])
    across = np.linspace(0.002, rim[0], 24)
    depth = face.depth(np.c_[across, np.full(24, place[1])])
    beside = np.flatnonzero(depth > rim[2] - 0.007)
    x = across[beside[-1]] if len(beside) else 0.006
    pad = np.array([min(x + 0.002, rim[0] - 0.001), place[1], rim[2] - 0.006])
    path = rim + np.array([0, 0.5, 1.0])[:, None] * (pad - rim)
    polar, turn = np.linspace(0.15, np.pi - 0.15, 7), 2 * np.pi * np.arange(8) / 8
    ball = np.stack([np.outer(np.sin(polar), np.cos(turn)), np.outer(np.cos(polar), np.ones(8)),
                     np.outer(np.sin(polar), np.sin(turn))], -1)  # fmt: skip
    blob = pad + (ball * [0.0013, 0.0042, 0.0024]).reshape(-1, 3)
    arm, arm_faces = tube(path, 0.0006)
    return np.concatenate([blob, arm]), np.concatenate([grid_faces(7, 8), arm_faces + len(blob)])


def _bridge(start: np.ndarray, face: _Face, radius: float):
    """From rim to rim over the nose."""
    s = np.linspace(-1, 1, 15)
    arch = 1 - s**2
    path = np.stack([-s * start[0], start[1] + 0.003 * arch, start[2] + 0.002 * arch], -1)
    lowest = face.depth(path[:, :2]) + 0.0005 + radius
    path[:, 2] = np.maximum(path[:, 2], np.minimum(lowest, lowest.max() * arch + path[:, 2] * (1 - arch)))
    return tube(path, radius, 8)


def _lenses(ring: np.ndarray) -> Surface:
    """Dark lenses that fill both rims [48, 3]."""
    middle = ring.mean(0)
    rows = [middle + share * (ring - middle) + [0, 0, 0.002 * (1 - share**2)] for share in (0.999, 0.66, 0.33)]
    one = np.concatenate([*rows, [middle + [0, 0, 0.002]]])
    inner = 2 * len(ring) + np.arange(len(ring))
    fan = np.stack([inner, np.roll(inner, -1), np.full(len(ring), 3 * len(ring))], -1)
    faces = np.concatenate([grid_faces(3, len(ring)), fan])
    vertices = np.concatenate([one, one * [-1, 1, 1]])
    return _plain(vertices, np.concatenate([faces, faces[:, ::-1] + len(one)]), (0.03, 0.03, 0.035), 0.06, 0.9)


def _plain(vertices: np.ndarray, faces: np.ndarray, color, roughness: float, specular: float) -> Surface:
    albedo = np.broadcast_to((np.asarray(color) * 255).astype(np.uint8), (4, 4, 3)).copy()
    return accessory((vertices, faces, np.full((*faces.shape, 2), 0.5)), albedo, roughness, specular)
