"""The garment domain: skirts, dresses and open coats in motion, their cloth simulated, in the studio."""

from dataclasses import replace

import numpy as np

from lca_core.data.records import Frame
from lca_core.people.cameras import studio_ring
from lca_core.people.light import studio_light
from lca_core.people.motion import motion
from lca_core.people.recording import Actor, Recorder, points_of
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


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> tuple[list[Frame], dict]:
    """A clip of `profile.wild_frames` moments, each seen by two cameras."""
    name, light = str(generator.choice(MOVES)), studio_light()
    every = int(SIMULATED_FPS / FPS)
    clip = motion(name, generator, (profile.wild_frames - 1) * every + 1, SIMULATED_FPS)
    roots = actor.grounded(clip.theta, clip.root, clip.gaze)
    hanging = actor.hang(clip.theta, roots, clip.gaze, SIMULATED_FPS)
    recorder, frames = Recorder(profile, truth), []
    for instant, i in enumerate(range(0, len(clip.theta), every)):
        posed = actor.pose(tuple(values[i] for values in clip), hanging[i])
        ring = studio_ring(points_of(posed.parts), _CAMERAS, profile.body_px, generator, generator.uniform(-0.9, 0.9))
        moment = (clip.theta[i], posed.root, clip.gaze[i], clip.actions[i])
        frames += recorder.take(posed, light, ring, moment, instant, cloth=bool(hanging[i]))
    return frames, {"light": light.name, "motion": name, "cloth": "simulated"}
