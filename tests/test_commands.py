"""The command line, as a person meets it: help, and wrong input told clearly with nothing written."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lca_core.__main__ import COMMANDS
from lca_core.evaluation.evaluate import RELEASE


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "lca_core", *map(str, arguments)], capture_output=True, text=True, timeout=240
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert "usage: python -m lca_core " + command in done.stdout
    assert "--" in done.stdout


def test_wrong_photographs_are_refused_with_code_2_and_nothing_is_written(tmp_path):
    from skimage import data

    astronaut = data.astronaut()
    pictures = {
        "empty room.png": np.full((300, 300, 3), 200, np.uint8),
        "two people.png": np.concatenate([astronaut, astronaut], 1),
        "tiny.png": astronaut[:40, :40],
    }
    for name, image in pictures.items():
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "letter.jpg").write_text("Dear photograph,")
    for name in [*pictures, "letter.jpg", "missing.jpg"]:
        done = run("avatar", tmp_path / name, "--out", tmp_path / "out")
        assert done.returncode == 2, (name, done.stderr)
        assert done.stderr.startswith("error: ") and name in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("people", "--out", "shards"), "--seeds"),
        (("people", "--out", "shards", "--seeds", "11000"), "10000-10999"),
        (("people", "--out", "shards", "--seeds", "9000", "--address", "10.0.0.1:6379"), "--engine ray"),
        (("people", "--out", "shards", "--seeds", "9000", "--workers", "0"), "--workers"),
        (("experiments", "--only", "table9/none"), "table9/none"),
        (("train", "--stage", "pretrain", "--data", "nowhere", "--out", "run"), "nowhere"),
        (("drive", "nothing.safetensors", "--out", "video.mp4"), "nothing.safetensors"),
        (("drive", "nothing.safetensors", "--out", "video.avi"), "mp4"),
        (("evaluate", "--data", "nowhere"), "nowhere"),
        (("evaluate", "--data", "nowhere", "--sheet", "sheet.gif"), "sheet.gif"),
        (("evaluate", "--data", "nowhere", "--checkpoint", "none.safetensors"), "none.safetensors"),
    ],
)
def test_wrong_input_names_what_was_wrong(arguments, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ") and word in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_photograph_becomes_an_avatar_that_drives(tmp_path):
    from skimage import data

    from lca_core.model import Avatar
    from lca_core.model.refinement import STEPS
    from lca_core.splats import read_ply

    assert RELEASE.exists(), "the release is part of the repository"
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.png")
    done = run("avatar", tmp_path / "astronaut.png", "--out", tmp_path / "avatar")
    assert done.returncode == 0, done.stderr
    made = {p.name for p in (tmp_path / "avatar").iterdir()}
    assert made == {"avatar.safetensors", "avatar.ply", "sheet.png", "walk.mp4"}
    avatar = Avatar.load(tmp_path / "avatar" / "avatar.safetensors")
    assert len(read_ply(tmp_path / "avatar" / "avatar.ply")) == len(avatar)
    assert avatar.meta["refined_steps"] == STEPS
    video = tmp_path / "wave.mp4"
    done = run("drive", tmp_path / "avatar" / "avatar.safetensors", "--motion", "wave", "--frames", "3", "--out", video)
    assert done.returncode == 0, done.stderr
    import av

    with av.open(str(video)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 3
