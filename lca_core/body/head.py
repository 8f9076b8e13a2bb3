"""Where the head is: eyes and the upward direction, from joints and their transforms."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from lca_core.body.layout import JOINT_NAMES

_HEAD = JOINT_NAMES.index("head")
_EYES = [JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]


class Head(NamedTuple):
    """Eyeballs [2, 3] (left, right), metres, and the head's up [3], in world space."""

    eyes: Float[Tensor, "2 3"]
    up: Float[Tensor, "3"]


def head_of(rest_joints: Float[Tensor, "55 3"], transforms: Float[Tensor, "55 4 4"]) -> Head:
    """From the joints of the T-pose and their transforms to the world."""
    turn = transforms[_HEAD]
    return Head(rest_joints[_EYES] @ turn[:3, :3].T + turn[:3, 3], turn[:3, 1])
