"""Facial features: what photographs cannot show has numbers of its own, which actions and gaze drive."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import ACTIONS, Driving
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar
from lca_core.model.avatar import FORMAT
from lca_core.model.facial import FacialFeatures
from lca_core.model.parts import FACE
from lca_core.model.raw import COLOR, OPACITY
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.checkpoints import load_model, save_model
from tests.body.bodies import free_body
from tests.model.models import random_inputs, tiny_model


def with_face(plain: LCA) -> LCA:
    """The same model with a new decoder of facial features, which move on a body as small as this one, too."""
    torch.manual_seed(0)
    model = LCA(replace(plain.profile, parts=(FACE,)), plain.features, free_body(), image_encoder=plain.image_encoder)
    model.load_state_dict(plain.state_dict(), strict=False)
    return model.eval()


def learned(model: LCA) -> FacialFeatures:
    """Its decoder after some training."""
    part = model.parts[FACE]
    with torch.no_grad():
        part.learned.normal_()
        part.say.weight.normal_()
    return part


@pytest.fixture
def model() -> LCA:
    return with_face(tiny_model())


def driving(**actions: float) -> Driving:
    """A neutral body whose face does this, in codes whose first numbers are the actions."""
    signal = Driving.neutral()
    for name, value in actions.items():
        signal.epsilon[0, ACTIONS.index(name)] = value
    return signal


def test_features_are_some_of_the_face_and_nothing_else(model):
    part, points = model.parts[FACE], model.anchor_points.reshape(-1, 3)
    eyes = model.joint_template[[23, 24]].mean(0)
    assert 0 < len(part.places) < len(points) / 2
    assert (points[part.places] - eyes).norm(dim=-1).max() < 0.25
    assert len(part.own) == len(part.share) == len(part.learned) == len(part.places)


@torch.no_grad()
def test_at_the_start_skin_stays_as_it_was_read(model):
    canonical = model(random_inputs(people=2))
    finished = model.finished(canonical).raw
    part = model.parts[FACE]
    kept = torch.ones(finished.shape[1] * finished.shape[2], dtype=torch.bool)
    kept[part.places[part.inside]] = False
    assert part.inside.any() and not part.inside.all()
    torch.testing.assert_close(finished.flatten(1, 2)[:, kept], canonical.raw.flatten(1, 2)[:, kept], rtol=0, atol=0)


@torch.no_grad()
def test_own_numbers_take_the_place_of_what_was_read_inside_and_change_it_on_the_skin(model):
    part, canonical = model.parts[FACE], model(random_inputs(people=1))
    part.own.normal_()
    inside, skin = part.inside, ~part.inside
    own = part.begun + part.units * part.own

    def finished():
        return model.finished(canonical).raw.flatten(1, 2)[0, part.places]

    before = canonical.raw.flatten(1, 2)[0, part.places]
    part.share[:, 0], part.share[:, 1] = 1.5, -0.5  # beyond both ends
    torch.testing.assert_close(finished()[inside, COLOR], own[inside, COLOR])
    torch.testing.assert_close(finished()[inside, COLOR.stop :], before[inside, COLOR.stop :])
    torch.testing.assert_close(finished()[skin], before[skin] + own[skin])
    part.share[:] = 0.25
    torch.testing.assert_close(finished()[inside], (0.75 * before + 0.25 * own)[inside])


def test_a_share_at_its_end_can_come_back(model):
    part, canonical = model.parts[FACE], model(random_inputs(people=1))
    with torch.no_grad():
        part.share[:] = -0.1
    model.finished(canonical).raw.square().sum().backward()
    assert (part.share.grad.abs() > 0).any() and part.say.weight.grad.isfinite().all()


@torch.no_grad()
def test_actions_and_gaze_move_features_and_a_face_at_rest_stays(model):
    part = learned(model)
    tokens = model(random_inputs(people=1)).tokens
    raw = torch.zeros(1, *model.template.raw.shape)
    assert torch.equal(part.numbers(raw, tokens, driving()), raw)
    looking = driving()
    looking.gaze[0, 0] = 0.4
    for signal in (driving(jawOpen=1.0), looking):
        changed = part.numbers(raw, tokens, signal).flatten(1, 2)
        assert (changed[:, part.places].abs().amax(-1) > 0).all()
        assert not changed[..., OPACITY].any()
        elsewhere = torch.ones(changed.shape[1], dtype=torch.bool).index_fill_(0, part.places, False)
        assert not changed[:, elsewhere].any()


@torch.no_grad()
def test_files_bring_the_features_along_and_avatars_in_half_precision(model, tmp_path):
    learned(model)
    model.parts[FACE].share[:] = 0.5
    save_model(tmp_path / "weights.safetensors", model, {})
    again, _ = load_model(tmp_path / "weights.safetensors", free_body())
    for name, value in model.parts[FACE].state_dict().items():
        assert torch.equal(value, again.parts[FACE].state_dict()[name]), name
    avatar = Avatar.encode(again, random_inputs(people=1))
    assert not torch.equal(avatar.raw, Avatar.encode(tiny_model(), random_inputs(people=1)).raw)
    open_mouth = avatar.drive(driving(jawOpen=1.0))
    assert (open_mouth.colors - avatar.drive(driving()).colors).abs().max() > 1e-3
    avatar.save(tmp_path / "avatar.safetensors")
    loaded = Avatar.load(tmp_path / "avatar.safetensors")
    torch.testing.assert_close(loaded.drive(driving(jawOpen=1.0)).colors, open_mouth.colors, rtol=0, atol=5e-3)
    _, tensors = load_tensors(tmp_path / "avatar.safetensors", FORMAT, "")
    assert tensors["parts.face.own"].dtype == torch.float16 and tensors["parts.face.places"].dtype == torch.int64


@torch.no_grad()
@pytest.mark.parametrize("fault", ["elsewhere", "fewer"])
def test_an_avatar_whose_features_do_not_fit_is_refused(model, tmp_path, fault):
    Avatar.encode(model, random_inputs(people=1)).save(tmp_path / "avatar.safetensors")
    header, tensors = load_tensors(tmp_path / "avatar.safetensors", FORMAT, "")
    if fault == "elsewhere":
        tensors["parts.face.places"] = tensors["parts.face.places"] + 10_000
    else:
        tensors["parts.face.own"] = tensors["parts.face.own"][1:]
    save_tensors(tmp_path / "broken.safetensors", FORMAT, tensors, header)
    with pytest.raises(InputError, match="broken.safetensors"):
        Avatar.load(tmp_path / "broken.safetensors")
