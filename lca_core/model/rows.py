"""The one layout of a row of patch numbers: frozen features first, then the patch's own pixels.

A patch has 14 x 14 pixels. Its row ends with 4 x 14 x 14 numbers: red, green and blue as (rgb - 0.5) times the matte,
then the matte itself, all times `SCALE`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

PATCH = 14
SCALE = 4.0  # of the pixels' numbers, so that a network learns from them as quickly as from features
MATTE = PATCH * PATCH  # the last numbers of a row are its patch's matte
PIXELS = 4 * PATCH * PATCH


def to_rows(pixels: Float[Tensor, "B 4 H W"], features: Float[Tensor, "B P D"] | None = None) -> Float[Tensor, "B P F"]:
    """Rows of pictures: red, green, blue over mid-grey and matte, in [0, 1]; features: one set a patch, row by row."""
    grey = pixels.new_tensor([0.5, 0.5, 0.5, 0])[:, None, None]
    patches = torch.nn.functional.unfold((pixels - grey) * SCALE, PATCH, stride=PATCH).transpose(1, 2)
    return patches if features is None else torch.cat([features, patches], -1)


def patches_of(rows: Float[Tensor, "*B F"]) -> Float[Tensor, "*B 4 14 14"]:
    """Each row's own pixels, scaled as in the row: (rgb - 0.5) times the matte, and the matte."""
    return rows[..., -PIXELS:].unflatten(-1, (4, PATCH, PATCH))


def mattes_of(rows: Float[Tensor, "*B F"]) -> Float[Tensor, "*B 196"]:
    """Each patch's matte, scaled as in the row; 0 where nothing of the person is seen."""
    return rows[..., -MATTE:]


def pixels_of(rows: Float[Tensor, "*B P F"]) -> Float[Tensor, "*B 4 H W"]:
    """The square pictures that rows carry: (rgb - 0.5) times the matte, and the matte; in memory a pixel's four numbers
    stand side by side."""
    side = round(rows.shape[-2] ** 0.5)
    grid = patches_of(rows).unflatten(-4, (side, side)).movedim(-3, -1)  # [*B, rows, columns, 14, 14, 4]
    return (grid.transpose(-4, -3).flatten(-3, -2).flatten(-4, -3) / SCALE).movedim(-1, -3)
