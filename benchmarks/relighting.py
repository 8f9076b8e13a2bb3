"""Light: how much nearer to the truth test people come under lights that nothing was trained under, and at what speed.

Gains in psnr_fg over the same avatar in the light of its photographs, under environments and under single lamps, and
over that avatar times the one colour that fits everybody best under each light, and over the decoder untrained. See
`lca_core.evaluation.relighting`.
The speed is that of driving and drawing with a light that turns, over that without one.
"""

import json as json_format
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import begin, columns, end, run, tell, yardstick

from lca_core.data import camera_tensors, read_people
from lca_core.data.light import light_named
from lca_core.data.sphere import turned
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.relighting import METHODS, Judged, Sitter, gains, judge, light_of, mean_lights, sitter
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.judges.summaries import Summary, summarise
from lca_core.making.release import load_release
from lca_core.model import Avatar, encoder_of
from lca_core.model.shading import eyes_of
from lca_core.people.domains.production import cached_people
from lca_core.release import LIGHT, RELEASE
from lca_core.splats import draw
from lca_core.viewer.figures import save_figure, sheet
from lca_core.viewer.stage import body_camera, motion_driving, under_lights

DOMAIN = "relit_held_out"
FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 16
PX, FRAMES = 256, 60  # of the speed
STRIP = 8  # lights beside each other
TOLERANCE = Tolerance(0.3, "without LLVM mitsuba scatters its light paths otherwise")
WHAT = {
    "environment_gain_db": "psnr_fg: relit less unrelit, under environments kept out of training",
    "lamp_gain_db": "psnr_fg: relit less unrelit, under single lamps kept out of training",
    "over_mean_light_db": "psnr_fg: relit less the unrelit avatar times the colour that fits all people best there",
    "over_untrained_db": "psnr_fg: relit less the same decoder before it has learned anything: Lambert's law alone",
}


@dataclass(frozen=True)
class Measured:
    """summaries: of the gains, by name; psnr_fg: of each method, mean over people; speed: milliseconds and ratios."""

    summaries: dict[str, Summary]
    psnr_fg: dict[str, float]
    speed: dict
    profile: str
    seeds: tuple[int, int]


def speed(avatar: Avatar) -> dict:
    """Driving and drawing at PX pixels, every frame another pose: without a light, and with one that goes round."""
    driving, camera = motion_driving(avatar, "dance", FRAMES), body_camera(avatar, 0.5, PX, reach=0.25)
    viewmat, K = camera_tensors(camera)
    eye, light, white = eyes_of(viewmat), light_named("noon_sun"), torch.ones(3)
    times: dict[str, list[float]] = {"unrelit": [], "relit": []}
    for number in range(FRAMES):
        for name in times:
            start = time.perf_counter()
            now = turned(light, 0.1 * number) if name == "relit" else None
            posed = avatar.drive(driving[number : number + 1], now, eye if now else None).map(lambda t: t[0])
            draw(posed, viewmat[None], K[None], PX, PX, white)
            times[name].append(1e3 * (time.perf_counter() - start))
    median = {name: float(np.median(values[FRAMES // 10 :])) for name, values in times.items()}
    return {"ms": median, "gaussians": len(avatar), "px": PX, "ratio": median["unrelit"] / median["relit"]}


def means(judged: Judged) -> dict[str, float]:
    """psnr_fg of each method, mean over lights, then over people."""
    return {name: float(np.mean([np.mean(list(one.values())) for one in judged[name].values()])) for name in METHODS}


def strips(sitters: list[Sitter], path: Path) -> Path:
    """A picture of people under lights they were recorded under, and under a sun that goes round."""
    sun = light_named("noon_sun")
    rows = []
    for one in sitters:
        frames = one.targets[:STRIP]
        rows.append((f"{one.person.seed}", [frame.body.image for frame in frames]))
        rows.append(("", under_lights(one.avatar, [light_of(frame) for frame in frames])))
        turning = [turned(sun, 2 * np.pi * i / STRIP) for i in range(STRIP)]
        rows.append(("sun", under_lights(one.avatar, turning)))
    return save_figure(sheet(rows), path)


def measure_people(seeds: range, workers: int, weights: Path, picture: Path | None = None) -> Measured:
    """Everything, of people who are drawn where the cache has none."""
    model, meta = load_release(weights, (LIGHT,) if weights == RELEASE else ())
    encoder = encoder_of(meta)
    people = read_people(cached_people(seeds, DOMAIN, model.profile, workers, truth=True), light=True)
    sitters = [sitter(model, encoder, person) for person in people]
    tell("people under lights")
    judged = judge(model, sitters, mean_lights(model, sitters))
    summaries = {name: summarise(values, np.random.default_rng(0)) for name, values in gains(judged).items()}
    if picture:
        strips(sitters[:4], picture)
    tell("speed")
    measured = speed(sitters[0].avatar) | {"yardstick": yardstick()}
    return Measured(summaries, means(judged), measured, model.profile.name, (seeds[0], seeds[-1]))


def report(measured: Measured) -> str:
    """The measurements as text."""
    rows = [
        (name, f"{s.value:.2f} dB", "" if s.ci95 is None else f"{s.ci95[0]:.2f} to {s.ci95[1]:.2f}", str(s.n_people))
        for name, s in measured.summaries.items()
    ]
    ms = measured.speed["ms"]
    return "\n".join([
        *columns(("relight/", "gain", "95% interval", "people"), rows), "",
        "psnr_fg: " + ", ".join(f"{name} {value:.2f} dB" for name, value in measured.psnr_fg.items()),
        f"{ms['relit']:.1f} ms a frame with a light, {ms['unrelit']:.1f} ms without: "
        f"{measured.speed['ratio']:.2f} times as fast",
    ])  # fmt: skip


def records_made(measured: Measured) -> list[Record]:
    """The records relight/..."""
    source = provenance(
        "python benchmarks/relighting.py --record", {"benchmark": __file__, "checkpoint": RELEASE, "light": LIGHT},
        list(measured.seeds), seeds_are="first and last", drawn=drawn([DOMAIN], measured.profile),
    )  # fmt: skip
    protocol = {
        "inputs": "the photographs under an everyday light", "mask": "truth's foreground", "psnr_fg": measured.psnr_fg,
        "brightness": "one a person and method, fitted in linear light on the photographs",
        "aggregation": "mean over lights, then over people",
    }  # fmt: skip
    records = [
        record_of(f"relight/{name}", summary, measured.profile, {"what": WHAT[name]} | protocol, source,
                  tolerance=TOLERANCE, unit="dB")
        for name, summary in measured.summaries.items()
    ]  # fmt: skip
    what = f"frames a second with a light that turns over those without, driven and drawn at {PX} px"
    protocol = {"what": what, "threads": torch.get_num_threads(), **measured.speed}
    fps = Record("relight/fps_ratio", measured.speed["ratio"], "x", None, 1, 0, measured.profile, kind="timing",
                 tolerance=TIMING, protocol=protocol, provenance=source)  # fmt: skip
    return [*records, fps]


def main(people: int = RECORDED_PEOPLE, quick: bool = False, json: bool = False, record: bool = False,
         measure: Path | None = None, workers: int = 2, weights: Path = RELEASE,
         picture: Path | None = None) -> None:  # fmt: skip
    """Measure what the shipped release makes of people under other lights.

    Args:
        people: How many test people (seeds from 10,000).
        quick: Four validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
        weights: Others than the shipped release with its decoder of light, of which nothing is recorded.
        picture: A PNG to draw the first four people into, under their lights and under a sun that goes round.
    """
    if people < 2 or workers < 1:
        raise InputError("--people must be 2 or more, --workers 1 or more")
    if record and (people < RECORDED_PEOPLE or quick or weights != RELEASE):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more, all of it, and the shipped release")
    if measure and (quick or weights != RELEASE):
        raise InputError("--measure goes neither with --quick nor with other --weights")
    begin(record)
    first, count = (FIRST_VALIDATION, 4) if quick else (FIRST_TEST, people)
    measured = measure_people(range(first, first + count), workers, weights, picture)
    values = {name: summary.value for name, summary in measured.summaries.items()}
    print(json_format.dumps(values | {"psnr_fg": measured.psnr_fg, "speed": measured.speed}, indent=1) if json
          else report(measured))  # fmt: skip
    end(records_made(measured), record, measure)


if __name__ == "__main__":
    run(main)
