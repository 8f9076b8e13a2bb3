"""Sculpted facial actions: what they do to heads of any shape, in distances between the eyes."""

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS, BodyModel
from lca_core.body.face_pulls import Face
from lca_core.body.face_regions import (
    EYEBALLS,
    LEFT_CORNER,
    LOWER_TEETH,
    MARGIN,
    RIGHT_CORNER,
    SEAM,
    UPPER_TEETH,
)
from lca_core.body.sculpted import calm, jaw_directions, sculpted_directions
from lca_core.body.sculpted_file import full_regions
from lca_core.people.who.shape import sample_shape

UPPER_MIDDLE, LOWER_MIDDLE = 0, 19


class Head:
    """A calm head and what its actions add to it."""

    def __init__(self, seed: int):
        body, self.regions = BodyModel.load(part="full"), full_regions()
        betas = sample_shape(np.random.default_rng([seed, 0]))[0]
        rest = body.rest(torch.from_numpy(betas)[None])[0].numpy()
        self.rest = calm(rest, self.regions)
        self.directions = sculpted_directions(self.rest, self.regions, body.exprdirs.numpy())
        self.face = Face(self.rest, self.regions)

    def moved(self, **actions: float) -> np.ndarray:
        """Vertices with actions by name, "Both" for Left and Right."""
        vertices = self.rest.copy()
        for name, amount in actions.items():
            for side in ("Left", "Right") if name.endswith("Both") else ("",):
                vertices += amount * self.directions[..., ACTIONS.index(name.replace("Both", "") + side)]
        return vertices

    def lip(self, vertices: np.ndarray, column: int) -> np.ndarray:
        return vertices[self.regions.lips[SEAM, column]] / self.face.eyes_apart


@pytest.fixture(scope="module", params=range(9000, 9004))
def head(request):
    return Head(request.param)


def test_a_smile_widens_the_mouth_lifts_its_corners_and_parts_the_lips(head):
    smile = head.moved(mouthSmileBoth=1)
    before, after = ([head.lip(v, c) for c in (LEFT_CORNER, RIGHT_CORNER)] for v in (head.rest, smile))
    assert (after[0] - after[1])[0] - (before[0] - before[1])[0] > 0.15
    assert min(a[1] - b[1] for a, b in zip(after, before)) > 0.08
    assert (head.lip(smile, UPPER_MIDDLE) - head.lip(smile, LOWER_MIDDLE))[1] > 0.05


def test_an_open_jaw_parts_the_lips_and_turns_the_lower_teeth_as_one(head):
    opened = head.moved(jawOpen=1)
    assert np.linalg.norm(head.lip(opened, UPPER_MIDDLE) - head.lip(opened, LOWER_MIDDLE)) > 0.35
    before, after = head.rest[LOWER_TEETH], opened[LOWER_TEETH]
    apart = lambda p: np.linalg.norm(p[:, None] - p[None], axis=-1)  # noqa: E731
    assert np.abs(apart(after) - apart(before)).max() < 1e-6
    assert np.array_equal(opened[UPPER_TEETH], head.rest[UPPER_TEETH])
    fixed = jaw_directions(head.face, before)[..., ACTIONS.index("jawOpen")]
    np.testing.assert_allclose(before + fixed, after, atol=1e-6)


def test_lips_that_close_over_an_open_jaw_meet(head):
    closed = head.moved(jawOpen=1, mouthClose=1)
    apart = [head.lip(v, UPPER_MIDDLE) - head.lip(v, LOWER_MIDDLE) for v in (head.rest, closed)]
    assert np.linalg.norm(apart[1] - apart[0]) < 0.03


@pytest.mark.parametrize("left", [True, False])
def test_a_blink_closes_the_lids_over_the_eyeball(head, left):
    side = 0 if left else 1
    margin = head.regions.lids[side, MARGIN]
    upper, lower = margin[[0, 1, 2, 26, 27]], margin[[11, 12, 13, 14, 15]]
    name = "eyeBlinkLeft" if left else "eyeBlinkRight"
    closed = head.moved(**{name: 1})
    assert closed[upper, 1].max() < closed[lower, 1].max() + 0.001
    lids = head.regions.lids[side, MARGIN : MARGIN + 4]
    for amount in (0.5, 1.0):
        away = np.linalg.norm(head.moved(**{name: amount})[lids] - head.face.centres[side], axis=-1)
        assert away.min() > head.face.radii[side]


def test_lashes_go_with_the_lid(head):
    margin = head.regions.lids[0, MARGIN, 0]
    blink = head.directions[..., ACTIONS.index("eyeBlinkLeft")]
    lashes = np.arange(14742, 14867)
    near = lashes[np.linalg.norm(head.rest[lashes] - head.rest[margin], axis=1).argmin()]
    assert np.linalg.norm(blink[near] - blink[margin]) < 0.3 * np.linalg.norm(blink[margin])


def test_brows_rise_with_the_forehead(head):
    raised = head.moved(browInnerUp=1, browOuterUpBoth=1) - head.rest
    x, y, z = head.regions.offset.T
    front = head.regions.outside & (np.abs(x) < 40) & (z > 0)
    brows, forehead = front & (y > 15) & (y < 25), front & (y > 38) & (y < 46)
    assert raised[brows, 1].mean() / head.face.eyes_apart > 0.08
    assert raised[forehead, 1].mean() > 0.4 * raised[brows, 1].mean()


def test_a_calm_mouth_is_level_and_calm_eyes_are_open(head):
    middle = (head.lip(head.rest, UPPER_MIDDLE) + head.lip(head.rest, LOWER_MIDDLE))[1] / 2
    for corner in (LEFT_CORNER, RIGHT_CORNER):
        assert abs(head.lip(head.rest, corner)[1] - middle) < 0.03
    assert 0.12 < min(head.face.opening(True), head.face.opening(False))


def test_an_action_of_one_side_leaves_the_other_alone(head):
    far = head.regions.offset[:, 0] < -15
    for name in ("mouthSmileLeft", "eyeBlinkLeft", "browOuterUpLeft", "noseSneerLeft", "mouthFrownLeft"):
        moved = np.linalg.norm(head.directions[..., ACTIONS.index(name)], axis=1)
        assert moved[far].max() < 0.1 * moved.max(), name


def test_eyeballs_are_left_to_the_gaze(head):
    assert not head.directions[np.r_[EYEBALLS]].any()


def test_every_action_moves_something_and_no_point_by_more_than_a_mouth(head):
    far = np.linalg.norm(head.directions, axis=1).max(0)
    assert far.min() > 0.0005 and far.max() < 0.05


def test_the_sculpted_body_file_has_the_joints_of_the_plain_one():
    plain, sculpted = BodyModel.load(), BodyModel.load(sculpted=True)
    assert sculpted.exprdirs.shape == plain.exprdirs.shape and not torch.equal(sculpted.exprdirs, plain.exprdirs)
    assert sculpted.J_exprdirs.abs().max() < 1e-6
    torch.testing.assert_close(sculpted.J_template, plain.J_template, rtol=0, atol=1e-6)
    torch.testing.assert_close(sculpted.J_shapedirs, plain.J_shapedirs, rtol=0, atol=1e-6)
    torch.testing.assert_close(sculpted.shapedirs, plain.shapedirs)
