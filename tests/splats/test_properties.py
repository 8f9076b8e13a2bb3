"""Properties of `rasterize` on many random scenes; test_rasterize.py looks at chosen ones.

The definition of a picture takes yes-or-no decisions (is alpha at least 1/255, is the pixel closed), and where a number
lies within float32's rounding of a threshold, float32 and float64 may rightly decide differently. `doubtful_pixels`
finds those pixels in float64. They are left out of the strict comparison, bounded by what one decision can change, and
counted: they must be fewer than one in a hundred.
"""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lca_core.splats import rasterize
from lca_core.splats.reference import ALPHA_MAX, ALPHA_MIN, EPS2D, TRANSMITTANCE_MIN, _project
from tests.splats.scenes import NAMES, draw, random_scene, relative_error

PER_GAUSSIAN = ("means", "quats", "scales", "opacities", "colors")
ROUNDING = 4e-6  # of alpha in float32, relative, for a sigma whose terms sum to 1 (the kernels' exp alone: 2.7e-6)
ONE_DECISION = 0.01  # a splat at 1/255, or one in front of a pixel that is left with 1e-4 / (1 - 0.97)
SIZES = {
    "ordinary": (0.02, 0.12),
    "tiny": (0.003, 0.02),
    "needles": (0.005, 0.6),
    "larger than the picture": (1.0, 8.0),
}
SIDES = st.sampled_from([1, 7, 15, 16, 17, 30, 33, 41])  # px


def many(examples: int):
    """The same examples in every run, and no database of failures."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


def scenes(**chosen):
    """Random scenes of every kind; most pictures are no multiple of the 16 px tiles."""
    anything = dict(
        seed=st.integers(0, 2**31 - 1),
        count=st.integers(1, 80),
        batch=st.sampled_from([(), (1,), (2,)]),
        cameras=st.integers(1, 2),
        width=SIDES,
        height=SIDES,
        channels=st.sampled_from([1, 3, 7, 33]),
        sizes=st.sampled_from(list(SIZES.values())),
    )
    return st.builds(random_scene, **(anything | chosen))


def changed(scene: SimpleNamespace, **changes) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(scene), **changes})


def random_upstream(scene: SimpleNamespace) -> list[torch.Tensor]:
    """dL/dimage and dL/dalpha, float32."""
    generator = torch.Generator().manual_seed(1)
    shape = (*scene.viewmats.shape[:-2], scene.height, scene.width)
    return [torch.randn(*shape, channels, generator=generator) for channels in (scene.colors.shape[-1], 1)]


def draw_from(scene: SimpleNamespace, upstream: list[torch.Tensor], backend="numba", dtype=torch.float32):
    """Colours, alphas and gradients by name for the gradients `upstream` of the two; tensors as strided as given."""
    tensors = {name: getattr(scene, name).to(dtype).detach().requires_grad_() for name in NAMES}
    image, alpha = rasterize(
        **tensors, Ks=scene.Ks.to(dtype), width=scene.width, height=scene.height, backend=backend
    )  # fmt: skip
    gradients = torch.autograd.grad([image, alpha], list(tensors.values()), [u.to(dtype) for u in upstream])
    return image.detach(), alpha.detach(), dict(zip(tensors, gradients))


def same_bits(one, other) -> bool:
    return (
        torch.equal(one[0], other[0])
        and torch.equal(one[1], other[1])
        and all(torch.equal(one[2][name], other[2][name]) for name in NAMES)
    )


def doubtful_pixels(scene: SimpleNamespace, rounding: float = ROUNDING) -> torch.Tensor:
    """Pixels [*batch, C, H, W] in which rounding could turn a decision of the definition."""
    leading = scene.means.ndim - 2
    names = ("means", "quats", "scales", "opacities", "viewmats", "Ks")
    flat = {name: getattr(scene, name).double() for name in names}
    flat = {name: t.reshape(-1, *t.shape[leading:]) for name, t in flat.items()}
    cameras = flat["viewmats"].shape[1]
    masks = [
        _doubtful(*(flat[n][item] for n in names[:4]), *(flat[n][item, camera] for n in names[4:]), scene, rounding)
        for item in range(len(flat["means"]))
        for camera in range(cameras)
    ]
    return torch.stack(masks).reshape(*scene.viewmats.shape[:-2], scene.height, scene.width)


def _doubtful(means, quats, scales, opacities, viewmat, K, scene, rounding):
    z = means @ viewmat[2, :3] + viewmat[2, 3]
    order = z.argsort(stable=True)
    order = order[z[order] > 0.01]
    size = (scene.width, scene.height)
    centres, conics = _project(means[order], quats[order], scales[order], viewmat, K, *size, EPS2D)
    v, u = torch.meshgrid(torch.arange(scene.height), torch.arange(scene.width), indexing="ij")
    dx, dy = u[..., None] + 0.5 - centres[:, 0], v[..., None] + 0.5 - centres[:, 1]  # [H, W, N]
    terms = 0.5 * conics[:, 0] * dx * dx, conics[:, 1] * dx * dy, 0.5 * conics[:, 2] * dy * dy
    full = opacities[order] * torch.exp(-sum(terms))
    error = rounding * (1 + sum(term.abs() for term in terms))  # relative, of alpha
    alpha = full.clamp(max=ALPHA_MAX) * (full >= ALPHA_MIN)
    after = torch.cumprod(1 - alpha, dim=-1)
    error_after = torch.cumsum(error * alpha / (1 - alpha) + rounding, dim=-1)
    doubtful = (full / ALPHA_MIN - 1).abs() <= error
    doubtful |= (full / ALPHA_MAX - 1).abs() <= error
    doubtful |= (after / TRANSMITTANCE_MIN - 1).abs() <= error_after
    return doubtful.any(dim=-1)


def test_a_pixel_at_a_threshold_is_found_doubtful():
    scene = random_scene(seed=3, count=1, width=9, height=9, sizes=(0.2, 0.4))
    scene.means[:] = 0
    scene.opacities[:] = 0.5
    *_, alpha = rasterize(**vars(scene), backend="reference")
    here = alpha[0, 0, :, :, 0] > 0.05
    assert here.any() and not doubtful_pixels(scene)[0, 0][here].any()
    y, x = here.nonzero()[0].tolist()
    scene.opacities[:] = 0.5 * ALPHA_MIN / alpha[0, 0, y, x]
    assert doubtful_pixels(scene)[0, 0, y, x]


def test_pictures_and_every_gradient_are_those_of_the_float64_reference_in_200_scenes():
    pixels, left_out = [], []

    @many(200)
    @given(scenes())
    def holds(scene):
        clear = ~doubtful_pixels(scene)[..., None]
        upstream = [u * clear for u in random_upstream(scene)]
        image, alpha, gradients = draw_from(scene, upstream)
        true_image, true_alpha, true_gradients = draw_from(scene, upstream, "reference", torch.float64)
        assert relative_error(image * clear, true_image * clear) <= 1e-5
        assert ((alpha - true_alpha).abs() * clear).max() <= 1e-5
        assert (image - true_image).abs().max() <= ONE_DECISION
        errors = {name: relative_error(gradients[name], true_gradients[name]) for name in NAMES}
        assert all(error <= 1e-3 for error in errors.values()), errors
        pixels.append(clear.numel())
        left_out.append(int((~clear).sum()))

    holds()
    assert len(pixels) >= 200
    assert sum(left_out) < 0.01 * sum(pixels), f"{sum(left_out)} of {sum(pixels)} pixels were too doubtful to compare"


@pytest.mark.parametrize("kind", SIZES)
def test_gradients_of_the_reference_are_finite_differences(kind):
    scene = random_scene(seed=len(kind), count=12, width=17, height=9, channels=2, cameras=2, sizes=SIZES[kind])
    clear = ~doubtful_pixels(scene, 300 * ROUNDING)[..., None]  # of which the step below turns no decision
    assert clear.float().mean() > 0.8
    upstream = [(u * clear).double() for u in random_upstream(scene)]
    exact = changed(scene, **{name: getattr(scene, name).double() for name in (*NAMES, "Ks")})
    gradients = draw_from(exact, upstream, "reference", torch.float64)[2]
    generator, step = torch.Generator().manual_seed(2), 1e-6

    def form(name, value):
        image, alpha, _ = draw_from(changed(exact, **{name: value}), upstream, "reference", torch.float64)
        return (image * upstream[0]).sum() + (alpha * upstream[1]).sum()

    for name in NAMES:
        here = getattr(exact, name)
        way = torch.randn(here.shape, generator=generator, dtype=torch.float64)
        way /= way.norm()
        slope = (form(name, here + step * way) - form(name, here - step * way)) / (2 * step)
        assert abs(slope - (gradients[name] * way).sum()) <= 1e-6 * gradients[name].norm() + 1e-7, name


@many(10)
@given(scenes(count=st.integers(100, 500), width=st.integers(33, 80), height=st.integers(33, 80)))
def test_results_are_the_same_bits_run_to_run_and_with_one_thread_or_two(scene):
    upstream, before, results = random_upstream(scene), torch.get_num_threads(), []
    try:
        for threads in (2, 2, 1):
            torch.set_num_threads(threads)
            results.append(draw_from(scene, upstream))
    finally:
        torch.set_num_threads(before)
    assert same_bits(results[0], results[1]) and same_bits(results[0], results[2])


@many(10)
@given(scenes(batch=st.just((2,)), cameras=st.integers(2, 3)))
def test_a_batch_of_cameras_is_each_camera_alone(scene):
    upstream = random_upstream(scene)
    image, alpha, gradients = draw_from(scene, upstream)
    for item in range(2):
        total = dict.fromkeys(PER_GAUSSIAN, 0)
        for camera in range(scene.viewmats.shape[1]):
            one = (slice(item, item + 1), slice(camera, camera + 1))
            parts = {name: getattr(scene, name)[one[0]] for name in PER_GAUSSIAN}
            parts |= {name: getattr(scene, name)[one] for name in ("viewmats", "Ks", "background")}
            alone = draw_from(changed(scene, **parts), [u[one] for u in upstream])
            assert torch.equal(alone[0], image[one]) and torch.equal(alone[1], alpha[one])
            assert all(torch.equal(alone[2][name], gradients[name][one]) for name in ("viewmats", "background"))
            total = {name: total[name] + alone[2][name].double() for name in PER_GAUSSIAN}
        for name in PER_GAUSSIAN:
            assert relative_error(gradients[name][one[0]], total[name]) <= 1e-5, name


@pytest.mark.parametrize("channels", [1, 3, 7, 33])
def test_every_channel_is_drawn_as_if_it_were_the_only_one(channels):
    """To the bit, but for three channels: they have a loop of their own, which may round otherwise."""
    scene = random_scene(seed=channels, count=120, width=37, height=21, channels=channels)
    upstream = random_upstream(scene)
    image, alpha, gradients = draw_from(scene, upstream)
    for channel in range(channels):
        only = slice(channel, channel + 1)
        parts = {name: getattr(scene, name)[..., only] for name in ("colors", "background")}
        alone = draw_from(changed(scene, **parts), [upstream[0][..., only], upstream[1]])
        pairs = [(alone[0], image[..., only]), (alone[1], alpha)]
        pairs += [(alone[2][name], gradients[name][..., only]) for name in ("colors", "background")]
        for one, among in pairs:
            torch.testing.assert_close(one, among, rtol=0, atol=2e-6 if channels == 3 else 0)


@many(15)
@given(scenes(), st.integers(1, 20))
def test_gaussians_behind_the_camera_change_nothing(scene, extra):
    (*batch, count, _), axis = scene.means.shape, scene.means.ndim - 2
    more = random_scene(seed=extra, count=extra, batch=batch, channels=scene.colors.shape[-1])
    more.means[..., 2] -= 10
    parts = {name: torch.cat([getattr(more, name), getattr(scene, name)], dim=axis) for name in PER_GAUSSIAN}
    upstream = random_upstream(scene)
    image, alpha, gradients = draw_from(scene, upstream)
    with_more = draw_from(changed(scene, **parts), upstream)
    for name in PER_GAUSSIAN:
        behind, others = with_more[2][name].split([extra, count], dim=axis)
        assert behind.abs().max() == 0
        with_more[2][name] = others
    assert same_bits(with_more, (image, alpha, gradients))


@many(15)
@given(scenes())
def test_all_gaussians_behind_the_camera_and_none_at_all_leave_the_background(scene):
    upstream = random_upstream(scene)
    scene.means[..., 2] -= 10
    none = {n: getattr(scene, n).narrow(scene.means.ndim - 2, 0, 0) for n in PER_GAUSSIAN}
    for empty in (scene, changed(scene, **none)):
        image, alpha, gradients = draw_from(empty, upstream)
        assert torch.equal(image, scene.background[..., None, None, :].expand_as(image))
        assert alpha.abs().max() == 0
        assert all(gradients[n].shape == getattr(empty, n).shape for n in NAMES)
        assert all(gradients[n].abs().sum() == 0 for n in NAMES if n != "background")
        assert torch.allclose(gradients["background"], upstream[0].sum(dim=(-3, -2)), atol=1e-4)


@many(10)
@given(scenes())
def test_tensors_with_gaps_in_memory_are_drawn_as_dense_ones(scene):
    def with_gaps(tensor):
        return torch.stack([tensor, torch.full_like(tensor, torch.nan)], dim=-1)[..., 0]

    upstream = random_upstream(scene)
    scene.colors = scene.colors[..., :1].expand_as(scene.colors)  # a step of 0 between the channels
    dense = draw_from(changed(scene, colors=scene.colors.contiguous()), upstream)
    assert same_bits(draw_from(scene, upstream), dense)
    gaps = changed(scene, **{name: with_gaps(getattr(scene, name)) for name in (*NAMES, "Ks")})
    assert not any(getattr(gaps, name).is_contiguous() for name in NAMES if getattr(gaps, name).numel() > 1)
    assert same_bits(draw_from(gaps, [with_gaps(u) for u in upstream]), dense)


def test_a_spawned_data_loader_worker_draws_the_same_bits():
    scene = random_scene(seed=9, count=200, cameras=2)
    loader = DataLoader(
        [scene], batch_size=None, collate_fn=draw, num_workers=1, multiprocessing_context="spawn", timeout=120
    )
    (drawn,) = loader
    assert same_bits(drawn, draw(scene))
