"""Ready-made motions that go round without a jump, as whole numbers."""

import numpy as np
from jaxtyping import Int

from lca_core.motion.motions import Motion, motion

# What a signal is made of: part, numbers a frame, and the unit of its whole numbers.
SIGNAL = (("theta", 138, 1e-4), ("root", 6, 1e-4), ("gaze", 4, 1e-4), ("actions", 52, 1e-4))
NAMES = ("walk", "wave", "reach", "hands", "squat", "sit", "dance")  # not "turn": it never comes back to its beginning
FPS, FRAMES, BLENDED = 15, 75, 15  # BLENDED: frames of what follows the end, faded into the beginning
_SEED = 0


def looped(name: str) -> Motion:
    """FRAMES frames of one of NAMES, of which the first follows the last."""
    clip = motion(name, np.random.default_rng(_SEED), FRAMES + BLENDED, FPS)
    share = np.linspace(0, 1, BLENDED, endpoint=False, dtype=np.float32)[:, None]
    parts = []
    for part in clip:
        loop = part[:FRAMES].copy()
        loop[:BLENDED] = (1 - share) * part[FRAMES:] + share * part[:BLENDED]
        parts.append(loop)
    return Motion(*parts)


def whole_numbers(clip: Motion) -> Int[np.ndarray, " n"]:
    """A clip as int16, in the order of SIGNAL."""
    parts = [np.rint(getattr(clip, part) / unit).clip(-32767, 32767).ravel() for part, _, unit in SIGNAL]
    return np.concatenate(parts).astype(np.int16)
