"""The speedrun: minutes of two cores until people whom nobody trains on are drawn well enough. Beat it.

The course is fixed: the people trained on and the eight judged, their pictures at the study profile's sizes, four
photographs in, two pictures of other poses out, psnr over white as `training.Validation` has it. Everything else may be
changed: the model, the loss, the schedule, the batches, the code. The clock runs while the model trains (the template's
fit included); drawing the people, reading them and judging stand outside it.
"""

import csv
import json as json_format
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from reporting import begin, columns, end, run, tell, yardstick

from lca_core.data.scaling import scaled_shards
from lca_core.data.shards import read_people
from lca_core.errors import InputError
from lca_core.model import LCA, Pixels, rows_length
from lca_core.paths import REPOSITORY, atomic_path
from lca_core.people.domains.production import cached_people
from lca_core.profiles import PROFILES
from lca_core.training import Settings, build_model, examples, train
from lca_core.training.validation import Validation

ID = "speedrun/minutes"
LOG = REPOSITORY / "results" / "logs" / "speedrun.csv"


@dataclass(frozen=True)
class Course:
    """wild and studio people trained on, from the first training seeds on; as many judged; psnr to reach, dB."""

    profile: str = "study"
    wild: int = 48
    studio: int = 24
    judged: int = 4
    psnr: float = 23.0
    most_steps: int = 2000


@dataclass(frozen=True)
class Pace:
    """What may be changed here without touching the library. schedule: steps that the learning rate's cosine is for;
    look: steps between two looks at the people judged."""

    schedule: int = 500
    lr: float = 9e-4
    look: int = 25
    seed: int = 0


QUICK = Course("smoke", wild=2, studio=2, judged=1, psnr=5.0, most_steps=6), Pace(schedule=6, look=2)


class Reached(Exception):
    """The people judged are drawn well enough."""


class Clock:
    """Judges now and then, with the clock stopped, and ends the run where enough is reached. rows: of the log."""

    def __init__(self, validation: Validation, psnr: float):
        self._judge, self._wanted = validation, psnr
        self.rows: list[dict[str, float]] = []
        self._running, self._since = 0.0, time.perf_counter()

    def __call__(self, step: int, model: LCA) -> dict[str, float]:
        self._running += time.perf_counter() - self._since
        found = self._judge(step, model)
        if found:
            self.rows.append({"step": step, "minutes": self._running / 60, "psnr": found["val_psnr"]})
            if found["val_psnr"] >= self._wanted:
                raise Reached
        self._since = time.perf_counter()
        return found


def run_course(course: Course, pace: Pace, workers: int = 2) -> list[dict[str, float]]:
    """The log of a run, a row a look: step, minutes, psnr. InputError where enough is not reached in the most steps."""
    sizes = PROFILES[course.profile]
    tell(f"minutes until {course.psnr:g} dB")

    def people(domain: str, first: int, count: int):
        drawn = cached_people(range(first, first + count), domain, sizes.reads or sizes, workers)
        shards = scaled_shards(drawn, sizes) if sizes.reads else drawn
        return examples(read_people(shards), Pixels(), sizes, total=count)

    trained = people("wild", 0, course.wild) + people("studio", 5000, course.studio)
    judged = people("wild", 9000, course.judged) + people("studio", 9000, course.judged)
    model = build_model(sizes, rows_length(Pixels()), pace.seed)
    settings = Settings(
        "mixed", min(pace.schedule, course.most_steps), pace.lr, seed=pace.seed, warmup=20, template_steps=80,
        precision="float32",
    )  # fmt: skip
    clock = Clock(Validation(judged, pace.look), course.psnr)
    with tempfile.TemporaryDirectory() as out:
        try:
            train(model, trained, settings, out, checkpoint_minutes=1e9, validate=clock)
        except Reached:
            return clock.rows
    best = max((row["psnr"] for row in clock.rows), default=float("nan"))
    short = f"{course.psnr:g} dB were not reached in {settings.steps} steps (best: {best:.2f})"
    raise InputError(f"{short}; change --schedule or --lr")


def write_log(rows: list[dict[str, float]], path: Path) -> None:
    """A row a look as CSV."""
    with atomic_path(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: round(value, 4) for name, value in row.items()} for row in rows)


def records_of(rows: list[dict[str, float]], course: Course, pace: Pace, beside: dict) -> list:
    """The result record speedrun/minutes."""
    from lca_core.evaluation.records import Record, provenance  # slow to import
    from lca_core.evaluation.tolerances import Tolerance

    protocol = {
        "what": f"minutes of training until {2 * course.judged} validation people are drawn to {course.psnr:g} dB",
        "threads": torch.get_num_threads(), "trained_on": f"wild people 0-{course.wild - 1}, studio people "
        f"5000-{4999 + course.studio}", "steps": rows[-1]["step"], "left_out": "drawing, reading and judging people",
        "yardstick": beside,
    }  # fmt: skip
    source = provenance("python benchmarks/speedrun.py --record", {"benchmark": __file__})
    tolerance = Tolerance(2.0, "a factor between both ratios to the yardstick: processors differ")
    return [
        Record(ID, rows[-1]["minutes"], "min", None, 0, 0, course.profile, kind="timing", tolerance=tolerance,
               protocol=protocol, provenance=source)
    ]  # fmt: skip


def main(
    psnr: float = Course.psnr,
    schedule: int = Pace.schedule,
    lr: float = Pace.lr,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Train until people whom nobody trains on are drawn to so many dB (some minutes, and the people's drawing before).

    Args:
        psnr: To reach, dB.
        schedule: Steps that the learning rate's cosine is for, and the most that are taken.
        lr: Learning rate.
        quick: Tiny sizes: whether it works.
        json: Print JSON instead of a table.
        record: Write speedrun/minutes and results/logs/speedrun.csv.
        measure: Write today's record into this file, for `lca_core verify` to compare.
    """
    begin(record)
    course, pace = QUICK if quick else (Course(psnr=psnr), Pace(schedule, lr))
    if (record or measure) and course != Course():
        raise InputError("--record and --measure are of the usual course; leave out --psnr and --quick")
    beside = yardstick()
    rows = run_course(course, pace)
    lines = [(f"{row['step']:.0f}", f"{row['minutes']:.2f}", f"{row['psnr']:.2f}") for row in rows]
    print(json_format.dumps(rows, indent=1) if json else "\n".join(columns(("step", "minutes", "psnr"), lines)))
    if record:
        write_log(rows, LOG)
    if record or measure:
        end(records_of(rows, course, pace, beside), record, measure)


if __name__ == "__main__":
    run(main)
