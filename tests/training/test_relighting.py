"""The stage that learns light: nothing else changes, and pictures under known lights are met."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Person, write_shard
from lca_core.data.lamps import COUNT, LAMP, lamps_of
from lca_core.data.light import OLAT, light_named
from lca_core.errors import InputError
from lca_core.model import LCA, Pixels, rows_length
from lca_core.model.parts import LIGHT
from lca_core.people.domains.recording import environment_of
from lca_core.training import example, load_model, save_model, stages
from lca_core.training.batches import draw_batch
from lca_core.training.objective import forward, loss_of
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person

LIGHTS = (*OLAT[4:7], light_named("window"), light_named("sunset"))


def relit_person(seed: int) -> Person:
    """A painted person whose every frame has another light, which dims it as a whole."""
    person, frames = painted_person(seed), []
    for frame, light in zip(person.frames, LIGHTS, strict=True):
        dimmed = replace(frame.body, image=(0.5 * frame.body.image).astype(np.uint8))
        frames.append(replace(frame, body=dimmed, light=light.name, environment=environment_of(light)))
    return replace(person, id=f"relit-{seed:06d}", domain="relit", frames=tuple(frames))


def pixel_model() -> LCA:
    """As `train` makes one where no image encoder is asked for."""
    torch.manual_seed(0)
    return LCA(TINY, rows_length(Pixels()), free_body())


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    write_shard(folder / "relit" / "relit-00000.tar", [relit_person(seed) for seed in (0, 1)])
    return folder


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(stages, "profile_of", lambda name: TINY)


def test_examples_and_batches_bring_the_lights_of_their_pictures():
    one = example(relit_person(0), MeanColour(), TINY, free_body())
    assert one.lamps.shape == (5, COUNT, LAMP)
    torch.testing.assert_close(one.lamps[3], lamps_of(environment_of(LIGHTS[3])))
    batch = draw_batch([one], np.random.default_rng(0), 1, 2, 2)
    for lamps, viewmat in zip(batch.lamps[0], batch.viewmats[0]):
        assert any(torch.equal(lamps, other) for other in one.lamps)
        assert any(torch.equal(viewmat, other) for other in one.viewmats)
    unknown = example(painted_person(0), MeanColour(), TINY, free_body())
    assert not unknown.lamps.any()


def test_light_alone_is_trained_on_weights_that_had_none(people, tiny, tmp_path):
    before = pixel_model()
    save_model(tmp_path / "before.safetensors", before, {"encoder": "pixels"})
    stages.train_stage(
        "relight", people / "relit", tmp_path / "out", "tiny", init=tmp_path / "before.safetensors", steps=3,
        precision="float32",
    )  # fmt: skip
    after, meta = load_model(tmp_path / "out" / "weights.safetensors", free_body())
    assert after.profile.parts == (LIGHT,) and meta["stage"] == "relight"
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[name]), name
    assert after.parts[LIGHT].shared.bias.abs().max() > 0
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "l1_body_driven" in rows[0] and "light_behind" in rows[0] and "l1_body_cano" not in rows[0]
    added, _ = load_model(
        tmp_path / "before.safetensors", free_body(), additions=[tmp_path / "out" / "light.safetensors"]
    )  # fmt: skip
    assert added.profile == after.profile
    for name, value in after.state_dict().items():
        kept = value.half().float() if name in dict(after.named_parameters()) and name.startswith("parts.") else value
        assert torch.equal(added.state_dict()[name], kept), name
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir())


def test_people_whose_lights_are_not_told_are_refused(tiny, tmp_path):
    dark = [replace(painted_person(s), id=f"relit-{s:06d}", domain="relit") for s in (0, 1)]
    write_shard(tmp_path / "relit-00000.tar", dark)
    save_model(tmp_path / "before.safetensors", pixel_model(), {"encoder": "pixels"})
    with pytest.raises(InputError, match="relit-000000.*--truth"):
        stages.train_stage("relight", tmp_path, tmp_path / "out", "tiny", init=tmp_path / "before.safetensors", steps=1)


def test_every_number_of_the_decoder_is_taught_and_no_other():
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=(LIGHT,)), rows_length(MeanColour()), free_body())
    model.requires_grad_(False)
    model.parts[LIGHT].requires_grad_(True)
    for last in (model.parts[LIGHT].shared, model.parts[LIGHT].own):
        torch.nn.init.normal_(last.weight, std=0.02)
    people = [example(relit_person(seed), MeanColour(), TINY, free_body()) for seed in (0, 1)]
    batch = draw_batch(people, np.random.default_rng(0), 2, 2, 2)
    settings = replace(stages.stage_settings("relight", "smoke", precision="float32"), lpips_weight=0.0)
    loss, terms = loss_of(model, batch, settings)
    loss.backward()
    assert terms["light_behind"] >= 0
    for name, parameter in model.named_parameters():
        if name.startswith("parts.light."):
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
        else:
            assert parameter.grad is None, name
    assert forward(model, batch, False).material is None
