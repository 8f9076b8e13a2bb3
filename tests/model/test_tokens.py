"""Rows of patch numbers: frozen features beside the patch's own pixels."""

from dataclasses import fields, replace

import numpy as np
import torch

from lca_core.data import Picture
from lca_core.model import patch_rows, person_inputs, rows_length
from lca_core.model.tokens import cached_features, foreground
from lca_core.profiles import profile
from lca_core.training import example
from tests.body.bodies import free_body
from tests.data.people import random_person, random_picture


class MeanColour:
    """An encoder whose features are the mean colour of the patch; it counts its calls."""

    name, patch, dim = "mean-colour", 14, 3

    def __init__(self):
        self.calls = 0

    def features(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.nn.functional.avg_pool2d(images, self.patch).flatten(2).transpose(1, 2)


def plain(colour: tuple[int, int, int], alpha: int, px: int = 28) -> Picture:
    picture = random_picture(np.random.default_rng(0), px)
    return replace(picture, image=np.full((px, px, 3), colour, np.uint8), matte=np.full((px, px), alpha, np.uint8))


def test_the_background_is_grey_whatever_it_was():
    assert torch.equal(foreground(plain((255, 0, 0), 0)), foreground(plain((0, 9, 99), 0)))
    assert foreground(plain((255, 0, 0), 255))[:, 0, 0].tolist() == [1, 0, 0, 1]


def test_a_row_holds_features_and_then_the_patch_in_colour_and_matte():
    encoder = MeanColour()
    picture = random_picture(np.random.default_rng(1), 28)
    rows = patch_rows([picture, plain((255, 128, 0), 255)], encoder)
    assert rows.shape == (2, 4, rows_length(encoder)) and rows.dtype == torch.float16
    pixels = foreground(picture)
    corner = pixels[:, :14, 14:]  # the second patch of the first row
    torch.testing.assert_close(rows[0, 1, :3].float(), corner[:3].mean((1, 2)), rtol=0, atol=1e-3)
    scaled = torch.cat([(corner[:3] - 0.5) * 4, corner[3:] * 4]).flatten()
    torch.testing.assert_close(rows[0, 1, 3:].float(), scaled, rtol=0, atol=4e-3)


def test_cached_features_are_made_once_for_each_content(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    encoder = MeanColour()
    picture, other = plain((1, 2, 3), 255), plain((1, 2, 4), 255)
    first = cached_features([picture], encoder)
    again = cached_features([replace(picture, image=picture.image.copy())], encoder)
    assert encoder.calls == 1
    assert torch.equal(first, again)
    assert not torch.equal(cached_features([other], encoder), first)
    assert encoder.calls == 2


def test_a_missing_face_crop_is_marked_unseen():
    encoder = MeanColour()
    person = random_person(0, px=28)  # its first frame has no face
    inputs = person_inputs(person.frames, person.betas, encoder, face_px=28)
    assert inputs.seen.tolist() == [[[True, False], [True, True], [True, True]]]
    assert inputs.body.shape == inputs.face.shape == (1, 3, 4, rows_length(encoder))
    assert not inputs.face[0, 0].any() and inputs.face[0, 1].any()
    assert torch.equal(inputs.betas[0], torch.from_numpy(person.betas))


def test_a_person_without_any_face_crop_can_be_encoded():
    person = random_person(0, frames=1)
    inputs = person_inputs(person.frames, person.betas, MeanColour(), face_px=28)
    assert inputs.seen.tolist() == [[[True, False]]]


def test_photographs_have_a_placement_unless_nobody_has_tracked_them():
    person, sizes = random_person(0, px=28), replace(profile("smoke"), body_px=28, face_px=28, hand_px=28)
    inputs = person_inputs(person.frames, person.betas, MeanColour(), face_px=28)
    assert inputs.placement.known.tolist() == [[True, True, True]]
    loose = [person.frames[0], replace(person.frames[1], tracked=False)]
    assert person_inputs(loose, person.betas, MeanColour(), face_px=28).placement.known.tolist() == [[True, False]]
    untracked = replace(person, frames=(*loose, person.frames[2]))
    chosen = example(untracked, MeanColour(), sizes, free_body()).inputs([0, 1]).placement
    assert chosen.known.tolist() == [[True, False]]
    trained_on = example(person, MeanColour(), sizes, free_body()).inputs([0, 1, 2]).placement
    for field in fields(trained_on):
        assert torch.equal(getattr(inputs.placement, field.name), getattr(trained_on, field.name)), field.name
