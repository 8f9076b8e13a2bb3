"""Identity distance: how unlike two faces are to dlib's network, aligned by where the record's body has its eyes.

The same on both sides of every comparison, and without a detector.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lca_core.curation.face_network import CHIP_PX, EYES_APART, EYES_AT, face_embedding
from lca_core.model.crops import upright_crop


def face_chip(
    image: Float[Tensor, "H W 3"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    eyes: Float[Tensor, "2 3"],
    up: Float[Tensor, "3"],
) -> Float[Tensor, "150 150 3"]:
    """The face of a picture as dlib's network wants it: eyes level, in their place, at their distance.

    viewmat, K: the picture's camera; eyes: left and right eyeball in world space, metres; up: the head's up.
    The scale comes from the distance of the eyes in space, so that faces seen from the side are not blown up.
    Bilinear; beyond the picture its edge goes on. Differentiable in the image.
    """
    side = CHIP_PX / EYES_APART * (eyes[0] - eyes[1]).norm()
    at = (EYES_AT[0] / CHIP_PX, EYES_AT[1] / CHIP_PX)
    return upright_crop(image, viewmat, K, eyes.mean(0), up, side, CHIP_PX, at)


def identity_distance(a: Float[Tensor, "*batch H W 3"], b: Float[Tensor, "*batch H2 W2 3"]) -> Float[Tensor, "*batch"]:
    """Euclidean distance of the 128 numbers of two face chips (sRGB in [0, 1]); 0 is the same picture.

    Chips as `face_chip` makes them; other sizes are resized to 150 x 150 px (bilinear, antialiased). Give both the
    same crop, and the same background. Differentiable.
    """
    return (_embed_crops(a) - _embed_crops(b)).square().sum(-1).clamp_min(1e-12).sqrt()


def _embed_crops(crops: Tensor) -> Tensor:
    if crops.ndim < 3 or crops.shape[-1] != 3:
        raise ValueError(f"a face crop must be [*batch, H, W, 3], not {[*crops.shape]}")
    chips = crops.float().reshape(-1, *crops.shape[-3:]).movedim(-1, 1)
    chips = F.interpolate(chips, (CHIP_PX, CHIP_PX), mode="bilinear", antialias=True, align_corners=False)
    return face_embedding(chips).reshape(*crops.shape[:-3], 128)
