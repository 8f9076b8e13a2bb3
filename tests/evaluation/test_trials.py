"""A person's avatar on trial: what is measured, on which pictures, and what is kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lca_core.body.coverage import body_for
from lca_core.curation.bodies import facing
from lca_core.data import Frame, Person, Picture
from lca_core.data.records import Truth
from lca_core.errors import InputError
from lca_core.evaluation import trials
from lca_core.evaluation.evaluate import compare
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.trials import BEHIND, kept, try_person
from lca_core.making.photos import encode_person
from lca_core.model import Pixels, rows_length, target_driving
from lca_core.model.lca import LCA
from lca_core.people.body.parts import PART_IDS
from tests.body.bodies import free_body
from tests.training.subjects import TINY, painted_person


def with_truth(picture: Picture) -> Picture:
    """Depth and parts as if all of the person were hair, three metres away."""
    on = picture.matte > 0
    depth, parts = np.where(on, 3, 0).astype(np.float16), np.where(on, PART_IDS["hair"], 0).astype(np.uint8)
    return replace(picture, truth=Truth(depth, np.zeros((*on.shape, 3), np.int8), parts))


def told(frame: Frame) -> Frame:
    return replace(
        frame, body=with_truth(frame.body), face=frame.face and with_truth(frame.face), hands=(None, frame.hands[1])
    )


@pytest.fixture(scope="module")
def person() -> Person:
    found = painted_person(3, frames=10)
    return replace(found, frames=tuple(map(told, found.frames)))


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    return LCA(TINY, rows_length(Pixels()), free_body()).eval()


@pytest.fixture(scope="module")
def trial(model, person):
    return try_person(model, Pixels(), person)


def test_whole_pictures_are_judged_as_everywhere_else(model, person, trial):
    inputs, targets = split_frames(person)
    avatar = encode_person(model, Pixels(), person, inputs)
    for i in (0, len(targets) - 1):
        driving = target_driving(model, targets[i].frame, person.betas)
        head = avatar.rig.heads(avatar.transforms(driving)[0])
        found = compare(avatar.drive(driving).map(lambda t: t[0]), targets[i].frame, head)
        for metric in ("psnr", "psnr_fg", "l1_fg", "lpips", "iou"):
            assert trial.values[f"release/{metric}"][i] == pytest.approx(found[metric], rel=1e-4)
    assert all(len(trial.values[f"{method}/psnr"]) == len(targets) for method in ("release", "refined"))


def test_regions_unseen_pixels_backs_and_more_photographs_are_there(person, trial):
    angles = [abs(facing(frame)) for frame in person.frames]
    assert len(trial.values["back/psnr_fg"]) == sum(angle > BEHIND for angle in angles) > 0
    assert {len(trial.values[f"inputs/{n}"]) for n in (1, 2, 4, 8)} == {1}
    assert trial.values["region/hair"] and "region/loose" not in trial.values
    assert len(trial.values["unseen/release"]) == len(trial.values["unseen/refined"]) > 0
    assert trial.faces["release"].truth.shape == trial.faces["refined"].avatar.shape == (9, 128)


def test_pixels_are_followed_by_the_skin_whatever_the_model_covers(model, person, monkeypatch):
    """Else weights of one coverage were judged on other pixels than those of another."""
    followed, follow = [], trials.unseen_pixels
    monkeypatch.setattr(trials, "unseen_pixels", lambda body, *rest: followed.append(body) or follow(body, *rest))
    whole = SimpleNamespace(template=np.zeros((9, 3)))
    monkeypatch.setattr(model, "body", whole)
    try_person(model, Pixels(), person)
    assert [len(body.template) for body in followed] == [len(body_for("skin").template)]


def test_people_of_wild_are_judged_on_their_second_clip_refined_too(model, person, monkeypatch):
    fade = lambda avatar, *_: replace(avatar, raw=avatar.raw - 20 * (torch.arange(14) == 13))  # noqa: E731
    monkeypatch.setattr(trials, "refine", fade)
    wild = replace(person, domain="wild", id="wild-000003", frames=person.frames[:6])
    second = replace(person, domain="wild2", id="wild2-000003")
    found = try_person(model, Pixels(), wild, second)
    assert len(found.values["release/psnr"]) == 4
    assert min(found.values["release/iou"]) > 0 and found.values["refined/iou"] == [0.0] * 4
    assert not {"back/psnr_fg", "inputs/1"} & set(found.values)


def test_without_truth_it_says_how_to_draw_it(model):
    with pytest.raises(InputError, match="--truth"):
        try_person(model, Pixels(), painted_person(3, frames=10))


def test_a_trial_is_made_once(tmp_path, trial):
    path, made = tmp_path / "studio" / "3.json", []

    def make():
        made.append(1)
        return trial

    first, again = kept(path, make), kept(path, make)
    assert len(made) == 1 and first.values == again.values
    for method in trial.faces:
        np.testing.assert_allclose(again.faces[method].avatar, trial.faces[method].avatar, rtol=1e-6)
