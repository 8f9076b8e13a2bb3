"""A folder of anybody's clips and photographs to shards of clean records, on one machine or many.

Every item is curated on its own (`items.curate_item`), by the engine of choice; then copies are dropped, clips of one
person grouped and dealt to a split together, and the shards, the manifest, the datasheet and the report page written.
An item that is through is not curated again: what was interrupted goes on where it stopped. What was replaced, or
failed for no fault of its own, is (`items.through`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lca_core.curation.duplicates import find_duplicates
from lca_core.curation.filters import Reason
from lca_core.curation.finding import search
from lca_core.curation.identity import SPLITS, group, split_of_person
from lca_core.curation.items import Entry, Job, forget, key_of, through
from lca_core.curation.reports import write_datasheet, write_manifest, write_report
from lca_core.data.records import Person
from lca_core.data.shards import read_people, write_shard
from lca_core.errors import InputError
from lca_core.paths import atomic_path

PEOPLE_A_SHARD = 64  # records
SPLITS_FILE = "splits.json"
HELD_OUT_FIRST = ("test", "validation", "train")
_PRIVATE = ("face", "seconds", "given", "stamp")
_SMALLNESS = {"small_face", "no_face"}  # what a smaller copy of a good clip is dropped for
Engine = Callable[[Sequence[Path], Job], Iterable[Entry]]


@dataclass(frozen=True)
class Collection:
    """What a curated folder holds. entries: of all items, by key; files: what was written beside the work folder;
    left_out: what in the input is no item, path -> why."""

    entries: tuple[Entry, ...]
    files: tuple[Path, ...]
    left_out: dict[Path, str] = field(default_factory=dict)

    @property
    def kept(self) -> tuple[Entry, ...]:
        """Those that became records."""
        return tuple(entry for entry in self.entries if entry.keep)


def curate(job: Job, engine: Engine, progress: bool = True) -> Collection:
    """Curate all items below `job.root` into `job.out`; InputError when there are none, or when `out` holds what was
    curated otherwise."""
    if job.root.is_dir() and job.out.is_relative_to(job.root):
        raise InputError(f"{job.out} lies in the input, {job.root}; give a folder outside")
    found = search(job.root)
    _claim(job)
    dealt = read_splits(job.out)
    entries = {item: entry for item in found.items if (entry := through(item, job)) is not None}
    waiting = [item for item in found.items if item not in entries]
    for item in waiting:
        forget(item, job)
    with tqdm(total=len(found.items), initial=len(entries), unit="item", disable=not progress) as bar:
        kept = 0
        for entry in engine(waiting, job) if waiting else ():
            kept += entry.keep
            bar.set_postfix(kept=kept)
            bar.update()
    entries |= {item: Entry.read(job.work / f"{key_of(item, job.root)}.json") for item in waiting}
    settled = settle(sorted(entries.values(), key=lambda entry: entry.key), dealt)
    return Collection(settled, tuple(_write(settled, found.left_out, job)), found.left_out)


def settle(entries: Sequence[Entry], before: Mapping[str, str] | None = None) -> tuple[Entry, ...]:
    """Entries with copies dropped, people numbered and dealt to splits. People without a face are each their own.

    Copies are told of what is kept. A copy so small that it was dropped for its face is still called one; a montage or
    a frozen picture of what is kept is not. before: sha256 -> split of what was dealt before (`read_splits`): a person
    any of whose files was held out for testing stays so, whatever is added, and else for validation, and else trains.
    """
    settled, before = list(entries), before or {}
    places = {entry.key: i for i, entry in enumerate(entries)}
    sought = [i for i, entry in enumerate(entries) if {reason.kind for reason in entry.reasons} <= _SMALLNESS]
    for copy, original in find_duplicates(
        [np.array([int(bits, 16) for bits in entries[i].fingerprint], np.uint64) for i in sought],
        [(entries[i].keep, entries[i].pixels) for i in sought],
    ).items():
        mine, other = entries[sought[copy]], entries[sought[original]]
        if other.keep:
            reason = Reason("duplicate", f"The same as {other.file}, which is kept.")
            settled[sought[copy]] = replace(mine, keep=False, reasons=(*mine.reasons, reason), original=other.key)
    known = [i for i, entry in enumerate(settled) if entry.keep and entry.face]
    people = dict(zip(known, group(np.array([settled[i].face for i in known]).reshape(-1, 128)).tolist()))
    alone = [i for i, entry in enumerate(settled) if entry.keep and not entry.face]
    first = len(set(people.values()))
    people |= {i: first + n for n, i in enumerate(alone)}
    files: dict[int, set[str]] = {}
    for i, person in people.items():
        files.setdefault(person, set()).add(settled[i].sha256)
    for copy in settled:  # who was known by a copy is known by it still
        if copy.original is not None and (owner := people.get(places[copy.original])) is not None:
            files[owner].add(copy.sha256)
    splits = {person: _split(known_by, before) for person, known_by in files.items()}
    for i, person in people.items():
        settled[i] = replace(settled[i], identity=person, split=splits[person])
    return tuple(settled)


def _split(files: set[str], before: Mapping[str, str]) -> str:
    dealt = {before[sha256] for sha256 in files if sha256 in before}
    return next((split for split in HELD_OUT_FIRST if split in dealt), None) or split_of_person(min(files))


def read_splits(out: Path) -> dict[str, str]:
    """sha256 -> split of all that was dealt before in this folder; what was deleted since is remembered."""
    path = out / SPLITS_FILE
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict) or not set(found.values()) <= set(SPLITS):
            raise ValueError("not hashes and splits")
        return found
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, OSError) as error:
        raise InputError(
            f"{path} says who is held out, and cannot be read ({error}); put it back, or delete it to deal people anew"
        ) from error


def _write_splits(entries: Sequence[Entry], job: Job) -> None:
    """Note who was dealt where, copies with their originals."""
    splits = {entry.key: entry.split for entry in entries if entry.split}
    dealt = {e.sha256: split for e in entries if (split := e.split or splits.get(e.original or "")) and e.sha256}
    with atomic_path(job.out / SPLITS_FILE) as partial:
        partial.write_text(json.dumps(read_splits(job.out) | dealt, indent=0, sort_keys=True) + "\n")


def _claim(job: Job) -> None:
    """Note in the folder how it is curated; refuse to mix two ways."""
    path = job.out / "settings.json"
    if job.out.exists() and not job.out.is_dir():
        raise InputError(f"{job.out} is a file; give a folder for what is curated")
    if path.exists():
        if json.loads(path.read_text()) != job.description:
            raise InputError(
                f"{job.out} holds what was curated otherwise (see {path}); give the same options, or another folder"
            )
    elif job.out.exists() and any(job.out.iterdir()):
        raise InputError(f"{job.out} is not empty; give a new folder")
    job.work.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(job.description, indent=1) + "\n")


def _write(entries: Sequence[Entry], left_out: Mapping[Path, str], job: Job) -> Iterator[Path]:
    """Shards of each split, then entries, manifest, datasheet and report."""
    _write_splits(entries, job)
    shards = []
    for split in SPLITS:
        chosen = [entry for entry in entries if entry.keep and entry.split == split]
        folder = job.out / split
        wanted = [folder / f"{split}-{n:06d}.tar" for n in range(-(-len(chosen) // PEOPLE_A_SHARD))]
        for n, path in enumerate(wanted):
            write_shard(path, _records(chosen[n * PEOPLE_A_SHARD : (n + 1) * PEOPLE_A_SHARD], job))
        for path in set(folder.glob("*.tar")) - set(wanted):
            path.unlink()
        shards += wanted
    yield from shards
    path = job.out / "entries.jsonl"
    with atomic_path(path) as partial:
        partial.write_text("".join(json.dumps(_public(entry)) + "\n" for entry in entries))
    yield path
    yield write_manifest(shards, entries, job)
    yield write_datasheet(entries, job, left_out)
    yield write_report(entries, job, left_out)


def _records(entries: Sequence[Entry], job: Job) -> Iterator[Person]:
    for entry in entries:
        person = next(read_people(job.work / f"{entry.key}.tar"))
        yield replace(person, meta=person.meta | {"identity": entry.identity, "split": entry.split})


def _public(entry: Entry) -> dict:
    """An entry without the face (biometric data stay in the work folder) and what differs from run to run."""
    document = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return {name: value for name, value in document.items() if name not in _PRIVATE}
