"""A tracker's errors: as large as stated, and none left that the picture shows of the body as a whole."""

import numpy as np
import pytest

from lca_core.body.driving import theta_slice
from lca_core.data.cameras import around, project
from lca_core.motion.motions import motion
from lca_core.people.domains import tracker

FRAMES = 6


@pytest.fixture(scope="module")
def clip():
    return motion("walk", np.random.default_rng(0), FRAMES)


def test_errors_have_the_stated_size(clip):
    found = [tracker.errors(clip, np.random.default_rng(i)) for i in range(400)]
    error = np.degrees(np.stack([t.theta - clip.theta for t in found]))
    assert 0.45 < error[..., theta_slice("left_knee")].std() < 0.55
    assert 0.45 / 3 < error[..., theta_slice("spine3")].std() < 0.55 / 3  # turns with the two joints below it
    assert 2.7 < error[..., theta_slice("left_index1")].std() < 3.3
    np.testing.assert_array_equal(found[0].actions, clip.actions)
    np.testing.assert_array_equal(found[0].root, clip.root)


def test_half_of_an_error_stays_the_same_through_a_clip(clip):
    error = np.stack([tracker.errors(clip, np.random.default_rng(i)).theta - clip.theta for i in range(40)])
    assert error.mean(1).var() / error.var() == pytest.approx(0.5 + 0.5 / FRAMES, abs=0.05)


def test_a_tracked_body_lies_over_the_pictures_it_was_tracked_in(clip):
    rng = np.random.default_rng(1)
    betas = np.zeros(300, np.float32)
    truth = tracker._joints(clip, betas)
    cameras = [around(joints, 0.3 * i, 0.1, 3.0, 168) for i, joints in enumerate(truth)]
    tracked, shape = tracker.track(clip, betas, cameras, rng)
    assert 0 < np.abs(shape[:10]).max() < 5 * tracker.BETAS_SD and not shape[10:].any()
    found = tracker._joints(tracked, shape)
    off = np.stack([project(c, a) - project(c, b) for c, a, b in zip(cameras, found, truth)])[:, tracker._SHOWN]
    assert 0.1 < np.linalg.norm(off, axis=-1).mean() < 1.0  # pixels: errors are left,
    assert np.abs(off.mean(1)).max() < 0.05  # but none of the body as a whole
    assert np.linalg.norm(found - truth, axis=-1).max() < 0.1  # nor a body far away that looks the same
