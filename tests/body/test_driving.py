"""The driving signal: its layout, what is tied or left out, and the signs of the gaze."""

import numpy as np
import pytest
import torch

from lca_core.body import JOINT_NAMES, THETA_JOINTS, Driving, full_pose, theta_of, theta_slice
from tests.body.bodies import free_body

SPINE, NECK = ("spine1", "spine2", "spine3"), ("neck", "head")
LEFT_OUT = {
    "pelvis",
    "jaw",
    "left_eye_smplhf",
    "right_eye_smplhf",
    "left_foot",
    "right_foot",
    "spine1",
    "spine2",
    "neck",
}


def random_signal(frames: int = 5) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(frames, n, generator=generator) for name, n in (("theta", 138), ("root", 6), ("gaze", 4))}


def at(pose: torch.Tensor, joint: str) -> torch.Tensor:
    return pose[..., JOINT_NAMES.index(joint), :]


def test_theta_has_138_numbers_of_46_joints():
    assert len(THETA_JOINTS) == 46
    assert set(JOINT_NAMES) - set(THETA_JOINTS) == LEFT_OUT
    taken = sorted(i for joint in THETA_JOINTS for i in range(138)[theta_slice(joint)])
    assert taken == list(range(138))


def test_theta_comes_back_from_the_full_pose():
    signal = random_signal()
    torch.testing.assert_close(theta_of(full_pose(**signal)), signal["theta"], rtol=0, atol=1e-6)


def test_every_joint_of_theta_lands_on_its_own_joint():
    signal = random_signal()
    pose = full_pose(**signal)
    assert pose.shape == (5, 55, 3)
    for joint in THETA_JOINTS:
        assert torch.equal(at(pose, joint), signal["theta"][:, theta_slice(joint)]), joint
    assert torch.equal(at(pose, "pelvis"), signal["root"][:, :3])


def test_the_column_turns_together_and_the_toes_and_jaw_rest():
    pose = full_pose(**random_signal())
    for group in (SPINE, NECK):
        for joint in group[:-1]:
            assert torch.equal(at(pose, joint), at(pose, group[-1])), joint
    for joint in ("left_foot", "right_foot", "jaw"):
        assert not at(pose, joint).any(), joint


def test_tied_joints_of_a_tracked_pose_are_averaged():
    pose = torch.zeros(1, 55, 3)
    for i, joint in enumerate(SPINE):
        pose[0, JOINT_NAMES.index(joint), 0] = float(i)
    theta = theta_of(pose)
    assert theta[0, theta_slice("spine3")].tolist() == [1.0, 0.0, 0.0]
    assert theta.count_nonzero() == 1


@pytest.mark.parametrize(
    "gaze, eye, axis",
    [([0.3, 0, 0, 0], "l", 0), ([0, 0.3, 0, 0], "l", 1), ([0, 0, 0.3, 0], "r", 0), ([0, 0, 0, 0.3], "r", 1)],
)
def test_positive_yaw_looks_to_the_persons_left_and_positive_pitch_up(gaze, eye, axis):
    """The pupil, the foremost vertex of the eyeball, moves along +X or +Y; the other eye stays."""
    body = free_body()
    group = body.extra["f_group"].astype(str)
    pose = full_pose(torch.zeros(1, 138), torch.zeros(1, 6), torch.tensor([gaze]))
    moved = body(torch.zeros(1, 1), None, pose).vertices[0] - body.template
    for side in "lr":
        eyeball = body.faces[torch.from_numpy(np.char.endswith(group, f"{side}-eye"))].unique()
        pupil = eyeball[body.template[eyeball, 2].argmax()]
        if side == eye:
            assert moved[pupil, axis] > 0.002
            assert moved[pupil, 1 - axis].abs() < 0.2 * moved[pupil, axis]
        else:
            assert moved[eyeball].abs().max() < 1e-6


def test_the_network_does_not_see_where_the_body_stands():
    driving = Driving.neutral(3)
    elsewhere = Driving(driving.theta, driving.epsilon, driving.gaze, driving.root + 1)
    assert torch.equal(driving.condition, elsewhere.condition)
    assert driving.condition.shape == (3, 270)


def test_a_slice_of_frames_is_a_driving_signal():
    signal = random_signal()
    driving = Driving(signal["theta"], torch.zeros(5, 128), signal["gaze"], signal["root"])
    part = driving[1:3]
    assert len(part) == 2
    assert torch.equal(part.full_pose, driving.full_pose[1:3])


def test_the_neutral_arms_hang_down():
    body = free_body()
    joints = body(torch.zeros(1, 1), None, Driving.neutral().full_pose).joints[0]
    for side in ("left", "right"):
        wrist, shoulder = (joints[JOINT_NAMES.index(f"{side}_{n}")] for n in ("wrist", "shoulder"))
        assert wrist[1] < shoulder[1] - 0.3
