"""What runs on a GPU, tested without one: on the meta device every tensor made in the wrong place is an error."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import Driving
from lca_core.evaluation.evaluate import draw_like, template_avatar
from lca_core.model import Avatar, alignment, driving_of, lca
from lca_core.model.alignment import View
from lca_core.splats import Gaussians
from lca_core.training import objective
from lca_core.training.batches import draw_batch
from tests.training.subjects import painted_examples, painted_person, tiny_model

META = torch.device("meta")


@pytest.fixture(autouse=True)
def only_shapes(monkeypatch):
    """What needs values (which patches are seen, which poses known, the picture itself) answers by shapes alone."""

    def every_patch(seen):
        order = torch.arange(seen.shape[1], device=seen.device).expand(seen.shape)
        return seen, order

    def every_picture(known):
        return tuple(torch.zeros(known.numel(), dtype=torch.int64, device=known.device) for _ in range(2))

    def drawn(gaussians: Gaussians, viewmats, Ks, width, height, background=None, backend="auto"):
        tensors = (*vars(gaussians).values(), viewmats, Ks, *([] if background is None else [background]))
        assert {tensor.device for tensor in tensors} == {META}
        shape = (*viewmats.shape[:-2], height, width)
        return torch.zeros(*shape, 3, device=META), torch.zeros(*shape, 1, device=META)

    def drawn_each(gaussians: Gaussians, which, *arguments):
        assert which.device == META
        return drawn(gaussians, *arguments)

    monkeypatch.setattr(lca, "foreground_first", every_patch)
    monkeypatch.setattr(View, "_which", staticmethod(every_picture))
    for module in (alignment, objective):
        monkeypatch.setattr(module, "draw_each", drawn_each)
    monkeypatch.setattr("lca_core.evaluation.evaluate.draw", drawn)


@pytest.fixture(scope="module")
def model():
    return tiny_model().to(META)


@torch.no_grad()
def test_a_training_forward_stays_on_its_device(model):
    batch = draw_batch(painted_examples(2), np.random.default_rng(0), 2, 2, 2).to(META)
    posed = objective.forward(model, batch, autocast=False)
    for gaussians in (posed.canonical, posed.driven):
        assert {tensor.device for tensor in vars(gaussians).values()} == {META}
    views = replace(batch.face, which=tuple(index for index in batch.face.which))
    colors, alphas = objective.render(posed.driven.map(lambda t: t.new_zeros(len(views.pixels), *t.shape[2:])), views)
    assert colors.device == alphas.device == META


@torch.no_grad()
def test_an_avatar_is_made_driven_and_compared_on_its_device(model):
    person = painted_person(0)
    batch = draw_batch(painted_examples(1), np.random.default_rng(0), 1, 2, 2).to(META)
    avatar = Avatar.encode(model, batch.inputs)
    signal = driving_of(model, person.frames[1:], person.betas)
    assert {getattr(signal, name).device for name in ("theta", "epsilon", "gaze", "root")} == {META}
    for made in (avatar, template_avatar(model, model.template.raw.detach(), person)):
        posed = made.drive(signal).map(lambda t: t[0])
        assert {tensor.device for tensor in vars(posed).values()} == {META}
        colors, alpha = draw_like(posed, person.frames[1].body)
        assert colors.device == alpha.device == META


@torch.no_grad()
def test_a_signal_from_elsewhere_drives_an_avatar_on_its_device(model):
    batch = draw_batch(painted_examples(1), np.random.default_rng(0), 1, 2, 2).to(META)
    posed = Avatar.encode(model, batch.inputs).drive(Driving.neutral())
    assert posed.means.device == META
