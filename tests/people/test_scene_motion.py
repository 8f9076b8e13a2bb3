"""Poses, faces and motions: layout, limits, smoothness, reproducibility."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel, full_pose, theta_slice
from lca_core.motion.faces import (
    EMOTIONS,
    FACES,
    LOPSIDED,
    VISEMES,
    face,
    gaze_at,
    gaze_target,
    look_actions,
    looking,
    random_face,
    random_gaze,
    settled,
)
from lca_core.motion.motions import MOTIONS, motion
from lca_core.motion.poses import HANDS, STANCES, arm, hand, leg, mirrored, standing, studio_script, theta_from
from lca_core.people.domains.performing import ROUND, acted
from lca_core.people.domains.turning import TURNING, turned_round


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
    with pytest.raises(ValueError, match="no face is called 'grin'"):
        face("grin")
    smile = face("smile")
    assert smile[ACTIONS.index("mouthSmileLeft")] == smile[ACTIONS.index("mouthSmileRight")] > 0.5


def test_gaze_stays_within_25_degrees():
    generator = np.random.default_rng(0)
    assert max(np.abs(random_gaze(generator)).max() for _ in range(200)) <= np.radians(25.01)


@pytest.mark.parametrize("name", MOTIONS)
def test_a_clip_is_the_same_curve_at_any_frame_rate_and_length(name):
    fine = motion(name, np.random.default_rng(8), 96, 30.0)
    coarse = motion(name, np.random.default_rng(8), 8, 2.5)
    short = motion(name, np.random.default_rng(8), 40, 30.0)
    for whole, sparse, start in zip(fine, coarse, short, strict=True):
        np.testing.assert_allclose(whole[::12], sparse, atol=1e-6)
        np.testing.assert_allclose(whole[:40], start, atol=1e-6)


def test_a_clip_uses_the_generator_alike_whatever_its_length():
    left = []
    for frames in (1, 200):
        generator = np.random.default_rng(0)
        motion("dance", generator, frames)
        left.append(generator.random())
    assert left[0] == left[1]


@pytest.mark.parametrize("name", MOTIONS)
def test_elbows_and_knees_bend_one_way_and_not_too_far(body, name):
    clip = motion(name, np.random.default_rng(3), 60, 10.0)
    for side, sign in (("left", 1), ("right", -1)):
        knee = clip.theta[:, theta_slice(f"{side}_knee")][:, 0]
        elbow = -sign * clip.theta[:, theta_slice(f"{side}_elbow")][:, 1]
        assert -0.01 <= knee.min() and knee.max() < 2.4
        assert -0.01 <= elbow.min() and elbow.max() < 2.4


@pytest.mark.parametrize("name", MOTIONS)
def test_feet_stay_on_the_floor_and_above_it(body, name):
    clip = motion(name, np.random.default_rng(4), 24, 6.0)
    tensors = [torch.from_numpy(x) for x in (clip.theta, clip.root, clip.gaze)]
    posed = body(torch.zeros(24, 1), None, full_pose(*tensors), tensors[1][:, 3:])
    lowest = posed.vertices[..., 1].amin(1)
    assert (lowest.amax() - lowest.amin()).item() < 0.06


def test_sitting_brings_the_pelvis_to_the_height_of_a_stool_behind_the_feet():
    clip = motion("sit", np.random.default_rng(1), 80, 10.0)
    seated = clip.root[:, 4].argmin()
    turn = clip.root[seated, 1]
    assert -0.55 < clip.root[seated, 4] < -0.3
    behind = clip.root[seated, 3] * np.sin(turn) + clip.root[seated, 5] * np.cos(turn)
    assert behind < -0.25
    assert clip.root[:, 4].max() > -0.05  # and up again


def test_the_hands_motion_goes_through_all_shapes_before_the_chest(body):
    clip = motion("hands", np.random.default_rng(2), 40, 2.5)
    curls = clip.theta[:, theta_slice("left_middle1")][:, 2]
    assert curls.min() < -1.0 and curls.max() > -0.1
    j = posed_joints(body, clip.theta[10])
    for side in ("left", "right"):
        assert j[f"{side}_wrist"][1] > j[f"{side}_elbow"][1]
        assert j[f"{side}_wrist"][2] > 0.15


def test_counting_stretches_as_many_fingers(body):
    flat = posed_joints(body, theta_from(hand("left", "flat")))
    for count, name in enumerate(("one", "two", "three", "four", "five"), 1):
        j = posed_joints(body, theta_from(hand("left", name)))
        reach = [
            np.linalg.norm(j[f"left_{f}3"] - j["left_wrist"]) / np.linalg.norm(flat[f"left_{f}3"] - flat["left_wrist"])
            for f in ("index", "middle", "ring", "pinky")
        ]
        assert sum(r > 0.9 for r in reach) == min(count, 4)


@pytest.mark.parametrize("name", HANDS)
def test_arrays_of_angles_give_the_poses_of_their_numbers(name):
    downs = np.array([-0.5, 0.2, 1.1])
    many = theta_from(arm("right", downs, forward=0.4, elbow=downs + 0.6), hand("right", name))
    for down, theta in zip(downs, many, strict=True):
        one = theta_from(arm("right", down, forward=0.4, elbow=down + 0.6), hand("right", name))
        np.testing.assert_allclose(theta, one, atol=1e-6)


def test_there_are_seven_emotions_that_differ():
    assert set(EMOTIONS) == {"anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"}
    faces = np.stack([face(name) for name in (*EMOTIONS, *VISEMES, *LOPSIDED)])
    gaps = np.linalg.norm(faces[:, None] - faces[None], axis=-1) + np.eye(len(faces))
    assert gaps.min() > 0.3
    contempt = face("contempt")
    assert contempt[ACTIONS.index("mouthDimpleLeft")] > 0.5 > contempt[ACTIONS.index("mouthDimpleRight")]


def test_eyes_converge_on_what_they_look_at():
    target = np.array([0.1, -0.05, 0.5])
    yaw_left, pitch, yaw_right, _ = gaze_at(target)
    assert yaw_left < yaw_right and pitch < 0
    for yaw, eye in ((yaw_left, 0.03), (yaw_right, -0.03)):
        np.testing.assert_allclose(eye + 0.5 * np.tan(yaw), 0.1, atol=1e-6)
    far = gaze_at(gaze_target(0.2, 0.1, 100.0))
    np.testing.assert_allclose(far, [0.2, 0.1, 0.2, 0.1], atol=1e-3)


def test_lids_follow_the_gaze():
    down = look_actions(np.array([0.0, -0.3, 0.0, -0.3], np.float32))
    assert down[ACTIONS.index("eyeLookDownLeft")] == down[ACTIONS.index("eyeLookDownRight")] > 0.3
    assert down[ACTIONS.index("eyeLookUpLeft")] == 0
    for action in ACTIONS:
        gaze = looking(action)
        assert gaze.any() == action.startswith("eyeLook")
        if gaze.any():
            assert np.argmax(look_actions(gaze)) == ACTIONS.index(action)


def test_the_script_begins_calm_and_a_few_moments_span_much():
    moments = studio_script(13, np.random.default_rng(0))
    assert [x.shape for x in moments[0]] == [(138,), (6,), (4,), (52,)]
    assert not moments[0][1].any() and not moments[0][2].any() and not moments[0][3].any()
    assert not moments[0][0][theta_slice("head")].any()
    gazes, faces = np.stack([m[2] for m in moments]), np.stack([m[3] for m in moments])
    assert np.ptp(gazes[:, 0]) > np.radians(35) and np.ptp(gazes[:, 1]) > np.radians(20)
    assert (faces.max(0) > 0.3).sum() >= 20
    shoulders = np.stack([m[0][theta_slice("left_shoulder")] for m in moments])
    assert np.linalg.norm(shoulders[:, None] - shoulders[None], axis=-1).max() > 1.2


def test_a_long_script_has_every_action_alone_but_lips_that_close_over_an_open_jaw():
    actions = np.stack([m[3] for m in studio_script(7 * 52 + 1, np.random.default_rng(1))])
    alone = actions[(actions > 0).sum(1) == 1].max(0)
    jaw, closed = ACTIONS.index("jawOpen"), ACTIONS.index("mouthClose")
    assert alone[closed] == 0 and (np.delete(alone, closed) == 1).all()
    pair = actions[(actions[:, closed] == 1) & ((actions > 0).sum(1) == 2)]
    assert len(pair) and (pair[:, jaw] == 1).all()


def test_scripts_repeat_with_their_seed_and_start_alike_for_any_generator():
    one, two = (studio_script(6, np.random.default_rng(4)) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert len(studio_script(1, np.random.default_rng(0))) == 1


@pytest.mark.parametrize("name", TURNING)
def test_somebody_who_turns_round_shows_their_back_and_goes_on_acting(name):
    generator = np.random.default_rng(6)
    plain = motion(name, generator, 84, 30.0)
    round_ = turned_round(plain, generator, 30.0, TURNING[name])
    facing = Rotation.from_rotvec(round_.root[:, :3]).apply([0, 0, 1])
    assert facing[:, 2].min() < -0.9 < 0.3 < facing[0, 2]
    assert np.degrees(np.arccos((facing[1:] * facing[:-1]).sum(1).clip(-1, 1))).max() < 9  # a frame, 270 degrees/s
    arms = theta_slice("left_elbow")
    np.testing.assert_array_equal(round_.theta[:, arms], plain.theta[:, arms])
    knees = round_.theta[:, theta_slice("left_knee")][:, 0]
    assert np.ptp(knees) > 0.1, "legs step"


def test_people_turn_either_way_in_a_quarter_of_clips_and_the_curve_is_the_same_at_any_pace():
    names, senses = [], []
    for seed in range(300):
        name, clip = acted(np.random.default_rng(seed), 3)
        names.append("turning" in name)
        if names[-1]:
            yaw = np.unwrap([np.arctan2(*Rotation.from_rotvec(r[:3]).apply([0, 0, 1])[[0, 2]]) for r in clip.root])
            senses.append(np.sign(yaw[-1] - yaw[0]))
    assert abs(np.mean(names) - ROUND) < 0.07 and 0.3 < np.mean(np.array(senses) > 0) < 0.7
    seed = names.index(True)
    sparse, fine = acted(np.random.default_rng(seed), 3)[1], acted(np.random.default_rng(seed), 25, 30.0)[1]
    for a, b in zip(sparse, fine, strict=True):
        np.testing.assert_allclose(a, b[::12], atol=1e-5)
    streams = [np.random.default_rng(seed) for _ in range(2)]
    acted(streams[0], 2), acted(streams[1], 60, 30.0)
    assert streams[0].random() == streams[1].random(), "a clip's length changes nothing that is drawn after it"


def leads(faces: np.ndarray) -> np.ndarray:
    """[n]: the most of an open jaw, a smile, a pucker and a blink in faces [n, 52]."""
    names = ("jawOpen", "mouthPucker", *(f"{a}{s}" for a in ("mouthSmile", "eyeBlink") for s in ("Left", "Right")))
    return faces[:, [ACTIONS.index(name) for name in names]].max(1)


def test_two_faces_in_five_are_led_by_a_strong_action_and_faint_ones_are_as_usual():
    faces = np.stack([random_face(np.random.default_rng(seed)) for seed in range(600)])
    assert faces.min() >= 0 and faces.max() <= 1
    assert (leads(faces) >= 0.4).mean() > 0.45
    assert (faces.max(1) < 0.4).mean() > 0.2
    smile = faces[:, [ACTIONS.index(f"mouthSmile{side}") for side in ("Left", "Right")]]
    assert (np.abs(smile[:, 0] - smile[:, 1]) > 0.2).mean() > 0.05


def test_studio_and_wild_show_strong_faces_alike():
    studio = np.concatenate([[m[3] for m in studio_script(6, np.random.default_rng(s))] for s in range(40)])
    wild = np.concatenate([motion("walk", np.random.default_rng(s), 8, 2.5).actions for s in range(60)])
    assert (leads(studio) >= 0.4).mean() >= 0.4 and (leads(wild) >= 0.4).mean() >= 0.4


def test_lids_do_not_pass_each_other_and_lips_close_no_more_than_the_jaw_opens():
    actions = settled(np.ones(52, np.float32))
    for name in ("eyeSquintLeft", "eyeLookDownRight", "eyeWideLeft"):
        assert actions[ACTIONS.index(name)] == 0
    closed = np.zeros((2, 52), np.float32)
    closed[:, ACTIONS.index("mouthClose")] = 1
    closed[1, ACTIONS.index("jawOpen")] = 0.6
    np.testing.assert_allclose(settled(closed)[:, ACTIONS.index("mouthClose")], [0, 0.6])
