"""Skin painted per person in texture space: tone, blush, lips, brows, beard, wrinkles, freckles, moles, nails.

What depends on the topology only (where each texel lies on the template, MakeHuman's CC0 masks, 3D noise) is
rasterised once into the cache; painting a person is then a few array operations.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, map_coordinates

from lca_core.body import basemesh
from lca_core.paths import atomic_path, cache_dir
from lca_core.people.body.features import Brow, beard_region, soft, wrinkle_lines
from lca_core.people.who.spec import PersonSpec

MASKS = ("lips", "fingernails", "toenails", "ears", "eyelids", "inside-mouth", "aureolae")
_NOISE_PER_METRE = (14.0, 45.0, 140.0, 420.0)
_NOISE_COPIES = 3
_PORE_DEPTH, _WRINKLE_DEPTH, _FOLD_DEPTH = 0.00006, 0.00045, 0.0003  # metres


@dataclass(frozen=True)
class Landmarks:
    """Where the template's face is, metres: what features are placed by."""

    eye: np.ndarray  # left eye's centre [3]
    crown: float  # height of the top of the head
    chin: float
    ear: np.ndarray  # left ear's centre [3]
    mouth: np.ndarray  # centre of the lips [3]
    center: np.ndarray  # middle of the skull [3]

    @classmethod
    def of(cls, template: np.ndarray) -> "Landmarks":
        """Find them on template vertices [V, 3] in base.obj order."""
        mesh = basemesh.load()
        eye = template[np.unique(mesh.quads[mesh.select("helper-l-eye")])].mean(0)
        body = np.unique(mesh.quads[mesh.select("body")])
        head = body[template[body, 1] > eye[1] - 0.12]
        points = template[head]
        skull = points[points[:, 1] > eye[1]]
        middle = points[np.abs(points[:, 0]) < 0.004]
        teeth = template[np.unique(mesh.quads[mesh.select("helper-upper-teeth", "helper-lower-teeth")])]
        ear = points[points[:, 0] > points[:, 0].max() - 0.012].mean(0)
        center = np.array([0.0, eye[1] + 0.02, (skull[:, 2].min() + skull[:, 2].max()) / 2])
        front = middle[middle[:, 2] > teeth[:, 2].max() - 0.02]
        mouth = np.array([0.0, teeth[:, 1].mean(), teeth[:, 2].max()])
        return cls(eye, float(points[:, 1].max()), float(front[:, 1].min()), ear, mouth, center)


@dataclass(frozen=True)
class Atlas:
    """What the texture shows where. position: float32 [px, px, 3] on the template; masks: float32 [px, px] in
    0..1 by name; noise: int8 [frequency, copy, px, px]; fields: as `_fields` gives them; face: flat indices [n] of the
    texels of the face, and offset: float32 [n, 3], where they are (see `features`)."""

    position: np.ndarray
    masks: dict[str, np.ndarray]
    noise: np.ndarray
    fields: dict[str, np.ndarray]
    face: np.ndarray
    offset: np.ndarray


def scalp_depth(points: np.ndarray, marks: Landmarks) -> np.ndarray:
    """How far points [..., 3] of the template lie inside the hairline, metres; negative outside (on the face)."""
    offset = points - marks.center
    azimuth = np.degrees(np.abs(np.arctan2(offset[..., 0], offset[..., 2])))
    forehead = marks.crown - marks.eye[1]
    degrees = [0, 30, 48, 62, 76, 88, 104, 118, 140, 180]
    heights = [0.60, 0.62, 0.60, 0.36, 0.18, 0.05, 0.10, -0.15, -0.55, -0.68]
    line = marks.eye[1] + forehead * np.interp(azimuth, degrees, heights)
    return points[..., 1] - line


@lru_cache(maxsize=2)
def atlas(template_bytes: bytes, px: int) -> Atlas:
    """The atlas of this template (float32 [V, 3] as bytes), from the cache or made (a few seconds, once)."""
    template = np.frombuffer(template_bytes, np.float32).reshape(-1, 3)
    key = hashlib.sha256(template_bytes).hexdigest()[:12]
    cached = cache_dir("people") / f"skin-{key}-{px}-3.npz"
    if not cached.exists():
        with atomic_path(cached) as path:
            np.savez(path, **_rasterize(template, px))
    with np.load(cached) as data:
        position = data["position"]
        masks = {name: data[name].astype(np.float32) / 255 for name in MASKS}
        noise = data["noise"]
    marks = Landmarks.of(template)
    offset = (position - marks.eye * np.array([0, 1, 1], np.float32)).reshape(-1, 3)
    on_face = (offset > [-0.08, -0.14, -0.075]).all(1) & (offset < [0.08, 0.085, 0.1]).all(1)
    face = np.flatnonzero(on_face & (masks["inside-mouth"].ravel() < 0.5))
    return Atlas(position, masks, noise, _fields(position, masks, noise, marks), face, offset[face])


def _rasterize(template: np.ndarray, px: int) -> dict[str, np.ndarray]:
    mesh = basemesh.load()
    rows = mesh.select("body")
    faces, uv = mesh.triangles(rows)
    source = np.concatenate([mesh.source_uv[rows][:, [0, 1, 2]], mesh.source_uv[rows][:, [0, 2, 3]]])
    values = np.concatenate([template[faces], source], -1)  # [F, 3, 5]
    corners = np.stack([uv[..., 0] * px, (1 - uv[..., 1]) * px], -1) - 0.5
    picture = np.full((px, px, 5), np.nan, np.float32)
    for corner, value in zip(corners, values, strict=True):
        _fill_triangle(picture, corner, value)
    empty = np.isnan(picture[..., 0])
    nearest = distance_transform_edt(empty, return_distances=False, return_indices=True)
    picture = picture[tuple(nearest)]
    arrays = {"position": picture[..., :3]}
    for name in MASKS:
        mask = np.asarray(Image.open(basemesh.mesh_data() / "textures" / f"mpfb_{name}.jpg").convert("L"), np.float32)
        place = [(1 - picture[..., 4]) * mask.shape[0] - 0.5, picture[..., 3] * mask.shape[1] - 0.5]
        arrays[name] = map_coordinates(mask, place, order=1, mode="nearest").clip(0, 255).astype(np.uint8)
    rng = np.random.default_rng(1)
    noise = np.empty((len(_NOISE_PER_METRE), _NOISE_COPIES, px, px), np.int8)
    for row, frequency in enumerate(_NOISE_PER_METRE):
        for copy in range(_NOISE_COPIES):
            lattice = rng.uniform(-1, 1, (48, 48, 48)).astype(np.float32)
            place = np.moveaxis((picture[..., :3] + 2.0) * frequency + copy * 7.3, -1, 0)
            noise[row, copy] = map_coordinates(lattice, place, order=1, mode="grid-wrap") * 127
    arrays["noise"] = noise
    return arrays


def _fill_triangle(picture: np.ndarray, corner: np.ndarray, value: np.ndarray) -> None:
    height, width = picture.shape[:2]
    left, top = np.maximum(np.floor(corner.min(0)).astype(int), 0)
    right = min(int(np.ceil(corner[:, 0].max())), width - 1)
    bottom = min(int(np.ceil(corner[:, 1].max())), height - 1)
    edge = np.stack([corner[1] - corner[0], corner[2] - corner[0]], -1)
    det = edge[0, 0] * edge[1, 1] - edge[0, 1] * edge[1, 0]
    if abs(det) < 1e-9:
        return
    x, y = np.meshgrid(np.arange(left, right + 1), np.arange(top, bottom + 1))
    dx, dy = x - corner[0, 0], y - corner[0, 1]
    b = (dx * edge[1, 1] - dy * edge[0, 1]) / det
    c = (dy * edge[0, 0] - dx * edge[1, 0]) / det
    inside = (b >= -1e-3) & (c >= -1e-3) & (b + c <= 1 + 1e-3)
    if inside.any():
        b, c = b[inside, None], c[inside, None]
        picture[y[inside], x[inside]] = (1 - b - c) * value[0] + b * value[1] + c * value[2]


def _fields(position: np.ndarray, masks: dict[str, np.ndarray], noise: np.ndarray, marks: Landmarks) -> dict:
    """Where features lie, for every person alike: float32 [px, px] in about 0..1 by name."""
    offset = position - marks.eye * np.array([0, 1, 1], np.float32)  # from the point between the eyes
    fine, pore = (noise[row, 0].astype(np.float32) / 127 for row in (2, 3))
    face = soft(position[..., 1] - marks.chin + 0.02, 0.02) * soft(offset[..., 2] + 0.06, 0.03)
    around_eyes = _spots(offset, (0.030, 0.0, -0.005), 0.016)
    scalp = scalp_depth(position, marks)
    return {
        "cheeks": _spots(offset, (0.045, -0.042, -0.012), 0.022),
        "nose": _spots(offset, (0.0, -0.042, 0.03), 0.014),
        "ruddy": 0.5 * masks["ears"] + 0.25 * masks["eyelids"] + 0.2 * _spots(offset, (0.0, -0.105, 0.0), 0.016),
        "tired": 0.10 * _spots(offset, (0.027, -0.013, 0.0), 0.010) + 0.06 * _spots(offset, (0.014, 0.0, 0.005), 0.008),
        "nostrils": _spots(offset, (0.0072, -0.0485, 0.029), 0.0034),
        "freckled": (_spots(offset, (0.03, -0.035, 0.0), 0.026) + _spots(offset, (0.0, -0.025, 0.02), 0.022)
                     + 0.06 * face).clip(0, 1),
        "moles": face * (1 - around_eyes) * (1 - masks["lips"]),
        "hair": soft(scalp + 0.0015 * fine + 0.0025 * pore, 0.006) * (1 - masks["ears"]),
        "shaved": soft(scalp - 0.004, 0.014) * (1 - masks["ears"]),
        "nails": 0.55 * np.maximum(masks["fingernails"], masks["toenails"]),
    }  # fmt: skip


def paint(spec: PersonSpec, skin_atlas: Atlas) -> np.ndarray:
    """The person's skin: uint8 sRGB [px, px, 3]."""
    rng = np.random.default_rng([spec.seed, 10])
    skin, masks, fields = spec.skin, skin_atlas.masks, skin_atlas.fields
    low, mid, fine, pore = _noise(rng, skin_atlas)

    redness = fields["cheeks"] * (0.8 * skin.blush) + fields["nose"] * (0.25 + 0.5 * skin.blush) + fields["ruddy"]
    redness += 0.05 * low + 0.05 * mid + 0.03 * fine
    redness *= 0.55 + 0.45 * (1 - skin.tone)
    shade = 1 + 0.006 * low + 0.005 * mid + 0.006 * fine + 0.010 * pore - fields["tired"] - 0.5 * fields["nostrils"]
    color = np.empty((*shade.shape, 3), np.float32)
    for channel, change in enumerate((0.04, -0.13, -0.11)):
        color[..., channel] = skin.color[channel] * shade * (1 + change * redness)

    _freckles(color, spec, skin_atlas, rng)
    _cover(color, _lip_color(spec), masks["lips"] * skin.lip_strength, 1 + 0.04 * fine + 0.05 * pore)
    _cover(color, np.asarray(skin.color) * 0.5 + [0.42, 0.26, 0.25], fields["nails"])
    _tint(color, 0.7 * masks["aureolae"], (0.72, 0.55, 0.52))
    _cover(color, (0.36, 0.13, 0.13), masks["inside-mouth"])
    if spec.hair.style == "bald":
        _tint(color, fields["shaved"] * (0.10 + 0.015 * pore), _shadow(spec))
    elif spec.hair.style == "buzz":
        _cover(color, spec.hair.color, fields["shaved"] * 0.72, 0.85 + 0.08 * pore + 0.08 * fine)
    else:
        _cover(color, spec.hair.color, fields["hair"] * 0.92, 0.75 + 0.10 * pore + 0.10 * fine)
    flat = color.reshape(-1, 3)
    flat[skin_atlas.face] = _paint_face(flat[skin_atlas.face], spec, skin_atlas)
    return (color.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def bump(spec: PersonSpec, skin_atlas: Atlas) -> np.ndarray:
    """Height of the skin over its mesh, metres: float32 [px, px]; pores, and lines that deepen with age."""
    pore = _noise(np.random.default_rng([spec.seed, 10]), skin_atlas)[3]
    height = _PORE_DEPTH * pore
    age, young = wrinkle_lines(skin_atlas.offset, np.random.default_rng([spec.seed, 12]))
    depth = _WRINKLE_DEPTH * min(spec.skin.wrinkles, 1) * age + _FOLD_DEPTH * (0.3 + spec.skin.wrinkles) * young
    height.ravel()[skin_atlas.face] -= depth
    return height


def _paint_face(color: np.ndarray, spec: PersonSpec, skin_atlas: Atlas) -> np.ndarray:
    """Lines, beard and brows laid on the face's texels [n, 3]."""
    skin, offset = spec.skin, skin_atlas.offset
    age, young = wrinkle_lines(offset, np.random.default_rng([spec.seed, 12]))
    _tint(color, 0.30 * min(skin.wrinkles, 1) * age + (0.06 + 0.22 * skin.wrinkles) * young, (0.55, 0.40, 0.36))
    rng = np.random.default_rng([spec.seed, 11])
    grown = float(np.interp(spec.build.age, (6, 16), (0, 1)))
    brows = Brow.sample(rng, spec.build.sex * grown, skin.brow_density * (0.3 + 0.7 * grown)).cover(offset, rng)
    if skin.beard != "none":
        most = {"stubble": 0.42, "full": 0.85}.get(skin.beard, 0.75) * (0.55 + 0.45 * skin.beard_density)
        grain = rng.standard_normal(len(offset), dtype=np.float32)
        amount = beard_region(skin.beard, offset) * most * (0.8 + 0.28 * grain).clip(0.1, 1)
        _cover(color, _brow_color(spec), amount)
    _cover(color, _brow_color(spec), brows)
    return color


def _noise(rng: np.random.Generator, skin_atlas: Atlas) -> list[np.ndarray]:
    """A mixture of the atlas' noise of this person's own: float32 [px, px] of about unit spread a frequency."""
    blend = rng.normal(size=(len(_NOISE_PER_METRE), _NOISE_COPIES))
    blend = (blend / np.linalg.norm(blend, axis=1, keepdims=True)).astype(np.float32) / 50.0
    return [np.tensordot(blend[row], skin_atlas.noise[row], 1) for row in range(len(blend))]


def _freckles(color: np.ndarray, spec: PersonSpec, skin_atlas: Atlas, rng: np.random.Generator) -> None:
    """Freckles and moles, dots of 0.4 to 2 mm."""
    fields, skin = skin_atlas.fields, spec.skin
    if skin.freckles:
        share = np.cumsum(fields["freckled"].ravel()[skin_atlas.face])
        count = int(420 * skin.freckles)
        places = skin_atlas.face[np.searchsorted(share, rng.random(count) * share[-1])]
        strength = rng.uniform(0.15, 0.75, count)
        _dots(color, skin_atlas.position, places, rng.uniform(0.0005, 0.0012, count), strength, (0.78, 0.62, 0.54))
    places = skin_atlas.face[fields["moles"].ravel()[skin_atlas.face] > 0.5]
    radius = rng.uniform(0.0008, 0.0019, skin.moles)
    _dots(color, skin_atlas.position, rng.choice(places, skin.moles), radius, np.ones(skin.moles), (0.55, 0.45, 0.40))


def _dots(color, position, places, radius, strength, factor) -> None:
    """Round dots at texels [n] (flat) of the picture, radius [n] in metres, as strong as strength [n], in place."""
    px = len(color)
    reach = np.arange(-max(px // 200, 1), max(px // 200, 1) + 1)
    row, column = np.divmod(places, px)
    rows = (row[:, None, None] + reach[:, None]).clip(0, px - 1)
    columns = (column[:, None, None] + reach).clip(0, px - 1)
    away = np.square(position[rows, columns] - position[row, column][:, None, None]).sum(-1)
    amount = strength[:, None, None] * np.exp(-np.square(away / np.square(radius)[:, None, None]))
    np.multiply.at(color, (rows, columns), 1 - amount[..., None] * (1 - np.asarray(factor, np.float32)))


def _cover(color: np.ndarray, paint: tuple | np.ndarray, amount: np.ndarray, shade: np.ndarray | None = None) -> None:
    """Lay paint over the picture in place, only where there is any."""
    where = np.flatnonzero(amount.ravel() > 0.004)
    flat, share = color.reshape(-1, 3), amount.ravel()[where, None]
    laid = np.asarray(paint, np.float32) * (1.0 if shade is None else shade.ravel()[where, None])
    flat[where] = flat[where] * (1 - share) + laid * share


def _tint(color: np.ndarray, amount: np.ndarray, factor: tuple | np.ndarray) -> None:
    """Multiply the picture by a factor in place, only where there is any."""
    where = np.flatnonzero(amount.ravel() > 0.004)
    color.reshape(-1, 3)[where] *= 1 - amount.ravel()[where, None] * (1 - np.asarray(factor, np.float32))


def _luma(color: tuple | np.ndarray) -> float:
    return float(np.dot(color, [0.299, 0.587, 0.114]))


def _lip_color(spec: PersonSpec) -> np.ndarray:
    """The colour of the lips, no brighter than the skin allows: the same lipstick looks deeper on dark skin."""
    limit = 0.95 * _luma(spec.skin.color) + 0.10
    return np.asarray(spec.skin.lips) * min(1.0, limit / _luma(spec.skin.lips))


def _brow_color(spec: PersonSpec) -> np.ndarray:
    """Brows and beard: the hair's colour a little darker, but natural where the hair is dyed."""
    hair, dark = np.asarray(spec.hair.color, np.float32), np.array([0.13, 0.09, 0.07], np.float32)
    return hair * 0.6 + dark * 0.4 if np.ptp(hair) < 0.45 else dark + 0.1 * (1 - spec.skin.tone)


def _shadow(spec: PersonSpec) -> np.ndarray:
    """What a shaved scalp is multiplied by: cut hair shows through as a cool shadow, grey hair hardly."""
    return np.interp(_luma(spec.hair.color), (0.1, 0.5), (0.0, 0.8)) * np.ones(3) + [0.0, 0.06, 0.12]


def _spots(offset: np.ndarray, center: tuple[float, float, float], radius: float) -> np.ndarray:
    """A Gaussian spot on both sides of the face."""
    x, y, z = (value - place for value, place in zip((np.abs(offset[..., 0]), offset[..., 1], offset[..., 2]), center,
                                                     strict=True))  # fmt: skip
    return np.exp(-(x * x + y * y + z * z) / radius**2).astype(np.float32)
