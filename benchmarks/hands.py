"""An avatar in people's hands: how soon it is there, how it moves live and in its page, whether it follows a clip.

quickstart: 00_quickstart at smoke from beginning to end, in a process of its own, when all caches are made. live: the
live viewer in a JupyterLab of its own, in headless Chromium on the same machine, while a dance plays: pictures a second
that come onto the page. page: moves of the skin a second in the avatar's page, without drawing, and its size. like:
`like.py`. Avatars are the release's of the person who ships; of test people for like.
"""

import json as json_format
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import lab
import numpy as np
import page
import torch
from like import DOMAINS, PHOTOGRAPHS, PROFILE, gains
from reporting import begin, end, run, tell, yardstick
from splats import machine, others_seconds

from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.judges.summaries import Summary, summarise
from lca_core.making.demo import demo_avatar
from lca_core.making.release import load_complete
from lca_core.model import encoder_of
from lca_core.paths import REPOSITORY
from lca_core.release import RELEASE
from lca_core.viewer.page.write import write_page

PARTS = ("quickstart", "live", "page", "like")
FIRST_TEST, RECORDED_PEOPLE = 10_000, 64
LIVE_PX = 384
MOTION = "Dance"
_TICKS = Tolerance(6.0, "the viewer asks for 30 pictures a second at most, however quick the machine")
# Moments, in seconds, at which another picture has come onto the page, for so many seconds.
ARRIVALS = """(seconds) => new Promise((resolve) => {
  const picture = document.querySelector("img.turned-picture"), moments = [];
  const note = () => moments.push(performance.now() / 1000);
  picture.addEventListener("load", note);
  setTimeout(() => {
    picture.removeEventListener("load", note);
    resolve(moments);
  }, 1000 * seconds);
})"""


@dataclass(frozen=True)
class Plan:
    """What is measured: parts, test people from FIRST_TEST on, seconds of live pictures, moves of the page's skin."""

    parts: tuple[str, ...] = PARTS
    people: int = RECORDED_PEOPLE
    seconds: float = 15.0
    rounds: int = 300
    workers: int = 2


def quickstart() -> float:
    """Seconds of the second of two runs of the quickstart: the first makes what caches lack."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(2):
            out = Path(folder, str(number))
            command = [sys.executable, REPOSITORY / "notebooks" / "run.py", "00_quickstart", "--out", out]
            done = subprocess.run(command, cwd=REPOSITORY, stdout=sys.stderr)
            if done.returncode:
                raise InputError("00_quickstart did not run; run it alone: python notebooks/run.py 00_quickstart")
            seconds.append(json_format.loads((out / "seconds.json").read_text())["00_quickstart"])
    return seconds[-1]


def live(avatar: Path, seconds: float) -> dict:
    """Pictures a second that a browser is shown of a dancing avatar, and the longest wait for one."""
    code = [
        "from lca_core.model import Avatar",
        "from lca_core.viewer.widgets import LiveViewer",
        f"LiveViewer(Avatar.load({str(avatar)!r}), px={LIVE_PX})",
    ]
    with tempfile.TemporaryDirectory() as folder:
        with lab.lab(lab.notebook_of(code), Path(folder)) as address, lab.looked_at(address) as (window, _):
            window.evaluate(lab.RUN_ALL)
            window.wait_for_selector("img.turned-picture")
            window.locator("select").filter(has_text=MOTION).select_option(MOTION)
            window.evaluate(ARRIVALS, min(seconds, 5.0))  # kernels are loaded, the browser compiles
            start, others = time.perf_counter(), others_seconds()
            moments = window.evaluate(ARRIVALS, seconds)
            used = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    if len(moments) < 3:
        raise InputError(f"{len(moments)} pictures came in {seconds:.0f} s; nothing to measure")
    waits = np.diff(moments)
    return {"fps": 1 / float(waits.mean()), "longest_wait_s": float(waits.max()), "pictures": len(moments),
            "cores_used_by_the_notebook_the_browser_and_others": round(used, 3)}  # fmt: skip


def measured(plan: Plan) -> dict:
    """Everything, as one dictionary of plain numbers but for the `Summary`s of like."""
    results: dict = {"parts": plan.parts, "machine": machine(torch.get_num_threads())}
    if "quickstart" in plan.parts:
        tell("the quickstart, twice")
        results["quickstart"] = {"seconds": quickstart(), "yardstick": yardstick()}
    if {"live", "page"} & set(plan.parts):
        with tempfile.TemporaryDirectory() as folder:
            results |= _of_the_demo(plan, Path(folder))
    if "like" in plan.parts:
        tell("faces like those of a clip; who is not in the cache is drawn")
        model, meta = load_complete()
        seeds = range(FIRST_TEST, FIRST_TEST + plan.people)
        found = gains(model, encoder_of(meta), seeds, plan.workers)
        results["like"] = {name: summarise(values, np.random.default_rng(0)) for name, values in found.items()}
        results["seeds"] = list(seeds)
    return results


def _of_the_demo(plan: Plan, folder: Path) -> dict:
    """live and page of the person who ships."""
    tell("the person who ships")
    avatar, results = demo_avatar(tell=lambda _: None), {}
    results["gaussians"] = len(avatar)
    if "live" in plan.parts:
        tell("live pictures")
        avatar.save(folder / "avatar.safetensors")
        results["live"] = live(folder / "avatar.safetensors", plan.seconds) | {"yardstick": yardstick()}
    if "page" in plan.parts:
        tell("moves in the page")
        like = write_page(avatar, folder / "viewer.html")
        times = page.moved(folder / "viewer.html", page.Plan(plan.rounds))
        results["page"] = {"fps": 1e3 / float(np.median(times)), "yardstick": yardstick(), "psnr": like,
                           "megabytes": (folder / "viewer.html").stat().st_size / 1e6}  # fmt: skip
    return results


def report(results: dict) -> str:
    """The measurements as text."""
    at = results["machine"]
    lines = [f"{at['cpu']}, {at['cores']} cores"]
    if "quickstart" in results:
        lines.append(f"the quickstart: {results['quickstart']['seconds']:.1f} s")
    if "live" in results:
        shown = results["live"]
        lines.append(
            f"{results['gaussians']:,} Gaussians live at {LIVE_PX} px: {shown['fps']:.1f} pictures a second in a "
            f"browser, one of them after {shown['longest_wait_s']:.2f} s"
        )
    if "page" in results:
        there = results["page"]
        lines.append(
            f"{results['gaussians']:,} Gaussians in a page of {there['megabytes']:.1f} MB move {there['fps']:.0f} "
            "times a second"
        )
    if "like" in results:
        like, truth = results["like"]["like"], results["like"]["truth"]
        lines.append(
            f"faces like those of a clip are {_gain(like)} nearer to the truth than resting ones; the truth's own "
            f"actions {_gain(truth)}"
        )
    return "\n".join(lines)


def _gain(summary: Summary) -> str:
    interval = "" if summary.ci95 is None else f" ({summary.ci95[0]:+.2f} to {summary.ci95[1]:+.2f})"
    return f"{summary.value:+.2f} dB{interval}"


def records_of(results: dict) -> list[Record]:
    """The result records hands/..., of the parts that were measured."""
    command = f"python benchmarks/hands.py --only {' '.join(results['parts'])} --record"
    files = {"benchmark": __file__, "checkpoint": RELEASE}
    device, made = {"device": results["machine"]}, []

    def timed(name: str, value: float, unit: str, of: dict, what: str, tolerance: Tolerance = TIMING) -> None:
        protocol = device | {"what": what, "yardstick": of["yardstick"]} | {
            k: v for k, v in of.items() if k not in ("yardstick", "seconds", "fps")
        }  # fmt: skip
        made.append(Record(f"hands/{name}", value, unit, None, 1, 0, PROFILE, kind="timing", tolerance=tolerance,
                           protocol=protocol, provenance=provenance(command, files)))  # fmt: skip

    if "quickstart" in results:
        one = results["quickstart"]
        timed("quickstart_s", one["seconds"], "s", one, "00_quickstart at smoke, whole, its caches made before")
    if "live" in results:
        one = results["live"] | {"gaussians": results["gaussians"], "px": LIVE_PX}
        what = "pictures a second that come onto a page of JupyterLab in headless Chromium here, dancing; mean"
        timed("live_fps", one["fps"], "frames/s", one, what, _TICKS)
    if "page" in results:
        one = results["page"] | {"gaussians": results["gaussians"], "left_out": "sorting and drawing"}
        timed("page_fps", one["fps"], "frames/s", one, "moves of the skin in headless Chromium; 1 / median time")
        made.append(Record(
            "hands/page_mb", one["megabytes"], "MB", None, 1, 0, PROFILE,
            tolerance=Tolerance(0.5, "noise packs otherwise on another processor"),
            protocol={"what": "the page of the person who ships, one file", "gaussians": results["gaussians"]},
            provenance=provenance(command, files),
        ))  # fmt: skip
    if "like" in results:
        truth, seeds = results["like"]["truth"], results["seeds"]
        protocol = {
            "what": "psnr_fg of the face's box: actions and gaze read from a second clip less a resting face; body, "
                    "place and camera as recorded",
            "inputs": PHOTOGRAPHS, "aggregation": "mean over pictures, then over people; 95% bootstrap",
            "of_the_true_actions": {"value": truth.value, "ci95": truth.ci95 and list(truth.ci95)},
        }  # fmt: skip
        source = provenance(command, files, [seeds[0], seeds[-1]], seeds_are="first and last",
                            drawn=drawn(DOMAINS, PROFILE))  # fmt: skip
        within = Tolerance(0.15, "people are drawn a little otherwise on another machine")
        made.append(record_of("hands/like_face_gain_db", results["like"]["like"], PROFILE, protocol, source,
                              tolerance=within, unit="dB"))  # fmt: skip
    return made


def main(
    only: tuple[str, ...] = PARTS,
    people: int = RECORDED_PEOPLE,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
    workers: int = 2,
) -> None:
    """Measure what an avatar is in people's hands (a quarter of an hour once people are drawn; run nothing else).

    Args:
        only: Parts, of quickstart, live, page, like.
        people: How many test people, for like.
        quick: Two people, a few pictures and moves, no quickstart: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/hands/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw people.
    """
    if unknown := [name for name in only if name not in PARTS]:
        raise InputError(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if quick and (record or measure):
        raise InputError("--record and --measure need all there is to measure: leave --quick out")
    if record and "like" in only and people < RECORDED_PEOPLE:
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more; with fewer, leave like out of --only")
    begin(record)
    plan = Plan(tuple(only), people, workers=workers)
    if quick:
        plan = Plan(tuple(part for part in only if part != "quickstart"), 2, 3.0, 6, workers)
    results = measured(plan)
    if json:
        values = {record.id: record.value for record in records_of(results)}
        print(json_format.dumps(values | {"machine": results["machine"]}, indent=1))
    else:
        print(report(results))
    end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
