"""Real spherical harmonics up to degree 3, and how their coefficients turn.

Normalised as Racah did: the squares of each degree sum to 1 in every direction, and the three of degree 1 are x, y and
z themselves, so that the coefficients (0, n, 0 ...) say the cosine to a normal n.
"""

from functools import cache
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

HARMONICS = 16  # of degrees 0, 1, 2 and 3
NORMAL = slice(1, 4)  # where degree 1 stands
_SAMPLES = 32  # directions that say how harmonics turn


def harmonics(directions: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 16"]:
    """All harmonics in unit directions."""
    x, y, z = directions.unbind(-1)
    xx, yy, zz = x * x, y * y, z * z
    return torch.stack([
        torch.ones_like(x),
        x, y, z,
        sqrt(3) * x * y, sqrt(3) * y * z, (3 * zz - 1) / 2, sqrt(3) * x * z, sqrt(3) / 2 * (xx - yy),
        sqrt(5 / 8) * y * (3 * xx - yy), sqrt(15) * x * y * z, sqrt(3 / 8) * y * (5 * zz - 1), z * (5 * zz - 3) / 2,
        sqrt(3 / 8) * x * (5 * zz - 1), sqrt(15) / 2 * z * (xx - yy), sqrt(5 / 8) * x * (xx - 3 * yy),
    ], -1)  # fmt: skip


def turning(rotations: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 16 16"]:
    """What rotations do to the coefficients of a function that is carried along with them."""
    samples, solve = _solution()
    samples, solve = samples.to(rotations), solve.to(rotations)
    return solve @ harmonics(samples @ rotations)


@cache
def _solution() -> tuple[Float[Tensor, "32 3"], Float[Tensor, "16 32"]]:
    """(directions, what makes coefficients of the values there)."""
    numbers = torch.arange(_SAMPLES, dtype=torch.float64)
    height, around = 1 - (2 * numbers + 1) / _SAMPLES, numbers * (torch.pi * (3 - sqrt(5)))
    radius = (1 - height.square()).sqrt()
    samples = torch.stack([radius * around.sin(), height, radius * around.cos()], -1)
    return samples, torch.linalg.pinv(harmonics(samples))
