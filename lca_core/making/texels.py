"""The texels of a mesh's texture: which triangle each lies in, and where in it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import distance_transform_edt

_TRIANGLES = 4096  # at a time
_EDGE = 1e-3  # barycentric: texels on an edge belong to the triangles on both sides, the last one keeps them


class Texels(NamedTuple):
    """The n texels that triangles cover, of a texture of px x px; row 0 is its top (v = 1 of an OBJ file).

    place [n]: row * px + column; face [n]; barycentric [n, 3].
    """

    px: int
    place: Int[np.ndarray, " n"]
    face: Int[np.ndarray, " n"]
    barycentric: Float[np.ndarray, "n 3"]

    def on(self, values: Float[np.ndarray, "F 3 D"]) -> Float[np.ndarray, "n D"]:
        """What the triangles' corners hold, at the texels."""
        return np.einsum("nc,ncd->nd", self.barycentric, values[self.face])

    def picture(self, colors: UInt8[np.ndarray, "n 3"]) -> UInt8[np.ndarray, "px px 3"]:
        """The texture; what no triangle covers has the colour of the nearest texel, so that no seam bleeds."""
        picture = np.zeros((self.px * self.px, 3), np.uint8)
        picture[self.place] = colors
        empty = np.ones(self.px * self.px, bool)
        empty[self.place] = False
        shape = (self.px, self.px)
        nearest = distance_transform_edt(empty.reshape(shape), return_distances=False, return_indices=True)
        return picture.reshape(*shape, 3)[tuple(nearest)]


def texels(uv: Float[np.ndarray, "F 3 2"], px: int) -> Texels:
    """The texels whose middles lie in triangles with these texture coordinates (v up, as in OBJ files)."""
    corners = np.stack([uv[..., 0] * px, (1 - uv[..., 1]) * px], -1).astype(np.float64) - 0.5
    pieces = [_covered(corners, first, px) for first in range(0, len(corners), _TRIANGLES)]
    place, face, barycentric = (np.concatenate(column) for column in zip(*pieces))
    place, last = np.unique(place[::-1], return_index=True)
    last = len(face) - 1 - last
    return Texels(px, place, face[last], barycentric[last].astype(np.float32))


def _covered(
    corners: Float[np.ndarray, "F 3 2"], first: int, px: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """(place, face, barycentric) of the texels of some triangles: those of their boxes that lie inside."""
    some = corners[first : first + _TRIANGLES]
    low = np.ceil(some.min(1) - _EDGE).clip(0, px - 1).astype(np.int64)
    size = np.maximum(np.floor(some.max(1) + _EDGE).clip(0, px - 1).astype(np.int64) - low + 1, 0)
    count = size.prod(1)
    face = np.repeat(np.arange(len(some)), count)
    number = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    column, row = low[face, 0] + number % size[face, 0], low[face, 1] + number // size[face, 0]
    a, b, c = some[face].swapaxes(0, 1)
    ab, ac, ap = b - a, c - a, np.stack([column, row], -1) - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-12, np.inf, area)  # a triangle without one covers nothing
    v = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    w = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    barycentric = np.stack([1 - v - w, v, w], -1)
    inside = (barycentric > -_EDGE).all(1) & np.isfinite(area)
    return (row * px + column)[inside], face[inside] + first, barycentric[inside]
