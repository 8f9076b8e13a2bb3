"""Random access to people in shards: an index that is made once, and people read when they are asked for.

What a shard holds is noted in the cache beside the shard's size and time of change: where each person begins, what can
be told of them without decoding a picture, and a digest of what training reads of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from lca_core.data.documents import read_document
from lca_core.data.records import HANDS, Person
from lca_core.data.shards import TRUTH, begins, read_sample, samples, shard_paths
from lca_core.data.tars import Member
from lca_core.errors import InputError
from lca_core.paths import atomic_path, cache_dir

Data = Path | str | Sequence[Path | str] | Mapping[str, "Data"]
_FORMAT = 1  # raise when an index holds something else


@dataclass(frozen=True)
class Entry:
    """A person in a shard, F frames.

    shard, start: the file, and the byte at which the person's sample begins; digest: sha256 (16 characters of it) of
    all members but truth; px: side of the body pictures; has_face, has_hand (left, right): which crops there are.
    """

    id: str
    domain: str
    seed: int | None
    shard: Path
    start: int
    digest: str
    px: int
    has_face: tuple[bool, ...]
    has_hand: tuple[tuple[bool, bool], ...]


def index(data: Data) -> list[Entry]:
    """Everybody in folders of shards, or in shards, in order.

    data: a folder, a shard, several of them, or a mapping whose values are these (its keys are for the reader).
    InputError when a folder has no shards or a shard is broken.
    """
    return [entry for path in _paths(data) for entry in _indexed(path)]


def read_entry(entry: Entry) -> Person:
    """The person, of truth the light alone; InputError when the shard is broken, or holds another one now."""
    person = read_sample(entry.shard, entry.start)
    if person.id != entry.id:
        raise InputError(f"{entry.shard} was changed while it was read: {person.id} is where {entry.id} was")
    return person


def drawn_by(entries: Iterable[Entry]) -> dict[str, int]:
    """domain -> number of the code that drew its people (`RENDERING`), where a note beside the shards tells."""
    told = {}
    for note in sorted({entry.shard.parent / f"{entry.domain}.json" for entry in entries}):
        if note.exists() and "rendering" in (description := json.loads(note.read_text())):
            told[note.stem] = description["rendering"]
    return told


def _paths(data: Data) -> list[Path]:
    if isinstance(data, Path | str):
        return shard_paths(data)
    parts = data.values() if isinstance(data, Mapping) else data
    return [path for part in parts for path in _paths(part)]


def _indexed(path: Path) -> list[Entry]:
    """The people of one shard, from the cache where it is known."""
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); give shards that are there") from error
    state = [_FORMAT, status.st_size, status.st_mtime_ns]
    kept = cache_dir("shards") / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    if kept.exists() and (noted := json.loads(kept.read_text()))["state"] == state:
        return [_entry(path, **fields) for fields in noted["people"]]
    with path.open("rb") as file:
        entries = [_described(path, file, found) for _, found in samples(path, file)]
    with atomic_path(kept) as partial:
        people = [{k: v for k, v in asdict(entry).items() if k != "shard"} for entry in entries]
        partial.write_text(json.dumps({"state": state, "people": people}))
    return entries


def _described(path: Path, file: BinaryIO, found: Mapping[str, Member]) -> Entry:
    digest = hashlib.sha256()
    for name, member in found.items():
        if not name.endswith(TRUTH):
            content = member.read(file)
            digest.update(f"{name} {len(content)} ".encode() + content)
    try:
        if "person.json" not in found:
            raise InputError("person.json is missing")
        document = read_document(found["person.json"].read(file))
    except InputError as error:
        raise InputError(f"{path}: {error}; delete the shard and make it again") from error
    frames = document["frames"]
    return _entry(
        path, document["id"], document["domain"], document["seed"], begins(found), digest.hexdigest()[:16],
        frames[0]["body"].width, [f["face"] is not None for f in frames],
        [[f[hand] is not None for hand in HANDS] for f in frames],
    )  # fmt: skip


def _entry(path: Path, id, domain, seed, start, digest, px, has_face, has_hand) -> Entry:
    return Entry(id, domain, seed, path, start, digest, px, tuple(has_face), tuple(map(tuple, has_hand)))
