"""Result records: the one place a number in a notebook, a figure or the README comes from.

A record is one JSON file, results/records/<id>.json, the id's slashes being folders.
"""

import hashlib
import json
import math
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

import lca_core
from lca_core.errors import InputError
from lca_core.evaluation.metrics import Summary
from lca_core.paths import RECORDS, REPOSITORY, RESULTS, atomic_path

# The last part of a record's id -> its unit, and whether more is better.
METRICS = {
    "psnr": ("dB", True),
    "psnr_fg": ("dB", True),
    "l1_fg": ("", False),
    "lpips": ("", False),
    "iou": ("", True),
    "identity_distance": ("", False),
    "identity_same_rate": ("", True),
    "identity_rank1": ("", True),
}

_ID = re.compile(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*")


@dataclass(frozen=True)
class Record:
    """One measured number and everything needed to believe it.

    id: e.g. "release/wild/psnr_fg"; unit: "dB", "s", "" ...; ci95: bootstrap over people, None where there is one
    person or none (speeds); paper: the paper's value or None; protocol: mask, crop, resolution, network, pose
    source, aggregation, or for speeds device, threads and what was left out; provenance: see `provenance`.
    """

    id: str
    value: float
    unit: str
    ci95: tuple[float, float] | None
    n_people: int
    n_frames: int
    profile: str
    paper: float | None = None
    protocol: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)

    def __post_init__(self):
        if not _ID.fullmatch(self.id) or ".." in self.id:
            raise ValueError(f"a record's id is lower-case names joined by slashes, not {self.id!r}")
        numbers = [self.value, *(self.ci95 or ()), *([] if self.paper is None else [self.paper])]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"record {self.id} holds a number that is not finite: {numbers}")

    @property
    def per_person(self) -> dict[str, float]:
        """Each person's own value (seed or id as text), so that a part of the people can be compared again."""
        return self.provenance.get("per_person", {})


def record_of(
    id: str, summary: Summary, profile: str, protocol: dict, provenance: dict, paper: float | None = None
) -> Record:
    """A record of a `summarise`d metric; the unit follows from the id's last part, people's values are kept."""
    metric = id.rsplit("/", 1)[-1]
    if metric not in METRICS:
        raise ValueError(f"record {id}: {metric!r} is not one of {', '.join(METRICS)}")
    people = {person: round(value, 6) for person, value in summary.per_person.items()}
    return Record(
        id=id,
        value=summary.value,
        unit=METRICS[metric][0],
        ci95=summary.ci95,
        n_people=summary.n_people,
        n_frames=summary.n_frames,
        profile=profile,
        paper=paper,
        protocol=protocol,
        provenance={**provenance, "per_person": people},
    )


def provenance(
    command: str | Sequence[str],
    files: dict[str, Path | str] | None = None,
    seeds: Sequence[int] = (),
    **more,
) -> dict:
    """Where a number comes from: the command, each named file's sha256, the seeds, the code's version, the date.

    files: e.g. {"checkpoint": path, "manifest": path}; kept by name relative to the repository (or bare file
    name outside it), never by a path of this machine.
    """
    entry = {
        "command": command if isinstance(command, str) else shlex.join(command),
        "seeds": list(seeds),
        "code_version": code_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        **more,
    }
    for name, path in (files or {}).items():
        path = Path(path).resolve()
        inside = path.is_relative_to(REPOSITORY)
        entry[name] = path.relative_to(REPOSITORY).as_posix() if inside else path.name
        entry[f"{name}_sha256"] = sha256(path)
    return entry


def sha256(path: Path | str) -> str:
    """The file's SHA-256 as 64 hexadecimal digits; InputError where there is no such file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def code_version() -> str:
    """The package's version, and the git commit ("+dirty" with uncommitted changes) where there is one."""
    try:
        git = ["git", "-C", str(REPOSITORY)]
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return lca_core.__version__
    return f"{lca_core.__version__}+{commit.stdout.strip()}" + ("+dirty" if changes.stdout.strip() else "")


def write_record(record: Record, folder: Path | str = RECORDS) -> Path:
    """Write <folder>/<id>.json whole or not at all, and return its path."""
    path = Path(folder, f"{record.id}.json")
    text = json.dumps(asdict(record), indent=2, allow_nan=False, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_record(path: Path | str) -> Record:
    """The record in one file; InputError names the file and what is wrong with it."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        names = {f.name for f in fields(Record)}
        if not isinstance(content, dict) or set(content) != names:
            raise InputError(f"{path} is not a record: it needs exactly the fields {', '.join(sorted(names))}")
        if content["ci95"] is not None:
            content["ci95"] = tuple(content["ci95"])
        return Record(**content)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is not a record: {error}") from error


def read_records(folder: Path | str = RECORDS) -> dict[str, Record]:
    """All records under a folder by id, sorted; InputError where a file's place and its id disagree."""
    records = {}
    for path in sorted(Path(folder).rglob("*.json")):
        record = read_record(path)
        place = path.relative_to(folder).with_suffix("").as_posix()
        if place != record.id:
            raise InputError(f"{path} holds the record {record.id}: move it to {record.id}.json or measure it again")
        records[record.id] = record
    return records


def show(value: float, unit: str) -> str:
    """A number as it is printed everywhere: two decimals for dB, else four significant digits, and the unit."""
    return f"{value:.2f} {unit}" if unit == "dB" else f"{value:.4g} {unit}".rstrip()


def results_readme(records: dict[str, Record]) -> str:
    """results/README.md from the records: a table for each first part of the ids."""
    lines = [
        "# Results",
        "",
        "Generated from the records in `records/` (one JSON file a number, with its protocol and provenance);",
        "don't edit. `make verify` evaluates the shipped checkpoints again and compares. The people are digital",
        "humans that training never saw; intervals are 95% bootstrap intervals over people. The paper's values",
        "were measured on other data (real people, its own cameras) at another scale: beside ours, not against ours.",
    ]
    groups: dict[str, list[Record]] = {}
    for record in records.values():
        groups.setdefault(record.id.split("/")[0], []).append(record)
    for group, members in groups.items():
        lines += ["", f"## {group}", "", "| record | value | 95% interval | people | pictures | profile | paper |"]
        lines.append("|---|---|---|---|---|---|---|")
        for r in members:
            interval = "" if r.ci95 is None else " to ".join(show(end, r.unit) for end in r.ci95)
            paper = "" if r.paper is None else show(r.paper, r.unit)
            link = f"[{r.id}](records/{r.id}.json)"
            people, pictures = (str(n or "") for n in (r.n_people, r.n_frames))  # speeds have none
            cells = (link, show(r.value, r.unit), interval, people, pictures, r.profile, paper)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_results_readme(results: Path | str = RESULTS) -> Path:
    """Write <results>/README.md from <results>/records and return its path."""
    path = Path(results, "README.md")
    text = results_readme(read_records(Path(results, "records")))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
