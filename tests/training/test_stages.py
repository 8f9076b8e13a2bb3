"""What a stage hands to the loop."""

from types import SimpleNamespace

import pytest

from lca_core.profiles import profile
from lca_core.training import stages


@pytest.fixture
def handed(monkeypatch):
    """The settings that `train` was called with, and the weights that were loaded."""
    seen = SimpleNamespace(settings=[], loaded=[])
    monkeypatch.setattr(stages, "load_examples", lambda *_: [])
    monkeypatch.setattr(stages, "build_model", lambda *_: "model")
    monkeypatch.setattr(stages, "Pictures", lambda *_: None)
    monkeypatch.setattr(
        stages, "read_header", lambda path: {"profile": profile("smoke"), "features": 0, "meta": {"encoder": "pixels"}}
    )
    monkeypatch.setattr(stages, "load_weights", lambda path, model: seen.loaded.append(path))
    monkeypatch.setattr(stages, "train", lambda model, people, settings, *_, **__: seen.settings.append(settings))
    return seen


def test_pretraining_fits_its_template_first_unless_it_goes_on_from_weights_that_bring_one(handed, tmp_path):
    stages.train_stage("pretrain", tmp_path, tmp_path, "smoke")
    stages.train_stage("pretrain", tmp_path, tmp_path, "smoke", init=tmp_path / "weights.safetensors")
    first, second = handed.settings
    assert first.template_steps == stages.TEMPLATE_STEPS["smoke"] and second.template_steps == 0
    assert handed.loaded == [tmp_path / "weights.safetensors"]
    assert second.lr == first.lr and second.steps == first.steps
