"""Batches: which people, which photographs they are encoded from, which pictures they are held to.

All that is random in a training step is drawn here, for the whole batch, from one numpy generator: processes that
train together draw alike, and each takes and loads its own people only (`Part`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lca_core.body import Driving
from lca_core.model import Inputs, Placement
from lca_core.model.photographs import FACE_WEIGHT, Photographs, Shots
from lca_core.training.datasets import Presence, dataset_of
from lca_core.training.examples import Example

KINDS = ("body", "face", "hand")


class Part(NamedTuple):
    """Which of `size` processes this is; each takes every `size`-th person of a batch."""

    rank: int = 0
    size: int = 1


ALONE = Part()


@dataclass(frozen=True)
class Views:
    """Pictures to compare with, all of one size.

    pixels: sRGB, matte and what is hidden, in [0, 1]; which: (person, view) of each picture [P, 2]; background: what
    both sides of a comparison are put over; judged: whether LPIPS looks at it; share: how much a mean over these
    pictures weighs in the mean over those of all processes, judged_share: the same of those judged (both 1 where there
    is one process).
    """

    pixels: Float[Tensor, "P H W 5"]
    viewmats: Float[Tensor, "P 4 4"]
    Ks: Float[Tensor, "P 3 3"]
    which: tuple[Tensor, Tensor]
    background: Float[Tensor, "P 3"]
    judged: Bool[Tensor, " P"]
    share: float = 1.0
    judged_share: float = 1.0

    def to(self, device: torch.device | str) -> "Views":
        """A copy on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("pixels", "viewmats", "Ks", "background", "judged")}
        return replace(self, **moved, which=tuple(index.to(device) for index in self.which))


@dataclass(frozen=True)
class Shown:
    """The N photographs that B people are encoded from, as pictures, for a model that looks at them again.

    chips: what the expression codes of the N are read from; shots: of those whose poses are told; steps: how often the
    model looks, None: as often as it has learned to.
    """

    theta: Float[Tensor, "B N 138"]
    root: Float[Tensor, "B N 6"]
    gaze: Float[Tensor, "B N 4"]
    chips: Float[Tensor, "B N c c"]
    has_face: Bool[Tensor, "B N"]
    shots: tuple[Shots, ...]
    steps: int | None = None

    def photographs(self, codes: Float[Tensor, "B N 128"]) -> Photographs:
        """As the model takes them, with the codes of their chips."""
        return Photographs(Driving(self.theta, codes * self.has_face[..., None], self.gaze, self.root), self.shots)

    def to(self, device: torch.device | str) -> "Shown":
        """A copy on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("theta", "root", "gaze", "chips", "has_face")}
        return replace(self, **moved, shots=tuple(shots.to(device) for shots in self.shots))


@dataclass(frozen=True)
class Batch:
    """B people with V driving signals each, and the pictures that belong to them.

    chips: what the expression codes of the V are read from; shown: the photographs as pictures, None for a model that
    looks at them once; viewmats and lamps: the camera and the light of each signal's pictures; actions: the true ones
    of its face, NaN where unknown.
    """

    inputs: Inputs
    theta: Float[Tensor, "B V 138"]
    root: Float[Tensor, "B V 6"]
    gaze: Float[Tensor, "B V 4"]
    chips: Float[Tensor, "B V c c"]
    has_face: Bool[Tensor, "B V"]
    body: Views
    face: Views
    hand: Views
    shown: Shown | None = None
    viewmats: Float[Tensor, "B V 4 4"] | None = None
    lamps: Float[Tensor, "B V M 6"] | None = None
    actions: Float[Tensor, "B V 52"] | None = None

    def to(self, device: torch.device | str) -> "Batch":
        """A copy on another device."""
        values = (getattr(self, field.name) for field in fields(self))
        return Batch(*(None if value is None else value.to(device) for value in values))


def draw_batch(
    people: Sequence[Example],
    rng: np.random.Generator,
    size: int,
    inputs: int,
    views: int,
    placed: float = 1.0,
    judged: int = 0,
    part: Part = ALONE,
    single: float = 0.0,
    looks: int = 0,
    looked: float = 1.0,
) -> Batch:
    """`size` people at random; of each, half of to all `inputs` photographs (as many for all) and `views` targets.

    placed: share of people whose photographs' poses are told; the others are learnt from as untracked pictures.
    judged: how many pictures of a kind LPIPS looks at. single: share of batches that show one photograph of each.
    looks: how often a model looks again at most; in the share `looked` of batches it does, once to so often. ValueError
    for a size that the processes cannot share evenly.
    """
    if size % part.size:
        raise ValueError(f"{part.size} processes cannot share a batch of {size} people evenly")
    dataset = dataset_of(people)
    numbers = choose_people(rng, dataset.groups, size)
    mine = range(size)[part.rank :: part.size]
    chosen = [dataset[n] if i in mine else dataset.presence(n) for i, n in enumerate(numbers)]
    shown = int(rng.integers(max(1, inputs // 2), inputs + 1))
    if single and rng.random() < single:
        shown = 1
    frames = [rng.permutation(len(p.has_body)) for p in chosen]
    told = rng.random(size) < placed
    # Targets come from the far end, so that they are mostly not among the photographs shown.
    targets = [np.resize(f[::-1], views) for f in frames]
    given = {i: sorted(frames[i][:shown].tolist()) for i in mine}
    inputs = stack_inputs([chosen[i].inputs(numbers, told[i]) for i, numbers in given.items()])
    batch = make_batch(chosen, inputs, targets, rng, judged, part)
    if not looks or rng.random() >= looked:
        return batch
    steps = int(rng.integers(1, looks + 1))
    return replace(batch, shown=shown_of([chosen[i] for i in mine], list(given.values()), told[list(mine)], steps))


def shown_of(
    people: Sequence[Example], chosen: Sequence[list[int]], told: Sequence[bool], steps: int | None = None
) -> Shown:
    """The photographs of these numbers of each person; where some have fewer, rows stand there that are in no shot.

    told: whether a person's poses are.
    """
    most = max(map(len, chosen))
    filled = [[*numbers, *numbers[:1] * (most - len(numbers))] for numbers in chosen]
    given = torch.tensor([[i < len(numbers) for i in range(most)] for numbers in chosen])

    def gather(name: str) -> Tensor:
        return torch.stack([getattr(person, name)[numbers] for person, numbers in zip(people, filled, strict=True)])

    known = gather("tracked") & given & torch.as_tensor(np.asarray(told, bool))[:, None]
    viewmats, shots = gather("viewmats"), []
    for kind, weight in (("body", 1.0), ("face", FACE_WEIGHT)):
        person, frame = which = (known & gather(f"has_{kind}")).nonzero(as_tuple=True)
        if len(person):
            pixels, Ks = gather(f"{kind}_pixels")[which].float() / 255, gather(f"{kind}_Ks")[which]
            shots.append(Shots(pixels, viewmats[which], Ks, person, frame, weight))
    signals = (gather(name) for name in ("theta", "root", "gaze"))
    return Shown(*signals, gather("chips").float() / 255, gather("has_face"), tuple(shots), steps)


def choose_people(rng: np.random.Generator, groups: Sequence[int], size: int) -> list[int]:
    """Numbers of `size` people, as many from each group (of so many people), nobody twice while there are enough."""
    chosen, first = [], 0
    for i, count in enumerate(groups):
        share = size * (i + 1) // len(groups) - size * i // len(groups)
        chosen += (first + rng.choice(count, size=share, replace=count < share)).tolist()
        first += count
    return chosen


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


def make_batch(
    people: Sequence[Example | Presence],
    inputs: Inputs,
    targets: Sequence[np.ndarray],
    rng: np.random.Generator,
    judged: int = 0,
    part: Part = ALONE,
) -> Batch:
    """A batch of given people (of all processes) whose target frames are `targets`, as many for each.

    inputs: of this process's people only; of the others it is enough to know which pictures there are. Backgrounds and
    judged pictures are drawn.
    """
    mine = slice(part.rank, None, part.size)
    own, frames = people[mine], [torch.from_numpy(t.copy()) for t in targets]

    def gather(name: str) -> Tensor:
        return torch.stack([getattr(p, name)[t] for p, t in zip(own, frames[mine], strict=True)])

    has_face, viewmats = gather("has_face"), gather("viewmats")

    def views(kind: str) -> Views:
        there = torch.stack([getattr(p, f"has_{kind}")[t] for p, t in zip(people, frames, strict=True)])
        count = int(there.sum())
        background = torch.from_numpy(rng.random((count, 3), np.float32))
        looked_at = torch.from_numpy(rng.permutation(count)[:judged])
        picked = torch.zeros(count, dtype=torch.bool).index_fill_(0, looked_at, True)
        number = torch.full(there.shape, -1).masked_scatter_(there, torch.arange(count))[mine]  # among all pictures
        which = there[mine].nonzero(as_tuple=True)
        number = number[which]
        share = part.size * len(number) / max(count, 1)
        judged_share = part.size * int(picked[number].sum()) / max(len(looked_at), 1)
        pixels, Ks = gather(f"{kind}_pixels")[which].float() / 255, gather(f"{kind}_Ks")[which]
        return Views(
            pixels, viewmats[which[:2]], Ks, which[:2], background[number], picked[number], share, judged_share
        )

    return Batch(
        inputs, gather("theta"), gather("root"), gather("gaze"), gather("chips").float() / 255, has_face,
        *(views(kind) for kind in KINDS), viewmats=viewmats, lamps=gather("lamps"), actions=gather("actions"),
    )  # fmt: skip
