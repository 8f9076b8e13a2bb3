"""What an expression code does to every face alike: the body's blendshapes, and what is learned beside them (ours,
optional).

A body file in SMPL-X's layout brings directions in which faces move: of the free body, the 52 facial actions. The
paper's codes have to find out by themselves what an opening mouth is, which takes a million clips. Here the first E
numbers of a code are the blendshapes' weights, and the driven branch adds to what they do whatever the whole code
calls for. They are learned without labels all the same, through the pictures (analysis by synthesis, as in DECA,
Feng et al. 2021, https://doi.org/10.1145/3450626.3459936).

Beside them each Gaussian of the face has `rank` learned directions of colour, position, rotation and scale, which any
code may call for: creases, lips that part and the dark between them look alike on all people, and the driven branch,
which has to say such things anew for every token, needs far more faces to find them out.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lca_core.body import Anchors, Driving
from lca_core.body.driving import EPSILON
from lca_core.model.claims import Claim
from lca_core.model.posing import Driver
from lca_core.model.precision import full_precision
from lca_core.model.raw import DRIVEN, from_driven, from_offsets

_LEAST = 5e-5  # metres: Gaussians that no blendshape moves further are left out


@dataclass(frozen=True)
class FaceShapes(Driver):
    """index [M]: the Gaussians that move, numbered over all anchors; dirs [M, 3, E]: metres of the T-pose per unit;
    learned [M, 13, R]: raw numbers per unit of what mix [R, 128] makes of a code."""

    index: Int[Tensor, " M"]
    dirs: Float[Tensor, "M 3 E"]
    learned: Float[Tensor, "M 13 R"]
    mix: Float[Tensor, "R 128"]

    @classmethod
    def of(cls, anchors: Anchors) -> "FaceShapes":
        """Those of a body's anchors."""
        dirs = anchors.exprdirs.flatten(0, 1)[..., :EPSILON]
        index = (dirs.norm(dim=1) > _LEAST).any(-1).nonzero()[:, 0]
        return cls(index, dirs[index].contiguous(), *unlearned(len(index)))

    @classmethod
    def none(cls) -> "FaceShapes":
        """No blendshapes: the paper's plain codes."""
        return cls(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3, 0), *unlearned(0))

    def to(self, device: torch.device | str) -> "FaceShapes":
        """A copy on another device."""
        return FaceShapes(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def move(self, raw: Float[Tensor, "*#B G k 14"], codes: Float[Tensor, "*#B 128"]) -> Float[Tensor, "*#B G k 14"]:
        """Raw numbers with the faces of these codes."""
        codes = codes.to(self.dirs)
        changes = from_offsets(torch.einsum("mie,...e->...mi", self.dirs, codes[..., : self.dirs.shape[-1]]))
        if len(self.mix):
            changes = changes + from_driven(torch.einsum("mcr,...r->...mc", self.learned, codes @ self.mix.T))
        changes = changes.to(raw)
        return raw.flatten(-3, -2).index_add(-2, self.index, changes).unflatten(-2, raw.shape[-3:-1])

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """Raw numbers with the faces of the signal's codes."""
        with full_precision(raw):
            return self.move(raw, driving.epsilon)


def unlearned(count: int) -> tuple[Tensor, Tensor]:
    """`learned` and `mix` of so many Gaussians of which nothing is learned."""
    return torch.zeros(count, DRIVEN, 0), torch.zeros(0, EPSILON)


class FaceDirections(nn.Module):
    """What is learned of `FaceShapes`: directions of `count` Gaussians, `rank` each, which start at nothing."""

    claim = Claim("decoders", names=("learned", "mix"))

    def __init__(self, count: int, rank: int):
        super().__init__()
        self.learned = nn.Parameter(torch.zeros(count, DRIVEN, rank))
        self.mix = nn.Parameter(torch.randn(rank, EPSILON) / EPSILON**0.5)
