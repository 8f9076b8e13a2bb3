"""Smaller pictures of recorded people: the same view, nothing of the background in the person, truth sampled."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.data import Camera, Picture, Truth, read_people, write_shard
from lca_core.data.scaling import at_sizes, scaled, scaled_picture, scaled_shards
from lca_core.errors import InputError
from lca_core.profiles import PROFILES
from tests.data.people import random_person, random_picture


def project(camera: Camera, point: np.ndarray) -> np.ndarray:
    seen = camera.K.astype(np.float64) @ (camera.viewmat.astype(np.float64) @ np.append(point, 1))[:3]
    return seen[:2] / seen[2]


def test_a_joint_falls_on_the_same_relative_place_in_every_picture():
    person = random_person(1, px=42)
    frames = tuple(replace(f, hands=(f.body, None)) for f in person.frames)
    small = scaled(replace(person, frames=frames), 28, 21, 14)
    joints = np.random.default_rng(0).normal(0, 0.4, (5, 3))
    sizes = {"body": 28, "face": 21, "left_hand": 14}
    for before, after in zip(frames, small.frames, strict=True):
        assert before.pictures.keys() == after.pictures.keys()
        for name, picture in before.pictures.items():
            camera = after.pictures[name].camera
            assert (camera.width, camera.height) == (sizes[name],) * 2 == after.pictures[name].matte.shape
            for joint in joints:
                place = project(picture.camera, joint) / 42
                np.testing.assert_allclose(project(camera, joint) / sizes[name], place, atol=1e-5)


@pytest.mark.parametrize("px", [28, 27])
def test_a_ramp_of_brightness_stays_where_it_is(px):
    """Each new pixel is the mean of the area it covers: of a ramp, the value at its centre."""
    ramp = np.repeat(np.arange(42, dtype=np.uint8)[None] * 6, 42, 0)
    picture = replace(random_picture(np.random.default_rng(0), 42), image=np.repeat(ramp[..., None], 3, 2))
    picture = replace(picture, matte=np.full((42, 42), 255, np.uint8))
    centres = (np.arange(px) + 0.5) * 42 / px - 0.5
    small = scaled_picture(picture, px).image[px // 2, :, 0]
    np.testing.assert_allclose(small, 6 * centres, atol=1.5)


def test_no_background_bleeds_into_the_person_and_hidden_places_are_scaled_too():
    image = np.full((42, 42, 3), (0, 255, 0), np.uint8)
    matte, hidden = np.zeros((42, 42), np.uint8), np.zeros((42, 42), np.uint8)
    image[:, 10:31], matte[:, 10:31], hidden[:20] = (200, 30, 40), 255, 255
    picture = replace(random_picture(np.random.default_rng(0), 42), image=image, matte=matte, hidden=hidden)
    small = scaled_picture(picture, 28)
    inside = small.matte > 0
    assert (small.image[inside] == (200, 30, 40)).all() and (small.image[~inside] == (0, 255, 0)).all()
    assert 0 < small.matte[5, 6] < 255, "the silhouette is soft"
    assert small.matte.sum() / 255 == pytest.approx(matte.sum() / 255 * (28 / 42) ** 2, rel=0.01)
    assert small.hidden[0, 0] == 255 and small.hidden[-1, 0] == 0 and 0 < small.hidden[13, 0] < 255


def test_depth_and_parts_are_those_of_a_place_not_means():
    parts = np.where(np.arange(42) < 21, 3, 9).astype(np.uint8)[None].repeat(42, 0)
    truth = Truth(parts.astype(np.float32), np.eye(3, dtype=np.float32)[None, :1].repeat(42, 0).repeat(42, 1), parts)
    small = scaled_picture(replace(random_picture(np.random.default_rng(0), 42), truth=truth), 28).truth
    assert set(np.unique(small.parts)) == set(np.unique(small.depth)) == {3, 9}
    assert small.normals.shape == (28, 28, 3)


def test_a_picture_of_that_size_is_left_and_a_smaller_one_refused():
    picture: Picture = random_picture(np.random.default_rng(0), 28)
    assert scaled_picture(picture, 28) is picture
    with pytest.raises(ValueError, match="28 x 28 px cannot be scaled down to 42"):
        scaled_picture(picture, 42)


def test_scaled_shards_are_made_once_and_apart_for_every_size(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    shard, small = tmp_path / "wild-42" / "wild-000001.tar", replace(PROFILES["study"], body_px=28, face_px=28)
    write_shard(shard, [random_person(1, "wild", px=42, meta={"compressed": True})])
    (path,) = scaled_shards([shard], small)
    (person,) = read_people(path)
    assert person.frames[0].body.matte.shape == (28, 28) and person.frames[1].face.matte.shape == (28, 28)
    made = path.stat().st_mtime_ns
    assert scaled_shards([shard], small) == [path] and path.stat().st_mtime_ns == made
    assert scaled_shards([shard], replace(small, face_px=14)) != [path]
    expected = scaled(next(read_people(shard)), 28, 28, 56)
    np.testing.assert_array_equal(person.frames[0].body.image, expected.frames[0].body.image)


def test_people_are_brought_to_the_sizes_of_weights_and_never_enlarged():
    person = random_person(1, px=42)
    sizes = replace(PROFILES["smoke"], body_px=28, face_px=21, hand_px=14)
    small = at_sizes(person, sizes)
    assert {picture.matte.shape for frame in small.frames for picture in [frame.body]} == {(28, 28)}
    same = replace(sizes, body_px=42, face_px=42, hand_px=42)
    assert at_sizes(person, same) is person
    with pytest.raises(InputError, match="body. is 42 px, profile 'smoke' wants 56 or more"):
        at_sizes(person, replace(same, body_px=56))
