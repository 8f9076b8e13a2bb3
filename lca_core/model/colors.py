"""Colour reading: geometry tokens fetch colours from the photographs by attention. Ours, not the paper's; optional.

The paper's encoder (Sapiens) was trained to give pixels back, the small one that ships here was not, and a small model
trained for an hour spends most of it on a plateau near the mean person before colour gets through its layers. Here
each geometry token attends to the patches of the person once more and takes the patches' own colours as values;
per-Gaussian gates decide how much of what was read is added to the canonical colour.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lca_core.model.attending import attend
from lca_core.model.claims import Claim
from lca_core.model.rows import PATCH, SCALE, patches_of

HEADS, SUB = 4, 2  # heads, and sub-squares along a side of a patch
READ = HEADS * SUB * SUB * 3  # numbers a token has read


def patch_colors(rows: Float[Tensor, "*B P F"]) -> Float[Tensor, "*B P C"]:
    """Mean foreground colours of the 2 x 2 sub-squares of each patch, as (rgb - 0.5) * 4; C = 12.

    A sub-square without the person has the patch's mean, a patch without the person zeros.
    """
    pixels = patches_of(rows).unflatten(-1, (SUB, PATCH // SUB)).unflatten(-3, (SUB, PATCH // SUB))
    sums = pixels.sum((-3, -1)).flatten(-2).movedim(-1, -2)  # [*B, P, 4 sub-squares, rgb and matte]
    whole = sums.sum(-2, keepdim=True)
    least = 0.02 * PATCH**2 * SCALE / SUB**2  # of a sub-square's matte
    mean = whole[..., :3] / whole[..., 3:].clamp(min=least)
    own = sums[..., :3] / sums[..., 3:].clamp(min=least)
    return SCALE * torch.where(sums[..., 3:] > least, own, mean).flatten(-2)


class ColorReading(nn.Module):
    """One more multimodal attention, with colours as values: [B, G, 48] numbers read."""

    claim = Claim("decoders")

    def __init__(self, dim: int):
        super().__init__()
        self.query, self.key = nn.Linear(dim, HEADS * 32), nn.Linear(dim, HEADS * 32)
        self.norm = nn.LayerNorm(dim)

    def forward(
        self,
        geometry: Float[Tensor, "B G D"],
        image: Float[Tensor, "B M D"],
        colors: Float[Tensor, "B M 12"],
        seen: Bool[Tensor, "B M"],
    ) -> Float[Tensor, "B G 48"]:
        """Attended colours, head by head."""
        q = self.query(geometry).unflatten(-1, (HEADS, 32)).transpose(1, 2)
        k = self.key(self.norm(image)).unflatten(-1, (HEADS, 32)).transpose(1, 2)
        wide = nn.functional.pad(colors, (0, q.shape[-1] - colors.shape[-1]))  # fast attention asks for like sizes
        v = wide[:, None].expand(-1, HEADS, -1, -1).to(q)
        read = attend(q, k, v, seen)
        return read[..., : colors.shape[-1]].transpose(1, 2).flatten(2)
