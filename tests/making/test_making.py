"""The files an avatar is handed over in, and what makes them."""

from dataclasses import replace

import av
import numpy as np
import pytest
import torch

from lca_core.body import Driving
from lca_core.data import write_shard
from lca_core.errors import InputError
from lca_core.making import driving, files
from lca_core.making.driving import drive_to_video, driving_like
from lca_core.making.files import FILES, write_avatar
from lca_core.making.following import Followed
from lca_core.making.photos import encode_person, gaining_steps
from lca_core.making.release import load_release
from lca_core.model import LCA, Avatar, Pixels, rows_length
from lca_core.model.refinement import STEPS
from lca_core.motion.files import write_motion
from lca_core.motion.motions import motion
from lca_core.splats import read_ply
from tests.body.bodies import free_body
from tests.data.people import random_person
from tests.model.models import TINY


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    return LCA(replace(TINY, body_px=28), rows_length(Pixels()), free_body()).eval()  # as large as a random person


@pytest.fixture(scope="module")
def person():
    return random_person(7, "wild")


@pytest.fixture(scope="module")
def avatar(model, person) -> Avatar:
    return encode_person(model, Pixels(), person, person.frames, {"photos": ["me.png"]})


def frames_of(video) -> int:
    with av.open(str(video)) as file:
        return sum(1 for _ in file.decode(video=0))


def test_an_avatar_of_records_says_whose_it_is(avatar, person):
    assert avatar.meta["id"] == person.id and avatar.meta["photos"] == ["me.png"]
    assert avatar.meta["betas"] == person.betas.tolist() and avatar.meta["body"] == "skin"


def test_steps_are_taken_where_other_pictures_gain_by_them(model, person):
    frames = [replace(frame, tracked=True) for frame in person.frames[:2]]
    assert gaining_steps(model, frames) == STEPS and gaining_steps(model, frames[:1]) == 0
    assert gaining_steps(model, [frames[0], replace(frames[1], tracked=False)]) == 0
    torch.manual_seed(0)
    again = LCA(replace(model.profile, gradient_steps=1), rows_length(Pixels()), free_body())
    assert gaining_steps(again, frames) == 0


def test_all_files_are_written_and_hold_the_avatar(avatar, person, tmp_path):
    paths = write_avatar(avatar, person, tmp_path / "out", frames=2, progress=False)
    assert [path.name for path in paths] == list(FILES) and sorted(FILES) == sorted(
        path.name for path in (tmp_path / "out").iterdir()
    )
    loaded, still = Avatar.load(paths[0]), Driving.neutral()
    assert torch.equal(loaded.drive(still).means, avatar.drive(still).means)
    assert len(read_ply(paths[1])) == len(avatar) and frames_of(paths[3]) == 2


def test_an_error_leaves_none_of_them_behind(avatar, person, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space")

    monkeypatch.setattr(files, "write_mp4", full)
    with pytest.raises(OSError, match="no space"):
        write_avatar(avatar, person, tmp_path, frames=2, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_saved_avatar_is_driven_by_a_motion_or_like_a_recorded_person(avatar, model, person, tmp_path, monkeypatch):
    monkeypatch.setattr(driving, "load_release", lambda: (model, {}))
    avatar.save(tmp_path / "me.safetensors")
    write_shard(tmp_path / "them.tar", [person])
    made = drive_to_video(tmp_path / "me.safetensors", tmp_path / "walk.mp4", frames=3, px=32)
    assert frames_of(made) == 3
    write_motion(tmp_path / "mine.npz", motion("squat", np.random.default_rng(0), 4, 10.0), 10.0)
    made = drive_to_video(tmp_path / "me.safetensors", tmp_path / "mine.mp4", str(tmp_path / "mine.npz"), px=32)
    assert frames_of(made) == 4
    made = drive_to_video(tmp_path / "me.safetensors", tmp_path / "like.mp4", like=tmp_path / "them.tar", px=32)
    assert frames_of(made) == len({frame.instant for frame in person.frames})


def test_a_clip_is_followed_before_the_face_and_what_it_did_not_show_is_told(avatar, tmp_path, monkeypatch):
    moves = motion("wave", np.random.default_rng(0), 4, 25.0)
    monkeypatch.setattr(driving, "follow", lambda path: Followed(moves, (f"half of {path} is missing",)))
    avatar.save(tmp_path / "me.safetensors")
    said = []
    made = drive_to_video(
        tmp_path / "me.safetensors", tmp_path / "me.mp4", like="clip.mov", px=32, view="face", tell=said.append
    )
    assert frames_of(made) == 4 and said == ["half of clip.mov is missing"]


def test_an_avatar_that_knows_of_light_is_driven_under_another(model, person, tmp_path):
    lit = LCA(replace(model.profile, parts=("light",)), model.features, free_body()).eval()
    encode_person(lit, Pixels(), person, person.frames).save(tmp_path / "me.safetensors")
    made = drive_to_video(
        tmp_path / "me.safetensors", tmp_path / "me.mp4", frames=2, px=32, light="sunset", light_turns=1
    )
    assert frames_of(made) == 2


@pytest.mark.parametrize(
    "how, word", [({"light": "disco"}, "disco"), ({"light_turns": 1.0}, "--light"), ({"light": "sunset"}, "relight")]
)
def test_a_light_that_cannot_be_is_refused_before_anything_is_drawn(avatar, tmp_path, how, word):
    avatar.save(tmp_path / "me.safetensors")
    with pytest.raises(InputError, match=word):
        drive_to_video(tmp_path / "me.safetensors", tmp_path / "me.mp4", frames=2, px=32, **how)
    assert not (tmp_path / "me.mp4").exists()


def test_each_instant_is_followed_once_by_the_picture_with_a_face(model, person):
    followed = driving_like(person, model)
    instants = sorted({frame.instant for frame in person.frames})
    assert len(followed) == len(instants)
    best = [next((f for f in person.frames if f.instant == i and f.face), person.frames[0]) for i in instants]
    torch.testing.assert_close(followed.theta, torch.stack([torch.from_numpy(f.theta) for f in best]))


@pytest.mark.parametrize("name, px, word", [("me.avi", 32, "mp4"), ("me.mp4", 33, "even")])
def test_a_video_that_cannot_be_written_is_refused_before_the_avatar_is_read(name, px, word, tmp_path):
    with pytest.raises(InputError, match=word):
        drive_to_video(tmp_path / "missing.safetensors", tmp_path / name, px=px)


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(InputError, match="--checkpoint"):
        load_release(tmp_path / "none.safetensors")
