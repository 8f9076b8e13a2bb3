"""Avatars in motion: the driving signal of a recorded person, and a video of an avatar that is driven."""

from pathlib import Path

import numpy as np
import torch

from lca_core.body import Driving
from lca_core.data import Frame, Person, read_people
from lca_core.data.light import light_named
from lca_core.errors import InputError
from lca_core.making.release import load_release
from lca_core.model import LCA, Avatar, driving_of
from lca_core.motion.files import read_motion
from lca_core.motion.motions import MOTIONS, Motion
from lca_core.motion.motions import motion as ready_made
from lca_core.paths import writable
from lca_core.viewer.stage import body_camera, clip
from lca_core.viewer.video import write_mp4


def driving_like(person: Person, model: LCA | None = None) -> Driving:
    """What makes any avatar move as a recorded person does: theta, gaze and root of every instant, and epsilon read
    from its face crop (that of its first picture with one; zero without).

    model: whose expression codes the avatar knows (default: the shipped release's).
    """
    model = model or load_release()[0]
    moments: dict[int, Frame] = {}
    for frame in person.frames:
        if frame.instant not in moments or (moments[frame.instant].face is None and frame.face is not None):
            moments[frame.instant] = frame
    return driving_of(model, [moments[instant] for instant in sorted(moments)], person.betas)


def motion_called(name: str, frames: int = 75, fps: float = 25.0) -> tuple[Motion, float]:
    """(motion, frames a second): a ready-made one of so many frames, or that of an SMPL-X .npz file, as it is there.

    InputError for a name that is none, or as `read_motion`.
    """
    if name.endswith(".npz"):
        return read_motion(name)
    if name not in MOTIONS:
        raise InputError(f"no motion is called {name!r}; choose one of {', '.join(MOTIONS)}, or give an .npz file")
    return ready_made(name, np.random.default_rng(0), frames, fps), fps


def signal_of(avatar: Avatar, motion: Motion) -> Driving:
    """What drives an avatar through a motion: its facial actions become the avatar's codes."""
    theta, root, gaze, actions = (torch.from_numpy(np.asarray(x, np.float32)) for x in motion)
    return Driving(theta, avatar.action_map(actions), gaze, root)


def drive_to_video(
    avatar: Path | str,
    out: Path | str,
    motion: str = "walk",
    like: Path | str | None = None,
    frames: int = 75,
    fps: int = 25,
    px: int = 320,
    light: str | None = None,
    light_turns: float = 0.0,
) -> Path:
    """Drive a saved avatar and write the video `out`, which is returned.

    motion: a ready-made one of `frames` frames, or an SMPL-X .npz file, at its own rate; like: a shard whose first
    person is followed instead. px: side of the picture; light: name of one other than the photographs'
    (`light_named`); light_turns: how often it goes round the person. InputError, before anything is drawn, for a video
    that is no .mp4, an odd side, a missing file, a light that there is not, or an avatar that knows nothing of light.
    """
    out = Path(out)
    if out.suffix != ".mp4":
        raise InputError(f"{out} does not end in .mp4; only mp4 is written")
    if px % 2:
        raise InputError(f"--px must be even, as mp4 wants it, not {px}; give {px + 1}")
    if light_turns and light is None:
        raise InputError("--light-turns turns the light that --light names; give one, such as --light sunset")
    writable(out)
    other = None if light is None else light_named(light)
    loaded = Avatar.load(avatar)
    if other is not None:
        _ = loaded.material
    if like is None:
        moves, rate = motion_called(motion, frames, fps)
        driving, fps = signal_of(loaded, moves), max(round(rate), 1)
    else:
        driving = driving_like(next(read_people(like)))
    camera = body_camera(loaded, 0.5, px, reach=0.25)
    write_mp4(out, clip(loaded, driving, camera, light=other, light_turns=light_turns), fps)
    return out
