"""`draw`: what `rasterize` draws with the variance of a pixel; and on a GPU, what ours draws."""

import pytest
import torch

from lca_core.splats import SHARP_EPS2D, Gaussians, draw, draw_each, rasterize
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


def views_of_sets():
    """Three sets of Gaussians and five pictures of two of them, each with a camera and a background of its own."""
    scene = random_scene(batch=(3,), cameras=5, count=60, width=24, height=24)
    sets = [getattr(scene, name).requires_grad_() for name in ("means", "quats", "scales", "opacities", "colors")]
    generator = torch.Generator().manual_seed(4)
    background = torch.rand(5, scene.colors.shape[-1], generator=generator)
    return sets, torch.tensor([2, 0, 2, 2, 0]), scene.viewmats[1], scene.Ks[1], background


def test_each_picture_is_of_the_set_it_names_and_gradients_add_up_there():
    sets, which, viewmats, Ks, background = views_of_sets()
    upstream = torch.randn(5, 24, 24, sets[-1].shape[-1], generator=torch.Generator().manual_seed(5))
    colors, alphas = draw_each(Gaussians(*sets), which, viewmats, Ks, 24, 24, background)
    found = torch.autograd.grad((colors * upstream).sum() + alphas.square().sum(), sets)
    picked = Gaussians(*sets).map(lambda t: t[which])
    by_copies = draw(picked, viewmats[:, None], Ks[:, None], 24, 24, background[:, None])
    assert torch.equal(colors, by_copies[0][:, 0]) and torch.equal(alphas, by_copies[1][:, 0])
    wanted = torch.autograd.grad((by_copies[0][:, 0] * upstream).sum() + by_copies[1].square().sum(), sets)
    for gradient, truth in zip(found, wanted):
        torch.testing.assert_close(gradient, truth, rtol=1e-4, atol=1e-5 * float(truth.abs().max()))
        assert (gradient[1] == 0).all() and (gradient[2] != 0).any()


def test_no_pictures_of_sets_are_none():
    sets, _, viewmats, Ks, background = views_of_sets()
    nobody = torch.zeros(0, dtype=torch.int64)
    colors, alphas = draw_each(Gaussians(*sets), nobody, viewmats[:0], Ks[:0], 24, 24, background[:0])
    assert colors.shape == (0, 24, 24, 3) and alphas.shape == (0, 24, 24, 1)


def test_close_ups_leave_out_no_gaussian_that_touches_them():
    """A camera so near that most lie outside, and are left out before their axes are turned; the reference does not."""
    scene = random_scene(batch=(), count=300, width=64, height=64, sizes=(0.01, 0.3))
    gaussians = Gaussians(scene.means, scene.quats, scene.scales, scene.opacities, scene.colors)
    K = scene.Ks.clone()
    K[..., :2, 2] -= 24
    part, truth = (draw(gaussians, scene.viewmats, K, 16, 16, backend=name)[0] for name in ("numba", "reference"))
    assert truth.std() > 0.05
    torch.testing.assert_close(part, truth, rtol=0, atol=1e-4)
