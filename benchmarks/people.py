"""How believable, how different and how quickly made the digital humans of `lca_core.people` are.

Faces are judged on portraits (`lca_core.evaluation.portraits`: 256 px, from the front, casual light), bodies on
records of the domains, the crowd on specs alone, speed on records made afresh.
"""

import json as json_format
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from reporting import begin, columns, end, run, tell, yardstick
from splats import machine, others_seconds
from tqdm.auto import tqdm

from lca_core.data import read_people, write_shard
from lca_core.errors import InputError
from lca_core.evaluation.crowd_figures import contact_sheet
from lca_core.evaluation.drapery import drapery
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.expressiveness import Expressiveness, cached_expressive, expressiveness, summaries
from lca_core.evaluation.face_sheets import moods_sheet, repertoire_sheet
from lca_core.evaluation.humans import Inspection, face_mesh_rate, identity, inspect, pose_rate, worst
from lca_core.evaluation.portraits import DOMAIN, PX, SHOTS, cached_portraits
from lca_core.evaluation.recognition import equal_error_rate
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.judges.face_network import SAME_PERSON
from lca_core.judges.summaries import Summary
from lca_core.paths import FIGURES, atomic_path
from lca_core.people.domains.domains import DOMAINS, render_person
from lca_core.people.domains.processes import prepare
from lca_core.people.domains.production import cached_people, pictures_of
from lca_core.people.who.crowd import ADULT, TRAITS, class_share_min, class_shares
from lca_core.people.who.shape import AGE_CLASSES
from lca_core.people.who.spec import SKIRTS, sample_person
from lca_core.profiles import profile as profile_named
from lca_core.workers import ONE_THREAD, Worker, in_workers, shared, started

FIRST_VALIDATION, FIRST_TEST, TEST_PEOPLE = 9_000, 10_000, 1_000
RECORDED_PEOPLE = 200
PARTS = ("speed", "crowd", "looks", "faces", "cloth")  # of the measurement, each by itself if wanted
POSED = 64  # people whose records bodies are looked for in
WORST = 8  # people named
SHEET = 64  # people on a sheet of a domain
SHEET_MOMENTS = 3  # recorded of them in domains that are drawn for the sheet alone
SHEET_PX = 224  # of their phone photographs
EXPRESSIVE = 64  # people whose faces move
CLOTHED = 48  # people whose loose cloth is looked at
SKIRTED = 32  # people in skirts whose wild clips are looked at
PLANNED = 1_000_000  # people of the plan for a cluster
PLANNED_CORES, PLANNED_DAYS = 1_000, 7
# What another machine's numbers may differ by.
TOLERANCES = {
    "face_mesh_rate": 0.01, "pose_rate": 0.01, "identity_eer": 0.005, "class_share_min": 0.002,
    "cloth_deviation_mm": 3.0, "cloth_poke_through": 0.001, "wild_cloth_deviation_mm": 3.0,
    "smile_widening": 0.02, "smile_lift": 0.02,
    "jaw_opening": 0.03, "lid_closing": 0.04, "brow_travel_mesh": 0.015, "neutral_level": 0.01, "brow_travel": 0.002,
    "eye_shown": 0.02, "face_mesh_rate_extreme": 0.01,
}  # fmt: skip
WHY = "pictures come out a little otherwise, and detectors decide at a line; cloth amplifies last bits"


@dataclass(frozen=True)
class Plan:
    """What is measured. seeds: people looked at; crowd: seeds of the specs; timed: seeds made afresh for the speed,
    of which the first compiles and does not count."""

    seeds: range
    domains: tuple[str, ...]
    profile: str
    crowd: range
    timed: range
    shots: int
    workers: int


# --- Looks -----------------------------------------------------------------------------------------------------


def inspected(paths: Sequence[Path], workers: int) -> list[Inspection]:
    """Every person of these shards, looked at by `workers` processes."""
    found = dict(in_workers(_inspect_shard, Worker.ask, paths, workers))
    return [one for path in paths for one in found[path]]


def _inspect_shard(path: Path) -> tuple[Path, list[Inspection]]:
    return path, [inspect(person) for person in read_people(path)]


def looks(plan: Plan) -> dict:
    """Face mesh, pose, identity, and who did worst."""
    tell(f"portraits of {len(plan.seeds)} people")
    portraits = inspected(cached_portraits(plan.seeds, plan.shots, plan.workers), plan.workers)
    records, posed = [], plan.seeds[:POSED]
    for domain in plan.domains:
        tell(f"{domain} records of {len(posed)} people")
        records += inspected(cached_people(posed, domain, plan.profile, plan.workers), plan.workers)
    told = identity(portraits)
    alike = told.pairs.among({person: _kin(int(person)) for person in told.pairs.people})
    return {
        "face_mesh_rate": asdict(face_mesh_rate(portraits)),
        "face_mesh_rate_of_records": asdict(face_mesh_rate(records)) if any(one.faces for one in records) else None,
        "pose_rate": asdict(pose_rate(records)),
        "identity_eer": {
            "value": told.equal_error_rate,
            "ci95": told.ci95,
            "threshold": told.threshold,
            "n_people": len(told.pairs.people),
            "n_frames": sum(look.embedding is not None for one in portraits for look in one.faces),
            "same_pairs": len(told.pairs.same),
            "different_pairs": len(told.pairs.different),
            "different_pairs_under_0.6": float((told.pairs.different < SAME_PERSON).mean()),
            "histogram": told.pairs.histogram(),
            "of_same_sex_and_age_class": equal_error_rate(alike.same, alike.different)[0]
            if len(alike.different)
            else None,
        },
        "worst_portraits": [asdict(one) for one in worst(portraits, WORST, told)],
        "worst_records": [asdict(one) for one in worst(records, WORST)],
    }


def _kin(seed: int) -> str:
    """Sex and age class as text."""
    return " ".join(str(trait.of(sample_person(seed))) for trait in TRAITS if trait.name in ("sex", "age"))


# --- Sheets ----------------------------------------------------------------------------------------------------


def sheets(plan: Plan, results: dict, folder: Path) -> list[Path]:
    """Figures in a folder: people_<domain>.jpg, one picture a person of the first 64; people_worst.jpg, the portraits
    of those who gave detectors and recogniser most trouble; people_moods.jpg, the 64 at rest, smiling and with an open
    mouth; people_repertoire.jpg, the first through every facial action, emotion and viseme."""
    seeds = plan.seeds[:SHEET]
    short = replace(profile_named(plan.profile), wild_frames=SHEET_MOMENTS, phone_px=SHEET_PX)
    paths = {DOMAIN: cached_portraits(seeds, plan.shots, plan.workers)}
    for domain in DOMAINS:
        tell(f"sheet of {domain}")
        sizes = plan.profile if domain in plan.domains else short
        paths[domain] = cached_people(seeds, domain, sizes, plan.workers)
    chosen = {
        domain: [
            replace(person, frames=person.frames[turn % len(person.frames) :])  # another side, light or style each
            for turn, person in enumerate(read_people(shards))
        ]
        for domain, shards in paths.items()
    }
    reasons = listed(results["worst_portraits"])
    chosen["worst"] = list(read_people(cached_portraits([int(seed) for seed in reasons], plan.shots, plan.workers)))
    captions = {seed: f"{seed}\n{reason}" for seed, reason in reasons.items()}
    figures = {
        name: contact_sheet(people, captions if name == "worst" else None, faces=name not in DOMAINS)
        for name, people in chosen.items()
    }
    figures |= {"moods": moods_sheet(seeds, plan.workers), "repertoire": repertoire_sheet(seeds[0])}
    written = []
    for name, figure in figures.items():
        path = folder / f"people_{name}.jpg"
        with atomic_path(path) as partial:
            figure.savefig(partial, format="jpg", dpi=100, pil_kwargs={"quality": 85})
        plt.close(figure)
        written.append(path)
    return written


# --- The crowd -------------------------------------------------------------------------------------------------


def crowd(seeds: Iterable[int]) -> dict:
    """Shares of classes, and the smallest."""
    people = [sample_person(seed) for seed in seeds]
    return {"n_people": len(people), "shares": class_shares(people), "smallest": asdict(class_share_min(people))}


# --- Speed and size --------------------------------------------------------------------------------------------


def speed(plan: Plan) -> dict:
    """Pictures with all truth, made and written afresh: a second, of a core's second, and their bytes."""
    counted = plan.timed[1:]
    jobs = list(product(counted, plan.domains))
    first = [(plan.timed[0], domain) for domain in plan.domains for _ in range(plan.workers)]
    begun, others = time.perf_counter(), others_seconds()
    with tempfile.TemporaryDirectory() as folder:
        make = partial(_make, profile=plan.profile, folder=folder)
        with started(plan.workers, make, None, prepare, ONE_THREAD) as processes:
            tell(f"speed: {len(first)} records that do not count, to compile")
            list(shared(processes, Worker.ask, first))
            tell(f"speed: {len(jobs)} records")
            start = time.perf_counter()
            made = list(shared(processes, Worker.ask, jobs))
            seconds = time.perf_counter() - start
    others = max(0.0, others_seconds() - others) / (time.perf_counter() - begun)
    pictures, size, busy = (sum(values) for values in zip(*made))
    sizes = profile_named(plan.profile)
    return {
        "images_per_second": pictures / seconds,
        "images_per_core_second": pictures / busy,
        "megabytes_per_1000_images": size / pictures / 1000,
        "images_per_person": pictures / len(counted),
        "people": len(counted),
        "pictures": pictures,
        "px": {"body": sizes.body_px, "face": sizes.face_px},
        "samples_per_pixel": sizes.samples_per_pixel,
        "workers": plan.workers,
        "cores_used_by_others": round(others, 3),
        "yardstick": yardstick(),
    }


def _make(job: tuple[int, str], profile: str, folder: str) -> tuple[int, int, float]:
    """(pictures, bytes of the shard, processor seconds) of one record, of a seed and a domain."""
    seed, domain = job
    start = time.process_time()
    person = render_person(seed, domain, profile, truth=True)
    path = Path(folder, f"{person.id}-{time.monotonic_ns()}.tar")
    write_shard(path, [person])
    return pictures_of(person), path.stat().st_size, time.process_time() - start


def cluster(measured: dict) -> dict:
    """What a million people would take at the measured sizes, from processor seconds: no overhead of a cluster."""
    pictures = PLANNED * measured["images_per_person"]
    core_days = pictures / measured["images_per_core_second"] / 86_400
    return {
        "people": PLANNED,
        "pictures": pictures,
        "core_days": core_days,
        f"days_on_{PLANNED_CORES}_cores": core_days / PLANNED_CORES,
        f"cores_for_{PLANNED_DAYS}_days": core_days / PLANNED_DAYS,
        "terabytes": pictures * measured["megabytes_per_1000_images"] / 1e9,
    }


# --- Cloth -----------------------------------------------------------------------------------------------------


def _drapery(seed: int, domain: str) -> tuple[int, list]:
    return seed, drapery(seed, domain)


def in_skirts(seeds: Iterable[int]) -> list[int]:
    """The first SKIRTED of these people who wear skirts or dresses of their own."""
    return list(islice((seed for seed in seeds if sample_person(seed).bottom.kind in SKIRTS), SKIRTED))


def cloth(seeds: Sequence[int], workers: int, domain: str = "garment") -> dict:
    """Deviation from skinning and poke-through over the loose garments of these people, in a domain's clips."""
    found = in_workers(partial(_drapery, domain=domain), Worker.ask, seeds, workers, seconds=None)
    drapes = dict(tqdm(found, desc=f"{domain} cloth", unit="person", total=len(seeds)))
    every = [drape for seed in seeds for drape in drapes[seed]]
    skirts = [drape for drape in every if drape.part != "coat"]
    return {
        "people": len(drapes),
        "garments": len(every),
        "deviation_mm": float(np.mean([d.deviation_mm for d in skirts])),
        "deviation_mm_by_motion": {
            name: float(np.mean([d.deviation_mm for d in skirts if d.motion == name]))
            for name in sorted({d.motion for d in skirts})
        },
        "poke_through": float(np.mean([d.poke_through for d in every])),
        "poke_through_worst": max(d.poke_through for d in every),
        "skinned_poke_through": float(np.mean([d.skinned_poke_through for d in every])),
    }


# --- Faces -----------------------------------------------------------------------------------------------------


def _expressiveness(path: Path) -> tuple[Path, list[Expressiveness]]:
    return path, [expressiveness(person) for person in read_people(path, truth=True)]


def faces(seeds: Sequence[int], workers: int) -> dict:
    """How far the faces of these people move (`lca_core.evaluation.expressiveness`)."""
    tell(f"expressive faces of {len(seeds)} people")
    paths = cached_expressive(seeds, workers)
    found = dict(in_workers(_expressiveness, Worker.ask, paths, workers))
    return {name: asdict(value) for name, value in summaries(one for path in paths for one in found[path]).items()}


# --- Telling ---------------------------------------------------------------------------------------------------


def measured(plan: Plan, parts: Sequence[str] = PARTS) -> dict:
    """These parts, as one dictionary of plain numbers."""
    sizes = profile_named(plan.profile)
    results = {"machine": machine(plan.workers), "seeds": [plan.seeds[0], plan.seeds[-1]], "profile": plan.profile}
    results |= {"domains": list(plan.domains), "portraits": {"px": PX, "shots": plan.shots}, "parts": list(parts)}
    results["px"] = {"body": sizes.body_px, "face": sizes.face_px}
    if "speed" in parts:
        results["speed"] = speed(plan)
        results["cluster"] = cluster(results["speed"])
    if "crowd" in parts:
        results["crowd"] = crowd(plan.crowd)
    if "looks" in parts:
        results |= looks(plan)
    if "faces" in parts:
        results["faces"] = faces(plan.seeds[:EXPRESSIVE], plan.workers)
    if "cloth" in parts:
        results["cloth"] = cloth(plan.seeds[:CLOTHED], plan.workers)
        results["wild_cloth"] = cloth(in_skirts(plan.seeds), plan.workers, "wild")
    return results


def report(results: dict) -> str:
    """The measurements as text."""
    parts = results["parts"]
    rows = [row for part in parts for row in _ROWS[part](results)]
    lines = [
        f"{results['machine']['cpu']}, {results['machine']['cores']} cores",
        f"people {results['seeds'][0]} to {results['seeds'][1]}, {' and '.join(results['domains'])}, "
        f"profile {results['profile']}",
        "",
        *columns(("measure", "value", "95% interval", "people", "pictures", ""), rows),
    ]
    if "speed" in parts:
        plan, quick = results["cluster"], results["speed"]
        lines += [
            "",
            f"other programs used {quick['cores_used_by_others']:.2f} cores while speed was measured",
            f"{plan['people']:,} such people, {quick['images_per_person']:.0f} pictures each: {plan['core_days']:,.0f} "
            f"core days, that is {plan[f'days_on_{PLANNED_CORES}_cores']:.1f} days on {PLANNED_CORES:,} cores or "
            f"{plan[f'cores_for_{PLANNED_DAYS}_days']:,.0f} cores for {PLANNED_DAYS} days; {plan['terabytes']:.1f} TB",
        ]
    for name in ("worst_portraits", "worst_records") if "looks" in parts else ():
        lines += ["", name.replace("_", " ") + ":"]
        lines += [f"  {one['person']}  {one['trouble']:.2f}  {'; '.join(one['reasons'])}" for one in results[name]]
    return "\n".join(lines)


def _row(name: str, value: dict, what: str) -> tuple[str, ...]:
    return name, f"{value['value']:.3f}", span(value["ci95"]), *counts(value), what


def _looks_rows(results: dict) -> list[tuple[str, ...]]:
    told, row = results["identity_eer"], _row
    px, small = results["portraits"]["px"], results["face_mesh_rate_of_records"]
    rows = [
        row("face_mesh_rate", results["face_mesh_rate"], f"portraits, {px} px"),
        *([row("", small, f"records, {results['px']['face']} px")] if small else []),
        row("pose_rate", results["pose_rate"], f"records, {results['px']['body']} px"),
        row("identity_eer", told, f"threshold {told['threshold']:.2f}, {told['different_pairs']:,} different pairs"),
    ]
    if told["of_same_sex_and_age_class"] is not None:
        rows.append(("", f"{told['of_same_sex_and_age_class']:.3f}", "", "", "", "... of the same sex and age class"))
    share = f"{told['different_pairs_under_0.6']:.3f}"
    return [*rows, ("", share, "", "", "", "of different pairs nearer than dlib's 0.6")]


def _crowd_rows(results: dict) -> list[tuple[str, ...]]:
    rare, people = results["crowd"]["smallest"], f"{results['crowd']['n_people']}"
    return [
        ("class_share_min", f"{rare['share']:.3f}", span(rare["ci95"]), people, "", f"{rare['trait']}: {rare['kind']}")
    ]


def _speed_rows(results: dict) -> list[tuple[str, ...]]:
    quick = results["speed"]
    sizes = f"body {quick['px']['body']} px, face {quick['px']['face']} px"
    return [
        ("images_per_second", f"{quick['images_per_second']:.2f}", "", f"{quick['people']}", f"{quick['pictures']}",
         f"with all truth, {results['profile']}, {sizes}, {quick['workers']} workers"),
        ("megabytes per 1,000", f"{quick['megabytes_per_1000_images']:.0f}", "", "", "", "images"),
    ]  # fmt: skip


def _faces_rows(results: dict) -> list[tuple[str, ...]]:
    return [_row(name, value, "faces from the front") for name, value in results["faces"].items()]


def _cloth_rows(results: dict) -> list[tuple[str, ...]]:
    rows = []
    for name in ("wild_cloth", "cloth"):
        hung = results[name]
        moves = ", ".join(f"{name} {value:.0f}" for name, value in hung["deviation_mm_by_motion"].items())
        mean = f"{hung['deviation_mm']:.1f}"
        rows.append((f"{name}_deviation_mm", mean, "", f"{hung['people']}", "", f"skirts: {moves}"))
    through = f"worst {hung['poke_through_worst']:.4f}; by skinning {hung['skinned_poke_through']:.4f}"
    return [*rows, ("cloth_poke_through", f"{hung['poke_through']:.4f}", "", f"{hung['people']}", "", through)]


_ROWS = {"speed": _speed_rows, "crowd": _crowd_rows, "looks": _looks_rows, "faces": _faces_rows, "cloth": _cloth_rows}


def span(ci95: Sequence[float] | None) -> str:
    """An interval as text."""
    return "" if ci95 is None else f"{ci95[0]:.3f} to {ci95[1]:.3f}"


def counts(value: dict) -> tuple[str, str]:
    """Numbers of people and pictures as text."""
    return f"{value['n_people']}", f"{value['n_frames']}"


def listed(oddities: Sequence[dict]) -> dict[str, str]:
    """Person -> what was wrong, in words."""
    return {one["person"]: "; ".join(one["reasons"]) for one in oddities}


def records_made(results: dict) -> list[Record]:
    """The result records people/..."""
    first, last = results["seeds"]
    parts = results["parts"]
    only = "" if set(parts) == set(PARTS) else f" --only {' '.join(parts)}"
    source = provenance(f"python benchmarks/people.py{only} --record", {"benchmark": __file__}, [first, last],
                        seeds_are="first and last", drawn=drawn(results["domains"], results["profile"]))  # fmt: skip
    portrait = {
        "pictures": f"portraits (lca_core.evaluation.portraits): {results['portraits']['shots']} a person, {PX} px, "
        "yaw and pitch within 30 degrees, casual lights and backgrounds, quiet faces",
        "aggregation": "mean over pictures, then over people; 95% bootstrap over people",
    }
    profile = results["profile"]

    def about(name: str) -> dict:
        return {"tolerance": Tolerance(TOLERANCES[name], WHY), "provenance": source}

    def rate(name: str, value: dict, size: str, protocol: dict) -> Record:
        return record_of(f"people/{name}", Summary(**value), size, protocol, unit="", **about(name))

    def of_looks() -> list[Record]:
        mesh, pose, told = (results[name] for name in ("face_mesh_rate", "pose_rate", "identity_eer"))
        return [
        rate("face_mesh_rate", mesh, "", portrait | {
            "found": " ".join(face_mesh_rate.__doc__.split()), "worst": listed(results["worst_portraits"]),
        }),
        rate("pose_rate", pose, profile, {
            "pictures": f"full-body records, {' and '.join(results['domains'])}, {results['px']['body']} px",
            "found": " ".join(pose_rate.__doc__.split()), "aggregation": portrait["aggregation"],
            "worst": listed(results["worst_records"]),
        }),
        Record("people/identity_eer", told["value"], "", told["ci95"], told["n_people"], told["n_frames"], "",
               protocol=portrait | {
                   "network": "dlib ResNet, 128 numbers", "alignment": "recorded eyes, 150 px, over white",
                   "aggregation": "all pairs of pictures; 95% bootstrap over people", "pooled": "pairs of pictures",
                   **{k: told[k] for k in ("threshold", "same_pairs", "different_pairs", "different_pairs_under_0.6",
                                           "of_same_sex_and_age_class", "histogram")},
               }, **about("identity_eer")),
        ]  # fmt: skip

    def of_faces() -> list[Record]:
        protocol = {
            "pictures": "portraits from the front, 224 px, even light (lca_core.evaluation.expressiveness)",
            "measure": " ".join(Expressiveness.__doc__.split()), "aggregation": portrait["aggregation"],
        }  # fmt: skip
        return [rate(name, value, "", protocol) for name, value in results["faces"].items()]

    def of_speed() -> list[Record]:
        quick = results["speed"]
        return [
        Record("people/images_per_second", quick["images_per_second"], "images/s", None, quick["people"],
               quick["pictures"], profile, kind="timing", tolerance=TIMING, provenance=source, protocol={
                   "yardstick": quick["yardstick"],
                   "device": results["machine"] | {"cores_used_by_others": quick["cores_used_by_others"]},
                   "what": "pictures with all truth, written as shards; bodies and face crops count one each",
                   "left_out": "starting processes and compiling", "domains": results["domains"],
                   **{k: quick[k] for k in ("px", "samples_per_pixel", "workers", "images_per_core_second",
                                            "megabytes_per_1000_images")},
               })
        ]  # fmt: skip

    def of_crowd() -> list[Record]:
        rare = results["crowd"]["smallest"]
        return [
        Record("people/class_share_min", rare["share"], "", rare["ci95"], results["crowd"]["n_people"], 0, "",
               protocol={
                   "rarest": f"{rare['trait']}: {rare['kind']}", "shares": results["crowd"]["shares"],
                   "among": {trait.name: trait.among for trait in TRAITS},
                   "classes": f"adults and men from {ADULT:.0f} years; age classes {AGE_CLASSES}",
                   "aggregation": "least share of all classes of all traits; 95% bootstrap over people",
                   "pooled": "classes of all traits",
               }, **about("class_share_min"))
        ]  # fmt: skip

    def of_cloth() -> list[Record]:
        return [
            Record(f"people/{name}", results[kind][key], unit, None, results[kind]["people"], 0, "",
                 protocol={"what": what, "pooled": "garments of all people",
                           **{k: v for k, v in results[kind].items() if k != key}}, **about(name))
          for name, kind, key, unit, what in (
              ("cloth_deviation_mm", "cloth", "deviation_mm", "mm",
               "mean distance of free cloth of skirts from skinning, garment domain"),
              ("cloth_poke_through", "cloth", "poke_through", "",
               "share of a garment's visible area where covered skin shows, garment domain"),
              ("wild_cloth_deviation_mm", "wild_cloth", "deviation_mm", "mm",
               "mean distance of free cloth of skirts from skinning, over the moments of wild clips"),
          )
        ]  # fmt: skip

    made = {"speed": of_speed, "crowd": of_crowd, "looks": of_looks, "faces": of_faces, "cloth": of_cloth}
    return [record for part in parts for record in made[part]()]


def main(
    people: int = RECORDED_PEOPLE,
    domain: tuple[str, ...] = ("studio", "wild"),
    profile: str = "laptop",
    timed: int = 8,
    workers: int = 2,
    only: tuple[Literal["speed", "crowd", "looks", "faces", "cloth"], ...] = PARTS,
    drawings: bool = False,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Measure the digital humans: faces and bodies found, identities told apart, how faces move and cloth hangs,
    classes, speed, size. Some two hours on 2 cores the first time; pictures are kept in the cache. Speed is measured
    afresh: run nothing else then.

    Args:
        people: How many test people (seeds from 10,000) to draw and look at.
        domain: Domains of the records.
        profile: Sizes of the records.
        timed: People made afresh to measure the speed, after one that is not counted.
        workers: Processes.
        only: Parts of the measurement.
        drawings: Draw a sheet of 64 people of every domain into results/figures/, after "looks".
        quick: Three small validation people: whether it works (a few minutes).
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/people/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    if unknown := set(domain) - set(DOMAINS):
        raise InputError(f"no domain is called {', '.join(unknown)}; choose of {', '.join(DOMAINS)}")
    if not 2 <= people <= TEST_PEOPLE or not 1 <= timed < people or workers < 1 or not domain:
        raise InputError(
            f"--people must be 2 to {TEST_PEOPLE:,}, --timed 1 or more but fewer than them; --workers at least 1; "
            "and there must be a domain"
        )
    if (record or measure) and (quick or people < RECORDED_PEOPLE):
        raise InputError(f"--record and --measure need {RECORDED_PEOPLE} people or more, and no --quick")
    begin(record)
    profile_named(profile)
    test = range(FIRST_TEST, FIRST_TEST + people)
    plan = Plan(test, domain, profile, range(FIRST_TEST, FIRST_TEST + TEST_PEOPLE), test[: timed + 1], SHOTS, workers)
    if quick:
        few = range(FIRST_VALIDATION, FIRST_VALIDATION + 3)
        plan = Plan(few, domain, "smoke", range(FIRST_VALIDATION, FIRST_TEST), few[:2], 2, workers)
    if drawings and "looks" not in only:
        raise InputError('--drawings show the worst of "looks"; leave it in --only')
    results = measured(plan, only)
    print(json_format.dumps(results, indent=1) if json else report(results))
    if drawings:
        for path in sheets(plan, results, FIGURES):
            print(path, file=sys.stderr)
    if record or measure:
        end(records_made(results), record, measure)


if __name__ == "__main__":
    run(main)
