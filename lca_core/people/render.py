"""Path-traced pictures of a digital human: surfaces and strands in, sRGB pictures with mattes out.

Mitsuba draws the person alone (no emitter in view), so the picture comes with its own alpha; Intel's
denoiser cleans it with albedo and normals as guides; the background is laid behind it in linear light.
"""

import gc
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter

from lca_core.data.records import Camera, Truth
from lca_core.people.backend import mitsuba
from lca_core.people.light import Light
from lca_core.people.parts import PART_IDS, Strands, Surface

STUDIO_GREY = (196, 198, 200)
_SPREAD = 2.0  # pixels: standard deviation of the means around a silhouette
_ALBEDO_FLOOR = 0.1
_MARGIN = 16  # pixels that the denoiser sees around what it is wanted for
_SEGMENTS = 16_384  # of a bundle of strands
_TABLE, _LAMPS = 512, 8  # shapes, surfaces and lights that drjit's tables have room for
_MAX_DEPTH = 4  # bounces; more changes pictures of one person in the open by less than their noise


class Shot(NamedTuple):
    """image: uint8 [H, W, 3] sRGB; matte: uint8 [H, W]; truth: where it was asked for; hidden: as `Picture` has it."""

    image: np.ndarray
    matte: np.ndarray
    truth: Truth | None
    hidden: np.ndarray | None = None


class Traced(NamedTuple):
    """The person alone: color float32 [H, W, 3], linear, premultiplied, denoised; alpha float32 [H, W, 1]; albedo
    float32 [H, W, 3], carried on beyond the silhouette."""

    color: np.ndarray
    alpha: np.ndarray
    albedo: np.ndarray


def render(
    parts: Sequence[Surface | Strands],
    cameras: Sequence[Camera],
    light: Light,
    samples_per_pixel: int,
    background: Sequence | None = None,
    seed: int = 0,
) -> list[Shot]:
    """Draw `parts` from every camera.

    background: None for the studio's grey, one sRGB triple for all, or one uint8 [H, W, 3] picture a camera.
    """
    return Stage(parts, light).shoot(cameras, samples_per_pixel, background, seed)


class Stage:
    """A scene kept between frames: built once, its geometry replaced as the person moves."""

    def __init__(self, parts: Sequence[Surface | Strands], light: Light):
        self._mi = mitsuba()
        _share_kernels()
        self._shapes: dict[str, _Mesh | _Curves] = {}
        of_part = {}  # shape -> number of its part
        for name, chosen in _grouped(parts).items():
            self._shapes[name] = _Mesh(chosen[0]) if isinstance(chosen[0], Surface) else _Curves(chosen)
            of_part[name] = PART_IDS[chosen[0].part]
        environment = self._mi.Bitmap(np.ascontiguousarray(light.environment, np.float32))
        scene = {"type": "scene", "light": {"type": "envmap", "bitmap": environment}}
        for name, shape in self._shapes.items():
            scene[name] = shape.shape
        self._scene = self._mi.load_dict(scene)
        self._veils = {i: p.vertices for i, p in enumerate(parts) if isinstance(p, Surface) and p.opacity is not None}
        self._params = self._mi.traverse(self._scene)
        self._sensors = {}
        path = {"type": "path", "max_depth": _MAX_DEPTH, "rr_depth": 100, "hide_emitters": True}
        self._path = self._mi.load_dict(path)
        # The guides apart from the path: one integrator for both would trace every path twice under LLVM.
        self._guides = self._mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
        exact = "place:position,normal:sh_normal,shape:shape_index,uv:uv"
        self._exact = self._mi.load_dict({"type": "aov", "aovs": exact})
        number = self._shape_numbers()
        self._part_of_shape = np.zeros(max(number.values()) + 1, np.uint8)
        for name, part_id in of_part.items():
            self._part_of_shape[number[name]] = part_id
        self._see_through = []  # (shape, opacity) of lashes: what a ray meets there may not be there
        for i, part in enumerate(parts):
            if isinstance(part, Surface) and part.opacity is not None:
                self._see_through.append((number[f"part{i}"], part.opacity))

    def _shape_numbers(self) -> dict[str, int]:
        """What the integrator "shape_index" writes for each shape: its pointer's number, or its place from 1 on."""
        shapes = self._scene.shapes()
        if not _jit():
            return {shape.id(): number for number, shape in enumerate(shapes, 1)}
        import drjit as dr

        return {shape.id(): int(dr.reinterpret_array(self._mi.UInt32, self._mi.ShapePtr(shape))[0]) for shape in shapes}

    def move(self, parts: Sequence[Surface | Strands]) -> None:
        """Replace the geometry by the same parts in another pose (same order, same topology)."""
        self._veils = {i: parts[i].vertices for i in self._veils}
        groups = _grouped(parts)
        for name, shape in self._shapes.items():
            for buffer, values in shape.buffers(*groups.pop(name)).items():
                self._params[f"{name}.{buffer}"] = values
        if groups:
            raise ValueError(f"there are more parts than the stage was built with: {', '.join(groups)}")
        self._params.update()

    def relight(self, light: Light) -> None:
        """Replace the light by another whose map has the same size."""
        environment = np.asarray(light.environment, np.float32)
        padded = np.concatenate([environment[:, -1:], environment, environment[:, :1]], 1)  # mitsuba wraps it around
        self._params["light.data"] = self._mi.TensorXf(np.ascontiguousarray(padded))
        self._params.update()

    def shoot(
        self,
        cameras: Sequence[Camera],
        samples_per_pixel: int,
        background: Sequence | None = None,
        seed: int = 0,
        truth: bool = False,
    ) -> list[Shot]:
        """Pictures of the present pose; arguments as `render`'s. truth: with depth, normals and parts."""
        if background is None or np.isscalar(background[0]):
            background = [background or STUDIO_GREY] * len(cameras)
        shots = []
        for i, (camera, behind) in enumerate(zip(cameras, background, strict=True)):
            traced = self.trace(camera, samples_per_pixel, seed * 1009 + i)
            linear = traced.color + (1 - traced.alpha) * to_linear(np.asarray(behind))
            matte = np.round(traced.alpha[..., 0] * 255).astype(np.uint8)
            shots.append(Shot(to_srgb8(linear), matte, self.truth(camera) if truth else None))
        return shots

    def trace(self, camera: Camera, samples_per_pixel: int, seed: int) -> Traced:
        """The person under the light, before any background."""
        settings = {"sensor": self._sensor(camera), "spp": samples_per_pixel, "seed": seed}
        color = np.asarray(self._mi.render(self._scene, integrator=self._path, **settings), np.float32)
        guides = np.asarray(self._mi.render(self._scene, integrator=self._guides, **settings), np.float32)
        color, guides = np.nan_to_num(color), np.nan_to_num(guides)[..., -6:]
        alpha = np.clip(color[..., 3:4], 0, 1)
        if not alpha.any():
            return Traced(color[..., :3], alpha, guides[..., :3])
        person = _box(alpha[..., 0] > 0)
        clean, albedo = self._denoised(
            color[person][..., :3], guides[person], alpha[person], self._veiled(camera)[person]
        )
        around = [(rows.start, size - rows.stop) for rows, size in zip(person, alpha.shape)] + [(0, 0)]
        return Traced(np.pad(clean, around) * alpha, alpha, np.pad(albedo, around, mode="edge"))

    def _denoised(
        self, color: np.ndarray, guides: np.ndarray, alpha: np.ndarray, veiled: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(colour, albedo) [h, w, 3] of the person, both carried on past the silhouette."""
        # The denoiser gets the person's own colour, carried on past the silhouette: an edge against black would
        # be smoothed otherwise than alpha and leave a dark rim. (Same seed, same samples: alpha fits the guides.)
        color, guides = _carried_on(color, alpha), _carried_on(guides, alpha)
        albedo, normals = np.clip(guides[..., :3], 0, 1), guides[..., 3:]
        clean = denoise_light(color, albedo, normals)
        if veiled.any():
            box = _box(veiled)
            plain = denoise(color[box], albedo[box], normals[box])
            clean[box] = np.where(veiled[box][..., None], plain, clean[box])
        return clean, albedo

    def _veiled(self, camera: Camera) -> np.ndarray:
        """bool [H, W]: near surfaces that are partly clear, whose albedo the guide takes for what is behind them."""
        mask = np.zeros((camera.height, camera.width), bool)
        for points in self._veils.values():
            place = points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
            pixel = np.floor((place @ camera.K.T)[:, :2] / place[:, 2:]).astype(int)
            seen = ((pixel >= 0) & (pixel < [camera.width, camera.height])).all(1) & (place[:, 2] > 0)
            mask[pixel[seen, 1], pixel[seen, 0]] = True
        return binary_dilation(mask, iterations=2) if mask.any() else mask

    def truth(self, camera: Camera) -> Truth:
        """Depth, normals and parts of the present pose, by one ray through each pixel's centre."""
        sensor = self._sensor(camera, centred=True)
        buffers = self._mi.render(self._scene, integrator=self._exact, sensor=sensor, spp=1)
        buffers = np.nan_to_num(np.asarray(buffers, np.float32))[..., -9:]
        place, normals, shape, uv = buffers[..., :3], buffers[..., 3:6], buffers[..., 6], buffers[..., 7:]
        hit = (normals != 0).any(-1)
        parts = np.where(hit, self._part_of_shape[np.round(shape).astype(int)], 0).astype(np.uint8)
        for number, opacity in self._see_through:
            texel = [np.clip(x * n, 0, n - 1).astype(int) for x, n in zip((uv[..., 1], uv[..., 0]), opacity.shape)]
            parts[hit & (np.round(shape) == number) & (opacity[tuple(texel)] < 128)] = PART_IDS["skin"]
        depth = place @ camera.viewmat[2, :3] + camera.viewmat[2, 3]
        depth, normals = (np.where(hit, depth, 0), np.where(hit[..., None], normals, 0))
        return Truth(depth.astype(np.float32), normals.astype(np.float32), parts)

    def _sensor(self, camera: Camera, centred: bool = False):
        """One mitsuba sensor a picture size, moved to where it is needed (a new one would be compiled anew).

        centred: samples at the pixels' centres.
        """
        settings = _sensor_dict(camera)
        if centred:
            settings["sampler"] = {"type": "stratified", "sample_count": 1, "jitter": False}
        size = camera.width, camera.height, centred
        if size not in self._sensors:
            self._sensors[size] = self._mi.load_dict(settings)
        sensor = self._sensors[size]
        params = self._mi.traverse(sensor)
        params["to_world"] = settings["to_world"]
        params["x_fov"] = settings["fov"]
        params["principal_point_offset_x"] = settings["principal_point_offset_x"]
        params["principal_point_offset_y"] = settings["principal_point_offset_y"]
        params.update()
        return sensor


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of what is True, and a margin for the denoiser."""
    return tuple(
        slice(max(x.min() - _MARGIN, 0), min(x.max() + 1 + _MARGIN, size))
        for x, size in zip(np.nonzero(mask), mask.shape)
    )


def _carried_on(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Premultiplied values [H, W, D] divided by alpha, and means of what is near where the person is not.

    Means, because single pixels carried on would be streaks of noise, which a denoiser takes for texture.
    """
    inside = alpha[..., 0] >= min(0.5, alpha.max())
    plain = np.where(inside[..., None], values / np.maximum(alpha, 1e-6), 0)
    share = gaussian_filter(inside.astype(np.float32), _SPREAD)[..., None]
    means = gaussian_filter(plain, (_SPREAD, _SPREAD, 0)) / np.maximum(share, 1e-6)
    near = distance_transform_edt(share[..., 0] < 0.01, return_distances=False, return_indices=True)
    return np.where(inside[..., None], plain, means[tuple(near)])


def denoise(color: np.ndarray, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Intel Open Image Denoise on linear colour [H, W, 3] guided by albedo and normals of the same samples."""
    import mitsuba_oidn

    arrays = [np.ascontiguousarray(a, np.float32) for a in (color, albedo, normal)]
    return np.maximum(mitsuba_oidn.denoise(arrays[0], albedo=arrays[1], normal=arrays[2], hdr=True), 0)


def denoise_light(color: np.ndarray, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The same on the light that falls on surfaces: colour over albedo, which is smooth where textures are not.

    A few samples a pixel are then enough for patterned cloth, whose own grain a denoiser takes for noise or the
    other way round. Where albedo is under a floor (black cloth) it is only partly divided out.
    """
    base = np.maximum(albedo, _ALBEDO_FLOOR)
    return denoise(color / base, np.minimum(albedo / _ALBEDO_FLOOR, 1), normal) * base


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """uint8 sRGB [..., 3] to linear float32 in [0, 1]."""
    return _LINEAR[np.asarray(srgb, np.uint8)]


def to_srgb8(linear: np.ndarray) -> np.ndarray:
    """Linear light to uint8 sRGB, clipped."""
    x = np.clip(linear, 0, 1)
    return np.round(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)


_LINEAR = np.arange(256) / 255
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _sensor_dict(camera: Camera) -> dict:
    """Mitsuba's perspective sensor for an OpenCV camera with square pixels and any principal point."""
    mi = mitsuba()
    K, (w, h) = camera.K.astype(float), (camera.width, camera.height)
    if abs(K[0, 0] / K[1, 1] - 1) > 1e-3:
        raise ValueError(f"cameras to be drawn need square pixels, not focal lengths {K[0, 0]} and {K[1, 1]}")
    # Mitsuba's cameras look along +z with +x to the left and +y up.
    to_world = np.linalg.inv(camera.viewmat.astype(float)) @ np.diag([-1.0, -1.0, 1.0, 1.0])
    return {
        "type": "perspective",
        "fov_axis": "x",
        "fov": float(np.degrees(2 * np.arctan(w / 2 / K[0, 0]))),
        "principal_point_offset_x": float(0.5 - K[0, 2] / w),
        "principal_point_offset_y": float(0.5 - K[1, 2] / h),
        "to_world": mi.ScalarTransform4f(to_world),
        "near_clip": 0.05,
        "far_clip": 100.0,
        "film": {
            "type": "hdrfilm",
            "width": w,
            "height": h,
            "pixel_format": "rgba",
            "component_format": "float32",
            "rfilter": {"type": "box"},  # the denoiser wants independent pixels
        },
        "sampler": {"type": "multijitter"},
    }


def _texture(linear: np.ndarray, nearest: bool = False):
    """A bitmap texture from linear float32 values [h, w, 3 or 1], row 0 at v = 0."""
    mi = mitsuba()
    bitmap = mi.Bitmap(np.ascontiguousarray(linear, np.float32))
    return {"type": "bitmap", "bitmap": bitmap, "raw": True, "filter_type": "nearest" if nearest else "bilinear"}


def _bsdf(reflectance: dict, roughness: float, specular: float, bump: np.ndarray | None = None) -> dict:
    inner = {"type": "diffuse", "reflectance": reflectance}
    if specular > 0:
        inner = {"type": "principled", "base_color": reflectance, "roughness": roughness, "specular": specular}
    if bump is not None:
        inner = {"type": "bumpmap", "bump": _texture(bump[..., None]), "scale": 1.0, "inner": inner}
    return {"type": "twosided", "inner": inner}


class _Mesh:
    """A Surface as a mitsuba mesh: corners with the same point and texture coordinate become one vertex."""

    def __init__(self, part: Surface):
        mi = mitsuba()
        corner_point = part.faces.reshape(-1)
        quantised = np.round(part.uv.reshape(-1, 2) * 65536).astype(np.int64)
        key = (corner_point.astype(np.int64) << 40) + ((quantised[:, 0] & 0xFFFFF) << 20) + (quantised[:, 1] & 0xFFFFF)
        _, first, corner = np.unique(key, return_index=True, return_inverse=True)
        self._point = corner_point[first]
        self._faces = part.faces
        uv = part.uv.reshape(-1, 2)[first]
        bsdf = _bsdf(_texture(to_linear(part.albedo)), part.roughness, part.specular, part.bump)
        if part.opacity is not None:
            opacity = _texture(part.opacity[..., None].astype(np.float32) / 255)
            bsdf = {"type": "mask", "opacity": opacity, "inner": bsdf}
        props = mi.Properties()
        props["bsdf"] = mi.load_dict(bsdf)
        self.shape = mi.Mesh(
            part.part, len(first), len(part.faces), has_vertex_normals=True, has_vertex_texcoords=True, props=props
        )
        params = mi.traverse(self.shape)
        params["faces"] = mi.UInt32(corner.astype(np.uint32)) if _jit() else corner.astype(np.uint32)
        params["vertex_texcoords"] = _aligned(np.stack([uv[:, 0], 1 - uv[:, 1]], -1))
        for name, values in self.buffers(part).items():
            params[name] = values
        params.update()

    def buffers(self, part: Surface) -> dict[str, np.ndarray]:
        normals = vertex_normals(part.vertices, self._faces)
        return {
            "vertex_positions": _aligned(part.vertices[self._point]),
            "vertex_normals": _aligned(normals[self._point]),
        }


class _Curves:
    """A bundle of strands as cubic B-splines, each its own colour: mitsuba's v runs along all their segments.

    The number of segments is compiled into mitsuba's kernels, so every bundle has as many: it is filled up by one more
    strand that runs up and down inside the first. Otherwise every head of hair would be compiled anew, for seconds.
    """

    def __init__(self, parts: Sequence[Strands]):
        mi = mitsuba()
        # Two phantom points beside a strand's own: splines reach their ends. A segment less than own points.
        strands = [n for part in parts for n in [part.points.shape[1] + 2] * len(part.points)]
        segments = np.array(strands) - 3
        self._fill = _SEGMENTS - int(segments.sum())
        colors = np.concatenate([part.colors for part in parts])
        colors = np.concatenate([np.repeat(colors, segments, 0), np.repeat(colors[:1], self._fill, 0)])
        with tempfile.TemporaryDirectory() as folder:
            # Only the counts of this file matter; the points are put in below, where text would be slow.
            placeholder = Path(folder, "strands.txt")
            counts = strands + [self._fill + 3] * (self._fill > 0)
            line = "0 0 0 1\n0 1 0 1\n"
            placeholder.write_text("\n".join((line * (-(-n // 2)))[: 8 * n] for n in counts))
            bsdf = _bsdf(_texture(colors[:, None], nearest=True), 0.45, 0.5)
            self.shape = mi.load_dict({"type": "bsplinecurve", "filename": str(placeholder), "bsdf": bsdf})
        params = mi.traverse(self.shape)
        params["control_points"] = self.buffers(*parts)["control_points"]
        params.update()

    def buffers(self, *parts: Strands) -> dict[str, np.ndarray]:
        every = []
        for part in parts:
            p = np.concatenate([part.points, np.maximum(part.radii, 1e-5)[..., None]], -1)
            before, after = 2 * p[:, :1] - p[:, 1:2], 2 * p[:, -1:] - p[:, -2:-1]
            every.append(np.concatenate([before, p, after], 1).reshape(-1, 4))
        if self._fill:
            first = np.concatenate([parts[0].points[0], 0.5 * np.maximum(parts[0].radii[0], 1e-5)[:, None]], -1)
            there_and_back = np.concatenate([first, first[-2:0:-1]])
            every.append(np.resize(there_and_back, (self._fill + 3, 4)))
        p = np.concatenate(every)
        p[:, 3] = np.maximum(p[:, 3], 1e-6)
        return {"control_points": _aligned(p)}


def _aligned(values: np.ndarray) -> np.ndarray:
    """All values as flat float32 at an address that is a multiple of 64: drjit compiles other code where it is not."""
    room = np.empty(values.size + 16, np.float32)
    first = (-room.ctypes.data % 64) // 4
    flat = room[first : first + values.size]
    flat[:] = values.ravel()
    return flat


def _grouped(parts: Sequence[Surface | Strands]) -> dict[str, list]:
    """Which parts make one shape: surfaces each their own, strands of one part of the person in bundles."""
    groups: dict[str, list] = {f"part{i}": [part] for i, part in enumerate(parts) if isinstance(part, Surface)}
    used: dict[str, int] = {}  # segments of a kind of strands so far, bundles counted as full
    for part in parts:
        if isinstance(part, Surface):
            continue
        each, first = part.points.shape[1] - 1, 0
        while first < len(part.points):
            bundle, filled = divmod(used.get(part.part, 0), _SEGMENTS)
            taken = min((_SEGMENTS - filled) // each, len(part.points) - first)
            if taken:
                piece = (x[first : first + taken] for x in (part.points, part.radii, part.colors))
                groups.setdefault(f"{part.part}_bundle{bundle}", []).append(Strands(part.part, *piece))
            more = first + taken < len(part.points)
            used[part.part] = (bundle + 1) * _SEGMENTS if more else bundle * _SEGMENTS + filled + taken * each
            first += taken
    return groups


@lru_cache(maxsize=1)
def _share_kernels() -> list:
    """A small shape of every kind there is, kept for as long as the process lives, so that people share kernels.

    drjit compiles into a kernel the code of all shapes and surfaces that exist, in their order, and the sizes of its
    tables of them; a kernel takes a second or more to compile and is kept on disk. So one of every kind is always
    there, first of all, and something at the end of tables that are made large at once and never grow.
    """
    if not _jit():
        return []
    mi = mitsuba()
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    face, uv = np.array([[0, 1, 2]], np.int32), np.array([[[0, 0], [1, 0], [0, 1]]], np.float32)
    plain, veil, bump = np.full((4, 4, 3), 99, np.uint8), np.full((4, 4), 99, np.uint8), np.zeros((4, 4), np.float32)
    kinds = [
        _Mesh(Surface("skin", corners, face, uv, plain, opacity, 0.5, specular, bumps))
        for opacity in (None, veil)
        for specular in (0.0, 0.3)
        for bumps in (None, bump)
    ]
    strand = Strands("hair", corners[None], np.full((1, 3), 1e-3, np.float32), np.full((1, 3), 0.5, np.float32))
    kinds.append(_Curves([strand]))
    room = [mi.load_dict({"type": "rectangle", "bsdf": {"type": "diffuse"}}) for _ in range(_TABLE)]
    lamps = [mi.load_dict({"type": "constant"}) for _ in range(_LAMPS)]
    kinds.append(_Mesh(Surface("skin", corners, face, uv, plain)))
    del room
    gc.collect()  # what is not there is not compiled
    return [*kinds, lamps[-1]]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals float32 [V, 3] of a triangle mesh."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    index = faces.T.ravel()
    normals = np.stack([np.bincount(index, np.tile(face[:, i], 3), len(vertices)) for i in range(3)], -1)
    return (normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def _jit() -> bool:
    return not mitsuba().variant().startswith("scalar")
