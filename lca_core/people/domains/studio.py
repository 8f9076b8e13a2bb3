"""The studio: a rig of cameras all round, even light, plain grey behind, every parameter exact."""

import numpy as np

from lca_core.data.cameras import studio_ring
from lca_core.data.light import studio_light
from lca_core.motion.poses import studio_script
from lca_core.people.domains.recording import Actor, Recorded, Recorder, points_of
from lca_core.profiles import Profile

RIG = 24  # cameras around; each moment is recorded by `profile.studio_cameras` of them, evenly spaced


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """Scripted stances, hands, expressions and gazes; the first is calm, and its first camera stands in front."""
    light, frames = studio_light(), []
    recorder = Recorder(profile, truth)
    for instant, moment in enumerate(studio_script(profile.studio_poses, generator)):
        cloth = actor.settled(moment)
        posed = actor.pose(moment, cloth)
        count = min(profile.studio_cameras, RIG)
        first = int(generator.integers(-(RIG // count) // 2, RIG // count // 2 + 1)) if instant else 0
        ring = studio_ring(points_of(posed.parts), count, profile.body_px, generator, 2 * np.pi * first / RIG)
        frames += recorder.take(posed, light, ring, (moment[0], posed.root, *moment[2:]), instant, cloth=bool(cloth))
    return Recorded(frames, {"light": light.name})
