"""How loose hair lies: cropped, falling from a parting, curly, and afros.

Combing functions take roots and give tresses, points [S, K, 3] in metres at rest.
"""

from dataclasses import replace

import numpy as np

from lca_core.people.body.skin import Landmarks
from lca_core.people.hair.ground import (
    DOWN,
    GROOVE,
    Head,
    Roots,
    Style,
    Tress,
    cap_height,
    curled,
    parting,
    tangent,
    unit,
    upper,
)
from lca_core.people.who.spec import PersonSpec

_FRINGE_PART = -0.6  # who parts bob or straight hair further to the right than this wears a fringe


def cropped(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
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
        flow = unit(flow) * (1 - top)[:, None] * [1, 1, 0.2] + across * (0.3 + top)[:, None]
    elif name == "short":  # the top is brushed to one side, forwards or up, each person otherwise
        brushed = np.array([0.5 * np.sign(spec.hair.part), 0.6 * abs(spec.hair.part), 0.35])
        flow = unit(flow) + brushed * top[:, None]
    tilt = rng.normal(0, 0.16, (roots.lock.max() + 1, 3))[roots.lock]
    flow = unit(tangent(flow, roots.normals)) + tilt + rng.normal(0, 0.09, roots.points.shape)
    height = cap_height(style, roots.depth, roots.points[:, 1], marks) * rng.uniform(0.8, 1.5, count)
    p = roots.points - 0.0015 * roots.normals
    direction = unit(flow + lift * roots.normals)
    line = [p]
    step = (length / steps)[:, None]
    for number in range(steps):
        sag = 0.16 * number * (name == "side_part")
        _, normal, _ = head.ground.above(p)
        direction = unit(direction + 0.3 * tangent(flow, normal) + sag * DOWN - 0.12 * lift * normal)
        p = head.ground.clear(p + step * direction, np.minimum(height, 0.001 + 0.35 * length))
        line.append(p)
    return [Tress(np.stack(line, 1), roots.lock)], []


def fallen(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """Hair that falls from a parting to a cut at one height (bob, long_straight, long_wavy), or curls (curly)."""
    name, marks, count = spec.hair.style, head.marks, len(roots.points)
    curly, bob = name == "curly", name == "bob"
    points = {"bob": 16, "curly": 22}.get(name, 22)
    line_y = marks.chin - (0.022 * (spec.hair.length - 1) if bob else 0.20 * spec.hair.length)
    cut = line_y + rng.normal(0, 0.003 if bob else 0.010, count) + rng.normal(0, 0.006, style.locks)[roots.lock]
    offset = roots.points - marks.center
    azimuth = np.degrees(np.arctan2(np.abs(offset[:, 0]), offset[:, 2]))
    fringe = _has_fringe(spec) & (azimuth < 56) & (offset[:, 2] > 0.03)
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
        outward = 0.5 * unit((roots.points - head.whorl) * [1, 0, 1]) - 0.55 * forward[:, None] * [0, 0, 1]
    before = np.where(roots.points[:, 2] > marks.ear[2] - 0.02, 1.0, -1.0)  # falls before or behind the shoulder
    layer, hug = rng.random(count), 0.0 if curly else 0.8
    p, normal = roots.points - 0.0015 * roots.normals, roots.normals
    direction = unit(tangent(outward, normal) + (1.6 if curly else 0.15) * normal)
    pace = np.linspace(0.45, 1.1, points - 1)
    line, pace = [p], pace / pace.sum()
    above, gone = np.zeros(count), np.zeros(count)
    for number in range(points - 1):
        step = (length * pace[number])[:, None]
        skull = ((p[:, 1] - marks.eye[1] + 0.01) / 0.06).clip(0, 1)[:, None]
        target = 1.3 * skull * outward + (0.26 if curly else 1.0) * DOWN
        low = ((marks.chin - 0.01 - p[:, 1]) / 0.04).clip(0, 1)[:, None]
        resting = ((0.03 - above) / 0.02).clip(0, 1)[:, None]
        target = target - resting * (target * normal).sum(1, keepdims=True).clip(None, 0) * normal
        target = target - 0.7 * skull * (target * normal).sum(1, keepdims=True).clip(0) * normal
        slide = np.stack([-0.9 * target[:, 0], 0 * side, 0.9 * before], -1)
        target += low * resting * slide * (normal[:, 1:2] > 0.15)
        target[:, 0] *= 1 - 0.9 * low[:, 0]
        if bob:  # the ends turn in
            turn = ((marks.ear[1] - 0.03 - p[:, 1]) / 0.05).clip(0, 1)[:, None]
            target -= 0.45 * turn * unit((p - marks.center) * [1, 0, 1]) * ~fringe[:, None]
        direction = unit(0.6 * direction + unit(target))
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
        direction = unit(moved - p)
        p = moved
        line.append(p)
    strands = _cut(np.stack(line, 1), cut)
    group = np.where(fringe, 3, np.where(behind > 0.5, 2, side > 0))
    apart = roots.lock * 4 + group  # locks end at the parting and at the fringe
    roots = replace(roots, lock=np.unique(apart, return_inverse=True)[1])
    if curly or name == "long_wavy":
        wave = (0.0085, 30.0, 1.0, 0.05) if curly else (0.011, 9.0, 0.35, 0.18)
        strands = curled(strands, roots.lock, *wave, rng)
    if not curly:
        kept = fringe | ~_before_face(strands, marks).any(1)
        strands, roots = strands[kept], roots.at(kept)
    return [Tress(strands, roots.lock)], []


def _has_fringe(spec: PersonSpec) -> bool:
    return spec.hair.style in ("bob", "long_straight") and spec.hair.part < _FRINGE_PART


def afro(spec: PersonSpec, style: Style, head: Head, roots: Roots, rng: np.random.Generator):
    """Coils that stand out all round: straight through the mass, coiled where they are seen."""
    count, points, seen = len(roots.points), 20, 0.020
    mass = cap_height(style, roots.depth, roots.points[:, 1], head.marks) * (0.7 + 0.3 * spec.hair.length)
    out = unit(roots.normals + 0.5 * unit(roots.points - head.marks.center) + [0, 0.15, 0])
    start = roots.points + out * (mass * rng.uniform(0.75, 1.0, count))[:, None]
    wander = unit(rng.normal(size=(count, 3)))
    axis = unit(0.55 * out + wander)
    first = unit(np.cross(axis, wander[:, [1, 2, 0]]))
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
