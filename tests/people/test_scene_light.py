"""Lights: a wide family, well exposed, reproducible; lamps that shine from where they stand."""

import numpy as np
import pytest

from lca_core.data.environments import ENVIRONMENTS, direction, directions, kelvin
from lca_core.data.light import CASUAL, DARK, OLAT, casual_light, directional_light, environment, studio_light


def shown(light, normal):
    """What a white matt surface with this normal shows under a light, RGB."""
    d = directions()
    solid = np.sin(np.arccos(d[..., 1]))
    solid *= 4 * np.pi / solid.sum()
    return ((np.clip(d @ normal, 0, None) * solid)[..., None] * light.environment / np.pi).sum((0, 1))


def test_the_family_is_wide():
    assert len(ENVIRONMENTS) >= 30 and len(CASUAL) >= 24
    assert set(CASUAL) < set(ENVIRONMENTS) and set(DARK) < set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_are_radiance_and_repeat(name):
    light = environment(name, np.random.default_rng(0))
    assert light.name == name
    assert light.environment.shape == (64, 128, 3) and light.environment.dtype == np.float32
    assert np.isfinite(light.environment).all() and light.environment.min() >= 0
    np.testing.assert_array_equal(light.environment, environment(name, np.random.default_rng(0)).environment)
    assert np.abs(light.environment - environment(name, np.random.default_rng(1)).environment).max() > 0.01


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("seed", range(3))
def test_environments_expose_a_white_face_neither_black_nor_burnt(name, seed):
    light = environment(name, np.random.default_rng(seed))
    sides = np.array([shown(light, direction(a, 0.0)).mean() for a in (-0.9, 0.0, 0.9)])
    low, high = (0.1, 0.8) if name in DARK else (0.25, 1.25)
    assert low < sides.mean() < high
    assert sides.max() < 1.6


def test_environments_differ_from_each_other():
    coarse = np.stack([
        environment(name, np.random.default_rng(0)).environment.reshape(8, 8, 8, 16, 3).mean((1, 3))
        for name in ENVIRONMENTS
    ])  # fmt: skip
    flat = np.log(coarse.reshape(len(coarse), -1) + 0.01)
    gaps = np.abs(flat[:, None] - flat[None]).mean(-1) + 9 * np.eye(len(flat))
    assert gaps.min() > 0.15


def test_casual_light_is_an_everyday_one_unless_named():
    generator = np.random.default_rng(0)
    names = {casual_light(generator).name for _ in range(60)}
    assert names <= set(CASUAL) and len(names) > 15
    assert casual_light(generator, "neon_pair").name == "neon_pair"
    with pytest.raises(ValueError, match="no light is called 'torch'"):
        casual_light(generator, "torch")


def test_neon_lights_the_two_cheeks_in_two_colours():
    light = environment("neon_pair", np.random.default_rng(0))
    left, right = shown(light, direction(1.2, 0.0)), shown(light, direction(-1.2, 0.0))
    magenta, cyan = sorted((left, right), key=lambda rgb: rgb[1] - rgb[0])
    assert magenta[0] > 1.5 * magenta[1] and cyan[1] > 1.5 * cyan[0]


def test_warm_bodies_are_red_and_hot_ones_blue():
    assert np.all(np.diff([kelvin(t)[2] / kelvin(t)[0] for t in (2000, 3000, 4500, 6500, 12000)]) > 0)


def test_a_directional_light_lights_the_proper_side_and_nothing_else():
    light = directional_light(np.array([2.0, 0.0, 0.0]), (1.0, 0.5, 0.25))
    np.testing.assert_allclose(shown(light, np.array([1.0, 0, 0])), [1.0, 0.5, 0.25], rtol=1e-3)
    assert shown(light, np.array([-1.0, 0, 0])).max() == 0
    assert (light.environment > 0).any(-1).mean() < 0.1
    with pytest.raises(ValueError, match="direction"):
        directional_light(np.zeros(3))


def test_one_light_at_a_time_goes_evenly_round_the_person():
    assert len(OLAT) == 24 and len({light.name for light in OLAT}) == 24
    d = directions()
    centres = np.stack([(light.environment.sum(-1, keepdims=True) ** 2 * d).sum((0, 1)) for light in OLAT])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for light, centre in zip(OLAT, centres, strict=True):
        np.testing.assert_allclose(shown(light, centre), 1.0, rtol=0.03)
    nearest = (centres @ centres.T - 2 * np.eye(24)).max(1)
    assert np.degrees(np.arccos(nearest)).min() > 25
    assert np.abs(centres.mean(0)).max() < 0.05


def test_the_studio_is_even():
    light = studio_light().environment
    assert light.max() / light.min() < 4
    np.testing.assert_allclose(light[..., 0], light[..., 2])
