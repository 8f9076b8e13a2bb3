"""Looking again by the gradient: steps that help, of what is seen, and leave alone what lacks nothing."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import Driving
from lca_core.model import LCA
from lca_core.model.gradient_steps import GradientSteps, neighbourhood
from lca_core.model.photographs import Comparison, Photographs, Shots
from lca_core.splats import draw
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY, random_inputs

PX = 28
STEPPING = replace(TINY, gradient_steps=2)


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    return LCA(STEPPING, FEATURES, free_body())


def calm(people: int, photos: int) -> Driving:
    neutral = Driving.neutral(photos)
    return Driving(
        *(getattr(neutral, name)[None].expand(people, -1, -1) for name in ("theta", "epsilon", "gaze", "root"))
    )


@torch.no_grad()
def photographs_of(model: LCA, raw, betas, known=(True,)) -> Photographs:
    """Pictures of these very numbers, from the front; known: whose there are."""
    people = [i for i, there in enumerate(known) if there]
    driving = calm(len(raw), 1)
    rig = model.rig(betas).for_views()
    g = rig.pose(raw[:, None], rig.transforms(driving)).map(lambda t: t[people, 0])
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    viewmat[2, 3] = 3.0
    K = torch.tensor([[40.0, 0, PX / 2], [0, 40.0, PX / 2], [0, 0, 1]])
    cameras = viewmat.expand(len(people), 4, 4), K.expand(len(people), 3, 3)
    colors, alpha = draw(g, cameras[0][:, None], cameras[1][:, None], PX, PX)
    image = colors[:, 0] / alpha[:, 0].clamp(min=1e-6)
    pixels = torch.cat([image, alpha[:, 0], torch.zeros_like(alpha[:, 0])], -1)
    person = torch.tensor(people)
    return Photographs(driving, (Shots(pixels, *cameras, person, torch.zeros_like(person), 1.0),))


def test_what_lacks_nothing_changes_nothing(model):
    """Photographs of the avatar as it is; what drivers add is nothing in an untrained model at rest."""
    inputs = random_inputs(people=1)
    canonical = model(inputs)
    photographs = photographs_of(model, canonical.raw, inputs.betas)
    again = model.look_again(canonical, inputs.betas, photographs)
    assert (again.raw - canonical.raw).abs().max() < 1e-3


def test_steps_bring_an_avatar_nearer_to_its_photograph(model):
    inputs = random_inputs(people=1)
    tokens, raw = model(inputs)
    photographs = photographs_of(model, raw, inputs.betas)
    generator = torch.Generator().manual_seed(0)
    off = (raw + 0.3 * torch.randn(raw.shape, generator=generator)).detach()
    comparison = Comparison(photographs, model.rig(inputs.betas), model.drivers, off, tokens.detach())
    losses = [comparison.loss(off)]
    for steps in (1, 2):
        stepped = model.gradient_steps(off, tokens, comparison, model.anchor_near, model.anchor_twin, steps)
        losses.append(comparison.loss(stepped))
    assert losses[0] > losses[1] > losses[2]


def test_people_without_a_photograph_stay_and_others_do_not(model):
    inputs = random_inputs(people=2)
    tokens, raw = model(inputs)
    photographs = photographs_of(model, raw + 0.2, inputs.betas, known=(False, True))
    canonical = type(model(inputs))(tokens, raw)
    again = model.look_again(canonical, inputs.betas, photographs).raw
    assert torch.equal(again[0], raw[0])
    assert not torch.equal(again[1], raw[1])
    assert torch.equal(model.look_again(canonical, inputs.betas, replace(photographs, shots=())).raw, raw)


def test_what_is_learned_gets_a_gradient_and_so_does_what_came_before(model):
    inputs = random_inputs(people=1)
    canonical = model(inputs)
    photographs = photographs_of(model, canonical.raw.detach() + 0.2, inputs.betas)
    model.look_again(canonical, inputs.betas, photographs).raw.square().sum().backward()
    named = dict(model.named_parameters())
    for name in ("gradient_steps.say.weight", "gradient_steps.follow", "gradient_steps.bend", "template.raw"):
        assert named[name].grad.abs().sum() > 0, name
    model.zero_grad()


def test_steps_beyond_the_learned_are_refused(model):
    with pytest.raises(ValueError, match="2 steps"):
        around = model.anchor_near, model.anchor_twin
        model.gradient_steps(torch.zeros(1, 32, 2, 14), torch.zeros(1, 32, 72), None, *around, steps=3)


def test_neighbours_are_near_and_twins_on_the_other_side():
    centers = torch.tensor([[1.0, 0, 0], [1.1, 0, 0], [-1.0, 0, 0], [0.0, 5, 0]])
    near, twin = neighbourhood(centers)
    assert near.shape == (4, 3) and near[0, 0] == 1 and near[1, 0] == 0
    assert twin.tolist() == [2, 2, 0, 3]


def test_a_model_without_them_has_none():
    plain = LCA(TINY, FEATURES, free_body())
    assert plain.gradient_steps is None
    assert not any("gradient_steps" in name for name in plain.state_dict())
    assert isinstance(LCA(STEPPING, FEATURES, free_body()).gradient_steps, GradientSteps)
