"""Making many digital humans: shards that appear whole, picking up where it stopped, and a cache."""

import json
import tarfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shutil import rmtree

from tqdm.auto import tqdm

from lca_core.data.records import Person
from lca_core.data.shards import join_shards, write_shard
from lca_core.engines import Engine, local
from lca_core.errors import InputError
from lca_core.paths import atomic_path, cache_dir
from lca_core.people.domains.domains import render_person
from lca_core.people.domains.processes import draw_missing, drawing, file_of
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.profiles import Profile
from lca_core.profiles import profile as profile_named

PEOPLE_A_SHARD = 8
PICTURES = (".body.png", ".body.jpg", ".face.png", ".face.jpg")  # members of a shard that count as pictures made


def render_people(
    seeds: Sequence[int],
    domain: str,
    profile: Profile | str,
    out: Path | str,
    workers: int = 2,
    progress: bool = True,
    truth: bool = False,
    engine: Engine = local,
) -> list[Path]:
    """Render people and write them as WebDataset shards `domain-00000.tar`, ... of eight people each.

    A shard appears only when it is whole, and people drawn already are kept: the same call after an interruption,
    kill -9 included, goes on where it stopped. engine: who draws, `engines.local` or `on_ray` (then `out` must be seen
    by all machines); the shards are the same. truth: with depth, normals, parts and lights. InputError when `out`
    holds another set (other seeds, domain, profile or truth, or drawn by other code). Returns the paths of all
    shards and prints how many pictures a second were made.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    out, seeds = Path(out), [int(s) for s in seeds]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"a {domain} person is asked for twice; give each seed once")
    description = {"domain": domain, "profile": profile.name, "truth": truth, "seeds": seeds, "rendering": RENDERING}
    _claim(out / f"{domain}.json", description)
    batches = [seeds[i : i + PEOPLE_A_SHARD] for i in range(0, len(seeds), PEOPLE_A_SHARD)]
    paths = [out / f"{domain}-{i:05d}.tar" for i in range(len(batches))]
    todo = {path: batch for path, batch in zip(paths, batches, strict=True) if not path.exists()}
    folder = out / f".{domain}"  # a file a person, until their shard is whole
    if not todo:
        rmtree(folder, ignore_errors=True)  # left by a process that was killed
        return paths
    shard_of = {seed: path for path, batch in todo.items() for seed in batch}
    lacking = {path: set(batch) for path, batch in todo.items()}
    draw = partial(_draw, domain=domain, profile=profile, truth=truth)
    there = {seed for seed in shard_of if file_of(folder, domain, seed).exists()}
    start, pictures = time.perf_counter(), 0
    drawn = drawing(folder, domain, list(shard_of), draw, workers, engine)
    for seed in tqdm(drawn, desc=domain, total=len(shard_of), unit="person", disable=not progress):
        path = shard_of[seed]
        pictures += 0 if seed in there else _pictures_in(file_of(folder, domain, seed))
        lacking[path].discard(seed)
        if not lacking[path]:
            files = [file_of(folder, domain, member) for member in todo[path]]
            join_shards(path, files)
            for file in files:
                file.unlink()
    rmtree(folder)
    seconds = time.perf_counter() - start
    speed = f"{pictures / seconds:.2f} a second"
    print(f"{domain}: {pictures} pictures of {len(shard_of) - len(there)} people in {seconds:.0f} s, {speed}")
    return paths


def _pictures_in(shard: Path) -> int:
    with tarfile.open(shard) as tar:
        return sum(name.endswith(PICTURES) for name in tar.getnames())


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
    engine: Engine = local,
) -> list[Path]:
    """Shards in the cache with these people, one each and in this order, rendered on first use.

    What notebooks, benchmarks and verify call: `read_people` takes the list. Arguments as `render_people`'s.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    folder = cache_dir("people", f"{domain}-{profile.name}-{digest_of(RENDERING, profile.recording, truth)}")
    draw = partial(_draw, domain=domain, profile=profile, truth=truth)
    return draw_missing(folder, domain, seeds, draw, workers, progress, engine)


def _draw(seed: int, path: Path, domain: str, profile: Profile, truth: bool) -> None:
    write_shard(path, [render_person(seed, domain, profile, truth)])
