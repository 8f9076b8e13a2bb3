"""The same people drawn again and again while a model trains: progress one can look at."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from lca_core.model import LCA
from lca_core.model.posing import Posed
from lca_core.paths import atomic_path
from lca_core.training.batches import Views, make_batch, shown_of, stack_inputs
from lca_core.training.datasets import dataset_of
from lca_core.training.examples import Example
from lca_core.training.objective import forward, render, select

PEOPLE = 4


class Pictures:
    """Writes `folder`/truth.png and, for every call, `folder`/<step>.png: body and face of each of four people beside
    each other, in a pose that was not among the photographs given, by the driven branch.

    people: of whom the four are taken, evenly; without a face in two frames at least they are passed over. lit: under
    the light of the pictures.
    """

    def __init__(self, people: Sequence[Example], folder: Path | str, lit: bool = False):
        self.folder, self._lit, dataset = Path(folder), lit, dataset_of(people)
        everybody = range(len(dataset))
        shown = [i for i in everybody if dataset.presence(i).has_face.sum() > 1] or everybody
        self._people = [dataset[i] for i in shown[:: -(-len(shown) // PEOPLE)]]
        targets, given = [], []
        for person in self._people:
            last = int(person.has_face.nonzero()[-1]) if person.has_face.any() else len(person.theta) - 1
            targets.append(np.array([last]))
            given.append([i for i in range(len(person.theta)) if i != last][:4] or [last])
        inputs = stack_inputs([person.inputs(numbers) for person, numbers in zip(self._people, given)])
        batch = make_batch(self._people, inputs, targets, np.random.default_rng(0))
        self._batch = replace(batch, shown=shown_of(self._people, given, [True] * len(given)))
        views = (self._batch.body, self._batch.face)
        self._write("truth", [v.pixels[..., :3] * v.pixels[..., 3:4] + 1 - v.pixels[..., 3:4] for v in views])

    @torch.no_grad()
    def __call__(self, step: int, model: LCA) -> None:
        """Draw the people as the model makes them now."""
        batch = self._batch.to(model.template.raw.device)
        posed = forward(model, batch, autocast=False, lit=self._lit)
        self._write(f"{step:06d}", [_drawn(posed, views) for views in (batch.body, batch.face)])

    def _write(self, name: str, pictures: Sequence[Tensor]) -> None:
        size = pictures[0].shape[1]
        strip = np.full((size, 2 * len(self._people), size, 3), 255, np.uint8)
        for column, (images, views) in enumerate(zip(pictures, (self._batch.body, self._batch.face))):
            if len(images):
                large = interpolate(images.movedim(-1, 1).float(), size=[size, size], mode="bilinear", antialias=True)
                for image, person in zip(large.clamp(0, 1).movedim(1, -1).cpu(), views.which[0]):
                    strip[:, 2 * person + column] = (255 * image).round().numpy()
        with atomic_path(self.folder / f"{name}.png") as partial:
            Image.fromarray(strip.reshape(size, -1, 3)).save(partial, "PNG")


def _drawn(posed: Posed, views: Views) -> Tensor:
    """Pictures [P, H, W, 3] of the driven branch over white."""
    white = replace(views, background=torch.ones_like(views.background))
    return render(posed.driven.map(lambda values: select(values, views.which)), white)[0]
