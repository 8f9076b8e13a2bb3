"""One run of a row: trained stage by stage, judged, kept with the fingerprint of all it depends on.

A run that was killed goes on where it stopped; one of which nothing changed is not made again; one whose row, profile,
people or code changed is made anew, and judged anew alone where only the judging changed.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lca_core.data import read_people
from lca_core.evaluation.evaluate import evaluate_people
from lca_core.experiments.fingerprint import judging_print, training_print
from lca_core.experiments.people import NotDrawn, Shards, at_size, shards_there
from lca_core.experiments.table import JUDGED, Experiment, Stage, sizes_of
from lca_core.model import Pixels, rows_length
from lca_core.paths import RUNS, atomic_path
from lca_core.training import build_model, load_model, train
from lca_core.training.checkpoints import load_weights
from lca_core.training.stages import STAGES, load_examples, stage_settings

FOLDER = RUNS / "experiments"
PRECISION = "float32"  # what a processor's own choice would make of a run, no table may hang on
CHECKPOINT_MINUTES = 1.0
Values = dict[str, list[float]]  # person -> one number a picture
Scores = dict[str, dict[str, Values]]  # domain -> metric -> values


@dataclass(frozen=True)
class Outcome:
    """scores: of the people judged; minutes: "cpu" and "wall" of training and judging, without what kill -9 cut
    short; trained: the fingerprint; weights: the file."""

    scores: Scores
    minutes: dict[str, float]
    trained: dict[str, str]
    weights: Path


def folder_of(row: Experiment, seed: int, root: Path = FOLDER) -> Path:
    """Where a run is kept."""
    return root / row.name / f"seed_{seed}"


def train_stage(row: Experiment, stage: Stage, seed: int, shards: Sequence[Path], out: Path, init: Path | None) -> None:
    """Train one stage of a row on these shards into `out`, going on from a checkpoint that is there."""
    sizes, encoder = sizes_of(row), Pixels()
    model = build_model(sizes, rows_length(encoder), seed)
    settings = stage_settings(stage.name, row.profile, stage.steps, seed=seed, precision=PRECISION)
    settings = replace(settings, **stage.settings)
    if init is None:
        settings = replace(settings, template_steps=stage_settings("pretrain", row.profile).template_steps)
    else:
        load_weights(init, model)
        settings = replace(settings, template_steps=0)  # it brings its template along
    people = load_examples(at_size(shards, row), sizes, encoder, STAGES[stage.name].domains)
    meta = {"experiment": row.name, "stage": stage.name}
    train(model, people, settings, out, resume=True, checkpoint_minutes=CHECKPOINT_MINUTES, meta=meta)


def judge(row: Experiment, shards: Sequence[Path], weights: Path) -> Scores:
    """All metrics of a row's avatars on the people of these shards."""
    people = read_people(at_size(shards, row))
    found = evaluate_people(people, load_model(weights)[0], Pixels(), total=len(shards))
    return {domain: found[domain]["release"] for domain in JUDGED}


def run(
    row: Experiment,
    seed: int,
    shards: Shards,
    root: Path = FOLDER,
    train: Callable[..., None] = train_stage,
    judge: Callable[..., Scores] = judge,
) -> Outcome:
    """The outcome of a run: read where nothing changed, else trained and judged, whatever of that is missing."""
    folder, trained = folder_of(row, seed, root), training_print(row, seed, shards.trained)
    if _kept(folder / "training.json") != trained:
        shutil.rmtree(folder, ignore_errors=True)
        _keep(folder / "training.json", trained)
    weights: Path | None = None
    for number, stage in enumerate(row.stages):
        out = folder / f"{number}_{stage.name}"
        done = out / "weights.safetensors"
        if not done.exists():
            pupils = [path for domain in STAGES[stage.name].domains for path in shards.trained[domain]]
            with _clock(folder):
                train(row, stage, seed, pupils, out, weights)
        weights = done
    judged = judging_print(trained, shards.judged)
    kept = _kept(folder / "scores.json")
    if kept.get("fingerprint") != judged:
        with _clock(folder):
            scores = judge(row, shards.judged, weights)
        _keep(folder / "scores.json", {"fingerprint": judged, "scores": scores})
        kept = _kept(folder / "scores.json")  # with people as texts
    return Outcome(kept["scores"], _kept(folder / "minutes.json"), trained, weights)


def state_of(row: Experiment, seed: int, root: Path = FOLDER) -> str:
    """In words: "done", "stale (what changed)", "begun", "not run"; nobody is drawn and nothing trained."""
    folder = folder_of(row, seed, root)
    kept = _kept(folder / "training.json")
    if not kept:
        return "not run"
    try:
        shards = shards_there(row)
    except NotDrawn as error:
        return f"stale (not drawn: {error})"
    trained = training_print(row, seed, shards.trained)
    if changed := _changed(kept, trained):
        return f"stale ({changed})"
    scores = _kept(folder / "scores.json")
    if not scores:
        return "begun"
    changed = _changed(scores["fingerprint"], judging_print(trained, shards.judged))
    return f"stale ({changed})" if changed else "done"


def _changed(before: dict[str, str], now: dict[str, str]) -> str:
    return ", ".join(name for name in now if before.get(name) != now[name])


@contextmanager
def _clock(folder: Path) -> Iterator[None]:
    """Adds the minutes of a block, broken off or not, to `folder`/minutes.json."""
    begun = {"cpu": time.process_time(), "wall": time.perf_counter()}
    try:
        yield
    finally:
        now, before = {"cpu": time.process_time(), "wall": time.perf_counter()}, _kept(folder / "minutes.json")
        spent = {name: before.get(name, 0.0) + (now[name] - begun[name]) / 60 for name in now}
        _keep(folder / "minutes.json", {name: round(minutes, 3) for name, minutes in spent.items()})


def _kept(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # not there, or broken: made anew
        return {}


def _keep(path: Path, what: dict) -> None:
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(what, indent=1))
