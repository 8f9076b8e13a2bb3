"""Mouths and eyes of test people: what driving faces by true actions brings, and what the decoder of facial features.

Avatars of four photographs of the studio, driven into later frames, beside the same avatars with faces at rest and
beside those of the release without that decoder; see `lca_core.evaluation.mouths_eyes` for what is counted.
"""

import json as json_format
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import begin, columns, end, run, tell
from tqdm.auto import tqdm

from lca_core.data import Frame, Person, pixels, read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import draw_like, frames_for
from lca_core.evaluation.mouths_eyes import BOXES, STRONG, compare, does, signals
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import WHY, Tolerance
from lca_core.judges.metrics import over_white
from lca_core.judges.summaries import Summary, summarise_difference
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import LCA, Avatar, encoder_of
from lca_core.people.domains.production import cached_people
from lca_core.release import FACE, RELEASE
from lca_core.viewer.figures import save_figure, sheet

DOMAIN = "studio"
FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 32
SHOWN = 8  # columns of the picture
PX = 160  # of its tiles
METHODS = ("without", "with")
# Of the differences that are recorded: (method, signal), less (method, signal).
DIFFERENCES = {
    "told_gain_db": (("with", "told"), ("with", "rest")),
    "features_gain_db": (("with", "told"), ("without", "told")),
    "rest_change_db": (("with", "rest"), ("without", "rest")),
}
WHAT = {
    "told_gain_db": "psnr of the box: driven by the true actions, less with the face at rest",
    "features_gain_db": "psnr of the box, driven by the true actions: with the decoder of features, less without",
    "rest_change_db": "psnr of the box, the face at rest: with the decoder of features, less without",
}
TOLERANCE = Tolerance(0.15, WHY)
Found = dict[str, dict[str, dict[str, dict[int, list[float]]]]]  # box -> method -> signal -> person -> dB


@dataclass(frozen=True)
class Measured:
    """summaries: of the differences, by record; means: dB of every method and signal, by box."""

    summaries: dict[str, Summary]
    means: dict[str, dict[str, float]]
    profile: str
    seeds: tuple[int, int]


def measure_people(seeds: range, workers: int, weights: Path, features: Path, picture: Path | None = None) -> Measured:
    """Everything, of people who are drawn where the cache has none."""
    plain, meta = load_release(weights)
    models = {"without": plain, "with": load_release(weights, (features,))[0]}
    encoder, profile = encoder_of(meta), plain.profile
    tell("mouths and eyes")
    found: Found = {box: {method: {"told": {}, "rest": {}} for method in METHODS} for box in BOXES}
    columns_of_picture = []
    people = read_people(cached_people(seeds, DOMAIN, profile, workers))
    for person in tqdm(people, desc="mouths and eyes", total=len(seeds), unit="person"):
        photographs, targets = frames_for(models["with"], person)
        frames = [target.frame for target in targets if target.frame.face is not None]
        avatars = {name: encode_person(model, encoder, person, photographs) for name, model in models.items()}
        for method, avatar in avatars.items():
            for box, values in compare(models[method], avatar, person, frames).items():
                for signal, numbers in values.items():
                    found[box][method][signal][person.seed] = numbers
        shown = next((f for f in frames if does(f, "mouth") or does(f, "eyes")), None)
        if picture and shown is not None and len(columns_of_picture) < SHOWN:
            columns_of_picture.append(column(models, avatars, person, shown))
    if picture:
        labels = ("truth", "without", "with", "with, at rest")
        rows = [(label, [tiles[i] for tiles in columns_of_picture]) for i, label in enumerate(labels)]
        save_figure(sheet(rows, PX), picture)
    summaries, means = {}, {}
    for box, methods in found.items():
        for name, (more, less) in DIFFERENCES.items():
            one, other = (methods[method][signal] for method, signal in (more, less))
            summaries[f"control/{box}_{name}"] = summarise_difference(one, other, np.random.default_rng(0))
        means[box] = {
            f"{method}, {signal}": float(np.mean([np.mean(v) for v in people.values()]))
            for method, signals in methods.items() for signal, people in signals.items()
        }  # fmt: skip
    return Measured(summaries, means, profile.name, (seeds[0], seeds[-1]))


@torch.no_grad()
def column(models: dict[str, LCA], avatars: dict[str, Avatar], person: Person, frame: Frame) -> list[np.ndarray]:
    """Truth, both methods driven by the true actions, and the last one at rest."""
    pictures = [over_white(*pixels(frame.face))]
    for method, signal in (("without", "told"), ("with", "told"), ("with", "rest")):
        avatar = avatars[method]
        driving = signals(models[method], avatar, person, frame)[signal]
        pictures.append(draw_like(avatar.drive(driving).map(lambda t: t[0]), frame.face)[0])
    return [(255 * picture.clamp(0, 1)).round().byte().numpy() for picture in pictures]


def report(measured: Measured) -> str:
    """The measurements as text."""
    rows = [
        (id, f"{s.value:+.2f} dB", "" if s.ci95 is None else f"{s.ci95[0]:+.2f} to {s.ci95[1]:+.2f}", str(s.n_people),
         str(s.n_frames))
        for id, s in measured.summaries.items()
    ]  # fmt: skip
    means = [
        f"{box}: " + ", ".join(f"{name} {value:.2f} dB" for name, value in values.items())
        for box, values in measured.means.items()
    ]
    return "\n".join([*columns(("record", "difference", "95% interval", "people", "pictures"), rows), "", *means])


def records_made(measured: Measured) -> list[Record]:
    """The records control/mouth_... and control/eyes_..."""
    source = provenance(
        "python benchmarks/mouths_eyes.py --record", {"benchmark": __file__, "checkpoint": RELEASE, "face": FACE},
        list(measured.seeds), seeds_are="first and last", drawn=drawn([DOMAIN], measured.profile),
    )  # fmt: skip
    records = []
    for id, summary in measured.summaries.items():
        box, _, name = id.removeprefix("control/").partition("_")
        protocol = {
            "what": WHAT[name], "inputs": "four photographs", "psnr": measured.means[box],
            "box": f"{BOXES[box].side} m wide, {BOXES[box].below} m under the eyes' middle", "strong": STRONG,
            "aggregation": "mean over pictures, then over people",
        }  # fmt: skip
        records.append(record_of(id, summary, measured.profile, protocol, source, tolerance=TOLERANCE, unit="dB"))
    return records


def main(people: int = RECORDED_PEOPLE, quick: bool = False, json: bool = False, record: bool = False,
         measure: Path | None = None, workers: int = 2, weights: Path = RELEASE, features: Path = FACE,
         picture: Path | None = None) -> None:  # fmt: skip
    """Measure mouths and eyes of the shipped release, with its decoder of facial features and without.

    Args:
        people: How many test people (seeds from 10,000).
        quick: Eight validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
        weights: Others than the shipped release's, of which nothing is recorded.
        features: Others than the shipped decoder of facial features, as `train --stage face` writes them.
        picture: A PNG to draw faces of the first people who do something into.
    """
    if people < 2 or workers < 1:
        raise InputError("--people must be 2 or more, --workers 1 or more")
    shipped = weights == RELEASE and features == FACE
    if record and (people < RECORDED_PEOPLE or quick or not shipped):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more, all of it, and the shipped weights")
    if measure and (quick or not shipped):
        raise InputError("--measure goes neither with --quick nor with other weights")
    begin(record)
    first, count = (FIRST_VALIDATION, 8) if quick else (FIRST_TEST, people)
    measured = measure_people(range(first, first + count), workers, weights, features, picture)
    values = {id: summary.value for id, summary in measured.summaries.items()}
    print(json_format.dumps(values | {"psnr": measured.means}, indent=1) if json else report(measured))
    end(records_made(measured) if shipped else [], record, measure)


if __name__ == "__main__":
    run(main)
