"""How long photographs take to become an avatar, and how many frames a second it is driven and drawn at.

Encoding is of four photographs with face crops of a test person: patch rows, transformer, canonical branch and the
learned steps by the gradient, with the weights loaded; refining takes the same photographs. Driving is of all of the
shipped release's Gaussians, every frame with another pose: driven branch, skinning, a picture over white. Nothing is
kept from frame to frame but the avatar.
"""

import json as json_format
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import begin, end, run, tell, yardstick
from splats import machine, others_seconds, spread

from lca_core.body import Driving
from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import Record, provenance
from lca_core.evaluation.tolerances import TIMING
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, driving_of, encoder_of, refine
from lca_core.model.refinement import STEPS
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE
from lca_core.splats import draw
from lca_core.viewer.stage import body_camera, motion_driving

TEST_PERSON = 10_000
PHOTOS = 4
PX = 256


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 7  # encodings, of which the first does not count
    frames: int = 200  # driven, of which the first tenth does not count


QUICK = Plan(2, 20)


def timed(run: Callable[[int], object], rounds: int, skipped: int) -> np.ndarray:
    """Milliseconds of each of `rounds` runs, without the first ones."""
    times = []
    for number in range(rounds):
        start = time.perf_counter()
        run(number)
        times.append(1e3 * (time.perf_counter() - start))
    return np.array(times[skipped:])


@torch.no_grad()
def encode(plan: Plan) -> tuple[Avatar, dict]:
    """(the release's avatar of a test person, seconds from four photographs to it and of refining it on them)."""
    model, meta = load_release()
    encoder = encoder_of(meta)
    (person,) = read_people(cached_people([TEST_PERSON], "studio", model.profile))
    frames, _ = split_frames(person, PHOTOS)

    def run(_: int = 0) -> Avatar:
        return encode_person(model, encoder, person, frames)

    times = timed(run, plan.rounds + 1, 1)
    faces = sum(frame.face is not None for frame in frames)
    driving, avatar = driving_of(model, frames, person.betas), run()
    refined = timed(lambda _: refine(avatar, frames, driving), plan.rounds, 1)
    sizes = {"photos": len(frames), "faces": faces, "px": model.profile.body_px}
    sizes |= {"profile": model.profile.name}
    return avatar, sizes | {"seconds": spread(times / 1e3), "refine_seconds": spread(refined / 1e3)}


@torch.no_grad()
def drive(avatar: Avatar, plan: Plan) -> dict:
    """Frames a second of driving and drawing one avatar at 256 px."""
    driving: Driving = motion_driving(avatar, "dance", plan.frames)
    camera = body_camera(avatar, 0.5, PX, reach=0.25)
    viewmat, K, white = torch.from_numpy(camera.viewmat)[None], torch.from_numpy(camera.K)[None], torch.ones(3)

    def run(number: int) -> torch.Tensor:
        g = avatar.drive(driving[number : number + 1]).map(lambda t: t[0])
        return draw(g, viewmat, K, PX, PX, white)[0]

    times = timed(run, plan.frames, plan.frames // 10)
    return {"gaussians": len(avatar), "px": PX, "ms": spread(times), "fps": 1e3 / statistics.median(times)}


def measured(plan: Plan) -> dict:
    """Everything, as one dictionary of plain numbers."""
    results: dict = {"machine": machine(torch.get_num_threads())}
    start, others = time.perf_counter(), others_seconds()
    tell("four photographs to an avatar")
    avatar, results["encode"] = encode(plan)
    results["yardstick"] = yardstick()
    tell("driving it")
    results["drive"] = drive(avatar, plan)
    used = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    results["machine"]["cores_used_by_others"] = round(used, 3)
    return results


def report(results: dict) -> str:
    """The measurements as text."""
    at, driven = results["machine"], results["drive"]
    seconds, refined = (results["encode"][name] for name in ("seconds", "refine_seconds"))
    return "\n".join([
        f"{at['cpu']}, {at['cores']} cores; other programs used {at['cores_used_by_others']:.2f} cores meanwhile",
        f"{results['encode']['photos']} photographs to an avatar: {seconds['median']:.2f} s "
        f"({seconds['q25']:.2f} to {seconds['q75']:.2f})",
        f"refining it on them, {STEPS} steps: {refined['median']:.2f} s ({refined['q25']:.2f} to {refined['q75']:.2f})",
        f"{driven['gaussians']:,} Gaussians driven and drawn at {driven['px']} px: {driven['ms']['median']:.2f} ms, "
        f"{driven['fps']:.0f} frames/s",
    ])  # fmt: skip


def records_of(results: dict) -> list[Record]:
    """The result records speed/..."""
    files = {"benchmark": __file__, "checkpoint": RELEASE}
    device, coded, driven = {"device": results["machine"]}, results["encode"], results["drive"]
    device |= {"yardstick": results["yardstick"]}
    source = provenance(
        "python benchmarks/drive.py --record", files, [TEST_PERSON], drawn=drawn(["studio"], coded["profile"])
    )
    timing = {"kind": "timing", "tolerance": TIMING, "provenance": source}
    return [
        Record("speed/encode_4_photos_s", coded["seconds"]["median"], "s", None, 1, 0, coded["profile"],
               protocol=device | {
                   "what": "pictures in memory to an avatar: patch rows, transformer, canonical branch; median",
                   "left_out": "reading files, finding and cutting out the person, loading weights", **coded,
               }, **timing),
        Record("speed/refine_s", coded["refine_seconds"]["median"], "s", None, 1, 0, coded["profile"],
               protocol=device | {"what": f"{STEPS} steps of `model.refine` on the same photographs; median", **coded},
               **timing),
        Record("speed/drive_fps", driven["fps"], "frames/s", None, 1, 0, coded["profile"], protocol=device | {
            "what": "driven branch, skinning, picture; every frame another pose; 1 / median time",
            "kept_between_frames": "the avatar", **driven,
        }, **timing),
    ]  # fmt: skip


def main(quick: bool = False, json: bool = False, record: bool = False, measure: Path | None = None) -> None:
    """Measure encoding and driving (about a minute; run nothing else).

    Args:
        quick: A few rounds: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/speed/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    if (record or measure) and quick:
        raise InputError("--record and --measure need all rounds: leave --quick out")
    begin(record)
    results = measured(QUICK if quick else Plan())
    print(json_format.dumps(results, indent=1) if json else report(results))
    end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
