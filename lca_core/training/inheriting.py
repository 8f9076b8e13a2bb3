"""A model of other sizes from weights that are there, as far as they fit.

What reads pictures and what tokens say to each other does not depend on how many Gaussians there are or where they lie;
only the ends of the decoders do, and the places of patches. So larger pictures and more Gaussians need not begin from
noise: a Gaussian begins as its nearest of before, a patch's place between those of before.
"""

from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from lca_core.errors import InputError
from lca_core.model import LCA
from lca_core.model.raw import OPACITY, SCALE
from lca_core.training.checkpoints import load_model

_FAR = 0.02  # metres: a Gaussian with none of before so near begins anew
_SAID = (
    "canonical.net.2", "canonical.gates", "driven.net.2", "second_look.net.2", "color_copy.score",
    "color_copy.stand_in",
)  # fmt: skip
_HEARD = {"alignment.colors": (0, 1), "second_look.net.0": (None, 0)}  # columns before and after the Gaussians' own


@torch.no_grad()
def inherit(path: Path | str, model: LCA) -> list[str]:
    """Start `model` from the weights of a file whose profile has other picture sizes, anchors or options; returns the
    names of parameters that begin anew.

    InputError when tokens are of another width, layers or heads are not as many, or rows of patches are others.
    """
    old, _ = load_model(path)
    was, now = old.profile, model.profile
    same = {"dim": (was.dim, now.dim), "depth": (was.depth, now.depth), "heads": (was.heads, now.heads)}
    same |= {
        "image encoder": (old.image_encoder, model.image_encoder),
        "row of a patch": (old.features, model.features),
    }
    if differs := [f"{name} {a}, not {b}" for name, (a, b) in same.items() if a != b]:
        raise InputError(f"{path} has {', '.join(differs)}: nothing can be inherited; give weights of such sizes")
    before, after = dict(old.named_parameters()), dict(model.named_parameters())
    slots = torch.arange(now.gaussians_per_anchor) * was.gaussians_per_anchor // now.gaussians_per_anchor
    anew = []
    for name, own in after.items():
        value = _inherited(name, before, own, slots)
        if name == "template.raw":
            value = _template(old, model)
        if value is None or value.shape != own.shape:
            anew.append(name)
        else:
            own.copy_(value.to(own))
    return anew


def _inherited(name: str, before: dict[str, Tensor], own: Tensor, slots: Int[Tensor, " k"]) -> Tensor | None:
    """The numbers of a parameter, in its new shape where that differs; None where there are none."""
    module, _, kind = name.rpartition(".")
    if module.startswith("expression.net"):
        name = _shifted(name, before, own)
    value = before.get(name)
    if value is None or value.shape == own.shape:
        return value
    if name.startswith("place."):
        return _between(value, len(own))
    count = _per_anchor(before)
    if module in _SAID:
        return value.unflatten(0, (count, -1))[slots].flatten(0, 1)
    if module in _HEARD and kind == "weight":
        first, last = _HEARD[module]
        each = (own.shape[1] - value.shape[1]) // (len(slots) - count) if len(slots) != count else 0
        first = value.shape[1] - last - count * each if first is None else first
        head, middle, tail = value.split([first, count * each, last], 1)
        shares = torch.bincount(slots, minlength=count)[slots]  # what was one Gaussian's say is now several's
        middle = (middle.unflatten(1, (count, each))[:, slots] / shares[:, None]).flatten(1)
        return torch.cat([head, middle, tail], 1)
    return None


def _per_anchor(before: dict[str, Tensor]) -> int:
    return before["template.raw"].shape[1]


def _shifted(name: str, before: dict[str, Tensor], own: Tensor) -> str:
    """The same layer of an expression encoder of smaller chips, which has fewer layers before it."""
    if name in before and before[name].shape == own.shape:
        return name
    prefix, number, kind = name.rsplit(".", 2)
    return f"{prefix}.{int(number) - 3}.{kind}"  # a convolution, its norm and its activation


def _between(places: Float[Tensor, "p D"], count: int) -> Float[Tensor, "q D"]:
    """Places of a square of patches, for a square of more."""
    side, wanted = round(len(places) ** 0.5), round(count**0.5)
    grid = places.T.unflatten(1, (side, side))[None]
    return F.interpolate(grid, (wanted, wanted), mode="bilinear", align_corners=False)[0].flatten(1).T


def _template(old: LCA, model: LCA) -> Float[Tensor, "G k 14"]:
    """Each Gaussian as the nearest of before, its size in proportion to its own spacing."""
    own, template = model.template.raw.flatten(0, 1).clone(), old.template.raw.flatten(0, 1)
    points, places = model.anchor_points.flatten(0, 1), old.anchor_points.flatten(0, 1)
    nearest = torch.cat([torch.cdist(some, places).min(1).indices for some in points.split(2048)])
    far = (points - places[nearest]).norm(dim=-1) > _FAR
    found = template[nearest].clone()
    spacing = model.anchor_spacing.flatten() / old.anchor_spacing.flatten()[nearest]
    found[:, SCALE] += spacing.log()[:, None]
    found[:, OPACITY] = torch.where(own[:, OPACITY] < 0, own[:, OPACITY], found[:, OPACITY])  # of shells: as it is
    return torch.where(far[:, None], own, found).unflatten(0, model.template.raw.shape[:2])
