import math
from dataclasses import replace

import pytest
import torch

from lca_core.evaluation.baselines.per_person import PosedPicture, optimise_person
from lca_core.splats import SHARP_EPS2D, Gaussians, rasterize, skin


@pytest.fixture(scope="module")
def scene():
    """A two-joint "person": a plain template, a coloured truth, and pictures of the truth in two poses."""
    generator = torch.Generator().manual_seed(0)
    count = 300
    means = (torch.rand(count, 3, generator=generator) - 0.5) * torch.tensor([0.6, 1.6, 0.3])
    template = Gaussians(
        means, torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1), torch.full((count, 3), 0.05),
        torch.full((count,), 0.7), torch.full((count, 3), 0.5),
    )  # fmt: skip
    upper = (means[:, 1] > 0).float()
    weights = torch.stack([1 - upper, upper], -1)
    colors = torch.where(upper[:, None] > 0, torch.tensor([0.9, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.8]))
    truth = Gaussians(means, template.quats, template.scales, template.opacities, colors)

    def picture(side, angle, size):
        bent = torch.eye(4).repeat(2, 1, 1)
        cos, sin = math.cos(angle), math.sin(angle)
        bent[1, :2, :2] = torch.tensor([[cos, -sin], [sin, cos]])
        viewmat = torch.diag(torch.tensor([side, -1.0, -side, 1.0]))
        viewmat[2, 3] = 3
        K = torch.tensor([[size * 1.4, 0, size / 2], [0, size * 1.4, size / 2], [0, 0, 1]])
        posed = skin(truth, weights, bent)
        drawn, _ = rasterize(
            posed.means, posed.quats, posed.scales, posed.opacities, posed.colors,
            viewmat[None], K[None], size, size, background=torch.ones(3), eps2d=SHARP_EPS2D,
        )  # fmt: skip
        return PosedPicture(drawn[0], bent, viewmat, K)

    inputs = [picture(1.0, 0.0, 64), picture(-1.0, 0.3, 64), picture(1.0, 0.3, 48)]
    return template, weights, inputs, picture(-1.0, -0.4, 64)


def error(gaussians, weights, picture):
    posed = skin(gaussians, weights, picture.transforms)
    drawn, _ = rasterize(
        posed.means, posed.quats, posed.scales, posed.opacities, posed.colors,
        picture.viewmat[None], picture.K[None], *picture.image.shape[1::-1], background=torch.ones(3),
        eps2d=SHARP_EPS2D,
    )  # fmt: skip
    return (drawn[0] - picture.image).abs().mean().item()


@pytest.mark.parametrize("at_once", [4, 2])
def test_optimisation_explains_an_unseen_view_of_an_unseen_pose(scene, at_once):
    template, weights, inputs, unseen = scene
    fitted = optimise_person(template, weights, inputs, steps=40, pictures_per_step=at_once)
    assert error(fitted, weights, unseen) < 0.2 * error(template, weights, unseen)
    assert not fitted.colors.requires_grad
    assert 0 <= fitted.opacities.min() and fitted.opacities.max() <= 1


def test_strong_regularisation_keeps_the_templates_shape(scene):
    template, weights, inputs, _ = scene
    free = optimise_person(template, weights, inputs, steps=10, regularisation=0.0)
    held = optimise_person(template, weights, inputs, steps=10, regularisation=1e4)
    moved = [(g.means - template.means).norm().item() for g in (free, held)]
    assert moved[1] < 0.3 * moved[0]


def test_the_same_pictures_give_the_same_gaussians(scene):
    template, weights, inputs, _ = scene
    first, again = (optimise_person(template, weights, inputs, steps=3) for _ in range(2))
    assert torch.equal(first.means, again.means) and torch.equal(first.colors, again.colors)


def test_no_steps_give_the_template_back_and_no_pictures_are_refused(scene):
    template, weights, inputs, _ = scene
    same = optimise_person(template, weights, inputs, steps=0)
    assert torch.allclose(same.colors, template.colors, atol=1e-6) and torch.equal(same.means, template.means)
    with pytest.raises(ValueError, match="picture"):
        optimise_person(template, weights, [])
    with pytest.raises(ValueError, match="pictures_per_step"):
        optimise_person(template, weights, inputs, pictures_per_step=0)


def test_what_hides_the_person_is_not_fitted(scene):
    """A black bar over one half of every picture: known to be in the way, it leaves the colours as they were."""
    template, weights, inputs, unseen = scene

    def barred(picture, told):
        image, hidden = picture.image.clone(), torch.zeros(picture.image.shape[:2])
        image[:, : image.shape[1] // 2] = 0
        hidden[:, : image.shape[1] // 2] = 1
        return replace(picture, image=image, hidden=hidden if told else None)

    told, untold = (
        optimise_person(template, weights, [barred(p, known) for p in inputs], steps=30) for known in (True, False)
    )
    assert error(told, weights, unseen) < 0.5 * error(untold, weights, unseen)
