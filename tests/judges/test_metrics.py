import numpy as np
import pytest
import torch
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lca_core.judges.metrics import iou, l1_fg, over_white, psnr, psnr_fg, ssim


@pytest.fixture
def scene():
    """A 10 x 10 picture with a 4 x 5 person on a dark background, and a prediction 0.1 off on the person."""
    matte = torch.zeros(10, 10)
    matte[2:6, 3:8] = 1
    truth = torch.where(matte[..., None] > 0, 0.4, 0.05).expand(10, 10, 3).clone()
    pred = over_white(truth + 0.1, matte)
    return pred, truth, matte


def test_foreground_psnr_counts_the_persons_pixels_only(scene):
    pred, truth, matte = scene
    assert psnr_fg(pred, truth, matte).item() == pytest.approx(20, abs=1e-4)
    pred[0, 0] = 0  # a floater
    assert psnr_fg(pred, truth, matte).item() == pytest.approx(20, abs=1e-4)


def test_whole_frame_psnr_spreads_the_error_and_sees_floaters(scene):
    pred, truth, matte = scene
    assert psnr(pred, truth, matte).item() == pytest.approx(-10 * np.log10(0.01 * 20 / 100), abs=1e-4)
    before = psnr(pred, truth, matte)
    pred[0, 0] = 0
    assert psnr(pred, truth, matte) < before


def test_the_background_as_taken_does_not_matter(scene):
    pred, truth, matte = scene
    other = torch.where(matte[..., None] > 0, truth, torch.rand(10, 10, 3))
    assert torch.equal(psnr(pred, truth, matte), psnr(pred, other, matte))


def test_l1_is_the_mean_absolute_difference_on_the_person(scene):
    assert l1_fg(*scene).item() == pytest.approx(0.1, abs=1e-6)


def test_equal_pictures_end_at_100_db(scene):
    _, truth, matte = scene
    assert psnr(over_white(truth, matte), truth, matte).item() == pytest.approx(100)


def test_psnr_and_ssim_are_those_of_scikit_image():
    image = astronaut()[:128, 150:278].astype(np.float32) / 255
    image = np.pad(image, ((16, 16), (16, 16), (0, 0)), constant_values=1)  # the two go on beyond edges in other ways
    noisy = image.copy()
    noisy[16:-16, 16:-16] += np.random.default_rng(0).normal(0, 0.1, (128, 128, 3))
    pred, truth, matte = torch.from_numpy(noisy), torch.from_numpy(image), torch.ones(160, 160)
    theirs = peak_signal_noise_ratio(image, noisy, data_range=1)
    assert psnr(pred, truth, matte).item() == pytest.approx(theirs, abs=1e-4)
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    _, everywhere = structural_similarity(image, noisy, channel_axis=-1, full=True, **wang)
    assert ssim(pred, truth, matte).item() == pytest.approx(everywhere.mean(), abs=1e-4)


def test_ssim_sees_structure_and_needs_room_for_its_window(scene):
    truth = torch.from_numpy(astronaut()[:64, 150:214].copy()).float() / 255
    matte = torch.ones(64, 64)
    assert ssim(truth, truth, matte).item() == pytest.approx(1, abs=1e-6)
    shuffled = truth.reshape(-1, 3)[torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))]
    assert ssim(shuffled.reshape(64, 64, 3), truth, matte) < 0.2 < ssim(0.9 * truth, truth, matte)
    both = ssim(torch.stack([truth, 0.9 * truth]), torch.stack([truth, truth]), torch.stack([matte, matte]))
    assert both.tolist() == pytest.approx([1, ssim(0.9 * truth, truth, matte).item()], abs=1e-5)
    with pytest.raises(ValueError, match="at least 11"):
        ssim(*scene)


def test_a_batch_is_the_pictures_one_by_one(scene):
    pred, truth, matte = scene
    preds = torch.stack([pred, pred * 0.5])
    for metric in (psnr, psnr_fg, l1_fg):
        batch = metric(preds, torch.stack([truth, truth]), torch.stack([matte, matte]))
        assert batch.tolist() == pytest.approx([metric(p, truth, matte).item() for p in preds])


def test_iou_is_overlap_over_union():
    a, b = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)
    a[0, :, :2], b[0, :, 1:3] = 1, 0.51
    assert iou(a, b).tolist() == pytest.approx([4 / 12, 1.0])
    b[0] *= 0.9  # now under the threshold
    assert iou(a, b).tolist() == [0.0, 1.0]


def test_an_empty_matte_and_wrong_shapes_are_refused(scene, any_shape):
    pred, truth, matte = scene
    with pytest.raises(ValueError, match="no foreground"):
        psnr_fg(pred, truth, matte * 0)
    with pytest.raises(ValueError, match=r"\[\*batch, H, W\]"):
        psnr(pred, truth, matte[:5])
