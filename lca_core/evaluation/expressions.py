"""Expressions: face crops of people who all make faces, to measure what codes hold and whether avatars follow.

Everybody makes `FACES` faces, each a few actions at once, and looks somewhere; two people in a pair (seeds 2n and
2n + 1) make the same ones, so that a code read from one can drive the other and be held to the truth. Even light,
plain grey behind, a standing body, the camera before the face.
"""

import gc
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lca_core.body import ACTIONS, full_pose
from lca_core.data import Frame, Person, Picture, write_shard
from lca_core.data.cameras import FACE_SIDE, around, face_crop
from lca_core.data.light import studio_light
from lca_core.evaluation.humans import skeleton
from lca_core.motion.faces import look_actions, random_gaze, settled
from lca_core.motion.poses import standing
from lca_core.paths import cache_dir
from lca_core.people.domains.processes import draw_missing
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.people.stage.human import DigitalHuman
from lca_core.people.stage.render import Stage
from lca_core.people.who.spec import PersonSpec, sample_person

FACES = 16  # pictures a person
AT_ONCE = (3, 8)  # actions of a face, at least and fewer than
AMOUNT = (0.3, 1.0)
SAMPLES_PER_PIXEL = 8
DOMAIN = "expressions"
_AZIMUTH, _ELEVATION = np.radians(25), np.radians(8)
_DISTANCE = (1.5, 2.5)
_HEAD_DEPTH = 0.06  # metres from between the eyes to the middle of the head
_PAIR_STREAM, _OWN_STREAM = 31, 32  # of random numbers
_FREE = np.array([not action.startswith("eyeLook") for action in ACTIONS])  # the others follow the gaze


def faces_of(seed: int, faces: int = FACES) -> tuple[np.ndarray, np.ndarray]:
    """(actions [faces, 52], gaze [faces, 4]) of a person's pair; the first face is neutral and looks ahead."""
    generator = np.random.default_rng([seed // 2, _PAIR_STREAM])
    actions, gaze = np.zeros((faces, len(ACTIONS)), np.float32), np.zeros((faces, 4), np.float32)
    for i in range(1, faces):
        chosen = generator.choice(np.flatnonzero(_FREE), generator.integers(*AT_ONCE), replace=False)
        actions[i, chosen] = generator.uniform(*AMOUNT, len(chosen))
        gaze[i] = random_gaze(generator)
    return settled(np.maximum(actions, look_actions(gaze))), gaze


def expressions(spec: PersonSpec, px: int, faces: int = FACES) -> Person:
    """A person's faces as a record of the domain "expressions", face crops of px pixels; body and face are the same."""
    generator = np.random.default_rng([spec.seed, _OWN_STREAM])
    human, (actions, gazes) = DigitalHuman.build(spec), faces_of(spec.seed, faces)
    theta, root = standing(generator, "calm"), np.zeros(6, np.float32)
    stage, frames = None, []
    for instant, (action, gaze) in enumerate(zip(actions, gazes)):
        pose = full_pose(*(torch.from_numpy(x) for x in (theta, root, gaze))).numpy()
        eyes, forward = skeleton(spec.betas, theta, root, gaze)[1:3]
        centre = eyes.mean(0) - _HEAD_DEPTH * forward
        azimuth, elevation = generator.uniform(-1, 1, 2) * [_AZIMUTH, _ELEVATION]
        corners = centre + FACE_SIDE / 2 * np.array([[-1, -1, 0], [1, 1, 0]])
        camera = face_crop(around(corners, azimuth, elevation, generator.uniform(*_DISTANCE), px), centre, px)
        parts = human.pose(pose, root[3:], action)
        if stage is None:
            stage = Stage(parts, studio_light())
        else:
            stage.move(parts)
        shot = stage.shoot([camera], SAMPLES_PER_PIXEL, seed=instant)[0]
        picture = Picture(shot.image, shot.matte, camera)
        frames.append(Frame(picture, picture, theta, root, gaze, action, instant, "studio"))
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    meta = {"looks": spec.meta(), "actions": "truth", "licence": "CC0-1.0"}
    return Person(f"{DOMAIN}-{spec.seed:06d}", DOMAIN, spec.seed, spec.betas.astype(np.float32), tuple(frames), meta)


def cached_expressions(
    seeds: Sequence[int], px: int, workers: int = 2, progress: bool = True, faces: int = FACES
) -> list[Path]:
    """Shards in the cache with these people's faces, one person each and in this order, drawn on first use."""
    folder = cache_dir("people", f"{DOMAIN}-{digest_of(RENDERING, px, faces, AT_ONCE, AMOUNT, SAMPLES_PER_PIXEL)}")
    return draw_missing(folder, DOMAIN, seeds, partial(_draw, px=px, faces=faces), workers, progress)


def _draw(seed: int, path: Path, px: int, faces: int) -> None:
    write_shard(path, [expressions(sample_person(seed), px, faces)])
