"""The body's facial blendshapes, moved by the first numbers of an expression code (ours, optional).

A body file in SMPL-X's layout brings directions in which faces move: of the free body, the 52 facial actions. The
paper's codes have to find out by themselves what an opening mouth is, which takes a million clips. Here the first E
numbers of a code are the blendshapes' weights, and the driven branch adds to what they do whatever the whole code
calls for. They are learned without labels all the same, through the pictures (analysis by synthesis, as in DECA,
Feng et al. 2021, https://doi.org/10.1145/3450626.3459936).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from lca_core.body import Anchors
from lca_core.body.driving import EPSILON
from lca_core.model.decoders import CANONICAL, POSITION, POSITION_UNIT

_LEAST = 5e-5  # metres: Gaussians that no blendshape moves further are left out


@dataclass(frozen=True)
class FaceShapes:
    """index [M]: the Gaussians that move, numbered over all anchors; dirs [M, 3, E]: metres of the T-pose per unit."""

    index: Int[Tensor, " M"]
    dirs: Float[Tensor, "M 3 E"]

    @classmethod
    def of(cls, anchors: Anchors) -> "FaceShapes":
        """Those of a body's anchors."""
        dirs = anchors.exprdirs.flatten(0, 1)[..., :EPSILON]
        index = (dirs.norm(dim=1) > _LEAST).any(-1).nonzero()[:, 0]
        return cls(index, dirs[index].contiguous())

    @classmethod
    def none(cls) -> "FaceShapes":
        """No blendshapes: the paper's plain codes."""
        return cls(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3, 0))

    def move(self, raw: Float[Tensor, "*B G k 14"], codes: Float[Tensor, "*B 128"]) -> Float[Tensor, "*B G k 14"]:
        """Raw numbers with the faces of these codes."""
        weights = codes[..., : self.dirs.shape[-1]].to(self.dirs)
        offsets = torch.einsum("mie,...e->...mi", self.dirs, weights) / POSITION_UNIT
        offsets = pad(offsets, (POSITION.start, CANONICAL - POSITION.stop)).to(raw)
        return raw.flatten(-3, -2).index_add(-2, self.index, offsets).unflatten(-2, raw.shape[-3:-1])
