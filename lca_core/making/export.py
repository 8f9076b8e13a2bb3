"""An avatar taken elsewhere: one function for all files that other programs open.

A file is called after the avatar and ends in its kind. Gaussians are canonical (the T-pose), or posed as a frame of a
motion is.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lca_core.body import Driving
from lca_core.errors import InputError
from lca_core.making.driving import motion_called
from lca_core.making.rigged import write_rigged
from lca_core.model import Avatar
from lca_core.motion.files import write_motion
from lca_core.motion.motions import Motion
from lca_core.paths import writable_folder
from lca_core.splats import Gaussians
from lca_core.splats.formats.files import WRITERS, write_gaussians
from lca_core.viewer.page.write import write_page
from lca_core.viewer.signals import driving_of_signal
from lca_core.viewer.stage import body_camera, clip, picture
from lca_core.viewer.video import write_gif, write_mp4

_TURN = 4.0  # seconds once round


@dataclass(frozen=True)
class Order:
    """What is to be written. posed: Gaussians stand as in the motion's `frame`; px: side of pictures."""

    avatar: Avatar
    motion: Motion
    posed: bool
    frame: int
    fps: float
    px: int

    @property
    def rate(self) -> int:
        """Frames a second, as videos have them."""
        return max(round(self.fps), 1)

    def gaussians(self) -> Gaussians:
        """Canonical ones, or those of the frame, in the world."""
        return self._frame() if self.posed else self.avatar.canonical()

    def pictures(self) -> Iterator[np.ndarray]:
        """Of every frame of the motion."""
        camera = body_camera(self.avatar, 0.5, self.px, reach=0.25)
        return clip(self.avatar, driving_of_signal(self.avatar, self.motion), camera, progress=False)

    def all_round(self) -> Iterator[np.ndarray]:
        """Of the frame, or else of an A-pose, from all sides."""
        still = self._frame() if self.posed else self.avatar.drive(Driving.neutral()).map(lambda t: t[0])
        count = max(round(_TURN * self.fps), 2)
        for turn in range(count):
            yield picture(still, body_camera(self.avatar, 2 * math.pi * turn / count, self.px, reach=0.25))

    def _frame(self) -> Gaussians:
        signal = driving_of_signal(self.avatar, self.motion)[self.frame : self.frame + 1]
        return self.avatar.drive(signal).map(lambda t: t[0])


def _gaussians(path: Path, order: Order) -> None:
    write_gaussians(path, order.gaussians())


def _rigged(path: Path, order: Order) -> None:
    write_rigged(path, order.avatar, order.motion if order.posed else None, order.fps, px=2048)


def _motion(path: Path, order: Order) -> None:
    write_motion(path, order.motion, order.fps, order.avatar.meta.get("betas"))


def _mp4(path: Path, order: Order) -> None:
    write_mp4(path, order.pictures(), order.rate)


def _gif(path: Path, order: Order) -> None:
    write_gif(path, order.pictures(), order.rate)


def _turntable(path: Path, order: Order) -> None:
    write_mp4(path, order.all_round(), order.rate)


def _page(path: Path, order: Order) -> None:
    write_page(order.avatar, path)


KINDS: dict[str, Callable[[Path, Order], None]] = dict.fromkeys(WRITERS, _gaussians) | {
    "rigged.glb": _rigged,
    "npz": _motion,
    "mp4": _mp4,
    "gif": _gif,
    "turntable.mp4": _turntable,
    "html": _page,
}


@torch.no_grad()
def export(
    avatar: Path | str,
    out: Path | str,
    kinds: Sequence[str],
    motion: str = "",
    frame: int = 0,
    frames: int = 75,
    fps: int = 25,
    px: int = 512,
) -> list[Path]:
    """Write a saved avatar into the folder `out` as every one of `kinds` (of KINDS); returns the files.

    motion: a ready-made one of `frames` frames at `fps`, or an SMPL-X .npz file: Gaussians then stand as in its `frame`
    and a rigged mesh brings it as an animation. Kinds that move walk where none is named. px: side of pictures.
    InputError, before anything is written, for a kind that is none, a frame that there is not, an odd side or a missing
    file; and as the kinds' own writers.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise InputError(f"avatars are not written as {', '.join(unknown) or 'nothing'}; choose of {', '.join(KINDS)}")
    if px % 2:
        raise InputError(f"--px must be even, as mp4 wants it, not {px}; give {px + 1}")
    out, loaded = writable_folder(out), Avatar.load(avatar)
    moves, rate = motion_called(motion or "walk", frames, fps)
    if not 0 <= frame < len(moves.theta):
        raise InputError(f"--frame must be 0 to {len(moves.theta) - 1}, the motion's frames, not {frame}")
    out.mkdir(parents=True, exist_ok=True)
    order, paths = Order(loaded, moves, bool(motion), frame, rate, px), []
    for kind in dict.fromkeys(kinds):
        paths.append(out / f"{Path(avatar).stem}.{kind}")
        KINDS[kind](paths[-1], order)
    return paths
