"""Hair: strands combed around the skull over a cap of hair, bound to the head (long hair to neck and back too).

A strand grows step by step: it leans towards where its style combs it and towards the ground, and is pushed out
of head, neck and shoulders at every step, so that it lies on them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lca_core.body.layout import JOINT_NAMES
from lca_core.people import basemesh
from lca_core.people.cut import Piece, clip
from lca_core.people.parts import Strands, Surface
from lca_core.people.skin import Landmarks, scalp_depth
from lca_core.people.spec import PersonSpec


@dataclass(frozen=True)
class _Style:
    """How a style grows. Metres; cut: the height strands end at ("chin", "chest" or None for their length)."""

    count: int
    points: int
    length: float
    volume: float  # thickness of the hair on the skull
    lift: float  # how much strands start away from the skin
    gravity: float
    comb: str  # "crown": from the whorl outwards; "part": away from a parting; "out": straight out
    cut: str | None = None
    curl: float = 0.0  # radius of the locks
    turns: float = 0.0  # per metre
    radius: float = 0.0007


STYLES = {
    "buzz": _Style(3500, 3, 0.007, 0.001, 1.0, 0.0, "crown", radius=0.0005),
    "short": _Style(4000, 6, 0.042, 0.008, 0.38, 0.10, "crown", radius=0.0008),
    "side_part": _Style(3800, 8, 0.085, 0.012, 0.45, 0.16, "part", radius=0.0008),
    "bob": _Style(3600, 12, 0.20, 0.014, 0.25, 0.85, "part", "chin", radius=0.0008),
    "long": _Style(3600, 16, 0.40, 0.014, 0.25, 0.90, "part", "chest", 0.004, 14.0, radius=0.0008),
    "curly": _Style(3400, 16, 0.12, 0.020, 0.8, 0.40, "crown", None, 0.007, 32.0, radius=0.0009),
    "afro": _Style(4200, 9, 0.075, 0.030, 1.0, 0.0, "out", None, 0.006, 45.0, radius=0.0010),
}


def grow(
    spec: PersonSpec, rest: np.ndarray, template: np.ndarray, joints: np.ndarray, obstacles: np.ndarray
) -> list[tuple[np.ndarray, Surface | Strands]]:
    """The hair of a person at rest as (weights [n, 55], part) pairs; none for the bald.

    rest, template: [V, 3] the person's and the template's vertices in base.obj order; joints: [55, 3];
    obstacles: [n, 3] points of clothing that long hair lies on.
    """
    if spec.hair.style == "bald":
        return []
    rng = np.random.default_rng([spec.seed, 40])
    style, marks = STYLES.get(spec.hair.style, STYLES["long"]), Landmarks.of(rest)
    mesh = basemesh.load()
    faces, _ = mesh.triangles(mesh.select("body"))
    depth = scalp_depth(template, Landmarks.of(template))
    normals = basemesh.vertex_normals(rest, faces)
    near = faces[(template[faces, 1].min(1) > template[:, 1].max() - 0.25)]
    scalp = clip(Piece(rest, np.c_[depth, normals], near), depth)
    depth, normals = scalp.weights[:, 0], scalp.weights[:, 1:4]

    parts: list[tuple[np.ndarray, Surface | Strands]] = []
    if style.volume > 0.002:
        parts.append(_cap(spec, scalp.vertices, normals, depth, scalp.faces, style, marks, rng))
    roots, root_normals, root_depth = _scatter(scalp.vertices, normals, depth, scalp.faces, style.count, rng)
    points = _comb(
        spec, style, roots, root_normals, root_depth, marks, _Obstacle.of(rest, faces, obstacles, joints), rng
    )
    taper = np.linspace(1, 0.35, points.shape[1]) * style.radius
    radii = np.broadcast_to(taper, points.shape[:2]) * rng.uniform(0.8, 1.2, (len(points), 1))
    base = np.asarray(spec.hair.color) ** 2.2
    shade = np.exp(rng.normal(0, 0.22, (len(points), 1))) * (1 + rng.normal(0, 0.03, (len(points), 3)))
    colors = (base * shade).clip(0.004, 0.95)
    look = Strands("hair", points.astype(np.float32), radii.astype(np.float32), colors.astype(np.float32))
    parts.append((_weights(points.reshape(-1, 3), joints), look))
    return parts


@dataclass(frozen=True)
class _Obstacle:
    tree: cKDTree
    points: np.ndarray
    normals: np.ndarray

    @classmethod
    def of(cls, rest: np.ndarray, faces: np.ndarray, cloth: np.ndarray, joints: np.ndarray) -> "_Obstacle":
        """Head, neck and shoulders, and the cloth on them (taken as lying on the skin below, normals as there)."""
        low = joints[JOINT_NAMES.index("spine2"), 1]
        used = np.unique(faces)
        used = used[(rest[used, 1] > low) & (np.abs(rest[used, 0]) < 0.15)]
        normals = basemesh.vertex_normals(rest, faces)[used]
        points = rest[used]
        cloth = cloth[(cloth[:, 1] > low) & (np.abs(cloth[:, 0]) < 0.15)]
        if len(cloth):
            _, nearest = cKDTree(points).query(cloth)
            points, normals = np.concatenate([points, cloth]), np.concatenate([normals, normals[nearest]])
        return cls(cKDTree(points), points, normals)

    def clear(self, p: np.ndarray, height: np.ndarray) -> np.ndarray:
        _, nearest = self.tree.query(p, k=3)
        normal = self.normals[nearest].mean(1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        above = ((p[:, None] - self.points[nearest]) * normal[:, None]).sum(-1).min(1)
        return p + normal * np.maximum(height - above, 0)[:, None]


def _scatter(vertices, normals, depth, faces, count, rng):
    corner = vertices[faces]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    chosen = faces[rng.choice(len(faces), count, p=area / area.sum())]
    a, b = np.sqrt(rng.random(count)), rng.random(count)
    share = np.stack([1 - a, a * (1 - b), a * b], -1)[..., None]
    normal = (normals[chosen] * share).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return (vertices[chosen] * share).sum(1), normal, (depth[chosen] * share[..., 0]).sum(1)


def _comb(spec, style, roots, normals, depth, marks, obstacle, rng) -> np.ndarray:
    """Grow the strands: [count, points, 3]."""
    count = len(roots)
    length = style.length * spec.hair.length * rng.uniform(0.82, 1.12, count)
    fringe = spec.hair.style == "bob" and spec.hair.part > 0.3
    offset = roots - marks.center
    azimuth = np.degrees(np.arctan2(np.abs(offset[:, 0]), offset[:, 2]))
    end = {"chin": marks.chin - 0.03 * (spec.hair.length - 0.9), "chest": marks.chin - 0.20 * spec.hair.length}
    if style.cut:
        length = (roots[:, 1] - end[style.cut]).clip(0.05) * rng.uniform(0.98, 1.10, count) + 0.03
    elif spec.hair.style in ("short", "side_part"):  # sides and back are cut shorter than the top
        top = ((roots[:, 1] - marks.eye[1] - 0.03) / 0.06).clip(0, 1)
        length *= 0.30 + 0.70 * top
    elif spec.hair.style == "afro":  # fuller above than at the nape
        length *= 0.55 + 0.45 * ((roots[:, 1] - marks.eye[1] + 0.05) / 0.12).clip(0, 1)
        length *= 0.4 + 0.6 * (depth / 0.03).clip(0, 1)
    elif spec.hair.style == "curly":
        length *= np.where((azimuth < 50) & (depth < 0.03), 0.4, 1.0)
    bangs = fringe & (azimuth < 40) & (offset[:, 2] > 0.02)
    length = np.where(bangs, (roots[:, 1] - marks.eye[1] - 0.018).clip(0.02) * 1.12 + 0.008, length)
    height = style.volume * rng.uniform(0.25, 1.0, count) * (depth / 0.02).clip(0.15, 1)
    flow = _flow(spec, style, roots, normals, bangs, marks, rng)
    raggedness = rng.normal(0, 0.006, count)
    steps = style.points - 1
    step = (length / steps)[:, None]
    p = roots - 0.002 * normals
    direction = normals * style.lift + flow
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    line = [p]
    for number in range(steps):
        offset = p - marks.center
        over_brow = (
            (np.abs(offset[:, 0]) < 1.3 * offset[:, 2]) & (offset[:, 1] > -0.01) & (style.cut is not None) & ~bangs
        )
        follow = np.where(over_brow, 0.7, 0.30 * (number < steps / 3))[:, None]
        fall = np.where(over_brow, 0.06, style.gravity)[:, None]
        lean = direction * (0.75 if style.cut else 1.0) + follow * flow + fall * np.array([0.0, -1.0, 0.0])
        if style.cut:  # combed hair does not leave the skull, its volume does the lifting
            away = offset / np.linalg.norm(offset, axis=1, keepdims=True)
            lean -= 0.9 * ((lean * away).sum(1, keepdims=True).clip(0)) * away * (offset[:, 1:2] > -0.02)
        lean /= np.maximum(np.linalg.norm(lean, axis=1, keepdims=True), 1e-9)
        moved = p + step * lean
        if style.comb != "out":
            moved = obstacle.clear(moved, np.where(number == 0, 0.6, 1.0) * height + 0.001)
        if style.cut == "chest":  # the rest pose's arms are level: hair falls before or behind the shoulder
            low = ((marks.chin - moved[:, 1]) / 0.06).clip(0, 1)
            excess = (np.abs(moved[:, 0]) - 0.085).clip(0) * low
            moved[:, 0] -= np.sign(moved[:, 0]) * 0.6 * excess
        if style.cut:
            moved[:, 1] = np.maximum(moved[:, 1], np.minimum(p[:, 1], end[style.cut] + raggedness))
            moved = np.where(bangs[:, None], moved, _off_the_face(moved, roots, marks))
        direction = moved - p
        direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        p = moved if style.comb == "out" or style.cut else p + direction * step
        line.append(p)
    points = np.stack(line, 1)
    if style.cut:  # strays that cross the face
        front = points - marks.center
        stray = (np.abs(front[..., 0]) < 0.9 * front[..., 2]) & (points[..., 1] < marks.eye[1] - 0.01)
        stray |= (np.abs(front[..., 0]) < 0.055) & (front[..., 2] > -0.02) & (points[..., 1] < marks.chin)
        points = points[bangs | ~stray.any(1)]
        count, direction, step = len(points), points[:, -1] - points[:, -2], step[bangs | ~stray.any(1)]
    if style.curl:
        along = np.arange(style.points) * step
        phase = rng.uniform(0, 2 * np.pi, (count, 1)) + 2 * np.pi * style.turns * along
        first = np.cross(direction, rng.normal(size=(count, 3)))
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        second = np.cross(direction, first)
        size = style.curl * rng.uniform(0.6, 1.3, (count, 1)) * (along / 0.03).clip(0, 1)
        points += (size * np.cos(phase))[..., None] * first[:, None] + (size * np.sin(phase))[..., None] * second[
            :, None
        ]
    return points


def _flow(spec, style, roots, normals, bangs, marks, rng) -> np.ndarray:
    """Unit direction each strand is combed in."""
    side = np.where(roots[:, 0] >= 0, 1.0, -1.0)
    if style.comb == "out":
        flow = rng.normal(0, 0.25, roots.shape)
        return flow
    if style.comb == "crown":
        whorl = np.array([0.006, marks.crown, marks.center[2] - 0.045])
        flow = roots - whorl
        flow[:, 1] *= 0.8
        flow -= (flow * normals).sum(1, keepdims=True) * normals
        flow[:, 0] += 0.02 * np.sign(spec.hair.part) * (roots[:, 2] > marks.center[2])
    else:
        place = 0.030 * (1 if spec.hair.part > 0 else -1) if spec.hair.style == "side_part" else 0.012 * spec.hair.part
        side = np.where(roots[:, 0] >= place, 1.0, -1.0)
        front = ((roots[:, 2] - marks.center[2]) / 0.08).clip(-1, 1)
        flow = np.stack(
            [side * (0.9 - 0.85 * (-front).clip(0)), -0.35 - 0.2 * (-front).clip(0), -0.25 - 0.20 * front], -1
        )
        if spec.hair.style == "side_part":
            flow[:, 2] += 0.15
        flow -= 0.8 * (flow * normals).sum(1, keepdims=True) * normals
    flow = np.where(bangs[:, None], [0.0, -0.5, 0.8] + 0.2 * side[:, None] * [1.0, 0, 0], flow)
    flow = flow / np.linalg.norm(flow, axis=1, keepdims=True) + rng.normal(0, 0.10, roots.shape)
    return flow / np.linalg.norm(flow, axis=1, keepdims=True)


def _off_the_face(p: np.ndarray, roots: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Turn points that hang before the face about the head's axis, to beside it."""
    offset = p - marks.center
    azimuth = np.arctan2(np.abs(offset[:, 0]), offset[:, 2])
    below = ((marks.eye[1] + 0.075 - p[:, 1]) / 0.05).clip(0, 1)
    limit = np.radians(62) * below * (p[:, 1] > marks.chin - 0.09)
    turned = np.maximum(azimuth, limit)
    radius = np.hypot(offset[:, 0], offset[:, 2])
    side = np.where(roots[:, 0] >= 0, 1.0, -1.0)
    side = np.where(np.abs(offset[:, 0]) > 0.02, np.sign(offset[:, 0]), side)
    around = np.stack([side * radius * np.sin(turned), offset[:, 1], radius * np.cos(turned)], -1)
    return np.where((azimuth < limit)[:, None], marks.center + around, p)


def _cap(spec, vertices, normals, depth, faces, style, marks, rng) -> tuple[np.ndarray, Surface]:
    """The body of the hair under the strands, so that no skin shows between them."""
    thick = 0.0012 + 0.75 * style.volume * (depth / 0.028).clip(0, 1) ** 0.7
    p = (vertices + normals * thick[:, None]).astype(np.float32)
    offset = vertices - marks.center
    u = np.arctan2(offset[:, 0], offset[:, 2])[faces]
    wrap = (u.max(1) - u.min(1)) > np.pi
    u = np.where(wrap[:, None] & (u < 0), u + 2 * np.pi, u) / (2 * np.pi) / 1.25 + 0.4
    v = ((offset[:, 1] / 0.25) + 0.5).clip(0.01, 0.99)[faces]
    streak = np.exp(rng.normal(0, 0.16, (1, 512, 1))) * np.exp(rng.normal(0, 0.07, (64, 512, 1)))
    albedo = ((np.asarray(spec.hair.color) * 0.82 * streak).clip(0, 1) * 255).astype(np.uint8)
    uv = np.stack([u, v], -1).astype(np.float32)
    weights = np.zeros((len(p), len(JOINT_NAMES)), np.float32)
    weights[:, JOINT_NAMES.index("head")] = 1
    return weights, Surface("hair", p, faces.astype(np.int32), uv, albedo, None, 0.7, 0.15)


def _weights(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Head above the neck, then neck, then the upper back [n, 55]."""
    head = joints[JOINT_NAMES.index("head"), 1]
    low = ((head - 0.02 - points[:, 1]) / 0.16).clip(0, 1)
    weights = np.zeros((len(points), len(JOINT_NAMES)), np.float32)
    weights[:, JOINT_NAMES.index("head")] = (1 - 2 * low).clip(0)
    weights[:, JOINT_NAMES.index("spine3")] = (2 * low - 1).clip(0)
    weights[:, JOINT_NAMES.index("neck")] = 1 - np.abs(2 * low - 1)
    return weights
