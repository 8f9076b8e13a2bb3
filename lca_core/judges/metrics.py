"""What is measured on pictures: psnr, ssim and lpips by torchmetrics, silhouettes and absolute differences.

Images are sRGB floats in [0, 1], shape [*batch, H, W, 3]; every metric returns one float32 number an image,
[*batch]. `pred` is the avatar's picture already over white (rasterize with background ones). `truth` is the
picture as taken; the metric puts it over white with its own matte, so both have the same background.
"""

import functools
from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.judges.lpips_network import lpips_network
from lca_core.judges.perceptual import as_batches
from lca_core.torchvision_ops import make_torchvision_importable

FOREGROUND = 0.5  # a pixel belongs to the person where the truth's matte is above this
MOST_DB = 100.0  # PSNR ends here: that of equal pictures would be infinite
SSIM_PX = 11  # side of SSIM's Gaussian window, the least a picture may have
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
    ratio = _torchmetrics().peak_signal_noise_ratio(pred, truth, data_range=1.0, reduction="none", dim=(-3, -2, -1))
    return ratio.clamp_max(MOST_DB)


def psnr_fg(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """PSNR in dB over the truth's foreground pixels only (matte > 0.5). Strict; blind to floaters outside it."""
    pred, truth, inside = _over_white_pair(pred, truth, matte)
    _require_foreground(inside)
    size, pixels = inside.shape[-2:], inside.shape[-2:].numel()
    pairs = zip(pred.reshape(-1, pixels, 3), truth.reshape(-1, pixels, 3), inside.reshape(-1, pixels))
    ratio = _torchmetrics().peak_signal_noise_ratio
    ratios = [ratio(a[on], b[on], data_range=1.0) for a, b, on in pairs]
    return torch.stack(ratios).reshape(inside.shape[: -len(size)]).clamp_max(MOST_DB)


def ssim(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """Whole-frame structural similarity (Wang et al. 2004), both over white; 1 is equal.

    The usual Gaussian window (sigma 1.5, 11 px) and constants (0.01, 0.03), averaged over all pixels; beyond the edges
    the picture is mirrored. Like `psnr`, it grows with the empty share of the frame. ValueError for a frame with a side
    under 11 px.
    """
    pred, truth, _ = _over_white_pair(pred, truth, matte)
    if min(matte.shape[-2:]) < SSIM_PX:
        raise ValueError(f"ssim needs sides of at least {SSIM_PX} px, not {matte.shape[-1]} x {matte.shape[-2]}")
    flat = [t.reshape(-1, *t.shape[-3:]).movedim(-1, 1) for t in (pred, truth)]
    value = _torchmetrics().structural_similarity_index_measure(*flat, data_range=1.0, reduction="none")
    return value.reshape(matte.shape[:-2])


def l1_fg(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], matte: Float[Tensor, "*batch H W"]
) -> Float[Tensor, "*batch"]:
    """Mean absolute difference over the truth's foreground pixels and the three channels, in [0, 1]."""
    pred, truth, inside = _over_white_pair(pred, truth, matte)
    _require_foreground(inside)
    error = (pred - truth).abs() * inside[..., None]
    return error.sum((-3, -2, -1)) / (3 * inside.sum((-2, -1)))


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


def lpips(
    pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"], net: str = "alex"
) -> Float[Tensor, "*batch"]:
    """LPIPS (Zhang et al. 2018; v0.1) of sRGB images as torchmetrics measures it; 0 is equal.

    net: "alex", or "vgg", which no loss here descends. Composite both over the same background first. ValueError for
    differing shapes, a side under 32 px or another network, InputError where the weights' package is missing. To
    descend, use `judges.perceptual.lpips`.
    """
    return lpips_network(pred.device, net)(*as_batches(pred, truth), normalize=True).reshape(pred.shape[:-3])


def lpips_crop(
    pred: Float[Tensor, "H W 3"], truth: Float[Tensor, "H W 3"], matte: Float[Tensor, "H W"], net: str = "alex"
) -> Float[Tensor, ""]:
    """LPIPS (v0.1; of "alex" or "vgg") of one picture's masked crop, both over white, at the picture's own pixels.

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
    return lpips(pred[vertical, horizontal], truth[vertical, horizontal], net)


@functools.cache
def _torchmetrics() -> ModuleType:
    """Its metrics of images, imported when first asked for one: they import torchvision, which takes seconds."""
    make_torchvision_importable()
    from torchmetrics.functional import image

    return image


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


def _require_foreground(inside: Tensor) -> None:
    if not inside.flatten(-2).any(-1).all():
        raise ValueError("a truth's matte has no foreground pixel (none above 0.5): leave that picture out")
