import numpy as np
import pytest
import torch

from lca_core.training.face_chip import face_chip


@pytest.mark.parametrize("tilt", [0.0, 0.5, -1.2])
def test_a_chip_has_the_eyes_where_dlib_wants_them(tilt):
    """A red and a green dot where a head tilted before the camera has its eyes come to lie level in the chip."""
    turn = torch.tensor([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]).float()
    eyes = torch.tensor([[0.03, 0.0, 0.0], [-0.03, 0.0, 0.0]]) @ turn.T  # the person's left is +x
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    viewmat[2, 3] = 2.0
    K = torch.tensor([[600.0, 0, 56], [0, 600, 60], [0, 0, 1]])
    u, v = 300 * eyes[:, 0] + 56, 60 - 300 * eyes[:, 1]
    row, column = torch.meshgrid(torch.arange(112) + 0.5, torch.arange(112) + 0.5, indexing="ij")
    dots = torch.stack([torch.exp(-0.5 * ((column - u[i]) ** 2 + (row - v[i]) ** 2)) for i in range(2)], -1)
    chip = face_chip(torch.cat([dots, torch.zeros(112, 112, 1)], -1), viewmat, K, eyes, turn[:, 1])
    assert chip.shape == (150, 150, 3)
    for channel, x in ((0, 74 + 26.25), (1, 74 - 26.25)):  # the left eye is on the right of the picture
        weight = chip[..., channel] / chip[..., channel].sum()
        assert (weight.sum(0) * (torch.arange(150) + 0.5)).sum().item() == pytest.approx(x, abs=0.3)
        assert (weight.sum(1) * (torch.arange(150) + 0.5)).sum().item() == pytest.approx(47.1, abs=0.3)
    assert chip[..., 2].abs().max() == 0


def test_a_face_from_the_side_keeps_its_size():
    """A quarter turn brings the eyes' pictures together and must not blow the face up: the scale stays."""
    viewmat = torch.eye(4)
    viewmat[2, 3] = 2.0
    K = torch.tensor([[600.0, 0, 56], [0, 600, 56], [0, 0, 1]])
    ramp = (torch.arange(112) + 0.5)[None, :, None].expand(112, 112, 3)
    across = [
        face_chip(ramp, viewmat, K, torch.tensor(eyes), torch.tensor([0.0, -1.0, 0.0]))[0, :, 0].diff()[20:100].mean()
        for eyes in ([[0.03, 0.0, 0.0], [-0.03, 0.0, 0.0]], [[0.0, 0.0, 0.03], [0.0, 0.0, -0.03]])
    ]
    assert across[0].item() == pytest.approx(300 * 0.06 / 52.5, rel=1e-4)
    assert across[1].item() == pytest.approx(across[0].item(), rel=1e-4)
