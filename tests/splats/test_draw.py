"""`draw`: what `rasterize` draws with the variance of a pixel; and on a GPU, what ours draws."""

import pytest
import torch

from lca_core.splats import SHARP_EPS2D, Gaussians, draw, rasterize
from tests.splats.scenes import NAMES, random_scene, relative_error

PER_GAUSSIAN = ("means", "quats", "scales", "opacities", "colors")
# Of gsplat's own tests: colours 1e-3, opacities 8e-3; means, quats and scales go through means2d (5e-3) and conics
# (1e-3), both. Relative to the whole: where a pixel lies on a threshold (alpha at 1/255), float32 may decide so or so.
TOLERANCES = dict.fromkeys(("image", "alpha", "colors", "background"), 1e-3) | {"opacities": 8e-3}


def drawn(scene, device="cpu", dtype=torch.float32, backend="auto"):
    """Image, alpha and the gradients of a fixed random linear form of both, by name, on the CPU."""
    tensors = {name: getattr(scene, name).to(device, dtype).requires_grad_() for name in NAMES}
    image, alpha = draw(
        Gaussians(**{name: tensors[name] for name in PER_GAUSSIAN}), tensors["viewmats"], scene.Ks.to(device, dtype),
        scene.width, scene.height, tensors["background"], backend,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(1)
    upstream = [torch.randn(t.shape, generator=generator).to(t) for t in (image, alpha)]
    gradients = torch.autograd.grad([image, alpha], list(tensors.values()), upstream)
    return {"image": image.detach().cpu(), "alpha": alpha.detach().cpu()} | {
        name: gradient.cpu() for name, gradient in zip(tensors, gradients)
    }


def test_drawing_adds_the_variance_of_a_pixel_and_nothing_else():
    scene = random_scene(seed=1, count=60, batch=(2,), cameras=2, sizes=(0.003, 0.05))
    gaussians = Gaussians(**{name: getattr(scene, name) for name in PER_GAUSSIAN})
    image, alpha = draw(gaussians, scene.viewmats, scene.Ks, scene.width, scene.height, scene.background)
    assert SHARP_EPS2D == 1 / 12
    expected = rasterize(**vars(scene), eps2d=1 / 12)
    assert torch.equal(image, expected[0]) and torch.equal(alpha, expected[1])
    assert relative_error(image, rasterize(**vars(scene))[0]) > 1e-2
    empty, nothing = draw(gaussians.map(lambda t: t[:, :0]), scene.viewmats, scene.Ks, scene.width, scene.height)
    assert empty.shape == image.shape and empty.abs().max() == 0 and nothing.abs().max() == 0


def test_what_is_drawn_and_its_gradients_are_those_of_the_float64_reference():
    scene = random_scene(seed=2, count=150, cameras=2, sizes=(0.003, 0.08))
    ours, truth = drawn(scene), drawn(scene, dtype=torch.float64, backend="reference")
    assert max(relative_error(ours[name], truth[name]) for name in ("image", "alpha")) < 1e-5
    errors = {name: relative_error(ours[name], truth[name]) for name in NAMES}
    assert max(errors.values()) < 1e-3, errors


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="gsplat needs CUDA")
@pytest.mark.parametrize("batch", [(), (2,)])
def test_gsplat_on_cuda_draws_and_differentiates_as_we_do_within_its_own_tolerances(batch):
    scene = random_scene(seed=8, count=300, batch=batch, cameras=2)
    ours, theirs = drawn(scene), drawn(scene, "cuda")
    errors = {name: relative_error(theirs[name], truth) for name, truth in ours.items()}
    assert all(error < TOLERANCES.get(name, 1e-2) for name, error in errors.items()), errors
