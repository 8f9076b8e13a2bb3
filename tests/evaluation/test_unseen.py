"""Pixels that no photograph shows: told by depth and the body."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import BodyModel, full_pose
from lca_core.data import Camera, Frame, Picture
from lca_core.data.records import Truth
from lca_core.errors import InputError
from lca_core.evaluation.unseen import unseen_pixels
from tests.body.bodies import free_body

PX = 64


def frame(body: BodyModel, turn: float, lift: float = 0.0) -> Frame:
    """A body that stands before a camera, turned by so many degrees, its left arm lifted: the depth of its vertices."""
    theta, root, gaze = torch.zeros(138), torch.tensor([0, np.radians(turn), 0, 0, 0, 0.0]), torch.zeros(4)
    pose = full_pose(theta, root, gaze)[None].float()
    pose[0, 16, 2] = lift
    vertices = body(torch.zeros(1, 10), None, pose).vertices[0].numpy()
    viewmat = np.diag([1.0, -1, -1, 1]).astype(np.float32)
    viewmat[2, 3] = 3
    K = np.array([[80, 0, PX / 2], [0, 80, PX / 2], [0, 0, 1]], np.float32)
    seen = vertices @ viewmat[:3, :3].T + viewmat[:3, 3]
    column, row = np.floor((seen @ K.T)[:, :2] / seen[:, 2:]).astype(int).T
    depth = np.full((PX, PX), np.inf, np.float32)
    np.minimum.at(depth, (row, column), seen[:, 2].astype(np.float32))
    on = np.isfinite(depth)
    truth = Truth(
        np.where(on, depth, 0).astype(np.float16), np.zeros((PX, PX, 3), np.int8), np.zeros((PX, PX), np.uint8)
    )
    picture = Picture(np.zeros((PX, PX, 3), np.uint8), (255 * on).astype(np.uint8), Camera(viewmat, K, PX, PX), truth)
    return Frame(picture, None, *(x.float().numpy() for x in (theta, root, gaze)))


def test_a_back_is_not_seen_from_the_front_and_a_front_is():
    body = free_body()
    front, turned, back = (frame(body, turn) for turn in (0, 20, 180))
    same, other, behind = unseen_pixels(body, np.zeros(10, np.float32), [front], [front, turned, back])
    person = lambda f: f.body.matte > 127  # noqa: E731
    assert same[person(front)].mean() < 0.08
    assert other[person(turned)].mean() < 0.35
    assert behind[person(back)].mean() > 0.75
    assert not same[~person(front)].any()


def test_more_photographs_leave_less_unseen():
    body = free_body()
    front, side, back = (frame(body, turn) for turn in (0, 90, 180))
    one, two, all_ = (
        unseen_pixels(body, np.zeros(10, np.float32), shown, [back])[0].sum()
        for shown in ([front], [front, side], [front, side, back])
    )
    assert one > two > all_


def test_pictures_without_depth_are_refused():
    body = free_body()
    front = frame(body, 0)
    blind = replace(front, body=replace(front.body, truth=None))
    with pytest.raises(InputError, match="--truth"):
        unseen_pixels(body, np.zeros(10, np.float32), [blind], [front])
