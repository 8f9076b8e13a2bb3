"""The paper's loss: image terms on both branches, and the regulariser L_reg(p, s) = ACAP + ASAP."""

import math

from jaxtyping import Float
from torch import Tensor

_FREE_OFFSET = 0.02  # metres a Gaussian may leave the skin without cost: cloth and hair do
_FREE_RATIO = 4.0  # a Gaussian may be this much longer than wide without cost


def l1_loss(pred: Float[Tensor, "V H W 3"], truth: Float[Tensor, "V H W 3"], alpha: Float[Tensor, "V H W 1"],
            truth_alpha: Float[Tensor, "V H W 1"]) -> Float[Tensor, ""]:  # fmt: skip
    """Mean absolute error of colours and of silhouettes.

    Both pictures lie over one background, drawn anew each step, so that transparency cannot pass for colour.
    Divided by the share of the person in the picture, so that small people count as much as large ones.
    """
    share = truth_alpha.mean((1, 2, 3)).clamp(min=0.05)
    colour = (pred - truth).abs().mean((1, 2, 3))
    silhouette = (alpha - truth_alpha).abs().mean((1, 2, 3))
    return ((colour + 0.5 * silhouette) / share).mean()


def as_close_as_possible(position: Float[Tensor, "*B 3"]) -> Float[Tensor, ""]:
    """ACAP: distance of Gaussians from their surface points beyond a free margin, metres."""
    return (position.norm(dim=-1) - _FREE_OFFSET).clamp(min=0).mean()


def as_spherical_as_possible(log_scales: Float[Tensor, "*B 3"]) -> Float[Tensor, ""]:
    """ASAP: logarithm of longest over shortest axis beyond a free ratio."""
    ratio = log_scales.amax(-1) - log_scales.amin(-1)
    return (ratio - math.log(_FREE_RATIO)).clamp(min=0).mean()


def too_large(log_scales: Float[Tensor, "*B 3"], limit: float = 0.03) -> Float[Tensor, ""]:
    """Logarithm of the longest axis over `limit` metres: keeps splats from smearing over the picture."""
    return (log_scales.amax(-1) - math.log(limit)).clamp(min=0).mean()
