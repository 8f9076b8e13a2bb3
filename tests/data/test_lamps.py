"""A light as lamps: nothing of it is lost, and surfaces show what they show under the whole map."""

import numpy as np
import pytest
import torch

from lca_core.data.lamps import COUNT, LAMP, lamps_of
from lca_core.data.light import OLAT, light_named, studio_light
from lca_core.data.sphere import directions, solid_angles, spiral, turned
from lca_core.errors import InputError
from lca_core.people.domains.recording import environment_of


def shown(environment: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """[n, 3] what white matt surfaces show under the whole map."""
    size = environment.shape[:2]
    facing = np.clip(normals @ directions(*size).reshape(-1, 3).T, 0, None)
    return facing @ (environment * solid_angles(*size)).reshape(-1, 3) / np.pi


def shown_by_lamps(environment: np.ndarray, normals: np.ndarray) -> np.ndarray:
    lamps = lamps_of(environment).numpy()
    return np.clip(normals @ lamps[:, :3].T, 0, None) @ lamps[:, 3:]


@pytest.mark.parametrize("name", ["studio", "sunset", "window", "neon_signs", "overcast", "lamp_05"])
def test_surfaces_show_under_the_lamps_what_they_show_under_the_map(name):
    environment = light_named(name).environment
    expected, found = (show(environment, spiral(200)) for show in (shown, shown_by_lamps))
    assert np.abs(expected - found).max() < 0.035 * expected.max()
    assert np.abs(expected - found).mean() < 0.009 * expected.max()


def test_a_single_lamp_keeps_its_direction_and_colour():
    for light in OLAT[::5]:
        lamps = lamps_of(environment_of(light)).numpy()
        weight = lamps[:, 3:].sum(-1)
        toward = (weight[:, None] * lamps[:, :3]).sum(0) / weight.sum()
        truth = (light.environment.sum(-1, keepdims=True) * directions() * solid_angles()).sum((0, 1))
        truth /= np.linalg.norm(truth)
        assert np.degrees(np.arccos(toward @ truth / np.linalg.norm(toward))) < 3
        assert shown_by_lamps(light.environment, truth[None]).mean() == pytest.approx(1, abs=0.03)


def test_lamps_are_unit_directions_and_black_where_no_light_comes_from():
    lamps = lamps_of(np.zeros((4, 8, 3)))
    assert lamps.shape == (COUNT, LAMP) and lamps.dtype == torch.float32
    torch.testing.assert_close(lamps[:, :3].norm(dim=-1), torch.ones(COUNT))
    assert not lamps[:, 3:].any()


@pytest.mark.parametrize("wrong", [np.zeros((4, 8)), -np.ones((4, 8, 3)), np.full((4, 8, 3), np.nan)])
def test_what_is_no_light_is_refused(wrong):
    with pytest.raises(InputError, match="environment"):
        lamps_of(wrong)


def test_a_light_is_carried_round_the_person():
    lamp = OLAT[9]
    weight = solid_angles() * lamp.environment.sum(-1, keepdims=True)
    before = (weight * directions()).sum((0, 1))
    there = turned(lamp, 0.7).environment
    after = (solid_angles() * there.sum(-1, keepdims=True) * directions()).sum((0, 1))
    azimuths = [np.arctan2(toward[0], toward[2]) for toward in (before, after)]
    assert (azimuths[1] - azimuths[0]) % (2 * np.pi) == pytest.approx(0.7, abs=0.01)
    np.testing.assert_allclose(turned(studio_light(), 1.3).environment, studio_light().environment, atol=1e-5)


def test_a_light_has_a_name():
    assert light_named("lamp_05").name == "lamp_05" and light_named("sunset").name == "sunset"
    assert not np.array_equal(light_named("sunset").environment, light_named("sunset", 1).environment)
    with pytest.raises(InputError, match="'disco'.*lamp_00.*sunset"):
        light_named("disco")
