"""What a record must be: shapes, types, finite numbers, sizes. Whoever reads or writes people asks here, nobody else.

The limits are far beyond anything this project makes, and near enough that no record fills a machine's memory.
"""

import re
from collections.abc import Sequence

import numpy as np

from lca_core.data.records import Camera, Frame, Person, Picture
from lca_core.errors import InputError

MAX_FRAMES = 4096
MAX_SIDE = 8192  # px of a picture
MAX_DEPTH = 24  # of meta: lists in lists in lists
MAX_TEXT = 200  # characters of a name
SEEDS = 11_000
_ID, _DOMAIN = re.compile(r"[A-Za-z0-9_-]{1,90}"), re.compile(r"[a-z][a-z0-9_]{0,39}")


def check(person: Person) -> Person:
    """The person, when everything in it is as `records` says; else InputError naming the id and the field."""
    try:
        _check(person)
    except InputError as wrong:
        raise InputError(f"{_shown(person.id)}: {wrong}") from None
    return person


def _check(person: Person) -> None:
    _hold(isinstance(person.id, str) and _ID.fullmatch(person.id), "id", person.id, "a name of A-Z, a-z, 0-9, _, -")
    _hold(
        isinstance(person.domain, str) and _DOMAIN.fullmatch(person.domain),
        "domain",
        person.domain,
        "a name of a-z, 0-9, _",
    )
    _hold(person.seed is None or _whole(person.seed, 0, SEEDS - 1), "seed", person.seed, "0-10,999, or null")
    numbers("betas", person.betas, (300,))
    _hold(isinstance(person.meta, dict), "meta", person.meta, "an object of JSON")
    _check_plain("meta", person.meta, 0)
    frames = person.frames
    _hold(isinstance(frames, tuple) and 1 <= len(frames) <= MAX_FRAMES, "frames", frames, f"1 to {MAX_FRAMES:,} frames")
    for i, frame in enumerate(frames):
        _hold(isinstance(frame, Frame), f"frame {i}", frame, "a frame")
        _check_frame(f"frame {i}", frame)


def _check_frame(where: str, frame: Frame) -> None:
    for name, shape in (("theta", (138,)), ("root", (6,)), ("gaze", (4,))):
        numbers(f"{where}: {name}", getattr(frame, name), shape)
    if frame.actions is not None:
        numbers(f"{where}: actions", frame.actions, (52,))
    _hold(_whole(frame.instant, 0, 2**31 - 1), f"{where}: instant", frame.instant, "a number of an instant")
    text = isinstance(frame.light, str) and len(frame.light) <= MAX_TEXT
    _hold(text, f"{where}: light", frame.light, f"a name of at most {MAX_TEXT} characters")
    for name in ("cloth", "tracked"):
        _hold(isinstance(getattr(frame, name), bool), f"{where}: {name}", getattr(frame, name), "true or false")
    if frame.environment is not None:
        shape = np.shape(frame.environment)
        sides = len(shape) == 3 and shape[2] == 3 and 0 < shape[0] <= MAX_SIDE and 0 < shape[1] <= MAX_SIDE
        _hold(sides, f"{where}: environment", frame.environment, "[h, w, 3]")
        numbers(f"{where}: environment", frame.environment, shape, np.float16)
    hands = isinstance(frame.hands, tuple) and len(frame.hands) == 2
    _hold(hands, f"{where}: hands", frame.hands, "two, left and right")
    _hold(isinstance(frame.body, Picture), f"{where}: body", frame.body, "a picture")
    for name, picture in frame.pictures.items():
        _hold(isinstance(picture, Picture), f"{where}: {name}", picture, "a picture")
        check_camera(f"{where}: {name}", picture.camera)
        _check_pixels(f"{where}: {name}", picture)


def check_camera(where: str, camera: Camera) -> None:
    """InputError unless a camera is finite, looks somewhere, and takes pictures of a size that there is."""
    for name in ("width", "height"):
        _hold(_whole(getattr(camera, name), 1, MAX_SIDE), f"{where}: {name}", getattr(camera, name), f"1-{MAX_SIDE} px")
    numbers(f"{where}: viewmat", camera.viewmat, (4, 4))
    numbers(f"{where}: K", camera.K, (3, 3))
    upright = np.allclose(camera.viewmat[3], (0, 0, 0, 1), atol=1e-3) and np.linalg.det(camera.viewmat[:3, :3]) > 1e-6
    _hold(upright, f"{where}: viewmat", camera.viewmat, "a rotation and a translation over 0 0 0 1")
    focal = camera.K[0, 0] > 0 and camera.K[1, 1] > 0 and np.allclose(camera.K[2], (0, 0, 1), atol=1e-3)
    _hold(focal, f"{where}: K", camera.K, "a pinhole: positive focal lengths over 0 0 1")


def _check_pixels(where: str, picture: Picture) -> None:
    size = (picture.camera.height, picture.camera.width)
    _hold_array(where, picture.image, (*size, 3), np.uint8)
    _hold_array(f"{where}_matte", picture.matte, size, np.uint8)
    if picture.hidden is not None:
        _hold_array(f"{where}_hidden", picture.hidden, size, np.uint8)
    if picture.truth is not None:
        numbers(f"{where}_depth", picture.truth.depth, size)
        numbers(f"{where}_normals", picture.truth.normals, (*size, 3))
        _hold_array(f"{where}_parts", picture.truth.parts, size, np.uint8)


def numbers(where: str, value: np.ndarray, shape: Sequence[int], dtype: type = np.float32) -> None:
    """InputError unless `value` is an array of this shape, of floating-point numbers that are finite as `dtype`."""
    right = isinstance(value, np.ndarray) and value.shape == tuple(shape) and value.dtype.kind == "f"
    _hold(right, where, value, f"{list(shape)} {np.dtype(dtype).name}")
    with np.errstate(over="ignore"):
        if not np.isfinite(value.astype(dtype, copy=False)).all():
            raise InputError(f"{where} holds NaN or infinite numbers")


def _hold_array(where: str, value: object, shape: Sequence[int], dtype: type) -> None:
    right = isinstance(value, np.ndarray) and value.shape == tuple(shape) and value.dtype == dtype
    _hold(right, where, value, f"{list(shape)} {np.dtype(dtype).name}")


def _check_plain(where: str, value: object, depth: int) -> None:
    """InputError unless a value is plain JSON, not deeper than `MAX_DEPTH`, of finite numbers."""
    if depth > MAX_DEPTH:
        raise InputError(f"{where} is nested over {MAX_DEPTH} deep")
    if isinstance(value, dict):
        _hold(all(isinstance(key, str) for key in value), where, list(value)[:4], "an object whose keys are text")
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _check_plain(where, item, depth + 1)
    elif isinstance(value, float):
        _hold(np.isfinite(value), where, value, "finite numbers")
    else:
        _hold(value is None or isinstance(value, str | int), where, value, "plain JSON")


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _hold(right: object, where: str, value: object, wanted: str) -> None:
    if not right:
        raise InputError(f"{where} is {_shown(value)}; wanted: {wanted}")


def _shown(value: object) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"{list(value.shape)} {value.dtype}"
    if isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
