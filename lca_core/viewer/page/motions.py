"""Ready-made motions that go round without a jump, as whole numbers."""

import numpy as np
from jaxtyping import Int

from lca_core.motion.motions import Motion

# What a signal is made of: part, numbers a frame, and the unit of its whole numbers.
SIGNAL = (("theta", 138, 1e-4), ("root", 6, 1e-4), ("gaze", 4, 1e-4), ("actions", 52, 1e-4))


def whole_numbers(clip: Motion) -> Int[np.ndarray, " n"]:
    """A clip as int16, in the order of SIGNAL."""
    parts = [np.rint(getattr(clip, part) / unit).clip(-32767, 32767).ravel() for part, _, unit in SIGNAL]
    return np.concatenate(parts).astype(np.int16)
