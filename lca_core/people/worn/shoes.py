"""Shoes: an upper shaped over the foot, a sole under it, laces or straps.

The upper is a piece of MakeHuman's tights helper, a sock without toes; the sole is the foot's outline drawn out
downwards. Everything is placed in the foot's own frame, so that it fits every foot.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull, cKDTree

from lca_core.body import basemesh
from lca_core.people.body.cut import Piece, clip
from lca_core.people.body.feet import INSTEP, Foot
from lca_core.people.body.parts import Surface
from lca_core.people.clothes.prints import cloud, cover
from lca_core.people.who.spec import Garment, PersonSpec
from lca_core.people.worn.tube import grid_faces, tube

_STREAM = 60
_OUTLINE = 72  # points around a sole
_LACE_RADIUS = 0.0017
_HIDDEN = 0.012  # metres inside an opening beyond which skin is covered in every pose


@dataclass(frozen=True)
class _Last:
    """How a kind of shoe is built. Metres on a foot of FOOT; heights are above the bare foot's lowest point.

    thick: sole below the bare foot; edge: height of the sole's upper edge; welt: how far it stands out; gap: room
    over the skin; toe: more of it around the toes; opening: (place from heel 0 to toe 1, height) of the top line,
    from the ankle's height when `high`; arch: how far the sole is raised before the heel.
    """

    thick: float
    edge: float
    welt: float
    gap: float
    toe: float
    opening: tuple[tuple[float, ...], tuple[float, ...]]
    high: bool = True
    arch: float = 0.0


_LASTS = {
    "sneakers": _Last(0.022, 0.006, 0.002, 0.004, 0.006, ((0, 0.12, 0.27, 0.48), (0.014, 0.0, -0.008, 0.022))),
    "boots": _Last(0.0225, -0.001, 0.0025, 0.005, 0.007, ((0, 0.5), (0.075, 0.085)), arch=0.009),
    "flats": _Last(
        0.012, 0.001, 0.0, 0.0015, 0.002,
        ((0, 0.08, 0.25, 0.60, 0.68, 0.74, 0.80), (0.060, 0.048, 0.036, 0.030, 0.040, 0.065, 0.20)), high=False,
    ),
    "sandals": _Last(0.012, 0.000, 0.004, 0.0015, 0.0, ((0,), (0.0,))),
}  # fmt: skip


def shoes(
    spec: PersonSpec, rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, px: int
) -> tuple[list[tuple[np.ndarray, Surface]], np.ndarray]:
    """A person's pair of shoes at rest, and the skin that they cover.

    rest: float32 [V, 3] shaped T-pose in base.obj order; joints: [55, 3]; weights: [V, 55]; px: texture size.
    Returns ((weights float32 [n, 55], Surface) a piece, bool [V] body vertices that are covered for certain).
    """
    garment, last = spec.shoes, _LASTS[spec.shoes.kind]
    ground = rest[np.unique(basemesh.load().quads[basemesh.load().select("body")]), 1].min()
    pieces: dict[str, list[_Part]] = {}
    hides = np.zeros(len(rest), bool)
    for side in ("left", "right"):
        foot = Foot.of(side, rest, joints, weights, ground)
        upper = _upper(garment, last, foot)
        pieces.setdefault("sole", []).append(_sole(last, foot, upper))
        pieces.setdefault("upper", []).extend(upper)
        if garment.kind in ("sneakers", "boots"):
            pieces.setdefault("laces", []).append(_laces(foot, upper[0], 5 if garment.kind == "sneakers" else 6))
        if garment.kind != "sandals":
            t, _, height = foot.place(rest)
            inside = _opening(last, foot, t, height) > _HIDDEN
            hides |= inside & (np.sign(rest[:, 0]) == foot.side) & (weights[:, foot.bones].sum(1) > 0.5)
    return [_merge(pieces[name], *_paint(name, garment, px, spec.seed)) for name in pieces], hides


@dataclass(frozen=True)
class _Part:
    vertices: np.ndarray  # [n, 3]
    weights: np.ndarray  # [n, 55]
    faces: np.ndarray  # [F, 3]
    uv: np.ndarray  # [F, 3, 2]


def _opening(last: _Last, foot: Foot, t: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Metres below the shoe's top line."""
    line = foot.scale * np.interp(t, *last.opening)
    return line + (foot.ankle if last.high else 0.0) - height


def _upper(garment: Garment, last: _Last, foot: Foot) -> list[_Part]:
    """The upper, or the straps of a sandal."""
    sock, scale = foot.sock, foot.scale
    normals = basemesh.vertex_normals(sock.vertices, sock.faces)
    t, _, height = foot.place(sock.vertices)
    toe = np.clip((t - 0.62) / 0.25, 0, 1) * np.clip(height / 0.02, 0, 1)
    vertices = foot.off_the_skin(sock.vertices, normals, scale * (last.gap + last.toe * toe * (3 - 2 * toe)))
    piece = Piece(vertices, sock.weights, sock.faces)
    if garment.kind == "sandals":
        return [_finish(_band(piece, foot, *band), foot, 0.0022) for band in _STRAPS]
    t, _, height = foot.place(vertices)
    piece = clip(piece, _opening(last, foot, t, height))
    floor = foot.place(piece.vertices)[2] - (last.edge - 0.004) * scale
    piece = clip(piece, floor)
    return [_finish(piece, foot, 0.003)]


# Straps of a sandal: (place from heel to toe, lean with height, half width, lowest height), metres but the place.
_STRAPS = ((0.70, -0.5, 0.013, -1.0), (0.54, -0.15, 0.010, -1.0), (0.25, 0.0, 0.0, 0.070))


def _band(piece: Piece, foot: Foot, at: float, lean: float, half: float, height_at: float) -> Piece:
    """A strap over the instep, or around the ankle where half is 0."""
    t, _, height = foot.place(piece.vertices)
    if half == 0:
        middle = height_at * foot.scale + 0.05 * foot.length * (t - at)
        return clip(piece, 0.009 * foot.scale - np.abs(height - middle))
    piece = clip(piece, 0.105 * foot.scale - height - 0.09 * (0.75 - t).clip(0))
    t, _, height = foot.place(piece.vertices)
    return clip(piece, half * foot.scale - np.abs((t - at) * foot.length - lean * (height - 0.03)))


def _finish(piece: Piece, foot: Foot, thick: float) -> _Part:
    """Texture coordinates, and open edges folded inwards. u: heel to toe; v: around the foot, 0.5 on top."""
    t, across, height = foot.place(piece.vertices)
    turn = np.arctan2(across - np.polyval(foot.ridge, t.clip(*INSTEP[::4])), height - 0.03 * foot.scale)[piece.faces]
    wrap = (turn.max(1) - turn.min(1)) > np.pi
    turn = np.where(wrap[:, None] & (turn < 0), turn + 2 * np.pi, turn)
    uv = np.stack([np.clip(t, -0.08, 1.08)[piece.faces] / 1.2 + 0.08, 0.5 + turn / (2 * np.pi)], -1)

    edges = np.stack([piece.faces, np.roll(piece.faces, -1, 1)], -1).reshape(-1, 2)
    _, first, uses = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    border = first[uses == 1]
    start, end = edges[border].T
    rim, local = np.unique(np.concatenate([start, end]), return_inverse=True)
    normals = basemesh.vertex_normals(piece.vertices, piece.faces)
    s, e = (len(piece.vertices) + local).reshape(2, -1)
    strip = np.concatenate([np.stack([end, start, s], -1), np.stack([end, s, e], -1)])
    corner, side = border // 3, border % 3
    a, b = uv[corner, side], uv[corner, (side + 1) % 3]
    strip_uv = np.concatenate([np.stack([b, a, a], 1), np.stack([b, a, b], 1)])
    return _Part(
        np.concatenate([piece.vertices, piece.vertices[rim] - thick * foot.scale * normals[rim]]),
        np.concatenate([piece.weights, piece.weights[rim]]),
        np.concatenate([piece.faces, strip]),
        np.concatenate([uv, strip_uv]),
    )


def _sole(last: _Last, foot: Foot, upper: list[_Part]) -> _Part:
    """The outline of foot and upper, drawn out from the ground to the sole's upper edge."""
    k = foot.scale
    around = np.concatenate([foot.skin, *(part.vertices for part in upper)])
    t, across, height = foot.place(around)
    flat = np.stack([t * foot.length, across], -1)[height < 0.028 * k]
    hull = flat[ConvexHull(flat).vertices]
    closed = np.concatenate([hull, hull[:1]])
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0, steps[-1], _OUTLINE, endpoint=False)
    outline = np.stack([np.interp(at, steps, closed[:, i]) for i in (0, 1)], -1)
    outline = gaussian_filter1d(outline, 2.0, axis=0, mode="wrap")
    hollow = gaussian_filter1d(cKDTree(flat).query(outline)[0], 3.0, mode="wrap")  # the hull spans the arch
    outline -= 0.75 * hollow[:, None] * _outwards(outline)
    out = _outwards(outline)

    bottom, top = -last.thick, last.edge
    profile = [  # (outwards, height): the ground, the wall with its groove, the upper edge, inside
        (-0.020, bottom), (-0.0025, bottom), (0.0, bottom + 0.0015), (0.0, bottom + 0.006), (-0.0015, bottom + 0.0068),
        (0.0, bottom + 0.0076), (0.0, top - 0.001), (-0.001, top), (-0.012, top - 0.001),
    ]  # fmt: skip
    rings = []
    place = outline[:, 0] / foot.length
    arch = last.arch * np.exp(-(((place - 0.40) / 0.11) ** 4))
    lift = 0.006 * (np.clip((place - 0.8) / 0.2, 0, 1) ** 2 + np.clip((0.12 - place) / 0.12, 0, 1) ** 2)
    for step, level in profile:
        ring = outline + (step + last.welt) * k * out
        share = (level - bottom) / (top - bottom)
        height = k * (level + arch * (share < 0.5) + lift * share)
        rings.append(foot.point(ring[:, 0] / foot.length, ring[:, 1], height))
    middles = [ring.mean(0, keepdims=True) for ring in (rings[0], rings[-1])]
    vertices = np.concatenate([*rings, *middles])
    count = len(rings)
    ring, after = np.arange(_OUTLINE), (np.arange(_OUTLINE) + 1) % _OUTLINE
    last_ring = (count - 1) * _OUTLINE
    caps = [np.stack([after, ring, np.full(_OUTLINE, count * _OUTLINE)], -1),
            np.stack([last_ring + ring, last_ring + after, np.full(_OUTLINE, count * _OUTLINE + 1)], -1)]  # fmt: skip
    faces = np.concatenate([grid_faces(count, _OUTLINE), *caps])
    u = np.r_[np.tile(np.arange(_OUTLINE) / _OUTLINE, count), 0.5, 0.5]
    v = np.r_[np.repeat((np.arange(count) + 0.5) / (count + 1), _OUTLINE), 0.0, 1.0]
    corner_u = u[faces]
    corner_u = np.where((np.ptp(corner_u, axis=1) > 0.5)[:, None] & (corner_u < 0.25), corner_u + 1, corner_u)
    uv = np.stack([corner_u, v[faces]], -1)
    normal = np.cross(vertices[faces[0, 1]] - vertices[faces[0, 0]], vertices[faces[0, 2]] - vertices[faces[0, 0]])
    if normal[1] > 0:  # the first triangle is part of the ground side
        faces, uv = faces[:, ::-1], uv[:, ::-1]
    return _Part(vertices, foot.shared_weights(vertices), faces, uv)


def _outwards(outline: np.ndarray) -> np.ndarray:
    """Unit normals [n, 2] of a closed curve that runs anticlockwise."""
    tangent = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    return np.stack([tangent[:, 1], -tangent[:, 0]], -1) / np.linalg.norm(tangent, axis=1, keepdims=True)


def _laces(foot: Foot, upper: _Part, rows: int) -> _Part:
    """Laces crossed over the instep, lying on the upper."""
    places = np.linspace(0.70, 0.47, rows)
    left = np.r_[places, places[:-1]]
    right = np.r_[places[0], places[:-1], places[1:]]
    share = np.linspace(0, 1, 9)
    along = (left[:, None] + (right - left)[:, None] * share).ravel()
    across = np.tile(0.017 * foot.scale * (2 * share - 1), len(left))
    paths = foot.point(along, np.polyval(foot.ridge, along) + across, np.full(len(along), 0.16 * foot.scale))
    normals = basemesh.vertex_normals(upper.vertices, upper.faces)
    tree = cKDTree(upper.vertices)
    for _ in range(24):  # let down onto the upper
        _, near = tree.query(paths, k=4)
        height = ((paths[:, None] - upper.vertices[near]) * normals[near]).sum(-1).mean(1)
        paths[:, 1] -= 0.6 * (height - 0.8 * _LACE_RADIUS).clip(-0.01, 0.02)
    tubes = [tube(path, _LACE_RADIUS * foot.scale) for path in paths.reshape(len(left), 9, 3)]
    offsets = np.cumsum([0, *(len(v) for v, _ in tubes)])
    vertices = np.concatenate([v for v, _ in tubes])
    faces = np.concatenate([f + o for (_, f), o in zip(tubes, offsets[:-1], strict=True)])
    return _Part(vertices, upper.weights[tree.query(vertices)[1]], faces, np.full((*faces.shape, 2), 0.5))


def _merge(parts: list[_Part], albedo: np.ndarray, roughness: float, specular: float):
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + offset for part, offset in zip(parts, offsets[:-1], strict=True)])
    vertices, weights, uv = (
        np.concatenate([getattr(part, name) for part in parts]).astype(np.float32)
        for name in ("vertices", "weights", "uv")
    )
    weights /= weights.sum(1, keepdims=True)
    return weights, Surface("shoe", vertices, faces.astype(np.int32), uv, albedo, None, roughness, specular)


def _paint(name: str, garment: Garment, px: int, seed: int) -> tuple[np.ndarray, float, float]:
    """Texture of a piece of shoe, roughness and specular."""
    rng = np.random.default_rng([seed, _STREAM])
    base, second, third = (np.asarray(color, np.float32) for color in garment.colors)
    white = rng.random() < 0.6
    sole_color = {"sneakers": np.array([0.90, 0.89, 0.86]) if white else 0.3 + 0.6 * third, "boots": 0.3 * base + 0.04,
                  "flats": 0.5 * base + 0.03, "sandals": np.array([0.58, 0.45, 0.32])}[garment.kind]  # fmt: skip
    if name == "laces":
        lace = np.array([0.9, 0.9, 0.88]) if white and garment.kind == "sneakers" else 0.5 * base
        return _bytes(np.broadcast_to(lace, (4, 4, 3))), 0.9, 0.03
    u, v = np.meshgrid((np.arange(px) + 0.5) / px, 1 - (np.arange(px) + 0.5) / px)
    texel = 1 / px
    fine = np.random.default_rng([seed, _STREAM, 1])
    grain = 1 + 0.02 * fine.standard_normal((px, px)) + 0.04 * cloud(fine, (px, px), px / 10)
    if name == "sole":
        color = np.broadcast_to(sole_color, (px, px, 3)) * (0.97 + 0.03 * grain[..., None])
        if garment.kind == "sneakers" and rng.random() < 0.5:
            color = _mix(color, base, cover(np.abs(v - 0.60), 0.02, texel))
        return _bytes(_mix(color, 0.45 * sole_color, 0.7 * cover(np.abs(v - 0.45), 0.04, texel))), 0.7, 0.15
    color = np.broadcast_to(base, (px, px, 3)) * grain[..., None]
    t, side = (u - 0.08) * 1.2, np.abs(v - 0.5)  # heel 0 to toe 1; 0 on top, 0.25 at the side
    stitch = 0.75 * base if base.mean() > 0.3 else base * 1.6 + 0.06
    if garment.kind == "sneakers":
        tongue = (side < 0.062) & (t > 0.40) & (t < 0.735)
        color = _mix(color, 0.75 * base + 0.04, 0.8 * tongue)
        if rng.random() < 0.65:  # stripes on the sides
            lean = t + 0.5 * (side - 0.2)
            for at in (0.42, 0.49, 0.56)[: rng.integers(1, 4)]:
                color = _mix(color, second, cover(np.abs(lean - at), 0.016, texel) * (side > 0.10))
        color = _mix(color, second if rng.random() < 0.5 else base, (t < 0.07) * 1.0)
        if rng.random() < 0.4:
            color = _mix(color, sole_color, (t > 0.885) * 1.0)
        lines = [np.abs(t - 0.885), np.abs(side - 0.075) + (t < 0.42) + (t > 0.75), np.abs(t - 0.07)]
    elif garment.kind == "boots":
        lines = [np.abs(t - 0.76), np.abs(t - 0.28) + (side < 0.12), np.abs(side - 0.075) + (t < 0.3) + (t > 0.75)]
    else:
        lines = []
    for line in lines:
        color = _mix(color, stitch, 0.8 * cover(line, 0.004, texel))
    sheen = (0.8, 0.1) if garment.fabric == "cotton" else (0.38, 0.45)
    return _bytes(color), *sheen


def _mix(color: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return color + (other - color) * amount[..., None]


def _bytes(color: np.ndarray) -> np.ndarray:
    return (color.clip(0, 1) * 255 + 0.5).astype(np.uint8)
