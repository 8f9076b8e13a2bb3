"""The stage that learns loose cloth and the one beside it that does not: each trains what it says and nothing else."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Person, write_shard
from lca_core.model import LCA, Pixels, rows_length
from lca_core.model.parts import CLOTH
from lca_core.training import example, load_model, save_model, stages
from lca_core.training.batches import draw_batch
from lca_core.training.objective import forward, loss_of
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person


def skirted(seed: int) -> Person:
    """A painted person of the domain, in a stride."""
    frames = []
    for frame in painted_person(seed).frames:
        theta = frame.theta.copy()
        theta[[0, 3]] = -0.7, 0.7  # both hips, about x
        frames.append(replace(frame, theta=theta, cloth=True))
    return replace(painted_person(seed), id=f"garment-{seed:06d}", domain="garment", frames=tuple(frames))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder with shards of a person in a skirt and one who is not, and with weights to start from."""
    folder = tmp_path_factory.mktemp("loose")
    write_shard(folder / "garment-00000.tar", [skirted(0)])
    write_shard(folder / "studio-00000.tar", [painted_person(1)])
    torch.manual_seed(0)
    save_model(folder / "before.safetensors", LCA(TINY, rows_length(Pixels()), free_body()), {"encoder": "pixels"})
    return folder


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(stages, "profile_of", lambda _: TINY)


@pytest.mark.parametrize("stage, moved", [("loose", "parts.cloth."), ("loose_without", "driven.")])
def test_a_stage_trains_what_it_says_and_nothing_else(begun, tiny, tmp_path, stage, moved):
    stages.train_stage(stage, begun, tmp_path, "tiny", init=begun / "before.safetensors", steps=3, lr=1e-2)
    before, _ = load_model(begun / "before.safetensors", free_body())
    after, meta = load_model(tmp_path / "weights.safetensors", free_body())
    assert meta["stage"] == stage and (CLOTH in after.parts) == (stage == "loose")
    was = before.state_dict()
    changed = {name for name, value in after.state_dict().items() if name in was and not torch.equal(value, was[name])}
    assert all(name.startswith(moved) for name in changed) and (changed or stage == "loose")
    with (tmp_path / "log.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert "l1_body_driven" in columns and not {"l1_body_cano", "l1_face_driven", "l1_hand_driven"} & set(columns)
    assert ("cloth_rigid" in columns) == (stage == "loose")


def test_every_number_of_the_decoder_is_taught_and_no_other():
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=(CLOTH,)), rows_length(MeanColour()), free_body())
    model.requires_grad_(False)
    part = model.parts[CLOTH].requires_grad_(True)
    torch.nn.init.normal_(part.say.weight, std=0.1)
    torch.nn.init.constant_(part.say.bias, 0.3)
    people = [example(skirted(seed), MeanColour(), TINY, free_body()) for seed in (0, 1)]
    batch = draw_batch(people, np.random.default_rng(0), 2, 2, 2)
    settings = replace(stages.stage_settings("loose", "smoke", precision="float32"), lpips_weight=0.0)
    loss, terms = loss_of(model, batch, settings)
    loss.backward()
    assert terms["cloth_rigid"] > 0 and terms["cloth_sparse"] > 0
    for name, parameter in model.named_parameters():
        taught = parameter.grad is not None and parameter.grad.abs().max() > 0
        assert taught == name.startswith("parts.cloth."), name


def test_pictures_open_gates_at_the_start():
    """From the template's weights, which are where training begins."""
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=(CLOTH,)), rows_length(MeanColour()), free_body())
    people = [example(skirted(seed), MeanColour(), TINY, free_body()) for seed in (0, 1)]
    posed = forward(model, draw_batch(people, np.random.default_rng(0), 2, 2, 2), False)
    posed.driven.means.square().sum().backward()
    assert model.parts[CLOTH].say.weight.grad[0].abs().max() > 0
