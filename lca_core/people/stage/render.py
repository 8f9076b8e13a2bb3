"""Path-traced pictures of a digital human: surfaces and strands in, sRGB pictures with mattes out.

Mitsuba draws the person alone (no emitter in view), so the picture comes with its own alpha; Intel's
denoiser cleans it with albedo and normals as guides; the background is laid behind it in linear light.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter

from lca_core.data.light import Light
from lca_core.data.records import Camera, Truth
from lca_core.data.srgb import to_linear, to_srgb8
from lca_core.people.body.parts import PART_IDS, Strands, Surface
from lca_core.people.stage.backend import mitsuba
from lca_core.people.stage.shapes import Curves, Mesh, compiles, grouped, share_kernels

STUDIO_GREY = (196, 198, 200)
_SPREAD = 2.0  # pixels: standard deviation of the means around a silhouette
_ALBEDO_FLOOR = 0.1
_LIGHT, _EDGE_ON, _SPECK = 0.3, 0.35, 0.8  # albedo, cosine, and share of the light around, for specks
_MARGIN = 16  # pixels that the denoiser sees around what it is wanted for
_MAX_DEPTH = 3  # bounces; one more changes what skin and cloth show by a thousandth


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
        share_kernels()
        self._shapes: dict[str, Mesh | Curves] = {}
        of_part = {}  # shape -> number of its part
        for name, chosen in grouped(parts).items():
            self._shapes[name] = Mesh(chosen[0]) if isinstance(chosen[0], Surface) else Curves(chosen)
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
        if not compiles():
            return {shape.id(): number for number, shape in enumerate(shapes, 1)}
        import drjit as dr

        return {shape.id(): int(dr.reinterpret_array(self._mi.UInt32, self._mi.ShapePtr(shape))[0]) for shape in shapes}

    def move(self, parts: Sequence[Surface | Strands]) -> None:
        """Replace the geometry by the same parts in another pose (same order, same topology)."""
        self._veils = {i: parts[i].vertices for i in self._veils}
        groups = grouped(parts)
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
        forward = camera.viewmat[2, :3]
        clean, albedo = self._denoised(
            color[person][..., :3], guides[person], alpha[person], self._veiled(camera)[person], forward
        )
        around = [(rows.start, size - rows.stop) for rows, size in zip(person, alpha.shape)] + [(0, 0)]
        return Traced(np.pad(clean, around) * alpha, alpha, np.pad(albedo, around, mode="edge"))

    def _denoised(
        self, color: np.ndarray, guides: np.ndarray, alpha: np.ndarray, veiled: np.ndarray, forward: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(colour, albedo) [h, w, 3] of the person, both carried on past the silhouette."""
        # The denoiser gets the person's own colour, carried on past the silhouette: an edge against black would
        # be smoothed otherwise than alpha and leave a dark rim. (Same seed, same samples: alpha fits the guides.)
        color, guides = _carried_on(color, alpha), _carried_on(guides, alpha)
        albedo, normals = np.clip(guides[..., :3], 0, 1), guides[..., 3:]
        color = without_specks(color, albedo, -(normals @ forward), alpha)
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


def without_specks(color: np.ndarray, albedo: np.ndarray, facing: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours [H, W, 3] of light things without dark specks along their outlines.

    Where a surface is seen edge on, its interpolated normal can face away, and what is sampled there is black: with few
    samples, dotted lines on white clothes. There the light that falls on them is held to a share of that around.
    facing: cosine [H, W] between the normal and the way to the camera; alpha: [H, W, 1].
    """
    base = np.maximum(albedo, _ALBEDO_FLOOR)
    light = color / base
    around = gaussian_filter(light, (_SPREAD, _SPREAD, 0))
    edge = (albedo.mean(-1) > _LIGHT) & ((facing < _EDGE_ON) | (alpha[..., 0] < 1))
    return np.where(edge[..., None], np.maximum(light, _SPECK * around), light) * base


def denoise(color: np.ndarray, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Intel Open Image Denoise on linear colour [H, W, 3] guided by albedo and normals of the same samples.

    Its smallest network: twice as quick as the largest, and a tenth of a decibel from it at four samples a pixel.
    """
    import mitsuba_oidn

    arrays = [np.ascontiguousarray(a, np.float32) for a in (color, albedo, normal)]
    guides = {"albedo": arrays[1], "normal": arrays[2], "quality": mitsuba_oidn.Quality.Fast}
    return np.maximum(mitsuba_oidn.denoise(arrays[0], hdr=True, **guides), 0)


def denoise_light(color: np.ndarray, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The same on the light that falls on surfaces: colour over albedo, which is smooth where textures are not.

    A few samples a pixel are then enough for patterned cloth, whose own grain a denoiser takes for noise or the
    other way round. Where albedo is under a floor (black cloth) it is only partly divided out.
    """
    base = np.maximum(albedo, _ALBEDO_FLOOR)
    return denoise(color / base, np.minimum(albedo / _ALBEDO_FLOOR, 1), normal) * base


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
