"""How often a second an avatar's page moves its skin in a browser, and how like the full avatar it draws.

Moving is all that JavaScript does for a picture but sorting and drawing: condition network, directions, face, skeleton
and skinning of all Gaussians, every frame of a dance another pose and face, in headless Chromium. Likeness is psnr
between pictures of the full avatar and of the page's numbers, in poses and faces that the page was not distilled from,
by our rasteriser.
"""

import json as json_format
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lab import browser_path
from playwright.sync_api import sync_playwright
from reporting import begin, end, run, tell, yardstick
from splats import machine, others_seconds, spread

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import Record, provenance
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, encoder_of
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE
from lca_core.viewer.page.likeness import COUNT, PX
from lca_core.viewer.page.write import write_page

TEST_PERSON = 10_000
PHOTOS = 4
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
MOVED = """(rounds) => {
  const { body, controls } = page;
  controls.play("Dance");
  return Array.from({ length: rounds }, (_, round) => {
    const signal = controls.signal(controls.began + 40 * round);
    const start = performance.now();
    body.drive(signal);
    return performance.now() - start;
  });
}"""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 300  # moves, of which the first third does not count: the browser is still compiling


QUICK = Plan(6)


def encoded() -> Avatar:
    """The release's avatar of a test person, of four photographs."""
    model, meta = load_release()
    (person,) = read_people(cached_people([TEST_PERSON], "studio", model.profile))
    return encode_person(model, encoder_of(meta), person, split_frames(person, PHOTOS)[0])


def moved(path: Path, plan: Plan) -> np.ndarray:
    """Milliseconds of each move of a page's skin. InputError where there is no browser."""
    chromium = browser_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SOFTWARE)
        page = browser.new_page(viewport={"width": 200, "height": 320})
        page.set_default_timeout(300_000)
        page.goto(path.resolve().as_uri())
        page.evaluate("ready.then(() => null)")
        times = page.evaluate(MOVED, plan.rounds)
        browser.close()
    return np.array(times[plan.rounds // 3 :])


def measured(plan: Plan, avatar: Avatar | None = None) -> dict:
    """Everything, as one dictionary of plain numbers; avatar: another than the release's of a test person."""
    avatar = avatar or encoded()
    results: dict = {"machine": machine(torch.get_num_threads()), "gaussians": len(avatar)}
    with tempfile.TemporaryDirectory() as folder:
        tell("how like it draws")
        path = Path(folder, "viewer.html")
        results["psnr"] = write_page(avatar, path)
        results["megabytes"] = path.stat().st_size / 1e6
        results["yardstick"] = yardstick()
        tell("moves of its skin")
        start, others = time.perf_counter(), others_seconds()
        times = moved(path, plan)
    results["ms"], results["moves_per_second"] = spread(times), 1e3 / float(np.median(times))
    used = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    results["machine"]["cores_used_by_others_and_the_browser"] = round(used, 3)
    return results


def report(results: dict) -> str:
    """The measurements as text."""
    at, ms, like = results["machine"], results["ms"], results["psnr"]
    return "\n".join([
        f"{at['cpu']}, {at['cores']} cores; other programs and the browser used "
        f"{at['cores_used_by_others_and_the_browser']:.2f} cores meanwhile",
        f"{results['gaussians']:,} Gaussians in a page of {results['megabytes']:.1f} MB move "
        f"{results['moves_per_second']:.0f} times a second: {ms['median']:.1f} ms ({ms['q25']:.1f} to {ms['q75']:.1f})",
        f"from the full avatar: {like['body']:.1f} dB (body), {like['head']:.1f} dB (head)",
    ])  # fmt: skip


def records_of(results: dict) -> list[Record]:
    """The result records page/..."""
    files = {"benchmark": __file__, "checkpoint": RELEASE}
    profile = "laptop"
    source = provenance("python benchmarks/page.py --record", files, [TEST_PERSON], drawn=drawn(["studio"], profile))
    sizes = {name: results[name] for name in ("gaussians", "megabytes")}
    speed = {"device": results["machine"], "yardstick": results["yardstick"], "ms": results["ms"], **sizes,
             "what": "moves of the skin in headless Chromium, every frame another pose; 1 / median time",
             "left_out": "sorting and drawing"}  # fmt: skip
    like = {"what": "mean psnr of pictures of the page's numbers, truth being the full avatar's", "pictures": COUNT,
            "px": PX, **sizes}  # fmt: skip
    within = Tolerance(3.0, "distilled from random poses: last bits of eigenvectors differ between processors")
    return [
        Record("page/moves_per_second", results["moves_per_second"], "moves/s", None, 1, 0, profile, kind="timing",
               tolerance=TIMING, protocol=speed, provenance=source),
        *(Record(f"page/psnr_{name}", value, "dB", None, 1, COUNT, profile, tolerance=within, protocol=like,
                 provenance=source) for name, value in results["psnr"].items()),
    ]  # fmt: skip


def main(
    avatar: Path | None = None,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Measure an avatar's page (about a minute; run nothing else).

    Args:
        avatar: avatar.safetensors (default: the release's of a test person).
        quick: A few rounds: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/page/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    if (record or measure) and (quick or avatar):
        raise InputError("--record and --measure need all rounds of the test person: leave --quick and --avatar out")
    begin(record)
    results = measured(QUICK if quick else Plan(), Avatar.load(avatar) if avatar else None)
    print(json_format.dumps(results, indent=1) if json else report(results))
    if record or measure:
        end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
