"""Small random scenes, and one way to draw them and take every gradient."""

import math
from types import SimpleNamespace

import torch

from lca_core.splats import rasterize

NAMES = ("means", "quats", "scales", "opacities", "colors", "viewmats", "background")


def random_scene(seed=0, count=100, batch=(1,), cameras=1, width=64, height=48, channels=3, sizes=(0.02, 0.12)):
    """Gaussians about the origin, cameras about 3 m away looking at them; a namespace of float32 tensors."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(*batch, *shape, generator=generator)

    low, high = map(math.log, sizes)
    angle = uniform(cameras) - 0.5
    viewmats = torch.eye(4).repeat(*batch, cameras, 1, 1)
    viewmats[..., 0, 0], viewmats[..., 0, 2] = angle.cos(), angle.sin()
    viewmats[..., 2, 0], viewmats[..., 2, 2] = -angle.sin(), angle.cos()
    viewmats[..., :3, 3] = torch.tensor([0.0, 0.0, 3.0]) + 0.2 * (uniform(cameras, 3) - 0.5)
    focal = 1.2 * max(width, height)
    K = torch.tensor([[focal, 0, width / 2 + 1.3], [0, 1.05 * focal, height / 2 - 2.1], [0, 0, 1]])
    return SimpleNamespace(
        means=(uniform(count, 3) - 0.5) * 2,
        quats=torch.randn(*batch, count, 4, generator=generator),
        scales=torch.exp(low + (high - low) * uniform(count, 3)),
        opacities=uniform(count) * 0.95 + 0.02,
        colors=uniform(count, channels),
        viewmats=viewmats,
        background=uniform(cameras, channels),
        Ks=K.repeat(*batch, cameras, 1, 1),
        width=width,
        height=height,
    )


def draw(scene, backend="numba", dtype=torch.float32, **options):
    """Colours, alphas and the gradients of a fixed random linear form of both, by name, all float64."""
    tensors = {name: getattr(scene, name).to(dtype).clone().requires_grad_() for name in NAMES}
    image, alpha = rasterize(
        **tensors, Ks=scene.Ks.to(dtype), width=scene.width, height=scene.height, backend=backend, **options
    )  # fmt: skip
    generator = torch.Generator().manual_seed(1)
    form = sum((t * torch.randn(t.shape, generator=generator).to(t)).sum() for t in (image, alpha))
    gradients = torch.autograd.grad(form, list(tensors.values()))
    return image.detach().double(), alpha.detach().double(), {n: g.double() for n, g in zip(tensors, gradients)}


def relative_error(value, truth):
    return float((value - truth).norm() / truth.norm().clamp(min=1e-12))
