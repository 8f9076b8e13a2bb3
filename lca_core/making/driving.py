"""Avatars in motion: the driving signal of a recorded person, and a video of an avatar that is driven."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lca_core.body import Driving
from lca_core.data import Camera, Frame, Person, read_people
from lca_core.data.light import light_named
from lca_core.errors import InputError
from lca_core.making.following import FPS, follow
from lca_core.making.release import load_release
from lca_core.model import LCA, Avatar, driving_of
from lca_core.motion.files import read_motion
from lca_core.motion.motions import MOTIONS, Motion
from lca_core.motion.motions import motion as ready_made
from lca_core.paths import writable
from lca_core.viewer.signals import driving_of_signal
from lca_core.viewer.stage import body_camera, clip
from lca_core.viewer.video import write_mp4
from lca_core.viewer.views import views


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
    view: str = "body",
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Drive a saved avatar and write the video `out`, which is returned.

    motion: a ready-made one of `frames` frames, or an SMPL-X .npz file, at its own rate; like: a clip whose person is
    followed instead (`following.follow`), or a shard (.tar) of records, whose first one is. px: side of the picture;
    light: name of one other than the photographs' (`light_named`); light_turns: how often it goes round the person;
    view: "body", or "face", which goes with the head. tell: is told what of a clip was not seen. InputError, before
    anything is drawn, for a video that is no .mp4, an odd side, a missing file, a clip without a person, a light that
    there is not, or an avatar that knows nothing of light.
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
        driving, fps = driving_of_signal(loaded, moves), max(round(rate), 1)
    elif Path(like).suffix == ".tar":
        driving = driving_like(next(read_people(like)))
    else:
        followed = follow(like)
        driving, fps = driving_of_signal(loaded, followed.motion), FPS
        for sentence in followed.said:
            tell(sentence)
    camera = body_camera(loaded, 0.5, px, reach=0.25) if view == "body" else _face_camera(loaded, driving, px)
    write_mp4(out, clip(loaded, driving, camera, light=other, light_turns=light_turns), fps)
    return out


def _face_camera(avatar: Avatar, driving: Driving, px: int) -> Callable[[int], Camera]:
    """Before the face, in every frame."""
    look, transforms = views(avatar)["Face"], avatar.transforms(driving)
    return lambda frame: look.camera(transforms[frame], 0.15, 0.0, 1.0, px)
