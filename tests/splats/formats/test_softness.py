"""How avatars look where others draw them: softer, and a little less so where the files' tag is heeded."""

import numpy as np
import torch
from torch import Tensor

from lca_core.splats import SHARP_EPS2D, Gaussians, rasterize

CUSTOMARY = 0.3  # px^2 that viewers add
PX, FOCAL, AWAY = 64, 128.0, 3.0


def figure(count: int = 4000) -> Gaussians:
    """An upright body of small Gaussians in stripes, 0.9 m high, as fine to a pixel as an avatar seen whole at 256."""
    generator = torch.Generator().manual_seed(0)
    height, turn = torch.rand(2, count, generator=generator)
    radius = 0.12 + 0.06 * torch.sin(9 * height)
    angle = 2 * np.pi * turn
    means = torch.stack([radius * angle.cos(), height - 0.5, AWAY + radius * angle.sin()], -1)
    scales = 0.004 + 0.006 * torch.rand(count, 3, generator=generator)
    quats = torch.randn(count, 4, generator=generator)
    stripes = (torch.sin(40 * height)[:, None] > 0).float() * torch.tensor([0.7, 0.3, -0.2]) + 0.25
    return Gaussians(means, quats, scales, 0.3 + 0.6 * torch.rand(count, generator=generator), stripes)


def drawn(gaussians: Gaussians, eps2d: float, fainter: Tensor | float = 1.0) -> Tensor:
    g, K = gaussians, torch.tensor([[FOCAL, 0, PX / 2], [0, FOCAL, PX / 2], [0, 0, 1]])
    opacities = g.opacities * fainter
    picture, _ = rasterize(
        g.means, g.quats, g.scales, opacities, g.colors, torch.eye(4)[None], K[None], PX, PX, torch.ones(3), eps2d=eps2d
    )
    return picture[0]


def compensation(gaussians: Gaussians) -> Tensor:
    """[N]: by how much the tag has viewers make each Gaussian fainter (Mip-Splatting, Yu et al. 2024)."""
    w, x, y, z = torch.nn.functional.normalize(gaussians.quats, dim=-1).unbind(-1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    axes = torch.stack(rows, -1).unflatten(-1, (3, 3)) * gaussians.scales[:, None]
    px, py, pz = gaussians.means.unbind(-1)
    zero = torch.zeros_like(pz)
    J = torch.stack([zero + 1, zero, -px / pz, zero, zero + 1, -py / pz], -1).unflatten(-1, (2, 3))
    J = FOCAL / pz[:, None, None] * J
    covariance = (J @ axes) @ (J @ axes).transpose(1, 2)
    return (torch.linalg.det(covariance) / torch.linalg.det(covariance + CUSTOMARY * torch.eye(2))).sqrt()


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * torch.log10(((a - b) ** 2).mean()))


def test_viewers_draw_softer_and_the_tag_brings_them_nearer():
    gaussians = figure()
    ours = drawn(gaussians, SHARP_EPS2D)
    theirs, tagged = drawn(gaussians, CUSTOMARY), drawn(gaussians, CUSTOMARY, compensation(gaussians))
    steps = [(p[:, 1:] - p[:, :-1]).abs().mean() for p in (ours, theirs)]
    assert steps[1] < 0.97 * steps[0], "softer"
    assert psnr(tagged, ours) > psnr(theirs, ours) + 2 > 20
