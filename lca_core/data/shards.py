"""Records on disk: WebDataset shards (plain tar files), one sample a person.

A sample's key is the person's id; its members are `person.json` (shape, cameras, driving signals, meta) and the
pictures, `000.body.png`, `000.body_matte.png`, `000.face.png`, `000.face_matte.png`, `001...` (jpg where the
picture was compressed when taken). `webdataset.WebDataset(path)` reads them too.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lca_core.data.images import decode, encode
from lca_core.data.records import Camera, Frame, Person, Picture
from lca_core.errors import InputError
from lca_core.paths import atomic_path


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


def shard_paths(folder: Path | str) -> list[Path]:
    """The shards of a folder (or the one tar given), sorted by name; InputError when there are none."""
    folder = Path(folder)
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.tar"))
    if not paths:
        raise InputError(f"{folder} has no shards (*.tar); make some with `python -m lca_core people --out {folder}`")
    return paths


def read_people(folder: Path | str) -> Iterator[Person]:
    """People of every shard in a folder (or of one tar), in order; InputError names a broken shard."""
    for path in shard_paths(folder):
        try:
            with tarfile.open(path) as tar:
                key, members = None, {}
                for info in tar:
                    if not info.isfile():
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


def _members(person: Person) -> Iterator[tuple[str, bytes]]:
    kind = "jpg" if person.meta.get("compressed") else "png"
    document = {
        "id": person.id, "domain": person.domain, "seed": person.seed, "betas": _numbers(person.betas),
        "meta": person.meta, "frames": [_frame_document(f) for f in person.frames],
    }  # fmt: skip
    yield "person.json", json.dumps(document).encode()
    for i, frame in enumerate(person.frames):
        for name in ("body", "face"):
            picture = getattr(frame, name)
            if picture is not None:
                yield f"{i:03d}.{name}.{kind}", encode(picture.image, kind)
                yield f"{i:03d}.{name}_matte.png", encode(picture.matte)


def _frame_document(frame: Frame) -> dict:
    return {
        "theta": _numbers(frame.theta), "root": _numbers(frame.root), "gaze": _numbers(frame.gaze),
        "actions": None if frame.actions is None else _numbers(frame.actions), "instant": frame.instant,
        "body": _camera_document(frame.body.camera),
        "face": None if frame.face is None else _camera_document(frame.face.camera),
    }  # fmt: skip


def _camera_document(camera: Camera) -> dict:
    return {"viewmat": _numbers(camera.viewmat), "K": _numbers(camera.K), "size": [camera.width, camera.height]}


def _numbers(values: np.ndarray) -> list:
    # Nine significant digits carry a float32 exactly.
    return np.vectorize(lambda x: float(f"{x:.9g}"), otypes=[float])(np.asarray(values, np.float32)).tolist()


def _person(members: dict[str, bytes]) -> Person:
    document = json.loads(members["person.json"])

    def picture(i: int, name: str, camera: dict) -> Picture:
        pixels = members.get(f"{i:03d}.{name}.png") or members[f"{i:03d}.{name}.jpg"]
        width, height = camera["size"]
        viewmat, K = (np.array(camera[k], np.float32) for k in ("viewmat", "K"))
        return Picture(decode(pixels), decode(members[f"{i:03d}.{name}_matte.png"]), Camera(viewmat, K, width, height))

    frames = []
    for i, f in enumerate(document["frames"]):
        arrays = {k: np.array(f[k], np.float32) for k in ("theta", "root", "gaze")}
        actions = None if f["actions"] is None else np.array(f["actions"], np.float32)
        face = None if f["face"] is None else picture(i, "face", f["face"])
        frames.append(Frame(picture(i, "body", f["body"]), face, **arrays, actions=actions, instant=f["instant"]))
    betas = np.array(document["betas"], np.float32)
    return Person(document["id"], document["domain"], document["seed"], betas, tuple(frames), document["meta"])
