"""What is asked for becomes one frame of a signal that no slider, nor any two, can break."""

import numpy as np
import pytest

from lca_core.body import ACTIONS, theta_slice
from lca_core.errors import InputError
from lca_core.viewer.performance import Performance, reach, sliders_by_name
from lca_core.viewer.signals import FPS, FRAMES, LOOPS, looped, moment, rest


def test_nothing_asked_for_is_rest():
    for ours, still in zip(Performance().signal(), rest()):
        np.testing.assert_allclose(ours, still, atol=1e-6)


def test_a_slider_moves_what_its_table_says():
    signal = Performance({"left_elbow": 1.0, "turn": 0.5, "jawOpen": 0.4, "gaze_aside": 0.2}).signal()
    np.testing.assert_allclose(signal.theta[0, theta_slice("left_elbow")], [0, -1, 0], atol=1e-6)
    assert signal.root[0, 1] == pytest.approx(0.5) and signal.actions[0, ACTIONS.index("jawOpen")] == pytest.approx(0.4)
    np.testing.assert_allclose(signal.gaze[0], [0.2, 0, 0.2, 0], atol=1e-6)
    assert signal.actions[0, ACTIONS.index("eyeLookOutLeft")] > 0.2, "lids follow"


def test_beyond_its_range_a_slider_stops():
    table = sliders_by_name()["left_knee"]
    far, most = (Performance({"left_knee": value}).signal() for value in (100.0, table["high"]))
    np.testing.assert_array_equal(far.theta, most.theta)


@pytest.mark.parametrize("motion", ["", *LOOPS])
@pytest.mark.parametrize("end", ["low", "high"])
def test_all_sliders_at_one_end_keep_every_angle_within_what_one_or_a_motion_reaches(motion, end):
    everything = {name: slider[end] for name, slider in sliders_by_name().items()}
    for seconds in (0.0, 1.3, 4.9):
        signal = Performance(everything, motion, seconds).signal()
        for part in ("theta", "gaze"):
            low, high = reach()[part]
            found = getattr(signal, part)[0]
            assert np.isfinite(found).all() and (found >= low - 1e-5).all() and (found <= high + 1e-5).all()
        assert signal.actions.min() >= 0 and signal.actions.max() <= 1


def test_a_face_can_make_what_is_asked_for():
    signal = Performance({"eyeBlinkLeft": 1.0, "eyeWideLeft": 1.0, "mouthClose": 1.0, "jawOpen": 0.3}).signal()
    actions = dict(zip(ACTIONS, signal.actions[0]))
    assert actions["eyeBlinkLeft"] == 1 and actions["eyeWideLeft"] == 0
    assert actions["mouthClose"] == actions["jawOpen"] == pytest.approx(0.3)


@pytest.mark.parametrize("name", LOOPS)
def test_motions_go_round_and_between_two_frames_lies_their_mean(name):
    clip = looped(name)
    between = moment(name, 10.5 / FPS)
    np.testing.assert_allclose(between.theta[0], (clip.theta[10] + clip.theta[11]) / 2, atol=1e-5)
    for ours, first in zip(moment(name, FRAMES / FPS), clip):
        np.testing.assert_allclose(ours[0], first[0], atol=1e-4)
    with pytest.raises(ValueError):
        clip.theta[0] = 0  # it is everybody's


def test_a_wrong_name_says_what_there_is():
    for wrong, word in (
        ({"sliders": {"third_arm": 1.0}}, "left_arm"), ({"motion": "fly"}, "walk"), ({"view": "Foot"}, "Face")
    ):  # fmt: skip
        with pytest.raises(InputError, match=word):
            Performance(**wrong)


def test_what_was_asked_for_does_not_change_with_the_dict_it_came_from():
    values = {"jawOpen": 0.5}
    asked = Performance(values)
    values["jawOpen"] = 0.0
    assert asked.sliders == {"jawOpen": 0.5}
    with pytest.raises(TypeError):
        asked.sliders["jawOpen"] = 1.0
