"""Curation measured on digital humans, whose truth is known, and both of its engines.

Bodies: pose, reprojection and facial actions fitted to 100 casual clips. Faults: precision and recall of ten kinds,
in 200 clips with one and 30 without. Grouping: 500 clips of 100 people. Engines: the same folder on this machine's
processes and on Ray. All are test people. Hostile files have a script of their own, `hostile.py`.
"""

import json as json_format
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from clips import FIRST_TEST, FIRST_VALIDATION, SIZES, wild_shards, write_clip
from faults import CLIPS_A_FAULT, SOUND, measure_faults
from fitting import measure_fits
from grouping import CLIPS, PICTURES, SAME_DIGITAL, measure_grouping
from reporting import begin, columns, end, run, tell, yardstick
from splats import machine

from lca_core.curation.collection import curate
from lca_core.curation.engines import ENGINES
from lca_core.curation.items import Job
from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.judges.summaries import Summary, summarise

PEOPLE = 100  # of each part
ENGINE_CLIPS = 24
PARTS = ("bodies", "faults", "grouping", "engines")
# What another machine's numbers may differ by.
TOLERANCES = {
    "mpjpe_mm": 2.0, "reprojection_pct": 0.2, "action_error": 0.005, "resting_action_error": 0.003, "gaze_deg": 0.5,
    "resting_gaze_deg": 0.3, "found": 0.02, "fault_precision_min": 0.04, "fault_recall_min": 0.04,
    "grouping_f1": 0.02,
}  # fmt: skip
WHY = "clips are drawn and compressed a little otherwise, and detectors decide at a line"


@dataclass(frozen=True)
class Measured:
    """A number and its unit, how many people and pictures it is of, how it was found, and, of a mean over people,
    their own values and the interval."""

    value: float
    unit: str
    people: int
    frames: int
    protocol: dict
    summary: Summary | None = None


@dataclass(frozen=True)
class Plan:
    """How much is measured; first: the first person's seed."""

    first: int = FIRST_TEST
    people: int = PEOPLE
    a_fault: int = CLIPS_A_FAULT
    sound: int = SOUND
    clips: int = ENGINE_CLIPS
    workers: int = 2

    @property
    def seeds(self) -> range:
        """Of the people."""
        return range(self.first, self.first + self.people)


def bodies(plan: Plan) -> dict[str, Measured]:
    """Of the clips in which a pose was told, every picture with one person."""
    fits = measure_fits(plan.seeds, plan.workers)
    about = {"clips": f"{SIZES.wild_frames} pictures of {SIZES.body_px} px at 2.5 a second, H.264, domain wild",
             "landmarks": "MediaPipe's, with the matte"}  # fmt: skip

    def over(name: str, unit: str, what: str) -> Measured:
        summary = summarise(
            {f.seed: list(getattr(f, name)) for f in fits if getattr(f, name)}, np.random.default_rng(0)
        )
        return Measured(summary.value, unit, summary.n_people, summary.n_frames, about | {"what": what}, summary)

    seconds = [f.fit_seconds for f in fits if f.mpjpe_mm]
    looked = [f.seconds for f in fits]
    found = summarise({f.seed: [f.found] * SIZES.wild_frames for f in fits}, np.random.default_rng(0))
    return {
        "mpjpe_mm": over("mpjpe_mm", "mm", "22 joints of the body, after Procrustes alignment with scale"),
        "reprojection_pct": over(
            "reprojection_pct", "%", "shoulders, elbows, wrists and knees in the picture, of the body's height there"
        ),
        "action_error": over("action_error", "", "mean absolute error of 52 facial actions, pictures with a face mesh"),
        "resting_action_error": over("resting_error", "", "the same if all actions are taken for zero"),
        "gaze_deg": over("gaze_deg", "deg", "mean absolute error of yaw and pitch of both eyes"),
        "resting_gaze_deg": over("resting_gaze_deg", "deg", "the same if all eyes are taken to look straight ahead"),
        "found": Measured(
            found.value, "", found.n_people, found.n_frames,
            about | {"what": "share of pictures with one person whose pose was told"}, found,
        ),
        "seconds_per_frame": Measured(
            float(np.median(seconds)), "s", len(seconds), 0,
            about | {"what": "of the fit, one thread of two processes, median of clips", "machine": machine(1),
                     "before_the_fit": float(np.median(looked)), "yardstick": yardstick()},
        ),
    }  # fmt: skip


def faults(plan: Plan) -> dict[str, Measured]:
    """The worst of ten."""
    found, people = measure_faults(plan.seeds, plan.a_fault, plan.sound, plan.workers)
    rows = {f.fault: {"precision": f.precision, "recall": f.recall, "wrong": list(f.wrong)} for f in found}
    clips = plan.a_fault * len(found) + plan.sound
    about = {"clips": clips, "of_each_fault": plan.a_fault, "sound": plan.sound, "faults": rows,
             "sound_people": "truly lit, facing within 60 degrees, 26 px from brow to chin, nothing before them",
             }  # fmt: skip
    return {
        f"fault_{name}_min": Measured(
            min(getattr(f, name) for f in found),
            "",
            people,
            0,
            about | {"what": f"the least {name} of any fault", "pooled": "clips of one fault, against all others"},
        )
        for name in ("precision", "recall")
    }


def grouping(plan: Plan) -> dict[str, Measured]:
    """Pairwise F1."""
    found = measure_grouping(plan.seeds, plan.workers)
    about = {"clips": f"{CLIPS} a person in {CLIPS} lights and places, {PICTURES} portraits of 256 px each", **found,
             "threshold": SAME_DIGITAL, "what": "pairs of clips put together, against pairs of one person",
             "pooled": "pairs of all clips"}  # fmt: skip
    return {"grouping_f1": Measured(found["f1"], "", plan.people, found["clips"] * PICTURES, about)}


def engines(plan: Plan) -> dict[str, Measured]:
    """Clips a second of both engines on one folder, and whether they write the same manifest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "clips")
        folder.mkdir()
        for person in read_people(wild_shards(plan.seeds[: plan.clips], plan.workers)):
            write_clip(folder / f"{person.id}.mp4", [frame.body.image for frame in person.frames])
        speeds, manifests = {}, {}
        for engine, run in ENGINES.items():
            out, clock = Path(name, engine), _Clock()
            made = curate(Job(folder, out, "smoke"), partial(clock.timed, partial(run, workers=plan.workers)))
            speeds[engine] = (clock.entries - 1) / clock.seconds
            manifests[engine] = (out / "croissant.json").read_bytes()
            kept = len(made.kept)
        shutil.rmtree(folder)
    about = {"clips": plan.clips, "kept": kept, "pictures_a_clip": SIZES.wild_frames, "px": SIZES.body_px,
             "workers": plan.workers, "same_manifest": manifests["local"] == manifests["ray"], "machine": machine(1),
             "yardstick": yardstick(),
             "left_out": "starting: from the first clip that is through to the last"}  # fmt: skip
    return {
        f"clips_per_second_{engine}": Measured(speed, "clips/s", plan.clips, 0, about)
        for engine, speed in speeds.items()
    }


class _Clock:
    """How long an engine takes from its first entry to its last."""

    def __init__(self):
        self.entries, self.start, self.seconds = 0, 0.0, 0.0

    def timed(self, engine: Callable, items, job):
        """What the engine gives."""
        for entry in engine(items, job):
            now = os.times().elapsed
            self.start = self.start or now
            self.entries, self.seconds = self.entries + 1, now - self.start
            yield entry


def records_of(found: dict[str, Measured], plan: Plan) -> list[Record]:
    """curation/*."""
    source = provenance("python benchmarks/curation.py --record", {"benchmark": __file__}, list(plan.seeds),
                        drawn=drawn(["wild"], SIZES))  # fmt: skip
    records = []
    for id, m in found.items():
        timing = "yardstick" in m.protocol
        told = {"kind": "timing", "tolerance": TIMING} if timing else {"tolerance": Tolerance(TOLERANCES[id], WHY)}
        if m.summary:
            records.append(record_of(f"curation/{id}", m.summary, "smoke", m.protocol, source, unit=m.unit, **told))
        else:
            records.append(Record(f"curation/{id}", m.value, m.unit, None, m.people, m.frames, "smoke",
                                  protocol=m.protocol, provenance=source, **told))  # fmt: skip
    return records


def main(
    only: tuple[Literal["bodies", "faults", "grouping", "engines"], ...] = PARTS,
    quick: bool = False,
    validation: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Measure curation (an hour on 2 cores, of which drawing the clips takes half).

    Args:
        only: Which parts.
        quick: A few people of each: whether it works.
        validation: Validation people, to choose limits by.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/curation/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    plan = Plan(people=6, a_fault=1, sound=2, clips=3) if quick else Plan()
    if validation:
        plan = Plan(FIRST_VALIDATION, *list(asdict(plan).values())[1:])
    if (record or measure) and plan != Plan():
        raise InputError("--record and --measure need all test people: no --quick, no --validation")
    begin(record)
    found: dict[str, Measured] = {}
    for part in only:
        tell(part)
        these = {"bodies": bodies, "faults": faults, "grouping": grouping, "engines": engines}[part](plan)
        if record:
            end(records_of(these, plan), record, None)  # now: the next part may be interrupted
        found |= these
    if json:
        print(json_format.dumps({id: asdict(m) for id, m in found.items()}, indent=1))
    else:
        rows = [(id, f"{m.value:.4g} {m.unit}".strip(), str(m.people), str(m.frames)) for id, m in found.items()]
        print("\n".join(columns(("number", "value", "people", "pictures"), rows)))
        for m in found.values():
            for fault, row in m.protocol.get("faults", {}).items():
                print(
                    f"{fault}: precision {row['precision']:.3f}, recall {row['recall']:.3f}", *row["wrong"], sep="\n  "
                )
    if measure:
        end(records_of(found, plan), False, measure)


if __name__ == "__main__":
    run(main)
