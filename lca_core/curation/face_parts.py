"""What is looked at of a face: both eyes with their brows, and the mouth, upright and of one size each.

Places and sizes come from where MediaPipe's rigid face lies, not from lips and lids, so that an open mouth is seen open
instead of being framed away. Lengths are spans: the distance of the outer corners of the eyes of the mean mesh, 9 cm.
"""

from typing import NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import grid_sample

from lca_core.curation.crops import Square, cut
from lca_core.curation.landmarks import calibration

CHIP_PX, CHIP_SIDE = 160, 2.4  # the square of a face that parts are cut from
EYE_PX, EYE_SIDE = 48, 0.80
MOUTH_PX, MOUTH_SIDE = 64, 1.12
_SPAN = (33, 263)  # outer corners of the eyes
_EYES = ((362, 263), (33, 133))  # corners of the left and of the right one
_MOUTH = (61, 291, 13, 14)
_RAISED, _LOWERED = 0.08, 0.08  # spans by which eyes lie below their square's middle, and closed mouths above theirs


class Parts(NamedTuple):
    """eyes: the left one, and the right one mirrored so that it looks like a left one; all colours `evened`."""

    eyes: Float[Tensor, "B 2 3 48 48"]
    mouth: Float[Tensor, "B 3 64 64"]


class Places(NamedTuple):
    """Where faces lie in pictures. middles: of the left eye's, the right eye's and the mouth's squares, pixels; span:
    pixels; up: the head's, a unit vector in the picture (y down); ahead: where the head faces, a unit vector in the
    upright picture (x right, y down, z away); shape: the mesh brought onto the mean one, spans off it."""

    middles: Float[Tensor, "B 3 2"]
    span: Float[Tensor, " B"]
    up: Float[Tensor, "B 2"]
    ahead: Float[Tensor, "B 3"]
    shape: Float[Tensor, "B 478 3"]


def chip_of(image: UInt8[np.ndarray, "H W 3"], mesh: Float[np.ndarray, "478 3"]) -> tuple[np.ndarray, np.ndarray]:
    """(the square of a face uint8 [160, 160, 3], the mesh in its pixels [478, 3]) of a picture with a face mesh."""
    places = places_of(torch.from_numpy(np.asarray(mesh, np.float32))[None])
    middle = places.middles[0].mean(0).numpy()
    square = Square.around(np.concatenate([middle - 0.5, middle + 0.5]), CHIP_SIDE * float(places.span[0]))
    moved = (mesh - np.array([square.left, square.top, 0])) * (CHIP_PX / square.side)
    return cut(image, square, CHIP_PX), moved.astype(np.float32)


def places_of(meshes: Float[Tensor, "B 478 3"]) -> Places:
    """Where the parts of faces lie."""
    mean = calibration().mesh_mean
    unit = (mean[_SPAN[0]] - mean[_SPAN[1]]).norm()
    target = (mean - mean.mean(0)) / unit
    middle = meshes.mean(1)
    rotation, _, scale = roma.rigid_points_registration(target.expand_as(meshes), meshes - middle[:, None],
                                                        compute_scaling=True)  # fmt: skip
    up = -rotation[:, :2, 1]
    up = up / up.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    shape = (meshes - middle[:, None]) @ rotation / scale[:, None, None] - target
    eyes = torch.stack([meshes[:, list(corners), :2].mean(1) for corners in _EYES], 1)
    eyes = eyes + (_RAISED * scale)[:, None, None] * up[:, None]
    mouth = middle[:, :2] + scale[:, None] * (rotation @ target[list(_MOUTH)].mean(0))[:, :2]
    mouth = mouth - (_LOWERED * scale)[:, None] * up
    ahead = -rotation[:, :, 2]
    across = torch.stack([-up[:, 1], up[:, 0]], -1)
    ahead = torch.stack([(ahead[:, :2] * across).sum(-1), -(ahead[:, :2] * up).sum(-1), ahead[:, 2]], -1)
    return Places(torch.cat([eyes, mouth[:, None]], 1), scale, up, ahead, shape)


def parts_of(chips: UInt8[Tensor, "B 160 160 3"], places: Places) -> Parts:
    """The parts, cut from chips in which faces lie so."""
    pictures = chips.permute(0, 3, 1, 2).float() / 255
    left, right = (upright(pictures, places.middles[:, i], places.up, EYE_SIDE * places.span, EYE_PX) for i in range(2))
    mouth = upright(pictures, places.middles[:, 2], places.up, MOUTH_SIDE * places.span, MOUTH_PX)
    return Parts(evened(torch.stack([left, right.flip(-1)], 1)), evened(mouth))


def evened(pictures: Float[Tensor, "*B 3 H W"]) -> Float[Tensor, "*B 3 H W"]:
    """Freed of each picture's own colour and contrast."""
    centred = pictures - pictures.mean((-2, -1), keepdim=True)
    return centred / (centred.square().mean((-3, -2, -1), keepdim=True).sqrt() + 0.02)


def upright(
    pictures: Float[Tensor, "B 3 H W"],
    middles: Float[Tensor, "B 2"],
    up: Float[Tensor, "B 2"],
    sides: Float[Tensor, " B"],
    px: int,
) -> Float[Tensor, "B 3 n n"]:
    """Squares about `middles`, `up` upwards, their sides in the pictures' pixels, sampled to px x px."""
    steps = (torch.arange(px) + 0.5) / px - 0.5
    across = torch.stack([-up[:, 1], up[:, 0]], -1)
    rows = -steps[:, None, None] * up[:, None, None]  # downwards
    offsets = sides[:, None, None, None] * (rows + steps[:, None] * across[:, None, None])
    size = torch.tensor(pictures.shape[:-3:-1], dtype=torch.float32)
    grid = 2 * (middles[:, None, None] + offsets) / size - 1
    return grid_sample(pictures, grid, align_corners=False, padding_mode="border")
