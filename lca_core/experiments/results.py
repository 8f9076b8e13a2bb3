"""From the scores of runs to records and lines one can read: means over seeds, differences to another row."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import protocol_of
from lca_core.evaluation.paper import paper_value
from lca_core.evaluation.protocols import SECOND
from lca_core.evaluation.records import Record, provenance, read_records, record_of, write_record
from lca_core.evaluation.sources import sha256
from lca_core.evaluation.tables import aligned
from lca_core.evaluation.tolerances import Tolerance
from lca_core.experiments.abilities import ABILITIES, DRAWINGS, METRIC
from lca_core.experiments.experiment import JUDGED, Experiment, sizes_of
from lca_core.experiments.runs import Outcome, Values
from lca_core.judges.summaries import mean_of_runs, summarise, summarise_difference
from lca_core.paths import RECORDS

TOLERANCES = {"psnr": 0.3, "psnr_fg": 0.3, "l1_fg": 0.006, "lpips": 0.006, METRIC: 0.3}
WHY = "trainings on two machines differ by rounding"


def values_of(row: Experiment, outcomes: Sequence[Outcome]) -> dict[str, Values]:
    """ "<domain>/<metric>" -> each person's pictures, means over the seeds."""
    keys = [(domain, metric) for domain in judged_in(row) for metric in row.metrics]
    return {f"{d}/{m}": mean_of_runs([outcome.scores[d][m] for outcome in outcomes]) for d, m in keys}


def judged_in(row: Experiment) -> tuple[str, ...]:
    """The domains that a row's records are of: of an ability, those of the photographs."""
    return tuple(ABILITIES[row.ability].photographs) if row.ability else JUDGED


def id_of(row: Experiment, key: str) -> str:
    """The record of a row's "<domain>/<metric>": `<row>/<domain>/<metric>`, of an ability, which has one metric, the
    domain before the row's last name: `emergent/relight/wild/all`."""
    domain, metric = key.split("/")
    family, _, last = row.name.rpartition("/")
    return f"{family}/{domain}/{last}" if row.ability else f"{row.name}/{domain}/{metric}"


def recorded_values(row: Experiment, folder: Path = RECORDS) -> dict[str, Values]:
    """The same from a row's records: one number a person, its mean. Empty where there are none."""
    records = read_records(folder)
    keys = [f"{domain}/{metric}" for domain in judged_in(row) for metric in row.metrics]
    there = {key: records[id_of(row, key)] for key in keys if id_of(row, key) in records}
    return {key: {person: [v] for person, v in record.per_person.items()} for key, record in there.items()}


def records_of(
    row: Experiment, outcomes: Mapping[int, Outcome], against: Mapping[str, Values] | None = None
) -> list[Record]:
    """Records `<row>/<domain>/<metric>` of a row whose seeds have all run; against: values of the row it is compared
    with, by `values_of` or `recorded_values`; left alone where they are of other people."""
    source = provenance(
        f"python -m lca_core experiments --only {row.name}",
        seeds=list(row.people.judged_seeds),
        training_seeds=list(row.seeds),
        drawn=drawn(_domains_drawn(row), sizes_of(row).reads or row.profile),
        weights_sha256={str(seed): sha256(outcome.weights) for seed, outcome in outcomes.items()},
        fingerprint={str(seed): outcome.trained for seed, outcome in outcomes.items()},
        minutes={str(seed): outcome.minutes for seed, outcome in outcomes.items()},
    )
    made = []
    for key, values in values_of(row, list(outcomes.values())).items():
        domain, metric = key.split("/")
        protocol = _protocol(row, domain, metric) | {
            "variant": row.what, "method": row.method, "trained_on": row.trained_on, "steps": row.steps,
            "stages": ", then ".join(f"{stage.name} {stage.steps}" for stage in row.stages),
            "people": row.people.split, "precision": "float32",
        }  # fmt: skip
        if len(row.seeds) > 1:
            protocol["aggregation"] = "mean over seeds, then pictures, then people; 95% bootstrap over people"
        if against and set(against.get(key, ())) == set(values):
            less = summarise_difference(values, against[key], np.random.default_rng(0))
            protocol["difference"] = {"to": row.against, "value": less.value, "ci95": less.ci95 and list(less.ci95)}
        summary, id = summarise(values, np.random.default_rng(0)), id_of(row, key)
        made.append(
            record_of(
                id, summary, row.profile, protocol, source, paper_value(id), kind="frozen",
                tolerance=Tolerance(TOLERANCES[metric], WHY), unit=ABILITIES[row.ability].unit if row.ability else None,
            )
        )  # fmt: skip
    return made


def _domains_drawn(row: Experiment) -> list[str]:
    """Of the domains a row's people are of, those that are drawn as `people` draws them."""
    judged = ABILITIES[row.ability].domains if row.ability else (*JUDGED, *SECOND.values())
    return sorted({*row.domains, *judged} - {DRAWINGS})


def _protocol(row: Experiment, domain: str, metric: str) -> dict:
    """How a number of a row was made."""
    if not row.ability:
        return protocol_of(metric, row.inputs, SECOND.get(domain, ""))
    about = {"what": (ABILITIES[row.ability].gains.__doc__ or "").split(".")[0], "photographs": domain}
    return about | {
        "begun_from": f"{row.begins}.safetensors",
        "aggregation": "mean over pictures, then over people; 95% bootstrap over people",
    }


def write_changed(records: Sequence[Record], folder: Path = RECORDS) -> list[Path]:
    """Write the records that say something else than those there; the paths written."""
    there = read_records(folder)
    return [write_record(record, folder) for record in records if _said(record) != _said(there.get(record.id))]


def _said(record: Record | None) -> tuple | None:
    return record and (record.value, record.ci95, record.per_person, record.protocol.get("difference"))


def report(records: Sequence[Record]) -> str:
    """A line a record: the value, its interval, and how far it is from the row it is compared with."""
    header = ("record", "value", "95% interval", "difference", "95% interval", "to")
    rows = []
    for record in records:
        less = record.protocol.get("difference")
        cells = (f"{less['value']:+.3f}", _interval(less["ci95"], "+"), less["to"]) if less else ("", "", "")
        rows.append((record.id, f"{record.value:.3f}", _interval(record.ci95), *cells))
    return aligned(header, rows)


def _interval(ends: Sequence[float] | None, sign: str = "") -> str:
    return " to ".join(f"{end:{sign}.3f}" for end in ends) if ends else ""


def held_to_records(measured: Sequence[Record], folder: Path = RECORDS) -> tuple[str, bool]:
    """What is recorded beside what was measured, and whether all agree; a value without a record does not."""
    there, rows = read_records(folder), []
    for record in measured:
        tolerance = record.tolerance.within
        recorded = there[record.id].value if record.id in there else float("nan")
        agrees = abs(record.value - recorded) <= tolerance
        within = f"{tolerance:g}" + ("" if agrees else "  NO")
        rows.append((record.id, f"{recorded:.3f}", f"{record.value:.3f}", within))
    return aligned(("record", "recorded", "measured", "within"), rows), not any("NO" in row[-1] for row in rows)
