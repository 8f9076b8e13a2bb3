"""The relighting decoder: it starts as a matt body, is kept in files, is told of light, and nothing else changes."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import Driving
from lca_core.data.light import directional_light, light_named
from lca_core.data.sphere import turned
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar
from lca_core.model.avatar import FORMAT
from lca_core.model.parts import LIGHT
from lca_core.model.raw import COLOR, frames_of_normals
from lca_core.model.relighting import Relighting, behind, light_on, rough
from lca_core.model.shading import to_linear
from lca_core.splats.skinning import multiply_quats
from lca_core.tensor_files import load_tensors
from tests.body.bodies import free_body
from tests.model.models import random_inputs, tiny_model

EYE = torch.tensor([0.0, 0.0, 3.0])


@pytest.fixture(scope="module")
def model() -> LCA:
    """A model with the decoder, stirred, so that nothing is zero."""
    torch.manual_seed(0)
    plain = tiny_model()
    model = LCA(replace(plain.profile, parts=(LIGHT,)), plain.features, free_body()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for last in (model.parts[LIGHT].shared, model.parts[LIGHT].own):
            last.weight.mul_(0.1)
    return model


@pytest.fixture(scope="module")
def avatar(model) -> Avatar:
    return Avatar.encode(model, random_inputs(people=1))


def frontal(colour: tuple[float, float, float] = (1.0, 1.0, 1.0)):
    return directional_light(EYE.numpy(), colour)


def test_without_a_light_the_avatar_looks_as_ever(avatar):
    still = Driving.neutral()
    assert torch.equal(avatar.drive(still).colors, replace(avatar, parts={}).drive(still).colors)


def test_a_light_changes_colours_and_nothing_else(avatar):
    still = Driving.neutral(2)
    plain, lit = avatar.drive(still), avatar.drive(still, light_named("sunset"), EYE)
    for name in ("means", "quats", "scales", "opacities"):
        assert torch.equal(getattr(plain, name), getattr(lit, name)), name
    assert lit.colors.shape == plain.colors.shape and (lit.colors - plain.colors).abs().max() > 0.05
    assert (lit.colors >= 0).all() and lit.colors.isfinite().all()


def test_no_light_is_dark_and_a_coloured_one_colours(avatar):
    still = Driving.neutral()
    dark = avatar.drive(still, replace(frontal(), environment=0 * frontal().environment), EYE)
    assert not dark.colors.any()
    red = avatar.drive(still, frontal((1.0, 0.0, 0.0)), EYE).colors
    assert red[..., 0].max() > 0.05 and not red[..., 1:].any()


def test_the_eye_sees_highlights(avatar):
    still = Driving.neutral()
    with_it, without = avatar.drive(still, frontal(), EYE), avatar.drive(still, frontal())
    assert (with_it.colors >= without.colors - 1e-6).all() and (with_it.colors - without.colors).max() > 1e-3


@torch.no_grad()
def test_it_starts_as_a_matt_body_in_its_own_colours():
    plain = tiny_model()
    model = LCA(replace(plain.profile, parts=(LIGHT,)), plain.features, free_body()).eval()
    avatar = Avatar.encode(model, random_inputs(people=1))
    material = avatar.material
    assert material.ratio.std() < 1e-6 and (material.normals - model.anchor_normals).abs().max() < 1e-4
    tpose = Driving.neutral(arms_down=False)
    lit = to_linear(avatar.drive(tpose, frontal()).colors[0])
    own = to_linear(avatar.drive(tpose).colors[0]) * material.ratio.flatten(0, 1)
    facing = model.anchor_normals.flatten(0, 1)[:, 2:].clamp(min=0)
    torch.testing.assert_close(lit, own * (facing + material.fill.flatten()[:, None]), atol=0.03, rtol=0.05)


def test_a_body_and_a_light_that_turn_together_look_the_same(avatar):
    """Half a turn about Y, seen from where it then is in front."""
    here = Driving.neutral()
    there = replace(here, root=torch.tensor([[0.0, torch.pi, 0.0, 0.0, 0.0, 0.0]]))
    lamp = directional_light(torch.tensor([1.0, 0.3, 0.5]).numpy())
    pelvis = avatar.rest_joints[0]
    flipped = (EYE - pelvis) * torch.tensor([-1.0, 1, -1]) + pelvis
    a = avatar.drive(here, lamp, EYE).colors
    b = avatar.drive(there, turned(lamp, torch.pi), flipped).colors
    assert (a - b).abs().mean() < 0.01  # lamps are moved on a map's grid, and the cells do not turn


def test_a_file_keeps_it_in_half_precision(avatar, tmp_path):
    avatar.save(tmp_path / "a.safetensors")
    _, tensors = load_tensors(tmp_path / "a.safetensors", FORMAT, "")
    kinds = {value.dtype for name, value in tensors.items() if name.startswith("parts.light.")}
    assert kinds == {torch.float16}
    again, still, light = Avatar.load(tmp_path / "a.safetensors"), Driving.neutral(), light_named("window")
    torch.testing.assert_close(again.drive(still, light).colors, avatar.drive(still, light).colors, atol=0.02, rtol=0)
    assert torch.equal(again.drive(still).colors, avatar.drive(still).colors)


def test_an_avatar_that_knows_nothing_of_light_says_so(avatar):
    with pytest.raises(InputError, match="--stage relight"):
        replace(avatar, parts={}).drive(Driving.neutral(), frontal())


def test_a_light_is_told_from_the_colours_that_it_makes():
    """Of bodies of one colour; more colours are noise."""
    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(400, 3, generator=generator), dim=-1)
    light = torch.stack([0.5 + 0.3 * normals[:, 1], 0.4 + 0.2 * normals[:, 0], 0.5 + 0 * normals[:, 0]], -1)
    weights = torch.rand(2, 400, generator=generator)
    found = light_on(torch.stack([0.6 * light, 0.1 * light]), weights, normals)
    torch.testing.assert_close(found, torch.stack([0.6 * light, 0.1 * light]), atol=3e-3, rtol=0)


def test_what_is_alike_within_an_anchor_is_not_rough(avatar):
    material = avatar.material
    alike = {name: getattr(material, name)[:, :1].expand_as(getattr(material, name)) for name in vars(material)}
    assert rough(material) > 1e-4 and rough(replace(material, **alike)) < 1e-10


def test_only_light_from_behind_is_penalised():
    relighting = Relighting(8, 2)
    frames = frames_of_normals(torch.nn.functional.normalize(torch.randn(5, 2, 3), dim=-1))
    raw = torch.zeros(5, 2, 14)
    with torch.no_grad():
        matt = relighting.material(raw, torch.zeros(5, 8), frames)
        assert behind(matt) < 1e-10
        assert behind(replace(matt, transfer=matt.transfer + 1)) > 0.1


@torch.no_grad()
def test_detail_of_colour_is_kept(avatar):
    """Two Gaussians of one anchor keep the ratio of their colours, whatever the light."""
    relighting = Relighting(avatar.tokens.shape[1], avatar.raw.shape[1])
    raw = avatar.raw.clone()
    raw[:, 0, COLOR], raw[:, 1, COLOR] = -1.0, 1.0
    material = relighting.material(raw, avatar.tokens, avatar.frames)
    torch.testing.assert_close(material.ratio[:, 0], material.ratio[:, 1])


@torch.no_grad()
def test_materials_do_not_depend_on_where_the_frames_lie_round_their_normals(avatar):
    relighting = avatar.parts[LIGHT]
    half = torch.tensor([0.6, 0.0, 0.0, 0.8]).expand_as(avatar.frames)
    spun = multiply_quats(avatar.frames, half)
    one, other = (relighting.material(avatar.raw, avatar.tokens, frames) for frames in (avatar.frames, spun))
    torch.testing.assert_close(one.transfer, other.transfer, atol=1e-4, rtol=1e-3)
