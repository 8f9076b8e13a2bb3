"""Where the head is: eyes and the upward direction, from joints and their transforms."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from lca_core.body.layout import JOINT_NAMES

_HEAD = JOINT_NAMES.index("head")
_EYES = [JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]


class Head(NamedTuple):
    """Eyeballs (left, right), metres, and the head's up, in world space."""

    eyes: Float[Tensor, "*batch 2 3"]
    up: Float[Tensor, "*batch 3"]


def head_of(rest_joints: Float[Tensor, "*#batch 55 3"], transforms: Float[Tensor, "*#batch 55 4 4"]) -> Head:
    """From the joints of the T-pose and their transforms to the world."""
    turn = transforms[..., _HEAD, :, :]
    eyes = rest_joints[..., _EYES, :] @ turn[..., :3, :3].transpose(-1, -2) + turn[..., None, :3, 3]
    return Head(eyes, turn[..., :3, 1])
