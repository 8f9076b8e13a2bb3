"""The one table of optional decoders, by the names that profiles and files call them."""

from collections.abc import Iterable

from torch import nn

from lca_core.errors import InputError
from lca_core.model.part import Part

PARTS: dict[str, type[Part]] = {}


def parts_named(names: Iterable[str], width: int, per_anchor: int) -> nn.ModuleDict:
    """New parts for tokens of length `width` and k Gaussians an anchor; InputError for a name that is not in PARTS."""
    names = list(names)
    if unknown := [name for name in names if name not in PARTS]:
        known = f"choose from {', '.join(PARTS)}" if PARTS else "this version has none"
        raise InputError(f"no part of a model is called {', '.join(map(repr, unknown))}; {known}")
    return nn.ModuleDict({name: PARTS[name](width, per_anchor) for name in names})
