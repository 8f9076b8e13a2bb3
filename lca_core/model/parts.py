"""The one table of optional decoders, by the names that profiles and files call them."""

from collections.abc import Iterable

from torch import nn

from lca_core.errors import InputError
from lca_core.model.facial import FacialFeatures
from lca_core.model.hanging import HangingCloth
from lca_core.model.loose import LooseCloth
from lca_core.model.part import Part
from lca_core.model.relighting import Relighting

LIGHT, CLOTH, FACE, HANGING = "light", "cloth", "face", "hanging"
PARTS: dict[str, type[Part]] = {FACE: FacialFeatures, LIGHT: Relighting, CLOTH: LooseCloth, HANGING: HangingCloth}


def parts_named(names: Iterable[str], width: int, per_anchor: int) -> nn.ModuleDict:
    """New parts for tokens of length `width` and k Gaussians an anchor; InputError for a name that is not in PARTS."""
    names = list(names)
    if unknown := [name for name in names if name not in PARTS]:
        raise InputError(
            f"no part of a model is called {', '.join(map(repr, unknown))}; choose from {', '.join(PARTS)}"
        )
    return nn.ModuleDict({name: PARTS[name](width, per_anchor) for name in names})
