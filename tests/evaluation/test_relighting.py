"""Gains of light against truths that are known: pictures that the avatar itself makes under the lights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Frame, Person, Picture
from lca_core.data.light import OLAT, light_named
from lca_core.data.sphere import Light
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.relighting import (
    METHODS,
    Sitter,
    brightness,
    gains,
    judge,
    mean_lights,
    posed,
    sitter,
    tinted,
    untrained,
)
from lca_core.making.photos import encode_person
from lca_core.model import LCA, rows_length
from lca_core.model.parts import LIGHT
from lca_core.model.raw import OPACITY, SCALE
from lca_core.people.domains.recording import environment_of
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person

LIGHTS = (OLAT[2], light_named("beach"))
ONE = {method: 1.0 for method in METHODS}


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=(LIGHT,)), rows_length(MeanColour()), free_body()).eval()
    with torch.no_grad():  # a body without holes
        model.template.raw[..., SCALE] += 0.7
        model.template.raw[..., OPACITY] = 5
        model.parts[LIGHT].shared.weight.normal_(std=0.02)
    return model


def under(frame: Frame, light: Light) -> Frame:
    return replace(frame, light=light.name, environment=environment_of(light))


def shown(model: LCA, avatar, person: Person, frame: Frame, gain: float = 1.0) -> Frame:
    """A frame whose picture is what the avatar makes of it under its light."""
    colors, alpha = draw_like(tinted(posed(model, avatar, person, frame, True), gain), frame.body)
    inside = (alpha > 0.5).numpy()
    image = (255 * colors).round().byte().numpy()
    return replace(frame, body=Picture(image, (255 * inside).astype(np.uint8), frame.body.camera))


@pytest.fixture(scope="module")
def sitters(model) -> list[Sitter]:
    """Two people, each in front of the camera under two lights."""
    made = []
    for seed in (9000, 9001):
        person = painted_person(seed, frames=2)
        avatar = encode_person(model, MeanColour(), person, person.frames)
        targets = tuple(shown(model, avatar, person, under(person.frames[0], light)) for light in LIGHTS)
        made.append(Sitter(person, avatar, untrained(avatar), targets, ONE))
    return made


def test_who_shows_the_truth_gains_over_whoever_does_not(model, sitters):
    judged = judge(model, sitters, mean_lights(model, sitters))
    assert set(judged) == set(METHODS) and set(judged["relit"]) == {9000, 9001}
    assert all(value > 35 for one in judged["relit"].values() for value in one.values())
    found = gains(judged)
    assert {name: [len(v) for v in values.values()] for name, values in found.items()} == {
        "lamp_gain_db": [1, 1], "environment_gain_db": [1, 1], "over_mean_light_db": [2, 2],
        "over_untrained_db": [2, 2],
    }  # fmt: skip
    for name, values in found.items():
        assert min(min(v) for v in values.values()) > (0.2 if name == "over_untrained_db" else 1), name
    mean, unrelit = ([v for one in judged[name].values() for v in one.values()] for name in ("mean_light", "unrelit"))
    assert np.mean(mean) > np.mean(unrelit)


def test_the_brightness_of_a_person_is_found(model, sitters):
    one = sitters[0]
    dim = [shown(model, one.avatar, one.person, frame, 0.6) for frame in one.targets]
    assert brightness(model, one.avatar, one.person, one.targets, True) == pytest.approx(1, abs=0.02)
    assert brightness(model, one.avatar, one.person, dim, True) == pytest.approx(0.6, abs=0.02)


def test_photographs_are_told_from_targets_and_lights_must_be_known(model):
    person = painted_person(9000, frames=3)
    with pytest.raises(InputError, match="relit_held_out"):
        sitter(model, MeanColour(), person)
    person = replace(person, meta={"photographs": 1})
    with pytest.raises(InputError, match="--truth"):
        sitter(model, MeanColour(), person)
    person = replace(person, frames=tuple(under(frame, OLAT[8]) for frame in person.frames))
    one = sitter(model, MeanColour(), person)
    assert len(one.targets) == 2 and set(one.brightness) == set(METHODS)
    assert one.brightness["mean_light"] == one.brightness["unrelit"]
