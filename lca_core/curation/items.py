"""One item of a collection - a clip, or a folder of one person's photographs - to an entry, and files beside it."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from lca_core.curation.duplicates import fingerprint
from lca_core.curation.filters import LIMITS, Limits, Reason
from lca_core.curation.finding import photos_in
from lca_core.curation.photos import photos_record, plain_name, see_good_photos
from lca_core.curation.pictures import clip_strip, record_strip
from lca_core.curation.stages import CuratedFrame, Settings, curate_clip, measure_frame
from lca_core.data.records import Person
from lca_core.data.shards import write_shard
from lca_core.paths import atomic_path
from lca_core.profiles import profile as profile_of
from lca_core.workers import SECONDS


@dataclass(frozen=True)
class Job:
    """How items are curated: all that a worker is told. root: the folder they are named from; out: where to write;
    seconds: for one item, after which it is given up; it decides no outcome but that one."""

    root: Path
    out: Path
    profile: str = "laptop"
    rate: float = 2.5
    most: int = 16
    licence: str = "not stated"
    consent: str = "not stated"
    limits: Limits = LIMITS
    seconds: float = SECONDS

    @property
    def work(self) -> Path:
        """The folder of entries, records and pictures, a few files an item."""
        return self.out / "work"

    @property
    def description(self) -> dict:
        """What decides the outcome; plain JSON."""
        names = ("profile", "rate", "most", "licence", "consent")
        return {"input": str(self.root), **{n: getattr(self, n) for n in names}, "limits": asdict(self.limits)}


@dataclass(frozen=True)
class Entry:
    """What is known of an item when it is through.

    key: its file name below `Job.work`, without endings; file: its path from the root; kind: "clip" or "photographs";
    sha256: of the file (of the files' hashes, for a folder); measures: plain numbers, by name; kept, frames: pictures
    kept and looked at; pixels: of the latter together; seconds: of computing it took; face: 128 numbers or none;
    fingerprint: hexadecimal; left_out: of a folder that is kept, why some photographs are not; given: seconds after
    which it was given up, 0 where it was not; stamp: sizes and dates of its files, by which one that was replaced is
    found; identity, split, original: filled in once all are known - number of the person, its split, the key of what it
    is a copy of.
    """

    key: str
    file: str
    kind: str
    sha256: str
    keep: bool
    reasons: tuple[Reason, ...] = ()
    measures: dict = field(default_factory=dict)
    kept: int = 0
    frames: int = 0
    pixels: int = 0
    seconds: float = 0.0
    face: tuple[float, ...] = ()
    fingerprint: tuple[str, ...] = ()
    left_out: tuple[Reason, ...] = ()
    given: float = 0.0
    stamp: str = ""
    identity: int | None = None
    split: str | None = None
    original: str | None = None

    @classmethod
    def read(cls, path: Path) -> "Entry":
        """From its JSON file."""
        document = json.loads(path.read_text())
        for name in ("reasons", "left_out"):
            document[name] = tuple(Reason(*reason) for reason in document.get(name, ()))
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in document.items()})

    def write(self, path: Path) -> None:
        """To its JSON file, atomically."""
        with atomic_path(path) as partial:
            partial.write_text(json.dumps(asdict(self)))


def key_of(item: Path, root: Path) -> str:
    """A file name for an item that no other item below the root has."""
    digest = hashlib.sha256(_name(item, root).encode(errors="surrogateescape")).hexdigest()
    return f"{plain_name(item)[:60]}-{digest[:8]}"


def through(item: Path, job: Job) -> Entry | None:
    """The entry of an item that need not be curated (again), or None.

    Curated again is what was replaced since, what failed for no fault of its own, what took longer than it was given
    and is given more now, and what lacks its record.
    """
    path = job.work / f"{key_of(item, job.root)}.json"
    try:
        entry = Entry.read(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    kinds = {reason.kind for reason in entry.reasons}
    if "failed" in kinds or ("slow" in kinds and job.seconds > entry.given):
        return None
    if entry.keep and not (job.work / f"{entry.key}.tar").exists():
        return None
    if entry.stamp != (stamp := _stamp(item)):
        if entry.sha256 != _digest(item):
            return None
        entry = replace(entry, stamp=stamp)  # touched or copied, not changed
        entry.write(path)
    return entry


def forget(item: Path, job: Job) -> None:
    """Remove what is known of an item."""
    for ending in (".json", ".tar", ".jpg"):  # the entry first: without it the rest is nothing
        (job.work / f"{key_of(item, job.root)}{ending}").unlink(missing_ok=True)


def curate_item(item: Path, job: Job) -> Entry:
    """Curate one item; writes its record (.tar) where it is kept, its pictures (.jpg) and, last, its entry (.json).

    Nothing is raised for what is wrong with the item.
    """
    started, entry = time.process_time(), unknown_entry(item, job)
    try:
        made, person, strip = (_photographs if item.is_dir() else _clip)(item, job, entry)
    except Exception as error:  # a fault of ours; it must not stop the rest, and is told
        said = f"{type(error).__name__}: {error}".replace(f"{job.root}", "").replace(f"{job.out}", "")
        made, person, strip = replace(entry, reasons=(Reason("failed", f"A stage failed ({said})."),)), None, None
    if strip is not None:
        with atomic_path(job.work / f"{entry.key}.jpg") as partial:
            Image.fromarray(strip).save(partial, "JPEG", quality=85)
    if person is not None:
        write_shard(job.work / f"{entry.key}.tar", [replace(person, id=entry.key, meta=person.meta | _terms(job))])
    made = replace(made, seconds=round(time.process_time() - started, 3))
    made.write(job.work / f"{made.key}.json")
    return made


def unknown_entry(item: Path, job: Job, *reasons: Reason) -> Entry:
    """The entry of an item that nothing but its file is known of, dropped for these reasons."""
    kind, stamp = "photographs" if item.is_dir() else "clip", _stamp(item)
    return Entry(key_of(item, job.root), _name(item, job.root), kind, _digest(item), False, reasons, stamp=stamp)


def _name(item: Path, root: Path) -> str:
    """Its path from the root, or its own name where it is the root."""
    return item.relative_to(root).as_posix() if item != root else item.name


def _terms(job: Job) -> dict:
    return {"licence": job.licence, "consent": job.consent}


def _clip(item: Path, job: Job, entry: Entry) -> tuple[Entry, Person | None, np.ndarray | None]:
    clip = curate_clip(item, Settings(profile_of(job.profile), job.rate, job.most, job.limits))
    reasons = tuple(Reason(r.kind, r.text.replace(f"{item}", entry.file)) for r in clip.verdict.reasons)
    made = replace(
        entry, keep=clip.verdict.keep, reasons=reasons, kept=len(clip.kept_frames) if clip.verdict.keep else 0,
        frames=len(clip.frames), pixels=_pixels(frame.image for frame in clip.frames),
        measures=_plain(asdict(clip.measures) | _means(clip.frames)) if clip.frames else {},
        face=_numbers(clip.face),
        fingerprint=() if clip.fingerprint is None else _hexadecimal(clip.fingerprint),
    )  # fmt: skip
    return made, clip.person, clip_strip(clip) if clip.frames else None


def _photographs(item: Path, job: Job, entry: Entry) -> tuple[Entry, Person | None, np.ndarray | None]:
    paths = photos_in(item)
    photos, refused = see_good_photos(paths)
    wrong = tuple(Reason(kind, text.replace(f"{item}", entry.file)) for kind, text in refused.values())
    if photos is None:
        return replace(entry, frames=len(paths), reasons=wrong), None, None
    # what a camera saw of a person whose parameters were found in the pictures: what clips of people are, too
    person = replace(photos_record(photos, profile_of(job.profile)), domain="wild")
    faces = [face for face in photos.faces if face is not None]
    looked = (CuratedFrame(0, 0.0, i, (p,), m) for i, p, m in zip(photos.images, photos.people, photos.mattes))
    seen = tuple(replace(frame, measures=measure_frame(frame)) for frame in looked)
    made = replace(
        entry, keep=True, kept=len(photos.paths), frames=len(paths), pixels=_pixels(photos.images), left_out=wrong,
        face=_numbers(np.mean(faces, 0) if faces else None),
        fingerprint=_hexadecimal(fingerprint(photos.images)), measures=_plain(_means(seen)),
    )  # fmt: skip
    return made, person, record_strip(person)


def _means(frames: tuple[CuratedFrame, ...]) -> dict[str, float]:
    """Mean measures of the frames with one person in them."""
    measured = [f.measures for f in frames if f.measures is not None and f.measures.people == 1]
    names = ("face_px", "sharpness", "brightness", "clipped", "motion")
    return {name: float(np.mean([getattr(m, name) for m in measured])) for name in names} if measured else {}


def _pixels(images: Iterable[np.ndarray]) -> int:
    return sum(image.shape[0] * image.shape[1] for image in images)


def _plain(measures: dict[str, float]) -> dict[str, float]:
    """Six digits, without what is not known."""
    return {name: float(f"{value:.6g}") for name, value in measures.items() if np.isfinite(value)}


def _numbers(face: np.ndarray | None) -> tuple[float, ...]:
    return () if face is None else tuple(float(f"{x:.6g}") for x in face)


def _hexadecimal(prints: np.ndarray) -> tuple[str, ...]:
    return tuple(f"{int(bits):016x}" for bits in prints)


def _digest(item: Path) -> str:
    """sha256 of a file, or of the names and hashes of a folder's photographs; "" for what cannot be read."""
    digest = hashlib.sha256()
    try:
        if item.is_dir():
            for path in photos_in(item):
                digest.update(f"{path.name}\0{_digest(path)}\n".encode(errors="surrogateescape"))
            return digest.hexdigest()
        with open(item, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _stamp(item: Path) -> str:
    """Sizes and dates of an item's files, in a few letters: quicker than their hashes; "" for what cannot be seen."""
    try:
        states = [(path.name, path.stat()) for path in (photos_in(item) if item.is_dir() else [item])]
    except OSError:
        return ""
    told = "".join(f"{name}\0{state.st_size} {state.st_mtime_ns}\n" for name, state in states)
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:16]
