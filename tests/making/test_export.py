"""Every file an avatar is exported as is there, is called after it, and holds what was asked for."""

from typing import get_args

import av
import numpy as np
import pytest
from PIL import Image

from lca_core.__main__ import FileKind
from lca_core.errors import InputError
from lca_core.making.export import KINDS, export
from lca_core.model import Avatar
from lca_core.motion.files import read_motion, write_motion
from lca_core.motion.motions import motion
from lca_core.splats import read_ply, turn_over
from lca_core.viewer.page.write import write_page
from lca_core.viewer.signals import driving_of_signal
from tests.making.examples import small_avatar


@pytest.fixture
def saved(tmp_path):
    small_avatar().save(tmp_path / "me.safetensors")
    return tmp_path / "me.safetensors"


def test_the_command_knows_every_kind():
    assert set(get_args(FileKind)) == set(KINDS)


def test_gaussians_are_canonical_or_stand_as_in_a_frame_of_a_motion(saved, tmp_path):
    avatar = small_avatar()
    (path,) = export(saved, tmp_path / "still", ["ply"])
    assert path == tmp_path / "still" / "me.ply"
    np.testing.assert_allclose(turn_over(read_ply(path)).means, avatar.canonical().means.detach(), atol=1e-5)
    (path,) = export(saved, tmp_path / "posed", ["ply"], "dance", frame=2, frames=4)
    wanted = avatar.drive(driving_of_signal(avatar, motion("dance", np.random.default_rng(0), 4, 25.0))).means[2]
    np.testing.assert_allclose(turn_over(read_ply(path)).means, wanted.detach(), atol=1e-5)


def test_all_that_moves_has_the_motions_frames(saved, tmp_path):
    kinds = ["npz", "mp4", "gif", "turntable.mp4"]
    paths = export(saved, tmp_path / "out", kinds, "wave", frames=3, fps=5, px=32)
    assert [path.name for path in paths] == [f"me.{kind}" for kind in kinds]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    moves, fps = read_motion(paths[0])
    assert fps == 5 and len(moves.theta) == 3
    with av.open(str(paths[1])) as file:
        assert sum(1 for _ in file.decode(video=0)) == 3
    with Image.open(paths[2]) as file:
        assert file.n_frames == 3 and file.info["duration"] == 200 and file.size == (32, 32)
    with av.open(str(paths[3])) as file:
        assert sum(1 for _ in file.decode(video=0)) == 20


def test_as_html_it_is_the_page_that_the_command_page_writes(saved, tmp_path):
    (path,) = export(saved, tmp_path / "out", ["html"])
    assert path.name == "me.html"
    write_page(Avatar.load(saved), tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_motion_from_a_file_is_followed_at_its_own_rate(saved, tmp_path):
    write_motion(tmp_path / "mine.npz", motion("walk", np.random.default_rng(1), 4, 8.0), 8.0)
    (path,) = export(saved, tmp_path / "out", ["mp4"], str(tmp_path / "mine.npz"), px=32)
    with av.open(str(path)) as file:
        assert file.streams.video[0].average_rate == 8 and sum(1 for _ in file.decode(video=0)) == 4


@pytest.mark.parametrize(
    "asked, word",
    [
        ({"kinds": ["obj"]}, "obj"),
        ({"kinds": []}, "nothing"),
        ({"kinds": ["mp4"], "px": 33}, "even"),
        ({"kinds": ["ply"], "motion": "swim"}, "swim"),
        ({"kinds": ["ply"], "motion": "none.npz"}, "none.npz"),
        ({"kinds": ["ply"], "motion": "walk", "frame": 9, "frames": 9}, "--frame must be 0 to 8"),
    ],
)
def test_what_cannot_be_exported_is_told_before_anything_is_written(asked, word, saved, tmp_path):
    with pytest.raises(InputError, match=word):
        export(saved, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()
