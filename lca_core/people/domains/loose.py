"""The garment domain: skirts, dresses and open coats in motion, their cloth simulated, in the studio."""

from dataclasses import replace
from functools import partial

import numpy as np

from lca_core.data.cameras import studio_ring
from lca_core.data.light import studio_light
from lca_core.motion.motions import Motion, motion
from lca_core.people.domains.performing import FPS, perform
from lca_core.people.domains.recording import Actor, Recorded, Recorder, points_of
from lca_core.people.who.spec import COATS, SKIRTS, PersonSpec
from lca_core.profiles import Profile

MOVES = ("walk", "turn", "dance")
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


def acted(generator: np.random.Generator, frames: int, fps: float = FPS) -> tuple[str, Motion]:
    """What somebody in loose clothes does, by name, and its true driving signals."""
    name = str(generator.choice(MOVES))
    return name, motion(name, generator, frames, fps)


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """A clip of `profile.wild_frames` moments, each seen by two cameras."""
    name, clip, hanging = perform(actor, partial(acted, generator), profile.wild_frames)
    light, recorder, frames = studio_light(), Recorder(profile, truth), []
    for instant, (moment, cloth) in enumerate(zip(zip(*clip), hanging, strict=True)):
        posed = actor.pose(moment, cloth)
        ring = studio_ring(points_of(posed.parts), _CAMERAS, profile.body_px, generator, generator.uniform(-0.9, 0.9))
        moment = (moment[0], posed.root, *moment[2:])
        frames += recorder.take(posed, light, ring, moment, instant, cloth=bool(cloth))
    return Recorded(frames, {"light": light.name, "motion": name, "cloth": "simulated"})
