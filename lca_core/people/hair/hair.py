"""Hair: combed strands over a cap of hair, bound to the head (long hair to neck and back too), and beards.

The cap carries the mass and hides the scalp, the strands give outline, locks and shine; how strands lie
`hair_loose` and `hair_tied` say. Hats press flat what is above `hat_line`.
"""

import numpy as np
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.body.layout import JOINT_NAMES
from lca_core.people.body.cut import Piece, clip
from lca_core.people.body.parts import Strands, Surface
from lca_core.people.body.skin import Landmarks, scalp_depth
from lca_core.people.hair.ground import GROOVE, Ground, Head, Roots, Style, Tress, cap_height, clumped, parting
from lca_core.people.hair.styles import STYLES
from lca_core.people.who.spec import PersonSpec

_TEXTURE = (256, 512)  # rows over _DEPTH metres inside the hairline, columns around the head
_DEPTH = 0.25
_PART_ROW = 0.8  # texture rows above this show the parting
_HAT_GAP = 0.0035  # metres of hair under a hat
_BEARD_COUNT = {"moustache": 500, "goatee": 1000, "full": 2000}
_BEARD_LENGTH = {"moustache": 0.009, "goatee": 0.013, "full": 0.012}
_MOST_STRANDS = 4990
_CLEAR = 0.0006  # metres strands keep off the skin
_TRAPPED = 0.012  # metres inside the body at which a strand is given up
_LEAP = 0.055  # metres between neighbouring points, likewise


def grow(
    spec: PersonSpec, rest: np.ndarray, template: np.ndarray, joints: np.ndarray, obstacles: np.ndarray
) -> list[tuple[np.ndarray, Surface | Strands]]:
    """The hair of a person at rest as (weights [n, 55], part) pairs; for the bald at most a beard.

    rest, template: [V, 3] the person's and the template's vertices in base.obj order; joints: [55, 3];
    obstacles: [n, 3] points of clothing that long hair lies on.
    """
    mesh = basemesh.load()
    faces, _ = mesh.triangles(mesh.select("body"))
    normals = basemesh.vertex_normals(rest, faces)
    parts: list[tuple[np.ndarray, Surface | Strands]] = []
    beard = _BEARD_COUNT.get(spec.skin.beard, 0)
    if spec.hair.style != "bald":
        rng = np.random.default_rng([spec.seed, 40])
        style, marks = STYLES[spec.hair.style], Landmarks.of(rest)
        depth = scalp_depth(template, Landmarks.of(template))
        near = faces[template[faces, 1].min(1) > template[:, 1].max() - 0.25]
        scalp = clip(Piece(rest, np.c_[depth, normals], near), depth)
        low = joints[JOINT_NAMES.index("spine2"), 1]
        ground = Ground.of(rest, faces, depth, obstacles, low, marks.ear if style.past_ears else None)
        head = Head(marks, ground, spec.hat is not None)
        roots = _roots(scalp, style, min(style.count, _MOST_STRANDS - beard), rng)
        tresses, extra = style.comb(spec, style, head, roots, rng)
        if style.volume:
            parts.append(_bound(_cap(spec, style, scalp, head, rng), joints))
        parts += [_bound(look, joints) for look in extra]
        parts += [_bound(_strands(spec, style, tress, head, rng), joints) for tress in tresses]
    if beard:
        look = _beard(spec, rest, template, faces, normals, beard)
        low = float(look.points[..., 1].min()) - 0.03
        chin = Ground.of(rest, faces, np.zeros(len(rest)), np.zeros((0, 3)), low, None)
        for _ in range(2):
            look.points[:, 1:] = chin.clear(look.points[:, 1:].reshape(-1, 3), _CLEAR).reshape(len(look.points), -1, 3)
        parts.append(_bound(look, joints))
    return parts


def hat_line(marks: Landmarks, points: np.ndarray) -> np.ndarray:
    """Height [n] of a hat's brim at points [n, 3] around the head: 2 cm above the brows, lower at the back."""
    forward = ((points[..., 2] - marks.center[2]) / 0.09).clip(-1, 1)
    return marks.eye[1] + 0.032 + 0.014 * forward


def _roots(scalp: Piece, style: Style, count: int, rng: np.random.Generator) -> Roots:
    """Roots spread evenly over the scalp's area; scalp.weights: depth and normals of its vertices."""
    chosen, share = _scatter(scalp.vertices, scalp.faces, count, rng)
    values = (scalp.weights[chosen] * share).sum(1)
    points = (scalp.vertices[chosen] * share).sum(1)
    normals = values[:, 1:] / np.linalg.norm(values[:, 1:], axis=1, keepdims=True)
    middles = points[rng.choice(count, style.locks, replace=False)]
    return Roots(points, normals, values[:, 0], cKDTree(middles).query(points)[1])


def _scatter(vertices: np.ndarray, faces: np.ndarray, count: int, rng: np.random.Generator):
    """Random points as triangles [count, 3] and their corners' shares [count, 3, 1], evenly over the area."""
    corner = vertices[faces]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1).cumsum()
    place = (rng.permutation(count) + rng.random(count)) / count * area[-1]
    chosen = faces[np.searchsorted(area, place).clip(0, len(faces) - 1)]
    a, b = np.sqrt(rng.random(count)), rng.random(count)
    return chosen, np.stack([1 - a, a * (1 - b), a * b], -1)[..., None]


def _strands(spec: PersonSpec, style: Style, tress: Tress, head: Head, rng: np.random.Generator) -> Strands:
    """Locks closed up, lifted off the skin, pressed under a hat, and given thickness and shade."""
    points = clumped(tress.points, tress.lock, style.clump) if style.clump else tress.points
    flat = points[:, 1:].reshape(-1, 3)
    above, normal, _ = head.ground.above(flat)
    kept = (above.reshape(len(points), -1) > -_TRAPPED).all(1)
    kept &= (np.linalg.norm(np.diff(points, axis=1), axis=-1) < _LEAP).all(1)
    flat = flat + normal * np.maximum(_CLEAR - above, 0)[:, None]
    if head.hatted:
        flat = _pressed(flat, head)
    points = np.concatenate([points[:, :1], flat.reshape(len(points), -1, 3)], 1)[kept]
    count = len(points)
    taper = np.interp(np.linspace(0, 1, points.shape[1]), [0, 0.6, 1], [1, 0.9, 0.35])
    radii = style.radius * taper * rng.uniform(0.65, 1.3, (count, 1))
    return Strands("hair", points.astype(np.float32), radii.astype(np.float32), _shades(spec, tress.lock[kept], rng))


def _pressed(p: np.ndarray, head: Head) -> np.ndarray:
    """Points [n, 3] pressed to the skull above a hat's brim, less and less below it."""
    for _ in range(3):  # points far out come down in steps, as the skull bends away below them
        above, normal, _ = head.ground.above(p)
        limit = _HAT_GAP + 0.8 * (hat_line(head.marks, p) - p[:, 1]).clip(0)
        excess = np.where(p[:, 1] > head.marks.eye[1], (above - limit).clip(0), 0)
        p = p - normal * excess[:, None]
    return p


def _shades(spec: PersonSpec, lock: np.ndarray, rng: np.random.Generator, darker: float = 1.0) -> np.ndarray:
    """Linear colours [S, 3]: locks and strands differ, some strands are sun-bleached."""
    base = darker * np.asarray(spec.hair.color) ** 2.2
    shade = rng.normal(0, 0.13, lock.max() + 1)[lock] + rng.normal(0, 0.20, len(lock))
    bleached = 0.45 * (rng.random(len(lock)) < 0.10)
    warmth = rng.normal(0, 0.03, (len(lock), 1)) * [1, 0, -1]
    return (base * np.exp(shade + bleached)[:, None] * (1 + warmth)).clip(0.003, 0.95).astype(np.float32)


def _cap(spec: PersonSpec, style: Style, scalp: Piece, head: Head, rng: np.random.Generator) -> Surface:
    """The mass of the hair under the strands: its texture runs along the hair (u across, v away from the hairline)."""
    parted = style.comb in (STYLES["bob"].comb, STYLES["braids"].comb) and not style.curly
    parted |= spec.hair.style == "side_part"
    if spec.hair.style == "braids" and abs(spec.hair.part) < 0.33:
        parted = False
    place = parting(spec)
    pieces = [scalp]
    if parted:  # cut along the parting, so that it is a clean line
        beside = scalp.vertices[:, 0] - place
        pieces = [clip(scalp, beside), clip(scalp, -beside)]
    vertices, faces, uv, first = [], [], [], 0
    for piece in pieces:
        for _ in range(2 if style.curly else 1):
            piece = _finer(piece)
        p, depth = piece.vertices, piece.weights[:, 0]
        normal = piece.weights[:, 1:] / np.linalg.norm(piece.weights[:, 1:], axis=1, keepdims=True)
        high = cap_height(style, depth, p[:, 1], head.marks)
        v = (depth / _DEPTH).clip(0, 0.99) * _PART_ROW
        if parted:
            from_part = np.abs(p[:, 0] - place) + (head.whorl[2] + 0.03 - p[:, 2]).clip(0)
            high = high * (0.1 + 0.9 * (from_part / GROOVE).clip(0, 1) ** 0.6)
            v += (1 - v) * (1 - from_part / 0.008).clip(0)
        if style.curly:
            high = high * (0.92 + 0.06 * _lumps(p, rng))
        if head.hatted:
            below = (hat_line(head.marks, p) - p[:, 1]).clip(0)
            high = np.minimum(high, 0.7 * (_HAT_GAP + 0.8 * below))
        u = _across(spec, p, head, parted)[piece.faces]
        u = np.where((u.max(1) - u.min(1) > 0.5)[:, None] & (u < u.min(1)[:, None] + 0.5), u + 1, u)
        vertices.append(p + normal * high[:, None])
        faces.append(piece.faces + first)
        uv.append(np.stack([2 * u + 1, v[piece.faces]], -1))
        first += len(p)
    albedo, opacity = _cap_textures(spec, style, rng)
    joined = [np.concatenate(values) for values in (vertices, faces, uv)]
    return Surface("hair", joined[0].astype(np.float32), joined[1].astype(np.int32), joined[2].astype(np.float32),
                   albedo, opacity, 0.7, 0.15)  # fmt: skip


def _across(spec: PersonSpec, p: np.ndarray, head: Head, parted: bool) -> np.ndarray:
    """Turns [n] of what is constant along combed hair: the angle about where it comes from or goes to."""
    if spec.hair.style in ("ponytail", "bun") or (spec.hair.style == "braids" and not parted):
        offset = p - head.marks.center
        return np.arctan2(offset[:, 0], offset[:, 1] + 0.2 * offset[:, 2]) / (2 * np.pi)
    offset = p - head.whorl
    if not parted:
        return np.arctan2(offset[:, 0], offset[:, 2]) / (2 * np.pi)
    return np.where(offset[:, 2] > 0, offset[:, 2] / 0.5, np.arctan2(offset[:, 2], np.abs(offset[:, 0])) / (2 * np.pi))


def _cap_textures(spec: PersonSpec, style: Style, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Albedo uint8 [h, w, 3] and opacity uint8 [h, w]: hair thins out towards the hairline, strand by strand."""
    rows, columns = _TEXTURE
    if style.curly:
        shade = rng.normal(0, 0.22, _TEXTURE) + rng.normal(0, 0.2, (rows // 2, columns // 2)).repeat(2, 0).repeat(2, 1)
    elif style.comb is STYLES["buzz"].comb:
        shade = rng.normal(0, 0.16, (rows // 8, columns)).repeat(8, 0) + rng.normal(0, 0.08, _TEXTURE)
    else:
        shade = rng.normal(0, 0.10, (1, columns)) + rng.normal(0, 0.07, (1, columns // 8)).repeat(8, 1)
        shade = shade + rng.normal(0, 0.10, (rows // 32, columns)).repeat(32, 0)
    color = np.asarray(spec.hair.color) * 0.80 * np.exp(shade)[..., None]
    v = 1 - (np.arange(rows)[:, None] + 0.5) / rows
    in_part = ((v - 0.93) / 0.03).clip(0, 1)[..., None]
    scalp = 0.75 * np.asarray(spec.skin.color) + 0.15 * np.asarray(spec.hair.color)
    color = color + (scalp - color) * in_part * 0.8
    edge = np.abs(rng.normal(0, 0.0025, (1, columns))) + rng.uniform(0, 0.003, (1, columns // 16)).repeat(16, 1)
    opacity = ((v / _PART_ROW * _DEPTH - edge) / 0.004).clip(0, 1)
    return (color.clip(0, 1) * 255).astype(np.uint8), (opacity * 255).astype(np.uint8)


def _lumps(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise [n] of about -1..1 with lumps of 2 to 4 cm."""
    waves = rng.normal(0, 160, (6, 3))
    return np.sin(p @ waves.T + rng.uniform(0, 2 * np.pi, 6)).sum(1) / 2.5


def _finer(piece: Piece) -> Piece:
    """Every triangle cut into four at the middles of its edges."""
    ends = np.sort(np.stack([piece.faces, np.roll(piece.faces, -1, 1)], -1).reshape(-1, 2), 1)
    edges, number = np.unique(ends, axis=0, return_inverse=True)
    middle = number.reshape(-1, 3) + len(piece.vertices)
    vertices, weights = (np.concatenate([x, x[edges].mean(1)]) for x in (piece.vertices, piece.weights))
    a, b, c = piece.faces.T
    ab, bc, ca = middle.T
    faces = np.concatenate([np.stack(f, -1) for f in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    return Piece(vertices, weights, faces)


def _beard(spec, rest, template, faces, normals, count) -> Strands:
    """Short strands down the lower face, combed along the skin."""
    rng = np.random.default_rng([spec.seed, 41])
    marks = Landmarks.of(template)
    amount = _beard_amount(template, marks, spec.skin.beard)
    candidates = faces[amount[faces].max(1) > 0]
    chosen, share = _scatter(rest, candidates, 12 * count, rng)
    density = _beard_amount((template[chosen] * share).sum(1), marks, spec.skin.beard)
    kept = np.flatnonzero(rng.random(len(density)) < density)[: int(count * (0.5 + 0.5 * spec.skin.beard_density))]
    chosen, share, density = chosen[kept], share[kept], density[kept]
    root, normal = (rest[chosen] * share).sum(1), (normals[chosen] * share).sum(1)
    where = (template[chosen] * share).sum(1) - marks.mouth
    lip = (where[:, 1:2] > 0.002) & (np.abs(where[:, :1]) < 0.03)
    aside = np.sign(where[:, :1]) * [1.0, 0, 0]
    flow = np.where(lip, [0, -0.7, 0] + 0.9 * aside, [0, -1.0, 0.15] + 0.12 * aside)
    flow = flow - (flow * normal).sum(1, keepdims=True) * normal + rng.normal(0, 0.16, root.shape)
    flow /= np.linalg.norm(flow, axis=1, keepdims=True)
    length = _BEARD_LENGTH[spec.skin.beard] * rng.uniform(0.6, 1.15, len(root)) * (0.4 + 0.6 * density)
    length *= 0.7 + 0.5 * spec.skin.beard_density
    t = np.linspace(0, 1, 5)[:, None]
    lift = (0.0012 + 0.35 * length)[:, None, None] * np.sin(0.5 * np.pi * t) * 0.8
    points = root[:, None] - 0.001 * normal[:, None] * (t == 0) + length[:, None, None] * t * flow[:, None]
    points = points + lift * normal[:, None] + (length[:, None, None] * 0.25 * t**2) * [0, -1, 0]
    radii = np.interp(t[:, 0], [0, 1], [0.00030, 0.00014]) * rng.uniform(0.7, 1.3, (len(root), 1))
    colors = _shades(spec, np.arange(len(root)) // 8, rng, darker=0.7)
    return Strands("hair", points.astype(np.float32), radii.astype(np.float32), colors)


def _beard_amount(p: np.ndarray, marks: Landmarks, kind: str) -> np.ndarray:
    """Density 0..1 of a beard at points [n, 3] of the template."""
    ramp = lambda value, width: (value / width + 0.5).clip(0, 1)  # noqa: E731
    x, y = np.abs(p[:, 0]), p[:, 1] - marks.mouth[1]
    chin = marks.chin - marks.mouth[1]
    face = ramp(p[:, 2] - marks.center[2] - 0.005, 0.03)
    upper = ramp(y - 0.0085, 0.004) * ramp(0.021 - 0.25 * x - y, 0.004) * ramp(0.031 - x, 0.006)
    corner = ramp(x - 0.025, 0.004) * ramp(0.035 - x, 0.006) * ramp(0.012 - y, 0.004) * ramp(y - chin, 0.01)
    lower = ramp(-0.014 - y, 0.004) * ramp(y - chin + 0.012, 0.01) * ramp(0.026 - x, 0.010)
    cheek_line = 0.004 + 0.55 * (x - 0.035).clip(0) + 2.2 * (x - 0.056).clip(0)
    below = y - chin + 0.016 - 0.25 * (x - 0.02).clip(0)
    jaw = ramp(cheek_line - y, 0.010) * ramp(below, 0.012) * ramp(x - 0.028, 0.008)
    ahead = ramp(p[:, 2] - marks.ear[2] - 0.018, 0.02)
    shape = {"moustache": upper, "goatee": np.maximum.reduce([upper, corner, lower])}
    amount = shape[kind] if kind in shape else np.maximum.reduce([upper, corner, lower, jaw * ahead])
    return amount * np.maximum(face, 0.0) * (p[:, 2] > marks.center[2] - 0.01)


def _bound(look: Surface | Strands, joints: np.ndarray) -> tuple[np.ndarray, Surface | Strands]:
    """The part with weights [n, 55]: the head's above the neck, then the neck's, then the upper back's."""
    points = look.vertices if isinstance(look, Surface) else look.points.reshape(-1, 3)
    head = joints[JOINT_NAMES.index("head"), 1]
    low = ((head - 0.02 - points[:, 1]) / 0.16).clip(0, 1)
    weights = np.zeros((len(points), len(JOINT_NAMES)), np.float32)
    weights[:, JOINT_NAMES.index("head")] = (1 - 2 * low).clip(0)
    weights[:, JOINT_NAMES.index("spine3")] = (2 * low - 1).clip(0)
    weights[:, JOINT_NAMES.index("neck")] = 1 - np.abs(2 * low - 1)
    return weights, look
