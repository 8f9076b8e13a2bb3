"""How like the full avatar a page draws: psnr between pictures of both, in poses it was not distilled from."""

import numpy as np

from lca_core.data import Camera
from lca_core.model import Avatar
from lca_core.motion.motions import Motion
from lca_core.splats import Gaussians
from lca_core.viewer.page.distil import random_signals
from lca_core.viewer.page.numbers import PageAvatar
from lca_core.viewer.signals import driving_of_signal
from lca_core.viewer.stage import body_camera, head_camera, picture

COUNT, PX = 6, 192  # signals, and the side of the pictures
_SEED = 1


def likeness(avatar: Avatar, page: PageAvatar, count: int = COUNT, px: int = PX) -> dict[str, float]:
    """Mean psnr in dB, over white, of pictures of the body and of the head."""
    signal = random_signals(count, _SEED)
    cameras = {"body": body_camera(avatar, 0.3, px, reach=0.25), "head": head_camera(avatar, 0.2, px)}
    found: dict[str, list[float]] = {name: [] for name in cameras}
    for i in range(count):
        frame = Motion(*(part[i : i + 1] for part in signal))
        full = avatar.drive(driving_of_signal(avatar, frame)).map(lambda t: t[0])
        ours = page.drive(frame).map(lambda t: t[0])
        for name, camera in cameras.items():
            found[name].append(_psnr(full, ours, camera))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _psnr(first: Gaussians, second: Gaussians, camera: Camera) -> float:
    a, b = (picture(gaussians, camera).astype(float) / 255 for gaussians in (first, second))
    return float(-10 * np.log10(max(np.mean((a - b) ** 2), 1e-10)))
