"""The two branches: canonical (once per person) and driven (once per frame); and one branch in the place of both.

Both write residuals on per-Gaussian template parameters, which start on the body's surface and are trained; with
the network's part at zero they are the mean template. What the numbers mean stands in `raw.py`.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import Anchors, Driving
from lca_core.model.claims import Claim
from lca_core.model.posing import Driver
from lca_core.model.raw import CANONICAL, COLOR, DRIVEN, OPACITY, ROTATION, SCALE, from_driven, with_colors

_START_OPACITY, _SHELL_OPACITY = 2.0, -3.0  # logits: 0.88, and 0.05 off the skin, where mostly nothing is


class Template(nn.Module):
    """The person-independent start of every Gaussian, trained: raw numbers [G, k, 14]."""

    claim = Claim(0)

    def __init__(self, anchors: Anchors):
        super().__init__()
        raw = torch.zeros(*anchors.points.shape[:2], CANONICAL)
        raw[..., ROTATION.start] = 1.0
        raw[..., SCALE] = (0.6 * anchors.spacing[..., None]).log()
        raw[..., SCALE.stop - 1] -= 1.0  # thin along the surface normal
        raw[..., OPACITY] = torch.where(anchors.shell, _SHELL_OPACITY, _START_OPACITY)[..., None]
        self.raw = nn.Parameter(raw)


class CanonicalDecoder(nn.Module):
    """H_cano: a geometry token to its k Gaussians."""

    claim = Claim("decoders", hidden=("net.0",))

    def __init__(self, dim: int, per_anchor: int, read: int = 0):
        super().__init__()
        self.k, self.read = per_anchor, read
        self.net = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, per_anchor * CANONICAL))
        nn.init.normal_(self.net[-1].weight, std=1e-3)
        nn.init.zeros_(self.net[-1].bias)
        if read:  # the last `read` numbers of a token are colours it has read; their mean is where gates start
            self.gates = nn.Linear(dim, per_anchor * read // 3)
            nn.init.zeros_(self.gates.weight)
            nn.init.constant_(self.gates.bias, 3 / read)

    def forward(self, tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B G k 14"]:
        """Residuals on the template's numbers."""
        return self._gated(self.net(tokens).unflatten(-1, (self.k, CANONICAL)), tokens)

    def _gated(self, raw: Float[Tensor, "B G k 14"], tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B G k 14"]:
        """The same with the colours that the tokens have read, as far as the gates let them through."""
        if not self.read:
            return raw
        colors = tokens[..., -self.read :].unflatten(-1, (self.read // 3, 3))
        gates = self.gates(tokens).unflatten(-1, (self.k, self.read // 3))
        return with_colors(raw, raw[..., COLOR] + gates @ colors)


class DrivenDecoder(nn.Module, Driver):
    """H_pose: a geometry token and the driving signal (theta, epsilon, psi) to changes of its Gaussians."""

    claim = Claim("decoders", hidden=("net.0",))

    def __init__(self, dim: int, per_anchor: int, condition: int):
        super().__init__()
        hidden = max(64, dim // 2)
        self.k = per_anchor
        self.token = nn.Linear(dim, hidden)
        self.condition = nn.Sequential(nn.Linear(condition, 2 * dim), nn.GELU(), nn.Linear(2 * dim, 2 * hidden))
        self.net = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, per_anchor * DRIVEN))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(
        self, tokens: Float[Tensor, "*#B G D"], condition: Float[Tensor, "*#B C"]
    ) -> Float[Tensor, "*#B G k 13"]:
        """Residuals on the canonical numbers; the condition scales and shifts what each token offers."""
        scale, shift = self.condition(condition)[..., None, :].chunk(2, -1)
        x = F.gelu(self.token(tokens) * (1 + scale) + shift)
        return self.net(x).unflatten(-1, (self.k, DRIVEN))

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """Canonical plus H_pose(T_gs, theta, epsilon, psi); opacity is not driven."""
        return raw + from_driven(self(tokens, driving.condition.to(tokens)).to(raw))


class SingleDecoder(CanonicalDecoder, Driver):
    """One branch that makes all 14 numbers under every signal: the single branch of the paper's Table S1.

    What it says at rest (a signal of zeros) is the canonical avatar, on which photographs are looked at again as on
    that of two branches; a signal changes all of its numbers. As deep and wide as the canonical branch, and with about
    as many parameters as both.
    """

    claim = Claim("decoders", hidden=("net.0",))

    def __init__(self, dim: int, per_anchor: int, condition: int, read: int = 0):
        super().__init__(dim, per_anchor, read)
        self.condition = nn.Sequential(nn.Linear(condition, dim), nn.GELU(), nn.Linear(dim, 4 * dim))

    def forward(self, tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B G k 14"]:
        """Residuals on the template's numbers, at rest."""
        return self._gated(self._under(tokens, self._rest(tokens)), tokens)

    def _rest(self, like: Tensor) -> Float[Tensor, " C"]:
        return like.new_zeros(self.condition[0].in_features)

    def _under(
        self, tokens: Float[Tensor, "*#B G D"], condition: Float[Tensor, "*#B C"]
    ) -> Float[Tensor, "*#B G k 14"]:
        scale, shift = self.condition(condition)[..., None, :].chunk(2, -1)
        hidden = F.gelu(self.net[0](tokens) * (1 + scale) + shift)
        return self.net[2](hidden).unflatten(-1, (self.k, CANONICAL))

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """The numbers at rest, changed by as much as the signal changes what the branch says."""
        said = self._under(tokens, driving.condition.to(tokens)) - self._under(tokens, self._rest(tokens))
        return raw + said.to(raw)
