"""A clip acted out: what somebody does, loose cloth simulated meanwhile, and the moments that pictures are taken of."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lca_core.motion.motions import MOTIONS, Motion, motion
from lca_core.people.domains.recording import Actor
from lca_core.people.domains.turning import TURNING, turned_round

FPS = 2.5  # pictures a second: far enough apart to differ
SIMULATED_FPS = 30.0
ROUND = 0.25  # share of wild clips in which somebody turns round

Act = Callable[[int, float], tuple[str, Motion]]  # (frames, frames a second) -> (name, the curve at that pace)


class Performance(NamedTuple):
    """What is looked at of a clip. clip: T moments, its roots on the floor; hanging: for each of them what `Actor.pose`
    takes, empty where no clothes are loose."""

    name: str
    clip: Motion
    hanging: list[dict[int, np.ndarray]]


def perform(actor: Actor, act: Act, moments: int) -> Performance:
    """Act out `moments` moments at FPS; where clothes are loose the curve is followed at SIMULATED_FPS in between."""
    every = round(SIMULATED_FPS / FPS) if actor.human.loose else 1
    name, clip = act((moments - 1) * every + 1, FPS * every)
    clip = clip._replace(root=actor.grounded(clip.theta, clip.root, clip.gaze))
    hanging = actor.hang(clip.theta, clip.root, clip.gaze, FPS * every)
    return Performance(name, Motion(*(values[::every] for values in clip)), hanging[::every])


def acted(generator: np.random.Generator, frames: int, fps: float = FPS) -> tuple[str, Motion]:
    """What somebody does in a wild clip, by name, and its true driving signals: one of MOTIONS, or, in a quarter of all
    clips, one during which they turn round. The same is drawn from the generator for any length and pace."""
    if generator.random() < ROUND:
        name = str(generator.choice(list(TURNING)))
        return f"{name} turning", turned_round(motion(name, generator, frames, fps), generator, fps, TURNING[name])
    name = str(generator.choice(list(MOTIONS)))
    return name, motion(name, generator, frames, fps)
