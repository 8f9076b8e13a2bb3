"""What the benchmarks have in common: how they tell what they do, what speeds are set against, and how they end."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
import tyro

from lca_core.errors import InputError
from lca_core.paths import atomic_path

SIDE, ROUNDS = 1024, 41  # of the yardstick


def tell(what: str) -> None:
    """Progress, to standard error."""
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def columns(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Aligned lines."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]


def yardstick() -> dict:
    """What speeds are set against, measured in the same run: {what, value (seconds, median), unit}."""
    a, times = torch.ones(SIDE, SIDE), []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    what = f"product of two float32 matrices {SIDE} x {SIDE} by torch, {torch.get_num_threads()} threads"
    return {"what": what, "value": statistics.median(times), "unit": "s"}


def begin(record: bool) -> None:
    """InputError, before anything is measured, where numbers are to be recorded and files are not committed."""
    from lca_core.evaluation.sources import require_clean_tree  # slow to import

    if record:
        require_clean_tree()


def end(records: Sequence, record: bool, measure: Path | None) -> None:
    """Write today's records: `record`: to results/records/, renewing results/README.md; `measure`: into a file, for
    `lca_core verify` to compare."""
    from lca_core.evaluation.records import write_record  # slow to import
    from lca_core.evaluation.results_page import write_results_readme

    for path in [*map(write_record, records), write_results_readme()] if record else ():
        print(path, file=sys.stderr)
    if measure:
        with atomic_path(measure) as partial:
            partial.write_text(json.dumps([asdict(one) for one in records], allow_nan=False), encoding="utf-8")


def run(main: Callable) -> None:
    """`main` with the command line's arguments; wrong ones are one line on standard error and exit code 2."""
    try:
        tyro.cli(main)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
