"""Gaps are filled between what is known, jitter goes, movement stays."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lca_core.making.steadying import at_rate, filled, smoothed, unwound


def test_what_is_not_known_lies_between_its_neighbours_and_at_the_ends_is_held():
    known = np.array([False, True, False, False, True, False])
    values = np.where(known[:, None], np.array([[0.0, 9], [1, 5], [9, 9], [9, 9], [4, 2], [9, 9]]), np.nan)
    np.testing.assert_allclose(filled(values, known), [[1, 5], [1, 5], [2, 4], [3, 3], [4, 2], [4, 2]])
    with pytest.raises(ValueError):
        filled(values, np.zeros(6, bool))


def test_jitter_goes_and_slow_movement_stays(rng):
    times = np.arange(100) / 25
    slow = np.sin(2 * np.pi * 0.5 * times)[:, None]
    made = smoothed(slow + 0.1 * rng.normal(size=slow.shape), 25, 0.08)
    assert np.abs(made - slow)[5:-5].mean() < 0.05 and np.abs(np.diff(made, 2, axis=0)).mean() < 0.05
    np.testing.assert_allclose(smoothed(np.full((9, 2), 3.0), 25, 0.2), 3.0, atol=1e-6)


def test_rotations_stay_what_they_are_and_do_not_jump():
    angles = np.linspace(0, 7, 60)
    axis = np.array([0.0, 0.6, 0.8])
    short = Rotation.from_rotvec(angles[:, None] * axis).as_rotvec()[:, None]  # jumps at pi
    assert np.abs(np.diff(short, axis=0)).max() > 3
    long = unwound(short)
    np.testing.assert_allclose(long[:, 0], angles[:, None] * axis, atol=1e-4)
    turns = [Rotation.from_rotvec(x[:, 0]) for x in (short, long)]
    assert (turns[0] * turns[1].inv()).magnitude().max() < 1e-4


def test_another_rate_keeps_the_moments_that_both_have():
    times = np.array([0.0, 0.1, 0.2, 0.4])
    values = np.array([[0.0], [1.0], [2.0], [4.0]])
    np.testing.assert_allclose(at_rate(values, times, 20)[:, 0], np.arange(9) * 0.5, atol=1e-5)
