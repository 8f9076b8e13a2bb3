"""The live viewer: a change shows, draws once, and the way back leads back."""

import io
from dataclasses import replace

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from lca_core.body import ACTIONS
from lca_core.errors import InputError
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, Pixels
from lca_core.viewer.performance import sliders_by_name
from lca_core.viewer.signals import LOOPS
from lca_core.viewer.views import VIEWS
from lca_core.viewer.widgets import LiveViewer
from tests.body.bodies import free_body
from tests.data.people import random_person
from tests.making.examples import small_model
from tests.model.models import random_inputs, tiny_model

PX = 48


class Clock:
    """Seconds, as a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Avatar.encode(tiny_model(), random_inputs(people=1))


@pytest.fixture
def viewer(avatar) -> LiveViewer:
    return LiveViewer(avatar, PX, Clock())


@pytest.fixture
def drives(monkeypatch) -> list:
    """One entry for every time an avatar was driven since."""
    counted, drive = [], Avatar.drive
    monkeypatch.setattr(Avatar, "drive", lambda *args, **more: counted.append(0) or drive(*args, **more))
    return counted


def inside(widget: widgets.Widget) -> list[widgets.Widget]:
    return [widget, *(part for child in getattr(widget, "children", ()) for part in inside(child))]


def button(viewer: LiveViewer, words: str) -> widgets.Button:
    (found,) = (part for part in inside(viewer) if isinstance(part, widgets.Button) and part.description == words)
    return found


def seen(viewer: LiveViewer) -> np.ndarray:
    viewer.wait(60)
    return np.asarray(Image.open(io.BytesIO(viewer.image.value))).astype(int)


def test_there_is_a_picture_before_anything_is_moved(viewer):
    assert Image.open(io.BytesIO(viewer.image.value)).format == "JPEG"
    assert seen(viewer).shape == (PX, PX, 3) and seen(viewer).min() < 128 and viewer.message.value == ""


def test_a_change_drives_the_avatar_once_and_a_camera_not_at_all(viewer, drives):
    viewer.sliders["left_arm"].value = viewer.sliders["left_arm"].max
    viewer.wait(60)
    assert len(drives) == 1
    for control, value in ((viewer.azimuth, 90), (viewer.elevation, 40), (viewer.zoom, 2), (viewer.view, "Face")):
        before = seen(viewer)
        control.value = value
        assert np.abs(seen(viewer) - before).max() > 2
    assert len(drives) == 1
    button(viewer, "Smile").click()  # of 52 sliders it moves five
    viewer.wait(60)
    assert len(drives) == 2
    viewer.reset()
    viewer.wait(60)
    assert len(drives) == 3


def test_dragging_the_picture_turns_the_camera_draws_once_and_moves_its_sliders(viewer, monkeypatch):
    asked = []
    monkeypatch.setattr(viewer._newest, "ask", asked.append)
    viewer.image.set_state({"camera": [40.0, 12.0, 1.5]})  # as the browser says it
    assert [viewer.azimuth.value, viewer.elevation.value, viewer.zoom.value] == [40, 12, 1.5]
    assert len(asked) == 1 and asked[0] == viewer.performance()
    assert (asked[0].azimuth, asked[0].elevation) == pytest.approx((np.radians(40), np.radians(12)))
    viewer.azimuth.value = -90
    assert viewer.image.camera == [-90, 12, 1.5] and len(asked) == 2, "a drag goes on from where the sliders are"
    viewer.image.set_state({"camera": [-90.0, 500.0, 1.5]})
    assert viewer.elevation.value == viewer.elevation.max == viewer.image.camera[1]
    viewer.reset()
    assert viewer.image.camera == [viewer.azimuth.value, viewer.elevation.value, viewer.zoom.value] != [-90, 80, 1.5]


@pytest.mark.parametrize("name", ["left_arm", "turn", "right_index", "gaze_aside", "jawOpen"])
def test_back_where_it_was_the_picture_is_as_before(viewer, name):
    viewer.view.value = "Left hand" if "index" in name else "Face" if name in ACTIONS or "gaze" in name else "Body"
    if "index" in name:
        viewer.tabs.selected_index, viewer.view.value = 1, "Right hand"
    before, start = seen(viewer), viewer.sliders[name].value
    viewer.sliders[name].value = viewer.sliders[name].max
    assert np.abs(seen(viewer) - before).max() > 2
    viewer.sliders[name].value = start
    np.testing.assert_array_equal(seen(viewer), before)


def test_every_slider_is_there_once_within_its_range_and_angles_are_shown_in_degrees(viewer):
    assert set(viewer.sliders) == set(sliders_by_name()) >= set(ACTIONS)
    shown = [part for part in inside(viewer) if part in viewer.sliders.values()]
    assert len(shown) == len(viewer.sliders)
    elbow = viewer.sliders["left_elbow"]
    assert elbow.max == pytest.approx(np.degrees(2.2)) and viewer.sliders["jawOpen"].max == 1
    elbow.value = 90
    assert viewer.performance().sliders == {"left_elbow": pytest.approx(np.pi / 2)}


def test_at_rest_nothing_is_asked_and_reset_leads_back_to_it(viewer):
    start = viewer.performance()
    assert start.sliders == {} and start.motion == ""
    before = seen(viewer)
    viewer.set({"left_elbow": 1.0, "jawOpen": 0.5})
    viewer.motion.value, viewer.view.value, viewer.azimuth.value, viewer.zoom.value = "walk", "Face", -90, 2
    button(viewer, "Everything back to rest").click()
    assert viewer.performance() == start and not viewer.play.playing
    np.testing.assert_array_equal(seen(viewer), before)


def test_presets_set_their_group_and_leave_the_others(viewer):
    viewer.sliders["left_elbow"].value, viewer.sliders["tongueOut"].value = 40, 1.0
    button(viewer, "Surprise").click()
    asked = viewer.performance().sliders
    assert asked["browInnerUp"] == pytest.approx(0.9) and asked["left_elbow"] > 0 and "tongueOut" not in asked
    button(viewer, "Fist").click()
    assert viewer.performance().sliders["right_index"] > 1


def test_a_tab_looks_at_what_it_moves_and_a_finger_at_its_own_hand(viewer):
    looks = []
    for tab in (3, 1, 2, 0):
        viewer.tabs.selected_index = tab
        looks.append(viewer.view.value)
    assert looks == ["Face", "Left hand", "Face", "Body"] and set(looks) < set(VIEWS)
    viewer.tabs.selected_index = 1
    viewer.sliders["right_index"].value = 30
    assert viewer.view.value == "Right hand"


def test_a_motion_plays_by_the_clock_and_stands_where_it_is_stopped(viewer):
    clock = viewer._clock
    viewer.motion.value = "walk"
    assert viewer.play.playing and viewer.motion.value in LOOPS
    first = seen(viewer)
    clock.now = 0.4
    viewer.play.value += 1  # a tick of the browser's
    assert viewer.performance().seconds == pytest.approx(0.4) and np.abs(seen(viewer) - first).max() > 2
    viewer.play.playing = False
    clock.now = 5.0
    assert viewer.performance().seconds == pytest.approx(0.4)
    viewer.play.playing = True
    clock.now = 5.1
    assert viewer.performance().seconds == pytest.approx(0.5)
    viewer.motion.value = "squat"
    assert viewer.performance().seconds == 0 and viewer.play.playing
    viewer.motion.value = "Stand"
    assert not viewer.play.playing and viewer.performance().motion == ""


def test_light_is_offered_only_where_the_avatar_knows_of_it(viewer):
    assert viewer.light is None
    assert not any(getattr(part, "description", "") == "Light" for part in inside(viewer))


def test_an_avatar_that_knows_of_light_is_seen_under_others():
    person, model = random_person(7, "wild"), small_model()
    lit = LCA(replace(model.profile, parts=("light",)), model.features, free_body()).eval()
    viewer = LiveViewer(encode_person(lit, Pixels(), person, person.frames), PX)
    pictures = [seen(viewer)]
    viewer.light.value = "sunset"
    pictures.append(seen(viewer))
    viewer.light_turn.value = 120
    pictures.append(seen(viewer))
    assert all(np.abs(a - b).max() > 2 for a, b in zip(pictures, pictures[1:]))
    assert viewer.performance().light == "sunset" and viewer.performance().light_turn == pytest.approx(2 * np.pi / 3)
    viewer.reset()
    np.testing.assert_array_equal(seen(viewer), pictures[0])


def test_what_cannot_be_drawn_is_said_under_the_picture(viewer, monkeypatch):
    monkeypatch.setattr(viewer._live, "picture", lambda asked: 1 / 0)
    viewer.zoom.value = 2
    viewer.wait(60)
    assert "ZeroDivisionError" in viewer.message.value
    monkeypatch.undo()
    viewer.zoom.value = 1
    viewer.wait(60)
    assert viewer.message.value == ""


def test_a_slider_that_is_none_is_refused(viewer):
    with pytest.raises(InputError, match="third_arm"):
        viewer.set({"third_arm": 1.0})
