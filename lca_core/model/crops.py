"""Pictures as tensors, and square crops of them that stand upright on a face, wherever the head is turned."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lca_core.data import Picture, pixels


def foreground(picture: Picture, device: torch.device | str | None = None) -> Float[Tensor, "4 H W"]:
    """sRGB over mid-grey in [0, 1], and the matte in [0, 1]."""
    image, matte = pixels(picture, device)
    return over_grey(image, matte)


def over_grey(image: Float[Tensor, "*B H W 3"], matte: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B 4 H W"]:
    """`foreground` of pictures that are tensors in [0, 1]."""
    alpha = matte[..., None, :, :]
    return torch.cat([image.movedim(-1, -3) * alpha + 0.5 * (1 - alpha), alpha], -3)


def upright_crop(
    image: Float[Tensor, "H W C"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    centre: Float[Tensor, "3"],
    up: Float[Tensor, "3"],
    side: float | Float[Tensor, ""],
    px: int,
    at: tuple[float, float] = (0.5, 0.5),
) -> Float[Tensor, "px px C"]:
    """A square of `side` metres at the depth of `centre`, turned so that the direction `up` points up in it.

    viewmat, K: the picture's camera; centre, up: in world space; at: where the centre comes to lie (x, y), as shares
    of the square. Its size comes from distances in space, so what is seen from the side is not blown up. Bilinear;
    beyond the picture its edge goes on. Differentiable in the image.
    """
    rotation, shift = viewmat[:3, :3], viewmat[:3, 3]
    middle = rotation @ centre + shift
    above = middle + 0.05 * (rotation @ up)
    focal, principal = K.diagonal()[:2], K[:2, 2]
    origin, top = (p[:2] / p[2] * focal + principal for p in (middle, above))
    down = F.normalize(origin - top, dim=0)
    right = torch.stack([down[1], -down[0]])
    scale = focal[0] / middle[2] * side / px  # pixels of the picture a pixel of the crop
    middles = torch.arange(px, device=image.device) + 0.5
    row, column = torch.meshgrid(middles, middles, indexing="ij")
    across, along = (column - at[0] * px)[..., None], (row - at[1] * px)[..., None]
    place = origin + scale * (across * right + along * down)
    size = torch.tensor([image.shape[1], image.shape[0]], device=image.device)
    found = F.grid_sample(
        image.float().movedim(-1, 0)[None], (2 * place / size - 1)[None], padding_mode="border", align_corners=False
    )
    return found[0].movedim(0, -1)
