"""What the benchmarks have in common: how they tell what they do, hold it to the records, and end."""

import sys
from collections.abc import Callable, Mapping

import tyro

from lca_core.errors import InputError


def tell(what: str) -> None:
    """Progress, to standard error."""
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def columns(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Aligned lines."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]


def hold_to_records(measured: Mapping[str, tuple[float, float | None]]) -> None:
    """Print what is recorded beside what was measured now; exit code 1 where they disagree.

    measured: id -> (value, how far another machine's may be from it; None: not judged).
    """
    from lca_core.evaluation import read_records  # slow to import

    records, rows, holds = read_records(), [], True
    for id, (value, tolerance) in measured.items():
        if id not in records:
            raise InputError(f"there is no record {id}; run with --record")
        recorded = records[id].value
        agrees = tolerance is None or abs(value - recorded) <= tolerance
        holds &= agrees
        within = "not judged" if tolerance is None else f"{tolerance:g}" + ("" if agrees else "  NO")
        rows.append((id, f"{recorded:.4g}", f"{value:.4g}", within))
    print("", *columns(("record", "recorded", "measured", "within"), rows), sep="\n")
    if not holds:
        sys.exit(1)


def run(main: Callable) -> None:
    """`main` with the command line's arguments; wrong ones are one line on standard error and exit code 2."""
    try:
        tyro.cli(main)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
