"""Live pictures look as evaluated ones do, drive once a change, and no slider breaks them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import LCA, Avatar, Pixels, encoder_of
from lca_core.viewer.live import Live
from lca_core.viewer.performance import Performance, sliders_by_name
from lca_core.viewer.signals import LOOPS, driving_of_signal
from lca_core.viewer.sliders import groups
from lca_core.viewer.stage import picture
from lca_core.viewer.views import VIEWS, views
from tests.body.bodies import free_body
from tests.data.people import random_person
from tests.making.examples import small_model
from tests.model.stored.make import PEOPLE

PX = 96


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """A test person, by the shipped release."""
    model, meta = load_release()
    person = next(iter(read_people(PEOPLE)))
    return encode_person(model, encoder_of(meta), person, person.frames)


@pytest.fixture(scope="module")
def live(avatar) -> Live:
    return Live(avatar, PX)


@pytest.fixture
def drives(monkeypatch) -> list:
    """One entry for every time an avatar was driven since."""
    counted, drive = [], Avatar.drive
    monkeypatch.setattr(Avatar, "drive", lambda *args, **more: counted.append(0) or drive(*args, **more))
    return counted


def inked(image: np.ndarray) -> float:
    """Share of the picture that is not white."""
    return float((image < 250).any(-1).mean())


def looked_at(group: str, name: str) -> str:
    if group == "Fingers":
        return f"{name.split('_')[0].capitalize()} hand"
    return "Body" if group == "Body" else "Face"


def test_a_picture_is_what_our_rasteriser_draws_of_the_driven_avatar(avatar, live):
    asked = Performance({"left_elbow": 1.0, "jawOpen": 0.5}, azimuth=0.7)
    driving = driving_of_signal(avatar, asked.signal())
    camera = live.camera(asked, avatar.transforms(driving)[0])
    expected = picture(avatar.drive(driving).map(lambda t: t[0]), camera)
    np.testing.assert_array_equal(live.picture(asked), expected)


@pytest.mark.parametrize("group", [group["name"] for group in groups()])
def test_at_both_ends_of_every_slider_the_picture_is_sound(live, group):
    """Finite, not empty, and about as much of the person is seen as at rest."""
    sliders = next(each for each in groups() if each["name"] == group)["sliders"]
    seen_in = {looked_at(group, slider["name"]) for slider in sliders}
    at_rest = {view: inked(live.picture(Performance(view=view, azimuth=0.4))) for view in sorted(seen_in)}
    for slider in sliders:
        asked = Performance(view=looked_at(group, slider["name"]), azimuth=0.4)
        still = at_rest[asked.view]
        for end in {slider["low"], slider["high"]} - {slider["value"]}:
            moved = replace(asked, sliders={slider["name"]: end})
            gaussians, _ = live.scene(moved)
            assert all(values.isfinite().all() for values in vars(gaussians).values()), (slider["name"], end)
            assert gaussians.scales.max() < 0.3, (slider["name"], end)
            assert 0.6 * still < inked(live.picture(moved)) < 1.6 * still, (slider["name"], end)


@pytest.mark.parametrize("motion", LOOPS)
def test_in_every_motion_all_sliders_together_leave_somebody_there(live, motion):
    for end in ("low", "high"):
        everything = {name: slider[end] for name, slider in sliders_by_name().items()}
        asked = Performance(everything, motion, 2.0)
        gaussians, _ = live.scene(asked)
        assert all(values.isfinite().all() for values in vars(gaussians).values())
        assert inked(live.picture(asked)) > 0.03


def test_only_what_changes_is_done_anew(live, drives):
    for asked in (
        Performance(), Performance(azimuth=2.0), Performance(view="Face", zoom=2.0), Performance(elevation=0.5)
    ):  # fmt: skip
        live.picture(asked)
    assert len(drives) <= 1  # whatever it was driven to before
    drives.clear()
    live.picture(Performance({"left_arm": 0.0}))
    live.picture(Performance({"left_arm": 0.0}, azimuth=-1.0))
    live.picture(Performance(motion="walk", seconds=0.5))
    live.picture(Performance(motion="walk", seconds=0.9))
    assert len(drives) == 3


@pytest.mark.parametrize("view", VIEWS)
def test_the_picture_is_of_what_is_looked_at_wherever_it_moves(live, view):
    for asked in (Performance(view=view), Performance({"left_arm": 0.9, "right_arm": 0.9, "bend": 1.0}, view=view)):
        image = live.picture(asked)
        middle = image[3 * PX // 8 : 5 * PX // 8, 3 * PX // 8 : 5 * PX // 8]
        assert inked(middle) > 0.3 and inked(image) > 0.1


def test_the_whole_body_is_seen_large_and_nearer_it_is_larger(live):
    image = live.picture(Performance(azimuth=0.0))
    rows = np.flatnonzero((image < 250).any((1, 2)))
    assert rows[0] > 0 and rows[-1] < PX - 1 and rows[-1] - rows[0] > 0.7 * PX
    assert inked(live.picture(Performance(zoom=2.0))) > 1.5 * inked(image)


def test_a_view_that_follows_a_joint_keeps_its_place_on_the_body(avatar):
    asked = Performance({"turn": 1.0, "left_elbow": 2.0, "look": 1.0})
    driving = driving_of_signal(avatar, asked.signal())
    transforms = avatar.transforms(driving)[0]
    for view in views(avatar).values():
        if view.joint is not None:
            rest = avatar.transforms(driving_of_signal(avatar, Performance().signal()))[0]
            np.testing.assert_allclose(view.place(rest), view.target, atol=1e-5)
            from_joint = [np.linalg.norm(view.place(t) - _joint(avatar, t, view.joint)) for t in (rest, transforms)]
            assert from_joint[0] == pytest.approx(from_joint[1], abs=1e-5)


def _joint(avatar: Avatar, transforms: torch.Tensor, joint: int) -> np.ndarray:
    return (transforms[joint, :3, :3] @ avatar.rest_joints[joint] + transforms[joint, :3, 3]).numpy()


def test_another_light_is_for_avatars_that_know_of_it(live):
    with pytest.raises(InputError, match="relight"):
        live.picture(Performance(light="sunset"))
    person, model = random_person(7, "wild"), small_model()
    lit = LCA(replace(model.profile, parts=("light",)), model.features, free_body()).eval()
    shown = Live(encode_person(lit, Pixels(), person, person.frames), 32)
    assert shown.knows_light and not live.knows_light
    pictures = [shown.picture(Performance(light=name, light_turn=turn))
                for name, turn in (("", 0.0), ("sunset", 0.0), ("sunset", 2.0), ("studio", 0.0))]  # fmt: skip
    assert all(np.abs(a.astype(int) - b).max() > 2 for a, b in zip(pictures, pictures[1:]))
    with pytest.raises(InputError, match="disco"):
        shown.picture(Performance(light="disco"))
