"""The shipped release asked more closely, on test people it has never seen.

`views/<domain>/<degrees>/psnr_fg`: by the angle between a target and the nearest photograph, and of the back;
`depth/studio/mm`: the surface drawn against the true one; `groups/<trait>/<class>/psnr_fg`: by skin, age, build, sex,
hair and clothes, each beside everybody else. Wild avatars are judged on a second clip. See
`lca_core.evaluation.breakdowns` and `lca_core.evaluation.groups`.
"""

import json as json_format
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.breakdowns import by_group, by_view
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import Tolerance
from lca_core.evaluation.views import BACK, BINS
from lca_core.judges.summaries import Summary, summarise
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE

FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 64
PHOTOS = 4
TOLERANCES = {"psnr_fg": Tolerance(0.3, "a bin holds few pictures of a person"),
              "mm": Tolerance(2.0, "outlines decide, and people are drawn a little otherwise")}  # fmt: skip
WHAT = {
    "views": f"psnr_fg of targets by their angle to the nearest photograph, degrees from {BINS[0]} to {BINS[-1]}, or "
    f"seen from {BACK} degrees and more round the person (back)",
    "depth": "mean absolute difference of depth where truth and avatar both have the person, mm",
    "groups": "psnr_fg of a group of people, mean of studio and wild; beside everybody else with an interval that "
    "counts all groups (Welch, Bonferroni)",
}


def measured(seeds: range, workers: int) -> tuple[dict[str, Summary], dict[str, dict], str]:
    """(summary of every record, what more there is to say of groups, the profile's name)."""
    model, meta = load_release()
    tell("people are drawn where the cache has none")

    def people(domain: str, truth: bool = False) -> list:
        return list(read_people(cached_people(seeds, domain, model.profile, workers=workers, truth=truth), truth=truth))

    seconds = {clip.seed: clip for clip in people("wild2")}
    found = by_view(people("studio", truth=True), model, encoder_of(meta), PHOTOS, len(seeds))
    found |= by_view(people("wild"), model, encoder_of(meta), PHOTOS, len(seeds), seconds)
    summaries, told = by_group(found)
    shown = {id: summarise(values, np.random.default_rng(0)) for id, values in found.items()
             if not id.startswith("all/")}  # fmt: skip
    return shown | summaries, told, model.profile.name


def records_made(summaries: dict[str, Summary], told: dict[str, dict], profile: str, seeds: range) -> list[Record]:
    """The records."""
    source = provenance(
        "python benchmarks/breakdown.py --record", {"benchmark": __file__, "checkpoint": RELEASE},
        [seeds[0], seeds[-1]], seeds_are="first and last", drawn=drawn(["studio", "wild", "wild2"], profile),
    )  # fmt: skip
    records = []
    for id, summary in summaries.items():
        protocol = {"what": WHAT[id.split("/")[0]], "inputs": PHOTOS, "views": "wild: of a second clip (wild2)",
                    "aggregation": "mean over pictures, then over people"} | told.get(id, {})  # fmt: skip
        name = id.rsplit("/", 1)[-1]
        unit = {"mm": "mm"}.get(name)
        records.append(record_of(id, summary, profile, protocol, source, tolerance=TOLERANCES[name], unit=unit))
    return records


def main(people: int = RECORDED_PEOPLE, quick: bool = False, json: bool = False, record: bool = False,
         measure: Path | None = None, workers: int = 2) -> None:  # fmt: skip
    """Views, depth and groups of the shipped release.

    Args:
        people: How many test people (seeds from 10,000).
        quick: Twelve validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
    """
    if people < 2 or workers < 1:
        raise InputError("--people must be 2 or more; --workers at least 1")
    if (record and people < RECORDED_PEOPLE) or ((record or measure) and quick):
        raise InputError(f"--record needs {RECORDED_PEOPLE} people or more; neither it nor --measure goes with --quick")
    begin(record)
    first, count = (FIRST_VALIDATION, 12) if quick else (FIRST_TEST, people)
    seeds = range(first, first + count)
    summaries, told, profile = measured(seeds, workers)
    if json:
        print(json_format.dumps({id: s.value for id, s in summaries.items()} | {"groups": told}, indent=1))
    else:
        rows = [(id, f"{s.value:.2f}", "" if s.ci95 is None else f"{s.ci95[0]:.2f} to {s.ci95[1]:.2f}", str(s.n_people),
                 "differs" if told.get(id, {}).get("differs") else "") for id, s in summaries.items()]  # fmt: skip
        print("\n".join(columns(("record", "value", "95% interval", "people", ""), rows)))
    end(records_made(summaries, told, profile, seeds), record, measure)


if __name__ == "__main__":
    run(main)
