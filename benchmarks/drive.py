"""How long photographs take to become an avatar, and how many frames a second it is driven and drawn at.

Encoding is of four photographs with face crops of a test person: patch features (the frozen image encoder), transformer
and canonical branch, with the weights loaded. Driving is of 16,384 Gaussians (2,048 anchors of 8, random weights) and
of the shipped release's own number, every frame with another pose: driven branch, skinning, and a picture over white.
Nothing is kept from frame to frame but the avatar.
"""

import json as json_format
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import tyro
from splats import columns, machine, others_seconds, spread, tell

from lca_core.body import BodyModel, Driving
from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation import Record, provenance, write_record, write_results_readme
from lca_core.evaluation.evaluate import RELEASE, load_release
from lca_core.evaluation.protocols import split_frames
from lca_core.model import Avatar, encoder_of, person_inputs
from lca_core.people import cached_people
from lca_core.splats import rasterize
from lca_core.training import build_model
from lca_core.viewer import body_camera, motion_driving

TEST_PERSON = 10_000
PHOTOS = 4
PX = 256
ANCHORS, EACH = 2_048, 8  # 16,384 Gaussians


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
def encode(plan: Plan) -> dict:
    """Seconds from four photographs to an avatar."""
    model, meta = load_release()
    encoder = encoder_of(meta)
    (person,) = read_people(cached_people([TEST_PERSON], "studio", model.profile))
    frames, _ = split_frames(person, PHOTOS)

    def run(_: int) -> Avatar:
        return Avatar.encode(model, person_inputs(frames, person.betas, encoder, model.profile.face_px))

    times = timed(run, plan.rounds + 1, 1)
    faces = sum(frame.face is not None for frame in frames)
    return {"photos": len(frames), "faces": faces, "px": model.profile.body_px, "seconds": spread(times / 1e3)}


def release_avatar() -> Avatar:
    """The shipped model's avatar of a test person."""
    model, meta = load_release()
    (person,) = read_people(cached_people([TEST_PERSON], "studio", model.profile))
    frames, _ = split_frames(person, PHOTOS)
    return Avatar.encode(model, person_inputs(frames, person.betas, encoder_of(meta), model.profile.face_px))


@torch.no_grad()
def large_avatar() -> Avatar:
    """An avatar of 16,384 Gaussians with the release's widths, and weights that move every Gaussian a little."""
    release, _ = load_release()
    profile = replace(release.profile, name="large", anchors=ANCHORS, gaussians_per_anchor=EACH)
    model = build_model(profile, release.features, body=BodyModel.load()).eval()
    model.driven.net[-1].weight.normal_(0, 1e-3, generator=torch.Generator().manual_seed(0))
    betas = torch.zeros(1, 300)
    width = model.driven.token.in_features
    tokens = torch.randn(ANCHORS, width, generator=torch.Generator().manual_seed(1))
    return Avatar(
        model.template.raw.detach(), model.surface(betas)[0], model.frames, tokens, model.skinning_weights,
        model.rest_joints(betas)[0], model.driven, model.action_map, {},
    )  # fmt: skip


@torch.no_grad()
def drive(avatar: Avatar, plan: Plan) -> dict:
    """Frames a second of driving and drawing one avatar at 256 px."""
    driving: Driving = motion_driving(avatar, "dance", plan.frames)
    camera = body_camera(avatar, 0.5, PX, reach=0.25)
    viewmat, K, white = torch.from_numpy(camera.viewmat)[None], torch.from_numpy(camera.K)[None], torch.ones(3)

    def run(number: int) -> torch.Tensor:
        g = avatar.drive(driving[number : number + 1]).map(lambda t: t[0])
        return rasterize(g.means, g.quats, g.scales, g.opacities, g.colors, viewmat, K, PX, PX, white)[0]

    times = timed(run, plan.frames, plan.frames // 10)
    return {"gaussians": len(avatar), "px": PX, "ms": spread(times), "fps": 1e3 / statistics.median(times)}


def measure(plan: Plan) -> dict:
    """Everything, as one dictionary of plain numbers."""
    results: dict = {"machine": machine(torch.get_num_threads())}
    start, others = time.perf_counter(), others_seconds()
    tell("four photographs to an avatar")
    results["encode"] = encode(plan)
    for name, made in (("release", release_avatar), ("large", large_avatar)):
        tell(f"driving the {name} avatar")
        results[name] = drive(made(), plan)
    used = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    results["machine"]["cores_used_by_others"] = round(used, 3)
    return results


def report(results: dict) -> str:
    """The measurements as text."""
    at, seconds = results["machine"], results["encode"]["seconds"]
    rows = [
        (f"{results[name]['gaussians']:,}", f"{results[name]['px']}", f"{results[name]['ms']['median']:.2f}",
         f"{results[name]['fps']:.0f}", name)
        for name in ("release", "large")
    ]  # fmt: skip
    return "\n".join([
        f"{at['cpu']}, {at['cores']} cores; other programs used {at['cores_used_by_others']:.2f} cores meanwhile",
        f"{results['encode']['photos']} photographs to an avatar: {seconds['median']:.2f} s "
        f"({seconds['q25']:.2f} to {seconds['q75']:.2f})",
        "",
        *columns(("Gaussians", "px", "ms a frame", "frames/s", "avatar"), rows),
    ])  # fmt: skip


def write_records(results: dict) -> list:
    """The result records speed/...; renews results/README.md."""
    source = provenance(
        "python benchmarks/drive.py --record", {"benchmark": __file__, "checkpoint": RELEASE}, [TEST_PERSON]
    )
    device, coded, large = {"device": results["machine"]}, results["encode"], results["large"]
    records = [
        Record("speed/encode_4_photos_s", coded["seconds"]["median"], "s", None, 1, 0, "laptop", protocol=device | {
            "what": "pictures in memory to an avatar: patch features, transformer, canonical branch; median",
            "left_out": "reading files, finding and cutting out the person, loading weights", **coded,
        }, provenance=source),
        Record("speed/drive_fps", large["fps"], "frames/s", None, 1, 0, "", protocol=device | {
            "what": "driven branch, skinning, picture; every frame another pose; 1 / median time",
            "kept_between_frames": "the avatar", "weights": "random, of the release's widths", **large,
            "release": results["release"],
        }, provenance=source),
    ]  # fmt: skip
    return [*(write_record(record) for record in records), write_results_readme()]


def main(quick: bool = False, json: bool = False, record: bool = False) -> None:
    """Measure encoding and driving (about a minute; run nothing else).

    Args:
        quick: A few rounds: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/speed/ and renew results/README.md.
    """
    if record and quick:
        raise InputError("--record needs all rounds: leave --quick out")
    results = measure(QUICK if quick else Plan())
    print(json_format.dumps(results, indent=1) if json else report(results))
    for path in write_records(results) if record else ():
        print(path, file=sys.stderr)


if __name__ == "__main__":
    try:
        tyro.cli(main)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
