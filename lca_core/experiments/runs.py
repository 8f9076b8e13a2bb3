"""One run of a row: trained stage by stage, judged, kept with the fingerprint of all it depends on.

A run that was killed goes on where it stopped; one of which nothing changed is not made again; one whose row, profile,
people or code changed is made anew, from the first stage that it changes, and judged anew alone where only the judging
changed. Stages that a row shares with another are kept as that one's, and so is the judgement of the same weights.
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
from lca_core.evaluation.protocols import SECOND
from lca_core.experiments.abilities import judge_ability
from lca_core.experiments.experiment import JUDGED, Experiment, Stage, sizes_of, weights_begun_from
from lca_core.experiments.fingerprint import judging_print, training_print
from lca_core.experiments.people import NotDrawn, Shards, at_size, shards_there
from lca_core.experiments.table import keeper_of
from lca_core.model import Pixels, rows_length
from lca_core.model.parts import HANGING, PARTS
from lca_core.paths import RUNS, atomic_path
from lca_core.training import build_model, load_model, load_template, train
from lca_core.training.checkpoints import load_weights
from lca_core.training.stages import STAGES, learn_hanging, load_examples, stage_settings

FOLDER = RUNS / "experiments"
PRECISION = "float32"  # what a processor's own choice would make of a run, no table may hang on
CHECKPOINT_MINUTES = 1.0
Values = dict[str, list[float]]  # person -> one number a picture
Scores = dict[str, dict[str, Values]]  # domain -> metric -> values


@dataclass(frozen=True)
class Outcome:
    """scores: of the people judged; minutes: "cpu" and "wall" of training and judging, shared stages too, without what
    kill -9 cut short; trained: the fingerprint; weights: the file."""

    scores: Scores
    minutes: dict[str, float]
    trained: dict[str, str]
    weights: Path


def folders_of(row: Experiment, seed: int, root: Path = FOLDER) -> list[Path]:
    """Where its stages are kept, one after the other."""
    return [
        root / keeper_of(row, number) / f"seed_{seed}" / f"{number}_{stage.name}"
        for number, stage in enumerate(row.stages)
    ]


def _judgement(row: Experiment, seed: int, root: Path) -> Path:
    """The file of what was judged: beside the last stage's folder, its name telling who is judged, and how."""
    what = f"{row.method.replace('/', '-')}_{row.inputs}"
    keeper = keeper_of(row, len(row.stages) - 1) if row.stages else row.name
    return root / keeper / f"seed_{seed}" / f"judged_{what}_{row.people.split}_{row.people.judged}.json"


def train_stage(row: Experiment, stage: Stage, seed: int, shards: Sequence[Path], out: Path, init: Path | None) -> None:
    """Train one stage of a row on these shards into `out`, going on from a checkpoint that is there."""
    sizes, encoder, part = sizes_of(row), Pixels(), STAGES[stage.name].part
    if part in PARTS:
        sizes = replace(sizes, parts=(part,))
    model = build_model(sizes, rows_length(encoder), seed)
    settings = stage_settings(stage.name, row.profile, stage.steps, seed=seed, precision=PRECISION)
    settings = replace(settings, **stage.settings)
    if init is None:
        settings = replace(settings, template_steps=stage_settings("pretrain", row.profile).template_steps)
    else:
        load_weights(init, model, anew=part)
        settings = replace(settings, template_steps=0)  # it brings its template along
    meta = {"experiment": row.name, "stage": stage.name}
    if part == HANGING:
        learn_hanging(model, at_size(shards, row), encoder, settings, out, meta, resume=True)
        return
    people = load_examples(at_size(shards, row), sizes, encoder, STAGES[stage.name].domains)
    keeps = row.keeps if init is None else ()
    train(model, people, settings, out, resume=True, checkpoint_minutes=CHECKPOINT_MINUTES, meta=meta, keep_steps=keeps)


def judge(row: Experiment, shards: Shards, weights: Sequence[Path], template: Path) -> Scores:
    """All metrics of a row's method on the people of these shards, or the gains of its ability; weights: of its stages
    in their order; template: the mean one of the same training."""
    if row.ability:
        shown = {domain: at_size(paths, row) for domain, paths in shards.shown.items()}
        return judge_ability(row.ability, shown, weights)
    people, model = list(read_people(at_size(shards.judged, row))), load_model(weights[-1])[0]
    clips = {clip.seed: clip for clip in read_people(at_size(shards.second, row))}
    mean = None if row.method == "release" else load_template(template, model)
    scores = {}
    for domain in JUDGED:
        mine = [person for person in people if person.domain == domain]
        seconds = clips if domain in SECOND else None
        found = evaluate_people(mine, model, Pixels(), mean, row.inputs, len(mine), seconds, (row.method,))
        scores[domain] = found[domain][row.method]
    return scores


def run(
    row: Experiment,
    seed: int,
    shards: Shards,
    root: Path = FOLDER,
    train: Callable[..., None] = train_stage,
    judge: Callable[..., Scores] = judge,
) -> Outcome:
    """The outcome of a run: read where nothing changed, else trained and judged, whatever of that is missing."""
    folders = folders_of(row, seed, root)
    begins = weights_begun_from(row) if row.begins else None
    weights = begins
    for number, (stage, folder) in enumerate(zip(row.stages, folders)):
        trained, done = training_print(row, number, seed, shards.trained), folder / "weights.safetensors"
        if _kept(folder / "training.json") != trained:
            shutil.rmtree(folder, ignore_errors=True)
            _keep(folder / "training.json", trained)
        if not done.exists():
            pupils = [path for domain in STAGES[stage.name].domains for path in shards.trained[domain]]
            with _clock(folder / "minutes.json"):
                train(row, stage, seed, pupils, folder, begins or weights)
        weights = done
    place, trained = _judgement(row, seed, root), training_print(row, len(row.stages) - 1, seed, shards.trained)
    judged = judging_print(trained, shards.all_judged, row.method, row.inputs)
    if _kept(place).get("fingerprint") != judged:
        with _clock(place.with_suffix(".minutes")):
            made = [folder / "weights.safetensors" for folder in folders] or [weights]
            scores = judge(row, shards, made, made[0].parent / "template.safetensors")
        _keep(place, {"fingerprint": judged, "scores": scores})
    clocks = [_kept(folder / "minutes.json") for folder in folders] + [_kept(place.with_suffix(".minutes"))]
    minutes = {kind: round(sum(clock.get(kind, 0.0) for clock in clocks), 3) for kind in ("cpu", "wall")}
    return Outcome(_kept(place)["scores"], minutes, trained, weights)


def state_of(row: Experiment, seed: int, root: Path = FOLDER) -> str:
    """In words: "done", "stale (what changed)", "begun", "not run"; nobody is drawn and nothing trained."""
    folders = folders_of(row, seed, root)
    kept = [_kept(folder / "training.json") for folder in folders]
    if not any(kept) and not _judgement(row, seed, root).exists():
        return "not run"
    try:
        shards = shards_there(row)
    except NotDrawn as error:
        return f"stale (not drawn: {error})"
    for number, (folder, before) in enumerate(zip(folders, kept)):
        trained = training_print(row, number, seed, shards.trained)
        if before and (changed := _changed(before, trained)):
            return f"stale ({changed})"
        if not (folder / "weights.safetensors").exists():
            return "begun"
    scores = _kept(_judgement(row, seed, root))
    if not scores:
        return "begun"
    trained = training_print(row, len(row.stages) - 1, seed, shards.trained)
    judged = judging_print(trained, shards.all_judged, row.method, row.inputs)
    changed = _changed(scores["fingerprint"], judged)
    return f"stale ({changed})" if changed else "done"


def _changed(before: dict[str, str], now: dict[str, str]) -> str:
    return ", ".join(name for name in now if before.get(name) != now[name])


@contextmanager
def _clock(file: Path) -> Iterator[None]:
    """Adds the minutes of a block, broken off or not, to a file."""
    begun = {"cpu": time.process_time(), "wall": time.perf_counter()}
    try:
        yield
    finally:
        now, before = {"cpu": time.process_time(), "wall": time.perf_counter()}, _kept(file)
        spent = {name: before.get(name, 0.0) + (now[name] - begun[name]) / 60 for name in now}
        _keep(file, {name: round(minutes, 3) for name, minutes in spent.items()})


def _kept(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # not there, or broken: made anew
        return {}


def _keep(path: Path, what: dict) -> None:
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(what, indent=1))
