import math

import pytest
import torch

from lca_core.splats import SHARP_EPS2D, rasterize
from tests.splats.scenes import NAMES, draw, random_scene, relative_error

SCENES = {
    "plain": dict(),
    "image size not a multiple of the tile": dict(width=71, height=37, count=300),
    "batch, cameras, five channels": dict(batch=(2, 2), cameras=3, width=40, height=40, count=60, channels=5),
    "large splats, pixels that close early": dict(count=400, sizes=(0.05, 0.5)),
    "tiny splats, one channel": dict(count=1000, sizes=(0.003, 0.02), channels=1),
    "needles": dict(count=150, sizes=(0.001, 0.6)),
}


@pytest.mark.parametrize("name", SCENES)
def test_numba_draws_and_differentiates_as_the_float64_reference(name):
    scene = random_scene(seed=len(name), **SCENES[name])
    image, alpha, gradients = draw(scene)
    true_image, true_alpha, true_gradients = draw(scene, "reference", torch.float64)
    assert relative_error(image, true_image) < 1e-5
    assert relative_error(alpha, true_alpha) < 1e-5
    errors = {n: relative_error(gradients[n], true_gradients[n]) for n in NAMES}
    assert max(errors.values()) < 1e-3, errors


def test_reference_gradients_agree_with_finite_differences():
    # Smooth on purpose: alphas far from 1/255 and 0.999 would not matter, but depth order and thresholds jump,
    # so few, wide, distant splats and a small step.
    scene = random_scene(seed=5, count=4, width=6, height=5, sizes=(0.4, 0.8))
    tensors = [getattr(scene, name).double().requires_grad_() for name in NAMES]

    def picture(*values):
        return rasterize(
            **dict(zip(NAMES, values)), Ks=scene.Ks.double(), width=6, height=5, backend="reference"
        )  # fmt: skip

    assert torch.autograd.gradcheck(picture, tensors, eps=1e-7, atol=1e-5, rtol=1e-4)


def test_the_projection_jacobian_is_clamped_beside_the_image():
    scene = random_scene(seed=3, count=40, sizes=(0.3, 0.6))
    scene.means[..., 0] += 2.0  # centres outside the view, tails inside it
    image, _, gradients = draw(scene)
    true_image, _, true_gradients = draw(scene, "reference", torch.float64)
    assert image.std() > 0.01
    assert relative_error(image, true_image) < 1e-5
    assert all(relative_error(gradients[n], true_gradients[n]) < 1e-3 for n in NAMES)


def test_one_gaussian_is_where_and_what_the_formulas_say():
    # At z = 2 with f = 40, a 0.05 m sphere is 1 px wide: covariance 1 + 0.3 px^2 about pixel (8.5, 4.5).
    image, alpha = rasterize(
        means=torch.tensor([[0.0, 0.0, 2.0]]),
        quats=torch.tensor([[2.0, 0.0, 0.0, 0.0]]),
        scales=torch.full((1, 3), 0.05),
        opacities=torch.tensor([0.8]),
        colors=torch.tensor([[1.0, 0.5]]),
        viewmats=torch.eye(4)[None],
        Ks=torch.tensor([[[40.0, 0, 8.5], [0, 40.0, 4.5], [0, 0, 1]]]),
        width=20,
        height=10,
        background=torch.tensor([0.0, 1.0]),
    )
    assert image.shape == (1, 10, 20, 2) and alpha.shape == (1, 10, 20, 1)
    expected = 0.8 * math.exp(-0.5 * (1 + 4) / 1.3)  # one row down, two columns right
    assert float(alpha[0, 4, 8, 0]) == pytest.approx(0.8, rel=1e-5)
    assert float(alpha[0, 5, 10, 0]) == pytest.approx(expected, rel=1e-5)
    assert image[0, 5, 10].tolist() == pytest.approx([expected, 0.5 * expected + 1 - expected], rel=1e-5)
    assert image[0, 0, 0].tolist() == [0.0, 1.0]


def test_a_sharp_edge_drawn_with_a_pixels_own_variance_is_the_edge_a_box_sees():
    # Thin vertical Gaussians, 2 mm apart (0.04 px), fill the plane left of x = 0, which falls on a quarter of a pixel:
    # a box sees that pixel covered to a quarter and its neighbours not at all or wholly.
    count = 2000
    means = torch.zeros(count, 3)
    means[:, 0], means[:, 2] = -0.002 * torch.arange(count), 2.0
    scene = dict(
        means=means, quats=torch.tensor([[1.0, 0, 0, 0]]).expand(count, -1),
        scales=torch.tensor([[0.002, 1.0, 0.002]]).expand(count, -1), opacities=torch.full((count,), 0.999),
        colors=torch.ones(count, 1), viewmats=torch.eye(4)[None],
        Ks=torch.tensor([[[40.0, 0, 10.25], [0, 40.0, 2.5], [0, 0, 1]]]), width=20, height=5,
    )  # fmt: skip
    box = torch.tensor([1.0] * 10 + [0.25] + [0.0] * 9)
    wrong = {eps2d: float((rasterize(**scene, eps2d=eps2d)[1][0, 2, :, 0] - box).abs().sum()) for eps2d in
             (0.3, SHARP_EPS2D)}  # fmt: skip
    assert wrong[SHARP_EPS2D] < 0.75 * wrong[0.3], wrong


@pytest.mark.parametrize("eps2d", [SHARP_EPS2D, 1.0])
def test_what_is_added_to_the_covariance_is_the_callers_choice(eps2d):
    scene = random_scene(seed=9, count=200, sizes=(0.003, 0.05))
    image, _, gradients = draw(scene, eps2d=eps2d)
    true_image, _, true_gradients = draw(scene, "reference", torch.float64, eps2d=eps2d)
    assert relative_error(image, true_image) < 1e-5
    assert relative_error(image, draw(scene)[0]) > 1e-2
    assert all(relative_error(gradients[n], true_gradients[n]) < 1e-3 for n in NAMES)


def test_results_are_bitwise_the_same_run_to_run_and_for_any_number_of_threads():
    scene = random_scene(seed=7, count=500, cameras=2)
    image, alpha, gradients = draw(scene)
    threads = torch.get_num_threads()
    for count in (2, 1):
        torch.set_num_threads(count)
        try:
            again = draw(scene)
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(image, again[0]) and torch.equal(alpha, again[1])
        assert all(torch.equal(gradients[n], again[2][n]) for n in NAMES)


def test_equal_depths_are_drawn_in_index_order():
    scene = random_scene(seed=2, count=30)
    scene.viewmats[:] = torch.eye(4)
    scene.means[..., 2] = 3.0
    scene.opacities[:] = 0.9
    assert relative_error(draw(scene)[0], draw(scene, "reference", torch.float64)[0]) < 1e-5


@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_what_is_not_visible_leaves_the_background_and_zero_gradients(backend):
    behind = random_scene(seed=1, count=5)
    behind.means[..., 2] -= 10
    too_faint = random_scene(seed=1, count=5)
    too_faint.opacities[:] = 1 / 256
    far_off = random_scene(seed=1, count=5)
    far_off.means[..., 0] += 50
    on_the_camera = random_scene(seed=1, count=5)
    on_the_camera.viewmats[:] = torch.eye(4)
    on_the_camera.means[:] = 0
    for scene in (behind, too_faint, far_off, on_the_camera):
        image, alpha, gradients = draw(scene, backend)
        assert torch.equal(image, scene.background.double()[:, :, None, None].expand_as(image))
        assert alpha.abs().max() == 0
        assert all(gradients[n].abs().max() == 0 for n in NAMES if n != "background")


def test_no_gaussians_draw_the_background():
    scene = random_scene(count=0)
    image, alpha, gradients = draw(scene)
    assert image.shape == (1, 1, 48, 64, 3) and alpha.abs().max() == 0
    assert gradients["means"].shape == (1, 0, 3) and gradients["background"].abs().min() > 0


def test_zero_and_negative_scales_splats_larger_than_the_image_and_strided_tensors_are_drawn_as_the_reference_does():
    scene = random_scene(seed=4, count=60)
    scene.scales[:, :20, 1] = 0
    scene.scales[:, 20:40] *= -1
    scene.scales[:, 40:45] = 5.0
    scene.means = scene.means.transpose(-1, -2).contiguous().transpose(-1, -2)
    image, _, gradients = draw(scene)
    true_image, _, true_gradients = draw(scene, "reference", torch.float64)
    assert relative_error(image, true_image) < 1e-5
    assert all(relative_error(gradients[n], true_gradients[n]) < 1e-3 for n in NAMES)


def test_a_returned_image_may_be_written_to_before_the_backward_pass():
    scene = random_scene(seed=6)
    colors = scene.colors.requires_grad_()
    arguments = {n: getattr(scene, n) for n in (*NAMES, "Ks", "width", "height") if n != "colors"}
    image, _ = rasterize(**arguments, colors=colors)
    (expected,) = torch.autograd.grad(image.sum(), colors)
    image, _ = rasterize(**arguments, colors=colors)
    total = image.sum()
    image.detach().zero_()
    assert torch.equal(torch.autograd.grad(total, colors)[0], expected)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(means=torch.full((1, 9, 3), math.nan)), "means holds NaN"),
        (dict(scales=torch.full((1, 9, 3), math.inf)), "scales holds NaN or infinite"),
        (dict(quats=torch.zeros(1, 9, 4)), "zero quaternion"),
        (dict(opacities=torch.full((1, 9), 1.5)), "opacities must be in"),
        (dict(opacities=torch.ones(1, 9, 1)), r"opacities must be \[1, 9\]"),
        (dict(colors=torch.ones(1, 9, 3, dtype=torch.long)), "colors must hold floating-point"),
        (dict(background=torch.ones(4)), "background must be"),
        (dict(viewmats=torch.eye(4)), "viewmats"),
        (dict(Ks=torch.zeros(1, 1, 3, 3)), "focal"),
        (dict(width=0), "width must be"),
        (dict(backend="cuda"), "backend must be one of"),
        (dict(backend="gsplat"), "cannot draw tensors on cpu"),
        (dict(near_plane=0.0), "near_plane"),
        (dict(eps2d=0.0), "eps2d must be a positive"),
        (dict(eps2d=math.inf), "eps2d must be a positive"),
    ],
)
def test_wrong_input_is_named_at_the_door(change, message, any_shape):
    scene = vars(random_scene(count=9))
    with pytest.raises(ValueError, match=message):
        rasterize(**{**scene, **change})


def test_each_camera_may_have_colours_of_its_own():
    scene = random_scene(seed=11, count=80, batch=(2,), cameras=3)
    shared, _, shared_gradients = draw(scene)
    scene.colors = scene.colors[:, None].repeat(1, 3, 1, 1)
    image, _, gradients = draw(scene)
    assert torch.equal(image, shared)
    torch.testing.assert_close(gradients["colors"].sum(1), shared_gradients["colors"], rtol=1e-5, atol=1e-5)
    scene.colors = torch.rand(scene.colors.shape, generator=torch.Generator().manual_seed(0))
    image, _, gradients = draw(scene)
    true_image, _, true_gradients = draw(scene, "reference", torch.float64)
    assert gradients["colors"].shape == scene.colors.shape
    assert relative_error(image, true_image) < 1e-5
    assert all(relative_error(gradients[n], true_gradients[n]) < 1e-3 for n in NAMES)


@pytest.mark.parametrize("mode", ["D", "ED", "RGB+D", "RGB+ED"])
def test_depth_is_that_of_the_float64_reference_and_can_be_differentiated(mode):
    scene = random_scene(seed=12, count=60, batch=(2,), cameras=2, width=33, height=20)
    images, gradients = {}, {}
    for backend, dtype in (("numba", torch.float32), ("reference", torch.float64)):
        tensors = {name: getattr(scene, name).to(dtype).requires_grad_() for name in NAMES}
        background = tensors.pop("background")
        image, alpha = rasterize(
            **tensors, Ks=scene.Ks.to(dtype), width=33, height=20, backend=backend, render_mode=mode,
            background=background if mode.startswith("RGB") else None,
        )  # fmt: skip
        images[backend] = image.detach()
        well_covered = (alpha > 0.05).detach()  # where alpha is almost nothing, dividing by it magnifies rounding
        upstream = torch.randn(image.shape, generator=torch.Generator().manual_seed(0)) * well_covered
        names = ("means", "quats", "scales", "opacities", "viewmats")
        values = torch.autograd.grad(image, [tensors[n] for n in names], upstream.to(dtype))
        gradients[backend] = dict(zip(names, values))
    assert images["numba"].shape == (2, 2, 20, 33, {"D": 1, "ED": 1}.get(mode, 4))
    assert relative_error(images["numba"], images["reference"]) < 1e-5
    errors = {n: relative_error(value, gradients["reference"][n]) for n, value in gradients["numba"].items()}
    assert max(errors.values()) < 1e-3, errors


def test_expected_depth_of_one_gaussian_is_its_camera_z():
    scene = dict(
        means=torch.tensor([[0.0, 0.0, 1.0]]), quats=torch.tensor([[1.0, 0, 0, 0]]), scales=torch.full((1, 3), 0.05),
        opacities=torch.tensor([0.5]), colors=torch.ones(1, 3), viewmats=torch.eye(4)[None],
        Ks=torch.tensor([[[20.0, 0, 4.5], [0, 20.0, 4.5], [0, 0, 1]]]), width=9, height=9,
    )  # fmt: skip
    scene["viewmats"][0, 2, 3] = 1.5
    weighted, alpha = rasterize(**scene, render_mode="D")
    expected, _ = rasterize(**scene, render_mode="RGB+ED", background=torch.zeros(3))
    assert float(weighted[0, 4, 4, 0]) == pytest.approx(2.5 * 0.5, rel=1e-5)
    assert float(expected[0, 4, 4, 3]) == pytest.approx(2.5, rel=1e-5)
    assert expected[0][alpha[0, ..., 0] == 0].abs().max() == 0
    with pytest.raises(ValueError, match="render_mode must be one of RGB, D, ED"):
        rasterize(**scene, render_mode="depth")
