import numpy as np
import pytest
import torch

from lca_core.evaluation import (
    iou,
    l1_fg,
    mean_of_runs,
    over_white,
    psnr,
    psnr_fg,
    summarise,
    summarise_difference,
)


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


def test_an_empty_matte_and_wrong_shapes_are_refused(scene):
    pred, truth, matte = scene
    with pytest.raises(ValueError, match="no foreground"):
        psnr_fg(pred, truth, matte * 0)
    with pytest.raises(ValueError, match=r"\[\*batch, H, W\]"):
        psnr(pred, truth, matte[:5])


def test_people_weigh_the_same_whatever_their_number_of_pictures(rng):
    summary = summarise({10000: [10.0] * 9, 10001: [20.0], 10002: []}, rng)
    assert (summary.value, summary.n_people, summary.n_frames) == (15.0, 2, 10)
    assert summary.per_person == {"10000": 10.0, "10001": 20.0}


def test_the_interval_is_over_people_and_repeats_with_the_seed():
    draw = np.random.default_rng(1)
    values = {seed: [float(v)] for seed, v in enumerate(draw.normal(25, 2, 40))}
    first, again = (summarise(values, np.random.default_rng(5)) for _ in range(2))
    assert first == again
    half = 1.96 * 2 / np.sqrt(40)
    low, high = first.ci95
    assert low < first.value < high and high - low == pytest.approx(2 * half, rel=0.3)


def test_one_person_has_no_interval_and_no_number_may_be_missing(rng):
    assert summarise({1: [3.0]}, rng).ci95 is None
    with pytest.raises(ValueError, match="person 2"):
        summarise({2: [float("nan")]}, rng)
    with pytest.raises(ValueError, match="no picture"):
        summarise({1: []}, rng)


def test_seeds_are_averaged_picture_by_picture():
    runs = [{10000: [10.0, 20.0], 10001: [30.0]}, {10000: [12.0, 22.0], 10001: [34.0]}]
    assert mean_of_runs(runs) == {10000: [11.0, 21.0], 10001: [32.0]}
    with pytest.raises(ValueError, match="other people or pictures"):
        mean_of_runs([runs[0], {10000: [10.0], 10001: [30.0]}])


def test_a_paired_interval_does_not_see_what_makes_people_hard_for_both(rng):
    draw = np.random.default_rng(1)
    hard = draw.normal(25, 5, 16)
    theirs = {seed: [float(v), float(v) + 1] for seed, v in enumerate(hard)}
    mine = {seed: [v + 0.5 + 0.1 * draw.normal() for v in values] for seed, values in theirs.items()}
    difference = summarise_difference(mine, theirs, rng)
    assert difference.value == pytest.approx(0.5, abs=0.1) and (difference.n_people, difference.n_frames) == (16, 32)
    low, high = difference.ci95
    assert 0.35 < low < high < 0.65 < np.ptp(summarise(mine, rng).ci95)
    means = {str(seed): [float(np.mean(values))] for seed, values in theirs.items()}  # as records keep them
    assert summarise_difference(mine, means, rng).value == pytest.approx(difference.value)
    with pytest.raises(ValueError, match="same people"):
        summarise_difference(mine, {0: [1.0]}, rng)
