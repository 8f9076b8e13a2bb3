"""How much longer does the last step of curation take for ten times as many clips? Copies, people and splits of clips
that are all different, the worst there is for looking for what is alike.

Seconds of computing are counted, so that a busy machine measures the same. Copies are looked for among a few likely
ones, which grows with the clips; faces are compared with one another, in matrix products, which grows with their
square: ten times as many clips take between ten and a hundred times as long.
"""

import json as json_format
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell

from lca_core.curation.collection import settle
from lca_core.curation.items import Entry
from lca_core.errors import InputError

ID = "curation/settling_growth"
COUNTS = (1_000, 10_000, 100_000)
PICTURES = 16  # a clip
APART = 0.85  # of two people's faces, on average; of real ones it is 0.82 to 0.92


def distinct_clips(count: int) -> list[Entry]:
    """Kept clips, each of somebody else."""
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(count, 128)) * (APART / 16)
    prints = rng.integers(0, 2**63, (count, PICTURES))
    return [
        Entry(f"k{i}", f"f{i}", "clip", f"{i:064x}", True, pixels=1, face=tuple(faces[i].tolist()),
              fingerprint=tuple(f"{bits:016x}" for bits in prints[i].tolist()))
        for i in range(count)
    ]  # fmt: skip


def measured(counts: Sequence[int]) -> list[dict]:
    """Of each number of clips: {clips, people (that were found), seconds, computing (seconds)}."""
    settle(distinct_clips(64))  # kernels are compiled
    rows = []
    for count in counts:
        tell(f"{count:,} clips")
        entries = distinct_clips(count)
        started, computing = time.perf_counter(), time.process_time()
        settled = settle(entries)
        seconds, computing = time.perf_counter() - started, time.process_time() - computing
        people = len({entry.identity for entry in settled})
        rows.append({"clips": count, "people": people, "seconds": round(seconds, 2), "computing": round(computing, 2)})
    return rows


def growth(rows: Sequence[dict]) -> float:
    """Computing for the most clips over that for the next most."""
    return rows[-1]["computing"] / rows[-2]["computing"]


def report(rows: Sequence[dict]) -> str:
    """A line a number of clips."""
    told = [
        (f"{r['clips']:,}", f"{r['people']:,}", f"{r['seconds']:.1f} s", f"{r['computing']:.1f} s") for r in rows
    ]  # fmt: skip
    lines = columns(("clips", "people", "time", "computing"), told)
    if len(rows) > 1:
        times = rows[-1]["clips"] / rows[-2]["clips"]
        lines.append(f"{times:g} times as many clips take {growth(rows):.1f} times as long")
    return "\n".join(lines)


def records_of(rows: Sequence[dict]) -> list:
    """The result record curation/settling_growth."""
    from lca_core.evaluation.records import Record, provenance  # slow to import
    from lca_core.evaluation.tolerances import TIMING

    protocol = {
        "what": f"seconds of computing to settle {rows[-1]['clips']:,} distinct clips / {rows[-2]['clips']:,}",
        "pictures": PICTURES, "left_out": "reading and writing entries; compiling", "settled": list(rows),
    }  # fmt: skip
    source = provenance("python benchmarks/settling.py --record", {"benchmark": __file__})
    return [
        Record(ID, growth(rows), "x", None, 0, 0, "", kind="timing", tolerance=TIMING, protocol=protocol,
               provenance=source)
    ]  # fmt: skip


def main(
    counts: tuple[int, ...] = COUNTS, json: bool = False, record: bool = False, measure: Path | None = None
) -> None:
    """Settle more and more clips that are all different (a minute or two; 2 GB of memory for 100,000).

    Args:
        counts: How many clips, fewest first.
        json: Print JSON instead of a table.
        record: Write how it grows to results/records/curation/ and renew results/README.md.
        measure: Write today's record into this file, for `lca_core verify` to compare.
    """
    if min(counts, default=0) < 1 or list(counts) != sorted(set(counts)):
        raise InputError("--counts are numbers of clips, fewest first, such as 1000 10000 100000")
    if (record or measure) and counts != COUNTS:
        raise InputError("--record and --measure are of the usual numbers of clips: leave --counts out")
    begin(record)
    rows = measured(counts)
    print(json_format.dumps(rows, indent=1) if json else report(rows))
    if record or measure:
        end(records_of(rows), record, measure)


if __name__ == "__main__":
    run(main)
