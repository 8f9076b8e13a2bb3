"""Shards that somebody made to hang, fill or fool a machine: each is refused, for its reason, in little memory."""

import dataclasses
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lca_core.data import read_people, write_shard
from lca_core.errors import InputError
from tests.data.people import random_person
from tests.memory import peak_of

Files = dict[str, bytes]


def files_of(path: Path) -> Files:
    """A good shard's files, by name."""
    write_shard(path, [random_person(0)])
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}


def pack(path: Path, files: Files, mode: str = "w") -> None:
    with tarfile.open(path, mode, format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """An RGB PNG that says it is so large, with these compressed rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


KEY, DOCUMENT, BODY = "studio-000000", "studio-000000.person.json", "studio-000000.000.body.png"


def changed(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """A shard whose person.json was changed; what the change returns, if anything, stands in its place."""

    def make(path: Path) -> None:
        files = files_of(path)
        document = json.loads(files[DOCUMENT])
        instead = change(document)
        files[DOCUMENT] = json.dumps(document if instead is None else instead).encode()
        pack(path, files)

    return make


def replaced(name: str, data: bytes) -> Callable[[Path], None]:
    """A shard one file of which is another."""
    return lambda path: pack(path, files_of(path) | {name: data})


def frame(document: dict) -> dict:
    return document["frames"][0]


def huge_everywhere(path: Path) -> None:
    """The camera agrees with the picture's claim."""
    files = files_of(path)
    document = json.loads(files[DOCUMENT])
    frame(document)["body"]["size"] = [8000, 8000]
    rows = zlib.compress(bytes(1000))
    pack(path, files | {DOCUMENT: json.dumps(document).encode(), BODY: png(8000, 8000, rows)})


def header(name: str, size: bytes, kind: bytes, more: bytes = b"") -> bytes:
    """A tar header with a right checksum. size: twelve bytes; more: what is after the owner's name."""
    head = name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size + b"00000000000\0" + b" " * 8
    head = (head + kind + bytes(100) + b"ustar\x0000" + bytes(80) + more).ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def gnu_sparse(path: Path) -> None:
    """10 KB that unpack to 300 MB."""
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("nothing"))
    real = b"%011o\0" % 300_000_000
    sparse = header(
        DOCUMENT, b"%011o\0" % 512, b"S", bytes(41) + b"%011o\0%011o\0" % (299_999_488, 512) + bytes(73) + real
    )
    path.write_bytes(sparse + bytes(512 * 19))


def headed(size: bytes, kind: bytes = b"0") -> Callable[[Path], None]:
    """A shard whose first header says this size and kind."""
    return lambda path: path.write_bytes(header(DOCUMENT, size, kind) + b"{}".ljust(512, b"\0") + bytes(1024))


def renamed(path: Path) -> None:
    pack(path, {name.replace(KEY, "studio-000001"): data for name, data in files_of(path).items()})


def without(name: str) -> Callable[[Path], None]:
    return lambda path: pack(path, {n: data for n, data in files_of(path).items() if n != name})


def put(name: str, value: object) -> Callable[[Path], None]:
    """The first frame with another value."""
    return changed(lambda document: frame(document).update({name: value}))


def camera(**changes: list) -> dict:
    return {"viewmat": np.eye(4).tolist(), "K": np.eye(3).tolist(), "size": [28, 28]} | changes


def unended(path: Path) -> None:
    """Cut between two people, where nothing but the missing end tells."""
    write_shard(path, [random_person(0), random_person(1)])
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"studio-000001.person.json")])


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a list": (changed(lambda document: [document]), "person.json is a list, not dict"),
    "null frames": (changed(lambda document: document.update(frames=None)), "frames is None"),
    "no frame": (changed(lambda document: document.update(frames=[])), "frames is a tuple of 0"),
    "a frame that is a number": (changed(lambda document: document.update(frames=[3])), "frame 0 is 3"),
    "a number for a camera": (put("body", 7), "frame 0: body is 7"),
    "null for the body": (put("body", None), "frame 0: body is missing"),
    "brackets 100,000 deep": (replaced(DOCUMENT, b"[" * 100_000), "nested too deep"),
    "a million brackets": (replaced(DOCUMENT, b"[" + b"[]," * 10**6 + b"0]"), "person.json is 3,000,003 bytes with"),
    "thirty megabytes of text": (replaced(DOCUMENT, b'"' + b"x" * 30_000_000 + b'"'), "person.json is 30,000,002"),
    "text that is no JSON": (replaced(DOCUMENT, b"\xff{"), "is not JSON"),
    "NaN as theta": (put("theta", [float("nan")] * 138), "NaN is no number of JSON"),
    "beyond float32 as theta": (put("theta", [1e300] * 138), "frame 0: theta holds NaN or infinite"),
    "an endless number": (replaced(DOCUMENT, b'{"seed": ' + b"9" * 100_000 + b"}"), "is not JSON"),
    "five numbers as theta": (put("theta", [0.0] * 5), r"frame 0: theta is \[5\] float32; wanted: \[138\]"),
    "text as theta": (put("theta", ["0.0"] * 138), "frame 0: theta holds what is not a number"),
    "null in gaze": (put("gaze", [None] * 4), "frame 0: gaze holds what is not a number"),
    "ragged root": (put("root", [[1.0], [2.0, 3.0]]), "frame 0: root is no array"),
    "two betas": (changed(lambda document: document.update(betas=[0.0, 1.0])), r"betas is \[2\]"),
    "a seed beyond the last": (changed(lambda document: document.update(seed=11_000)), "seed is 11000"),
    "an id that climbs": (changed(lambda document: document.update(id="../../etc")), "its id is '../../etc'"),
    "meta nested deep": (changed(lambda d: d.update(meta={"a": json.loads("[" * 60 + "]" * 60)})), "meta is nested"),
    "another's id": (renamed, "its id is 'studio-000000'"),
    "a camera of no size": (put("body", camera(size=[0, 0])), "width is 0"),
    "a flat camera": (put("body", camera(viewmat=[[0.0] * 4] * 4)), "viewmat is"),
    "a picture of 20,000 x 20,000": (replaced(BODY, png(20_000, 20_000)), "400000000 pixels"),
    "a camera and a picture of 8,000 x 8,000": (huge_everywhere, "64,000,000 pixels up to here"),
    "a picture without its rows": (replaced(BODY, png(28, 28, b"\0")), "is a broken picture"),
    "a picture that is a program": (replaced(BODY, b"%!PS-Adobe-3.0 EPSF-3.0\nquit\n"), "is no PNG or JPEG"),
    "no matte": (without("studio-000000.000.body_matte.png"), "000.body_matte.png is missing"),
    "no person.json": (without(DOCUMENT), "person.json is missing"),
    "a sparse file of 300 MB": (gnu_sparse, "is a sparse file"),
    "a file of 8 GB": (headed(b"77777777777\0"), "claims 8,589,934,591 bytes"),
    "a size in base 256": (headed(b"\x80" + bytes(6) + b"\xff" * 5), "not a plain tar"),
    "a negative size": (headed(b"-0000000001\0"), "not a plain tar"),
    "an extended header of 8 GB": (headed(b"77777777777\0", b"x"), "is an extended header"),
    "a link": (headed(b"00000000000\0", b"2"), "is a link"),
    "a device": (headed(b"00000000000\0", b"3"), "is a device"),
    "compressed": (lambda path: pack(path, files_of(path), "w:gz"), "not a plain tar"),
    "no end": (unended, "without an end marker"),
    "nobody": (lambda path: pack(path, {}), "holds nobody"),
    "only strangers": (lambda path: pack(path, {"README.md": b"hello"}), "holds nobody"),
    "an empty file": (lambda path: path.write_bytes(b""), "without an end marker"),
}  # fmt: skip


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_shard_is_refused_for_its_reason_in_little_memory(tmp_path, how):
    make, reason = HOSTILE[how]
    make(tmp_path / "bad.tar")

    def refuse() -> None:
        with pytest.raises(InputError, match=rf"bad\.tar.*{reason}"):
            list(read_people(tmp_path / "bad.tar", truth=True))

    assert peak_of(refuse) < 100e6


@pytest.mark.parametrize("light", ["cut short", "claims much", "of objects", "another type"])
def test_a_hostile_light_is_refused(tmp_path, light):
    environment = np.ones((4, 8, 3), np.float16)
    person = random_person(0)
    lit = tuple(dataclasses.replace(frame, environment=environment) for frame in person.frames)
    write_shard(tmp_path / "bad.tar", [dataclasses.replace(person, frames=lit)])
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object) if light == "of objects" else environment.astype(np.float64))
    data = buffer.getvalue()
    with tarfile.open(tmp_path / "bad.tar") as tar:
        files = {info.name: tar.extractfile(info).read() for info in tar}
    good = files[f"{KEY}.000.light.npy"]
    if light == "cut short":
        data = good[:-2]
    elif light == "claims much":
        data = good.replace(b"(4, 8, 3), }   ", b"(9999, 8, 3), }")
    pack(tmp_path / "bad.tar", files | {f"{KEY}.000.light.npy": data})
    with pytest.raises(InputError, match=r"bad\.tar.*000\.light\.npy is no array of float16"):
        list(read_people(tmp_path / "bad.tar", truth=True))
    assert len(list(read_people(tmp_path / "bad.tar"))) == 1, "without truth nobody asks for the light"


@pytest.mark.parametrize(
    "field, value",
    [
        ("theta", np.full(138, np.nan, np.float32)),
        ("gaze", np.zeros(5, np.float32)),
        ("instant", -1),
        ("root", np.zeros(6, int)),
    ],
)
def test_nothing_is_written_that_would_not_be_read(tmp_path, field, value):
    person = random_person(0)
    person = dataclasses.replace(person, frames=(dataclasses.replace(person.frames[0], **{field: value}),))
    with pytest.raises(InputError, match=f"studio-000000.*frame 0: {field}"):
        write_shard(tmp_path / "a.tar", [person])
    assert not list(tmp_path.iterdir())
