"""Where tensors lie: on the meta device no value can be looked at and no CPU tensor can take part, as on a busy GPU."""

import sys
from types import SimpleNamespace

import pytest
import torch

from lca_core.splats import SHARP_EPS2D, Gaussians, draw, rasterize, skin
from tests.splats.scenes import random_scene

PER_GAUSSIAN = ("means", "quats", "scales", "opacities", "colors")


@pytest.fixture
def gsplat(monkeypatch):
    """What `gsplat.rasterization` was called with, and pictures of the right shape from it."""
    calls = []

    def rasterization(means, colors, viewmats, width, height, **others):
        tensors = dict(means=means, colors=colors, viewmats=viewmats)
        tensors |= {name: value for name, value in others.items() if isinstance(value, torch.Tensor)}
        calls.append({"devices": {name: t.device.type for name, t in tensors.items()}, "tensors": tensors, **others})
        shape = (*viewmats.shape[:-2], height, width)
        image = (colors.sum() + means.sum()).expand(*shape, colors.shape[-1])
        return image, means.sum().expand(*shape, 1), {}

    monkeypatch.setitem(sys.modules, "gsplat", SimpleNamespace(rasterization=rasterization))
    return calls


def meta(scene):
    return {k: v.to("meta") if isinstance(v, torch.Tensor) else v for k, v in vars(scene).items()}


@pytest.mark.parametrize("mode", ["RGB", "D", "ED", "RGB+D", "RGB+ED"])
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_drawing_elsewhere_looks_at_no_value_and_stays_there(gsplat, mode, batch):
    scene = meta(random_scene(batch=batch, cameras=2, count=9))
    if not mode.startswith("RGB"):
        scene["background"] = None
    image, alpha = rasterize(**scene, render_mode=mode)
    (call,) = gsplat
    assert set(call["devices"].values()) == {"meta"} and {"quats", "Ks", "backgrounds"} <= set(call["devices"])
    assert image.device.type == alpha.device.type == "meta"
    assert image.shape == (*batch, 2, 48, 64, {"RGB": 3, "D": 1, "ED": 1}.get(mode, 4))
    assert call["tensors"]["means"].ndim == 3 and call["packed"] is False


def test_draw_hands_gsplat_the_variance_of_a_pixel(gsplat):
    scene = meta(random_scene(batch=(2,), count=9))
    gaussians = Gaussians(**{name: scene[name].requires_grad_() for name in PER_GAUSSIAN})
    image, _ = draw(gaussians, scene["viewmats"], scene["Ks"], 64, 48)
    assert gsplat[0]["eps2d"] == SHARP_EPS2D
    (gradient,) = torch.autograd.grad(image.sum(), gaussians.means)
    assert gradient.device.type == "meta" and gradient.shape == (2, 9, 3)


def test_nothing_is_drawn_where_the_nothing_lies():
    scene = meta(random_scene(batch=(2,), count=0))
    for background in (None, scene["background"]):
        image, alpha = rasterize(**{**scene, "background": background})
        assert image.device.type == alpha.device.type == "meta" and image.shape == (2, 1, 48, 64, 3)


def test_shapes_and_devices_are_checked_everywhere(gsplat, any_shape):
    scene = meta(random_scene(count=9))
    with pytest.raises(ValueError, match=r"opacities must be \[1, 9\]"):
        rasterize(**{**scene, "opacities": torch.ones(1, 9, 1, device="meta")})
    with pytest.raises(ValueError, match="viewmats is on cpu but means is on meta"):
        rasterize(**{**scene, "viewmats": torch.eye(4).expand(1, 1, 4, 4)})
    with pytest.raises(ValueError, match='"numba" cannot draw tensors on meta'):
        rasterize(**scene, backend="numba")
    assert not gsplat


@pytest.mark.parametrize("of_weights", [(), (3,)])
def test_gaussians_are_posed_where_they_lie(of_weights):
    def tensor(*shape):
        return torch.empty(*shape, device="meta", requires_grad=True)

    gaussians = Gaussians(tensor(9, 3), tensor(9, 4), tensor(9, 3), tensor(9), tensor(9, 3))
    weights, transforms = tensor(*of_weights, 9, 5), tensor(3, 5, 4, 4)
    posed = skin(gaussians, weights, transforms)
    assert posed.means.shape == (3, 9, 3) and posed.quats.shape == (3, 9, 4)
    inputs = [gaussians.means, gaussians.quats, weights, transforms]
    gradients = torch.autograd.grad(posed.means.sum() + posed.quats.sum(), inputs)
    assert all(t.device.type == "meta" for t in (posed.means, posed.quats, posed.colors, *gradients))
