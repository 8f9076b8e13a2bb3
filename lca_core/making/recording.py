"""A clip from a camera of this machine, for `following.follow`."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from lca_core.errors import InputError
from lca_core.paths import writable
from lca_core.viewer.video import write_mp4

_SIDE = 960  # px: what `follow` looks at is not larger


def record_clip(
    path: Path | str, seconds: float = 6.0, camera: int = 0, clock: Callable[[], float] = time.monotonic
) -> Path:
    """Record `seconds` of a camera into `path` (.mp4), which is returned; there is no sound.

    camera: its number on the machine that Python runs on, which need not be the one whose browser shows the notebook.
    InputError where there is no such camera, it gives no picture, or the clip cannot be written.
    """
    path = writable(Path(path))
    if path.suffix != ".mp4":
        raise InputError(f"{path} does not end in .mp4; only mp4 is written")
    if not 0.5 <= seconds <= 60:
        raise InputError(f"seconds must be 0.5 to 60, not {seconds:g}")
    source = cv2.VideoCapture(camera)
    try:
        if not source.isOpened():
            raise InputError(
                f"camera {camera} cannot be opened on the machine that Python runs on; plug one in, allow this program "
                "to use it, or film with a phone and give that file instead"
            )
        frames, began = [], clock()
        while clock() - began < seconds:
            there, frame = source.read()
            if not there:
                raise InputError(f"camera {camera} gave no picture; another program may be using it: close that one")
            frames.append(_even(frame[..., ::-1]))
        rate = max(round(len(frames) / max(clock() - began, 1e-6)), 1)
    finally:
        source.release()
    write_mp4(path, frames, rate)
    return path


def _even(frame: np.ndarray) -> np.ndarray:
    """RGB with sides that mp4 takes, even, and no larger than is looked at."""
    scale = min(1.0, _SIDE / max(frame.shape[:2]))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in frame.shape[1::-1])
    return cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=cv2.INTER_AREA)
