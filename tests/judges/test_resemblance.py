"""Likeness of colours and of features: of shifts that are known, of the same person elsewhere, of somebody else."""

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb
from skimage.data import astronaut

from lca_core.judges.metrics import over_white
from lca_core.judges.resemblance import color_distance, color_likeness, feature_likeness, person_features


def in_lab(*values: float, count: int = 50) -> np.ndarray:
    """sRGB [count, 3] of one colour of CIELAB."""
    return lab2rgb(np.full((count, 3), values, float))


def test_a_shift_of_all_colours_counts_as_long_as_it_is(rng):
    for shift in ((12.0, 0.0, 0.0), (0.0, 9.0, 0.0), (4.0, -6.0, 8.0)):
        found = color_distance(in_lab(50, 5, 5), in_lab(*np.add((50, 5, 5), shift)))
        assert found == pytest.approx(np.linalg.norm(shift), rel=0.05)
    colors = rng.random((300, 3))
    assert color_distance(colors, colors[rng.permutation(300)]) == pytest.approx(0, abs=1e-9)


def test_shares_of_colours_count_and_where_they_lie_does_not():
    black, white = np.zeros((60, 3)), np.ones((60, 3))
    half = np.concatenate([black, white])
    assert color_distance(half, np.repeat(half[::-1], 3, 0)) < 0.1
    assert 40 < color_distance(half, black) < 60
    with pytest.raises(ValueError, match="none"):
        color_distance(black, black[:0])


def test_only_the_person_s_colours_are_compared():
    ones = torch.ones(20, 20)
    inside = torch.zeros(20, 20)
    inside[5:15, 5:15] = 1
    person = torch.where(inside[..., None] > 0, 0.0, 0.7).expand(20, 20, 3)
    assert color_likeness(person, inside, torch.zeros(20, 20, 3), ones) == pytest.approx(1)
    assert color_likeness(person, inside, torch.ones(20, 20, 3), ones) == pytest.approx(0, abs=0.05)


def test_features_know_a_person_who_stands_elsewhere_from_a_pattern():
    image = torch.from_numpy(astronaut()[:256, 100:356].copy()).float() / 255
    matte = torch.zeros(256, 256)
    matte[20:236, 60:200] = 1
    moved = [torch.roll(x, 16, 1) for x in (image, matte)]
    stripes = ((torch.arange(256) // 8 % 2).float()[:, None, None] * torch.ones(256, 256, 3), matte)
    own, elsewhere, other = (person_features(over_white(*pair), pair[1]) for pair in ((image, matte), moved, stripes))
    assert float(own.norm()) == pytest.approx(1, abs=1e-5)
    assert feature_likeness(own, own) == pytest.approx(1, abs=1e-5)
    assert feature_likeness(own, elsewhere) > 0.97 > 0.7 > feature_likeness(own, other)


def test_only_the_silhouette_is_averaged_and_an_empty_one_is_refused():
    image, matte = torch.ones(96, 96, 3), torch.zeros(96, 96)
    image[10:86, 30:66], matte[10:86, 30:66] = torch.rand(76, 36, 3), 1
    framed = image.clone()
    framed[:, :4] = 0  # far from the person
    assert feature_likeness(person_features(image, matte), person_features(framed, matte)) > 0.98
    with pytest.raises(ValueError, match="nobody"):
        person_features(image, torch.zeros(96, 96))
