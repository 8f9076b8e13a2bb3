"""log.csv: a row a step. A number that is new (a term of the loss, say) becomes a column by itself."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from lca_core.paths import atomic_path


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row; columns that the file lacks are added behind the others, and left empty in the rows before."""
    columns = _columns(path)
    if new := [name for name in row if name not in columns]:
        _add_columns(path, columns, new)
        columns += new
    with path.open("a", newline="") as file:
        numbers = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
        csv.DictWriter(file, columns, restval="").writerow(numbers)


def cut_log(path: Path, steps: int) -> None:
    """Drop rows past the checkpoint, which the resumed run writes again."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        with atomic_path(path) as partial:
            partial.write_text("".join(lines[: steps + 1]))


def _columns(path: Path) -> list[str]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return next(csv.reader(file), [])


def _add_columns(path: Path, columns: list[str], new: list[str]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns + new)
    if columns:
        with path.open(newline="") as file:
            writer.writerows(row + [""] * len(new) for row in list(csv.reader(file))[1:])
    with atomic_path(path) as partial:
        partial.write_text(text.getvalue(), newline="")
