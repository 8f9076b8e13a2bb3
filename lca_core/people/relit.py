"""The relit domain: one moment of a person in the studio under many lights, one lamp at a time and whole rooms."""

import numpy as np

from lca_core.people.cameras import studio_ring
from lca_core.people.light import ENVIRONMENTS, OLAT, Light, directions, environment
from lca_core.people.poses import studio_script
from lca_core.people.recording import Actor, Recorded, Recorder, points_of
from lca_core.profiles import Profile


def _toward(lamp: Light) -> np.ndarray:
    """The unit direction [3] of a single lamp."""
    total = (lamp.environment.sum(-1, keepdims=True) * directions()).sum((0, 1))
    return total / np.linalg.norm(total)


_BEHIND = -0.4  # z of a lamp's direction under which it shows a rim of the person at most
_LAMPS = np.flatnonzero([_toward(lamp)[2] > _BEHIND for lamp in OLAT])


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """`profile.wild_frames` single lamps and as many environments, by one camera; `instant` counts the lights."""
    moment = studio_script(3, generator)[int(generator.integers(3))]
    posed = actor.pose(moment)
    camera = studio_ring(points_of(posed.parts), 1, profile.body_px, generator, generator.uniform(-0.5, 0.5))
    count = profile.wild_frames
    lamps = [OLAT[i] for i in _LAMPS[sorted(generator.choice(len(_LAMPS), min(count, len(_LAMPS)), replace=False))]]
    rooms = generator.choice(list(ENVIRONMENTS), min(count, len(ENVIRONMENTS)), replace=False)
    lights = [*lamps, *(environment(str(name), generator) for name in rooms)]
    recorder, frames = Recorder(profile, truth), []
    for instant, light in enumerate(lights):
        frames += recorder.take(posed, light, camera, (moment[0], posed.root, *moment[2:]), instant)
    return Recorded(frames, {"lights": [light.name for light in lights]})
