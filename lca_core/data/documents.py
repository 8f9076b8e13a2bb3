"""person.json, the part of a record that is no picture: written from a person, and read from anybody's bytes.

Reading believes nothing: the size of the text, how deep it goes, and the type of every field are checked here, before
a picture is opened; shapes and values are for `check`.
"""

import json
from typing import Any

import numpy as np

from lca_core.data.records import HANDS, Camera, Frame, Person
from lca_core.errors import InputError

MAX_BYTES = 6 * 2**20  # about 5 kB a frame are used
MAX_BRACKETS = 200_000  # about 60 a frame are used; a list takes memory by its bracket, a number by its digits
PICTURES = ("body", "face", *HANDS)


def write_document(person: Person) -> bytes:
    """JSON of all of a person but the pixels; InputError where it would be too large to be read again."""
    document = {
        "id": person.id, "domain": person.domain, "seed": person.seed, "betas": _numbers(person.betas),
        "meta": person.meta, "frames": [_frame_document(f) for f in person.frames],
    }  # fmt: skip
    data = json.dumps(document).encode()
    _bound(data)
    return data


def read_document(data: bytes) -> dict[str, Any]:
    """{"id", "domain", "seed", "betas", "meta", "frames"}; of each frame the fields of `records.Frame`, arrays as
    float32, and a `Camera` (or None) for each of `PICTURES`. InputError names the field that is missing or of another
    type."""
    _bound(data)
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError("person.json is nested too deep") from None
    except ValueError as error:
        raise InputError(f"person.json is not JSON ({error})") from None
    _field("person.json", document, dict)
    wanted = {"id": str, "domain": str, "seed": int | None, "betas": list, "meta": dict, "frames": list}
    found = {name: _member("person.json", document, name, kind) for name, kind in wanted.items()}
    frames = [_read_frame(f"frame {i}", frame) for i, frame in enumerate(found["frames"])]
    return found | {"betas": _array("betas", found["betas"]), "frames": frames}


def _read_frame(where: str, frame: object) -> dict[str, Any]:
    _field(where, frame, dict)
    found: dict[str, Any] = {
        name: _array(f"{where}: {name}", _member(where, frame, name, list)) for name in ("theta", "root", "gaze")
    }
    actions = _member(where, frame, "actions", list | None)
    found["actions"] = None if actions is None else _array(f"{where}: actions", actions)
    found["instant"] = _member(where, frame, "instant", int)
    for name, default in (("light", ""), ("cloth", False), ("tracked", True)):
        found[name] = _member(where, {name: default} | frame, name, type(default))
    for name in PICTURES:
        camera = _member(where, {name: None} | frame, name, dict | None)
        found[name] = None if camera is None else _read_camera(f"{where}: {name}", camera)
    if found["body"] is None:
        raise InputError(f"{where}: body is missing; every frame has a picture of the body")
    return found


def _read_camera(where: str, camera: dict) -> Camera:
    viewmat, K = (_array(f"{where}: {name}", _member(where, camera, name, list)) for name in ("viewmat", "K"))
    size = _member(where, camera, "size", list)
    if len(size) != 2 or not all(type(side) is int for side in size):
        raise InputError(f"{where}: size is {str(size)[:60]}; wanted: [width, height]")
    return Camera(viewmat, K, *size)


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


def _bound(data: bytes) -> None:
    brackets = data.count(b"[") + data.count(b"{")
    if len(data) > MAX_BYTES or brackets > MAX_BRACKETS:
        raise InputError(
            f"person.json is {len(data):,} bytes with {brackets:,} brackets; at most {MAX_BYTES:,} and {MAX_BRACKETS:,}"
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _array(where: str, value: list) -> np.ndarray:
    """float32 of lists of numbers, whatever their shape."""
    try:
        found = np.asarray(value)
    except ValueError:
        raise InputError(f"{where} is no array: its rows differ in length") from None
    if found.dtype.kind not in "iuf":
        raise InputError(f"{where} holds what is not a number (or one too large)")
    with np.errstate(over="ignore"):  # becomes infinite, which `check` refuses
        return found.astype(np.float32)


def _member(where: str, owner: dict, name: str, kind: type) -> Any:
    if name not in owner:
        raise InputError(f"{where}: {name} is missing")
    return _field(f"{where}: {name}", owner[name], kind)


def _field(where: str, value: object, kind: type) -> Any:
    """The value, when it is of this type; a truth value is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        shown = repr(value) if isinstance(value, int | float | None) else f"a {type(value).__name__}"
        raise InputError(f"{where} is {shown[:60]}, not {getattr(kind, '__name__', kind)}")
    return value
