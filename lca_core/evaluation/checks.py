"""What can be said against a record without measuring anything: its own numbers, its hashes, its command."""

import re
from pathlib import Path

import numpy as np

from lca_core.evaluation.drawn import drawn_otherwise
from lca_core.evaluation.records import KINDS, METRICS, Record
from lca_core.evaluation.sources import commit_here, git, has_commit, sha256, sha256_at
from lca_core.evaluation.tolerances import usual_tolerance
from lca_core.evaluation.whose import people_faults
from lca_core.judges.summaries import summarise
from lca_core.paths import REPOSITORY

_LOOSEST = 10  # times the usual tolerance of a metric
ROUNDED = 1e-6  # people's values are stored to six digits
_DEBTS = {
    "people": "people's own values are not stored: only measuring all of them again can tell",
    "yardstick": "a speed without a yardstick of the same run",
    "inputs": "the people it is of are not named by a hash",
}


def faults_of(record: Record) -> list[str]:
    """Everything that is wrong with a record, as sentences; empty where there is nothing."""
    return [*shape_faults(record), *value_faults(record), *people_faults(record), *file_faults(record)]


def debts_of(record: Record) -> list[str]:
    """What an older record was made without, and says so. It is told until the record is made again."""
    source = record.provenance
    clean = [] if source.get("clean") else ["not from a clean commit"]
    return clean + [_DEBTS.get(name, name) for name in source.get("lacks", ())]


def shape_faults(record: Record) -> list[str]:
    """What a record does not say though its kind asks for it."""
    source, lacks, faults = record.provenance, record.provenance.get("lacks", ()), []
    if record.kind not in KINDS:
        faults.append(f"its kind is {record.kind!r}, not one of {', '.join(KINDS)}")
    if record.tolerance is None:
        faults.append("it has no tolerance")
    elif record.tolerance.within < 0 or record.tolerance.within > _LOOSEST * _usual(record):
        faults.append(f"its tolerance of {record.tolerance.within:g} would hold of anything")
    metric = record.id.rsplit("/", 1)[-1]
    if metric in METRICS and record.unit != METRICS[metric][0]:
        faults.append(f"its unit is {record.unit!r}, that of {metric} {METRICS[metric][0]!r}")
    if not re.fullmatch("[0-9a-f]{40}", source.get("commit") or ""):
        faults.append("it names no commit")
    several = record.n_people > 1 and record.kind != "timing"
    if several and not (record.per_person or "pooled" in record.protocol or "people" in lacks):
        faults.append("it is of several people, keeps no values of theirs and does not say what is pooled")
    if record.kind == "timing" and record.unit != "x" and not (_has_yardstick(record) or "yardstick" in lacks):
        faults.append("it is a speed without a yardstick")
    if fault := _command_fault(record):
        faults.append(fault)
    return faults


def _usual(record: Record) -> float:
    usual = usual_tolerance(record.id, record.n_people)
    return np.inf if usual is None else usual.within


def _has_yardstick(record: Record) -> bool:
    value = (record.protocol.get("yardstick") or {}).get("value", 0)
    return isinstance(value, int | float) and value > 0


def _command_fault(record: Record) -> str:
    """A command can only be tried by running it; this finds those that cannot run."""
    command = record.provenance.get("command", "")
    if record.kind == "frozen":
        begins = f"git worktree add --detach build/at-{(record.provenance.get('commit') or '')[:7]} "
        return "" if command.startswith(begins) else "its command does not begin by checking its commit out"
    scripts = re.findall(r"\bpython (\S+)", command)
    missing = [script for script in scripts if script != "-m" and not (REPOSITORY / script).exists()]
    if not scripts or missing or re.search(r"\b[A-Z]{3,}\b", command):
        return f"its command does not run: {command!r}"
    return ""


def value_faults(record: Record) -> list[str]:
    """Where value, interval or number of people is not what the people's own values give."""
    if not record.per_person:
        return []
    try:
        again = summarise({person: [value] for person, value in record.per_person.items()}, np.random.default_rng(0))
    except (ValueError, TypeError) as error:
        return [f"its people's values are no numbers: {error}"]
    faults = []
    if abs(again.value - record.value) > ROUNDED:
        faults.append(f"its value is {record.value:.6f}, its people's values give {again.value:.6f}")
    ends, ends_again = (np.array(ci or ()) for ci in (record.ci95, again.ci95))
    if ends.shape != ends_again.shape or (np.abs(ends - ends_again) > ROUNDED).any():
        faults.append(f"its interval is {record.ci95}, its people's values give {again.ci95}")
    if again.n_people != record.n_people:
        faults.append(f"it says {record.n_people} people and keeps values of {again.n_people}")
    return faults


def file_faults(record: Record) -> list[str]:
    """Where weights and inputs are not those it was made with: today's for live records and timings, those of its
    commit for frozen ones. The people are compared by how they are drawn."""
    source = record.provenance
    kept = {name: file for name, file in record.files.items() if name not in source.get("not_kept", ())}
    if record.kind == "frozen":
        return _frozen_faults(source.get("commit") or "", kept)
    faults = []
    for name, (path, digest) in kept.items():
        if name == "checkpoint" and not path.startswith("results/checkpoints/"):
            faults.append(f"{path} are no shipped weights")
        if not path.startswith(("results/", "data_manifests/")):
            continue  # code may go on: what it gives is measured
        if not Path(REPOSITORY, path).exists():
            faults.append(f"{path} is not there")
        elif sha256(REPOSITORY / path) != digest:
            faults.append(f"{path} is another file than the one it was made with; measure it again")
    return faults + [f"people are drawn otherwise now ({name})" for name in drawn_otherwise(source.get("drawn", {}))]


def _frozen_faults(commit: str, kept: dict[str, tuple[str, str]]) -> list[str]:
    if commit_here() is None:
        return []  # a copy without history: nothing to look it up in
    if not has_commit(commit):
        shallow = (git("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
        return [] if shallow else [f"its commit {commit[:7]} is not in the history"]
    return [
        f"{path} is another file at {commit[:7]} than the one it was made with"
        for path, digest in kept.values()
        if sha256_at(commit, path) != digest
    ]
