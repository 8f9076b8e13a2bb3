"""Skin tones from the lightest to the darkest, and the angle by which dermatologists tell them apart."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab

TONES = np.array(  # light to dark, sRGB; spans individual typology angles of about 60 to -60 degrees
    [
        [0.905, 0.770, 0.700],
        [0.870, 0.710, 0.615],
        [0.825, 0.645, 0.530],
        [0.755, 0.560, 0.430],
        [0.635, 0.440, 0.315],
        [0.475, 0.315, 0.220],
        [0.335, 0.217, 0.158],
        [0.235, 0.155, 0.120],
    ]
)


def typology_angle(color: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"] | float:
    """Individual typology angle of sRGB colours in [0, 1], degrees: atan2(L* - 50, b*) in CIELAB (D65).

    From about 90 for the lightest skin to -90 for the darkest (Chardon et al. 1991).
    """
    lightness, _, b = np.moveaxis(rgb2lab(np.asarray(color, float)), -1, 0)
    return np.degrees(np.arctan2(lightness - 50, b))


def between(table: np.ndarray, position: float) -> np.ndarray:
    """The colour [3] at `position` in 0..1 along a table of colours [n, 3]."""
    steps = np.linspace(0, 1, len(table))
    return np.array([np.interp(position, steps, table[:, channel]) for channel in range(3)])


def sample_tone(generator: np.random.Generator) -> float:
    """A tone in 0..1 such that typology angles are spread evenly over their whole range."""
    tones, angles = _angles()
    return float(np.interp(generator.uniform(angles[-1], angles[0]), angles[::-1], tones[::-1]))


@lru_cache(maxsize=1)
def _angles() -> tuple[np.ndarray, np.ndarray]:
    tones = np.linspace(0, 1, 101)
    return tones, typology_angle(np.stack([between(TONES, tone) for tone in tones]))
