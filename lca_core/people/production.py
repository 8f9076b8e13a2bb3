"""Making many digital humans: shards that appear whole, picking up where it stopped, and a cache."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from lca_core.data.records import Person
from lca_core.data.shards import write_shard
from lca_core.errors import InputError
from lca_core.paths import atomic_path, cache_dir
from lca_core.people.domains import render_person
from lca_core.people.processes import draw_missing, pool
from lca_core.profiles import Profile
from lca_core.profiles import profile as profile_named

PEOPLE_A_SHARD = 8
RENDERING = 6  # raise when people or their pictures change, so that caches are made anew


def render_people(
    seeds: Sequence[int],
    domain: str,
    profile: Profile | str,
    out: Path | str,
    workers: int = 2,
    progress: bool = True,
    truth: bool = False,
) -> list[Path]:
    """Render people and write them as WebDataset shards `domain-00000.tar`, ... of eight people each.

    A shard appears only when it is whole, and shards already there are kept: the same call after an interruption,
    kill -9 included, goes on where it stopped. truth: with depth, normals, parts and lights. InputError when `out`
    holds another set (other seeds, domain, profile or truth, or drawn by other code). Returns the paths of all shards
    and prints how many pictures a second were made.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    out, seeds = Path(out), [int(s) for s in seeds]
    description = {"domain": domain, "profile": profile.name, "truth": truth, "seeds": seeds, "rendering": RENDERING}
    _claim(out / f"{domain}.json", description)
    batches = [seeds[i : i + PEOPLE_A_SHARD] for i in range(0, len(seeds), PEOPLE_A_SHARD)]
    paths = [out / f"{domain}-{i:05d}.tar" for i in range(len(batches))]
    todo = [(path, batch) for path, batch in zip(paths, batches, strict=True) if not path.exists()]
    waiting = [seed for _, batch in todo for seed in batch]
    if not waiting:
        return paths
    start, pictures = time.perf_counter(), 0
    people = _in_processes(waiting, domain, profile, truth, workers)
    people = iter(tqdm(people, desc=domain, total=len(waiting), unit="person", disable=not progress))
    for path, batch in todo:
        shard = [next(people) for _ in batch]
        write_shard(path, shard)
        pictures += sum(pictures_of(person) for person in shard)
    next(people, None)  # lets the bar close
    seconds = time.perf_counter() - start
    speed = f"{pictures / seconds:.2f} a second"
    print(f"{domain}: {pictures} pictures of {len(waiting)} people in {seconds:.0f} s, {speed}")
    return paths


def _in_processes(seeds: list[int], domain: str, profile: Profile, truth: bool, workers: int) -> Iterator[Person]:
    """People in the order of the seeds. A process that dies is replaced; two deaths over one person are the end."""
    done, died_at = 0, -1
    while done < len(seeds):
        waiting = seeds[done:]
        try:
            with pool(workers) as processes:
                draw = partial(render_person, domain=domain, profile=profile, truth=truth)
                for person in processes.map(draw, waiting):
                    done += 1
                    yield person
        except BrokenProcessPool as error:
            if died_at == done:
                raise RuntimeError(
                    f"rendering {domain} person {seeds[done]} (or one just after) killed its process "
                    "twice; finished shards are kept: run again, with more memory if it ran out"
                ) from error
            died_at = done


def pictures_of(person: Person) -> int:
    """How many pictures were drawn of a person: full bodies and face crops."""
    return sum(1 + (frame.face is not None) for frame in person.frames)


def _claim(path: Path, description: dict) -> None:
    """Note beside the shards what they hold; refuse to mix two sets."""
    if path.exists():
        if json.loads(path.read_text()) != description:
            raise InputError(
                f"{path.parent} already holds other {description['domain']} people (see {path.name}); "
                "give another folder, or remove it first"
            )
        return
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(description))


def cached_people(
    seeds: Sequence[int],
    domain: str,
    profile: Profile | str,
    workers: int = 2,
    truth: bool = False,
    progress: bool = True,
) -> list[Path]:
    """Shards in the cache with these people, one each and in this order, rendered on first use.

    What notebooks, benchmarks and verify call: `read_people` takes the list. Arguments as `render_people`'s.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    folder = cache_dir("people", f"{domain}-{profile.name}-{digest_of(RENDERING, profile.recording, truth)}")
    return draw_missing(
        folder, domain, seeds, partial(_draw, domain=domain, profile=profile, truth=truth), workers, progress
    )


def digest_of(*what: object) -> str:
    """16 characters that name a cache's contents: they change with any of `what` (plain JSON)."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def _draw(seed: int, path: Path, domain: str, profile: Profile, truth: bool) -> None:
    write_shard(path, [render_person(seed, domain, profile, truth)])
