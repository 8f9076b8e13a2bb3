"""Videos hold the frames they were given, and what cannot be written leaves nothing."""

import av
import numpy as np
import pytest
from PIL import Image

from lca_core.viewer.video import write_gif, write_mp4


def plain(*color: int, height: int = 32, width: int = 48) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def frames_of(path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_frames_come_back_in_order_size_colour_and_rate(tmp_path):
    colors = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)]
    assert write_mp4(tmp_path / "a.mp4", (plain(*color) for color in colors), fps=10) == 4
    found = frames_of(tmp_path / "a.mp4")
    assert [frame.shape for frame in found] == 4 * [(32, 48, 3)]
    for frame, color in zip(found, colors, strict=True):
        assert np.abs(frame.astype(int) - color).max() < 12
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert file.streams.video[0].average_rate == 10


def test_pictures_that_are_views_of_others_are_written_as_they_look(tmp_path):
    left_dark = np.concatenate([plain(0, 0, 0, width=24), plain(255, 255, 255, width=24)], 1)
    write_mp4(tmp_path / "a.mp4", [left_dark[:, ::-1]])
    (frame,) = frames_of(tmp_path / "a.mp4")
    assert frame[:, :20].min() > 230 and frame[:, 28:].max() < 25


def test_a_video_is_an_mp4_whatever_its_name(tmp_path):
    write_mp4(tmp_path / "a.gif", [plain(9, 9, 9)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_error_on_the_way_leaves_the_old_video_and_nothing_beside_it(tmp_path):
    def failing():
        yield plain(9, 9, 9)
        raise KeyError("the second frame")

    write_mp4(tmp_path / "a.mp4", [plain(200, 30, 30)])
    before = (tmp_path / "a.mp4").read_bytes()
    with pytest.raises(KeyError, match="the second frame"):
        write_mp4(tmp_path / "a.mp4", failing())
    with pytest.raises(av.FFmpegError):
        write_mp4(tmp_path / "a.mp4", [plain(9, 9, 9, height=33)])  # odd: no such picture in 4:2:0
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == before


def test_a_gif_has_its_frames_at_their_pace_and_goes_on_for_ever(tmp_path):
    colors = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    assert write_gif(tmp_path / "a.gif", (plain(*color) for color in colors), fps=10) == 3
    with Image.open(tmp_path / "a.gif") as file:
        assert file.n_frames == 3 and file.info["duration"] == 100 and file.info["loop"] == 0
        for number, color in enumerate(colors):
            file.seek(number)
            assert np.abs(np.asarray(file.convert("RGB")).astype(int) - color).max() < 6


def test_of_no_frames_there_is_no_gif(tmp_path):
    assert write_gif(tmp_path / "a.gif", []) == 0 and list(tmp_path.iterdir()) == []
