"""Path-traced pictures of a digital human: surfaces and strands in, sRGB pictures with mattes out.

Mitsuba draws the person alone (no emitter in view), so the picture comes with its own alpha; Intel's
denoiser cleans it with albedo and normals as guides; the background is laid behind it in linear light.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from lca_core.data.records import Camera
from lca_core.people.backend import mitsuba
from lca_core.people.light import Light
from lca_core.people.parts import Strands, Surface

STUDIO_GREY = (196, 198, 200)
_MAX_DEPTH = 4  # bounces; more changes pictures of one person in the open by less than their noise


def render(
    parts: Sequence[Surface | Strands],
    cameras: Sequence[Camera],
    light: Light,
    samples_per_pixel: int,
    background: Sequence | None = None,
    seed: int = 0,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw `parts` from every camera.

    background: None for the studio's grey, one sRGB triple for all, or one uint8 [H, W, 3] picture a camera.
    Returns (image uint8 [H, W, 3] sRGB, matte uint8 [H, W]) a camera.
    """
    return Stage(parts, light).shoot(cameras, samples_per_pixel, background, seed)


class Stage:
    """A scene kept between frames: built once, its geometry replaced as the person moves."""

    def __init__(self, parts: Sequence[Surface | Strands], light: Light):
        self._mi = mitsuba()
        self._shapes = [_Mesh(p) if isinstance(p, Surface) else _Curves(p) for p in parts]
        environment = self._mi.Bitmap(np.ascontiguousarray(light.environment, np.float32))
        scene = {"type": "scene", "light": {"type": "envmap", "bitmap": environment}}
        for i, shape in enumerate(self._shapes):
            scene[f"part{i}"] = shape.shape
        self._scene = self._mi.load_dict(scene)
        self._params = self._mi.traverse(self._scene)
        self._sensors = {}
        path = {"type": "path", "max_depth": _MAX_DEPTH, "rr_depth": 100, "hide_emitters": True}
        self._path = self._mi.load_dict(path)
        # The guides apart from the path: one integrator for both would trace every path twice under LLVM.
        self._guides = self._mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})

    def move(self, parts: Sequence[Surface | Strands]) -> None:
        """Replace the geometry by the same parts in another pose (same order, same topology)."""
        for i, (shape, part) in enumerate(zip(self._shapes, parts, strict=True)):
            for name, values in shape.buffers(part).items():
                self._params[f"part{i}.{name}"] = values
        self._params.update()

    def shoot(
        self, cameras: Sequence[Camera], samples_per_pixel: int, background: Sequence | None = None, seed: int = 0
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pictures and mattes of the present pose; arguments and result as `render`'s."""
        if background is None or np.isscalar(background[0]):
            background = [background or STUDIO_GREY] * len(cameras)
        pictures = []
        for i, (camera, behind) in enumerate(zip(cameras, background, strict=True)):
            color, alpha = self.trace(camera, samples_per_pixel, seed * 1009 + i)
            linear = color + (1 - alpha) * to_linear(np.asarray(behind))
            pictures.append((to_srgb8(linear), np.round(alpha[..., 0] * 255).astype(np.uint8)))
        return pictures

    def trace(self, camera: Camera, samples_per_pixel: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Linear premultiplied colour float32 [H, W, 3], denoised, and alpha float32 [H, W, 1]."""
        settings = {"sensor": self._sensor(camera), "spp": samples_per_pixel, "seed": seed}
        color = np.asarray(self._mi.render(self._scene, integrator=self._path, **settings), np.float32)
        guides = np.asarray(self._mi.render(self._scene, integrator=self._guides, **settings), np.float32)
        color, guides = np.nan_to_num(color), np.nan_to_num(guides)[..., -6:]
        alpha = np.clip(color[..., 3:4], 0, 1)
        if not alpha.any():
            return color[..., :3], alpha
        # The denoiser gets the person's own colour, carried on past the silhouette: an edge against black would
        # be smoothed otherwise than alpha and leave a dark rim. (Same seed, same samples: alpha fits the guides.)
        outside = alpha[..., 0] < min(0.5, alpha.max())
        nearest = tuple(distance_transform_edt(outside, return_distances=False, return_indices=True))
        color, guides = ((x / np.maximum(alpha, 1e-6))[nearest] for x in (color[..., :3], guides))
        return denoise(color, np.clip(guides[..., :3], 0, 1), guides[..., 3:]) * alpha, alpha

    def _sensor(self, camera: Camera):
        """One mitsuba sensor a picture size, moved to where it is needed (a new one would be compiled anew)."""
        size = camera.width, camera.height
        if size not in self._sensors:
            self._sensors[size] = self._mi.load_dict(_sensor_dict(camera))
        sensor = self._sensors[size]
        settings = _sensor_dict(camera)
        params = self._mi.traverse(sensor)
        params["to_world"] = settings["to_world"]
        params["x_fov"] = settings["fov"]
        params["principal_point_offset_x"] = settings["principal_point_offset_x"]
        params["principal_point_offset_y"] = settings["principal_point_offset_y"]
        params.update()
        return sensor


def denoise(color: np.ndarray, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Intel Open Image Denoise on linear colour [H, W, 3] guided by albedo and normals of the same samples."""
    import mitsuba_oidn

    arrays = [np.ascontiguousarray(a, np.float32) for a in (color, albedo, normal)]
    return np.maximum(mitsuba_oidn.denoise(arrays[0], albedo=arrays[1], normal=arrays[2], hdr=True), 0)


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


def _bsdf(reflectance: dict, roughness: float, specular: float) -> dict:
    if specular <= 0:
        return {"type": "twosided", "inner": {"type": "diffuse", "reflectance": reflectance}}
    inner = {"type": "principled", "base_color": reflectance, "roughness": roughness, "specular": specular}
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
        bsdf = _bsdf(_texture(to_linear(part.albedo)), part.roughness, part.specular)
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
        params["vertex_texcoords"] = np.stack([uv[:, 0], 1 - uv[:, 1]], -1).astype(np.float32).ravel()
        for name, values in self.buffers(part).items():
            params[name] = values
        params.update()

    def buffers(self, part: Surface) -> dict[str, np.ndarray]:
        normals = vertex_normals(part.vertices, self._faces)
        return {
            "vertex_positions": part.vertices[self._point].astype(np.float32).ravel(),
            "vertex_normals": normals[self._point].ravel(),
        }


class _Curves:
    """Strands as cubic B-splines, each its own colour: mitsuba's v runs along all strands, one texel a strand.

    Counts are compiled into mitsuba's kernels, so strands are filled up to a multiple of 1024 by thin copies hidden
    inside the first one: otherwise every head of hair would be compiled anew, for seconds.
    """

    def __init__(self, part: Strands):
        mi = mitsuba()
        strands, points = part.points.shape[:2]
        self._fill = -strands % 1024
        strands, points = strands + self._fill, points + 2  # a phantom point at either end: splines reach their ends
        colors = np.concatenate([part.colors, np.repeat(part.colors[:1], self._fill, 0)])
        with tempfile.TemporaryDirectory() as folder:
            # Only the counts of this file matter; the points are put in below, where text would be slow.
            placeholder = Path(folder, "strands.txt")
            placeholder.write_text(("".join(f"0 {i} 0 1\n" for i in range(points)) + "\n") * strands)
            bsdf = _bsdf(_texture(colors[:, None], nearest=True), 0.45, 0.5)
            self.shape = mi.load_dict({"type": "bsplinecurve", "filename": str(placeholder), "bsdf": bsdf})
        params = mi.traverse(self.shape)
        params["control_points"] = self.buffers(part)["control_points"]
        params.update()

    def buffers(self, part: Strands) -> dict[str, np.ndarray]:
        p = np.concatenate([part.points, np.maximum(part.radii, 1e-5)[..., None]], -1)
        hidden = np.repeat(p[:1] * [1, 1, 1, 0.5], self._fill, 0)
        p = np.concatenate([p, hidden])
        before, after = 2 * p[:, :1] - p[:, 1:2], 2 * p[:, -1:] - p[:, -2:-1]
        p = np.concatenate([before, p, after], 1).astype(np.float32)
        p[..., 3] = np.maximum(p[..., 3], 1e-6)
        return {"control_points": p.ravel()}


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals float32 [V, 3] of a triangle mesh."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    index = faces.T.ravel()
    normals = np.stack([np.bincount(index, np.tile(face[:, i], 3), len(vertices)) for i in range(3)], -1)
    return (normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def _jit() -> bool:
    return not mitsuba().variant().startswith("scalar")
