"""What Gaussians show under lamps: the cosine to begin with, light that adds up, highlights where mirrors have them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lca_core.data.lamps import lamps_of
from lca_core.data.light import directional_light
from lca_core.data.srgb import to_linear as bytes_to_linear
from lca_core.model.harmonics import HARMONICS
from lca_core.model.raw import frames_of_normals
from lca_core.model.relighting import third_axes
from lca_core.model.shading import Material, anchor_turns, eyes_of, shade, to_linear, to_srgb
from tests.model.test_harmonics import rotations

G, K = 6, 2


def matt(normals: torch.Tensor, ratio: float = 1.0) -> Material:
    """Surfaces [G, k] that only scatter, with these normals [G, k, 3]."""
    each = normals.new_zeros(normals.shape[:-1])
    transfer = F.pad(normals, (1, HARMONICS - 4))
    return Material(torch.full_like(normals, ratio), normals, transfer, each, each, each + 8)


def some_normals(seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(G, K, 3, generator=torch.Generator().manual_seed(seed)), dim=-1)


def still(anchors: int = G) -> torch.Tensor:
    return torch.eye(HARMONICS).expand(anchors, -1, -1)


def grey(value: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """(sRGB colours [N, 3] of this much linear light, means at the origin)."""
    return to_srgb(torch.full((G * K, 3), value)), torch.zeros(G * K, 3)


def test_a_matt_surface_shows_the_cosine_to_a_lamp():
    normals = some_normals()
    lamps = torch.tensor([[0.0, 0.0, 1.0, 0.8, 0.4, 0.2]])
    shown = to_linear(shade(*grey(), matt(normals), still(), lamps))
    expected = 0.5 * normals.flatten(0, 1)[:, 2:].clamp(min=0) * torch.tensor([0.8, 0.4, 0.2])
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=1e-4)


def test_light_adds_up():
    normals, (colors, means) = some_normals(), grey(0.2)
    material = replace(matt(normals), fill=torch.full((G, K), 0.01), gloss=torch.full((G, K), 0.05))
    lights = [lamps_of(directional_light(np.array(d), c).environment) for d, c in
              (([1.0, 0.2, 0.5], (0.5, 0.2, 0.1)), ([-0.4, 1.0, 0.3], (0.1, 0.2, 0.4)))]  # fmt: skip
    eye = torch.tensor([0.0, 0.0, 3.0])

    def shown(lamps: torch.Tensor) -> torch.Tensor:
        return to_linear(shade(colors, means, material, still(), lamps, eye))

    torch.testing.assert_close(shown(lights[0]) + shown(lights[1]), shown(torch.cat(lights)), atol=1e-5, rtol=1e-4)


def test_what_turns_with_the_body_and_the_light_looks_the_same():
    joints = torch.eye(4).repeat(55, 1, 1)
    R = rotations(1)[0].float()
    turned = joints.clone()
    turned[:, :3, :3] = R
    weights = torch.rand(G * K, 55, generator=torch.Generator().manual_seed(2))
    weights = weights / weights.sum(-1, keepdim=True)
    generator = torch.Generator().manual_seed(3)
    material = replace(
        matt(some_normals()), transfer=torch.randn(G, K, HARMONICS, generator=generator),
        gloss=torch.full((G, K), 0.1), fill=torch.full((G, K), 0.02),
    )  # fmt: skip
    colors, _ = grey(0.1)
    means = 0.3 * torch.randn(G * K, 3, generator=generator)
    toward = F.normalize(torch.randn(5, 3, generator=generator), dim=-1)
    lit, eye = 0.2 * torch.rand(5, 3, generator=generator), torch.tensor([0.2, 0.3, 2.0])
    before = shade(
        colors, means, material, anchor_turns(weights, joints, G), torch.cat([toward, lit], -1), eye
    )  # fmt: skip
    after = shade(
        colors, means @ R.T, material, anchor_turns(weights, turned, G), torch.cat([toward @ R.T, lit], -1), R @ eye
    )
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-4)


def test_a_highlight_lies_where_a_mirror_would_show_the_lamp():
    normals = torch.tensor([0.0, 0.0, 1.0]).expand(G, K, 3)
    material = replace(matt(normals), gloss=torch.full((G, K), 0.2), sharpness=torch.full((G, K), 30.0))
    colors, means = grey(0.1)
    lamp = torch.tensor([[0.6, 0.0, 0.8, 1.0, 1.0, 1.0]])

    def shine(eye: list[float]) -> float:
        with_it = to_linear(shade(colors, means, material, still(), lamp, torch.tensor(eye)))
        return float((with_it - to_linear(shade(colors, means, material, still(), lamp))).mean())

    assert shine([-1.8, 0.0, 2.4]) == pytest.approx(0.2 * 0.8, rel=1e-3)
    assert shine([1.8, 0.0, 2.4]) < 1e-6


def test_colours_go_to_linear_light_and_back_as_bytes_do():
    srgb = torch.arange(256) / 255
    np.testing.assert_allclose(to_linear(srgb[:, None].expand(-1, 3))[:, 0], bytes_to_linear(np.arange(256)), atol=1e-6)
    torch.testing.assert_close(to_srgb(to_linear(srgb)), srgb, atol=1e-5, rtol=0)
    bright = torch.tensor([1.5, 3.0], requires_grad=True)
    shown = to_srgb(bright)
    shown.sum().backward()
    assert (shown < 1.1).all() and (bright.grad > 0).all()


def test_eyes_are_where_cameras_are():
    R, centre = rotations(1)[0].float(), torch.tensor([0.4, 1.2, 3.0])
    viewmat = torch.eye(4)
    viewmat[:3, :3], viewmat[:3, 3] = R, -R @ centre
    torch.testing.assert_close(eyes_of(viewmat), centre)


def test_third_axes_are_the_normals_that_frames_were_made_of():
    normals = some_normals()
    torch.testing.assert_close(third_axes(frames_of_normals(normals)), normals, atol=1e-5, rtol=0)
