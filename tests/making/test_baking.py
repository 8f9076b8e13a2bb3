"""Colours on a surface are those of the Gaussians that lie on it, as seen from outside."""

import numpy as np
import torch

from lca_core.data.cameras import around
from lca_core.making.baking import bake, nearest_colors
from lca_core.splats import Gaussians

RED, BLUE, GREEN = torch.eye(3)[0], torch.eye(3)[2], torch.eye(3)[1]


def ball(count: int = 3000, radius: float = 0.5) -> Gaussians:
    """A ball covered with Gaussians, red where x > 0, blue elsewhere."""
    number = torch.arange(count) + 0.5
    height, turn = 1 - 2 * number / count, np.pi * (1 + 5**0.5) * number
    flat = (1 - height**2).sqrt()
    means = radius * torch.stack([flat * turn.cos(), height, flat * turn.sin()], -1)
    return Gaussians(
        means=means.float(), quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        scales=torch.full((count, 3), 0.02), opacities=torch.full((count,), 0.95),
        colors=torch.where(means[:, :1] > 0, RED, BLUE),
    )  # fmt: skip


def cameras(gaussians: Gaussians) -> list:
    turns, elevations = 2 * np.pi * np.arange(6) / 6, (-0.6, 0.6)
    return [around(gaussians.means.numpy(), float(turn), up, 3.0, 96) for turn in turns for up in elevations]


def baked(gaussians: Gaussians, points: torch.Tensor, behind: float) -> torch.Tensor:
    normals, unseen = torch.nn.functional.normalize(points, dim=-1), GREEN.expand(len(points), 3)
    return bake(gaussians, points, normals, torch.full((len(points),), behind), unseen, cameras(gaussians))


def test_points_have_the_colour_of_what_lies_on_them():
    gaussians = ball()
    points = gaussians.means[gaussians.means[:, 0].abs() > 0.08]
    points = points[points[:, 1].abs() < 0.4]
    wanted = torch.where(points[:, :1] > 0, RED, BLUE)
    assert (baked(gaussians, points, 0.05) - wanted).abs().max() < 0.1


def test_points_deep_inside_are_not_seen_and_take_what_they_are_given():
    gaussians = ball()
    points = 0.5 * gaussians.means
    assert torch.allclose(baked(gaussians, points, 0.05), GREEN.expand(len(points), 3), atol=1e-3)
    reached = baked(gaussians, 0.97 * gaussians.means, 0.05)
    assert (reached[:, 1] < 0.1).float().mean() > 0.9, "skin a little under the cloth is seen"


def test_the_nearest_gaussians_colour_what_nothing_sees():
    gaussians = ball()
    points = 0.95 * gaussians.means[gaussians.means[:, 0].abs() > 0.1]
    wanted = torch.where(points[:, :1] > 0, RED, BLUE)
    assert (nearest_colors(gaussians, points) - wanted).abs().max() < 0.05
    one = gaussians.map(lambda t: t[:1])
    torch.testing.assert_close(nearest_colors(one, points[:3]), one.colors.expand(3, 3))
