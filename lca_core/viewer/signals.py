"""What moves anybody, told in facial actions: at rest, at a moment of a ready-made motion, as an avatar takes it."""

from functools import cache

import numpy as np
import torch

from lca_core.body import ACTIONS, Driving
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.motion.motions import Motion, motion

LOOPS = ("walk", "wave", "reach", "hands", "squat", "sit", "dance")  # not "turn": it never comes back to its beginning
FPS, FRAMES, BLENDED = 15, 75, 15  # BLENDED: frames of what follows the end, faded into the beginning
_SEED = 0


def rest() -> Motion:
    """One frame of a person at rest: an A-pose, a neutral face, eyes ahead."""
    driving = Driving.neutral()
    actions = np.zeros((1, len(ACTIONS)), np.float32)
    return Motion(driving.theta.numpy(), driving.root.numpy(), driving.gaze.numpy(), actions)


def driving_of_signal(avatar: Avatar, signal: Motion) -> Driving:
    """The avatar's own driving signal for one that tells facial actions."""
    theta, root, gaze, actions = (torch.from_numpy(np.asarray(part, np.float32)) for part in signal)
    return Driving(theta, avatar.action_map(actions), gaze, root)


@cache
def looped(name: str) -> Motion:
    """FRAMES frames of one of LOOPS, of which the first follows the last; InputError for another name."""
    if name not in LOOPS:
        raise InputError(f"no motion that goes round is called {name!r}; choose one of {', '.join(LOOPS)}")
    clip = motion(name, np.random.default_rng(_SEED), FRAMES + BLENDED, FPS)
    share = np.linspace(0, 1, BLENDED, endpoint=False, dtype=np.float32)[:, None]
    parts = []
    for part in clip:
        loop = part[:FRAMES].copy()
        loop[:BLENDED] = (1 - share) * part[FRAMES:] + share * part[:BLENDED]
        loop.setflags(write=False)  # all who ask are given the same
        parts.append(loop)
    return Motion(*parts)


def moment(name: str, seconds: float) -> Motion:
    """One frame of one of LOOPS, so many seconds after its beginning, between two of its frames; it goes round."""
    clip, at = looped(name), (seconds * FPS) % FRAMES
    first, share = int(at), np.float32(at % 1)
    return Motion(*((1 - share) * part[[first % FRAMES]] + share * part[[(first + 1) % FRAMES]] for part in clip))
