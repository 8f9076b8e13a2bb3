"""How strands of each style lie: from their roots on the scalp over head, neck, shoulders and clothes.

Combing functions take roots and give points float64 [S, K, 3], metres at rest, and the lock [S] a strand belongs to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from lca_core.people import basemesh
from lca_core.people.parts import Surface
from lca_core.people.skin import Landmarks
from lca_core.people.spec import PersonSpec

_DOWN = np.array([0.0, -1.0, 0.0])
_REACH = 0.17  # metres beside the spine within which hair meets the body
_VOXEL = 0.005  # metres
_EAR = 0.045  # metres from its centre to its rim, generously
GROOVE = 0.030  # metres from the parting to where hair has its full height
_FRINGE_PART = -0.6  # who parts bob or straight hair further to the right than this wears a fringe


@dataclass(frozen=True)
class Style:
    """volume: thickness of the cap that carries the mass, metres; radius: of a strand's root, metres; curly: whether
    the cap shows curls rather than combed hair; locks: how many; clump: how much strands of a lock close up (0..1);
    past_ears: whether hair covers the ears or goes behind them, rather than being cut free of them."""

    comb: Callable
    count: int
    volume: float
    radius: float
    locks: int
    clump: float
    curly: bool = False
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
        return cls(points, _unit(normals), depth, corner, table[tuple(place)])

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


def has_fringe(spec: PersonSpec) -> bool:
    return spec.hair.style in ("bob", "long_straight") and spec.hair.part < _FRINGE_PART


def cap_height(style: Style, depth: np.ndarray, height: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Height of the cap over the skin [n], metres: thin at the hairline, and at the sides of cropped hair.

    depth: metres inside the hairline; height: of the skin above the ground (y), both [n].
    """
    side = 0.3 + 0.7 * upper(height, marks) if style.comb is _cropped else 1.0
    return 0.0008 + style.volume * side * (depth / 0.035).clip(0, 1) ** 0.8


def upper(height: np.ndarray, marks: Landmarks) -> np.ndarray:
    """0 at the sides and back of a head, 1 on its top."""
    return ((height - marks.eye[1] - 0.035) / 0.055).clip(0, 1)


def _cropped(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """Hair too short to fall: buzz, short, side_part."""
    name, marks, count = spec.hair.style, head.marks, len(roots.points)
    full, steps, lift = {"buzz": (0.007, 2, 0.9), "short": (0.034, 6, 0.5), "side_part": (0.075, 8, 0.34)}[name]
    top = upper(roots.points[:, 1], marks)
    length = full * spec.hair.length * rng.uniform(0.8, 1.1, count)
    if name != "buzz":  # sides and back are cut shorter than the top, the hairline shortest
        length *= (0.32 + 0.68 * top) * (0.45 + 0.55 * (roots.depth / 0.012).clip(0, 1))
    offset = roots.points - head.whorl
    flow = offset * [1.0, 0.8, 1.0]
    if name == "side_part":
        side = np.where(roots.points[:, 0] >= parting(spec), 1.0, -1.0)
        front = ((roots.points[:, 2] - marks.center[2]) / 0.08).clip(-1, 1)
        across = np.stack([side, -0.25 * np.ones(count), -0.35 - 0.25 * front], -1)
        flow = _unit(flow) * (1 - top)[:, None] * [1, 1, 0.2] + across * (0.3 + top)[:, None]
    elif name == "short":  # the top is brushed to one side, forwards or up, each person otherwise
        brushed = np.array([0.5 * np.sign(spec.hair.part), 0.6 * abs(spec.hair.part), 0.35])
        flow = _unit(flow) + brushed * top[:, None]
    tilt = rng.normal(0, 0.16, (roots.lock.max() + 1, 3))[roots.lock]
    flow = _unit(_tangent(flow, roots.normals)) + tilt + rng.normal(0, 0.09, roots.points.shape)
    height = cap_height(style, roots.depth, roots.points[:, 1], marks) * rng.uniform(0.8, 1.5, count)
    p = roots.points - 0.0015 * roots.normals
    direction = _unit(flow + lift * roots.normals)
    line = [p]
    step = (length / steps)[:, None]
    for number in range(steps):
        sag = 0.16 * number * (name == "side_part")
        _, normal, _ = head.ground.above(p)
        direction = _unit(direction + 0.3 * _tangent(flow, normal) + sag * _DOWN - 0.12 * lift * normal)
        p = head.ground.clear(p + step * direction, np.minimum(height, 0.001 + 0.35 * length))
        line.append(p)
    return [Tress(np.stack(line, 1), roots.lock)], []


def _fallen(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """Hair that falls from a parting to a cut at one height (bob, long_straight, long_wavy), or curls (curly)."""
    name, marks, count = spec.hair.style, head.marks, len(roots.points)
    curly, bob = name == "curly", name == "bob"
    points = {"bob": 16, "curly": 22}.get(name, 22)
    line_y = marks.chin - (0.022 * (spec.hair.length - 1) if bob else 0.20 * spec.hair.length)
    cut = line_y + rng.normal(0, 0.003 if bob else 0.010, count) + rng.normal(0, 0.006, style.locks)[roots.lock]
    offset = roots.points - marks.center
    azimuth = np.degrees(np.arctan2(np.abs(offset[:, 0]), offset[:, 2]))
    fringe = has_fringe(spec) & (azimuth < 56) & (offset[:, 2] > 0.03)
    cut = np.where(fringe, marks.eye[1] + 0.019 + rng.normal(0, 0.0025, count), cut)
    cut = np.minimum(cut, roots.points[:, 1] - 0.02)
    length = 1.12 * (roots.points[:, 1] - cut) + 0.09
    if curly:
        front = (1 - azimuth / 80).clip(0, 1) * (1 - roots.depth / 0.06).clip(0, 1)
        length = 0.10 * spec.hair.length * rng.uniform(0.75, 1.1, count) * (1 - 0.65 * front)
        length *= 0.7 + 0.3 * ((roots.points[:, 1] - marks.eye[1] + 0.04) / 0.08).clip(0, 1)
        cut = np.full(count, -np.inf)
    place = parting(spec)
    side = np.where(roots.points[:, 0] >= place, 1.0, -1.0)
    behind = ((head.whorl[2] + 0.035 - roots.points[:, 2]) / 0.04).clip(0, 1)
    forward = ((roots.points[:, 2] - marks.center[2]) / 0.08).clip(0, 1)
    spread = side + behind * ((roots.points[:, 0] / 0.05).clip(-1, 1) * 0.4 - side)
    outward = np.stack([spread * (1 - 0.35 * behind), 0 * side, -0.9 * behind - 0.55 * forward], -1)
    ahead = np.stack([0.3 * roots.points[:, 0] / 0.05, 0 * side - 0.2, 0 * side + 1.0], -1)
    outward = np.where(fringe[:, None], ahead, outward)
    if curly:  # all round from the whorl, standing up
        outward = 0.5 * _unit((roots.points - head.whorl) * [1, 0, 1]) - 0.55 * forward[:, None] * [0, 0, 1]
    before = np.where(roots.points[:, 2] > marks.ear[2] - 0.02, 1.0, -1.0)  # falls before or behind the shoulder
    layer, hug = rng.random(count), 0.0 if curly else 0.8
    p, normal = roots.points - 0.0015 * roots.normals, roots.normals
    direction = _unit(_tangent(outward, normal) + (1.6 if curly else 0.15) * normal)
    pace = np.linspace(0.45, 1.1, points - 1)
    line, pace = [p], pace / pace.sum()
    above, gone = np.zeros(count), np.zeros(count)
    for number in range(points - 1):
        step = (length * pace[number])[:, None]
        skull = ((p[:, 1] - marks.eye[1] + 0.01) / 0.06).clip(0, 1)[:, None]
        target = 1.3 * skull * outward + (0.26 if curly else 1.0) * _DOWN
        low = ((marks.chin - 0.01 - p[:, 1]) / 0.04).clip(0, 1)[:, None]
        resting = ((0.03 - above) / 0.02).clip(0, 1)[:, None]
        target = target - resting * (target * normal).sum(1, keepdims=True).clip(None, 0) * normal
        target = target - 0.7 * skull * (target * normal).sum(1, keepdims=True).clip(0) * normal
        slide = np.stack([-0.9 * target[:, 0], 0 * side, 0.9 * before], -1)
        target += low * resting * slide * (normal[:, 1:2] > 0.15)
        target[:, 0] *= 1 - 0.9 * low[:, 0]
        if bob:  # the ends turn in
            turn = ((marks.ear[1] - 0.03 - p[:, 1]) / 0.05).clip(0, 1)[:, None]
            target -= 0.45 * turn * _unit((p - marks.center) * [1, 0, 1]) * ~fringe[:, None]
        direction = _unit(0.6 * direction + _unit(target))
        moved, gone = p + step * direction, gone + step[:, 0]
        if not curly:
            turned = _off_the_face(moved, side, marks)
            below = ((marks.eye[1] + 0.01 - p[:, 1]) / 0.03).clip(0, 0.75 if bob else 1) * (np.abs(p[:, 0]) > 0.04)
            kept = np.maximum(np.abs(turned[:, 0]), np.abs(p[:, 0]))  # once off the skull hair hangs straight
            turned[:, 0] = np.sign(turned[:, 0]) * (below * kept + (1 - below) * np.abs(turned[:, 0]))
            moved = np.where(fringe[:, None], moved, turned)
        above, normal, depth = head.ground.above(moved)
        base = cap_height(style, depth, moved[:, 1], marks)
        height = (gone / GROOVE).clip(0, 1) ** 0.6 * (base * (0.95 + 0.6 * layer) + 0.001 + 0.003 * layer)
        excess = height - above  # on the skull combed hair lies at its height, further down it only keeps off
        pull = hug * np.maximum(skull[:, 0], fringe) * (above < 0.06)
        moved = moved + normal * (excess * np.where(excess > 0, 1, pull))[:, None]
        shift = np.linalg.norm(moved - p, axis=1, keepdims=True)
        moved = p + (moved - p) * np.minimum(1, 1.5 * step / shift)
        direction = _unit(moved - p)
        p = moved
        line.append(p)
    strands = _cut(np.stack(line, 1), cut)
    group = np.where(fringe, 3, np.where(behind > 0.5, 2, side > 0))
    apart = roots.lock * 4 + group  # locks end at the parting and at the fringe
    roots = replace(roots, lock=np.unique(apart, return_inverse=True)[1])
    if curly or name == "long_wavy":
        wave = (0.0085, 30.0, 1.0, 0.05) if curly else (0.011, 9.0, 0.35, 0.18)
        strands = _curled(strands, roots.lock, *wave, rng)
    if not curly:
        kept = fringe | ~_before_face(strands, marks).any(1)
        strands, roots = strands[kept], roots.at(kept)
    return [Tress(strands, roots.lock)], []


def _afro(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """Coils that stand out all round: straight through the mass, coiled where they are seen."""
    count, points, seen = len(roots.points), 20, 0.020
    mass = cap_height(style, roots.depth, roots.points[:, 1], head.marks) * (0.7 + 0.3 * spec.hair.length)
    out = _unit(roots.normals + 0.5 * _unit(roots.points - head.marks.center) + [0, 0.15, 0])
    start = roots.points + out * (mass * rng.uniform(0.75, 1.0, count))[:, None]
    wander = _unit(rng.normal(size=(count, 3)))
    axis = _unit(0.55 * out + wander)
    first = _unit(np.cross(axis, wander[:, [1, 2, 0]]))
    second = np.cross(axis, first)
    t = np.linspace(0, 1, points - 2)
    size = (rng.uniform(0.0025, 0.0045, count) * (0.3 + 0.7 * (roots.depth / 0.02).clip(0, 1)))[:, None] * np.minimum(
        1, 4 * t
    )
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) + 2 * np.pi * 2.7 * t
    reach = (seen * rng.uniform(0.6, 1.1, count) * (0.25 + 0.75 * (roots.depth / 0.025).clip(0, 1)))[:, None] * t
    coil = start[:, None] + reach[..., None] * axis[:, None]
    coil += (size * np.cos(angle))[..., None] * first[:, None] + (size * np.sin(angle))[..., None] * second[:, None]
    root = roots.points - 0.0015 * roots.normals
    return [Tress(np.concatenate([np.stack([root, (root + start) / 2], 1), coil], 1), roots.lock)], []


def _ponytail(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    tie, normal = _tie_place(head, 0.0, -0.25 if head.hatted else 0.18 + 0.25 * spec.hair.part)
    to_tie, ring = _combed_back(style, head, roots, tie, normal, 9, rng)
    center = _hanging(head, tie, normal, 0.26 * spec.hair.length, 14, 0.022, 0.0)[1:]
    frame = np.stack([np.broadcast_to([1.0, 0, 0], center.shape), _unit(np.cross(_along(center), [1.0, 0, 0]))], 1)
    t = np.linspace(0, 1, len(center))
    width = np.interp(t, [0, 0.35, 0.75, 1], [1.1, 2.3, 2.0, 0.9])
    disc = ring * np.sqrt(rng.random(len(ring)))[:, None] + rng.normal(0, 0.0015, ring.shape)
    tail = _bundle(center, frame, _ring_plane(disc, normal), width, rng.uniform(0.78, 1.0, len(ring)))
    tail = _curled(tail, roots.lock, 0.004 + 0.003 * abs(spec.hair.part), 9.0, 0.5, 0.05, rng)
    strands = np.concatenate([to_tie, tail], 1)
    return [Tress(strands, roots.lock)], [_band(tie + 0.004 * normal, normal, 0.0125, 0.0045, spec)]


def _bun(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    tie, normal = _tie_place(head, 0.0, -0.35 if head.hatted else (0.95 if spec.hair.part > 0 else 0.15))
    to_tie, ring = _combed_back(style, head, roots, tie, normal, 9, rng)
    major, minor = 0.0135 * np.sqrt(spec.hair.length), 0.0205 * np.sqrt(spec.hair.length)
    middle = tie + normal * (minor - 0.004)
    across, up = _plane(normal)
    plane = _ring_plane(ring, normal)
    count = len(ring)
    around = np.arctan2(plane[:, 1], plane[:, 0])[:, None] + np.linspace(0.25, 2 * np.pi * 0.95, 13)
    tilt = rng.uniform(-0.25 * np.pi, 0.75 * np.pi, count)[:, None] + np.linspace(-0.6, 0.9, 13)
    tube = minor * rng.uniform(0.86, 1.02, count)[:, None]
    far = major + tube * np.cos(tilt)
    knot = middle + (far * np.cos(around))[..., None] * across + (far * np.sin(around))[..., None] * up
    knot += (tube * np.sin(tilt))[..., None] * normal
    strands = np.concatenate([to_tie, knot], 1)
    return [Tress(strands, roots.lock)], [_ball(spec, middle, normal, major + 0.8 * minor, 0.9 * minor, rng)]


def _braids(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """One braid down the back, or two, behind or before the shoulders."""
    single = abs(spec.hair.part) < 0.33
    forward = 0.0 if single else (0.8 if spec.hair.part > 0 else -0.2)
    tresses, bands = [], []
    for side in (0.0,) if single else (1.0, -1.0):
        own = roots.at(np.ones(len(roots.points), bool) if single else side * roots.points[:, 0] >= 0)
        tie, normal = _tie_place(head, side * (2.05 if forward > 0 else 2.55) if side else 0.0, -0.42, bool(side))
        to_tie, ring = _combed_back(style, head, own, tie, normal, 9, rng)
        outward = _unit(0.5 * normal + _DOWN)
        center = _hanging(head, tie, outward, 0.25 * spec.hair.length, 44, 0.016, forward)
        frame = _lying(head, center)
        woven = np.arange(len(to_tie)) % (3 if single else 2) == 0
        braid = _woven(center, frame, ring[woven], rng)
        tresses.append(Tress(np.concatenate([to_tie[woven], braid], 1), own.lock[woven]))
        tresses.append(Tress(to_tie[~woven], own.lock[~woven]))
        end = int(0.86 * len(center))
        bands.append(_band(center[end], _along(center)[end], 0.0085, 0.003, spec))
    return tresses, bands


def _woven(center: np.ndarray, frame: np.ndarray, ring: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three locks woven about a centre line [K, 3] with frames [K, 2, 3]: [S, K, 3]. Source of the curve: the
    three-strand plait x = a sin(s), y = b sin(2s), locks a third of a period apart."""
    count = len(ring)
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(center, axis=0), axis=1))]
    share = along / along[-1]
    tied = 1 - np.exp(-(((share - 0.86) / 0.035) ** 2))
    flare = np.where(share > 0.86, 1.0, 0.0)
    swing = np.interp(share, [0, 0.06, 0.86, 0.861, 1], [0.3, 1.0, 0.72, 0, 0]) * tied
    lock = np.arange(count) % 3
    phase = 2 * np.pi * (along / 0.050 + lock[:, None] / 3)
    angle, radius = rng.uniform(0, 2 * np.pi, count), 0.0066 * rng.uniform(0.25, 1, count) ** 0.35
    size = np.interp(share, [0, 0.1, 0.86, 0.92, 1], [0.8, 1.0, 0.75, 0.9, 0.5]) * (0.45 + 0.55 * tied)
    size = size * (1 + 0.25 * flare)
    x = 0.0088 * swing * np.sin(phase) + size * (radius * np.cos(angle))[:, None]
    y = 0.0052 * swing * np.sin(2 * phase) + size * (radius * np.sin(angle))[:, None]
    return center + x[..., None] * frame[:, 0] + y[..., None] * frame[:, 1]


def _combed_back(style, head, roots, tie, normal, steps, rng) -> tuple[np.ndarray, np.ndarray]:
    """Strands tight over the skull to a tie [3]: points [S, steps, 3] and where they pass through its ring [S, 3]."""
    center = head.marks.center
    begin, end = roots.points - center, tie - center
    near, far = np.linalg.norm(begin, axis=1), np.linalg.norm(end)
    a, b = begin / near[:, None], end / far
    angle = np.arccos((a @ b).clip(-0.999, 0.999))[:, None]
    t = np.linspace(0, 1, steps)
    from_root, from_tie = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    arc = from_root[..., None] * a[:, None] + from_tie[..., None] * b
    points = center + arc * (near[:, None] * (1 - t) + far * t)[..., None]
    above, away, depth = head.ground.above(points)
    base = cap_height(style, depth, points[..., 1], head.marks)
    layer = rng.uniform(0.85, 1.35, len(points))[:, None]
    height = (base * layer + 0.001) * np.minimum(1, 4 * t) + 0.005 * t**3
    points += away * (height - above)[..., None]
    points[:, 0] = roots.points - 0.0015 * roots.normals
    arrival = _unit(_tangent(points[:, -3] - tie, normal) + 1e-9)
    ring = 0.0085 * arrival
    share = ((t - 0.72) / 0.28).clip(0, 1)[:, None] ** 2
    points = points * (1 - share) + (tie + ring)[:, None] * share
    return points, ring


def _tie_place(head: Head, azimuth: float, elevation: float, side: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A tie's centre just off the skull and the direction hair leaves it in; azimuth from the front for a side."""
    turn = azimuth if side else np.pi
    way = np.array([np.sin(turn) * np.cos(elevation), np.sin(elevation), np.cos(turn) * np.cos(elevation)])
    p = head.marks.center + 0.2 * way
    for _ in range(3):  # down onto the skin along the ray
        above, *_ = head.ground.above(p[None])
        p = p - 0.9 * above[0] * way
    return p + 0.012 * way, way


def _hanging(head, start, outward, length, count, radius, forward) -> np.ndarray:
    """A tail's centre line [count, 3] from a tie down along the body."""
    step = length / (count - 1)
    line, direction = [start], outward
    for _ in range(count - 1):
        p = line[-1]
        drift = forward * (1.8 if forward > 0 and p[2] < head.marks.ear[2] + 0.035 else 0.4)
        direction = _unit(direction * [1 - 9 * step, 1, 1] + (6 * step) * np.array([0.0, -2.4, drift]))
        p = p + step * direction
        above, normal, _ = head.ground.above(p[None])
        slide = np.array([0, 0, 1.0 if forward > 0 else -1.0]) * (normal[0, 1] > 0.3)
        p = p + (normal[0] + 0.6 * slide) * max(radius - above[0], 0)
        direction = _unit(p - line[-1])
        line.append(p)
    line = np.array(line)
    for _ in range(2):
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line


def _lying(head: Head, center: np.ndarray) -> np.ndarray:
    """Frames [K, 2, 3] along a line that lies on the body: across it and away from the body."""
    _, normal, _ = head.ground.above(center)
    for _ in range(8):
        normal[1:-1] = (normal[:-2] + normal[1:-1] + normal[2:]) / 3
        normal[0], normal[-1] = normal[1], normal[-2]
    across = _unit(np.cross(_along(center), normal))
    return np.stack([across, _unit(np.cross(across, _along(center)))], 1)


def _bundle(center, frame, disc, width, reach) -> np.ndarray:
    """Strands [S, K, 3] beside a centre line [K, 3]: disc [S, 2] places them, reach [S] says how far down they go."""
    place = np.linspace(0, 1, len(center)) * reach[:, None] * (len(center) - 1)
    low = np.minimum(place.astype(int), len(center) - 2)
    t = (place - low)[..., None]
    mixed = lambda values: values[low] * (1 - t) + values[low + 1] * t  # noqa: E731
    offset = disc[:, 0, None, None] * mixed(frame[:, 0]) + disc[:, 1, None, None] * mixed(frame[:, 1])
    return mixed(center) + offset * mixed(width[:, None])


def _curled(points, lock, radius, turns, depth, ramp, rng) -> np.ndarray:
    """Waves (depth < 1) or ringlets (depth 1) that the strands of a lock share; turns a metre, full after `ramp`."""
    along = np.cumsum(np.r_["1", np.zeros((len(points), 1)), np.linalg.norm(np.diff(points, axis=1), axis=-1)], 1)
    phase = rng.uniform(0, 2 * np.pi, lock.max() + 1)[lock] + rng.normal(0, 0.25, len(lock))
    pace = rng.uniform(0.85, 1.15, lock.max() + 1)[lock]
    angle = phase[:, None] + 2 * np.pi * turns * pace[:, None] * along
    tangent = _unit(np.gradient(points, axis=1))
    across = _unit(np.cross(tangent, [0.13, 0.2, 1.0]))
    out = np.cross(across, tangent)
    size = (radius * rng.uniform(0.7, 1.25, lock.max() + 1)[lock])[:, None] * (along / ramp).clip(0, 1)
    return points + (size * np.cos(angle))[..., None] * across + (depth * size * np.sin(angle))[..., None] * out


def clumped(points: np.ndarray, lock: np.ndarray, amount: float) -> np.ndarray:
    """Strands [S, K, 3] drawn towards the middle of their locks [S], from not at all at the roots to `amount`."""
    count = np.maximum(np.bincount(lock), 1)
    mean = sp.csr_matrix((1 / count[lock], (lock, np.arange(len(lock))))) @ points.reshape(len(points), -1)
    share = amount * np.linspace(0, 1, points.shape[1])[:, None] ** 1.2
    return points + share * (mean.reshape(-1, *points.shape[1:])[lock] - points)


def _cut(points: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Strands [S, K, 3] shortened to where they first reach the height `cut` [S], with K points again."""
    count = points.shape[1]
    under = points[..., 1] < cut[:, None]
    last = np.where(under.any(1), under.argmax(1), count - 1).clip(1)
    rows = np.arange(len(points))
    high, low = points[rows, last - 1, 1], points[rows, last, 1]
    t = np.where(under.any(1), (high - cut) / np.maximum(high - low, 1e-6), 1.0).clip(0.05, 1)
    place = np.linspace(0, 1, count) * (last - 1 + t)[:, None]
    base = np.minimum(place.astype(int), count - 2)
    share = (place - base)[..., None]
    return points[rows[:, None], base] * (1 - share) + points[rows[:, None], base + 1] * share


def _off_the_face(p: np.ndarray, side: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Turn points that hang before the face about the head's axis, to beside it."""
    offset = p - marks.center
    azimuth = np.arctan2(np.abs(offset[:, 0]), offset[:, 2])
    heights = [marks.chin - 0.10, marks.chin - 0.03, marks.eye[1], marks.eye[1] + 0.05, marks.eye[1] + 0.085]
    limit = np.radians(np.interp(p[:, 1], heights, [0, 60, 66, 50, 0]))
    turned = np.maximum(azimuth, limit)
    radius = np.hypot(offset[:, 0], offset[:, 2])
    side = np.where(np.abs(offset[:, 0]) > 0.02, np.sign(offset[:, 0]), side)
    return marks.center + np.stack([side * radius * np.sin(turned), offset[:, 1], radius * np.cos(turned)], -1)


def _before_face(points: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Which points [..., 3] hang before the face, between brows and chin, or the throat."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2] - marks.center[2]
    face = (x < 0.75 * z) & (y < marks.eye[1] + 0.015) & (y > marks.chin)
    throat = (x < 0.045) & (z > -0.02) & (y < marks.chin + 0.02) & (y > marks.chin - 0.09)
    return face | throat


def _band(center, axis, radius, thickness, spec) -> Surface:
    """An elastic around hair: a torus."""
    across, up = _plane(axis)
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 25)[:-1], np.linspace(0, 2 * np.pi, 11)[:-1], indexing="ij")
    far = (radius + thickness * np.cos(v))[..., None]
    points = center + far * (np.cos(u)[..., None] * across + np.sin(u)[..., None] * up)
    points += 1.6 * thickness * np.sin(v)[..., None] * axis
    rng = np.random.default_rng([spec.seed, 42])  # all ties of a person alike
    color = np.full(3, rng.uniform(8, 60)) if rng.random() < 0.6 else rng.uniform(30, 220, 3)
    albedo = np.full((4, 4, 3), color, np.uint8)
    return _grid("accessory", points, albedo, 0.8)


def _ball(spec, center, axis, wide, tall, rng) -> Surface:
    """The inside of a knot of hair: a flattened ball."""
    across, up = _plane(axis)
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 25)[:-1], np.linspace(0.02, np.pi - 0.02, 13), indexing="ij")
    points = center + wide * np.sin(v)[..., None] * (np.cos(u)[..., None] * across + np.sin(u)[..., None] * up)
    points += tall * np.cos(v)[..., None] * axis
    streak = np.exp(rng.normal(0, 0.15, (64, 1, 1)))
    albedo = ((np.asarray(spec.hair.color) * 0.6 * streak).clip(0, 1) * 255).astype(np.uint8)
    return _grid("hair", points, albedo, 0.7, closed=False)


def _grid(part: str, points: np.ndarray, albedo: np.ndarray, roughness: float, closed: bool = True) -> Surface:
    """A grid of points [m, n, 3] that closes in its first direction (and its second) as a surface."""
    m, n = points.shape[:2]
    row, column = np.meshgrid(np.arange(m), np.arange(n if closed else n - 1), indexing="ij")
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    index = np.stack([(row + i) % m * n + (column + j) % n for i, j in corners], -1).reshape(-1, 4)
    uv = np.stack([np.stack([(row + i) / m, (column + j) / n], -1) for i, j in corners], 2).reshape(-1, 4, 2)
    faces = np.concatenate([index[:, [0, 1, 2]], index[:, [0, 2, 3]]]).astype(np.int32)
    uv = np.concatenate([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]]).astype(np.float32)
    return Surface(part, points.reshape(-1, 3).astype(np.float32), faces, uv, albedo, None, roughness, 0.1)


def _plane(axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors square to an axis [3]."""
    across = _unit(np.cross(axis, [0.05, 0.3, 1.0] if abs(axis[0]) > 0.8 else [1.0, 0.0, 0.0]))
    return np.cross(axis, across), across


def _ring_plane(ring: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.stack([ring @ direction for direction in _plane(axis)], -1)


def _along(line: np.ndarray) -> np.ndarray:
    return _unit(np.gradient(line, axis=0))


def _tangent(v: np.ndarray, normal: np.ndarray) -> np.ndarray:
    return v - (v * normal).sum(-1, keepdims=True) * normal


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


STYLES = {
    "buzz": Style(_cropped, 4990, 0.0, 0.00028, 500, 0.2),
    "short": Style(_cropped, 4990, 0.005, 0.00036, 420, 0.45),
    "side_part": Style(_cropped, 4990, 0.007, 0.00040, 340, 0.45),
    "curly": Style(_fallen, 4990, 0.020, 0.00042, 420, 0.62, True),
    "afro": Style(_afro, 4990, 0.055, 0.00042, 500, 0.0, True),
    "bob": Style(_fallen, 4990, 0.0075, 0.00042, 260, 0.4, past_ears=True),
    "ponytail": Style(_ponytail, 4990, 0.004, 0.00042, 240, 0.0, past_ears=True),
    "bun": Style(_bun, 4990, 0.004, 0.00042, 240, 0.0, past_ears=True),
    "braids": Style(_braids, 4990, 0.004, 0.00046, 240, 0.0, past_ears=True),
    "long_straight": Style(_fallen, 4990, 0.0075, 0.00042, 260, 0.4, past_ears=True),
    "long_wavy": Style(_fallen, 4990, 0.009, 0.00042, 220, 0.55, past_ears=True),
}
