"""In the wild: one hand-held camera and one clip, any light, clutter behind and now and then before the person.

Body parameters are as a tracker gives them, with errors; pictures have a phone's blur, noise and compression. A second
clip shows the same person in the same clothes and light, and as much of them, by another camera, in another motion and
before another background: what is made of the first can be judged on it, and so its parameters are exact.
"""

from functools import partial

import numpy as np

from lca_core.data.cameras import wild_path
from lca_core.data.light import casual_light, exposed
from lca_core.data.records import Camera
from lca_core.people.domains.performing import acted, perform
from lca_core.people.domains.recording import Actor, Recorded, Recorder, points_of
from lca_core.people.domains.tracker import track
from lca_core.people.stage import backgrounds
from lca_core.people.stage.lens import Lens, colour_cast
from lca_core.profiles import Profile

_BOTH = 61  # stream of a person's random numbers that both clips share
_HALF_BODY = 0.15  # share of people who are shown from the hips up
_OCCLUDED = 0.10  # share of first clips with something before the person
_ABOVE = 0.45  # of a person's height: where the upper body begins


def record(
    actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool, second: bool = False
) -> Recorded:
    """A clip of `profile.wild_frames` pictures, the first of a person or the second."""
    name, clip, hanging = perform(actor, partial(acted, generator), profile.wild_frames)
    both = np.random.default_rng([actor.human.spec.seed, _BOTH])
    light, half, gain = exposed(casual_light(both), actor.skin), both.random() < _HALF_BODY, colour_cast(both)
    backdrop = backgrounds.background(generator)
    occluded = generator.random() < _OCCLUDED and not second
    lens = Lens(generator, gain, backgrounds.occluder(generator) if occluded else None)
    posed = [actor.pose(moment, cloth) for moment, cloth in zip(zip(*clip), hanging, strict=True)]
    shown = [points_of(p.parts) for p in posed]
    path = wild_path([_upper(points) for points in shown] if half else shown, profile.body_px, generator)
    standing = clip._replace(root=np.stack([p.root for p in posed]))
    tracked, betas = (standing, None) if second else track(standing, actor.human.spec.betas, path, generator)
    recorder, frames = Recorder(profile, truth), []
    for i, (person, camera) in enumerate(zip(posed, path)):
        pan = 0.5 + 0.25 * np.sin(np.arctan2(camera.viewmat[2, 0], -camera.viewmat[2, 2]))

        def behind(body: Camera, view: Camera, pan: float = pan) -> np.ndarray:
            return backgrounds.behind(backdrop, pan, body, view)

        moment = tuple(values[i] for values in tracked)
        frames += recorder.take(person, light, [camera], moment, i, behind, lens, cloth=bool(hanging[i]))
    told = "truth, to judge by" if second else "with a tracker's errors"
    meta = {"light": light.name, "motion": name, "parameters": told, "compressed": True}
    return Recorded(frames, meta | {"half_body": bool(half), "occluded": bool(occluded)}, betas)


def _upper(points: np.ndarray) -> np.ndarray:
    low, high = points[:, 1].min(), points[:, 1].max()
    return points[points[:, 1] > low + _ABOVE * (high - low)]
