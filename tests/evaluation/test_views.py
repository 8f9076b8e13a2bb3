"""From which side a picture was taken, and what the photograph taken from the nearest side makes of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Frame, pixels
from lca_core.data.cameras import project
from lca_core.evaluation.baselines.nearest import copied, moved
from lca_core.evaluation.views import BACK, BINS, bin_of, from_behind, joints_of, nearest_view, viewing_direction
from tests.training.subjects import painted_person, tiny_model

TURN = np.degrees(0.8)  # of the painted person from frame to frame, to their left


@pytest.fixture(scope="module")
def shown():
    """Frames of a person who turns before one camera, with their joints."""
    model, person = tiny_model(), painted_person(9000)
    return [(frame, joints_of(model, frame, person.betas)) for frame in person.frames]


def azimuth(frame: Frame, joints: np.ndarray) -> float:
    direction = viewing_direction(frame, joints[0])
    assert np.linalg.norm(direction) == pytest.approx(1)
    return float(np.degrees(np.arctan2(direction[0], direction[2])))


def test_a_camera_is_told_in_the_axes_of_the_body_before_it(shown):
    found = [azimuth(*each) for each in shown]
    assert found == pytest.approx([(-TURN * i + 180) % 360 - 180 for i in range(5)], abs=1.0)
    moved_person = replace(shown[0][0], root=shown[0][0].root + np.array([0, 0, 0, 5, 0, 0], np.float32))
    aside = azimuth(moved_person, shown[0][1] + [5, 0, 0])
    assert aside == pytest.approx(-np.degrees(np.arctan2(5, 3)), abs=1.0), "who stands aside is seen from the side"


def test_the_nearest_view_is_the_one_with_the_least_angle(shown):
    directions = [viewing_direction(frame, joints[0]) for frame, joints in shown]
    number, degrees = nearest_view(directions[:3], directions[4])
    assert number == 2 and degrees == pytest.approx(2 * TURN, abs=1.0)
    assert nearest_view(directions, directions[3]) == (3, pytest.approx(0, abs=0.1))


def test_every_angle_has_one_bin_and_the_back_begins_behind_the_shoulders():
    edges = [bin_of(float(edge)) for edge in BINS]
    assert edges == ["0_15", "15_45", "45_90", "90_135", "135_180", "135_180"] and bin_of(14.99) == "0_15"
    with pytest.raises(ValueError, match="not 181"):
        bin_of(181.0)
    behind = [
        from_behind(np.array([np.sin(a), 0, np.cos(a)])) for a in np.radians([0, 90, BACK - 1, BACK + 1, 180, 250])
    ]
    assert behind == [False, False, False, True, True, False]


def test_a_photograph_that_is_asked_for_itself_is_given_back(shown):
    frame, _ = shown[2]
    colors, alpha = copied(shown, shown[2])
    image, matte = pixels(frame.body)
    torch.testing.assert_close(alpha, matte, rtol=0, atol=2e-3)
    torch.testing.assert_close(colors[matte > 0.9], image[matte > 0.9], rtol=0, atol=2e-3)
    assert (colors[matte == 0] > 0.99).all(), "over white"


def test_a_photograph_is_moved_and_scaled_to_where_the_joints_are(shown):
    """Into a camera with half the focal length, standing elsewhere in the picture: the silhouette fits the joints."""
    picture, joints = shown[0][0].body, shown[0][1]
    K = picture.camera.K * np.array([[0.5, 1, 1], [1, 0.5, 1], [1, 1, 1]], np.float32)
    K[0, 2] += 5
    into = replace(picture, camera=replace(picture.camera, K=K))
    _, alpha = moved(picture, project(picture.camera, joints), into, project(into.camera, joints))
    _, matte = pixels(picture)
    assert float(alpha.sum()) == pytest.approx(float(matte.sum()) / 4, rel=0.15)
    y, x = (grid.float() for grid in torch.meshgrid(*(torch.arange(n) + 0.5 for n in alpha.shape), indexing="ij"))
    before, after = (tuple(float((w * m).sum() / m.sum()) for w in (x, y)) for m in (matte, alpha))
    middle = picture.camera.width / 2
    assert after == pytest.approx(
        [0.5 * (before[0] - middle) + middle + 5, 0.5 * (before[1] - middle) + middle], abs=0.5
    )
