"""A few people nobody trains on, drawn every so often: whether what is learnt is of use to others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from lca_core.model import LCA
from lca_core.training.batches import make_batch, shown_of, stack_inputs
from lca_core.training.examples import Example
from lca_core.training.objective import forward, render, select

PEOPLE = 8
_INPUTS, _TARGETS = 4, 2


class Validation:
    """psnr of unseen people: whole full-body pictures over white in poses that were not among the photographs given, by
    the driven branch, as the mean over pictures. Always the same eight (at most), evenly taken from `people`.

    every: steps between two measurements; lit: under the light of the pictures.
    """

    def __init__(self, people: Sequence[Example], every: int, lit: bool = False):
        self._every, self._lit = every, lit
        targets, given = [], []
        chosen = [people[i] for i in range(0, len(people), -(-len(people) // PEOPLE))]
        for person in chosen:
            frames = np.arange(len(person.theta))
            targets.append(np.resize(frames[::-1], _TARGETS))
            given.append(frames[: max(1, len(frames) - _TARGETS)][:_INPUTS].tolist())
        inputs = stack_inputs([person.inputs(numbers) for person, numbers in zip(chosen, given)])
        batch = make_batch(chosen, inputs, targets, np.random.default_rng(0))
        white = torch.ones_like(batch.body.background)
        shown = shown_of(chosen, given, [True] * len(chosen))
        self._batch = replace(batch, body=replace(batch.body, background=white), shown=shown)

    @torch.no_grad()
    def __call__(self, step: int, model: LCA) -> dict[str, float]:
        """{"val_psnr": dB} after every so many steps, else nothing. Random state and weights stay as they are."""
        if step % self._every:
            return {}
        batch = self._batch.to(model.template.raw.device)
        views = batch.body
        driven = forward(model, batch, False, self._lit).driven
        drawn = render(driven.map(lambda values: select(values, views.which)), views)[0].clamp(0, 1)
        alpha = views.pixels[..., 3:4]
        error = (drawn - (views.pixels[..., :3] * alpha + 1 - alpha)).square().mean((1, 2, 3))
        return {"val_psnr": float((-10 * error.clamp(min=1e-10).log10()).mean())}
