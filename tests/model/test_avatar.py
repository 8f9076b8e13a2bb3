"""Avatars: encoded once, driven often, kept in a file without code."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from lca_core.body import Driving
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.model.avatar import FORMAT
from lca_core.model.posing import drive
from lca_core.splats import skin
from lca_core.tensor_files import load_tensors, save_tensors
from tests.model.models import random_inputs, tiny_model

FIELDS = ("means", "quats", "scales", "opacities", "colors")


def random_driving(frames: int, seed: int = 0) -> Driving:
    generator = torch.Generator().manual_seed(seed)
    return Driving(*(0.3 * torch.randn(frames, n, generator=generator) for n in (138, 128, 4, 6)))


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture
def avatar(model):
    return Avatar.encode(model, random_inputs(people=1), {"source": "noise", "betas": [1, 2]})


def test_the_canonical_branch_runs_once_per_person(model):
    calls = {"encoder": 0, "canonical": 0, "driven": 0}

    def counter(name):
        def count(*_):
            calls[name] += 1

        return count

    hooks = [getattr(model, name).register_forward_hook(counter(name)) for name in calls]
    try:
        avatar = Avatar.encode(model, random_inputs(people=1))
        assert calls == {"encoder": 1, "canonical": 1, "driven": 0}
        for frame in range(5):
            avatar.drive(random_driving(1, seed=frame))
        avatar.drive(random_driving(3))
    finally:
        for hook in hooks:
            hook.remove()
    assert calls == {"encoder": 1, "canonical": 1, "driven": 6}


def test_driving_changes_everything_but_opacity_and_number(avatar):
    driven = avatar.drive(random_driving(2))
    canonical = avatar.canonical()
    assert driven.means.shape == (2, len(avatar), 3)
    assert torch.equal(driven.opacities, canonical.opacities.expand(2, -1))
    for name in ("means", "quats", "scales", "colors"):
        assert (getattr(driven, name)[0] - getattr(driven, name)[1]).abs().max() > 1e-3, name


def test_an_avatar_is_driven_as_the_model_it_came_from(model, avatar):
    """The same numbers by the training loop's path: canonical, driven, skinned."""
    inputs, driving = random_inputs(people=1), random_driving(1)
    with torch.no_grad():
        tokens, raw = model(inputs)
        raw, weights = drive(model.drivers, raw, model.skinning_weights, tokens, driving)
        expected = skin(model.rig(inputs.betas).canonical(raw), weights, avatar.transforms(driving))
    drawn = avatar.drive(driving)
    for name in FIELDS:
        torch.testing.assert_close(getattr(drawn, name), getattr(expected, name), rtol=0, atol=1e-5)


def test_frames_are_driven_one_by_one_or_together(avatar):
    driving = random_driving(3)
    together = avatar.drive(driving)
    for frame in range(3):
        alone = avatar.drive(driving[frame : frame + 1])
        for name in FIELDS:
            torch.testing.assert_close(getattr(together, name)[frame], getattr(alone, name)[0], rtol=0, atol=1e-5)


def test_an_avatar_looks_the_same_wherever_it_stands(avatar):
    """A turn by half about Y at the pelvis, and a step: the same Gaussians, carried along."""
    here = Driving.neutral()
    there = replace(here, root=torch.tensor([[0.0, torch.pi, 0.0, 1.0, 0.0, 2.0]]))
    a, b = avatar.drive(here), avatar.drive(there)
    for name in ("scales", "opacities", "colors"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name
    pelvis = avatar.rest_joints[0]
    carried = (a.means - pelvis) * torch.tensor([-1.0, 1, -1]) + pelvis + torch.tensor([1.0, 0, 2])
    torch.testing.assert_close(b.means, carried, rtol=0, atol=1e-5)


def test_an_avatar_comes_back_from_its_file_exactly(avatar, tmp_path):
    avatar.save(tmp_path / "a.safetensors")
    again = Avatar.load(tmp_path / "a.safetensors")
    driving = random_driving(2)
    for name in FIELDS:
        assert torch.equal(getattr(avatar.drive(driving), name), getattr(again.drive(driving), name)), name
        assert torch.equal(getattr(avatar.canonical(), name), getattr(again.canonical(), name)), name
    actions = torch.rand(3, 52)
    assert torch.equal(avatar.action_map(actions), again.action_map(actions))
    assert again.meta == avatar.meta
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_same_avatar_gives_the_same_bytes(avatar, tmp_path):
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        avatar.save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def broken(kind: str, path, avatar: Avatar) -> None:
    avatar.save(path)
    if kind == "text":
        path.write_text("not an avatar")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "other tensors":
        save_file({"a": torch.zeros(3)}, path)
    elif kind == "cut short":
        path.write_bytes(path.read_bytes()[:-100])
    elif kind == "missing":
        path.unlink()
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    elif kind == "not numbers":  # `save_tensors` writes no such file; the last four bytes are a float32
        path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    else:  # a whole file of the right kind with something wrong in it
        header, tensors = load_tensors(path, FORMAT, "")
        if kind == "lacks a tensor":
            del tensors["surface"]
        elif kind == "lacks a layer":
            del tensors["driven.token.weight"]
        elif kind == "other shape":
            tensors["weights"] = tensors["weights"][:-1]
        save_tensors(path, FORMAT, tensors, header)


KINDS = ["text", "empty", "other tensors", "cut short", "missing", "a folder",
         "lacks a tensor", "lacks a layer", "other shape", "not numbers"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_avatar_is_refused_by_name(avatar, tmp_path, kind):
    broken(kind, tmp_path / "a.safetensors", avatar)
    with pytest.raises(InputError, match="a.safetensors"):
        Avatar.load(tmp_path / "a.safetensors")
