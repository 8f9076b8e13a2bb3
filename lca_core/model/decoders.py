"""The two branches: canonical (once per person) and driven (once per frame).

Both write residuals on per-Gaussian template parameters, which start on the body's surface and are trained; with
the network's part at zero they are the mean template. Numbers of one Gaussian, in order: colour 3 (logit),
position 3, rotation 4, scale 3 (log), opacity 1 (logit); the driven branch has all but the last.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import Anchors
from lca_core.splats import Gaussians
from lca_core.splats.skinning import multiply_quats

CANONICAL, DRIVEN = 14, 13
POSITION = slice(3, 6)  # among a Gaussian's numbers
POSITION_UNIT = 0.05  # metres for one unit of network output, so that all outputs are of like size
_START_OPACITY = 2.0  # logit: 0.88


class Template(nn.Module):
    """The person-independent start of every Gaussian, trained: raw numbers [G, k, 14]."""

    def __init__(self, anchors: Anchors):
        super().__init__()
        raw = torch.zeros(*anchors.points.shape[:2], CANONICAL)
        raw[..., 6] = 1.0
        raw[..., 10:13] = (0.6 * anchors.spacing[..., None]).log()
        raw[..., 12] -= 1.0  # thin along the surface normal
        raw[..., 13] = _START_OPACITY
        self.raw = nn.Parameter(raw)


class CanonicalDecoder(nn.Module):
    """H_cano: a geometry token to its k Gaussians."""

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
        raw = self.net(tokens).unflatten(-1, (self.k, CANONICAL))
        if not self.read:
            return raw
        colors = tokens[..., -self.read :].unflatten(-1, (self.read // 3, 3))
        gates = self.gates(tokens).unflatten(-1, (self.k, self.read // 3))
        return torch.cat([raw[..., :3] + gates @ colors, raw[..., 3:]], -1)


class DrivenDecoder(nn.Module):
    """H_pose: a geometry token and the driving signal (theta, epsilon, psi) to changes of its Gaussians."""

    def __init__(self, dim: int, per_anchor: int, condition: int):
        super().__init__()
        hidden = max(64, dim // 2)
        self.k = per_anchor
        self.token = nn.Linear(dim, hidden)
        self.condition = nn.Sequential(nn.Linear(condition, 2 * dim), nn.GELU(), nn.Linear(2 * dim, 2 * hidden))
        self.net = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, per_anchor * DRIVEN))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, tokens: Float[Tensor, "*B G D"], condition: Float[Tensor, "*B C"]) -> Float[Tensor, "*B G k 13"]:
        """Residuals on the canonical numbers; the condition scales and shifts what each token offers."""
        scale, shift = self.condition(condition)[..., None, :].chunk(2, -1)
        x = F.gelu(self.token(tokens) * (1 + scale) + shift)
        return self.net(x).unflatten(-1, (self.k, DRIVEN))


def to_gaussians(
    raw: Float[Tensor, "*B G k 14"], surface: Float[Tensor, "*B G k 3"], frames: Float[Tensor, "G k 4"]
) -> Gaussians:
    """Raw numbers to Gaussians in the T-pose, N = G k of them.

    surface: the shaped body's points that positions are relative to; frames: quaternions wxyz that turn the
    Gaussian's third axis to the surface normal.
    """
    color, position, rotation, scale, opacity = raw.split([3, 3, 4, 3, 1], -1)
    return Gaussians(
        means=(surface + POSITION_UNIT * position).flatten(-3, -2),
        quats=multiply_quats(frames, F.normalize(rotation, dim=-1)).flatten(-3, -2),
        scales=scale.clamp(-9.0, -2.0).exp().flatten(-3, -2),
        opacities=opacity.sigmoid().flatten(-3),
        colors=color.sigmoid().flatten(-3, -2),
    )


def frames_of_normals(normals: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 4"]:
    """The shortest rotations, as quaternions wxyz, from the z axis to unit normals."""
    x, y, z = normals.unbind(-1)
    w = 1 + z
    flipped = w < 1e-4  # straight back: half a turn about x
    zero = torch.zeros_like(x)
    quats = torch.stack([torch.where(flipped, zero, w), torch.where(flipped, zero + 1, -y),
                         torch.where(flipped, zero, x), zero], -1)  # fmt: skip
    return F.normalize(quats, dim=-1)
