"""How long a training step takes, against the code of an earlier commit in the same run.

The model's sizes, weights and batches are those of the release of that commit: four people, each shown in two to four
photographs and held to two views, with face and hand crops, at the laptop profile. Both codes have a process of their
own and take turns, each in both precisions, of which the quicker one counts. A step is the loss, its gradients, their
clipping and the optimizer's step; batches are there already.
"""

import io
import json as json_format
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import begin, columns, end, run, tell
from splats import machine, others_seconds

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import Record, provenance
from lca_core.evaluation.tolerances import TIMING
from lca_core.model import Pixels
from lca_core.paths import REPOSITORY, cache_dir
from lca_core.people.domains.production import cached_people
from lca_core.profiles import profile
from lca_core.tensor_files import load_tensors
from lca_core.training import examples
from lca_core.training.batches import draw_batch

ID, BEFORE = "speed/train_step_ratio", "787665a906d876d1d54ab12e4bcea7ec1a61985e"
NEEDED = ("lca_core", "results/checkpoints/release.safetensors")
SEEDS = (5000, 5001, 5002, 5003)  # training people
SIZES = {
    "body_px": 168, "face_px": 112, "hand_px": 56, "dim": 128, "depth": 3, "heads": 4, "anchors": 1024,
    "gaussians_per_anchor": 16,
}  # fmt: skip
PEOPLE, PHOTOS, VIEWS, PLACED, JUDGED = 4, 4, 2, 0.8, 1
PRECISIONS = ("float32", "bfloat16")
HOPELESS = 2.0  # times slower than the other precision: measured once, for that
LOSS = 1e-3  # how far apart the losses of both codes may be, in float32, as a share


@dataclass(frozen=True)
class Plan:
    """batches: steps a turn; rounds: turns of everybody that count, after one that warms up."""

    batches: int = 3
    rounds: int = 5


QUICK = Plan(1, 1)


def code_before() -> Path:
    """The folder of the earlier commit's code and weights, taken out of the clone's history once; InputError where the
    history is not there."""
    folder = cache_dir("commits") / BEFORE[:12]
    if not folder.exists():
        done = subprocess.run(["git", "archive", BEFORE, *NEEDED], cwd=REPOSITORY, capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise InputError(f"commit {BEFORE[:7]} is not in this clone ({said}); fetch the whole history")
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
                archive.extractall(Path(partial, "whole"), filter="data")
            Path(partial, "whole").rename(folder)
    return folder


def plain(value: object) -> object:
    """A record of tensors, and of such records, as dictionaries."""
    if not is_dataclass(value):
        return value
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}


def write_task(path: Path, plan: Plan, weights: Path, threads: int) -> None:
    """What a stepper reads."""
    laptop = profile("laptop")
    people = examples(read_people(cached_people(SEEDS, "studio", laptop)), Pixels(), laptop, total=len(SEEDS))
    batches = [
        plain(draw_batch(people, np.random.default_rng(seed), PEOPLE, PHOTOS, VIEWS, PLACED, JUDGED))
        for seed in range(plan.batches)
    ]
    _, tensors = load_tensors(weights, "lca_core model 6", "it is part of the commit")
    torch.save({"threads": threads, "sizes": SIZES, "weights": dict(tensors), "batches": batches}, path)


class Stepper:
    """A process that takes training steps with the code in `folder`."""

    def __init__(self, folder: Path, task: Path):
        environment = os.environ | {"PYTHONPATH": str(folder)}
        command = [sys.executable, str(Path(__file__).with_name("stepper.py")), str(task)]
        self._process = subprocess.Popen(
            command, env=environment, cwd=task.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Stepper":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()

    def steps(self, precision: str) -> list[tuple[float, float, float]]:
        """[(wall seconds, processor seconds, loss)] of a step on every batch."""
        print(precision, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise InputError(f"benchmarks/stepper.py ended with code {self._process.wait()}; see above")
        return [tuple(step) for step in json_format.loads(answer)]


def measured(plan: Plan, threads: int) -> dict:
    """Everything, as one dictionary of plain numbers."""
    before = code_before()
    turns: dict[tuple[str, str], list[list[tuple[float, float, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        task = Path(folder, "task.pt")
        write_task(task, plan, before / NEEDED[1], threads)
        codes = {"before": before, "now": REPOSITORY}
        steppers = {code: stack.enter_context(Stepper(path, task)) for code, path in codes.items()}
        tell("first steps, which may compile kernels")
        for code, stepper in steppers.items():
            for precision in PRECISIONS:
                stepper.steps(precision)
                turns[code, precision] = [stepper.steps(precision)]
        tell(f"{plan.rounds} rounds of {plan.batches} steps")
        start, others = time.perf_counter(), others_seconds()
        for _ in range(plan.rounds):
            for code, stepper in steppers.items():
                least = min(median_of(turns[code, precision], 0) for precision in PRECISIONS)
                for precision in PRECISIONS:
                    if median_of(turns[code, precision], 0) < HOPELESS * least:
                        turns[code, precision].append(stepper.steps(precision))
        used = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    return results_of(turns) | {"machine": machine(threads) | {"other_processes": round(used, 3)}, "steps": vars(plan)}


def median_of(turns: list[list[tuple[float, float, float]]], number: int) -> float:
    """Of all steps of these turns: the wall seconds (0) or processor seconds (1)."""
    return statistics.median(step[number] for turn in turns for step in turn)


def results_of(turns: dict[tuple[str, str], list[list[tuple[float, float, float]]]]) -> dict:
    """Medians, the quicker precision of each code and how many times quicker today's step is; the first turn of each
    only tells which precision is hopeless. ValueError where both codes do not compute the same loss."""
    counted = {key: found[1:] or found for key, found in turns.items()}
    seconds = {
        code: {precision: median_of(counted[code, precision], 0) for precision in PRECISIONS}
        for code in ("before", "now")
    }
    cpu = {
        code: {precision: median_of(counted[code, precision], 1) for precision in PRECISIONS}
        for code in ("before", "now")
    }
    chosen = {code: min(PRECISIONS, key=taken.get) for code, taken in seconds.items()}
    losses = [[step[2] for step in turns[code, "float32"][0]] for code in ("before", "now")]
    if not np.allclose(*losses, rtol=LOSS, atol=0):
        raise ValueError(f"the losses of both codes differ: {losses}")
    pairs = zip(counted["before", chosen["before"]], counted["now", chosen["now"]])
    by_round = [sum(s[0] for s in old) / sum(s[0] for s in new) for old, new in pairs]
    low, ratio, high = np.quantile(by_round, (0.25, 0.5, 0.75)).tolist()
    of_cpu = min(cpu["before"].values()) / min(cpu["now"].values())
    return {
        "ratio": ratio, "quartiles": [low, high], "ratio_of_processor_seconds": of_cpu, "precision": chosen,
        "seconds": seconds, "processor_seconds": cpu, "losses": losses,
    }  # fmt: skip


def report(results: dict) -> str:
    """The measurements as text."""
    at, rows = results["machine"], []
    for code, taken in results["seconds"].items():
        for precision, seconds in taken.items():
            cpu = results["processor_seconds"][code][precision]
            rows.append((code, precision, f"{seconds:.2f}", f"{cpu:.2f}"))
    low, high = results["quartiles"]
    return "\n".join([
        f"{at['cpu']}, {at['cores']} cores, {at['threads']} threads; other programs and the steppers used "
        f"{at['other_processes']:.2f} cores",
        *columns(("code", "precision", "s a step", "processor s"), rows),
        f"a step is {results['ratio']:.2f} times as quick as at {BEFORE[:7]} (quartiles {low:.2f} to {high:.2f}; by "
        f"processor seconds {results['ratio_of_processor_seconds']:.2f})",
    ])  # fmt: skip


def records_of(results: dict) -> list[Record]:
    """The result record speed/train_step_ratio."""
    files = {"benchmark": __file__, "stepper": Path(__file__).with_name("stepper.py")}
    source = provenance(
        "python benchmarks/training_step.py --record", files, list(SEEDS), drawn=drawn(["studio"], "laptop")
    )
    what = (
        "seconds of a step by the code of the earlier commit / by today's, each in the quicker of its precisions, "
        "round by round; median"
    )
    protocol = {
        "what": what, "before": BEFORE, "model": SIZES,
        "batch": {"people": PEOPLE, "photographs": PHOTOS, "views": VIEWS},
        "left_out": "drawing batches, compiling", **results,
    }  # fmt: skip
    told = {"kind": "timing", "tolerance": TIMING, "protocol": protocol, "provenance": source}
    return [Record(ID, results["ratio"], "x", None, len(SEEDS), 0, "laptop", **told)]


def main(
    threads: int = 0, quick: bool = False, json: bool = False, record: bool = False, measure: Path | None = None
) -> None:
    """Measure a training step against that of an earlier commit (two to three minutes; run nothing else).

    Args:
        threads: Of each code (default: all cores).
        quick: One step a turn: whether it works.
        json: Print JSON instead of a table.
        record: Write the ratio to results/records/speed/ and renew results/README.md.
        measure: Write today's record into this file, for `lca_core verify` to compare.
    """
    if (record or measure) and quick:
        raise InputError("--record and --measure need all rounds: leave --quick out")
    begin(record)
    results = measured(QUICK if quick else Plan(), threads or os.cpu_count() or 1)
    print(json_format.dumps(results, indent=1) if json else report(results))
    if record or measure:
        end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
