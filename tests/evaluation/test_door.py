"""Photographs through the door: of which an avatar is made, and what it is judged on.

Eyes that see are put in the place of the networks: they find the person everywhere but in one photograph, and every
pose as it was.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from lca_core.curation.bodies import Fitted
from lca_core.curation.filters import Reason
from lca_core.curation.photos import Photos
from lca_core.data import Person
from lca_core.evaluation import door
from lca_core.evaluation.door import bring, photographs
from lca_core.making.photos import encode_person
from lca_core.model import Pixels, rows_length
from lca_core.model.lca import LCA
from tests.body.bodies import free_body
from tests.training.subjects import TINY, painted_person


@pytest.fixture(scope="module")
def person() -> Person:
    return replace(painted_person(3, frames=8), id="phone-000003", domain="phone")


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    return LCA(TINY, rows_length(Pixels()), free_body()).eval()


@pytest.fixture
def seen(monkeypatch, person):
    """What was made of which photographs, and which shapes poses were fitted with; nobody is found in the second."""
    told = SimpleNamespace(avatars=[], betas=[])
    number = lambda path: int(path.stem[-1])  # noqa: E731

    def see(paths):
        good = [path for path in paths if number(path) != 1]
        frames = [person.frames[number(path)] for path in good]
        images, people = (tuple(np.asarray(Image.open(path)) for path in good), tuple(map(number, good)))
        mattes = tuple(frame.body.matte for frame in frames)
        found = Photos(tuple(good), images, people, mattes, (None,) * len(good)) if good else None
        return found, {path: Reason("nobody", f"{path.name}: nobody") for path in paths if path not in good}

    def fit(images, people, mattes, profile, betas):
        told.betas.append(betas)
        (frame,) = (replace(person.frames[i], instant=0) for i in people)
        K, height = frame.body.camera.K, frame.body.camera.height
        return Fitted(betas, (frame,), np.zeros(1), np.zeros(1), np.array([K[0, 0] / height]))

    def make(photos, model, encoder):
        told.avatars.append(photos.people)
        shown = replace(person, frames=tuple(person.frames[i] for i in photos.people))
        return encode_person(model, encoder, shown, shown.frames), shown

    facing_camera = lambda focal, height, width: person.frames[0].body.camera  # noqa: E731
    for name, stand_in in {"see_good_photos": see, "fit_frames": fit, "avatar_of_photos": make,
                           "camera_with": facing_camera}.items():  # fmt: skip
        monkeypatch.setattr(door, name, stand_in)
    return told


def test_one_and_four_photographs_are_judged_on_the_pictures_held_out(seen, person, model, tmp_path):
    found, refused = bring(person, {"now": (model, Pixels()), "before": (model, Pixels())}, tmp_path)
    assert seen.avatars == [(0,), (0,), (0, 2, 3), (0, 2, 3)], "the second photograph was refused"
    assert refused == ["phone-000003-1.jpg: nobody"]
    assert found["now"] == found["before"] and found["now"].keys() == {1, 4}
    for values in found["now"].values():
        assert len(values["psnr_fg"]) == len(values["lpips"]) == 4 and min(values["psnr_fg"]) > 5
    assert all(np.array_equal(betas, person.betas) for betas in seen.betas), "poses are fitted with the avatar's shape"


def test_an_avatar_without_any_photograph_is_not_made(seen, person, model, tmp_path, monkeypatch):
    monkeypatch.setattr(door, "see_good_photos", lambda paths: (None, {}))
    found, _ = bring(person, {"now": (model, Pixels())}, tmp_path)
    assert found == {"now": {}} and not seen.avatars


def test_photographs_are_files_of_the_pictures(person, tmp_path):
    paths = photographs(person, tmp_path)
    assert len(paths) == 8
    off = np.asarray(Image.open(paths[3])).astype(float) - person.frames[3].body.image
    assert np.abs(off).mean() < 8, "JPEG"
