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

from lca_core.body import Anchors, Driving
from lca_core.body.driving import EPSILON
from lca_core.model.posing import Driver
from lca_core.model.precision import full_precision
from lca_core.model.raw import from_offsets

_LEAST = 5e-5  # metres: Gaussians that no blendshape moves further are left out


@dataclass(frozen=True)
class FaceShapes(Driver):
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

    def to(self, device: torch.device | str) -> "FaceShapes":
        """A copy on another device."""
        return FaceShapes(self.index.to(device), self.dirs.to(device))

    def move(self, raw: Float[Tensor, "*B G k 14"], codes: Float[Tensor, "*B 128"]) -> Float[Tensor, "*B G k 14"]:
        """Raw numbers with the faces of these codes."""
        weights = codes[..., : self.dirs.shape[-1]].to(self.dirs)
        changes = from_offsets(torch.einsum("mie,...e->...mi", self.dirs, weights)).to(raw)
        return raw.flatten(-3, -2).index_add(-2, self.index, changes).unflatten(-2, raw.shape[-3:-1])

    def numbers(
        self, raw: Float[Tensor, "*F G k 14"], tokens: Float[Tensor, "*F G D"], driving: Driving
    ) -> Float[Tensor, "*F G k 14"]:
        """Raw numbers with the faces of the signal's codes."""
        with full_precision(raw):
            return self.move(raw, driving.epsilon)
