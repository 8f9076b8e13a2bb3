"""What a stage hands to the loop, and a whole one on people from shards."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from lca_core.data import write_shard
from lca_core.errors import InputError
from lca_core.model import LCA, Pixels, rows_length
from lca_core.model.expression import ActionMap
from lca_core.profiles import profile
from lca_core.training import load_model, read_header, save_model, stages
from tests.body.bodies import free_body
from tests.training.subjects import TINY, painted_person


@pytest.fixture
def handed(monkeypatch):
    """The settings that `train` was called with, and the weights that were loaded."""
    seen = SimpleNamespace(settings=[], loaded=[], sizes=[])
    monkeypatch.setattr(stages, "index", lambda _: [])
    monkeypatch.setattr(stages, "load_examples", lambda *_: SimpleNamespace(identities=list))
    monkeypatch.setattr(stages, "build_model", lambda sizes, *_, **__: seen.sizes.append(sizes) or "model")
    monkeypatch.setattr(stages, "Pictures", lambda *_, **__: None)
    monkeypatch.setattr(
        stages, "read_header", lambda path: {"profile": profile("smoke"), "features": 0, "meta": {"encoder": "pixels"}}
    )
    monkeypatch.setattr(stages, "load_weights", lambda path, model, anew: seen.loaded.append(path))
    monkeypatch.setattr(stages, "train", lambda model, people, settings, *_, **__: seen.settings.append(settings))
    return seen


def test_pretraining_fits_its_template_first_unless_it_goes_on_from_weights_that_bring_one(handed, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    stages.train_stage("pretrain", tmp_path, tmp_path, "smoke")
    stages.train_stage("pretrain", tmp_path, tmp_path, "smoke", init=tmp_path / "weights.safetensors")
    first, second = handed.settings
    assert first.template_steps == stages.TEMPLATE_STEPS["smoke"] and second.template_steps == 0
    assert handed.loaded == [tmp_path / "weights.safetensors"]
    assert second.lr == first.lr and second.steps == first.steps


def test_weights_bring_the_models_sizes_and_the_profile_what_a_step_looks_at(handed, tmp_path, monkeypatch):
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    theirs = replace(profile("smoke"), dim=48, views=1, batch_people=7)
    monkeypatch.setattr(
        stages, "read_header", lambda _: {"profile": theirs, "features": 0, "meta": {"encoder": "pixels"}}
    )
    stages.train_stage("posttrain", tmp_path, tmp_path, "smoke", init=tmp_path / "weights.safetensors")
    smoke = profile("smoke")
    assert handed.sizes == [replace(smoke, dim=48)] and handed.sizes[0].views == smoke.views != 1


def test_stages_differ_as_their_table_says():
    smoke = profile("smoke")
    settings = {name: stages.stage_settings(name, "smoke", gamma=0.5, precision="float32") for name in stages.STAGES}
    assert {name for name, s in settings.items() if s.gamma == 0.5} == {"posttrain"}
    alone = {name: s.part for name, s in settings.items() if s.part}
    parts = {"relight": "light", "face": "face", "loose": "cloth", "loose_without": "driven", "hanging": "hanging"}
    assert alone == parts
    assert settings["face"].face_weight and not (settings["face"].body_weight or settings["face"].hand_weight)
    assert settings["relight"].single == 1 > settings["loose"].single
    assert (
        not (settings["loose"].face_weight or settings["loose_without"].hand_weight) and settings["relight"].face_weight
    )
    assert settings["loose"].looked == settings["loose_without"].looked == 0 < settings["relight"].looked
    assert settings["loose"].steps == settings["loose_without"].steps == smoke.loose_steps
    assert not any(getattr(settings["hanging"], f"{kind}_weight") for kind in ("body", "face", "hand"))
    assert settings["mixed"].steps == smoke.pretrain_steps + smoke.posttrain_steps
    assert settings["posttrain"].template_steps == 0 < settings["mixed"].template_steps
    assert {s.precision for s in settings.values()} == {"float32"}
    with pytest.raises(InputError, match="pretrain, posttrain, mixed"):
        stages.stage_settings("finetune", "smoke")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Folders of two wild people, one studio person and one validation person."""
    folder = tmp_path_factory.mktemp("people")
    sets = {"wild": (0, 1), "studio": (5,), "validation": (9000,)}
    for name, seeds in sets.items():
        domain = "studio" if name == "studio" else "wild"
        chosen = [replace(painted_person(s), id=f"{domain}-{s:06d}", domain=domain) for s in seeds]
        write_shard(folder / name / f"{domain}-00000.tar", chosen)
    return folder


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(stages, "profile_of", lambda name: TINY)
    monkeypatch.setitem(stages.TEMPLATE_STEPS, "tiny", 1)


def test_wild_and_studio_people_are_trained_on_together(people, tiny, tmp_path):
    data = {"wild": people / "wild", "studio": people / "studio"}
    how = {"steps": 2, "precision": "float32", "validate": people / "validation", "keep_steps": (1,)}
    stages.train_stage("mixed", data, tmp_path, "tiny", **how)
    assert read_header(tmp_path / "weights.safetensors")["meta"]["people"] == [
        "wild-000000", "wild-000001", "studio-000005",
    ]  # fmt: skip
    assert load_model(tmp_path / "weights_000001.safetensors", free_body())[1]["step"] == 1
    with (tmp_path / "log.csv").open(newline="") as file:
        assert all(float(row["val_psnr"]) > 0 for row in csv.DictReader(file))
    (tmp_path / "weights.safetensors").unlink()
    stages.train_stage("mixed", [people / "wild", people / "studio"], tmp_path, "tiny", resume=True, **how)
    assert (tmp_path / "weights.safetensors").exists()


def test_a_stage_wants_people_of_its_domains_and_size(people, tiny):
    mixed = stages.load_examples([people / "studio", people / "wild"], "tiny", Pixels(), ("wild", "studio"))
    assert mixed.groups == (2, 1) and mixed[0].id == "wild-000000"
    with pytest.raises(InputError, match="nobody in .*wild.* is of domain 'studio'"):
        stages.load_examples(people / "wild", "tiny", Pixels(), ("wild", "studio"))
    with pytest.raises(InputError, match="studio-000005 is of domain 'studio'; this stage trains on wild people"):
        stages.load_examples(people / "studio", "tiny", Pixels(), ("wild",))


def test_people_of_a_smaller_size_are_refused(people):
    with pytest.raises(InputError, match="wild-000000 are 56 px, profile 'smoke' wants 112 or more"):
        stages.load_examples(people / "wild", "smoke", Pixels(), ("wild",))


def test_larger_people_are_scaled_down(people):
    small = replace(TINY, body_px=28, face_px=28, hand_px=14)
    one = stages.load_examples(people / "wild", small, Pixels(), ("wild",))[0]
    assert one.body_pixels.shape[1:3] == (28, 28) and one.hand_pixels.shape[2:4] == (14, 14)


def test_nobody_validates_on_people_that_are_trained_on(people, tiny, tmp_path):
    with pytest.raises(InputError, match="wild-000000 is a train person"):
        stages.train_stage("pretrain", people / "wild", tmp_path, "tiny", validate=people / "wild")


@pytest.mark.parametrize("keep", [(-1,), (0, 99)])
def test_weights_can_only_be_kept_after_steps_there_are(tmp_path, keep):
    with pytest.raises(InputError, match="after steps 0 to 3, not (-1|99)"):
        stages.train_stage("pretrain", tmp_path, tmp_path / "out", "smoke", steps=3, keep_steps=keep)
    assert not (tmp_path / "out").exists()


def test_facial_features_alone_are_trained_by_true_actions_and_by_faces_alone(people, tiny, tmp_path, monkeypatch):
    before = LCA(TINY, rows_length(Pixels()), free_body())
    with torch.no_grad():
        before.action_map.weight.normal_()
    save_model(tmp_path / "before.safetensors", before, {"encoder": "pixels"})
    told, handed = [], ActionMap.forward
    monkeypatch.setattr(ActionMap, "forward", lambda self, actions: told.append(actions) or handed(self, actions))
    stages.train_stage(
        "face", people / "studio", tmp_path / "out", "tiny", init=tmp_path / "before.safetensors", steps=2,
        precision="float32",
    )  # fmt: skip
    assert len(told) >= 2 and all(actions.shape[-1] == 52 and actions.isfinite().all() for actions in told)
    after, _ = load_model(
        tmp_path / "before.safetensors", free_body(), additions=[tmp_path / "out" / "face.safetensors"]
    )
    assert after.profile.parts == ("face",) and after.parts["face"].own.abs().max() > 0
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        (row, *_) = csv.DictReader(file)
    assert "l1_face_driven" in row and "face_small" in row and "l1_body_driven" not in row


def test_faces_whose_actions_nobody_knows_are_refused(tiny, tmp_path):
    person = painted_person(5)
    frames = tuple(replace(frame, actions=None) for frame in person.frames)
    write_shard(tmp_path / "studio" / "studio-00000.tar", [replace(person, frames=frames)])
    save_model(tmp_path / "before.safetensors", LCA(TINY, rows_length(Pixels()), free_body()), {"encoder": "pixels"})
    with pytest.raises(InputError, match="facial actions of studio-000005 are not told"):
        stages.train_stage(
            "face", tmp_path / "studio", tmp_path / "out", "tiny", init=tmp_path / "before.safetensors", steps=1
        )
