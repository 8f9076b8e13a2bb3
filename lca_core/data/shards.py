"""Records on disk: WebDataset shards (plain tar files), one sample a person.

A sample's key is the person's id; its members are `person.json` (shape, cameras, driving signals, meta) and the
pictures, `000.body.png`, `000.body_matte.png`, the same of `face`, `left_hand` and `right_hand`, `001...` (jpg where
the picture was compressed when taken), and `000.body_hidden.png` where something is known to hide the person. Where
there is truth: `000.body_depth.png` (16 bits, 1/8 mm), `000.body_normals.png` (127.5 (n + 1)), `000.body_parts.png`,
the same of the crops, and `000.light.npy`.
`webdataset.WebDataset(path)` reads them too.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from lca_core.data.images import decode, encode
from lca_core.data.records import HANDS, Camera, Frame, Person, Picture, Truth
from lca_core.errors import InputError
from lca_core.paths import atomic_path

DEPTH_UNIT = 1 / 8000  # metres


def write_shard(path: Path | str, people: Iterable[Person]) -> int:
    """Write people to one tar, atomically; returns how many. The same people give the same bytes."""
    count = 0
    with atomic_path(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for person in people:
            for name, data in _members(person):
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


def read_people(shards: Path | str | Sequence[Path], truth: bool = False) -> Iterator[Person]:
    """People of every shard in a folder, of one tar or of several, in order; InputError names a broken shard.

    truth: whether depth, normals, parts and light are read too, where there are any.
    """
    for path in shard_paths(shards):
        try:
            with tarfile.open(path) as tar:
                key, members = None, {}
                for info in tar:
                    if not info.isfile() or (not truth and info.name.endswith(_TRUTH)):
                        continue
                    sample, _, name = info.name.partition(".")
                    if sample != key and members:
                        yield _person(members)
                        members = {}
                    key = sample
                    members[name] = tar.extractfile(info).read()
                if members:
                    yield _person(members)
        except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, SyntaxError) as error:  # pictures: PIL
            raise InputError(f"{path} is not a whole shard ({error!r}); delete it and make it again") from error


_TRUTH = ("_depth.png", "_normals.png", "_parts.png", ".light.npy")


def _members(person: Person) -> Iterator[tuple[str, bytes]]:
    kind = "jpg" if person.meta.get("compressed") else "png"
    document = {
        "id": person.id, "domain": person.domain, "seed": person.seed, "betas": _numbers(person.betas),
        "meta": person.meta, "frames": [_frame_document(f) for f in person.frames],
    }  # fmt: skip
    yield "person.json", json.dumps(document).encode()
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


def _truth(members: dict[str, bytes], name: str) -> Truth | None:
    if f"{name}_depth.png" not in members:
        return None
    depth, normals, parts = (decode(members[f"{name}_{kind}.png"]) for kind in ("depth", "normals", "parts"))
    normals = normals.astype(np.float32) / 127.5 - 1
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return Truth(depth.astype(np.float32) * DEPTH_UNIT, normals * (parts > 0)[..., None], parts)


def _frame_document(frame: Frame) -> dict:
    return {
        "theta": _numbers(frame.theta), "root": _numbers(frame.root), "gaze": _numbers(frame.gaze),
        "actions": None if frame.actions is None else _numbers(frame.actions), "instant": frame.instant,
        "light": frame.light, "cloth": frame.cloth, "tracked": frame.tracked,
        **{name: _camera_document(picture.camera) for name, picture in frame.pictures.items()},
    }  # fmt: skip


def _camera_document(camera: Camera) -> dict:
    return {"viewmat": _numbers(camera.viewmat), "K": _numbers(camera.K), "size": [camera.width, camera.height]}


def _numbers(values: np.ndarray) -> list:
    # Nine significant digits carry a float32 exactly.
    return np.vectorize(lambda x: float(f"{x:.9g}"), otypes=[float])(np.asarray(values, np.float32)).tolist()


def _person(members: dict[str, bytes]) -> Person:
    document = json.loads(members["person.json"])

    def picture(i: int, name: str, camera: dict | None) -> Picture | None:
        if camera is None:
            return None
        pixels = members.get(f"{i:03d}.{name}.png") or members[f"{i:03d}.{name}.jpg"]
        width, height = camera["size"]
        viewmat, K = (np.array(camera[k], np.float32) for k in ("viewmat", "K"))
        matte, truth = decode(members[f"{i:03d}.{name}_matte.png"]), _truth(members, f"{i:03d}.{name}")
        hidden = members.get(f"{i:03d}.{name}_hidden.png")
        camera = Camera(viewmat, K, width, height)
        return Picture(decode(pixels), matte, camera, truth, None if hidden is None else decode(hidden))

    frames = []
    for i, f in enumerate(document["frames"]):
        arrays = {k: np.array(f[k], np.float32) for k in ("theta", "root", "gaze")}
        actions = None if f["actions"] is None else np.array(f["actions"], np.float32)
        environment = members.get(f"{i:03d}.light.npy")
        if environment is not None:
            environment = np.load(io.BytesIO(environment), allow_pickle=False)
        frames.append(
            Frame(
                picture(i, "body", f["body"]),
                picture(i, "face", f.get("face")),
                **arrays,
                actions=actions,
                instant=f["instant"],
                light=f.get("light", ""),
                environment=environment,
                cloth=f.get("cloth", False),
                hands=tuple(picture(i, name, f.get(name)) for name in HANDS),
                tracked=f.get("tracked", True),
            )  # fmt: skip
        )
    betas = np.array(document["betas"], np.float32)
    return Person(document["id"], document["domain"], document["seed"], betas, tuple(frames), document["meta"])


def samples(path: Path | str, start: int = 0, truth: bool = False) -> Iterator[tuple[int, dict[str, bytes]]]:
    """(byte at which it begins, members by name) of every sample of a shard, from the one that begins at `start` on.

    truth: as for `read_people`. InputError names a broken shard.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                key, begins, members = None, start, {}
                for info in tar:
                    if not info.isfile():
                        continue
                    sample, _, name = info.name.partition(".")
                    if sample != key:
                        if members:
                            yield begins, members
                        key, begins, members = sample, info.offset, {}
                    if truth or not info.name.endswith(_TRUTH):
                        members[name] = tar.extractfile(info).read()
                if members:
                    yield begins, members
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(f"{path} is not a whole shard ({error!r}); delete it and make it again") from error


def read_sample(path: Path | str, start: int) -> Person:
    """The one person whose sample begins at byte `start` of a shard, without truth; InputError as `read_people`."""
    try:
        return _person(next(samples(path, start))[1])
    except (StopIteration, KeyError, TypeError, ValueError, SyntaxError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a whole shard ({error!r}); delete it and make it again") from error
