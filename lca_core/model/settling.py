"""Other skinning weights, and the photographs stay as they are.

A Gaussian was placed in the T-pose so that the template's weights carry it to where a photograph shows it. Hung by
other weights it would miss that place, and the more so the wider the stride. So it is laid where, of all places in the
T-pose, the new weights carry it nearest to where the old ones had carried it in the photographs' poses: what weights
change is then the way to all other poses.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.splats.skinning import matrices_to_quats, multiply_quats

_STAY = 0.05  # weight of the place in the T-pose beside those of each photograph: what nothing holds stays


def settled(
    means: Float[Tensor, "B P 3"],
    before: Float[Tensor, "*#B P J"],
    after: Float[Tensor, "B P J"],
    transforms: Float[Tensor, "B N J 4 4"],
    known: Bool[Tensor, "B N"],
) -> tuple[Float[Tensor, "B P 3"], Float[Tensor, "B P 4"]]:
    """(places in the T-pose, rotations of the axes there as unit quaternions wxyz) of points that hung by the weights
    `before` and hang by `after`; rows of both sum to 1.

    transforms: rest -> posed, of N photographs of each of B people; known: False for those that do not count. Metres.
    Differentiable in `after`.
    """
    counted = known.to(means)[:, :, None, None]
    place = transforms[..., :3, :].flatten(-2)
    old, new = ((weights[..., None, :, :] @ place).unflatten(-1, (3, 4)) for weights in (before, after))
    there = (old[..., :3] * means[:, None, :, None]).sum(-1) + old[..., 3]
    turn, rest = new[..., :3], there - new[..., 3]
    stay = _STAY * torch.eye(3, dtype=means.dtype, device=means.device)
    square = torch.einsum("bnpij,bnpik->bpjk", counted[..., None] * turn, turn) + stay
    toward = (counted[..., None] * turn * rest[..., None]).sum((1, 3)) + _STAY * means
    quats = _forward(matrices_to_quats(transforms[..., :3, :3]))
    first, second = (F.normalize(weights[..., None, :, :] @ quats, dim=-1) for weights in (before, after))
    back = _forward(multiply_quats(*torch.broadcast_tensors(second * second.new_tensor([1, -1, -1, -1]), first)))
    still = back.new_tensor([_STAY, 0, 0, 0])
    return torch.linalg.solve(square, toward), F.normalize((counted * back).sum(1) + still, dim=-1)


def _forward(quats: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B 4"]:
    """The same rotations by quaternions that can be averaged: w is not negative."""
    return torch.where(quats[..., :1] < 0, -quats, quats)
