"""Portraits: face crops of digital humans big enough for a recogniser.

A record's face crop is as small as its profile says (112 px at "laptop"); recognisers want about 50 px between the
eyes. So portraits are a protocol of their own: each person from the front in a few casual lights, with a quiet face.
"""

import gc
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lca_core.body import full_pose
from lca_core.data import Frame, Person, Picture, write_shard
from lca_core.data.cameras import around, face_crop
from lca_core.data.light import Light, casual_light
from lca_core.evaluation.humans import skeleton
from lca_core.motion.faces import face
from lca_core.motion.poses import standing
from lca_core.paths import cache_dir
from lca_core.people.domains.processes import draw_missing
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.people.stage.backgrounds import background, behind
from lca_core.people.stage.human import DigitalHuman
from lca_core.people.stage.render import Stage
from lca_core.people.who.spec import PersonSpec, sample_person

PX = 256  # side of a portrait
SIDE = 0.30  # metres it shows at the head: 53 px between eyes 62 mm apart
SHOTS = 4  # portraits a person
SAMPLES_PER_PIXEL = 8
AZIMUTH = np.radians(28)  # the camera stands at most so far to the side,
ELEVATION = np.radians(8)  # and so far above or below the head,
DISTANCE = (1.0, 2.5)  # metres from it
QUIET = ("neutral", "smile", "smirk", "surprise", "sad", "mm", "ee")  # faces ...
STRENGTH = 0.4  # ... and the most of each
DOMAIN = "portrait"
_HEAD_DEPTH = 0.06  # metres from between the eyes to the middle of the head
_STREAM = 20  # of the person's random numbers

Place = tuple[Light, Image.Image]  # its light, and what lies behind the person


def portraits(spec: PersonSpec, shots: int = SHOTS, together: int = 1) -> Person:
    """`shots` portraits of a person as a record of the domain "portrait": body and face are the same picture.

    Every shot has its own camera, quiet face and stance, and every `together` shots their own light and background, all
    drawn from the person's seed.
    """
    generator = np.random.default_rng([spec.seed, _STREAM])
    human, frames, place = DigitalHuman.build(spec), [], None
    for instant in range(shots):
        frame, place = _shoot(human, spec.betas, generator, instant, place if instant % together else None)
        frames.append(frame)
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    meta = {"looks": spec.meta(), "actions": "truth", "licence": "CC0-1.0"}
    return Person(f"{DOMAIN}-{spec.seed:06d}", DOMAIN, spec.seed, spec.betas.astype(np.float32), tuple(frames), meta)


def _shoot(
    human: DigitalHuman, betas: np.ndarray, generator: np.random.Generator, instant: int, place: Place | None
) -> tuple[Frame, Place]:
    """(a portrait, where it was taken); place: None for a new one."""
    theta, root = standing(generator, "calm"), np.zeros(6, np.float32)
    gaze = generator.normal(0, 0.06, 4).astype(np.float32)
    actions = face(str(generator.choice(QUIET)), STRENGTH * generator.random())
    pose = full_pose(*(torch.from_numpy(x) for x in (theta, root, gaze))).numpy()
    eyes, forward = skeleton(betas, theta, root, gaze)[1:3]
    centre = eyes.mean(0) - _HEAD_DEPTH * forward
    azimuth, elevation = generator.uniform(-1, 1, 2) * [AZIMUTH, ELEVATION]
    corners = centre + SIDE / 2 * np.array([[-1, -1, 0], [1, 1, 0]])
    camera = face_crop(around(corners, azimuth, elevation, generator.uniform(*DISTANCE), PX), centre, PX, SIDE)
    light, scenery = place or (casual_light(generator), background(generator))
    wall = behind(scenery, generator.random(), camera, camera)
    shot = Stage(human.pose(pose, root[3:], actions), light).shoot([camera], SAMPLES_PER_PIXEL, [wall], seed=instant)[0]
    picture = Picture(shot.image, shot.matte, camera)
    return Frame(picture, picture, theta, root, gaze, actions, instant, light.name), (light, scenery)


def cached_portraits(
    seeds: Sequence[int], shots: int = SHOTS, workers: int = 2, progress: bool = True, together: int = 1
) -> list[Path]:
    """Shards in the cache with these people's portraits, one person each and in this order, drawn on first use."""
    what = (RENDERING, PX, SIDE, SAMPLES_PER_PIXEL, shots, *((together,) if together > 1 else ()))
    folder = cache_dir("people", f"{DOMAIN}-{digest_of(*what)}")
    return draw_missing(folder, DOMAIN, seeds, partial(_draw, shots=shots, together=together), workers, progress)


def _draw(seed: int, path: Path, shots: int, together: int) -> None:
    write_shard(path, [portraits(sample_person(seed), shots, together)])
