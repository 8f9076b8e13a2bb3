"""The recipe runs what is not done yet, in order."""

import pytest

from lca_core.profiles import PROFILES
from lca_core.training import recipe


@pytest.fixture
def calls(monkeypatch):
    made = []

    def train_stage(stage, data, folder, profile, init, resume, minutes, encoder):
        made.append((stage, data.name, init and init.parent.name))
        folder.mkdir(parents=True)
        (folder / "weights.safetensors").touch()

    monkeypatch.setattr(recipe, "train_stage", train_stage)
    monkeypatch.setattr(
        recipe, "render_people", lambda seeds, domain, profile, out, workers: made.append((domain, seeds))
    )
    return made


def test_the_people_drawn_are_those_of_the_profile(calls, tmp_path):
    folders = recipe.draw_sets("smoke", tmp_path)
    smoke = PROFILES["smoke"]
    assert dict(calls[:2]) == {"wild": range(smoke.wild_people), "studio": range(5000, 5000 + smoke.studio_people)}
    assert set(folders) == {"wild-train", "studio-train", "wild-test", "studio-test"}


def test_stages_follow_each_other_and_are_not_done_twice(calls, tmp_path):
    data = {name: tmp_path / name for name in ("wild-train", "studio-train")}
    weights = recipe.train_both("smoke", data, tmp_path)
    assert calls == [("pretrain", "wild-train", None), ("posttrain", "studio-train", "pretrain")]
    assert weights == tmp_path / "posttrain" / "weights.safetensors"
    recipe.train_both("smoke", data, tmp_path)
    assert len(calls) == 2
    weights.unlink()
    weights.parent.rmdir()
    recipe.train_both("smoke", data, tmp_path)
    assert calls[2:] == [("posttrain", "studio-train", "pretrain")]
