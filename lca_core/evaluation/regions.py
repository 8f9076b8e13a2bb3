"""How near an avatar comes where people look and where things stand out: hair and hats, loose clothes, faces, hands.

Hair and loose clothes are what the renderer knows to be such in a body picture, grown by a few pixels, so that what
sticks out or is missing at an outline counts; faces and hands have crops of their own.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_dilation
from torch import Tensor

from lca_core.data import Frame, Picture, pixels
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like
from lca_core.judges.metrics import MOST_DB, over_white, psnr_fg
from lca_core.people.body.parts import PART_IDS
from lca_core.splats import Gaussians

LABELLED = {"hair": ("hair", "hat"), "loose": ("skirt", "coat")}
REGIONS = (*LABELLED, "face", "hand")
GROWN = 4  # pixels
_LEAST = 30  # pixels of a region before it is grown, under which a picture does not show it


def region(parts: UInt8[np.ndarray, "H W"], names: tuple[str, ...]) -> Bool[np.ndarray, "H W"]:
    """Where a picture shows parts of these names (of `PART_IDS`), grown; nowhere if hardly a pixel does."""
    there = np.isin(parts, [PART_IDS[name] for name in names])
    if there.sum() < _LEAST:
        return np.zeros_like(there)
    return binary_dilation(there, iterations=GROWN)


@torch.no_grad()
def region_psnr(posed: Gaussians, frame: Frame) -> dict[str, list[float]]:
    """psnr, dB, of posed Gaussians in every region that a frame shows, one number a picture: body pictures for hair and
    loose clothes, crops for faces and hands. InputError where the frame was recorded without truth."""
    if frame.body.truth is None:
        raise InputError("regions are told by the truth's parts; draw the people with --truth")
    drawn, truth = _pair(posed, frame.body)
    found: dict[str, list[float]] = {}
    for name, labels in LABELLED.items():
        on = torch.from_numpy(region(frame.body.truth.parts, labels)).to(drawn.device)
        if on.any():
            error = (drawn - truth).square()[on].mean()
            found[name] = [float((-10 * error.clamp(min=1e-12).log10()).clamp(max=MOST_DB))]
    crops = {"face": [frame.face], "hand": list(frame.hands)}
    for name, pictures in crops.items():
        values = [_crop_psnr(posed, picture) for picture in pictures if picture is not None]
        if values:
            found[name] = values
    return found


def _pair(posed: Gaussians, picture: Picture) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 3"]]:
    """(drawing, truth), both over white."""
    return draw_like(posed, picture)[0], over_white(*pixels(picture, posed.means.device))


def _crop_psnr(posed: Gaussians, picture: Picture) -> float:
    return float(psnr_fg(draw_like(posed, picture)[0], *pixels(picture, posed.means.device)))
