"""The relit domains: one moment of a person in the studio under many lights, one lamp at a time and whole rooms.

`record` draws from the lights that anything may be trained on; `record_held_out` from those kept back by name
(`HELD_OUT_LAMPS`, `HELD_OUT_ENVIRONMENTS`), with photographs of the person under an everyday light.
"""

import numpy as np

from lca_core.data.cameras import studio_ring
from lca_core.data.environments import ENVIRONMENTS, directions
from lca_core.data.light import HELD_OUT_ENVIRONMENTS, HELD_OUT_LAMPS, OLAT, Light, casual_light, environment
from lca_core.data.records import Frame
from lca_core.motion.poses import studio_script
from lca_core.people.domains.recording import Actor, Moment, Recorded, Recorder, points_of
from lca_core.profiles import Profile

PHOTOGRAPHS = 4  # under an everyday light, from all sides
_BEHIND = -0.4  # z of a lamp's direction under which it shows a rim of the person at most


def _toward(lamp: Light) -> np.ndarray:
    """The unit direction [3] of a single lamp."""
    total = (lamp.environment.sum(-1, keepdims=True) * directions()).sum((0, 1))
    return total / np.linalg.norm(total)


_LAMPS = tuple(lamp for lamp in OLAT if _toward(lamp)[2] > _BEHIND and lamp.name not in HELD_OUT_LAMPS)
_HELD_OUT = tuple(lamp for lamp in OLAT if lamp.name in HELD_OUT_LAMPS)
_ROOMS = tuple(name for name in ENVIRONMENTS if name not in HELD_OUT_ENVIRONMENTS)


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """`profile.wild_frames` single lamps and as many environments, by one camera; `instant` counts the lights."""
    moment = studio_script(3, generator)[int(generator.integers(3))]
    lights = _some(_LAMPS, _ROOMS, profile.wild_frames, generator)
    scene = _Scene(actor, profile, truth)
    frames = scene.under(lights, moment, generator, 0)
    return Recorded(frames, {"lights": [light.name for light in lights]})


def record_held_out(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """`PHOTOGRAPHS` pictures of a calm moment under one everyday light, by as many cameras; then another moment under
    some of the lights held out, half of them single lamps, one an instant."""
    moments = studio_script(3, generator)
    everyday, scene = casual_light(generator), _Scene(actor, profile, truth)
    photographs = scene.take([everyday], moments[0], PHOTOGRAPHS, 0.0, generator, 0)
    half = min(profile.wild_frames // 2, len(HELD_OUT_LAMPS))
    lights = _some(_HELD_OUT, HELD_OUT_ENVIRONMENTS, half, generator)
    frames = photographs + scene.under(lights, moments[int(generator.integers(1, 3))], generator, 1)
    names = [everyday.name, *(light.name for light in lights)]
    return Recorded(frames, {"lights": names, "photographs": PHOTOGRAPHS})


def _some(lamps: tuple[Light, ...], rooms: tuple[str, ...], count: int, generator: np.random.Generator) -> list[Light]:
    """`count` of each kind, or as many as there are."""
    chosen = sorted(generator.choice(len(lamps), min(count, len(lamps)), replace=False))
    names = generator.choice(list(rooms), min(count, len(rooms)), replace=False)
    return [*(lamps[i] for i in chosen), *(environment(str(name), generator) for name in names)]


class _Scene:
    """One person before the studio's cameras."""

    def __init__(self, actor: Actor, profile: Profile, truth: bool):
        self._actor, self._px, self._recorder = actor, profile.body_px, Recorder(profile, truth)

    def under(self, lights: list[Light], moment: Moment, generator: np.random.Generator, first: int) -> list[Frame]:
        """A moment under one light after another, by one camera in front."""
        return self.take(lights, moment, 1, generator.uniform(-0.5, 0.5), generator, first)

    def take(
        self,
        lights: list[Light],
        moment: Moment,
        cameras: int,
        start: float,
        generator: np.random.Generator,
        first: int,
    ) -> list:
        """Frames of a moment, instants from `first` on, one a light."""
        cloth = self._actor.settled(moment)
        posed = self._actor.pose(moment, cloth)
        ring = studio_ring(points_of(posed.parts), cameras, self._px, generator, start)
        moment, frames = (moment[0], posed.root, *moment[2:]), []
        for instant, light in enumerate(lights, first):
            frames += self._recorder.take(posed, light, ring, moment, instant, cloth=bool(cloth))
        return frames
