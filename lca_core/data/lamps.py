"""A light as a few distant lamps, which add up to it: what the shading of avatars is summed over.

The sphere is shared out evenly between COUNT cells. What comes from a cell becomes one lamp in the mean direction of
its light, so that a single lamp keeps its direction to the degree and an even sky stays even.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.data.sphere import directions, solid_angles, spiral
from lca_core.errors import InputError

COUNT = 48  # what a matt surface shows is then right to a hundredth of the most it shows, on average; at worst 6 % off
LAMP = 6  # numbers of a lamp


def lamps_of(environment: np.ndarray) -> Float[Tensor, "48 6"]:
    """The lamps of linear radiance [h, w, 3], as `Light` has it: unit direction towards each, then its colour, which
    is what a white matt surface that faces it shows. A cell without light is a black lamp in its middle.

    InputError for anything but finite numbers, none of them negative, of such a shape.
    """
    radiance = np.asarray(environment, np.float32)
    if radiance.ndim != 3 or radiance.shape[-1] != 3 or not (np.isfinite(radiance) & (radiance >= 0)).all():
        raise InputError(
            f"a light's environment is {list(radiance.shape)} numbers, some perhaps negative or not finite; give "
            "[h, w, 3] linear radiance, 0 or more"
        )
    cells = _cells(*radiance.shape[:2])
    light = radiance.reshape(-1, 3) * cells.solid
    colors = _sums(light, cells.nearest) / np.pi
    means = _sums(light.sum(-1, keepdims=True) * cells.toward, cells.nearest)
    lengths = np.linalg.norm(means, axis=-1, keepdims=True)
    means = np.where(lengths > 1e-9, means / np.maximum(lengths, 1e-9), cells.middles)
    return torch.from_numpy(np.concatenate([means, colors], -1).astype(np.float32))


class _Cells(NamedTuple):
    """Of each pixel of a map: the cell it lies in [h w], its direction [h w, 3], its solid angle [h w, 1]; of each
    cell: its middle [48, 3]."""

    nearest: np.ndarray
    toward: np.ndarray
    solid: np.ndarray
    middles: np.ndarray


@lru_cache(maxsize=8)
def _cells(height: int, width: int) -> _Cells:
    toward, middles = directions(height, width).reshape(-1, 3), spiral(COUNT)
    solid = np.broadcast_to(solid_angles(height, width), (height, width, 1)).reshape(-1, 1)
    return _Cells((toward @ middles.T).argmax(-1), toward, solid, middles)


def _sums(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """[48, 3] sums of the values [n, 3] that lie in each cell."""
    return np.stack([np.bincount(cell, column, COUNT) for column in values.T], -1)
