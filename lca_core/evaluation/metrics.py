"""What is measured on pictures, and how the numbers of many pictures become one.

Images are sRGB floats in [0, 1], shape [*batch, H, W, 3]; every metric returns one float32 number an image,
[*batch]. `pred` is the avatar's picture already over white (rasterize with background ones). `truth` is the
picture as taken; the metric puts it over white with its own matte, so both have the same background.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.training.perceptual import lpips

FOREGROUND = 0.5  # a pixel belongs to the person where the truth's matte is above this
SMALLEST_ERROR = 1e-10  # mean squared error is not counted below this: PSNR ends at 100 dB
CROP_MARGIN = 0.05  # of the longer side of the person's box, around the LPIPS crop
CROP_PX = 64  # smallest side of the LPIPS crop where the picture allows it


def over_white(
    image: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch H W 3"]:
    """image * matte + white * (1 - matte), on the sRGB values (as rasterize blends)."""
    alpha = matte[..., None]
    return image * alpha + (1 - alpha)


def psnr(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """Whole-frame PSNR in dB: -10 log10 of the mean squared error over all pixels and channels, both over white.

    What the field usually prints. The empty background counts, so it grows with the share of it in the frame.
    """
    pred, truth, _ = _over_white_pair(pred, truth, matte)
    return _decibel((pred - truth).square().mean((-3, -2, -1)))


def psnr_fg(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """PSNR in dB over the truth's foreground pixels only (matte > 0.5). Strict; blind to floaters outside it."""
    pred, truth, inside = _over_white_pair(pred, truth, matte)
    return _decibel(_foreground_mean((pred - truth).square(), inside))


def l1_fg(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """Mean absolute difference over the truth's foreground pixels and the three channels, in [0, 1]."""
    pred, truth, inside = _over_white_pair(pred, truth, matte)
    return _foreground_mean((pred - truth).abs(), inside)


def iou(
    alpha: Float[Tensor, "*batch H W"], matte: Float[Tensor, "*batch H W"], threshold: float = FOREGROUND
) -> Float[Tensor, "*batch"]:
    """Silhouettes' intersection over union, both cut at `> threshold`; 1 where both are empty.

    alpha: rasterize's, without its last axis; matte: the truth's.
    """
    if alpha.shape != matte.shape:
        raise ValueError(f"iou compares [*batch, H, W] with the same, not {[*alpha.shape]} with {[*matte.shape]}")
    a, b = alpha > threshold, matte > threshold
    union = (a | b).sum((-2, -1)).float()
    return torch.where(union > 0, (a & b).sum((-2, -1)) / union.clamp_min(1), 1.0)


def lpips_crop(
    pred: Float[Tensor, "H W 3"], truth: Float[Tensor, "H W 3"], matte: Float[Tensor, "H W"]
) -> Float[Tensor, ""]:
    """LPIPS (Alex, v0.1) of one picture's masked crop, both over white, at the picture's own pixels.

    The crop is the smallest square around the truth's foreground, plus 5% of its side on each edge and at least
    64 px, moved inside the frame and cut by it where the frame is smaller. Without it the white around the
    person would decide the number. ValueError for a frame with a side under 32 px.
    """
    pred, truth, inside = _over_white_pair(pred, truth, matte)
    rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
    if len(rows) == 0:
        raise ValueError("the truth's matte has no foreground pixel (none above 0.5)")
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    side = max(bottom - top, right - left)
    side = max(side + 2 * round(CROP_MARGIN * side), CROP_PX)
    vertical = _interval((top + bottom) / 2, side, matte.shape[0])
    horizontal = _interval((left + right) / 2, side, matte.shape[1])
    return lpips(pred[vertical, horizontal], truth[vertical, horizontal])


def _interval(centre: float, side: int, limit: int) -> slice:
    side = min(side, limit)
    start = min(max(round(centre - side / 2), 0), limit - side)
    return slice(start, start + side)


def _over_white_pair(pred: Tensor, truth: Tensor, matte: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if pred.shape != truth.shape or pred.shape[:-1] != matte.shape or pred.shape[-1] != 3:
        raise ValueError(
            "pred and truth must be [*batch, H, W, 3] and matte [*batch, H, W], "
            f"not {[*pred.shape]}, {[*truth.shape]} and {[*matte.shape]}"
        )
    matte = matte.float()
    return pred.float(), over_white(truth.float(), matte), matte > FOREGROUND


def _foreground_mean(error: Tensor, inside: Tensor) -> Tensor:
    count = inside.sum((-2, -1))
    if (count == 0).any():
        raise ValueError("a truth's matte has no foreground pixel (none above 0.5): leave that picture out")
    return (error * inside[..., None]).sum((-3, -2, -1)) / (3 * count)


def _decibel(squared_error: Tensor) -> Tensor:
    return -10 * squared_error.clamp_min(SMALLEST_ERROR).log10()


@dataclass(frozen=True)
class Summary:
    """One number for many people.

    value: mean over people of each person's mean over pictures; ci95: bootstrap interval of that mean over
    people, None for a single person; per_person: each person's mean.
    """

    value: float
    ci95: tuple[float, float] | None
    n_people: int
    n_frames: int
    per_person: dict[str, float]


def summarise(
    values: Mapping[str | int, Sequence[float]], rng: np.random.Generator, resamples: int = 10_000
) -> Summary:
    """Mean over each person's pictures, then over people, with a percentile bootstrap over people.

    values: person (seed or id) -> one number a picture; people without pictures are left out. People are the
    independent draws (pictures of one person are not), so only they are resampled. ValueError when nothing is
    left or a number is not finite.
    """
    for person, numbers in values.items():
        if not np.isfinite(numbers).all():
            raise ValueError(f"person {person} has a value that is not finite: {list(numbers)}")
    per_person = {str(person): float(np.mean(numbers)) for person, numbers in values.items() if len(numbers)}
    if not per_person:
        raise ValueError("there is no picture to summarise")
    means = np.array(list(per_person.values()))
    ci95 = None
    if len(means) > 1:
        draws = means[rng.integers(len(means), size=(resamples, len(means)))].mean(1)
        low, high = np.quantile(draws, [0.025, 0.975])
        ci95 = (float(low), float(high))
    return Summary(float(means.mean()), ci95, len(means), sum(len(v) for v in values.values()), per_person)


def mean_of_runs(runs: Sequence[Mapping[str | int, Sequence[float]]]) -> dict[str | int, list[float]]:
    """Each picture's mean over several runs (seeds) that were judged on the same pictures of the same people.

    So `summarise` takes people, not seeds, for its independent draws. ValueError when people or pictures differ.
    """
    first = runs[0]
    if any({p: len(v) for p, v in run.items()} != {p: len(v) for p, v in first.items()} for run in runs):
        raise ValueError("the runs were judged on other people or pictures: their mean says nothing")
    return {person: np.mean([run[person] for run in runs], axis=0).tolist() for person in first}


def summarise_difference(
    values: Mapping[str | int, Sequence[float]],
    others: Mapping[str | int, Sequence[float]],
    rng: np.random.Generator,
    resamples: int = 10_000,
) -> Summary:
    """Mean over people of each one's mean in `values` less the same one's in `others`, with a bootstrap over people.

    Paired: what makes a person hard for both drops out. Several seeds: `mean_of_runs` of both first. ValueError when
    the people are not the same.
    """
    if {str(person) for person in values} != {str(person) for person in others}:
        raise ValueError("a paired difference needs the same people on both sides")
    means = {str(person): float(np.mean(numbers)) for person, numbers in others.items()}
    less = {person: [v - means[str(person)] for v in numbers] for person, numbers in values.items()}
    return summarise(less, rng, resamples)
