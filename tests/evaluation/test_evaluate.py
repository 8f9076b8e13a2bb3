"""What is compared with what."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Camera, Picture
from lca_core.evaluation.evaluate import draw_like, hidden_of
from lca_core.splats import Gaussians

PX = 32


@pytest.fixture(scope="module")
def wall():
    """Red Gaussians that fill a camera's view."""
    x, y = torch.meshgrid(torch.linspace(-1, 1, 20), torch.linspace(-1, 1, 20), indexing="ij")
    means = torch.stack([x, y, torch.zeros_like(x)], -1).reshape(-1, 3)
    n = len(means)
    return Gaussians(
        means, torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), torch.full((n, 3), 0.1), torch.full((n,), 0.99),
        torch.tensor([[0.9, 0.1, 0.1]]).repeat(n, 1),
    )  # fmt: skip


def test_nothing_is_drawn_where_a_picture_is_hidden(wall):
    viewmat, K = np.eye(4, dtype=np.float32), np.array([[48, 0, 16], [0, 48, 16], [0, 0, 1]], np.float32)
    viewmat[2, 3] = 2
    plain = Picture(np.zeros((PX, PX, 3), np.uint8), np.zeros((PX, PX), np.uint8), Camera(viewmat, K, PX, PX))
    half = np.zeros((PX, PX), np.uint8)
    half[:, : PX // 2] = 255
    (shown, alpha), (covered, part) = draw_like(wall, plain), draw_like(wall, replace(plain, hidden=half))
    assert not hidden_of(plain).any() and hidden_of(replace(plain, hidden=half)).mean() == 0.5
    assert alpha.min() > 0.9 and shown[..., 1].max() < 0.3
    assert torch.equal(covered[:, : PX // 2], torch.ones(PX, PX // 2, 3)) and not part[:, : PX // 2].any()
    torch.testing.assert_close(covered[:, PX // 2 :], shown[:, PX // 2 :])
    assert torch.equal(part[:, PX // 2 :], alpha[:, PX // 2 :])
