"""A recorded person's face as dlib's network wants it, aligned by where the record's body has its eyes.

The same on both sides of every comparison, and without a detector.
"""

from jaxtyping import Float
from torch import Tensor

from lca_core.judges.face_network import CHIP_PX, EYES_APART, EYES_AT
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
