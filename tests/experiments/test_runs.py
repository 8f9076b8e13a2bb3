"""A run goes on where it was killed, is left alone when nothing changed, and made anew when something did."""

from dataclasses import replace
from pathlib import Path

import pytest

from lca_core.data import write_shard
from lca_core.errors import InputError
from lca_core.experiments import TABLE, People, Stage, experiment, listing, making, run, runs, state_of
from lca_core.experiments.people import Shards, shards_of
from lca_core.experiments.results import id_of, values_of
from lca_core.paths import atomic_path
from lca_core.people.domains import processes
from tests.data.people import random_person

ROW = replace(
    TABLE["table1/pre_post"], seeds=(0, 1), stages=(Stage("pretrain", 3), Stage("posttrain", 2)),
    people=People(2, 1, 1, "validation"), metrics=("psnr",),
)  # fmt: skip


class Trainer:
    """Stands in for training and judging; `killed`: the stage that is killed half way, once."""

    def __init__(self, killed: str = ""):
        self.done, self.killed, self.judged = [], killed, 0

    def train(self, row, stage, seed, shards, out, init):
        half = out / "state.safetensors"
        self.done.append((stage.name, seed, [path.stem for path in shards], half.exists(), init and init.parent.name))
        if stage.name == self.killed and not half.exists():
            out.mkdir(parents=True, exist_ok=True)
            half.touch()
            raise KeyboardInterrupt
        with atomic_path(out / "weights.safetensors") as partial:
            partial.write_text(f"{stage} {seed}")

    def judge(self, row, shards, weights, template):
        self.judged += 1
        assert template.parent.name == "0_pretrain" and len(shards.second) == 1
        values = {9000: [20.0 + len(weights[-1].read_text()), 22.0]}
        return {domain: {"psnr": values} for domain in ("studio", "wild")}


@pytest.fixture
def shards(tmp_path) -> Shards:
    def shard(domain: str, seed: int) -> Path:
        path = tmp_path / "people" / f"{domain}-{seed:06d}.tar"
        write_shard(path, [random_person(seed, domain)])
        return path

    trained = {"wild": [shard("wild", 0), shard("wild", 1)], "studio": [shard("studio", 5000)]}
    return Shards(trained, [shard("studio", 9000), shard("wild", 9000)], [shard("wild2", 9000)])


@pytest.fixture
def go(shards, tmp_path, monkeypatch):
    """go(trainer, row): the run, its shards where `state_of` looks for them, too."""
    monkeypatch.setattr(runs, "shards_there", lambda row: shards)

    def go(trainer, row=ROW, seed=0):
        return run(row, seed, shards, tmp_path / "runs", trainer.train, trainer.judge)

    return go


def state(tmp_path, row=ROW, seed=0) -> str:
    return state_of(row, seed, tmp_path / "runs")


def test_stages_follow_each_other_on_their_own_people(go, tmp_path):
    trainer = Trainer()
    assert state(tmp_path) == "not run"
    outcome = go(trainer)
    assert trainer.done == [
        ("pretrain", 0, ["wild-000000", "wild-000001"], False, None),
        ("posttrain", 0, ["studio-005000"], False, "0_pretrain"),
    ]
    assert state(tmp_path) == "done" and outcome.scores["wild"]["psnr"]["9000"][1] == 22.0
    assert set(outcome.minutes) == {"cpu", "wall"}


def test_a_fresh_run_is_not_made_again(go, tmp_path):
    trainer = Trainer()
    first = go(trainer)
    again = Trainer()
    assert go(again) == first and not again.done and not again.judged
    go(again, seed=1)
    assert [seed for _, seed, *_ in again.done] == [1, 1], "another seed is another run"


def test_a_killed_run_goes_on_in_the_stage_it_was_killed_in(go, tmp_path):
    trainer = Trainer(killed="posttrain")
    with pytest.raises(KeyboardInterrupt):
        go(trainer)
    assert state(tmp_path) == "begun"
    go(trainer)
    assert [(name, went_on) for name, _, _, went_on, _ in trainer.done] == [
        ("pretrain", False), ("posttrain", False), ("posttrain", True),
    ]  # fmt: skip
    assert state(tmp_path) == "done"


@pytest.mark.parametrize(
    ("change", "what", "anew"),
    [
        ({"stages": (Stage("pretrain", 4), Stage("posttrain", 2))}, "row", ["pretrain", "posttrain"]),
        ({"stages": (Stage("pretrain", 3), Stage("posttrain", 2, {"gamma": 1.0}))}, "row", ["posttrain"]),
        ({"sizes": {"dim": 48}}, "profile", ["pretrain", "posttrain"]),
    ],
)
def test_a_run_whose_row_changed_is_stale_and_made_anew_from_the_stage_that_changed(go, tmp_path, change, what, anew):
    go(Trainer())
    other, trainer = replace(ROW, **change), Trainer()
    assert state(tmp_path, other) == f"stale ({what})"
    go(trainer, other)
    assert [name for name, *_ in trainer.done] == anew and state(tmp_path, other) == "done"


def test_stages_that_rows_share_are_trained_once_and_the_same_judgement_made_once(go, tmp_path, monkeypatch):
    monkeypatch.setitem(TABLE, ROW.name, ROW)
    gamma = (Stage("pretrain", 3), Stage("posttrain", 2, {"gamma": 0.0}))
    dual, decayed = (replace(ROW, name=f"s1/{name}", shares=ROW.name) for name in ("dual", "decayed"))
    nearest, decayed = replace(dual, name="s1/nearest", method="baseline/nearest"), replace(decayed, stages=gamma)
    trainer = Trainer()
    first = go(trainer, dual)
    assert state(tmp_path) == "done" and not (tmp_path / "runs" / "s1").exists()
    assert go(trainer) == first and len(trainer.done) == 2 and trainer.judged == 1
    assert state(tmp_path, nearest) == state(tmp_path, decayed) == "begun"
    go(trainer, nearest)
    assert len(trainer.done) == 2 and trainer.judged == 2
    outcome = go(trainer, decayed)
    assert [(name, init) for name, *_, init in trainer.done[2:]] == [("posttrain", "0_pretrain")]
    assert trainer.judged == 3 and outcome.weights.is_relative_to(tmp_path / "runs" / "s1" / "decayed")
    assert all(state(tmp_path, row) == "done" for row in (ROW, dual, nearest, decayed))
    assert "pretrain 3 of table1/pre_post + posttrain 2\n" not in listing([decayed], tmp_path / "runs")
    assert "pretrain 3 of table1/pre_post + posttrain 2 " in listing([decayed], tmp_path / "runs")


def test_stages_that_begin_from_shipped_weights_do_not_follow_each_other(go, shards, tmp_path, monkeypatch):
    begun = tmp_path / "checkpoints" / "experiments" / "few.safetensors"
    begun.parent.mkdir(parents=True)
    begun.write_text("few")
    monkeypatch.setattr(experiment, "CHECKPOINTS", tmp_path / "checkpoints")
    row = replace(ROW, name="emergent/garment/few", begins="few", ability="garment", metrics=("gain",))
    trainer, judged = Trainer(), []

    def judge(row, shards, weights, template):
        judged.append([path.parent.name for path in weights])
        return {"studio": {"gain": {9000: [1.0]}}, "wild": {"gain": {9000: [0.5]}}}

    trainer.judge = judge
    outcome = go(trainer, row)
    assert [init for *_, init in trainer.done] == ["experiments", "experiments"]
    assert judged == [["0_pretrain", "1_posttrain"]], "both are judged"
    assert state(tmp_path, row) == "done" and "begins" in outcome.trained
    assert {id_of(row, key) for key in values_of(row, [outcome])} == {"emergent/garment/studio/few",
                                                                      "emergent/garment/wild/few"}  # fmt: skip
    begun.write_text("others")
    assert state(tmp_path, row) == "stale (begins)"
    begun.unlink()
    with pytest.raises(InputError, match=r"few\.safetensors.*restore it from git"):
        go(trainer, row)


def test_a_row_without_a_stage_judges_the_weights_it_begins_from(go, tmp_path, monkeypatch):
    begun = tmp_path / "checkpoints" / "experiments" / "few.safetensors"
    begun.parent.mkdir(parents=True)
    begun.write_text("few")
    monkeypatch.setattr(experiment, "CHECKPOINTS", tmp_path / "checkpoints")
    row = replace(ROW, name="emergent/stylised/few", stages=(), begins="few", ability="stylised", metrics=("gain",))
    trainer, judged = Trainer(), []
    trainer.judge = lambda row, shards, weights, template: judged.append(weights) or {"studio": {"gain": {9000: [1]}}}
    assert state(tmp_path, row) == "not run"
    go(trainer, row)
    go(trainer, row)
    assert judged == [[begun]] and not trainer.done and state(tmp_path, row) == "done"


def test_other_words_do_not_make_a_run_stale(go, tmp_path):
    go(Trainer())
    assert state(tmp_path, replace(ROW, what="the same in other words", against="")) == "done"


def test_a_run_whose_people_changed_is_made_anew_by_content(go, shards, tmp_path):
    go(Trainer())
    write_shard(shards.trained["wild"][0], [random_person(7, "wild")])
    assert state(tmp_path) == "stale (people)"
    trainer = Trainer()
    go(trainer)
    assert len(trainer.done) == 2


def test_a_run_whose_code_changed_is_made_anew_and_one_judged_otherwise_only_judged_again(go, tmp_path, monkeypatch):
    go(Trainer())
    digest = "lca_core.experiments.fingerprint.code_digest"
    real = runs.training_print.__globals__["code_digest"]
    monkeypatch.setattr(digest, lambda places: "new" if "judges/metrics.py" in places else real(places))
    trainer = Trainer()
    assert state(tmp_path) == "stale (evaluation)"
    go(trainer)
    assert not trainer.done and trainer.judged == 1
    monkeypatch.setattr(digest, lambda places: "new")
    assert state(tmp_path) == "stale (code)"
    go(trainer)
    assert len(trainer.done) == 2 and trainer.judged == 2


def test_the_list_draws_nobody_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(processes, "drawing", lambda *_: pytest.fail("somebody is drawn"))
    text = listing([ROW], tmp_path / "runs")
    assert text.count("not run") == 2 and "wild people 0-1, studio people 5000-5000" in text
    assert not (tmp_path / "runs").exists()


def test_a_run_whose_people_are_gone_is_told_and_nobody_is_drawn_to_tell(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "cache"))
    folder = runs.folders_of(ROW, 0, tmp_path / "runs")[0]
    folder.mkdir(parents=True)
    (folder / "training.json").write_text("{}")
    assert state(tmp_path) == "not run"
    (folder / "training.json").write_text('{"row": "0"}')
    assert state(tmp_path) == "stale (not drawn: 2 people)"


def test_a_row_draws_the_people_of_the_profile_it_reads(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "lca_core.experiments.people.cached_people",
        lambda seeds, domain, profile, *_, **__: asked.append((list(seeds), domain, profile)) or [],
    )
    shards_of(ROW)
    assert asked == [([0, 1], "wild", "laptop"), ([5000], "studio", "laptop"), ([9000], "studio", "laptop"),
                     ([9000], "wild", "laptop"), ([9000], "wild2", "laptop")]  # fmt: skip


def test_an_ability_draws_whom_it_trains_and_judges_with_the_truth_they_need(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "lca_core.experiments.people.cached_people",
        lambda seeds, domain, profile, workers, truth, **_: asked.append((domain, seeds[0], truth)) or [],
    )
    monkeypatch.setattr("lca_core.experiments.people.cached_drawings", lambda *_, **__: asked.append("drawings") or [])
    found = shards_of(TABLE["emergent/relight/all"])
    assert asked == [("relit", 5000, True), ("relit_held_out", 10_000, True), ("studio", 10_000, False),
                     ("wild", 10_000, False)]  # fmt: skip
    assert set(found.shown) == {"relit_held_out", "studio", "wild"} and not found.judged
    asked.clear()
    shards_of(TABLE["emergent/garment/all"])
    assert asked == [("studio", 5000, False), ("garment", 5000, True), ("garment", 10_000, True),
                     ("garment_wild", 10_000, False)]  # fmt: skip
    asked.clear()
    shards_of(TABLE["emergent/stylised/all"])
    assert asked == ["drawings"]


def test_a_second_call_runs_and_writes_nothing(shards, tmp_path, monkeypatch):
    trainer = Trainer()
    monkeypatch.setattr(making, "shards_of", lambda row, workers: shards)
    monkeypatch.setattr(runs, "shards_there", lambda row: shards)
    monkeypatch.setattr(making, "run", lambda row, seed, s, root: run(row, seed, s, root, trainer.train, trainer.judge))
    records = tmp_path / "records"
    made = making.make([ROW], tmp_path / "runs", records)
    assert {record.id for record in made} == {"table1/pre_post/studio/psnr", "table1/pre_post/wild/psnr"}
    written = {path: path.stat().st_mtime_ns for path in records.rglob("*.json")}
    assert len(written) == 2 and len(trainer.done) == 4
    making.make([ROW], tmp_path / "runs", records)
    assert len(trainer.done) == 4 and {p: p.stat().st_mtime_ns for p in records.rglob("*.json")} == written
