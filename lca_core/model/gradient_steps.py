"""Looking again, by the gradient: a few learned steps from what the forward pass says to what the photographs show.
Ours, not the paper's; optional.

A forward pass errs where this person differs from all others; a picture drawn of its avatar beside the photograph
tells where. Optimisation (`refinement`) follows the gradient for many steps and knows nothing of people: what no
photograph shows stays as it was, and what it sees it paints. Here the steps are the network's. The gradient of the
error is scaled, mixed with that of neighbouring Gaussians and of the body's other side, and weighted by a small shared
network that knows the tokens. A step is linear in the scaled gradient and shrinks with the error: what lacks nothing
changes nothing. The Gaussians of the step before are taken as given (no derivatives of second order), as in ReSplat
(arXiv 2510.08575); scaled gradients with learned weights as in learned optimisers (arXiv 2605.15760).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lca_core.model.claims import Claim
from lca_core.model.photographs import Comparison
from lca_core.model.raw import CANONICAL, COLOR, OPACITY, POSITION

STEPS = 3
NEIGHBOURS = 8
_HIDDEN, _TOKEN, _OWN = 64, 32, 8  # widths: of the network, of what it sees of a token, of each Gaussian's own numbers
_HEARD = (
    5  # gradients that a Gaussian hears of: its own, of the steps before, its anchor's, its neighbours', its twin's
)
_SLIGHT = 0.01  # error (`Comparison.loss`) at which steps are half as long as where much is wrong, at first
_FIRST = 0.06  # how far the first steps follow the scaled gradient itself before anything is learned, in units
_UNITS = ((COLOR, 2.0), (POSITION, 0.2), (OPACITY, 2.0))  # of raw numbers; 1 where nothing stands here


def unit_steps(like: Tensor) -> Float[Tensor, "14"]:
    """What one unit of change is in raw numbers: colours have far to go, positions must not run away."""
    units = torch.ones(CANONICAL, device=like.device, dtype=like.dtype)
    for numbers, unit in _UNITS:
        units[numbers] = unit
    return units


def neighbourhood(centers: Float[Tensor, "G 3"]) -> tuple[Int[Tensor, "G n"], Int[Tensor, " G"]]:
    """(the nearest other anchors, the anchor nearest to the mirror image) of each anchor of the T-pose."""
    near = torch.cdist(centers, centers).topk(min(NEIGHBOURS + 1, len(centers)), largest=False).indices[:, 1:]
    mirrored = centers * centers.new_tensor([-1.0, 1.0, 1.0])
    return near, torch.cdist(mirrored, centers).argmin(1)


class GradientSteps(nn.Module):
    """The steps, for the Gaussians of G anchors of k each; width: of a token as decoders see it."""

    claim = Claim("decoders", names=("",))

    def __init__(self, width: int, anchors: int, per_anchor: int, steps: int = STEPS):
        super().__init__()
        self.steps = steps
        self.token = nn.Linear(width, _TOKEN)
        self.own = nn.Parameter(0.1 * torch.randn(anchors, per_anchor, _OWN))
        told = _TOKEN + _OWN + 2 * CANONICAL + 2
        self.gate = nn.Sequential(nn.Linear(told, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, _HIDDEN))
        self.hear = nn.Linear(_HEARD * CANONICAL, _HIDDEN, bias=False)
        self.say = nn.Linear(_HIDDEN, CANONICAL, bias=False)
        nn.init.normal_(self.say.weight, std=1e-3)
        self.slight = nn.Parameter(torch.tensor(_SLIGHT).log())
        self.follow = nn.Parameter(torch.full((steps, CANONICAL), _FIRST))
        self.bend = nn.Parameter(
            torch.full((CANONICAL,), -1.0)
        )  # log: from which share of the mean a gradient saturates

    def forward(
        self,
        raw: Float[Tensor, "B G k 14"],
        tokens: Float[Tensor, "B G D"],
        comparison: Comparison,
        near: Int[Tensor, "G n"],
        twin: Int[Tensor, " G"],
        steps: int | None = None,
    ) -> Float[Tensor, "B G k 14"]:
        """The numbers after so many steps (default: all); near, twin: `neighbourhood` of the anchors.

        What is learned gets its gradient from the numbers returned, and so does what made `raw`. ValueError for more
        steps than there are.
        """
        steps = self.steps if steps is None else steps
        if steps > self.steps:
            raise ValueError(f"{self.steps} steps were learned, not {steps}")
        units, token, before = unit_steps(raw), self.token(tokens).to(raw), None
        for number in range(steps):
            gradient, wrong = comparison.gradient(raw, number)
            typical = gradient.square().mean((1, 2), keepdim=True).sqrt() + 1e-12
            scaled = gradient / (gradient.abs() + self.bend.exp() * typical)
            before = scaled if before is None else 0.5 * before + scaled
            change = self._change(number, raw.detach(), scaled, before, token, near, twin)
            much = (wrong / (wrong + self.slight.exp()))[:, None, None, None]
            raw, before = raw - units * much * change, before.detach()
        return raw

    def _change(self, number, raw, scaled, before, token, near, twin) -> Float[Tensor, "B G k 14"]:
        """What a step takes away, in units."""
        k = raw.shape[2]
        anchor = scaled.mean(2)
        around = torch.stack([anchor, anchor[:, near].mean(2), anchor[:, twin]], 2).flatten(2)
        heard = torch.cat([scaled, before, around[:, :, None].expand(-1, -1, k, -1)], -1)
        seen = (scaled != 0).any(-1, keepdim=True).to(raw)
        place = torch.full_like(seen, number / max(1, self.steps))
        own = self.own.to(raw).expand(len(raw), -1, -1, -1)
        told = torch.cat([token[:, :, None].expand(-1, -1, k, -1), own, raw, scaled.abs(), seen, place], -1)
        return self.say(self.gate(told) * self.hear(heard)) + self.follow[number] * scaled
