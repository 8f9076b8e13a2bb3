"""The decoder of hanging cloth: it starts at skinning, moves what is loose and nothing else, and is kept in files."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import Driving, joint_transforms
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, Placement
from lca_core.model.avatar import FORMAT
from lca_core.model.hanging import HangingCloth, pushes, pushes_of
from lca_core.model.parts import HANGING
from lca_core.model.raw import offsets
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.checkpoints import load_model, save_model
from tests.body.bodies import free_body
from tests.model.models import random_inputs, tiny_model

STRIDE = Driving.neutral()
STRIDE.theta[0, :6] = torch.tensor([-0.8, 0.0, 0.0, 0.8, 0.0, 0.0])


def with_hanging(plain: LCA, sure: float = 0.0, said: float = 0.0) -> LCA:
    """The same model with a decoder of hanging cloth that is so sure of what is loose, and says so much at random."""
    torch.manual_seed(0)
    model = LCA(
        replace(plain.profile, parts=(HANGING,)), plain.features, free_body(), image_encoder=plain.image_encoder
    )
    model.load_state_dict(plain.state_dict(), strict=False)
    part = model.parts[HANGING]
    with torch.no_grad():
        part.gate.bias.fill_(sure)
        part.say.weight.normal_(std=said)
    return model.eval()


@pytest.fixture(scope="module")
def inputs():
    return random_inputs(people=1)


@torch.no_grad()
def test_it_starts_with_nothing_hanging_anywhere_else(inputs):
    avatar = Avatar.encode(with_hanging(tiny_model()), inputs)
    assert torch.equal(avatar.parts[HANGING].numbers(avatar.raw, avatar.tokens, STRIDE)[0], avatar.raw)


@torch.no_grad()
def test_what_is_loose_moves_with_the_pose_within_bounds_and_nothing_else_does(inputs):
    avatar = Avatar.encode(with_hanging(tiny_model(), sure=3.0, said=1.0), inputs)
    part = avatar.parts[HANGING]
    moved = part.numbers(avatar.raw, avatar.tokens, STRIDE)[0] - avatar.raw
    hung = torch.zeros(len(avatar), dtype=torch.bool).index_fill_(0, part.points.long(), True)
    far = offsets(moved).norm(dim=-1).flatten()
    assert far[hung].max() > 0.02 and far.max() < 0.3 * 3**0.5 and (far[~hung] == 0).all() and (~hung).any()
    still = part.numbers(avatar.raw, avatar.tokens, Driving.neutral())[0] - avatar.raw
    assert (still - moved).abs().max() > 1e-3
    assert not moved.flatten(0, 1)[:, [0, 1, 2, *range(6, 14)]].any()  # places alone


@torch.no_grad()
def test_tight_clothes_are_left_alone_and_cost_nothing(inputs, monkeypatch):
    avatar = Avatar.encode(with_hanging(tiny_model(), sure=-5.0, said=1.0), inputs)
    part = avatar.parts[HANGING]
    monkeypatch.setattr(part, "hung", lambda *_: pytest.fail("nothing is loose"))
    assert part.numbers(avatar.raw, avatar.tokens, STRIDE) is avatar.raw


@torch.no_grad()
def test_photographs_stay_as_they_are_and_other_poses_do_not(inputs):
    model = with_hanging(tiny_model(), sure=3.0, said=1.0)
    place = Placement.of(
        STRIDE.theta, STRIDE.root, STRIDE.gaze, torch.eye(4)[None], torch.eye(3)[None], torch.eye(3)[None]
    )
    shown = replace(inputs, placement=place.map(lambda values: values.expand(1, 3, *values.shape[2:])))
    plain = model(shown)
    with_it = model.settled(plain, shown)
    assert (with_it.raw - plain.raw).abs().max() > 1e-2
    part = model.parts[HANGING]
    torch.testing.assert_close(part.numbers(with_it.raw, plain.tokens, STRIDE), plain.raw, rtol=0, atol=1e-4)
    assert (part.numbers(with_it.raw, plain.tokens, Driving.neutral()) - plain.raw).abs().max() > 1e-2


@torch.no_grad()
def test_what_pushes_is_told_alike_by_a_pose_and_by_joints_and_turning_round_pushes_nothing():
    torch.manual_seed(0)
    driving = Driving(0.5 * torch.randn(4, 138), torch.zeros(4, 128), torch.zeros(4, 4), 0.5 * torch.randn(4, 6))
    rest = free_body().J_template.expand(4, -1, -1)
    transforms = joint_transforms(rest, driving.full_pose, driving.root[:, 3:])[0]
    torch.testing.assert_close(pushes_of(driving), pushes(transforms[..., :3, :3]), rtol=0, atol=1e-5)
    upright = Driving.neutral(2, arms_down=False)
    upright.root[1, 1] = 2.0
    assert pushes_of(upright).abs().max() < 1e-6
    bowed = replace(upright, root=torch.tensor([[0.5, 0, 0, 0, 0, 0]] * 2))
    assert pushes_of(bowed).abs().max() > 0.3


@torch.no_grad()
def test_weights_and_avatars_keep_it_in_files(tmp_path, inputs):
    model = with_hanging(tiny_model(), sure=3.0, said=1.0)
    save_model(tmp_path / "weights.safetensors", model, {})
    again = load_model(tmp_path / "weights.safetensors", body=free_body())[0]
    avatar = Avatar.encode(model, inputs)
    torch.testing.assert_close(Avatar.encode(again, inputs).drive(STRIDE).means, avatar.drive(STRIDE).means)
    avatar.save(tmp_path / "avatar.safetensors")
    read = Avatar.load(tmp_path / "avatar.safetensors")
    assert isinstance(read.parts[HANGING], HangingCloth)
    torch.testing.assert_close(read.drive(STRIDE).means, avatar.drive(STRIDE).means, rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", ["points", "near", "read"])
def test_a_file_whose_graph_names_what_is_not_there_is_refused(tmp_path, inputs, name):
    path = tmp_path / "avatar.safetensors"
    with torch.no_grad():
        Avatar.encode(with_hanging(tiny_model()), inputs).save(path)
    header, tensors = load_tensors(path, FORMAT, "")
    key = next(key for key in tensors if key.endswith(f"{HANGING}.{name}"))
    tensors[key] = tensors[key] + 1_000_000
    save_tensors(path, FORMAT, tensors, {k: v for k, v in header.items() if k != "kind"})
    with pytest.raises(InputError, match=f"{name} of the graph"):
        Avatar.load(path)
