"""Hold the records to what they say: recompute, check hashes, measure again, and name whatever does not hold.

Every record is checked without measuring (`checks`): value and interval against its people's own values, these people
against its seeds and its command (`whose`), weights and inputs against their hashes. Then a sample is measured again,
or all of them. A record that nothing can measure fails like one that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lca_core.errors import InputError
from lca_core.evaluation.checks import debts_of, faults_of
from lca_core.evaluation.measurers import MEASURERS, Measurer, measurer_of
from lca_core.evaluation.records import Record, read_record
from lca_core.evaluation.tolerances import within_of_some
from lca_core.evaluation.whose import settings_differ
from lca_core.paths import RECORDS


@dataclass(frozen=True)
class Check:
    """One record measured again.

    recorded, measured: the mean over the same people, then and now, or of a timing the ratio to its yardstick; people:
    how many, 0 where none are counted; factor: whether the tolerance is a factor.
    """

    id: str
    recorded: float
    measured: float
    people: int
    tolerance: float
    factor: bool = False

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        if self.factor:
            return 1 / self.tolerance <= self.measured / self.recorded <= self.tolerance
        return abs(self.recorded - self.measured) <= self.tolerance


@dataclass(frozen=True)
class Verdict:
    """checks: what was measured again; faults: record -> what is wrong with it; debts: record -> what it was made
    without; unmeasured: live records and timings that this sample left out; read: all that could be read."""

    checks: list[Check] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)
    debts: dict[str, list[str]] = field(default_factory=dict)
    unmeasured: list[str] = field(default_factory=list)
    read: dict[str, Record] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether there are records and nothing is wrong with any."""
        return bool(self.read) and not self.faults


def verify(
    people: int | None = None,
    full: bool = False,
    folder: Path | str | None = None,
    measurers: Sequence[Measurer] = MEASURERS,
) -> Verdict:
    """Check every record and measure some again.

    people: measure nothing but so many test people a domain with the release, refinement and the baselines (minutes).
    full: all that is live and all timings (hours); default: the sample of every measurer. folder: of records (default:
    results/records/).
    """
    records, faults = _read(Path(folder or RECORDS))
    debts = {}
    for id, record in records.items():
        try:
            faults.setdefault(id, []).extend(faults_of(record))
            if found := debts_of(record):
                debts[id] = found
        except (AttributeError, TypeError, KeyError, ValueError) as error:  # of another shape
            faults[id] = [f"it is no record: {error}"]
    jobs: dict[Measurer, list[Record]] = {}
    for id, record in records.items():
        if record.kind == "frozen" or faults[id]:
            continue  # a frozen one is of its commit; a wrong one is not worth measuring
        measurer = measurer_of(id, measurers)
        if measurer is None:
            faults[id].append("no measurer knows it, so nothing can tell whether it holds")
        else:
            jobs.setdefault(measurer, []).append(record)
    checks, unmeasured = [], []
    for measurer in (measurer for measurer in measurers if measurer in jobs):
        some = None if full else people or measurer.sample
        chosen = [one for one in jobs[measurer] if full or _samples(measurer, one, people)]
        found, failure = _measured(measurer, chosen, some)
        for record in jobs[measurer]:
            check = compared(record, found[record.id]) if record.id in found else None
            checks += [] if check is None else [check]
            # Of a sample's few people none may have, for instance, a face that is seen.
            needed = record in chosen and not some
            wrong = failure if failure and record in chosen else _against(record, found.get(record.id), check, needed)
            if wrong:
                faults[record.id].append(wrong)
            elif check is None:
                unmeasured.append(record.id)
    return Verdict(checks, {id: found for id, found in faults.items() if found}, debts, sorted(unmeasured), records)


def _samples(measurer: Measurer, record: Record, people: int | None) -> bool:
    """Whether a measurer is to say something of a record in a sample, or of a number of people that was asked for."""
    return measurer.can_sample(record) and (people is None or measurer.any_people)


def _measured(measurer: Measurer, records: Sequence[Record], people: int | None) -> tuple[dict[str, Record], str]:
    """(today's records by id, why there are none)."""
    if not records:
        return {}, ""
    try:
        return measurer.measure(records, people), ""
    except InputError as error:
        return {}, f"it could not be measured: {error}"


def compared(recorded: Record, measured: Record) -> Check | None:
    """The same number then and now; None where the two cannot be compared: other people, or no yardstick."""
    if recorded.kind == "timing":
        then, now = ratio(recorded), ratio(measured)
        return Check(recorded.id, then, now, 0, recorded.tolerance.within, True) if then and now else None
    shared = [person for person in recorded.per_person if person in measured.per_person]
    if shared:
        then, now = (float(np.mean([one.per_person[p] for p in shared])) for one in (recorded, measured))
        within = within_of_some(recorded.tolerance, recorded.n_people, len(shared))
        return Check(recorded.id, then, now, len(shared), within)
    if recorded.per_person or recorded.n_people != measured.n_people:
        return None
    return Check(recorded.id, recorded.value, measured.value, recorded.n_people, recorded.tolerance.within)


def ratio(record: Record) -> float | None:
    """A timing's ratio to its yardstick: of times, of rates the other way round; None without a yardstick."""
    if record.unit == "x":
        return record.value
    yardstick = record.protocol.get("yardstick")
    if yardstick is None:
        return None
    return record.value * yardstick["value"] if record.unit.endswith("/s") else record.value / yardstick["value"]


def _against(record: Record, measured: Record | None, check: Check | None, needed: bool) -> str:
    """What measuring again says against a record, or nothing. needed: whether it had to be measured, and all of it."""
    if check is None:
        if not needed or "yardstick" in record.provenance.get("lacks", ()):
            return ""
        return "its measurer gives no such number" if measured is None else "it is of other people than are measured"
    if needed and record.per_person and check.people < record.n_people:
        return f"only {check.people} of its {record.n_people} people can be measured"
    then, now = (one.provenance.get("drawn", {}) for one in (record, measured))
    if other := sorted(name for name in then if now.get(name, then[name]) != then[name]):
        return f"people are drawn otherwise now ({', '.join(other)})"
    if differing := settings_differ(record, measured):
        return "; ".join(differing)
    if check.holds:
        return ""
    of = f" over {check.people} people" if check.people else ""
    how = "a factor of " if check.factor else ""
    return f"recorded {check.recorded:.6g}, measured {check.measured:.6g}{of}: not within {how}{check.tolerance:.3g}"


def _read(folder: Path) -> tuple[dict[str, Record], dict[str, list[str]]]:
    """(records by id, what is wrong with files that hold none)."""
    records, faults = {}, {}
    for path in sorted(folder.rglob("*.json")):
        place = path.relative_to(folder).with_suffix("").as_posix()
        try:
            record = read_record(path)
        except InputError as error:
            faults[place] = [str(error)]
            continue
        if record.id != place:
            faults[place] = [f"it holds the record {record.id}"]
        records[place] = record
    return records, faults
