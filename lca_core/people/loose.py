"""The garment domain: skirts, dresses and open coats in motion, their cloth simulated, in the studio."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lca_core.people.cameras import studio_ring
from lca_core.people.light import studio_light
from lca_core.people.motion import Motion, motion
from lca_core.people.recording import Actor, Recorded, Recorder, points_of
from lca_core.people.spec import COATS, SKIRTS, PersonSpec
from lca_core.people.wild import FPS
from lca_core.profiles import Profile

MOVES = ("walk", "turn", "dance")
SIMULATED_FPS = 30.0
_CAMERAS = 2  # a moment, on opposite sides
_COAT = 0.3  # share of people in a coat


def dressed(spec: PersonSpec) -> PersonSpec:
    """The person in loose clothes: a skirt or dress in place of trousers, now and then a coat."""
    generator = np.random.default_rng([spec.seed, 60])
    bottom, coat = spec.bottom, spec.coat
    if bottom.kind not in SKIRTS:
        bottom = replace(bottom, kind=str(generator.choice(SKIRTS)), fabric="cotton", loose=generator.uniform(0.3, 1))
    if coat is None and generator.random() < _COAT and spec.top is not None:
        coat = replace(spec.top, kind=str(generator.choice(COATS)), fabric="cotton", pattern="plain")
    top = None if bottom.kind in ("dress", "long_dress") else spec.top
    return replace(spec, top=top, bottom=bottom, coat=coat)


class Performance(NamedTuple):
    """A clip with hanging cloth, and the moments of it that are looked at. roots [T, 6] on the floor; hanging: for
    each of T frames what `Actor.pose` takes; moments: numbers of frames."""

    name: str
    clip: Motion
    roots: np.ndarray
    hanging: list[dict[int, np.ndarray]]
    moments: range


def perform(actor: Actor, generator: np.random.Generator, moments: int) -> Performance:
    """Someone in loose clothes walks, turns or dances; moments are as far apart as a wild clip's pictures."""
    name, every = str(generator.choice(MOVES)), int(SIMULATED_FPS / FPS)
    clip = motion(name, generator, (moments - 1) * every + 1, SIMULATED_FPS)
    roots = actor.grounded(clip.theta, clip.root, clip.gaze)
    hanging = actor.hang(clip.theta, roots, clip.gaze, SIMULATED_FPS)
    return Performance(name, clip, roots, hanging, range(0, len(clip.theta), every))


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """A clip of `profile.wild_frames` moments, each seen by two cameras."""
    name, clip, _, hanging, moments = perform(actor, generator, profile.wild_frames)
    light, recorder, frames = studio_light(), Recorder(profile, truth), []
    for instant, i in enumerate(moments):
        posed = actor.pose(tuple(values[i] for values in clip), hanging[i])
        ring = studio_ring(points_of(posed.parts), _CAMERAS, profile.body_px, generator, generator.uniform(-0.9, 0.9))
        moment = (clip.theta[i], posed.root, clip.gaze[i], clip.actions[i])
        frames += recorder.take(posed, light, ring, moment, instant, cloth=bool(hanging[i]))
    return Recorded(frames, {"light": light.name, "motion": name, "cloth": "simulated"})
