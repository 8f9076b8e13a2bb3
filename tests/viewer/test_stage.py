"""The stage: names become driving signals, cameras frame the avatar."""

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS, BodyModel, theta_slice
from lca_core.body.driving import GAZE, THETA
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, Inputs
from lca_core.profiles import Profile
from lca_core.viewer.stage import body_camera, code_of, head_camera, motion_driving, pose, show, turntable

TINY = Profile("tiny", 28, 28, 32, 1, 2, 64, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    torch.manual_seed(0)
    model = LCA(TINY, 788, BodyModel.load()).eval()
    model.action_map.weight.normal_(generator=torch.Generator().manual_seed(0))
    rows = [-torch.rand(1, 1, 4, 788) for _ in range(2)]  # dark, so that it shows on white
    for row in rows:
        row[..., -14 * 14 :] = 4  # all of every patch is the person
    inputs = Inputs(*rows, torch.ones(1, 1, 2, dtype=bool), torch.zeros(1, 10))
    return Avatar.encode(model, inputs)


def test_names_become_numbers_in_their_places(avatar):
    driving = pose(avatar, {"jawOpen": 0.5}, gaze=(0.2, -0.1), left_knee=(0.7, 0.0, 0.0))
    assert driving.theta.shape == (1, THETA)
    assert driving.theta[0, theta_slice("left_knee")].tolist() == pytest.approx([0.7, 0, 0])
    assert driving.gaze[0].tolist() == pytest.approx([0.2, -0.1] * (GAZE // 2))
    expected = avatar.action_map.bias + 0.5 * avatar.action_map.weight[:, ACTIONS.index("jawOpen")]
    assert torch.allclose(driving.epsilon[0], expected)


def test_an_unknown_action_or_motion_lists_what_there_is(avatar):
    with pytest.raises(InputError, match="jawOpen"):
        code_of(avatar, {"grin": 1.0})
    with pytest.raises(InputError, match="walk"):
        motion_driving(avatar, "fly")


def test_cameras_hold_the_whole_avatar_and_its_head(avatar):
    body = show(avatar, pose(avatar), body_camera(avatar, 0.0, 96))
    inked = (body < 128).any(-1)
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    assert rows[0] > 0 and rows[-1] < 95 and rows[-1] - rows[0] > 0.75 * 96
    assert columns[0] > 0 and columns[-1] < 95
    head = show(avatar, pose(avatar), head_camera(avatar, 0.0, 96))
    assert (head < 250).any(-1)[20:70, 30:66].mean() > 0.9


def test_a_turntable_shows_six_different_sides(avatar):
    views = turntable(avatar, 6, 48)
    assert len(views) == 6 and all(v.shape == (48, 48, 3) and v.dtype == np.uint8 for v in views)
    assert all(np.abs(views[0].astype(int) - v).max() > 20 for v in views[1:])
