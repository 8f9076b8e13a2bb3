"""Records on disk: WebDataset shards (plain tar files), one sample a person.

A sample's key is the person's id; its members are `person.json` (shape, cameras, driving signals, meta) and the
pictures, `000.body.png`, `000.body_matte.png`, the same of `face`, `left_hand` and `right_hand`, `001...` (jpg where
the picture was compressed when taken), and `000.body_hidden.png` where something is known to hide the person. Where
there is truth: `000.body_depth.png` (16 bits, 1/8 mm), `000.body_normals.png` (127.5 (n + 1)), `000.body_parts.png`,
the same of the crops, and `000.light.npy`.
`webdataset.WebDataset(path)` reads them too.
"""

import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lca_core.data.check import check, check_camera
from lca_core.data.documents import PICTURES, read_document, write_document
from lca_core.data.images import decode, encode
from lca_core.data.records import Camera, Frame, Person, Picture, Truth
from lca_core.data.tars import BLOCK, Member, members
from lca_core.errors import InputError
from lca_core.paths import atomic_path

DEPTH_UNIT = 1 / 8000  # metres
MAX_MEMBER = 64 * 2**20  # bytes of a picture
PIXELS_FREE = 8_000_000  # of a person, whatever their bytes; beyond that
PIXELS_A_BYTE = 64  # a picture of ours has one or two, an empty one packed by a machine a thousand
_MEMBER = re.compile(r"person\.json|[0-9]{3,}\.(light\.npy|[a-z]+(_[a-z]+)*\.(png|jpg))")
# what numpy.save writes for float16 [h, w, 3], which numpy itself reads with Python's parser
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..{'descr': '<f2', 'fortran_order': False, 'shape': \(([0-9]{1,4}), ([0-9]{1,4}), 3\), } *\n",
    re.DOTALL,
)
TRUTH = ("_depth.png", "_normals.png", "_parts.png", ".light.npy")


def write_shard(path: Path | str, people: Iterable[Person]) -> int:
    """Write people to one tar, atomically; returns how many. The same people give the same bytes.

    InputError, as `check`, for a person that would not be read again.
    """
    count = 0
    with atomic_path(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for person in people:
            for name, data in _members(check(person)):
                info = tarfile.TarInfo(f"{person.id}.{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            count += 1
    return count


def join_shards(path: Path | str, parts: Sequence[Path]) -> None:
    """Write one tar of the people of several, atomically: the bytes that `write_shard` gives for them all."""
    with atomic_path(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for part in parts:
            with tarfile.open(part) as source:
                for info in source:
                    tar.addfile(info, source.extractfile(info))


def shard_paths(shards: Path | str | Sequence[Path]) -> list[Path]:
    """The shards of a folder, sorted by name, or those given (one, or several in their order).

    Halves of shards, left over by a process that was killed, are hidden files and do not count. InputError when there
    are none.
    """
    if not isinstance(shards, Path | str):
        return list(shards)
    folder = Path(shards)
    paths = [folder] if folder.is_file() else sorted(folder.glob("[!.]*.tar"))
    if not paths:
        raise InputError(f"{folder} has no shards (*.tar); make some with `python -m lca_core people --out {folder}`")
    return paths


def read_people(shards: Path | str | Sequence[Path], truth: bool = False, light: bool = False) -> Iterator[Person]:
    """People of every shard in a folder, of one tar or of several, in order.

    truth: whether depth, normals, parts and light are read too, where there are any; light: the light alone.
    InputError names the shard, the person and the field: a file that is no plain tar or is cut short, numbers and
    pictures of other shapes or sizes than `check` wants, and a shard that holds nobody.
    """
    for path in shard_paths(shards):
        try:
            file = open(path, "rb")  # closed below
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); give a folder of shards (*.tar)") from error
        count = 0
        with file:
            for key, found in samples(path, file):
                try:
                    person = person_in(file, key, found, truth, light)
                except InputError as error:
                    raise InputError(f"{path}: {error}; delete the shard and make it again") from error
                yield person
                count += 1
        if not count:
            raise InputError(f"{path} holds nobody; delete it and make it again")


def samples(path: Path | str, file: BinaryIO, start: int = 0) -> Iterator[tuple[str, dict[str, Member]]]:
    """(key, the files of a record by their names after the key) of every sample of an open tar; nothing is read yet.

    start: the byte at which the first of them begins (`begins`). Files that records do not have are passed over.
    InputError, naming `path`, as `tars.members`.
    """
    key, found = None, {}
    for member in members(path, file, start):
        sample, _, name = member.name.partition(".")
        if sample != key:
            if found:
                yield key, found
            key, found = sample, {}
        if _MEMBER.fullmatch(name):
            if member.size > MAX_MEMBER:
                raise InputError(f"{path}: {member.name} is {member.size:,} bytes; no picture takes that")
            found[name] = member
    if found:
        yield key, found


def begins(found: Mapping[str, Member]) -> int:
    """The byte of a tar at which a sample begins."""
    return min(member.start for member in found.values()) - BLOCK


def read_sample(path: Path | str, start: int) -> Person:
    """The one person whose sample begins at byte `start` of a shard, of truth the light alone; InputError as
    `read_people`."""
    with open(path, "rb") as file:
        try:
            key, found = next(samples(path, file, start))
            return person_in(file, key, found, light=True)
        except (InputError, StopIteration) as error:
            raise InputError(f"{path}: {error or 'nobody is there'}; delete the shard and make it again") from error


def person_in(
    file: BinaryIO, key: str, found: Mapping[str, Member], truth: bool = False, light: bool = False
) -> Person:
    """The person of one sample of an open tar, checked; InputError names the person and the field, not the tar.

    truth, light: what is read beside the pictures, as of `read_people`."""
    try:
        person = _built(file, found, truth, truth or light)
        if person.id != key:
            raise InputError(f"its id is {person.id[:90]!a}, not that of its files")
    except InputError as error:
        raise InputError(f"{key[:90]!a}: {error}") from error
    return check(person)


def _built(file: BinaryIO, found: Mapping[str, Member], truth: bool, light: bool) -> Person:
    """A person of whom nothing is checked but what reading needs."""
    document = read_document(_read(file, found, "person.json"))
    pixels = _Budget()

    def picture(i: int, name: str, camera: Camera | None) -> Picture | None:
        if camera is None:
            return None
        stem = f"{i:03d}.{name}"
        check_camera(stem, camera)

        def part(suffix: str, mode: str) -> np.ndarray:
            data = _read(file, found, stem + suffix)
            pixels.spend(stem + suffix, camera.width * camera.height, len(data))
            try:
                return decode(data, camera.width, camera.height, mode)
            except InputError as error:
                raise InputError(f"{stem}{suffix} {error}") from None

        image = part(".png" if f"{stem}.png" in found else ".jpg", "RGB")
        matte = part("_matte.png", "L")
        hidden = part("_hidden.png", "L") if f"{stem}_hidden.png" in found else None
        known = truth and f"{stem}_depth.png" in found
        kinds = (("_depth.png", "I;16"), ("_normals.png", "RGB"), ("_parts.png", "L"))
        return Picture(image, matte, camera, _truth(*(part(*kind) for kind in kinds)) if known else None, hidden)

    frames = []
    for i, fields in enumerate(document["frames"]):
        body, face, *hands = (picture(i, name, fields.pop(name)) for name in PICTURES)
        name = f"{i:03d}.light.npy"
        environment = _environment(name, _read(file, found, name)) if light and name in found else None
        frames.append(Frame(body, face, **fields, environment=environment, hands=tuple(hands)))
    return Person(**document | {"frames": tuple(frames)})


def _read(file: BinaryIO, found: Mapping[str, Member], name: str) -> bytes:
    if name not in found:
        raise InputError(f"{name} is missing")
    return found[name].read(file)


class _Budget:
    """Pixels that a person's pictures may unpack to, by the bytes they were packed in."""

    def __init__(self):
        self.pixels, self.bytes = 0, 0

    def spend(self, name: str, pixels: int, packed: int) -> None:
        """InputError where this picture is too much."""
        self.pixels, self.bytes = self.pixels + pixels, self.bytes + packed
        if self.pixels > max(PIXELS_FREE, PIXELS_A_BYTE * self.bytes):
            raise InputError(f"{name}: {self.pixels:,} pixels up to here in {self.bytes:,} bytes; no pictures are so")


def _members(person: Person) -> Iterator[tuple[str, bytes]]:
    kind = "jpg" if person.meta.get("compressed") else "png"
    yield "person.json", write_document(person)
    for i, frame in enumerate(person.frames):
        for name, picture in frame.pictures.items():
            yield f"{i:03d}.{name}.{kind}", encode(picture.image, kind)
            yield f"{i:03d}.{name}_matte.png", encode(picture.matte)
            if picture.hidden is not None:
                yield f"{i:03d}.{name}_hidden.png", encode(picture.hidden)
            if picture.truth is not None:
                yield from _truth_members(f"{i:03d}.{name}", picture.truth)
        if frame.environment is not None:
            buffer = io.BytesIO()
            np.save(buffer, frame.environment.astype(np.float16), allow_pickle=False)
            yield f"{i:03d}.light.npy", buffer.getvalue()


def _truth_members(name: str, truth: Truth) -> Iterator[tuple[str, bytes]]:
    yield f"{name}_depth.png", encode(np.round(truth.depth / DEPTH_UNIT).clip(0, 65535).astype(np.uint16))
    person = (truth.parts > 0)[..., None]
    yield f"{name}_normals.png", encode(np.where(person, np.round(127.5 * (truth.normals + 1)), 0).astype(np.uint8))
    yield f"{name}_parts.png", encode(truth.parts)


def _truth(depth: np.ndarray, normals: np.ndarray, parts: np.ndarray) -> Truth:
    normals = normals.astype(np.float32) / 127.5 - 1
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return Truth(depth.astype(np.float32) * DEPTH_UNIT, normals * (parts > 0)[..., None], parts)


def _environment(name: str, data: bytes) -> np.ndarray:
    """float16 of a .npy whose header claims as many numbers as follow it."""
    header = _NPY.match(data)
    shape = tuple(int(side) for side in header.groups()) if header else ()
    if not header or len(data) - header.end() != 6 * shape[0] * shape[1]:
        raise InputError(f"{name} is no array of float16 [h, w, 3], or not as long as it says")
    return np.frombuffer(data, "<f2", offset=header.end()).reshape(*shape, 3).copy()
