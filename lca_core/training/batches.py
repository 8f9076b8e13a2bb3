"""Batches: which people, which photographs they are encoded from, which pictures they are held to."""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lca_core.model import Inputs, Placement
from lca_core.training.examples import Example


@dataclass(frozen=True)
class Views:
    """Pictures to compare with, all of one size. rgba in [0, 1]; which: (person, view) of each picture [P, 2]."""

    rgba: Float[Tensor, "P H W 4"]
    viewmats: Float[Tensor, "P 4 4"]
    Ks: Float[Tensor, "P 3 3"]
    which: tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Batch:
    """B people with V driving signals each, and the pictures that belong to them."""

    inputs: Inputs
    theta: Float[Tensor, "B V 138"]
    root: Float[Tensor, "B V 6"]
    gaze: Float[Tensor, "B V 4"]
    chips: Float[Tensor, "B V 56 56"]
    has_face: Bool[Tensor, "B V"]
    body: Views
    face: Views
    hand: Views


def draw_batch(
    people: list[Example], rng: np.random.Generator, size: int, inputs: int, views: int, placed: float = 1.0
) -> Batch:
    """`size` people at random; of each, half of to all `inputs` photographs (as many for all) and `views` targets.

    placed: share of people whose photographs' poses are told; the others are learnt from as untracked pictures.
    """
    chosen = [people[i] for i in rng.choice(len(people), size=size, replace=len(people) < size)]
    shown = int(rng.integers(max(1, inputs // 2), inputs + 1))
    frames = [rng.permutation(len(p.theta)) for p in chosen]
    given = [p.inputs(sorted(f[:shown].tolist())) for p, f in zip(chosen, frames, strict=True)]
    given = [replace(g, placement=_hidden(g.placement)) if rng.random() >= placed else g for g in given]
    # Targets come from the far end, so that they are mostly not among the photographs shown.
    targets = [np.resize(f[::-1], views) for f in frames]
    return make_batch(chosen, stack_inputs(given), targets)


def stack_inputs(items: list[Inputs]) -> Inputs:
    """Inputs of single people to one batch; fewer photographs are padded and marked unseen."""
    most = max(i.body.shape[1] for i in items)

    def padded(name: str) -> Tensor:
        rows = []
        for item in items:
            x = getattr(item, name)
            rows.append(torch.cat([x, x.new_zeros(1, most - x.shape[1], *x.shape[2:])], 1))
        return torch.cat(rows)

    places = [i.placement or Placement.unknown(1, i.body.shape[1]) for i in items]
    padding = [Placement.unknown(1, most - i.body.shape[1]) for i in items]
    placement = Placement(
        *(torch.cat([torch.cat([getattr(p, f.name), getattr(q, f.name)], 1) for p, q in zip(places, padding)])
          for f in fields(Placement))
    )  # fmt: skip
    betas = torch.cat([i.betas for i in items])
    return Inputs(padded("body"), padded("face"), padded("seen"), betas, placement)


def _hidden(placement: Placement | None) -> Placement | None:
    return placement and replace(placement, known=torch.zeros_like(placement.known))


def make_batch(people: list[Example], inputs: Inputs, targets: list[np.ndarray]) -> Batch:
    """A batch of given people whose target frames are `targets` (as many for each)."""

    def gather(name: str) -> Tensor:
        return torch.stack([getattr(p, name)[torch.from_numpy(t.copy())] for p, t in zip(people, targets, strict=True)])

    has_face, viewmats = gather("has_face"), gather("viewmats")

    def views(kind: str, which: tuple[Tensor, ...]) -> Views:
        return Views(gather(f"{kind}_rgba")[which].float() / 255, viewmats[which[:2]], gather(f"{kind}_Ks")[which], which[:2])

    everyone, faces, hands = (
        x.nonzero(as_tuple=True) for x in (torch.ones_like(has_face), has_face, gather("has_hands"))
    )
    return Batch(
        inputs, gather("theta"), gather("root"), gather("gaze"), gather("chips").float() / 255, has_face,
        views("body", everyone), views("face", faces), views("hand", hands),
    )  # fmt: skip
