"""Loose clothes: how much nearer to the truth skirts, dresses and coats come when a decoder moves them.

The paper's Table S3 on test people of `garment`: the decoder of hanging cloth (`train --stage hanging`), and the
paper's that corrects skinning weights (`--stage loose`), beside weights trained on the same people without either
(`--stage loose_without`), all from the same start. See `lca_core.evaluation.loose` for what is counted. The speed is
that of driving alone, on one thread.
"""

import json as json_format
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from reporting import begin, columns, end, run, tell, yardstick

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import frames_for
from lca_core.evaluation.loose import METHODS, TABLE, Values, evaluate_cloth, split_reduction, tight_change
from lca_core.evaluation.loose_figure import loose_figure
from lca_core.evaluation.paper import paper_value
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import TIMING, TOLERANCE, WHY, Tolerance
from lca_core.judges.summaries import Summary, summarise, summarise_difference
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, encoder_of
from lca_core.model.parts import HANGING as PART
from lca_core.people.domains.production import cached_people
from lca_core.release import CLOTH, HANGING, LOOSE_WITHOUT, RELEASE
from lca_core.viewer.figures import save_picture
from lca_core.viewer.stage import motion_driving

DOMAIN, TIGHT = "garment", "studio"
SHIPPED = {"with": HANGING, "weights": CLOTH, "without": LOOSE_WITHOUT}  # what is laid over the release
FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 16
DRIVEN = 60  # frames of the speed
FEW = 0.02  # share of a skirt's pixels under which holes are too few to count
UNITS = {"psnr": "dB", "psnr_fg": "dB", "psnr_cloth": "dB", "l1_fg": "", "lpips": "", "cloth_mm": "mm"}
WHAT = {
    "psnr_cloth": "pixels of the truth's skirts and coats alone",
    "cloth_mm": "mean distance of the truth's skirts and coats from the nearest surface drawn, as a camera sees both",
    "tight_change_db": "psnr with the decoder less that of the same avatar without it, of people in no loose clothes",
    "split_reduction": "share of the pixels of skirts for which nothing was drawn that hanging cloth draws",
}


@dataclass(frozen=True)
class Measured:
    """values: method -> metric -> person -> numbers; tight: person -> change, dB; speed: drives a second."""

    values: dict[str, Values]
    tight: dict[int, list[float]]
    speed: dict
    profile: str
    seeds: tuple[int, int]

    @property
    def summaries(self) -> dict[str, Summary]:
        """By record, all that are means over people."""
        names = {f"s3/{method}/{metric}": self.values[method][metric] for method in METHODS for metric in TABLE}
        names |= {f"garment/cloth_mm_{method}": self.values[method]["cloth_mm"] for method in METHODS}
        names |= {"garment/tight_change_db": self.tight}
        return {name: summarise(values, np.random.default_rng(0)) for name, values in names.items()}

    def mean(self, method: str, metric: str) -> float:
        """Over people."""
        return summarise(self.values[method][metric], np.random.default_rng(0)).value


def speed(avatar: Avatar) -> dict:
    """Drives a second on one thread, every frame another pose: with the decoder, and of the same avatar without it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    shown = {"without": replace(avatar, parts={}), "with": avatar}
    driving, seconds = motion_driving(avatar, "walk", DRIVEN), {name: [] for name in shown}
    for number in range(DRIVEN):
        for name, one in shown.items():
            start = time.perf_counter()
            one.drive(driving[number : number + 1])
            seconds[name].append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    rates = {name: 1 / float(np.median(times[DRIVEN // 10 :])) for name, times in seconds.items()}
    return {"drives_a_second": rates, "gaussians": len(avatar), "threads": 1, "ratio": rates["with"] / rates["without"]}


def measure_people(seeds: range, workers: int, weights: dict[str, Path], picture: Path | None = None) -> Measured:
    """Everything, of people who are drawn where the cache has none."""
    models, values, avatars, encoders = {}, {}, {}, {}
    for method in METHODS:
        additions = (SHIPPED[method],) if weights[method] == RELEASE else ()
        models[method], meta = load_release(weights[method], additions)
        encoders[method] = encoder_of(meta)
    if PART not in models["with"].parts:
        raise InputError(f"{weights['with']} knows nothing of hanging cloth; train it with `train --stage hanging`")
    profile = models["with"].profile
    shards = cached_people(seeds, DOMAIN, profile, workers, truth=True)
    for method in METHODS:
        tell(f"loose clothes: {method}")
        people = read_people(shards, truth=True)
        values[method] = evaluate_cloth(people, models[method], encoders[method], len(seeds))
    tell("tight clothes")
    tight = tight_change(
        read_people(cached_people(seeds, TIGHT, profile, workers)), models["with"], encoders["with"]
    )  # fmt: skip
    person = next(read_people(shards, truth=True))
    photographs, targets = frames_for(models["with"], person)
    for method in METHODS:
        avatars[method] = encode_person(models[method], encoders[method], person, photographs)
    if picture:
        save_picture(loose_figure(models, avatars, person, [one.frame for one in targets[::3]]), picture)
    tell("speed")
    measured = speed(avatars["with"]) | {"yardstick": yardstick()}
    return Measured(values, tight, measured, profile.name, (seeds[0], seeds[-1]))


def report(measured: Measured) -> str:
    """The measurements as text."""
    rows = []
    for name, s in measured.summaries.items():
        unit = _unit(name)
        interval = "" if s.ci95 is None else f"{s.ci95[0]:.4g} to {s.ci95[1]:.4g}"
        rows.append((name, f"{s.value:.4g} {unit}".strip(), interval, str(s.n_people)))
    closed, *holes = split_reduction(measured.values)
    spill = [100 * measured.mean(method, "spill") for method in ("without", "with")]
    rates = measured.speed["drives_a_second"]
    few = "; too few to count: cloth_mm tells more" if holes[0] < FEW else ""
    against = paired(measured)
    return "\n".join([
        *columns(("record", "value", "95% interval", "people"), rows), "", *against, "",
        f"nothing is drawn for {100 * holes[0]:.2f} % of skirts without and {100 * holes[1]:.2f} % with: "
        f"{100 * closed:.0f} % of it closed{few}",
        f"alpha outside the person, over the person's area: {spill[0]:.2f} % without, {spill[1]:.2f} % with",
        f"{rates['with']:.0f} drives a second with, {rates['without']:.0f} without, on one thread",
    ])  # fmt: skip


def paired(measured: Measured) -> list[str]:
    """How much better "weights" and "with" are than "without", person by person."""
    lines = []
    for method in METHODS[1:]:
        for metric in ("psnr", "psnr_cloth", "cloth_mm"):
            pair = (measured.values[name][metric] for name in (method, "without"))
            d = summarise_difference(*pair, np.random.default_rng(0))
            lines.append(f"{method}: {metric} {d.value:+.2f} ({d.ci95[0]:+.2f} to {d.ci95[1]:+.2f})")
    return lines


def _unit(name: str) -> str:
    if name.startswith("garment/cloth_mm"):
        return "mm"
    return "dB" if name.endswith("_db") else UNITS[name.rsplit("/", 1)[-1]]


def records_made(measured: Measured) -> list[Record]:
    """The records s3/... and garment/... of loose clothes."""
    files = {"benchmark": __file__, "checkpoint": RELEASE, **SHIPPED}
    source = provenance(
        "python benchmarks/loose.py --record", files, list(measured.seeds), seeds_are="first and last",
        drawn=drawn([DOMAIN, TIGHT], measured.profile),
    )  # fmt: skip
    spill = {method: measured.mean(method, "spill") for method in METHODS}
    protocol = {
        "inputs": "the first moments of a clip", "targets": "the later ones", "spill": spill,
        "without": "trained on the same people from the same start, the driven branch learning, weights fixed",
        "weights": "as many steps on the same people from the same start, the decoder of skinning weights learning",
        "with": "from the same start, the decoder of hanging cloth learning from cloth simulated on the same people",
        "aggregation": "mean over pictures, then over people",
    }  # fmt: skip
    records = []
    for name, summary in measured.summaries.items():
        metric = name.rsplit("/", 1)[-1]
        for method in METHODS:
            metric = metric.removesuffix(f"_{method}")
        _, method, *_ = name.split("/")
        within = TOLERANCE.get(metric, {"dB": 0.3, "mm": 3.0, "": 0.02}[_unit(name)])
        about = {"what": WHAT[metric]} if metric in WHAT else {}
        records.append(
            record_of(name, summary, measured.profile, about | protocol, source, paper_value(name),
                      tolerance=Tolerance(within, WHY), unit=_unit(name))
        )  # fmt: skip
    closed, without, with_it = split_reduction(measured.values)
    if np.isfinite(closed):
        counted = measured.values["with"]["holes"]
        about = {"what": WHAT["split_reduction"], "pooled": "means over people of both", "holes_without": without,
                 "holes_with": with_it, "few": without < FEW}  # fmt: skip
        frames = sum(map(len, counted.values()))
        records.append(
            Record("garment/split_reduction", closed, "", None, len(counted), frames, measured.profile,
                   tolerance=Tolerance(0.1, WHY), protocol=about | protocol, provenance=source)
        )  # fmt: skip
    what = "drives a second of an avatar with the decoder over those of the same avatar without it"
    ratio = Record("garment/drive_ratio", measured.speed["ratio"], "x", None, 1, 0, measured.profile, kind="timing",
                   tolerance=TIMING, protocol={"what": what, **measured.speed}, provenance=source)  # fmt: skip
    return [*records, ratio]


def main(people: int = RECORDED_PEOPLE, quick: bool = False, json: bool = False, record: bool = False,
         measure: Path | None = None, workers: int = 2, weights: Path = RELEASE, without: Path = RELEASE,
         picture: Path | None = None) -> None:  # fmt: skip
    """Measure what the decoders of hanging cloth and of skinning weights are worth to people in loose clothes.

    Args:
        people: How many test people (seeds from 10,000).
        quick: Four validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
        weights: Others than the shipped release with its decoder of hanging cloth, of which nothing is recorded.
        without: Others than the shipped release with what `train --stage loose_without` made of it.
        picture: A PNG to draw the first person into, as the paper's Figure 7.
    """
    if people < 2 or workers < 1:
        raise InputError("--people must be 2 or more, --workers 1 or more")
    shipped = weights == without == RELEASE
    if record and (people < RECORDED_PEOPLE or quick or not shipped):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more, all of it, and the shipped weights")
    if measure and (quick or not shipped):
        raise InputError("--measure goes neither with --quick nor with other weights")
    begin(record)
    given = {"with": weights, "weights": RELEASE, "without": without}
    first, count = (FIRST_VALIDATION, 4) if quick else (FIRST_TEST, people)
    measured = measure_people(range(first, first + count), workers, given, picture)
    values = {name: summary.value for name, summary in measured.summaries.items()}
    closed, *holes = split_reduction(measured.values)
    values |= {"garment/split_reduction": closed, "holes": dict(zip(("without", "with"), holes))}
    print(json_format.dumps(values | {"speed": measured.speed}, indent=1) if json else report(measured))
    end(records_made(measured) if shipped else [], record, measure)


if __name__ == "__main__":
    run(main)
