"""Parts of a digital human as mitsuba's shapes, made so that all people share the renderer's compiled kernels."""

import gc
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from lca_core.body.basemesh import vertex_normals
from lca_core.data.srgb import to_linear
from lca_core.people.body.parts import Strands, Surface
from lca_core.people.stage.backend import mitsuba

_SEGMENTS = 16_384  # of a bundle of strands
_TABLE, _LAMPS = 512, 8  # shapes, surfaces and lights that drjit's tables have room for


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


class Mesh:
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
        params["faces"] = mi.UInt32(corner.astype(np.uint32)) if compiles() else corner.astype(np.uint32)
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


class Curves:
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


def grouped(parts: Sequence[Surface | Strands]) -> dict[str, list]:
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
def share_kernels() -> list:
    """A small shape of every kind there is, kept for as long as the process lives, so that people share kernels.

    drjit compiles into a kernel the code of all shapes and surfaces that exist, in their order, and the sizes of its
    tables of them; a kernel takes a second or more to compile and is kept on disk. So one of every kind is always
    there, first of all, and something at the end of tables that are made large at once and never grow.
    """
    if not compiles():
        return []
    mi = mitsuba()
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    face, uv = np.array([[0, 1, 2]], np.int32), np.array([[[0, 0], [1, 0], [0, 1]]], np.float32)
    plain, veil, bump = np.full((4, 4, 3), 99, np.uint8), np.full((4, 4), 99, np.uint8), np.zeros((4, 4), np.float32)
    kinds = [
        Mesh(Surface("skin", corners, face, uv, plain, opacity, 0.5, specular, bumps))
        for opacity in (None, veil)
        for specular in (0.0, 0.3)
        for bumps in (None, bump)
    ]
    strand = Strands("hair", corners[None], np.full((1, 3), 1e-3, np.float32), np.full((1, 3), 0.5, np.float32))
    kinds.append(Curves([strand]))
    room = [mi.load_dict({"type": "rectangle", "bsdf": {"type": "diffuse"}}) for _ in range(_TABLE)]
    lamps = [mi.load_dict({"type": "constant"}) for _ in range(_LAMPS)]
    kinds.append(Mesh(Surface("skin", corners, face, uv, plain)))
    del room
    gc.collect()  # what is not there is not compiled
    return [*kinds, lamps[-1]]


def compiles() -> bool:
    return not mitsuba().variant().startswith("scalar")
