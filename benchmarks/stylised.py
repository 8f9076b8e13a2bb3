"""Drawn people: what avatars of drawings are worth beside avatars of photographs of the same people.

Every test person is seen from the same sides as photograph, toon, sketch, painting, clay, pixel art and with
exaggerated proportions; see `lca_core.evaluation.stylised` for what is measured of each, and
`lca_core.evaluation.stylised_door` for what the photograph door makes of them. A style's records say by how much it
differs from the plain pictures, person by person. What was measured of a person is kept (build/stylised), by weights,
code and person, so that an interrupted run goes on where it stopped.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell
from tqdm.auto import tqdm

from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.drawn_people import (
    DOMAIN,
    HELD_OUT,
    LARGE_PX,
    LOOKS,
    PHOTOGRAPHS,
    PLAIN,
    Looks,
    cached_drawings,
    read_drawings,
)
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.sources import sha256
from lca_core.evaluation.stylised import BESIDE, METRICS, Values, avatars_of, followed, over_styles, try_looks
from lca_core.evaluation.stylised_door import Answer, answers
from lca_core.evaluation.stylised_figure import stylised_figure
from lca_core.evaluation.tolerances import WHY, Tolerance
from lca_core.experiments.fingerprint import code_digest
from lca_core.judges.summaries import summarise, summarise_difference
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.paths import REPOSITORY, atomic_path
from lca_core.people.styles.stylise import EXAGGERATED
from lca_core.profiles import PROFILES
from lca_core.release import RELEASE
from lca_core.viewer.figures import save_figure

PROFILE = "laptop"  # whose sizes people are drawn at
FIRST_TEST = 10_000  # only test people are drawn in styles
RECORDED_PEOPLE = 32
SHOWN_PEOPLE = 4  # in a picture
FOLDER = REPOSITORY / "build" / "stylised"
DRAWN_BY = ("evaluation/drawn_people.py", "judges", "people/styles")
JUDGED_BY = (*DRAWN_BY, "body", "evaluation/stylised.py", "making/photos.py", "model", "splats")
SEEN_BY = (*DRAWN_BY, "body", "curation", "evaluation/stylised_door.py")
WITHIN = {"iou": 0.01, "color_likeness": 0.01, "feature_likeness": 0.02, "followed": 0.1, "door": 0.1}
WHAT = {
    "iou": "silhouettes, alpha and matte over 0.5",
    "color_likeness": "1 less the sliced earth mover's distance of both silhouettes' colours in CIELAB, over 100",
    "feature_likeness": "cosine of AlexNet's last three maps, each averaged over the silhouette, over white",
    "followed": "silhouettes: from those that an avatar of ordinary pictures has of exaggerated people (0) to as good "
                "as it has of ordinary ones (1)",
    "door": f"share of the photographs, {LARGE_PX} px, in which a body was found and fitted, nothing told",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """values: person -> numbers by look; door: person -> look -> answer, empty where nobody was asked."""

    values: dict[int, Values]
    door: dict[int, dict[str, Answer]]

    def of(self, name: str) -> dict[int, list[float]]:
        """Person -> numbers of "<look>/<metric>", or of all styles where the look is left out."""
        get = (lambda values: over_styles(values, name)) if "/" not in name else (lambda values: values[name])
        return {seed: get(values) for seed, values in self.values.items()}


def kept(path: Path, make: Callable[[], dict]) -> dict:
    """What a file holds, made and written there where it is missing."""
    if not path.exists():
        found = make()
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
        return found
    return json.loads(path.read_text(encoding="utf-8"))


def measure_values(seeds: Sequence[int], workers: int, weights: Path, picture: Path | None) -> dict[int, Values]:
    """Everybody's, beside the next person's pictures; the first few are drawn into a picture."""
    model, meta = load_release(weights)
    encoder, folder = encoder_of(meta), FOLDER / f"{sha256(weights)[:12]}-{code_digest(JUDGED_BY)}"
    shards = dict(zip(seeds, cached_drawings(seeds, PROFILE, workers)))
    following = dict(zip(seeds, [*seeds[1:], seeds[0]]))

    def looks_of(seed: int) -> Looks:
        return next(read_drawings([shards[seed]]))

    def tried(seed: int, other: int) -> Values:
        looks = looks_of(seed)
        return try_looks(model, avatars_of(model, encoder, looks), looks, looks_of(other))

    found = {
        seed: kept(folder / f"{seed}-{other}.json", partial(tried, seed, other))
        for seed, other in tqdm(following.items(), desc="drawn people", unit="person")
    }
    if picture:
        shown = [looks_of(seed) for seed in seeds[:SHOWN_PEOPLE]]
        save_figure(stylised_figure(model, shown, [avatars_of(model, encoder, looks) for looks in shown]), picture)
    return found


def measure_door(seeds: Sequence[int], workers: int) -> dict[int, dict[str, Answer]]:
    """Everybody's answers."""
    folder, shards = FOLDER / f"door-{code_digest(SEEN_BY)}", cached_drawings(seeds, PROFILE, workers, px=LARGE_PX)

    def ask(shard: Path) -> dict:
        with tempfile.TemporaryDirectory() as place:
            asked = answers(next(read_drawings([shard])), PROFILES[PROFILE], Path(place))
        return {look: asdict(answer) for look, answer in asked.items()}

    found = {}
    for seed, shard in tqdm(zip(seeds, shards), desc="door", total=len(seeds), unit="person"):
        told = kept(folder / f"{seed}.json", partial(ask, shard))
        found[seed] = {look: Answer(**answer) for look, answer in told.items()}
    return found


def mean(values: dict[int, list[float]]) -> float:
    """Over people."""
    return summarise(values, np.random.default_rng(0)).value


def report(measured: Measured) -> str:
    """A row a look and metric, its difference to plain pictures, and what it stands beside; then the door."""
    rows = []
    for name in (*METRICS, *(f"{look}/{metric}" for look in LOOKS for metric in METRICS)):
        metric, found = name.rsplit("/", 1)[-1], measured.of(name)
        less = summarise_difference(found, measured.of(f"{PLAIN}/{metric}"), np.random.default_rng(0))
        interval = f" ({less.ci95[0]:+.3f} to {less.ci95[1]:+.3f})" if less.ci95 else ""
        told = _beside(measured, name)
        beside = [f"{told[key]:.3f}" if key in told else "" for key in BESIDE]
        rows.append((name, f"{mean(found):.3f}", f"{less.value:+.3f}{interval}", *beside))
    lines = columns(("stylised/", "value", "less plain", "drawing | plain", "avatar | plain", "others"), rows)
    if went := _followed(measured):
        told = mean(measured.of(f"{EXAGGERATED}/told_iou"))
        lines += ["", f"proportions followed: {mean(went):.2f} of the way (iou by the body alone {told:.3f})"]
    if measured.door:
        rows = []
        for look in LOOKS:
            fitted, error, reasons = _door(measured, look)
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(reasons.items()))
            rows.append((look, f"{100 * mean(fitted):.0f} %", "" if error is None else f"{error:.4f}", told))
        lines += ["", *columns(("door", "fitted", "fit error", "refused"), rows)]
    return "\n".join(lines)


def _beside(measured: Measured, name: str) -> dict[str, float]:
    """What stands beside a number of `Measured.of`: the same of the drawing and the plain picture, and so on."""
    place, _, metric = name.rpartition("/")
    if metric == "iou":
        return {}
    first = next(iter(measured.values.values()))
    lead = f"{place}/" if place else ""
    known = [key for key in BESIDE if not place or f"{lead}{key}_{metric}" in first]
    return {key: mean(measured.of(f"{lead}{key}_{metric}")) for key in known}


def _followed(measured: Measured) -> dict[int, list[float]]:
    went = {seed: followed(values) for seed, values in measured.values.items()}
    return {seed: [share] for seed, share in went.items() if np.isfinite(share)}


def _door(measured: Measured, look: str) -> tuple[dict[int, list[float]], float | None, dict[str, int]]:
    """(person -> 1 of each photograph that was fitted, mean fit error, kind of refusal -> how many)."""
    given = {seed: each[look] for seed, each in measured.door.items()}
    errors = [error for answer in given.values() for error in answer.errors]
    reasons: dict[str, int] = {}
    for answer in given.values():
        for kind, count in answer.reasons.items():
            reasons[kind] = reasons.get(kind, 0) + count
    return {seed: answer.fitted for seed, answer in given.items()}, float(np.mean(errors)) if errors else None, reasons


def records_made(measured: Measured, weights: Path, seeds: Sequence[int]) -> list[Record]:
    """The records stylised/<metric> over all styles, stylised/<look>/<metric>, and stylised/door/<look>."""
    source = provenance(
        f"python benchmarks/stylised.py --people {len(seeds)} --record", {"benchmark": __file__, "checkpoint": weights},
        list(seeds), drawn=drawn([DOMAIN], PROFILE),
    )  # fmt: skip
    about = {
        "inputs": PHOTOGRAPHS, "targets": f"{HELD_OUT} pictures of another moment from other sides, in the same look",
        "driven_by": "the plain record of the moment", "shape": "the ordinary body's, exact",
        "aggregation": "mean over pictures, then over people; 95% bootstrap",
    }  # fmt: skip
    made = []

    def keep(id: str, values: dict[int, list[float]], kind: str, more: dict) -> None:
        summary = summarise(values, np.random.default_rng(0))
        made.append(record_of(f"stylised/{id}", summary, PROFILE, {"what": WHAT[kind]} | about | more, source,
                              tolerance=Tolerance(WITHIN[kind], WHY), unit=""))  # fmt: skip

    for name in (*METRICS, *(f"{look}/{metric}" for look in LOOKS for metric in METRICS)):
        metric, more = name.rsplit("/", 1)[-1], {}
        if not name.startswith(PLAIN):
            plain = measured.of(f"{PLAIN}/{metric}")
            less = summarise_difference(measured.of(name), plain, np.random.default_rng(0))
            more = {"difference": {"to": f"stylised/{PLAIN}/{metric}", "value": less.value,
                                   "ci95": less.ci95 and list(less.ci95)}}  # fmt: skip
        if beside := _beside(measured, name):
            more["beside"] = beside
        keep(name, measured.of(name), metric, more)
    if went := _followed(measured):
        keep(f"{EXAGGERATED}/followed", went, "followed", {"told_iou": mean(measured.of(f"{EXAGGERATED}/told_iou"))})
    for look in LOOKS if measured.door else ():
        fitted, error, reasons = _door(measured, look)
        keep(f"door/{look}", fitted, "door", {"fit_error": error, "refused": reasons, "targets": "none"})
    return made


def main(
    people: int = RECORDED_PEOPLE,
    weights: Path = RELEASE,
    workers: int = 2,
    door: bool = True,
    record: bool = False,
    measure: Path | None = None,
    picture: Path | None = None,
) -> None:
    """Measure avatars of drawings beside avatars of photographs of the same test people.

    Args:
        people: How many, from the first test person on.
        weights: Others than the shipped release's, of which nothing is recorded.
        workers: Processes that draw.
        door: Whether all photographs also go through the photograph door.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        picture: A PNG to draw the first four people into, photographs and avatars in every style.
    """
    if people < 2 or workers < 1:
        raise InputError("--people must be 2 or more, --workers 1 or more")
    if record and (people < RECORDED_PEOPLE or not door or weights != RELEASE):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more, the door, and the shipped release")
    if measure and weights != RELEASE:
        raise InputError("--measure goes not with other --weights")
    begin(record)
    seeds = range(FIRST_TEST, FIRST_TEST + people)
    tell(f"people {seeds[0]} to {seeds[-1]}; who is not in the cache is drawn")
    measured = Measured(measure_values(seeds, workers, weights, picture), measure_door(seeds, workers) if door else {})
    print(report(measured))
    end(records_made(measured, weights, seeds), record, measure)


if __name__ == "__main__":
    run(main)
