"""Poses, motions and lights: layout, limits, smoothness, reproducibility."""

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel, full_pose, theta_slice
from lca_core.people.light import CASUAL, casual_light, directions, studio_light
from lca_core.people.motion import MOTIONS, motion
from lca_core.people.poses import FACES, STANCES, arm, face, hand, leg, mirrored, random_gaze, standing, theta_from


@pytest.fixture(scope="module")
def body():
    return BodyModel.load()


def posed_joints(body, theta):
    pose = full_pose(torch.from_numpy(theta)[None], torch.zeros(1, 6), torch.zeros(1, 4))
    joints = body(torch.zeros(1, 1), None, pose).joints[0].numpy()
    return dict(zip(JOINT_NAMES, joints, strict=True))


def test_limbs_bend_the_way_people_do(body):
    j = posed_joints(body, theta_from(arm("left", 1.2), leg("right", flex=1.0, knee=1.0)))
    assert j["left_wrist"][1] < j["left_shoulder"][1] - 0.35  # a lowered arm hangs
    assert j["right_knee"][2] > j["right_hip"][2] + 0.25  # the thigh comes forward
    assert j["right_ankle"][2] < j["right_knee"][2] + 0.05  # and the knee bends backwards
    j = posed_joints(body, theta_from(arm("right", 0.0, forward=1.3, elbow=1.0)))
    assert j["right_elbow"][2] > j["right_shoulder"][2] + 0.15
    assert j["right_wrist"][0] > j["right_elbow"][0]  # the right forearm folds towards the left


def test_a_fist_brings_fingertips_to_the_palm(body):
    tips = {}
    for shape in ("flat", "fist"):
        j = posed_joints(body, theta_from(hand("left", shape)))
        tips[shape] = np.linalg.norm(j["left_middle3"] - j["left_wrist"])
    assert tips["fist"] < 0.8 * tips["flat"]


def test_mirroring_twice_gives_the_pose_back():
    pose = arm("left", 0.3, forward=0.7, elbow=0.9, twist=0.4) | hand("left", "point")
    for joint, rotation in mirrored(mirrored(pose)).items():
        np.testing.assert_array_equal(rotation, pose[joint])


@pytest.mark.parametrize("name", STANCES)
def test_stances_stay_within_what_joints_can_do(name):
    theta = standing(np.random.default_rng(0), name)
    assert np.linalg.norm(theta.reshape(-1, 3), axis=1).max() < 2.6
    np.testing.assert_array_equal(theta, standing(np.random.default_rng(0), name))


def test_the_calm_stance_has_lowered_arms_and_a_straight_back():
    theta = standing(np.random.default_rng(3), "calm")
    assert theta[theta_slice("left_shoulder")][2] < -0.7
    assert not theta[theta_slice("spine3")].any() and not theta[theta_slice("head")].any()


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_smooth_and_repeatable(name):
    clip = motion(name, np.random.default_rng(5), 50, 25.0)
    assert [x.shape for x in clip] == [(50, 138), (50, 6), (50, 4), (50, 52)]
    assert all(x.dtype == np.float32 and np.isfinite(x).all() for x in clip)
    assert np.abs(np.diff(clip.theta, axis=0)).max() < 0.45
    assert np.abs(clip.gaze).max() <= np.radians(27)
    assert clip.actions.min() >= 0 and clip.actions.max() <= 1
    again = motion(name, np.random.default_rng(5), 50, 25.0)
    assert all(np.array_equal(a, b) for a, b in zip(clip, again, strict=True))


def test_a_squat_lowers_the_pelvis_and_keeps_the_feet_down(body):
    clip = motion("squat", np.random.default_rng(1), 20, 8.0)
    assert clip.root[:, 4].min() < -0.1
    tensors = [torch.from_numpy(x) for x in (clip.theta, clip.root, clip.gaze)]
    posed = body(torch.zeros(20, 1), None, full_pose(*tensors), tensors[1][:, 3:])
    lowest = posed.vertices[..., 1].amin(1)
    assert (lowest.amax() - lowest.amin()).item() < 0.06


def test_motion_of_a_single_frame_works():
    assert motion("walk", np.random.default_rng(0), 1).theta.shape == (1, 138)


def test_faces_name_real_actions_and_do_both_sides():
    for name in FACES:
        assert face(name).shape == (52,)
    smile = face("smile")
    assert smile[ACTIONS.index("mouthSmileLeft")] == smile[ACTIONS.index("mouthSmileRight")] > 0.5


def test_gaze_stays_within_25_degrees():
    generator = np.random.default_rng(0)
    assert max(np.abs(random_gaze(generator)).max() for _ in range(200)) <= np.radians(25.01)


@pytest.mark.parametrize("name", CASUAL)
def test_lights_expose_a_white_wall_neither_black_nor_burnt(name):
    light = casual_light(np.random.default_rng(0), name)
    d = directions()
    solid = np.sin(np.arccos(d[..., 1]))
    solid *= 4 * np.pi / solid.sum()
    facing = (np.clip(d[..., 2], 0, None) * solid)[..., None] * light.environment / np.pi
    assert light.environment.min() >= 0 and light.environment.dtype == np.float32
    assert 0.2 < facing.sum((0, 1)).mean() < 1.3


def test_the_studio_is_even():
    light = studio_light().environment
    assert light.max() / light.min() < 4
    np.testing.assert_allclose(light[..., 0], light[..., 2])
