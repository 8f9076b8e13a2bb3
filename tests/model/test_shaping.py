"""The kernels that shape Gaussians and read patches: the numbers and gradients of the tensors."""

import pytest
import torch

from lca_core.model import alignment
from lca_core.model.alignment import PixelAlignment, Samples
from lca_core.model.raw import SCALE, to_gaussians

FIELDS = ("means", "quats", "scales", "opacities", "colors")


@pytest.mark.parametrize(
    ("of_raw", "of_surface"), [((), ()), ((2,), (2,)), ((2, 3), (2, 1)), ((2, 1), (2, 1)), ((), (2,))]
)
def test_gaussians_and_gradients_of_raw_numbers_are_those_of_float64_tensors(of_raw, of_surface):
    generator = torch.Generator().manual_seed(0)
    raw, surface, frames = (
        torch.randn(*shape, generator=generator) for shape in ((*of_raw, 5, 4, 14), (*of_surface, 5, 4, 3), (5, 4, 4))
    )
    raw[..., SCALE] = 6 * raw[..., SCALE] - 5  # some outside of what is kept
    leading = torch.broadcast_shapes(of_raw, of_surface)
    found, wanted = [], []
    for made, dtype in ((found, torch.float32), (wanted, torch.float64)):
        leaf = raw.to(dtype).requires_grad_()
        gaussians = to_gaussians(leaf, surface.to(dtype), frames.to(dtype))
        values = [getattr(gaussians, name) for name in FIELDS]
        values = [
            v.expand(*leading, *v.shape[v.ndim - (1 if n == "opacities" else 2) :]) for n, v in zip(FIELDS, values)
        ]
        # scales are in micrometres to decimetres: their logarithms count
        form = sum((v.log() if name == "scales" else v.sin() + v).sum() for name, v in zip(FIELDS, values))
        made += [*values, *torch.autograd.grad(form, leaf)]
    for name, value, truth in zip((*FIELDS, "gradient"), found, wanted, strict=True):
        assert value.dtype == torch.float32
        torch.testing.assert_close(value.double(), truth, rtol=1e-4, atol=1e-5, msg=name)


def test_a_surface_that_is_learnt_has_its_gradient():
    surface = torch.zeros(5, 4, 3, requires_grad=True)
    means = to_gaussians(torch.zeros(5, 4, 14), surface, torch.ones(5, 4, 4)).means
    assert (torch.autograd.grad(means.sum(), surface)[0] == 1).all()


def test_patches_are_read_as_sampled_pictures_of_tokens(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    B, N, G, k, D = 2, 3, 20, 4, 24
    model = PixelAlignment(D, k)
    body, face = (torch.randn(B, N, n, D, generator=generator) for n in (36, 16))
    facing = torch.rand(B, 2 * N, G * k, generator=generator) - 0.3
    facing = facing.clamp(min=0) * (torch.rand(B, 2 * N, G, generator=generator) > 0.6).repeat_interleave(k, -1)
    places = 2.4 * torch.rand(B, 2 * N, G * k, 2, generator=generator) - 1.2  # some outside
    samples = Samples(torch.zeros(B, 2 * N, G * k, 3), facing, facing, places)
    upstream = torch.randn(B, G, D, generator=generator)

    def read() -> list[torch.Tensor]:
        tokens = [t.clone().requires_grad_() for t in (body, face)]
        found = model._patches(samples, *tokens)
        return [found, *torch.autograd.grad(found, tokens, upstream)]

    quick = read()
    monkeypatch.setattr(alignment, "_on_cpu", lambda *tensors: False)
    for value, truth in zip(quick, read(), strict=True):
        torch.testing.assert_close(value, truth, rtol=1e-4, atol=1e-5)
    assert not (facing.unflatten(-1, (G, k)).sum((1, 3)) > 0).all(), "an anchor that nobody sees"
