"""Photographs through the door: the whole command on pictures of test people, one and four, with nothing told.

See `lca_core.evaluation.door` for what is judged, and how. Weights of before, where they are given, see the same
photographs and the same fits.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell
from tqdm.auto import tqdm

from lca_core.data import read_people
from lca_core.evaluation.door import COUNTS, METRICS, bring
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.records import METRICS as UNITS
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.sources import sha256
from lca_core.evaluation.tolerances import Tolerance
from lca_core.experiments.fingerprint import code_digest
from lca_core.judges.summaries import summarise, summarise_difference
from lca_core.model import encoder_of
from lca_core.paths import REPOSITORY, atomic_path
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE
from lca_core.training import load_model

FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 32
PROFILE = "laptop"
FOLDER = REPOSITORY / "build" / "photographs"
WHAT = (
    "photographs through the door, refined as the command does; judged on held-out ones in the poses and cameras that "
    "the door fits with the avatar's shape, 768 px, truth's matte"
)
WITHIN = {"psnr_fg": 0.3, "lpips": 0.02}
WHY = "networks find landmarks a little otherwise on another machine, and fits follow"
Values = dict[str, dict[int, list[float]]]  # "<photographs>/<metric>" -> person -> one number a held-out picture


def measured(weights: dict[str, Path], seeds: Sequence[int], workers: int, folder: Path) -> dict[str, Values]:
    """Values by name of the weights. Each person's are kept in `folder`, and an interrupted run goes on."""
    models = {}
    for name, path in weights.items():
        model, meta = load_model(path)
        models[name] = model, encoder_of(meta)
    values: dict[str, Values] = {name: {} for name in weights}
    shards = cached_people(seeds, "phone", PROFILE, workers)
    for seed, shard in tqdm(list(zip(seeds, shards)), desc="photographs", unit="person"):
        path = folder / f"{seed}.json"
        if not path.exists():
            (person,) = read_people(shard)
            with tempfile.TemporaryDirectory() as place:
                found, refused = bring(person, models, Path(place))
            with atomic_path(path) as partial:
                partial.write_text(json.dumps({"found": found, "refused": refused}))
        kept = json.loads(path.read_text())
        for line in kept["refused"]:
            tqdm.write(f"{seed}: {line}")
        for name, by_count in kept["found"].items():
            for count, metrics in by_count.items():
                for metric, numbers in metrics.items():
                    if numbers:
                        values[name].setdefault(f"{count}/{metric}", {})[seed] = numbers
    return values


def records_of(values: dict[str, Values], weights: dict[str, Path], seeds: Sequence[int]) -> list[Record]:
    """photos/<photographs>/<metric>, and before_<metric> of weights of before."""
    made = []
    for name, file in weights.items():
        source = provenance(
            f"python benchmarks/photographs.py --people {len(seeds)} --record", {"checkpoint": file}, list(seeds),
            drawn=drawn(["phone"], PROFILE),
        )  # fmt: skip
        for id, found in values[name].items():
            count, metric = id.split("/")
            protocol = {
                "what": WHAT,
                "inputs": int(count), "asked": len(seeds), "aggregation": "mean over pictures, then over people",
            }  # fmt: skip
            if name == "now" and "before" in values and values["before"][id].keys() == found.keys():
                less = summarise_difference(found, values["before"][id], np.random.default_rng(0))
                protocol["difference"] = {"to": f"photos/{count}/before_{metric}", "value": less.value,
                                          "ci95": less.ci95 and list(less.ci95)}  # fmt: skip
            made.append(record_of(
                f"photos/{count}/{'' if name == 'now' else 'before_'}{metric}",
                summarise(found, np.random.default_rng(0)), PROFILE, protocol, source, unit=UNITS[metric][0],
                kind="live" if name == "now" else "frozen", tolerance=Tolerance(WITHIN[metric], WHY),
            ))  # fmt: skip
    return made


def report(values: dict[str, Values]) -> str:
    """All beside each other."""
    rows = []
    for id in (f"{count}/{metric}" for count in COUNTS for metric in METRICS):
        found = values["now"].get(id, {})
        cells = [
            f"{summarise(v[id], np.random.default_rng(0)).value:.3f}" if v.get(id) else "" for v in values.values()
        ]
        rows.append((f"photos/{id}", *cells, str(len(found))))
    return "\n".join(columns(("record", *values, "people"), rows))


def _mean(found: dict[int, list[float]] | None) -> str:
    return f"{summarise(found, np.random.default_rng(0)).value:.3f}" if found else ""


def main(
    people: int = RECORDED_PEOPLE,
    weights: Path = RELEASE,
    before: Path | None = None,
    validation: bool = False,
    workers: int = 2,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Send people's photographs through the door.

    Args:
        people: How many, from the first test person on.
        weights: Weights on trial (default: the shipped release).
        before: Weights to set beside them; with --record their records are frozen at today's commit.
        validation: Validation people; prints, and records nothing.
        workers: Processes that draw people.
        record: Write records.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    begin(record)
    first = FIRST_VALIDATION if validation else FIRST_TEST
    seeds = range(first, first + people)
    files = {"now": weights} | ({} if before is None else {"before": before})
    tell(f"photographs of people {seeds[0]} to {seeds[-1]}; who is not in the cache is drawn")
    values = measured(files, seeds, workers, FOLDER / kept_as(files))
    print(report(values))
    if not validation:
        end(records_of(values, files, seeds), record, measure)


def kept_as(files: dict[str, Path]) -> str:
    """A folder's name that hangs on the weights and the code."""
    code = code_digest(("body", "curation", "evaluation", "judges", "making/photos.py", "model", "splats"))
    return "-".join([*(sha256(path)[:8] for path in files.values()), code])


if __name__ == "__main__":
    run(main)
