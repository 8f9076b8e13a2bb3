"""Identity distance: how unlike two aligned faces are to dlib's network."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lca_core.judges.face_network import CHIP_PX, face_embedding


def identity_distance(a: Float[Tensor, "*batch H W 3"], b: Float[Tensor, "*batch H2 W2 3"]) -> Float[Tensor, "*batch"]:
    """Euclidean distance of the 128 numbers of two face chips (sRGB in [0, 1]); 0 is the same picture.

    Chips as `training.face_chip` makes them; other sizes are resized to 150 x 150 px (bilinear, antialiased). Give both
    the same crop, and the same background. Differentiable.
    """
    return (_embed_crops(a) - _embed_crops(b)).square().sum(-1).clamp_min(1e-12).sqrt()


def _embed_crops(crops: Tensor) -> Tensor:
    if crops.ndim < 3 or crops.shape[-1] != 3:
        raise ValueError(f"a face crop must be [*batch, H, W, 3], not {[*crops.shape]}")
    chips = crops.float().reshape(-1, *crops.shape[-3:]).movedim(-1, 1)
    chips = F.interpolate(chips, (CHIP_PX, CHIP_PX), mode="bilinear", antialias=True, align_corners=False)
    return face_embedding(chips).reshape(*crops.shape[:-3], 128)
