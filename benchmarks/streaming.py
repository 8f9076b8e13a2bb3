"""What it takes to train on many people: memory and time of examples streamed from shards, and of examples in memory.

A handful of drawn training people is copied, under other ids, into shards of eight people each; what they look like
does not matter here. Both ways run the same steps on the same batches, each in a process of its own.
"""

import io
import json as json_format
import multiprocessing
import tarfile
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell

from lca_core.data.shards import samples
from lca_core.data.streaming import index, read_entry
from lca_core.errors import InputError
from lca_core.model import Pixels, rows_length
from lca_core.paths import atomic_path
from lca_core.people.domains.production import cached_people
from lca_core.profiles import PROFILES
from lca_core.training import Paused, Settings, build_model, examples, train
from lca_core.training.stages import load_examples

ID = "training/streaming_peak_mb"
A_SHARD = 8
WAYS = ("streamed", "in memory")


@dataclass(frozen=True)
class Plan:
    """drawn: training people that are copied; people: how many there are then."""

    profile: str = "laptop"
    drawn: int = 4
    people: int = 1000
    steps: int = 10
    workers: int = 2


QUICK = Plan("smoke", drawn=1, people=12, steps=2)


def copies(drawn: Sequence[Path], people: int, folder: Path) -> None:
    """Shards of as many people, the drawn ones over and over under other ids."""
    known = []
    for path in drawn:
        with path.open("rb") as file:
            known += [{name: member.read(file) for name, member in found.items()} for _, found in samples(path, file)]
    numbered = iter(enumerate(islice(cycle(known), people)))
    for shard in range(-(-people // A_SHARD)):
        path = folder / f"wild-{shard:05d}.tar"
        with atomic_path(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
            for number, members in islice(numbered, A_SHARD):
                name = f"wild-{number:06d}"
                document = json_format.loads(members["person.json"]) | {"id": name, "seed": number}
                for member, content in (members | {"person.json": json_format.dumps(document).encode()}).items():
                    info = tarfile.TarInfo(f"{name}.{member}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))


def peak_mb() -> float:
    """The most memory this process has had, MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    raise InputError("this system does not tell how much memory a process has had; Linux does")


def trained(way: str, plan: Plan, folder: Path, results: multiprocessing.Queue) -> None:
    """Run the steps one way, in a process of its own: peak memory and seconds into `results`."""
    sizes, start = PROFILES[plan.profile], time.perf_counter()
    people = load_examples(folder, plan.profile, Pixels())
    if way == "in memory":
        people = examples((read_entry(entry) for entry in people.entries), Pixels(), sizes, total=len(people))
    ready, before, marks = time.perf_counter(), peak_mb(), []
    model = build_model(sizes, rows_length(Pixels()))
    settings = Settings("pretrain", plan.steps, 9e-4, precision="float32")

    def mark(step: int, _) -> dict[str, float]:
        marks.append((time.perf_counter(), peak_mb()))
        if step == plan.steps:
            raise Paused("what follows the steps is not measured")
        return {}

    with tempfile.TemporaryDirectory() as out, suppress(Paused):
        train(model, people, settings, out, checkpoint_minutes=1e9, validate=mark)
    seconds = np.diff([mark for mark, _ in marks])
    results.put({
        "ready_s": ready - start, "step_s": float(np.median(seconds)), "ready_mb": before, "peak_mb": marks[-1][1],
    })  # fmt: skip


def compared(plan: Plan, ways: Sequence[str] = WAYS) -> dict:
    """way -> seconds until the first step, seconds a step (median), and peak memory before and during the steps."""
    drawn = cached_people(range(plan.drawn), "wild", plan.profile, plan.workers)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        copies(drawn, plan.people, Path(name))
        start = time.perf_counter()
        index(name)
        found["index_s"] = time.perf_counter() - start
        spawn = multiprocessing.get_context("spawn")
        for way in ways:
            tell(f"{plan.steps} steps, {plan.people:,} people {way}")
            results = spawn.Queue()
            process = spawn.Process(target=trained, args=(way, plan, Path(name), results))
            process.start()
            process.join()
            if process.exitcode:
                raise RuntimeError(f"the process that trains {way} ended with {process.exitcode}")
            found[way] = results.get()
    return found


def report(found: dict, plan: Plan) -> str:
    """A line a way."""
    header = ("examples", "until the first step", "a step", "peak memory")
    rows = [
        (way, f"{one['ready_s']:.1f} s", f"{one['step_s']:.2f} s", f"{one['peak_mb']:,.0f} MB")
        for way, one in found.items() if way in WAYS
    ]  # fmt: skip
    told = (
        f"{plan.people:,} people at {plan.profile}, {plan.steps} steps; looked through once in {found['index_s']:.1f} s"
    )
    return "\n".join([told, *columns(header, rows)])


def records_of(found: dict, plan: Plan) -> list:
    """The result record training/streaming_peak_mb."""
    from lca_core.evaluation.records import Record, provenance  # slow to import
    from lca_core.evaluation.tolerances import Tolerance

    protocol = {
        "what": f"most memory of a process that trains {plan.steps} steps on {plan.people:,} people, streamed",
        "drawn": plan.drawn, "until_the_model_mb": found["streamed"]["ready_mb"], "precision": "float32",
    }  # fmt: skip
    source = provenance("python benchmarks/streaming.py --streamed-only --record", {"benchmark": __file__})
    tolerance = Tolerance(400.0, "what libraries take beside it is not the same on every machine")
    peak = found["streamed"]["peak_mb"]
    return [Record(ID, peak, "MB", None, 0, 0, plan.profile, tolerance=tolerance, protocol=protocol, provenance=source)]


def main(
    people: int = Plan.people,
    steps: int = Plan.steps,
    profile: str = Plan.profile,
    streamed_only: bool = False,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Train a few steps on people in shards, streamed and in memory, and compare (some minutes).

    Args:
        people: How many, copied from four drawn training people.
        steps: Of training, each way.
        profile: Sizes.
        streamed_only: Leave out the examples in memory, which may not fit.
        quick: Tiny sizes: whether it works.
        json: Print JSON instead of a table.
        record: Write the peak to results/records/training/ and renew results/README.md.
        measure: Write today's record into this file, for `lca_core verify` to compare.
    """
    begin(record)
    if people < 1 or steps < 2:
        raise InputError("--people must be at least 1 and --steps at least 2")
    plan = QUICK if quick else Plan(profile, people=people, steps=steps)
    if (record or measure) and plan != Plan():
        raise InputError(
            "--record and --measure are of the usual sizes; leave out --people, --steps, --profile, --quick"
        )
    found = compared(plan, WAYS[:1] if streamed_only or measure else WAYS)
    print(json_format.dumps(found, indent=1) if json else report(found, plan))
    if record or measure:
        end(records_of(found, plan), record, measure)


if __name__ == "__main__":
    run(main)
