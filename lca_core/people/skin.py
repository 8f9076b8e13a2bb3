"""Skin painted per person in texture space: tone, mottling, lips, brows, nails, blush, freckles, moles, stubble.

What depends on the topology only (where each texel lies on the template, MakeHuman's CC0 masks, 3D noise) is
rasterised once into the cache; painting a person is then a few array operations.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, map_coordinates

from lca_core.paths import atomic_path, cache_dir
from lca_core.people import basemesh
from lca_core.people.spec import PersonSpec

MASKS = ("lips", "fingernails", "toenails", "ears", "eyelids", "inside-mouth", "aureolae")
_NOISE_PER_METRE = (14.0, 45.0, 140.0, 420.0)
_NOISE_COPIES = 3


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
    0..1 by name; noise: int8 [frequency, copy, px, px]; fields: as `_fields` gives them."""

    position: np.ndarray
    masks: dict[str, np.ndarray]
    noise: np.ndarray
    fields: dict[str, np.ndarray]


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
    return Atlas(position, masks, noise, _fields(position, masks, noise, Landmarks.of(template)))


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
    x, y = np.abs(offset[..., 0]), offset[..., 1]
    height = position[..., 1] - marks.chin
    fine, pore = (noise[row, 0].astype(np.float32) / 127 for row in (2, 3))
    face = _soft(height + 0.02, 0.02) * _soft(offset[..., 2] + 0.06, 0.03)
    around_eyes = _spots(offset, (0.030, 0.0, -0.005), 0.016)
    beard = _soft(-y - 0.052 - 0.35 * np.maximum(x - 0.045, 0), 0.008) * face
    beard *= _soft(height + 0.012, 0.015) * _soft(0.075 - x, 0.01)
    beard *= 1 - _soft(0.010 - np.abs(position[..., 1] - marks.mouth[1]), 0.004) * (x < 0.026)
    scalp = scalp_depth(position, marks) + 0.0015 * fine + 0.0025 * pore
    return {
        "cheeks": _spots(offset, (0.045, -0.042, -0.012), 0.022),
        "nose": _spots(offset, (0.0, -0.042, 0.03), 0.014),
        "ruddy": 0.5 * masks["ears"] + 0.25 * masks["eyelids"] + 0.2 * _spots(offset, (0.0, -0.105, 0.0), 0.016),
        "tired": 0.10 * _spots(offset, (0.030, -0.017, 0.0), 0.009) + 0.05 * masks["eyelids"],
        "freckled": (_spots(offset, (0.03, -0.035, 0.0), 0.03) + _spots(offset, (0.0, -0.02, 0.0), 0.03)
                     + 0.25 * (1 - face)).clip(0, 1),
        "moles": face * (1 - around_eyes) * (1 - masks["lips"]),
        "beard": beard,
        "brows": _brows(offset, fine, pore),
        "hair": _soft(scalp, 0.005) * (1 - masks["ears"]),
        "nails": 0.55 * np.maximum(masks["fingernails"], masks["toenails"]),
    }  # fmt: skip


def paint(spec: PersonSpec, skin_atlas: Atlas) -> np.ndarray:
    """The person's skin: uint8 sRGB [px, px, 3]."""
    rng = np.random.default_rng([spec.seed, 10])
    skin, masks, fields, position = spec.skin, skin_atlas.masks, skin_atlas.fields, skin_atlas.position
    blend = rng.normal(size=(len(_NOISE_PER_METRE), _NOISE_COPIES))
    blend = (blend / np.linalg.norm(blend, axis=1, keepdims=True)).astype(np.float32) / 50.0
    low, mid, fine, pore = (np.tensordot(blend[row], skin_atlas.noise[row], 1) for row in range(4))

    redness = fields["cheeks"] * (0.9 * skin.blush) + fields["nose"] * (0.25 + 0.5 * skin.blush) + fields["ruddy"]
    redness += 0.05 * low + 0.07 * mid
    redness *= 0.55 + 0.45 * (1 - skin.tone)
    shade = 1 + 0.014 * low + 0.014 * mid + 0.016 * fine + 0.022 * pore - fields["tired"]
    color = np.empty((*shade.shape, 3), np.float32)
    for channel, change in enumerate((0.05, -0.13, -0.11)):
        color[..., channel] = skin.color[channel] * shade * (1 + change * redness)

    if skin.freckles:
        dots = _soft(pore + 0.4 * fine - 0.62, 0.08) * fields["freckled"] * skin.freckles
        _tint(color, np.s_[:, :], dots, (0.78, 0.64, 0.58))
    places = np.flatnonzero(fields["moles"].ravel() > 0.5)
    for place in rng.choice(places, skin.moles):
        row, column = np.divmod(place, len(position))
        reach = len(position) // 64
        window = np.s_[max(row - reach, 0) : row + reach, max(column - reach, 0) : column + reach]
        away = np.square(position[window] - position[row, column]).sum(-1)
        _tint(color, window, np.exp(-((away / rng.uniform(0.0012, 0.0022) ** 2) ** 2)), (0.55, 0.45, 0.40))
    if skin.beard != "none":
        grain = rng.standard_normal(shade.shape, dtype=np.float32)
        amount = fields["beard"] * skin.beard_density * (0.30 + 0.12 * pore + 0.14 * grain).clip(0, 0.7)
        _cover(color, spec.hair.color, amount)
    _cover(color, skin.lips, masks["lips"] * skin.lip_strength, 1 + 0.05 * fine + 0.06 * pore)
    _cover(color, np.asarray(skin.color) * 0.5 + [0.42, 0.26, 0.25], fields["nails"])
    _tint(color, np.s_[:, :], 0.7 * masks["aureolae"], (0.72, 0.55, 0.52))
    _cover(color, (0.36, 0.13, 0.13), masks["inside-mouth"])
    _cover(color, _brow_color(spec), fields["brows"] * skin.brow_density)
    density = {"bald": 0.10, "buzz": 0.82}.get(spec.hair.style, 0.92)
    _cover(color, spec.hair.color, fields["hair"] * density, 0.75 + 0.12 * pore + 0.12 * fine)
    return (color.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _cover(color: np.ndarray, paint: tuple | np.ndarray, amount: np.ndarray, shade: np.ndarray | None = None) -> None:
    """Lay paint over the picture in place, only where there is any."""
    where = np.flatnonzero(amount.ravel() > 0.004)
    flat, share = color.reshape(-1, 3), amount.ravel()[where, None]
    laid = np.asarray(paint, np.float32) * (1.0 if shade is None else shade.ravel()[where, None])
    flat[where] = flat[where] * (1 - share) + laid * share


def _tint(color: np.ndarray, window: tuple, amount: np.ndarray, factor: tuple[float, float, float]) -> None:
    color[window] *= 1 - amount[..., None] * (1 - np.asarray(factor, np.float32))


def _brows(offset: np.ndarray, fine: np.ndarray, pore: np.ndarray) -> np.ndarray:
    """Two brows as soft strokes broken up by noise, [px, px] in 0..1."""
    x, y = np.abs(offset[..., 0]), offset[..., 1]
    along = ((x - 0.012) / 0.040).clip(0, 1)
    arch = 0.0205 + 0.0055 * np.sin(np.pi * (0.15 + 0.7 * along)) - 0.003 * along
    thickness = 0.0048 * (1 - 0.55 * along)
    stroke = _soft(thickness - np.abs(y - arch), 0.0016) * _soft(x - 0.0115, 0.003) * _soft(0.054 - x, 0.004)
    return stroke * (offset[..., 2] > -0.03) * (0.78 + 0.4 * pore + 0.2 * fine).clip(0.2, 1)


def _brow_color(spec: PersonSpec) -> np.ndarray:
    hair = np.asarray(spec.hair.color, np.float32)
    dark = np.array([0.16, 0.11, 0.08], np.float32)
    return hair * 0.55 + dark * 0.45 if max(hair) - min(hair) < 0.45 else dark + 0.1 * (1 - spec.skin.tone)


def _soft(value: np.ndarray, width: float) -> np.ndarray:
    """0 below -width, 1 above width, smooth between."""
    t = (value / (2 * width) + 0.5).clip(0, 1)
    return t * t * (3 - 2 * t)


def _spots(offset: np.ndarray, center: tuple[float, float, float], radius: float) -> np.ndarray:
    """A Gaussian spot on both sides of the face."""
    x, y, z = (value - place for value, place in zip((np.abs(offset[..., 0]), offset[..., 1], offset[..., 2]), center,
                                                     strict=True))  # fmt: skip
    return np.exp(-(x * x + y * y + z * z) / radius**2).astype(np.float32)
