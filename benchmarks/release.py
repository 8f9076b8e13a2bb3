"""The release on trial, beside the one before it: every number of both from one walk over test people.

`lca_core.evaluation.trials` says what is measured of a person. Trials are kept (build/trials), by weights, code and
person, so that an interrupted run goes on where it stopped. Records of what was before are frozen; those of today's
release say by how much they differ, person by person.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from reporting import begin, columns, end, run, tell
from tqdm.auto import tqdm

from lca_core.data import Person, read_people
from lca_core.errors import InputError
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import protocol_of
from lca_core.evaluation.likeness import accepted, rank1
from lca_core.evaluation.records import METRICS, Record, provenance, record_of
from lca_core.evaluation.sources import git, sha256
from lca_core.evaluation.tolerances import Tolerance
from lca_core.evaluation.trials import COUNTS, PHOTOGRAPHS, VGG_PICTURES, Trial, kept, try_person
from lca_core.experiments.fingerprint import code_digest
from lca_core.judges.summaries import summarise, summarise_difference
from lca_core.model import encoder_of
from lca_core.paths import REPOSITORY, atomic_path
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE
from lca_core.training import load_model

SECOND = {"studio": None, "wild": "wild2"}  # domain -> that of the second clips it is judged on
FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
RECORDED_PEOPLE = 64
FOLDER = REPOSITORY / "build" / "trials"
WHOLE = ("psnr", "psnr_fg", "l1_fg", "lpips", "lpips_vgg", "iou")
REGIONS = ("hair", "loose", "face", "hand")
PROFILE = "laptop"  # whose people are judged on
DRAWN = ("studio", "wild", "wild2")
MADE_BY = ("body", "evaluation", "judges", "making/photos.py", "model", "splats")  # code that trials hang on
WHY = "people are drawn a little otherwise on another machine"
_WITHIN = {"l1_fg": 0.002, "lpips": 0.003, "lpips_vgg": 0.003, "iou": 0.003}  # others by their unit
_OF_UNIT = {"dB": 0.1, "": 0.03}
People = dict[str, dict[int, Trial]]  # domain -> seed -> trial
Values = dict[str, dict[int, list[float]]]  # what is recorded -> person -> one number a picture, or one


def people_of(domain: str, seeds: Sequence[int], workers: int) -> Iterator[tuple[Person, Person | None]]:
    """Each person and their second clip, where the domain has one; drawn with truth where the cache has none."""
    other = SECOND[domain]
    own, second = (read_people(cached_people(seeds, d, PROFILE, workers, truth=True), truth=True) if d else None
                   for d in (domain, other))  # fmt: skip
    for person in own:
        yield person, None if second is None else next(second)


def weights_of(before: str) -> Path:
    """A file of weights, or the release of a commit, laid into the folder of trials; InputError for neither."""
    if Path(before).is_file():
        return Path(before)
    content = git("cat-file", "blob", f"{before}:{RELEASE.relative_to(REPOSITORY).as_posix()}")
    if content is None:
        raise InputError(f"--before {before} is neither a file nor a commit with a release; see `git log -- {RELEASE}`")
    path = FOLDER / f"release_of_{before}.safetensors"
    with atomic_path(path) as partial:
        partial.write_bytes(content)
    return path


def tried(weights: Path, seeds: Sequence[int], workers: int) -> People:
    """Everybody's trials by these weights."""
    model, meta = load_model(weights)
    encoder, folder = encoder_of(meta), FOLDER / f"{sha256(weights)[:12]}-{code_digest(MADE_BY)}"
    found: People = {}
    for domain in SECOND:
        clips, what = people_of(domain, seeds, workers), f"{weights.stem}, {domain}"
        found[domain] = {
            person.seed: kept(
                folder / domain / f"{person.seed}.json",
                lambda p=person, s=second: try_person(model, encoder, p, s),
            )
            for person, second in tqdm(clips, desc=what, total=len(seeds), unit="person")
        }
    return found


def values_of(people: People) -> Values:
    """What is recorded, by the ids of today's release; regions and unseen pixels over both domains' pictures."""
    values: Values = {}

    def keep(id: str, seed: int, numbers: Sequence[float]) -> None:
        if len(numbers):
            values.setdefault(id, {}).setdefault(seed, []).extend(numbers)

    for domain, trials in people.items():
        for seed, trial in trials.items():
            for method in ("release", "refined"):
                for metric in WHOLE:
                    keep(f"{method}/{domain}/{metric}", seed, trial.values[f"{method}/{metric}"])
                short = "forward" if method == "release" else method
                keep(f"unseen/{short}/psnr", seed, trial.values.get(f"unseen/{method}", ()))
            for name in REGIONS:
                keep(f"region/{name}/psnr", seed, trial.values.get(f"region/{name}", ()))
            keep("one_photo/back_psnr_fg", seed, trial.values.get("back/psnr_fg", ()))
            for count in COUNTS:
                keep(f"inputs/{count}/psnr", seed, trial.values.get(f"inputs/{count}", ()))
    for method, short in (("release", "forward"), ("refined", "refined")):
        for measure, name in ((accepted, "tar_at_far1"), (rank1, "rank1")):
            for trials in people.values():
                for seed, number in measure({s: trial.faces[method] for s, trial in trials.items()}).items():
                    keep(f"identity/{short}/{name}", seed, number)
    return values


def named_before(id: str) -> str:
    """What a number of the release before is recorded as."""
    method, rest = id.split("/", 1)
    if method == "release":
        return f"before/{rest}"
    if method in ("refined", "inputs"):
        return f"before/{id}"
    place, metric = id.rsplit("/", 1)
    return f"{place}/before_{metric}"


def unit_of(id: str) -> str:
    """Of a record of `values_of`."""
    metric = id.rsplit("/", 1)[-1].removeprefix("before_")
    return METRICS[metric][0] if metric in METRICS else "dB" if "psnr" in metric else ""


def records_of(now: Values, before: Values, weights: Path, old: Path | None, seeds: Sequence[int]) -> list[Record]:
    """Records of both; those of now tell their difference to what was before. old: whose file `before` is of."""
    made = []
    for values, file, name in ((before, old, named_before), (now, weights, str)):
        if file is None:
            continue
        source = provenance(
            f"python benchmarks/release.py --people {len(seeds)} --record", {"checkpoint": file}, list(seeds),
            drawn=drawn(DRAWN, PROFILE),
        )  # fmt: skip
        for id, found in values.items():
            protocol = _protocol(id)
            if values is now and id in before and before[id].keys() == found.keys():
                less = summarise_difference(found, before[id], np.random.default_rng(0))
                protocol["difference"] = {
                    "to": named_before(id), "value": less.value, "ci95": less.ci95 and list(less.ci95)
                }  # fmt: skip
            unit = unit_of(id)
            within = _WITHIN.get(id.rsplit("/", 1)[-1], _OF_UNIT[unit])
            made.append(record_of(
                name(id), summarise(found, np.random.default_rng(0)), PROFILE, protocol, source,
                kind="live" if values is now else "frozen", unit=unit, tolerance=Tolerance(within, WHY),
            ))  # fmt: skip
    return made


def _protocol(id: str) -> dict:
    kind, *_, metric = id.split("/")
    if kind in ("release", "refined") and metric != "lpips_vgg":
        return protocol_of(metric, PHOTOGRAPHS, SECOND[id.split("/")[1]] or "")
    what = {
        "release": f"LPIPS by VGG16, v0.1, which no loss descends; crop round the truth's foreground, over white; "
                   f"{VGG_PICTURES} pictures of a person, evenly chosen",
        "unseen": "psnr over pixels of the person that no photograph shows, by the truth's depth; both domains",
        "region": "psnr where the truth's parts say so, grown by 4 px (hair and hats; skirts and coats), or psnr_fg of "
                  "crops (faces, hands); both domains",
        "one_photo": "one photograph from the front; studio pictures from 120 degrees and more round the person",
        "inputs": "last studio pose from all cameras; photographs of the poses before, larger sets hold the smaller",
        "identity": "dlib's 128 numbers of faces over white, mean over a person's pictures; false accepts are pairs of "
                    "an avatar and somebody else among the same people; both domains",
    }  # fmt: skip
    shown = {"one_photo": 1, "inputs": id.split("/")[1]}.get(kind, PHOTOGRAPHS)
    how = what["release" if metric == "lpips_vgg" else kind]
    return {"what": how, "inputs": int(shown), "aggregation": "mean over pictures, then over people; 95% bootstrap"}


def report(now: Values, before: Values) -> str:
    """Both beside each other."""
    rows = []
    for id, found in now.items():
        cells = (f"{summarise(found, np.random.default_rng(0)).value:.3f}", "", "", str(len(found)))
        if id in before and before[id].keys() == found.keys():
            less = summarise_difference(found, before[id], np.random.default_rng(0))
            interval = f"{less.value:+.3f}" + (f" ({less.ci95[0]:+.3f} to {less.ci95[1]:+.3f})" if less.ci95 else "")
            was = summarise(before[id], np.random.default_rng(0)).value
            cells = (cells[0], f"{was:.3f}", interval, cells[3])
        rows.append((id, *cells))
    return "\n".join(columns(("record", "now", "before", "difference", "people"), rows))


def main(
    people: int = RECORDED_PEOPLE,
    weights: Path = RELEASE,
    before: str = "",
    validation: bool = False,
    workers: int = 2,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Measure weights on people they have never seen.

    Args:
        people: How many of each domain, from the first test person on.
        weights: Weights on trial (default: the shipped release).
        before: Weights to set beside them: a file, or a commit whose release they are; with --record their records are
            frozen at today's commit.
        validation: Judge on validation people, as for choosing among weights: prints, and records nothing.
        workers: Processes that draw people.
        record: Write records of all test people.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    if validation and (record or measure):
        raise InputError("records are of test people; leave --validation out, or --record and --measure")
    begin(record)
    first = FIRST_VALIDATION if validation else FIRST_TEST
    seeds = range(first, first + people)
    tell(f"people {seeds[0]} to {seeds[-1]}; who is not in the cache is drawn")
    earlier = weights_of(before) if before else None
    old = {} if earlier is None else values_of(tried(earlier, seeds, workers))
    now = values_of(tried(weights, seeds, workers))
    print(report(now, old))
    if not validation:
        end(records_of(now, old, weights, earlier, seeds), record, measure)


if __name__ == "__main__":
    run(main)
