"""Cloth on the move, without pictures: where loose cloth goes while people do one thing and another.

What hangs loose is simulated as `garment` records it, for longer and in more than one clip: what they do there, any of
MOTIONS, and turning round. It is what decoders of hanging cloth learn from.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from lca_core.body import full_pose
from lca_core.engines import Engine, local
from lca_core.errors import InputError
from lca_core.motion.motions import MOTIONS, Motion, motion
from lca_core.npz_files import read_npz
from lca_core.paths import atomic_path, cache_dir
from lca_core.people.domains import loose
from lca_core.people.domains.domains import cast, stream
from lca_core.people.domains.performing import FPS, SIMULATED_FPS
from lca_core.people.domains.processes import draw_missing
from lca_core.people.domains.recording import Actor
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.people.domains.turning import TURNING, turned_round

CLIPS = 3  # a person: as `garment` records them, at any motion, turning round
EVERY = round(SIMULATED_FPS / FPS)  # moments simulated for one that `garment` records
_MOMENTS = 7 * EVERY + 1
_THINNED = 6  # every so manieth vertex is kept
_STREAM = 900  # of the generators, beside the clip's number
_MOST = 1 << 28  # bytes of a file


class Swinging(NamedTuple):
    """A person's clips, T moments at 30 a second, the first of which is the one that `garment` records.

    poses: axis-angle of all joints; shifts: of the pelvis from its rest position, metres; cloth: M of the vertices that
    are free to hang, metres in the world.
    """

    poses: Float[np.ndarray, "C T 55 3"]
    shifts: Float[np.ndarray, "C T 3"]
    cloth: Float[np.ndarray, "C T M 3"]


def swinging(seed: int) -> Swinging:
    """The clips of a person of `garment`, simulated (some ten seconds a clip)."""
    actor = Actor(cast(seed, "garment"))
    clips = []
    for number in range(CLIPS):
        clip = _acted(seed, number)
        clip = clip._replace(root=actor.grounded(clip.theta, clip.root, clip.gaze))
        hanging = actor.hang(clip.theta, clip.root, clip.gaze, SIMULATED_FPS)
        poses = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (clip.theta, clip.root, clip.gaze)))
        kept = {
            part: np.flatnonzero(np.asarray(free) > 0.5)[::_THINNED] for part, (_, free) in actor.human.loose.items()
        }
        cloth = np.stack([np.concatenate([cloth[part][kept[part]] for part in kept]) for cloth in hanging])
        clips.append(Swinging(poses.numpy(), clip.root[:, 3:].astype(np.float32), cloth.astype(np.float32)))
    return Swinging(*(np.stack(values) for values in zip(*clips)))


def _acted(seed: int, number: int) -> Motion:
    if number == 0:
        return loose.acted(stream(seed, "garment"), _MOMENTS, SIMULATED_FPS)[1]
    generator = np.random.default_rng([seed, _STREAM + number])
    if number == 1:
        return motion(str(generator.choice(list(MOTIONS))), generator, _MOMENTS, SIMULATED_FPS)
    name = str(generator.choice(list(TURNING)))
    clip = motion(name, generator, _MOMENTS, SIMULATED_FPS)
    return turned_round(clip, generator, SIMULATED_FPS, TURNING[name])


def cached_swinging(
    seeds: Sequence[int], workers: int = 2, progress: bool = True, engine: Engine = local
) -> list[Path]:
    """Files in the cache, one a person and in this order, simulated on first use: `read_swinging` reads them."""
    folder = cache_dir("people", f"swinging-{digest_of(RENDERING, _MOMENTS, _THINNED, _STREAM)}")
    return draw_missing(folder, "swinging", seeds, _simulate, workers, progress, engine, kind="npz")


def _simulate(seed: int, path: Path) -> None:
    with atomic_path(path) as partial_file, partial_file.open("wb") as file:
        np.savez(file, **swinging(seed)._asdict())


def read_swinging(path: Path | str) -> Swinging:
    """What `cached_swinging` wrote; InputError where the file is another."""
    remedy = "remove it, and it is made anew"
    arrays = read_npz(path, Swinging._fields, _MOST, "clips of swinging cloth", remedy)
    if set(arrays) != set(Swinging._fields):
        raise InputError(f"{path} holds no clips of swinging cloth; {remedy}")
    return Swinging(**arrays)
