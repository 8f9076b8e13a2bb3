"""Likeness and control of the shipped release, on test people it has never seen.

Likeness: does dlib's recogniser take the avatar for the person (`release/<domain>/identity_*`; refined on its
photographs, `refined/<domain>/identity_*`)? More photographs: the same targets from 1, 2, 4, 8 and 12
(`inputs/<n>/psnr`).
Control (`control/*`): how many facial actions a linear probe reads from expression codes, how much nearer to the truth
driven faces and hands are than faces and fingers left at rest, codes lent by another person, and gaze. See
`lca_core.evaluation.likeness` and `lca_core.evaluation.control`.
"""

import json as json_format
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import begin, columns, end, run, tell
from tqdm.auto import tqdm

from lca_core.data import Person, pixels, read_people
from lca_core.errors import InputError
from lca_core.evaluation.control import (
    READABLE,
    codes_of,
    face_gains,
    gaze_errors,
    hand_gains,
    landmarks_of,
    probe,
)
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.expressions import FACES, cached_expressions
from lca_core.evaluation.likeness import faces_of, rank1, same_rate
from lca_core.evaluation.protocols import growing_inputs, split_frames
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import Tolerance
from lca_core.judges.metrics import psnr
from lca_core.judges.summaries import Summary, summarise
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import LCA, ImageEncoder, driving_of, encoder_of, refine, target_driving
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE

FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 64
INPUTS = (1, 2, 4, 8, 12)
PHOTOS = 4
DOMAINS = ("studio", "wild")
Values = dict[str, dict[int, list[float]]]  # record -> person -> one number a picture, or one

# What another machine's numbers may differ by; probe_actions: a few actions lie near the line.
TOLERANCES = {
    "identity_same_rate": 0.05, "identity_rank1": 0.05, "psnr": 0.1, "probe_actions": 2.0, "face_gain_db": 0.15,
    "hand_gain_db": 0.15, "cross_person_face_gain_db": 0.15, "told_face_gain_db": 0.15, "gaze_deg": 0.5,
}  # fmt: skip
WHY = "people are drawn a little otherwise; of rates and counts, a few of those asked lie near the line"
UNITS = {"psnr": "dB", "face_gain_db": "dB", "hand_gain_db": "dB", "cross_person_face_gain_db": "dB",
         "told_face_gain_db": "dB", "gaze_deg": "deg"}  # fmt: skip
WHAT = {
    "identity_same_rate": "share of people whose avatar's faces are under dlib's 0.6 from the true ones, on average",
    "identity_rank1": "share of people who, of all, are nearest to their avatar by dlib's numbers",
    "psnr": "last studio pose from all cameras; photographs of the poses before, each larger set holding the smaller",
    "probe_actions": f"facial actions of 52 that ridge regression reads from epsilon with R2 >= {READABLE} on others",
    "face_gain_db": "psnr_fg of the face crop: driven less canonical, epsilon from the target",
    "hand_gain_db": "psnr_fg of hand crops: driven less fingers at rest",
    "cross_person_face_gain_db": "as face_gain_db, epsilon read from another person who makes the same face",
    "told_face_gain_db": "as face_gain_db, epsilon made from the true facial actions by the action map",
    "gaze_deg": "angle between the gaze given and the one read from the avatar's eyes by ridge regression",
}


@dataclass(frozen=True)
class Plan:
    """seeds: of the people, in pairs (2n, 2n + 1)."""

    seeds: range
    workers: int = 2


def records_of(plan: Plan, domain: str, profile: str) -> Iterator[Person]:
    return read_people(cached_people(plan.seeds, domain, profile, workers=plan.workers))


@torch.no_grad()
def likeness(plan: Plan, model: LCA, encoder: ImageEncoder) -> Values:
    """Whom the recogniser takes avatars of four photographs for, as the forward pass leaves them and refined."""
    values: Values = {}
    for domain in DOMAINS:
        faces: dict[str, dict] = {"release": {}, "refined": {}}
        people = records_of(plan, domain, model.profile)
        for person in tqdm(people, desc=f"likeness, {domain}", total=len(plan.seeds), unit="person"):
            frames, targets = split_frames(person, PHOTOS)
            made = encode_person(model, encoder, person, frames)
            better = refine(made, frames, driving_of(model, frames, person.betas))
            for method, avatar in (("release", made), ("refined", better)):
                faces[method][person.seed] = faces_of(model, avatar, person, targets)
        for method, found in faces.items():
            values[f"{method}/{domain}/identity_same_rate"] = same_rate(found)
            values[f"{method}/{domain}/identity_rank1"] = rank1(found)
    return values


@torch.no_grad()
def inputs(plan: Plan, model: LCA, encoder: ImageEncoder) -> Values:
    """psnr of the same targets, from more and more photographs."""
    values: Values = {f"inputs/{n}/psnr": {} for n in INPUTS}
    people = records_of(plan, "studio", model.profile)
    for person in tqdm(people, desc="more photographs", total=len(plan.seeds), unit="person"):
        for n in INPUTS:
            frames, targets = growing_inputs(person, n)
            avatar = encode_person(model, encoder, person, frames)
            found = []
            for target in targets:
                posed = avatar.drive(target_driving(model, target.frame, person.betas)).map(lambda t: t[0])
                found.append(float(psnr(draw_like(posed, target.frame.body)[0], *pixels(target.frame.body))))
            values[f"inputs/{n}/psnr"][person.seed] = found
    return values


@torch.no_grad()
def control(plan: Plan, model: LCA, encoder: ImageEncoder) -> tuple[Values, dict]:
    """(gains and errors by person, the probe's R2 by action and what reading gaze misses of true pictures)."""
    faces = list(read_people(cached_expressions(plan.seeds, model.profile.face_px, plan.workers)))
    by_seed = {person.seed: person for person in faces}
    names = ("face_gain_db", "cross_person_face_gain_db", "told_face_gain_db", "hand_gain_db")
    values: Values = {f"control/{name}": {} for name in names}
    avatars = []
    people = records_of(plan, "studio", model.profile)
    for person in tqdm(people, desc="control", total=len(plan.seeds), unit="person"):
        seed, (frames, targets) = person.seed, split_frames(person, PHOTOS)
        avatars.append(encode_person(model, encoder, person, frames))
        own, other = by_seed[seed], by_seed[seed ^ 1]
        gains = (
            face_gains(model, avatars[-1], own), face_gains(model, avatars[-1], own, other),
            face_gains(model, avatars[-1], own, told=True), hand_gains(model, avatars[-1], person, targets),
        )  # fmt: skip
        for name, found in zip(names, gains):
            values[f"control/{name}"][seed] = found
    gaze = gaze_errors(model, avatars, faces)
    values["control/gaze_deg"] = gaze["avatar"]
    read, by_landmarks = probe(faces, codes_of(model, faces)), probe(faces, landmarks_of(faces))
    values["control/probe_actions"] = {0: [float(sum(r2 >= READABLE for r2 in read.values()))]}
    missed = float(np.mean([np.mean(v) for v in gaze["truth"].values()]))
    r2 = {name: {k: round(v, 3) for k, v in found.items()}
          for name, found in (("probe_r2", read), ("landmarks_r2", by_landmarks))}  # fmt: skip
    return values, r2 | {"gaze_deg_of_true_pictures": missed}


def measured(plan: Plan) -> tuple[dict[str, Summary], dict]:
    """(summary of every record, details)."""
    model, meta = load_release()
    encoder = encoder_of(meta)
    tell("faces and records are drawn where the cache has none")
    values, details = control(plan, model, encoder)
    values |= likeness(plan, model, encoder) | inputs(plan, model, encoder)
    steps = {}
    for fewer, more in zip(INPUTS, INPUTS[1:]):
        one, other = (values[f"inputs/{n}/psnr"] for n in (fewer, more))
        step = summarise({k: [np.mean(other[k]) - np.mean(one[k])] for k in one}, np.random.default_rng(0))
        steps[more] = {"over": fewer, "gain_db": step.value, "ci95": step.ci95}
    summaries = {id: summarise(found, np.random.default_rng(0)) for id, found in values.items()}
    return summaries, details | {"steps": steps, "profile": model.profile.name, "seeds": list(plan.seeds)}


def report(summaries: dict[str, Summary], details: dict) -> str:
    """The measurements as text."""
    rows = [
        (id, f"{s.value:.3f}", "" if s.ci95 is None else f"{s.ci95[0]:.3f} to {s.ci95[1]:.3f}", str(s.n_people))
        for id, s in summaries.items()
    ]
    steps = []
    for n, step in details["steps"].items():
        low, high = step["ci95"]
        steps.append(f"{step['over']} to {n} photographs: {step['gain_db']:+.2f} dB ({low:+.2f} to {high:+.2f})")
    return "\n".join([
        *columns(("record", "value", "95% interval", "people"), rows), "", *steps, "",
        f"reading the gaze of true pictures misses {details['gaze_deg_of_true_pictures']:.1f} degrees",
        "R2 by action, of codes: " + _sorted(details["probe_r2"]),
        "R2 by action, of MediaPipe's landmarks: " + _sorted(details["landmarks_r2"]),
    ])  # fmt: skip


def _sorted(r2: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(r2.items(), key=lambda item: -item[1]))


def records_made(summaries: dict[str, Summary], details: dict) -> list[Record]:
    """The records."""
    seeds, profile = details["seeds"], details["profile"]
    source = provenance(
        "python benchmarks/control.py --record", {"benchmark": __file__, "checkpoint": RELEASE}, [seeds[0], seeds[-1]],
        seeds_are="first and last", drawn=drawn([*DOMAINS, "expressions"], profile),
    )  # fmt: skip
    records = []
    for id, s in summaries.items():
        name = id.rsplit("/", 1)[-1]
        protocol = {"what": WHAT[name], "inputs": PHOTOS, "aggregation": "mean over pictures, then over people"}
        if name == "psnr":
            n = int(id.split("/")[1])
            protocol |= {"inputs": n, "gain_over_fewer": details["steps"].get(n)}
        if name == "gaze_deg":
            protocol["of_true_pictures"] = details["gaze_deg_of_true_pictures"]
        tolerance, unit = Tolerance(TOLERANCES[name], WHY), UNITS.get(name, "")
        if name == "probe_actions":
            protocol = {"what": WHAT[name], "r2": details["probe_r2"], "faces_a_person": FACES}
            protocol["of_mediapipe_landmarks"] = details["landmarks_r2"]
            protocol["pooled"] = "R2 of each action over all faces of all people"
            records.append(Record(id, s.value, unit, None, len(seeds), s.n_frames, profile, tolerance=tolerance,
                                  protocol=protocol, provenance=source))  # fmt: skip
        else:
            records.append(record_of(id, s, profile, protocol, source, tolerance=tolerance, unit=unit))
    return records


def main(people: int = RECORDED_PEOPLE, quick: bool = False, json: bool = False, record: bool = False,
         measure: Path | None = None, workers: int = 2) -> None:  # fmt: skip
    """Measure likeness and control of the shipped release (a quarter of an hour the first time).

    Args:
        people: How many test people (seeds from 10,000; an even number).
        quick: Eight validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
    """
    if people < 8 or people % 2 or workers < 1:
        raise InputError("--people must be an even number, 8 or more; --workers at least 1")
    if (record and people < RECORDED_PEOPLE) or ((record or measure) and quick):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more; neither it nor --measure goes with --quick")
    begin(record)
    first, count = (FIRST_VALIDATION, 8) if quick else (FIRST_TEST, people)
    summaries, details = measured(Plan(range(first, first + count), workers))
    if json:
        print(json_format.dumps({id: s.value for id, s in summaries.items()} | details, indent=1))
    else:
        print(report(summaries, details))
    end(records_made(summaries, details), record, measure)


if __name__ == "__main__":
    run(main)
