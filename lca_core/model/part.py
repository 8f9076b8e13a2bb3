"""An optional decoder that reads the geometry tokens beside the two branches of the paper's model.

Loose cloth, light and whatever else reads the same tokens is a `Part`: a file of its own, named in the one table of
`parts.py` and switched on by a profile's `parts`. It drives (numbers, skinning weights), has loss terms of its own and
says where it stands in training; the model, the loop, checkpoints and avatars carry it without knowing it.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lca_core.body import Anchors
from lca_core.model.claims import Claim
from lca_core.model.posing import Driver, Posed, Rig


class Part(nn.Module, Driver):
    """width: length of a geometry token as decoders see it, D; per_anchor: Gaussians of an anchor, k.

    The state dict is all there is of a part: an avatar takes it along and makes the part anew from the two sizes.
    """

    claim = Claim("decoders")
    stored = torch.float32  # what an avatar's file keeps of its numbers

    def __init__(self, width: int, per_anchor: int):
        super().__init__()
        self.width, self.per_anchor = width, per_anchor

    def lay(self, anchors: Anchors) -> None:
        """Take over what follows from the anchors whose tokens are read: they are laid, or laid anew. Buffers that keep
        it are of the state dict, too."""

    def check(self, anchors: int) -> None:
        """RuntimeError where what a file brought does not fit so many anchors."""

    def settle(
        self,
        raw: Float[Tensor, "B G k 14"],
        tokens: Float[Tensor, "B G D"],
        rig: Rig,
        transforms: Float[Tensor, "B N 55 4 4"],
        known: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "B G k 14"]:
        """The canonical numbers of B people, changed once a person and not once a frame.

        transforms: of their N photographs' poses, where these are known.
        """
        return raw

    def finish(self, raw: Float[Tensor, "B G k 14"], tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B G k 14"]:
        """The canonical numbers of B people, changed once a person, after all looking at their photographs."""
        return raw

    def losses(self, posed: Posed, batch) -> dict[str, Tensor]:
        """Loss terms by name, already weighted: each a scalar, added to the loss, and a column of the log.

        batch: `lca_core.training.batches.Batch`.
        """
        return {}
