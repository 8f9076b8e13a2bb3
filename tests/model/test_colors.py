"""Colour reading: colours of patches, and how geometry tokens fetch them."""

import torch

from lca_core.model.colors import READ, ColorReading, patch_colors


def patch(rgb: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """A row [1, F] as `patch_rows` makes it: pixels [3, 14, 14] over mid-grey, matte [14, 14]; one feature before."""
    pixels = torch.cat([(rgb - 0.5) * matte * 4, matte[None] * 4])
    return torch.cat([torch.ones(1), pixels.flatten()])[None]


def test_a_plain_patch_has_its_colour_four_times():
    rgb = torch.tensor([1.0, 0.5, 0.25])[:, None, None].expand(3, 14, 14)
    expected = torch.tensor([2.0, 0.0, -1.0]).repeat(4)
    torch.testing.assert_close(patch_colors(patch(rgb, torch.ones(14, 14)))[0], expected)
    torch.testing.assert_close(patch_colors(patch(rgb, 0.3 * torch.ones(14, 14)))[0], expected)


def test_each_quarter_of_a_patch_has_its_own_colour():
    """Row by row: upper left, upper right, lower left, lower right."""
    rgb = torch.zeros(3, 14, 14)
    rgb[0, :7, 7:] = 1  # red at the upper right
    rgb[2, 7:, :7] = 1  # blue at the lower left
    colors = patch_colors(patch(rgb, torch.ones(14, 14)))[0].unflatten(0, (4, 3))
    expected = torch.tensor([[-2, -2, -2], [2, -2, -2], [-2, -2, 2], [-2, -2, -2]]).float()
    torch.testing.assert_close(colors, expected)


def test_a_quarter_without_the_person_has_the_mean_of_the_others():
    rgb = torch.ones(3, 14, 14)
    matte = torch.zeros(14, 14)
    matte[:7] = 1
    torch.testing.assert_close(patch_colors(patch(rgb, matte))[0], torch.full((12,), 2.0))


def test_a_patch_without_the_person_has_no_colour():
    assert not patch_colors(patch(torch.rand(3, 14, 14), torch.zeros(14, 14))).any()


@torch.no_grad()
def test_what_is_read_lies_between_the_colours_that_are_seen():
    torch.manual_seed(0)
    reading = ColorReading(16)
    geometry, image, colors = torch.randn(1, 5, 16), torch.randn(1, 7, 16), torch.randn(1, 7, 12)
    seen = torch.tensor([[True] * 5 + [False] * 2])
    colors[0, 5:] = 1000
    read = reading(geometry, image, colors, seen)
    assert read.shape == (1, 5, READ)
    heads = read.unflatten(-1, (-1, 12))
    assert (heads <= colors[0, :5].amax(0) + 1e-5).all() and (heads >= colors[0, :5].amin(0) - 1e-5).all()
