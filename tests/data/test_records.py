"""The record types: cameras and splits."""

import numpy as np
import pytest

from lca_core.data import Camera, split_of
from tests.data.people import random_camera


def project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """World points [N, 3] to pixels [N, 2]."""
    seen = (points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]) @ camera.K.T
    return seen[:, :2] / seen[:, 2:]


@pytest.mark.parametrize("left, top, size, px", [(10, 20, 30, 60), (-5.5, 3.25, 17.5, 28), (0, 0, 112, 112)])
def test_a_crop_sees_what_the_picture_sees_there(rng, left, top, size, px):
    camera = random_camera(rng, 112)
    points = rng.normal(0, 0.3, (50, 3))
    crop = camera.crop(left, top, size, px)
    expected = (project(camera, points) - [left, top]) * px / size
    np.testing.assert_allclose(project(crop, points), expected, atol=1e-3)
    assert (crop.width, crop.height) == (px, px)
    assert crop.K.dtype == np.float32
    assert crop.viewmat is camera.viewmat


@pytest.mark.parametrize(
    "seed, split",
    [(0, "train"), (8_999, "train"), (9_000, "validation"), (9_999, "validation"), (10_000, "test"), (10_999, "test")],
)
def test_a_seed_tells_its_split(seed, split):
    assert split_of(seed) == split


@pytest.mark.parametrize("seed", [-1, 11_000, 1_000_000])
def test_no_other_seed_is_a_person(seed):
    with pytest.raises(ValueError, match=str(seed)):
        split_of(seed)
