"""What a module is in training, said by the module itself: its depth for layer-wise decay, and its optimiser.

The nearest module with a claim above a parameter speaks for it. A parameter for which nobody speaks is an error: it
would be trained at a depth that nobody chose.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn


@dataclass(frozen=True)
class Claim:
    """layer: the l of lr(l) = lr * gamma^(L - l): 0 for what stands before the encoder, 1 ... L for its layers, or
    "decoders" for what stands behind it (which is L). hidden: names, from the module on, of parts whose matrices lie
    between hidden numbers, neither at an input nor at an output (Muon's); "" for all. names: of the parameters and
    parts that are spoken for; "" for all."""

    layer: int | Literal["decoders"]
    hidden: tuple[str, ...] = ()
    names: tuple[str, ...] = ("",)

    def depth(self, layers: int) -> int:
        """l, in an encoder of L `layers`."""
        return layers if self.layer == "decoders" else self.layer


@dataclass(frozen=True)
class Standing:
    """What is claimed for one parameter: its claim, and whether it is a matrix between hidden numbers."""

    claim: Claim
    hidden: bool


def standings(model: nn.Module) -> dict[str, Standing]:
    """Parameter name -> what was claimed for it; ValueError that names the parameters for which nobody speaks."""
    claimed: dict[str, Standing] = {}
    claimants = [(name, module.claim) for name, module in model.named_modules() if isinstance(_claim(module), Claim)]
    parameters = dict(model.named_parameters())
    for module, claim in claimants:  # inner modules come after outer ones and overrule them
        prefix = f"{module}." if module else ""
        for name, parameter in parameters.items():
            if name.startswith(prefix) and _under(name[len(prefix) :], claim.names):
                hidden = parameter.ndim == 2 and _under(name[len(prefix) :], claim.hidden)
                claimed[name] = Standing(claim, hidden)
    if unclaimed := parameters.keys() - claimed.keys():
        raise ValueError(
            f"no module says where {', '.join(sorted(unclaimed))} stand in training; "
            "give the module they belong to a `claim` (lca_core/model/claims.py)"
        )
    return claimed


def _claim(module: nn.Module) -> object:
    return getattr(module, "claim", None)


def _under(name: str, parts: tuple[str, ...]) -> bool:
    return any(not part or name == part or name.startswith(f"{part}.") for part in parts)
