"""Sliders drive the avatar: a change shows, and the way back leads back."""

import io

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from lca_core.body import ACTIONS
from lca_core.model import Avatar
from lca_core.viewer.widgets import avatar_sliders
from tests.model.models import random_inputs, tiny_model

PX = 32


@pytest.fixture(scope="module")
def panel() -> widgets.Widget:
    return avatar_sliders(Avatar.encode(tiny_model(), random_inputs(people=1)), PX)


def inside(widget: widgets.Widget) -> list[widgets.Widget]:
    return [widget, *(part for child in getattr(widget, "children", ()) for part in inside(child))]


def sliders_of(panel: widgets.Widget) -> dict[str, widgets.FloatSlider]:
    return {part.description: part for part in inside(panel) if isinstance(part, widgets.FloatSlider)}


def picture_of(panel: widgets.Widget) -> np.ndarray:
    (view,) = (part for part in inside(panel) if isinstance(part, widgets.Image))
    return np.asarray(Image.open(io.BytesIO(view.value)))


def test_body_and_head_stand_beside_each_other_before_anything_is_moved(panel):
    picture = picture_of(panel)
    assert picture.shape == (PX, 2 * PX, 3)
    assert picture[:, :PX].min() < 250 and picture[:, PX:].min() < 250


@pytest.mark.parametrize("name", ["left arm", "right arm", "elbows", "left knee", "turn", "jawOpen", "gaze yaw"])
def test_every_change_drives_the_avatar_anew_and_back_it_is_as_before(panel, name):
    before, slider = picture_of(panel), sliders_of(panel)[name]
    start = slider.value
    slider.value = slider.max
    assert np.abs(picture_of(panel).astype(int) - before).max() > 2
    slider.value = start
    np.testing.assert_array_equal(picture_of(panel), before)


def test_faces_are_called_by_their_actions_and_start_neutral(panel):
    faces = {name: slider for name, slider in sliders_of(panel).items() if name in ACTIONS}
    assert len(faces) >= 5 and all((s.min, s.value, s.max) == (0, 0, 1) for s in faces.values())
