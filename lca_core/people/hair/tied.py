"""How tied hair lies: ponytails, buns and braids, with their bands.

Combing functions take roots and give tresses, points [S, K, 3] in metres at rest, and the surfaces that come with them.
"""

import numpy as np

from lca_core.people.body.parts import Surface
from lca_core.people.hair.ground import DOWN, Head, Roots, Style, Tress, cap_height, curled, tangent, unit
from lca_core.people.who.spec import PersonSpec


def ponytail(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    tie, normal = _tie_place(head, 0.0, -0.25 if head.hatted else 0.18 + 0.25 * spec.hair.part)
    to_tie, ring = _combed_back(style, head, roots, tie, normal, 9, rng)
    center = _hanging(head, tie, normal, 0.26 * spec.hair.length, 14, 0.022, 0.0)[1:]
    frame = np.stack([np.broadcast_to([1.0, 0, 0], center.shape), unit(np.cross(_along(center), [1.0, 0, 0]))], 1)
    t = np.linspace(0, 1, len(center))
    width = np.interp(t, [0, 0.35, 0.75, 1], [1.1, 2.3, 2.0, 0.9])
    disc = ring * np.sqrt(rng.random(len(ring)))[:, None] + rng.normal(0, 0.0015, ring.shape)
    tail = _bundle(center, frame, _ring_plane(disc, normal), width, rng.uniform(0.78, 1.0, len(ring)))
    tail = curled(tail, roots.lock, 0.004 + 0.003 * abs(spec.hair.part), 9.0, 0.5, 0.05, rng)
    strands = np.concatenate([to_tie, tail], 1)
    return [Tress(strands, roots.lock)], [_band(tie + 0.004 * normal, normal, 0.0125, 0.0045, spec)]


def bun(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
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


def braids(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """One braid down the back, or two, behind or before the shoulders."""
    single = abs(spec.hair.part) < 0.33
    forward = 0.0 if single else (0.8 if spec.hair.part > 0 else -0.2)
    tresses, bands = [], []
    for side in (0.0,) if single else (1.0, -1.0):
        own = roots.at(np.ones(len(roots.points), bool) if single else side * roots.points[:, 0] >= 0)
        tie, normal = _tie_place(head, side * (2.05 if forward > 0 else 2.55) if side else 0.0, -0.42, bool(side))
        to_tie, ring = _combed_back(style, head, own, tie, normal, 9, rng)
        outward = unit(0.5 * normal + DOWN)
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
    arrival = unit(tangent(points[:, -3] - tie, normal) + 1e-9)
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
        direction = unit(direction * [1 - 9 * step, 1, 1] + (6 * step) * np.array([0.0, -2.4, drift]))
        p = p + step * direction
        above, normal, _ = head.ground.above(p[None])
        slide = np.array([0, 0, 1.0 if forward > 0 else -1.0]) * (normal[0, 1] > 0.3)
        p = p + (normal[0] + 0.6 * slide) * max(radius - above[0], 0)
        direction = unit(p - line[-1])
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
    across = unit(np.cross(_along(center), normal))
    return np.stack([across, unit(np.cross(across, _along(center)))], 1)


def _bundle(center, frame, disc, width, reach) -> np.ndarray:
    """Strands [S, K, 3] beside a centre line [K, 3]: disc [S, 2] places them, reach [S] says how far down they go."""
    place = np.linspace(0, 1, len(center)) * reach[:, None] * (len(center) - 1)
    low = np.minimum(place.astype(int), len(center) - 2)
    t = (place - low)[..., None]
    mixed = lambda values: values[low] * (1 - t) + values[low + 1] * t  # noqa: E731
    offset = disc[:, 0, None, None] * mixed(frame[:, 0]) + disc[:, 1, None, None] * mixed(frame[:, 1])
    return mixed(center) + offset * mixed(width[:, None])


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
    across = unit(np.cross(axis, [0.05, 0.3, 1.0] if abs(axis[0]) > 0.8 else [1.0, 0.0, 0.0]))
    return np.cross(axis, across), across


def _ring_plane(ring: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.stack([ring @ direction for direction in _plane(axis)], -1)


def _along(line: np.ndarray) -> np.ndarray:
    return unit(np.gradient(line, axis=0))
