"""The loss: image terms, and regularisers that cost nothing within their margins."""

import math

import pytest
import torch

from lca_core.training.losses import as_close_as_possible, as_spherical_as_possible, l1_loss, too_large


def picture(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A white square of size x size pixels on black, 1 x 8 x 8, and its silhouette."""
    alpha = torch.zeros(1, 8, 8, 1)
    alpha[:, :size, :size] = 1
    return alpha.expand(-1, -1, -1, 3).clone(), alpha


def test_equal_pictures_cost_nothing():
    truth, alpha = picture(4)
    assert l1_loss(truth, truth, alpha, alpha) == 0


def test_a_small_person_counts_as_much_as_a_large_one():
    """The same error on every pixel of the person costs the same."""
    costs = []
    for size in (4, 8):
        truth, alpha = picture(size)
        costs.append(l1_loss(truth - 0.1 * alpha, truth, alpha, alpha))
    torch.testing.assert_close(costs[0], costs[1])
    assert costs[0] == pytest.approx(0.1)


def test_a_wrong_silhouette_costs_where_the_colours_agree():
    truth, alpha = picture(4)
    assert l1_loss(truth, truth, torch.zeros_like(alpha), alpha) == pytest.approx(0.5)


def test_an_empty_picture_gives_a_finite_loss():
    truth, alpha = picture(0)
    assert l1_loss(truth + 0.1, truth, alpha, alpha).isfinite()


@pytest.mark.parametrize("distance, cost", [(0.0, 0.0), (0.019, 0.0), (0.03, 0.01), (0.12, 0.10)])
def test_gaussians_may_leave_the_skin_by_two_centimetres(distance, cost):
    position = torch.tensor([[distance, 0, 0], [0, -distance, 0]])
    assert as_close_as_possible(position) == pytest.approx(cost, abs=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 3.9, 8.0])
def test_gaussians_may_be_four_times_longer_than_wide(ratio):
    scales = torch.tensor([[0.01, 0.01 * ratio, 0.01]]).log()
    assert as_spherical_as_possible(scales) == pytest.approx(max(0, math.log(ratio / 4)), abs=1e-5)


@pytest.mark.parametrize("longest", [0.001, 0.029, 0.06])
def test_gaussians_may_be_three_centimetres_long(longest):
    scales = torch.tensor([[0.001, longest, 0.001]]).log()
    assert too_large(scales) == pytest.approx(max(0, math.log(longest / 0.03)), abs=1e-5)


@pytest.mark.parametrize("term", [as_close_as_possible, as_spherical_as_possible, too_large])
def test_gradients_are_finite_where_training_starts(term):
    """A Gaussian at its surface point, with equal axes."""
    x = torch.zeros(3, 3, requires_grad=True)
    term(x).backward()
    assert x.grad.isfinite().all()
