"""Expression codes: what they are read from, and the map from facial actions to them."""

import numpy as np
import pytest
import torch

from lca_core.body import Head
from lca_core.data import Camera, Picture
from lca_core.model.expression import CHIP_SIDE, ActionMap, ExpressionEncoder, expression_chip

CHIP_PX = 56


@pytest.mark.parametrize("px", [56, 112])
@torch.no_grad()
def test_the_code_depends_on_the_face_and_not_on_its_brightness(px):
    torch.manual_seed(0)
    encoder = ExpressionEncoder(px)
    chips = 0.6 * torch.rand(2, px, px, generator=torch.Generator().manual_seed(0))
    codes = encoder(chips)
    assert codes.shape == (2, 128)
    assert (codes[0] - codes[1]).abs().max() > 1e-5
    torch.testing.assert_close(encoder(chips + 0.3), codes, rtol=0, atol=1e-6)


def turned_face(roll: float) -> tuple[Picture, Head]:
    """A bright dot between the eyes and a dim one below it, seen from two metres by a camera rolled by `roll`."""
    px, focal = 112, 112 * 2 / 0.36
    turn = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    viewmat = np.eye(4, dtype=np.float32)
    viewmat[:3, :3] = turn @ np.diag([1.0, -1, -1])
    viewmat[2, 3] = 2
    K = np.array([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]], np.float32)
    image, y, x = np.zeros((px, px, 3), np.uint8), *np.mgrid[:px, :px] + 0.5
    for place, value in (((0.0, 0.02, 0), 255), ((0.0, -0.04, 0), 140)):
        p = viewmat[:3, :3] @ place + viewmat[:3, 3]
        u, v = (K @ p)[:2] / p[2]
        image[np.hypot(x - u, y - v) < 3] = value
    head = Head(torch.tensor([[0.03, 0.02, 0], [-0.03, 0.02, 0]]), torch.tensor([0.0, 1, 0]))
    return Picture(image, np.full((px, px), 255, np.uint8), Camera(viewmat, K, px, px)), head


def test_a_chip_stands_upright_at_the_scale_of_the_face():
    straight, rolled = (expression_chip(*turned_face(roll), CHIP_PX) for roll in (0.0, 0.7))
    eyes = CHIP_PX / 2 - 0.035 / CHIP_SIDE * CHIP_PX  # row of the point between the eyes
    row, column = (straight > 0.8).nonzero().float().mean(0) + 0.5
    assert abs(row - eyes) < 1 and abs(column - CHIP_PX / 2) < 1
    lower = eyes + 0.06 / CHIP_SIDE * CHIP_PX
    assert straight[int(lower), CHIP_PX // 2] > 0.4 and straight[int(lower) - 9, CHIP_PX // 2] < 0.1
    assert (straight - rolled).abs().mean() < 0.01


def test_a_chip_leaves_out_what_is_behind():
    picture, head = turned_face(0.0)
    without = Picture(picture.image, np.zeros_like(picture.matte), picture.camera)
    assert (expression_chip(without, head, CHIP_PX) == 0.5).all()


def test_the_action_map_finds_an_affine_law():
    generator = torch.Generator().manual_seed(0)
    law, shift = torch.randn(52, 128, generator=generator), torch.randn(128, generator=generator)
    actions = torch.rand(400, 52, generator=generator)
    fitted = ActionMap()
    fitted.fit(actions, actions @ law + shift, ridge=1e-9)
    new = torch.rand(5, 52, generator=generator)
    torch.testing.assert_close(fitted(new), new @ law + shift, rtol=0, atol=1e-3)


def test_the_ridge_keeps_an_action_never_seen_at_zero():
    generator = torch.Generator().manual_seed(0)
    actions = torch.rand(100, 52, generator=generator)
    actions[:, 7] = 0
    fitted = ActionMap()
    fitted.fit(actions, torch.randn(100, 128, generator=generator))
    assert fitted.weight[:, 7].abs().max() < 1e-6
    assert fitted.weight.isfinite().all()
