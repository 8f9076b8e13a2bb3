"""Result records: the one place a number in a notebook, a figure or the README comes from.

A record is one JSON file, results/records/<id>.json, the id's slashes being folders. It is one of three kinds:

live: measured with the shipped weights and today's code; `verify` measures it again.
frozen: made by weights and code of a commit that it names; `verify` checks their hashes, and its command begins by
    checking that commit out.
timing: a speed, judged by its ratio to a yardstick measured in the same run.
"""

import json
import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

import lca_core
from lca_core.errors import InputError
from lca_core.evaluation.sources import commit_here, sha256, tracked, uncommitted
from lca_core.evaluation.tolerances import Tolerance, usual_tolerance
from lca_core.judges.summaries import Summary
from lca_core.paths import CHECKPOINTS, RECORDS, REPOSITORY, atomic_path

KINDS = ("live", "frozen", "timing")

# The last part of a record's id -> its unit, and whether more is better.
METRICS = {
    "psnr": ("dB", True),
    "psnr_fg": ("dB", True),
    "psnr_masked": ("dB", True),
    "ssim": ("", True),
    "l1_fg": ("", False),
    "lpips": ("", False),
    "iou": ("", True),
    "identity_distance": ("", False),
    "identity_same_rate": ("", True),
    "identity_rank1": ("", True),
}
DIGITS = 6  # of a person's own value

_ID = re.compile(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*")


@dataclass(frozen=True)
class Record:
    """One measured number and everything needed to believe it.

    id: e.g. "release/wild/psnr_fg"; unit: "dB", "s", "" ...; ci95: bootstrap over people, None where there is one
    person or none (speeds); paper: the paper's value or None; kind: one of `KINDS`; tolerance: see `Tolerance`.
    protocol: mask, crop, resolution, network, pose source, aggregation, or for speeds device, threads and what was left
    out; `pooled` says, of a number that is no mean over people (an error rate of pairs, a count), what it is of;
    `yardstick` {what, value, unit "s"} of a timing. provenance: see `provenance`; `per_person` holds each person's own
    value; `lacks` names what an older record was made without ("people", "yardstick", "inputs"): no new one may.
    """

    id: str
    value: float
    unit: str
    ci95: tuple[float, float] | None
    n_people: int
    n_frames: int
    profile: str
    paper: float | None = None
    kind: str = "live"
    tolerance: Tolerance | None = None
    protocol: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)

    def __post_init__(self):
        if not _ID.fullmatch(self.id) or ".." in self.id:
            raise ValueError(f"a record's id is lower-case names joined by slashes, not {self.id!r}")
        within = [] if self.tolerance is None else [self.tolerance.within]
        numbers = [self.value, *(self.ci95 or ()), *([] if self.paper is None else [self.paper]), *within]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"record {self.id} holds a number that is not finite: {numbers}")

    @property
    def per_person(self) -> dict[str, float]:
        """Each person's own value (seed or id as text), so that a part of the people can be compared again."""
        return self.provenance.get("per_person", {})

    @property
    def files(self) -> dict[str, tuple[str, str]]:
        """What it was made with: name ("checkpoint", "benchmark" ...) -> (file, sha256)."""
        names = [name for name in self.provenance if f"{name}_sha256" in self.provenance]
        return {name: (self.provenance[name], self.provenance[f"{name}_sha256"]) for name in names}


def record_of(
    id: str,
    summary: Summary,
    profile: str,
    protocol: dict,
    provenance: dict,
    paper: float | None = None,
    kind: str = "live",
    tolerance: Tolerance | None = None,
    unit: str | None = None,
) -> Record:
    """A record of a `summarise`d metric; people's values are kept.

    unit: default: that of the metric which the id's last part names; ValueError where it names none. tolerance:
    default: the metric's (`usual_tolerance`). A frozen record's command is given the checkout it begins with
    (`from_commit`). Of the seeds, those without a value are listed as `without_value`.
    """
    metric = id.rsplit("/", 1)[-1]
    if unit is None and metric not in METRICS:
        raise ValueError(f"record {id}: {metric!r} is not one of {', '.join(METRICS)}")
    if kind == "frozen":
        provenance = provenance | {"command": from_commit(provenance["command"], provenance.get("commit"))}
    people = {person: round(value, DIGITS) for person, value in summary.per_person.items()}
    without = [seed for seed in provenance.get("seeds", ()) if str(seed) not in people]
    if without and "seeds_are" not in provenance:  # a picture in which no face is seen, for instance
        provenance = provenance | {"without_value": without}
    return Record(
        id=id,
        value=summary.value,
        unit=METRICS[metric][0] if unit is None else unit,
        ci95=summary.ci95,
        n_people=summary.n_people,
        n_frames=summary.n_frames,
        profile=profile,
        paper=paper,
        kind=kind,
        tolerance=tolerance or usual_tolerance(id, summary.n_people),
        protocol=protocol,
        provenance={**provenance, "per_person": people},
    )


def provenance(
    command: str | Sequence[str],
    files: dict[str, Path | str] | None = None,
    seeds: Sequence[int] = (),
    **more,
) -> dict:
    """Where a number comes from: the command, each named file's sha256, the seeds, the commit, the date.

    files: e.g. {"checkpoint": weights, "manifest": path}; kept by name relative to the repository (or bare file
    name outside it), never by a path of this machine. Those that git does not keep, such as weights that the command
    itself trains into runs/, are listed under `not_kept`. seeds: of the people. more: what else is worth knowing, e.g.
    drawn=`drawn.drawn`(domains, profile). `clean` is False where files were not committed.
    """
    commit = commit_here()
    entry = {
        "command": command if isinstance(command, str) else shlex.join(command),
        "seeds": list(seeds),
        "code_version": lca_core.__version__,
        "commit": commit,
        "clean": commit is not None and not uncommitted(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        **more,
    }
    not_kept = []
    for name, path in (files or {}).items():
        path = Path(path).resolve()
        inside = path.is_relative_to(REPOSITORY)
        entry[name] = path.relative_to(REPOSITORY).as_posix() if inside else path.name
        entry[f"{name}_sha256"] = sha256(path)
        if not (inside and tracked(path)):
            not_kept.append(name)
    return entry | ({"not_kept": not_kept} if not_kept else {})


def from_commit(command: str, commit: str | None) -> str:
    """A command that checks a commit out beside today's code, installs what it needed and runs `command` there."""
    if commit is None or command.startswith("git worktree add"):
        return command
    place = f"build/at-{commit[:7]}"
    there = re.sub(r"\bpython ", ".venv/bin/python ", command)
    return f"git worktree add --detach {place} {commit[:7]} && cd {place} && make venv && {there}"


def write_record(record: Record, folder: Path | str | None = None) -> Path:
    """Write <folder>/<id>.json whole or not at all, and return its path.

    folder: default: results/records/, to which nothing is admitted that verify could not hold: InputError for a record
    of another kind, without tolerance or people's values, from files that are not committed, or of other weights than
    those that the record of this id is of.
    """
    place = Path(folder or RECORDS)
    path = place / f"{record.id}.json"
    if place.resolve() == RECORDS.resolve():
        _admit(record, path)
    text = json.dumps(asdict(record), indent=2, allow_nan=False, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def _admit(record: Record, path: Path) -> None:
    from lca_core.evaluation.checks import debts_of, shape_faults  # which reads Record from here

    if not record.provenance.get("clean"):
        raise InputError(f"{record.id} was made from files that are not committed; commit first, then measure again")
    if wrong := [*shape_faults(record), *debts_of(record)]:
        raise InputError(f"{record.id} is no record yet: {'; '.join(wrong)}")
    weights = record.files.get("checkpoint")
    if weights is None:
        return
    name, digest = weights
    if record.kind == "live" and not _shipped(name, digest):
        raise InputError(
            f"{record.id} would be of {name}, which is not shipped (results/checkpoints/): records of other weights "
            "have ids and a commit of their own (kind frozen); leave --record out"
        )
    if path.exists() and (before := read_record(path).files.get("checkpoint")) is not None:
        if before[0] != name and not _shipped(before[0], digest):
            raise InputError(
                f"{record.id} is a record of {before[0]}; {name} would overwrite it: leave --record out, or remove the "
                "record first"
            )


def _shipped(name: str, digest: str) -> bool:
    """Whether a file's content is what is shipped under a name."""
    path = REPOSITORY / name
    return path.parent == CHECKPOINTS and path.exists() and sha256(path) == digest


def read_record(path: Path | str) -> Record:
    """The record in one file; InputError names the file and what is wrong with it.

    One that does not say its kind is read, for verify to name it.
    """
    try:
        return record_from(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is not a record: {error}") from error


def record_from(content: dict) -> Record:
    """The record in plain JSON, as `asdict` has made it; ValueError or TypeError for anything else."""
    names = {f.name for f in fields(Record)}
    if isinstance(content, dict):
        content = {"kind": "", "tolerance": None} | content
    if not isinstance(content, dict) or set(content) != names:
        raise ValueError(f"it needs exactly the fields {', '.join(sorted(names))}")
    for name in ("protocol", "provenance"):
        if not isinstance(content[name], dict):
            raise ValueError(f"its {name} is {content[name]!r}, not named values")
    if content["ci95"] is not None:
        content["ci95"] = tuple(content["ci95"])
    if content["tolerance"] is not None:
        content["tolerance"] = Tolerance(**content["tolerance"])
    return Record(**content)


def read_records(folder: Path | str | None = None) -> dict[str, Record]:
    """All records under a folder (default: results/records/) by id, sorted; InputError where a file's place and its id
    disagree."""
    folder = Path(folder or RECORDS)
    records = {}
    for path in sorted(folder.rglob("*.json")):
        record = read_record(path)
        place = path.relative_to(folder).with_suffix("").as_posix()
        if place != record.id:
            raise InputError(f"{path} holds the record {record.id}: move it to {record.id}.json or measure it again")
        records[record.id] = record
    return records


def show(value: float, unit: str) -> str:
    """A number as it is printed everywhere: two decimals for dB, else four significant digits, and the unit."""
    return f"{value:.2f} {unit}" if unit == "dB" else f"{value:.4g} {unit}".rstrip()
