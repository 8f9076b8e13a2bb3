"""A camera's pictures become a clip; where there is none that is said."""

import cv2
import numpy as np
import pytest

from lca_core.curation.decode import read_clip
from lca_core.errors import InputError
from lca_core.making.recording import record_clip


class Camera:
    """Gives 1000 x 501 pictures, red growing, ten a second by a clock of its own; `good` of them."""

    def __init__(self, good: int = 1000, there: bool = True):
        self.good, self.there, self.given, self.released = good, there, 0, False

    def isOpened(self) -> bool:
        return self.there

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.given += 1
        if self.given > self.good:
            return False, None
        picture = np.zeros((501, 1000, 3), np.uint8)
        picture[..., 2] = min(20 * self.given, 255)  # blue, green, red
        return True, picture

    def release(self) -> None:
        self.released = True

    def clock(self) -> float:
        return self.given / 10


def record(camera: Camera, path, monkeypatch, seconds: float = 1.0):
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: camera)
    return record_clip(path, seconds, clock=camera.clock)


def test_a_clip_is_as_long_as_was_asked_for_in_true_colours_and_even_sides(tmp_path, monkeypatch):
    camera = Camera()
    clip = read_clip(record(camera, tmp_path / "me.mp4", monkeypatch))
    assert len(clip.images) == 10 and clip.times[-1] == pytest.approx(0.9, abs=0.01) and camera.released
    assert clip.images.shape[1:3] == (480, 960)
    assert clip.images[-1, ..., 0].mean() > 150 and clip.images[-1, ..., 2].mean() < 30


def test_no_camera_or_one_that_gives_nothing_is_told_and_nothing_is_written(tmp_path, monkeypatch):
    for camera in (Camera(there=False), Camera(good=2)):
        with pytest.raises(InputError, match="camera 0"):
            record(camera, tmp_path / "me.mp4", monkeypatch)
        assert camera.released
    for name, seconds, word in (("me.avi", 1.0, "mp4"), ("me.mp4", 0.0, "seconds")):
        with pytest.raises(InputError, match=word):
            record(Camera(), tmp_path / name, monkeypatch, seconds)
    assert list(tmp_path.iterdir()) == []
