"""How alike two pictures of people are in their colours and in what a network sees in them, wherever each part lies.

Distances pixel by pixel (psnr) ask for the same stroke in the same place, which no drawing can promise: a line that is
a pixel aside costs as much as no line. These two compare what a person is painted with and what the pieces look like,
over the whole silhouette.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from skimage.color import rgb2lab
from torch import Tensor

from lca_core.judges.metrics import FOREGROUND
from lca_core.judges.perceptual import load_lpips

_DIRECTIONS, _LEVELS = 32, 128  # of the colour distance: lines through the space of colours, quantiles along each
_BLACK_TO_WHITE = 100.0  # CIELAB
_DEEP = slice(2, None)  # its last three maps: of patterns and parts, not of edges and single colours


def color_distance(a: Float[np.ndarray, "n 3"], b: Float[np.ndarray, "m 3"]) -> float:
    """How far colours (sRGB in [0, 1]) must be moved to become others, on average, in CIELAB's units of difference.

    The sliced earth mover's distance (Bonneel et al. 2015) of two sets of pixels: along many lines through the space
    the mean distance of equal quantiles; twice its mean, so that one shift of all colours counts as long as it is.
    ValueError for a set without pixels.
    """
    if not (len(a) and len(b)):
        raise ValueError("colours are compared of pixels; one of the sets has none")
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    along = [np.quantile(rgb2lab(np.clip(x, 0, 1)) @ _directions().T, levels, axis=0) for x in (a, b)]
    return 2 * float(np.abs(along[0] - along[1]).mean())


@functools.cache
def _directions() -> Float[np.ndarray, "D 3"]:
    """Unit vectors evenly over half a sphere (a Fibonacci lattice)."""
    number = np.arange(_DIRECTIONS) + 0.5
    z, turn = number / _DIRECTIONS, np.pi * (1 + 5**0.5) * number
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], 1)


def color_likeness(
    image: Float[Tensor, "H W 3"], alpha: Float[Tensor, "H W"],
    other: Float[Tensor, "H2 W2 3"], matte: Float[Tensor, "H2 W2"],
) -> float:  # fmt: skip
    """1 for silhouettes of the same colours in the same shares, 0 for a black one and a white one: 1 less
    `color_distance` over 100. Pixels count where alpha and matte are above 0.5; colours as given. ValueError where a
    picture has none."""
    inside = [x[on > FOREGROUND].cpu().numpy() for x, on in ((image, alpha), (other, matte))]
    return 1 - color_distance(*inside) / _BLACK_TO_WHITE


@torch.no_grad()
def person_features(image: Float[Tensor, "H W 3"], matte: Float[Tensor, "H W"]) -> Float[Tensor, " 896"]:
    """What AlexNet's last three maps hold of a person: their means over the silhouette, each map's as long as the
    others', together of unit length.

    image: over white, seen at its own pixels: compare pictures in which people are about as large. The network is
    LPIPS's, without its heads: they weigh small distortions of one picture. ValueError where the matte is empty.
    """
    if not (matte > FOREGROUND).any():
        raise ValueError("the matte has no foreground pixel (none above 0.5): there is nobody to compare")
    maps = _network(image.device).features(image.movedim(-1, 0)[None].float())[_DEEP]
    shares = [F.interpolate(matte[None, None].float(), one.shape[-2:], mode="area") for one in maps]
    means = [((one * share).sum((-2, -1)) / share.sum((-2, -1)))[0] for one, share in zip(maps, shares)]
    return torch.cat([F.normalize(mean, dim=0) for mean in means]) / len(means) ** 0.5


def feature_likeness(a: Float[Tensor, " 896"], b: Float[Tensor, " 896"]) -> float:
    """Cosine of the `person_features` of two pictures, which is the mean of the three maps': 1 for equal ones."""
    return float(a @ b)


@functools.cache
def _network(device: torch.device) -> torch.nn.Module:
    return load_lpips().to(device)
