"""What each part of the model is worth: short trainings, alike but for one part, judged on people not trained on.

The full model against: AdamW for all parameters (no Muon); no pixel alignment, no colour reading, none of our additions
(the paper's plain model); and one branch alone (the paper's Table S1). All train on the same wild people, batches and
steps; at a few hundred steps this shows what helps a small budget, not what remains of it after a long one. Judged on
validation people, because choices are made by it.
"""

import json as json_format
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from reporting import begin, columns, end, run, tell

from lca_core.data import Person, read_people
from lca_core.errors import InputError
from lca_core.evaluation import Record, Tolerance, drawn, provenance, read_records, record_of, summarise
from lca_core.evaluation.evaluate import Values, evaluate_people
from lca_core.evaluation.metrics import Summary
from lca_core.model import Pixels, rows_length
from lca_core.paths import REPOSITORY
from lca_core.people import cached_people
from lca_core.profiles import PROFILES, Profile
from lca_core.training import Example, build_model, examples, load_model, train
from lca_core.training.stages import stage_settings

FIRST_VALIDATION = 9_000
METRICS = ("psnr", "psnr_fg", "lpips")
DOMAINS = ("studio", "wild")
TOLERANCES = {"psnr": 0.3, "psnr_fg": 0.3, "lpips": 0.006}
WHY = "trainings on two machines differ by rounding"
OUT = REPOSITORY / "build" / "ablation"


@dataclass(frozen=True)
class Variant:
    """what: in words; profile, settings: fields that differ from the full model's."""

    what: str
    profile: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)


VARIANTS = {
    "full": Variant("everything"),
    "adamw": Variant("AdamW for all parameters", settings={"muon": False}),
    "no_pixel_alignment": Variant("no pixel alignment", {"pixel_alignment": False}),
    "no_color_reading": Variant("no colour reading", {"color_reading": False}),
    "plain": Variant(
        "none of our additions: the paper's plain model",
        {"pixel_alignment": False, "color_reading": False, "face_shapes": False},
    ),
    "single_branch": Variant("the driven branch alone", {"dual_branch": False}),
}

Name = Literal["full", "adamw", "no_pixel_alignment", "no_color_reading", "plain", "single_branch"]
Scores = dict[str, Values]  # domain -> metric -> person -> values


@dataclass(frozen=True)
class Plan:
    """people: wild people trained on; judged: validation people a domain; steps: of training."""

    profile: str = "laptop"
    people: int = 120
    judged: int = 16
    steps: int = 400
    workers: int = 2


def trained(name: str, plan: Plan, people: Sequence[Example], out: Path):
    """The model of a variant, trained into `out` or read from there if it was."""
    variant, folder = VARIANTS[name], out / name
    sizes: Profile = replace(PROFILES[plan.profile], **variant.profile)
    if not (folder / "weights.safetensors").exists():
        model = build_model(sizes, rows_length(Pixels()))
        settings = replace(
            stage_settings("pretrain", plan.profile, plan.steps, precision="float32"), **variant.settings
        )
        train(model, people, settings, folder, resume=True)
    return load_model(folder / "weights.safetensors")[0]


def judged(plan: Plan) -> list[Person]:
    """The validation people of both domains."""
    seeds = range(FIRST_VALIDATION, FIRST_VALIDATION + plan.judged)
    return [p for domain in DOMAINS for p in read_people(cached_people(seeds, domain, plan.profile, plan.workers))]


def measured(plan: Plan, out: Path, names: Sequence[str]) -> Iterator[tuple[str, Scores]]:
    """Each variant as it is done."""
    shards = cached_people(range(plan.people), "wild", plan.profile, plan.workers)
    people = examples(list(read_people(shards)), Pixels(), PROFILES[plan.profile])
    tested = judged(plan)
    for name in names:
        tell(f"{name}: {VARIANTS[name].what}")
        found = evaluate_people(tested, trained(name, plan, people, out), Pixels(), total=len(tested))
        yield name, {domain: found[domain]["release"] for domain in DOMAINS}


def recorded_full() -> Scores:
    """Of the full model, by the records; InputError where there are none."""
    records = read_records()
    ids = {(domain, metric): f"ablation/full/{domain}/{metric}" for domain in DOMAINS for metric in METRICS}
    if missing := [id for id in ids.values() if id not in records]:
        raise InputError(f"there is no record {missing[0]} to compare with; measure the variant `full` first")
    values = {key: {int(p): [v] for p, v in records[id].per_person.items()} for key, id in ids.items()}
    return {domain: {metric: values[domain, metric] for metric in METRICS} for domain in DOMAINS}


def summaries(name: str, own: Scores, full: Scores) -> dict[str, tuple[Summary, Summary]]:
    """record -> (summary of the variant, of its differences to the full model by person)."""
    result = {}
    for domain in DOMAINS:
        for metric in METRICS:
            mine, theirs = own[domain][metric], full[domain][metric]
            less = {person: [np.mean(mine[person]) - np.mean(theirs[person])] for person in mine}
            pair = (summarise(values, np.random.default_rng(0)) for values in (mine, less))
            result[f"ablation/{name}/{domain}/{metric}"] = tuple(pair)
    return result


def report(found: dict[str, tuple[Summary, Summary]]) -> str:
    """A line a record: the value, and how far it is from the full model's."""
    rows = [
        (id, f"{own.value:.3f}", f"{less.value:+.3f}", f"{less.ci95[0]:+.3f} to {less.ci95[1]:+.3f}")
        for id, (own, less) in found.items()
    ]
    return "\n".join(columns(("record", "value", "less full", "95% interval"), rows))


def records_of(found: dict[str, tuple[Summary, Summary]], plan: Plan) -> list[Record]:
    """The records."""
    seeds = range(FIRST_VALIDATION, FIRST_VALIDATION + plan.judged)
    source = provenance("python benchmarks/ablation.py --record", {"benchmark": __file__}, list(seeds),
                        drawn=drawn(DOMAINS, plan.profile))  # fmt: skip
    records = []
    for id, (own, less) in found.items():
        protocol = {
            "variant": VARIANTS[id.split("/")[1]].what, "trained_on": f"wild people 0-{plan.people - 1}",
            "steps": plan.steps, "inputs": 4, "people": "validation",
            "less_full": {"value": less.value, "ci95": less.ci95},
        }  # fmt: skip
        tolerance = Tolerance(TOLERANCES[id.rsplit("/", 1)[-1]], WHY)
        records.append(record_of(id, own, plan.profile, protocol, source, tolerance=tolerance))
    return records


def main(
    only: tuple[Name, ...] = tuple(VARIANTS),
    people: int = Plan.people,
    steps: int = Plan.steps,
    judged: int = Plan.judged,
    resume: bool = False,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Train the model's variants for a short while and compare them (an hour on 2 cores).

    Args:
        only: Which variants; without `full`, they are compared with its records.
        people: Wild people to train on.
        steps: Steps of each training.
        judged: Validation people of each domain.
        resume: Go on with the trainings in build/ablation instead of beginning anew.
        quick: Tiny sizes: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ablation/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    if min(people, steps, judged) < 2:
        raise InputError("--people, --steps and --judged must be at least 2")
    plan = Plan("smoke", 3, 2, 3) if quick else Plan(people=people, judged=judged, steps=steps)
    if (record or measure) and plan != Plan():
        raise InputError("--record and --measure need the default people and steps, and no --quick")
    begin(record)
    if not resume:
        shutil.rmtree(OUT, ignore_errors=True)
    full = None if "full" in only else recorded_full()
    found: dict[str, tuple[Summary, Summary]] = {}
    for name, scores in measured(plan, OUT, sorted(set(only), key=list(VARIANTS).index)):
        full = full or scores
        these = summaries(name, scores, full)
        if record:
            end(records_of(these, plan), record, None)  # now: the next training may be interrupted
        found |= these
    if json:
        print(
            json_format.dumps({id: {"value": a.value, "less_full": b.value} for id, (a, b) in found.items()}, indent=1)
        )
    else:
        print(report(found))
    if measure:
        end(records_of(found, plan), False, measure)


if __name__ == "__main__":
    run(main)
