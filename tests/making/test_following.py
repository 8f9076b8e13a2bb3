"""Somebody in a clip is followed: gaps are interpolated and said, and a clip without a person is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from lca_core.body import ACTIONS, theta_slice
from lca_core.curation.detect import Sighting
from lca_core.curation.landmarks import calibration
from lca_core.curation.samples import CLIPS, path_of
from lca_core.errors import InputError
from lca_core.making import following
from lca_core.making.expressions import faces_in_clip
from lca_core.making.following import FPS, RATE, follow
from lca_core.viewer.video import write_mp4

COUNT = 13  # pictures that are looked at


def somebody(left: float = 100.0, parted: float = 0.0, body: bool = True, wrists: bool = True) -> Sighting:
    """A person whose face is so far to the right, with lips parted by so many pixels; all of the body is seen, but for
    wrists."""
    mesh = calibration().mesh_mean.numpy().copy()
    mesh[[13, 14]] = mesh[[13, 14]].mean(0)
    mesh[14, 1] += parted
    mesh[:, 0] += left
    box = np.concatenate([mesh[:, :2].min(0), mesh[:, :2].max(0)])
    pose = np.ones((33, 4), np.float32)
    pose[[15, 16], 3] = wrists
    return Sighting(box, mesh, *([pose, None, np.ones((33, 3), np.float32)] if body else []))


@pytest.fixture
def clip(tmp_path):
    """A second of a clip, whose pictures are as dark as their number."""
    frames = [np.full((96, 96, 3), 2 * i, np.uint8) for i in range(25)]
    write_mp4(tmp_path / "clip.mp4", frames, 25)
    return tmp_path / "clip.mp4"


@pytest.fixture
def seen(monkeypatch):
    """seen(sightings): the networks see these, picture by picture; bodies bend the left elbow more and more and walk to
    the person's left. Returns the fits that are made."""

    def set_up(sightings: list[list[Sighting]]) -> list:
        fits, waiting = [], iter(sightings)
        monkeypatch.setattr(following, "find_people", lambda image: tuple(next(waiting)))
        monkeypatch.setattr(following, "find_hands", lambda image, person: (None, None))
        monkeypatch.setattr(following, "person_matte", lambda image, person: np.zeros(image.shape[:2], np.uint8))

        def fit(frames, times):
            theta, root = np.zeros((len(frames), 138), np.float32), np.zeros((len(frames), 6), np.float32)
            theta[:, theta_slice("left_elbow").start + 1], root[:, 3] = -times, 5 + times
            fits.append((frames, times))
            return SimpleNamespace(theta=theta, root=root)

        monkeypatch.setattr(following, "fit_body", fit)
        monkeypatch.setattr(following, "faces_followed", lambda images, meshes: faces_in_clip(meshes))
        return fits

    return set_up


def elbow(followed) -> np.ndarray:
    return -followed.motion.theta[:, theta_slice("left_elbow").start + 1]


def test_body_mouth_and_place_are_followed_at_the_rate_of_a_video(clip, seen):
    parted = [0.0] * 6 + [30.0] * 7
    fits = seen([[somebody(parted=p)] for p in parted])
    followed = follow(clip, 5.0, progress=False)
    assert followed.said == () and len(fits) == 1 and len(fits[0][0]) == COUNT
    assert len(followed.motion.theta) == round((COUNT - 1) / RATE * FPS) + 1
    assert all(np.isfinite(part).all() and part.dtype == np.float32 for part in followed.motion)
    inner = slice(4, -4)
    np.testing.assert_allclose(elbow(followed)[inner], (np.arange(len(elbow(followed))) / FPS)[inner], atol=0.02)
    assert abs(np.median(followed.motion.root[:, 3])) < 0.05 and np.diff(followed.motion.root[inner, 3]).min() > 0
    jaw = followed.motion.actions[:, ACTIONS.index("jawOpen")]
    assert jaw[:6].max() < 0.1 and jaw[-6:].min() > 0.7


def test_what_no_picture_shows_is_interpolated_and_said(clip, seen):
    gap = range(4, 7)
    seen([[] if i in gap else [somebody()] for i in range(COUNT)])
    followed = follow(clip, progress=False)
    assert [s.startswith("3 of 13 pictures do not show the") for s in followed.said] == [True, True]
    middle = slice(6, -6)
    np.testing.assert_allclose(elbow(followed)[middle], (np.arange(len(elbow(followed))) / FPS)[middle], atol=0.03)


def test_of_several_the_largest_is_followed_and_then_whoever_is_nearest(clip, seen):
    ours, other = somebody(100.0, parted=30.0), somebody(600.0)
    fits = seen([[ours, other], *([[other, ours]] * (COUNT - 1))])
    followed = follow(clip, progress=False)
    assert "13 of 13 pictures show several people" in followed.said[0]
    assert all(frame.mesh is ours.mesh for frame in fits[0][0])


def test_a_head_alone_moves_head_and_face_and_leaves_the_body_at_rest(clip, seen):
    fits = seen([[somebody(body=False)] for _ in range(COUNT)])
    followed = follow(clip, progress=False)
    assert fits == [] and any("head and face alone" in sentence for sentence in followed.said)
    shoulder = followed.motion.theta[:, theta_slice("left_shoulder")]
    np.testing.assert_allclose(shoulder, np.tile([0, 0, -0.9], (len(shoulder), 1)), atol=1e-6)
    assert np.abs(followed.motion.theta[:, theta_slice("head")]).max() < 0.05


def test_arms_that_no_picture_shows_hang(clip, seen):
    seen([[somebody(wrists=False)] for _ in range(COUNT)])
    followed = follow(clip, progress=False)
    assert followed.said == ("Hardly any picture shows the left arm, the right arm: at rest instead.",)
    shoulders = [followed.motion.theta[:, theta_slice(f"{side}_shoulder")][:, 2] for side in ("left", "right")]
    assert (shoulders[0] < -1).all() and (shoulders[1] > 1).all()
    assert elbow(followed).max() < 0.3


def test_a_clip_without_a_person_or_hardly_one_is_refused(clip, seen):
    seen([[]] * COUNT)
    with pytest.raises(InputError, match="nobody was found"):
        follow(clip, progress=False)
    seen([[somebody()], [somebody()], *([[]] * (COUNT - 2))])
    with pytest.raises(InputError, match="2 of 13 pictures"):
        follow(clip, progress=False)
    with pytest.raises(InputError, match="no such file"):
        follow("nowhere.mp4", progress=False)


def test_only_so_many_seconds_are_followed_and_that_is_said(clip, seen):
    seen([[somebody()]] * COUNT)
    followed = follow(clip, 0.4, progress=False)
    assert "first 0.3 seconds" in followed.said[0] and len(followed.motion.theta) < 12


def test_a_real_clip_is_followed():
    """A man, head and shoulders, who looks at the camera."""
    followed = follow(path_of(CLIPS["single_face"]), 0.4, progress=False)
    assert all(np.isfinite(part).all() for part in followed.motion)
    turned = np.degrees(np.linalg.norm(followed.motion.root[:, :3], axis=1))
    assert turned.max() < 45 and np.abs(followed.motion.gaze).max() < np.radians(27)
