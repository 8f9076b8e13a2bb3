from dataclasses import replace

import numpy as np
import pytest

from lca_core.data.records import Camera, Frame, Person, Picture
from lca_core.errors import InputError
from lca_core.evaluation.protocols import growing_inputs, split_frames

PIXELS = Picture(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8), Camera(np.eye(4), np.eye(3), 2, 2))


def person(domain, instants):
    frames = tuple(
        Frame(PIXELS, None, np.full(138, i, np.float32), np.zeros(6), np.zeros(4), instant=instant)
        for i, instant in enumerate(instants)
    )
    return Person(f"{domain}-010000", domain, 10000, np.zeros(300, np.float32), frames)


def numbers(frames):
    return [int(frame.theta[0]) for frame in frames]


def test_studio_inputs_are_spread_cameras_of_the_first_pose():
    inputs, targets = split_frames(person("studio", [0] * 8 + [1] * 8), 4)
    assert numbers(inputs) == [0, 2, 4, 6]
    assert numbers(t.frame for t in targets) == [1, 3, 5, 7, *range(8, 16)]
    assert [t.pose for t in targets] == ["seen"] * 4 + ["unseen"] * 8


def test_studio_keeps_a_seen_pose_target():
    inputs, targets = split_frames(person("studio", [0, 0, 0, 1]), 4)
    assert len(inputs) == 2 and [t.pose for t in targets] == ["seen", "unseen"]


@pytest.mark.parametrize("count, expected", [(2, 1), (5, 2), (8, 4), (20, 4)])
def test_wild_inputs_are_the_first_half_at_most_four(count, expected):
    inputs, targets = split_frames(person("wild", range(count)), 8)
    assert numbers(inputs) == list(range(expected))
    assert numbers(t.frame for t in targets) == list(range(expected, count))
    assert {t.pose for t in targets} == {"unseen"}


def test_a_second_clip_is_what_somebody_is_judged_on():
    first, second = person("wild", range(8)), person("wild2", range(8))
    inputs, targets = split_frames(first, 4, second)
    assert numbers(inputs) == [0, 1, 2, 3]
    assert numbers(t.frame for t in targets) == [0, 2, 4, 6] and all(t.betas is second.betas for t in targets)
    with pytest.raises(InputError, match="no second clip"):
        split_frames(first, 4, replace(second, seed=10001))


def test_too_few_pictures_are_refused_by_the_persons_name():
    with pytest.raises(InputError, match="wild-010000"):
        split_frames(person("wild", [0]))
    with pytest.raises(ValueError, match="n_inputs"):
        split_frames(person("wild", [0, 1]), 0)


def test_inputs_grow_under_one_target_and_every_larger_set_holds_the_smaller():
    one = person("studio", [0] * 6 + [1] * 6 + [2] * 6)
    sets = [growing_inputs(one, n) for n in (1, 2, 4, 8)]
    for (smaller, targets), (larger, same) in zip(sets, sets[1:]):
        assert numbers(larger)[: len(smaller)] == numbers(smaller)
        assert numbers(t.frame for t in targets) == numbers(t.frame for t in same) == list(range(12, 18))
    assert numbers(sets[1][0]) == [0, 3]  # the second from behind
    assert numbers(sets[3][0])[6:] == [6, 9]


@pytest.mark.parametrize("who", [person("wild", range(8)), person("studio", [0] * 6)])
def test_inputs_cannot_grow_without_two_studio_poses(who):
    with pytest.raises(InputError, match="two studio poses"):
        growing_inputs(who, 2)


def test_more_inputs_than_there_are_is_an_error():
    with pytest.raises(InputError, match="6 pictures"):
        growing_inputs(person("studio", [0] * 6 + [1] * 6), 8)
