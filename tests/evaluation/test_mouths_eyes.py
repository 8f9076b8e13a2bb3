"""Mouths and eyes: boxes lie where they should, count what does something, and tell faces that obey from others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS
from lca_core.data import camera_tensors
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.mouths_eyes import EYES, MOUTH, compare, does, seen_in, signals
from lca_core.making.photos import encode_person
from lca_core.model import recorded_head
from tests.model.test_tokens import MeanColour
from tests.training.subjects import painted_person, tiny_model


def doing(frame, **amounts: float):
    """The frame with these actions and no others."""
    actions = np.zeros(52, np.float32)
    for name, amount in amounts.items():
        actions[ACTIONS.index(name)] = amount
    return replace(frame, actions=actions)


@pytest.fixture(scope="module")
def model():
    model = tiny_model()
    with torch.no_grad():
        model.action_map.weight[:52] = torch.eye(52)
    return model


@pytest.fixture(scope="module")
def person():
    return painted_person(9000)


def test_strong_actions_count_where_they_show(person):
    frame = person.frames[1]
    assert does(doing(frame, jawOpen=0.5), "mouth") and not does(doing(frame, jawOpen=0.3), "mouth")
    assert not does(doing(frame, jawOpen=0.9), "eyes")
    assert does(doing(frame, eyeBlinkLeft=0.4, eyeBlinkRight=0.9), "eyes")
    assert not does(doing(frame, eyeBlinkLeft=0.9), "eyes")  # one lid is a wink
    with pytest.raises(InputError, match="not told"):
        does(replace(frame, actions=None), "mouth")


def test_boxes_show_a_dot_painted_where_they_look(model, person):
    frame = person.frames[1]
    head = recorded_head(model, frame, person.betas)
    viewmat, K = camera_tensors(frame.face.camera)
    for box in (MOUTH, EYES):
        place = head.eyes.reshape(2, 3).mean(0) - box.below * head.up.reshape(3)
        seen = K @ (viewmat[:3, :3] @ place + viewmat[:3, 3])
        x, y = (seen[:2] / seen[2]).tolist()
        image = torch.zeros(frame.face.camera.height, frame.face.camera.width, 3)
        image[int(y), int(x)] = 1
        crop = seen_in(image, frame.face, model, person, frame, box)
        row, column = divmod(int(crop.sum(-1).argmax()), box.px)
        assert abs(row - box.px / 2) <= 4 and abs(column - box.px / 2) <= 4
    assert MOUTH.below > 0 == EYES.below


def test_a_face_that_obeys_is_nearer_to_the_truth_than_one_at_rest(model, person):
    """The truth is what the avatar makes of the true actions: told, it is there, and at rest it is not."""
    avatar = encode_person(model, MeanColour(), person, person.frames[:2])
    frames = [doing(frame, jawOpen=1.0) for frame in person.frames[2:4]]
    for number, frame in enumerate(frames):
        posed = avatar.drive(signals(model, avatar, person, frame)["told"]).map(lambda t: t[0])
        image, _ = draw_like(posed, frame.face)
        matte = np.full(frame.face.matte.shape, 255, np.uint8)
        shown = (255 * image.clamp(0, 1)).round().byte().numpy()
        frames[number] = replace(frame, face=replace(frame.face, image=shown, matte=matte))
    found = compare(model, avatar, person, frames)
    assert set(found) == {"mouth"} and {len(numbers) for numbers in found["mouth"].values()} == {2}
    assert all(told > rest + 3 for told, rest in zip(found["mouth"]["told"], found["mouth"]["rest"]))
    assert compare(model, avatar, person, [doing(person.frames[4]), replace(frames[0], face=None)]) == {}
