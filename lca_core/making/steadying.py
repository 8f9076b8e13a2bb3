"""What was read of a person, picture by picture, made into a steady signal: gaps filled, jitter taken off."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d


def filled(values: Float[np.ndarray, "T n"], known: Bool[np.ndarray, " T"]) -> Float[np.ndarray, "T n"]:
    """Rows that are not known, on a line between their known neighbours; before the first and after the last one they
    are as that. ValueError where none is known."""
    if not known.any():
        raise ValueError("of nothing that is known nothing can be filled")
    at = np.arange(len(values))
    return np.stack([np.interp(at, at[known], column[known]) for column in values.T], 1).astype(np.float32)


def smoothed(values: Float[np.ndarray, "T n"], fps: float, seconds: float) -> Float[np.ndarray, "T n"]:
    """Means over time under a bell of this standard deviation; the ends are continued as they are."""
    return gaussian_filter1d(values.astype(np.float64), seconds * fps, axis=0, mode="nearest").astype(np.float32)


def unwound(turns: Float[np.ndarray, "T j 3"]) -> Float[np.ndarray, "T j 3"]:
    """The same rotations (axis-angle), each told by whichever of its vectors is nearest to the one before.

    A rotation about an axis by an angle is one about it by 2 pi more or less; what is near in turning is then near in
    numbers, and may be averaged.
    """
    result = np.array(turns, np.float64)
    for t in range(1, len(result)):
        angle = np.linalg.norm(result[t], axis=-1, keepdims=True)
        axis = result[t] / np.maximum(angle, 1e-9)
        before = (result[t - 1] * axis).sum(-1, keepdims=True)
        whole = np.round((before - angle) / (2 * np.pi))
        result[t] += np.where(angle > 1e-6, whole * 2 * np.pi, 0) * axis
    return result.astype(np.float32)


def at_rate(values: Float[np.ndarray, "T n"], times: Float[np.ndarray, " T"], fps: float) -> Float[np.ndarray, "N n"]:
    """Values at so many even moments a second, from the first time to the last; rows of `values` are at `times`."""
    even = np.arange(times[0], times[-1] + 0.5 / fps, 1 / fps)
    return np.stack([np.interp(even, times, column) for column in values.T], 1).astype(np.float32)
