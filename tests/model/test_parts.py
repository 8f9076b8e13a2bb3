"""An optional decoder is one file and one line of a table: everything else carries it without knowing it.

`Sway` stands for what is to come (cloth, light): it drives the Gaussians, has skinning weights of its own, a loss term
and a place in the schedule. Nothing outside this file knows of it but `PARTS`.
"""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lca_core.body import Driving
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, rows_length
from lca_core.model.claims import Claim
from lca_core.model.part import Part
from lca_core.model.parts import PARTS
from lca_core.model.raw import from_offsets
from lca_core.splats import skin
from lca_core.training import Settings, load_model, save_model, train
from lca_core.training.batches import draw_batch
from lca_core.training.objective import forward
from lca_core.training.schedules import parameter_groups
from tests.body.bodies import free_body
from tests.model.models import random_inputs
from tests.model.models import tiny_model as still_model
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_examples

SETTINGS = Settings("posttrain", steps=3, lr=1e-2, warmup=1, lpips_weight=0.0, precision="float32")


class Sway(Part):
    """Lifts every anchor by what its token and the gaze say, and hangs it on other joints as its token says."""

    claim = Claim(1, hidden=("lift.0",))

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        self.lift = nn.Sequential(nn.Linear(width, 8), nn.GELU(), nn.Linear(8, 4))
        self.hang = nn.Linear(width, per_anchor * 55)
        nn.init.zeros_(self.hang.weight)
        nn.init.zeros_(self.hang.bias)

    def numbers(self, raw, tokens, driving):
        height = (self.lift(tokens) * driving.gaze[..., None, :].to(tokens)).sum(-1)
        up = torch.stack([torch.zeros_like(height), height, torch.zeros_like(height)], -1)
        return raw + from_offsets(0.01 * up)[..., None, :].to(raw)

    def weights(self, weights, tokens, driving):
        change = self.hang(tokens).float().unflatten(-1, (self.per_anchor, 55)).flatten(-3, -2)
        return ((weights + 1e-6).log() + change).softmax(-1)

    def losses(self, posed, batch):
        return {"still": 0.5 * (posed.driven_raw - posed.raw[:, None]).square().mean()}


@pytest.fixture
def swaying(monkeypatch):
    """A model with the part, stirred, so that nothing is zero."""
    monkeypatch.setitem(PARTS, "sway", Sway)
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=("sway",)), rows_length(MeanColour()), free_body())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def test_a_part_stands_in_the_schedule_where_it_says(swaying):
    groups = parameter_groups(swaying, TINY.depth, 1.0, 0.5)
    found = {name: group for group in groups for name in group["names"]}
    assert found["parts.sway.lift.0.weight"]["lr"] == found["parts.sway.hang.weight"]["lr"] == 0.5 ** (TINY.depth - 1)
    assert found["parts.sway.lift.0.weight"]["hidden"] and not found["parts.sway.lift.2.weight"]["hidden"]


def test_its_loss_is_a_column_of_the_log_and_its_numbers_are_trained(swaying, tmp_path):
    before = {name: value.clone() for name, value in swaying.parts.state_dict().items()}
    train(swaying, painted_examples(2), SETTINGS, tmp_path)
    with (tmp_path / "log.csv").open() as log:
        rows = list(csv.DictReader(log))
    assert len(rows) == 3 and all(float(row["sway_still"]) > 0 for row in rows)
    after = swaying.parts.state_dict()
    for name in ("sway.hang.weight", "sway.hang.bias"):  # nobody in these pictures looks aside, which is what lifts
        assert not torch.equal(before[name], after[name]), name


def test_its_skinning_weights_pose_the_gaussians_of_training_and_have_gradients(swaying):
    batch = draw_batch(painted_examples(2), np.random.default_rng(0), 2, 2, 2)
    posed = forward(swaying, batch, autocast=False)
    assert posed.weights.shape[-2:] == swaying.skinning_weights.shape
    assert (posed.weights - swaying.skinning_weights).abs().max() > 0.01
    rig = swaying.rig(batch.inputs.betas).for_views()
    signal = Driving(batch.theta, torch.zeros(2, 2, 128), batch.gaze, batch.root)
    expected = skin(rig.canonical(posed.driven_raw), posed.weights, rig.transforms(signal))
    torch.testing.assert_close(posed.driven.means, expected.means, rtol=0, atol=1e-5)
    posed.driven.means.square().sum().backward()
    assert swaying.parts["sway"].hang.weight.grad.abs().max() > 0


@torch.no_grad()
def test_files_and_avatars_bring_it_along(monkeypatch, tmp_path):
    monkeypatch.setitem(PARTS, "sway", Sway)
    torch.manual_seed(1)
    plain = still_model()
    model = LCA(replace(plain.profile, parts=("sway",)), plain.features, free_body()).eval()
    model.parts["sway"].hang.weight.normal_()
    save_model(tmp_path / "weights.safetensors", model, {})
    again, _ = load_model(tmp_path / "weights.safetensors", free_body())
    driving = Driving(torch.zeros(2, 138), torch.zeros(2, 128), 0.3 * torch.ones(2, 4), torch.zeros(2, 6))
    avatar = Avatar.encode(again, random_inputs(people=1))
    driven = avatar.drive(driving)
    without = replace(avatar, parts={}).drive(driving)
    assert (driven.means - without.means).abs().max() > 1e-3
    avatar.save(tmp_path / "avatar.safetensors")
    torch.testing.assert_close(Avatar.load(tmp_path / "avatar.safetensors").drive(driving).means, driven.means)


def test_a_part_that_this_version_does_not_know_is_refused_by_name(monkeypatch, tmp_path):
    monkeypatch.setitem(PARTS, "sway", Sway)
    plain = still_model()
    model = LCA(replace(plain.profile, parts=("sway",)), plain.features, free_body())
    save_model(tmp_path / "weights.safetensors", model, {})
    monkeypatch.delitem(PARTS, "sway")
    with pytest.raises(InputError, match="'sway'"):
        load_model(tmp_path / "weights.safetensors", free_body())
