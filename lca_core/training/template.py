"""The start of pretraining: the person-independent template, fitted alone."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lca_core.body.driving import EPSILON
from lca_core.model import LCA, Inputs
from lca_core.model.lca import Canonical
from lca_core.model.posing import Driver
from lca_core.training.batches import Batch
from lca_core.training.objective import loss_of
from lca_core.training.schedules import cosine
from lca_core.training.settings import Settings
from lca_core.training.survival import check_finite
from lca_core.training.team import Team


def fit_template(model: LCA, settings: Settings, next_batch: Callable[[], Batch], team: Team | None = None) -> None:
    """Train the person-independent template alone, the network's residuals left out.

    FloatingPointError where the loss is not finite.
    """
    team = team or Team.join()
    optimizer = torch.optim.Adam([model.template.raw], lr=0.02)
    objective = team.wrap(_TemplateObjective(model, settings))
    bar = tqdm(range(settings.template_steps), desc="template", unit="step", disable=not team.leads)
    for step in bar:
        loss, terms = objective(next_batch())
        check_finite(f"step {step} of the template's fit", team.mean(terms), {}, "give a lower learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * cosine(step + 1, settings.template_steps, 0)
        bar.set_postfix(loss=f"{terms['loss']:.3f}")


class _TemplateObjective(nn.Module):
    """The loss of the template alone: its numbers are the one parameter here."""

    def __init__(self, model: LCA, settings: Settings):
        super().__init__()
        self.template = model.template
        self._model, self._settings = _NoResiduals(model), settings

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return loss_of(self._model, batch, self._settings)


class _NoResiduals:
    """The model with everything silent but the template: everybody is that, in their own shape and pose."""

    drivers: tuple[Driver, ...] = ()

    def __init__(self, model: LCA):
        self.model = model

    def __getattr__(self, name: str):
        return getattr(self.model, name)

    def __call__(self, inputs: Inputs) -> Canonical:
        template = self.model.template.raw
        people = len(inputs.betas)
        return Canonical(template.new_zeros(people, len(template), 0), template.expand(people, -1, -1, -1))

    def look_again(self, canonical: Canonical, *_) -> Canonical:
        return canonical

    def expression(self, chips: Tensor) -> Tensor:
        return chips.new_zeros(len(chips), EPSILON)
