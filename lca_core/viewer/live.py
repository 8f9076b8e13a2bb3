"""Pictures of an avatar for somebody who plays with it, by our own rasteriser: they look as evaluated ones do.

A picture drives the avatar once where its pose, face or light has changed, and not at all where only the camera has.
"""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lca_core.data import Camera, camera_tensors
from lca_core.data.light import light_named
from lca_core.data.sphere import Light, turned
from lca_core.model import Avatar
from lca_core.model.parts import LIGHT
from lca_core.model.shading import eyes_of
from lca_core.motion.motions import Motion
from lca_core.splats import Gaussians
from lca_core.viewer.performance import Performance
from lca_core.viewer.signals import driving_of_signal
from lca_core.viewer.stage import picture
from lca_core.viewer.views import views

PX = 448
_ROOM = 1.16  # about a body that is looked at: for raised arms


class Live:
    """An avatar that is drawn again and again, and the Gaussians it was last driven to.

    px: side of the pictures; background: sRGB in [0, 1]. Not for several threads at once.
    """

    def __init__(self, avatar: Avatar, px: int = PX, background: tuple[float, float, float] = (1.0, 1.0, 1.0)):
        self.avatar, self.px, self.background = avatar, px, background
        self.views = views(avatar)
        self._driven: tuple[Motion, tuple, Gaussians, Tensor] | None = None

    @property
    def knows_light(self) -> bool:
        """Whether the avatar can be seen under other lights than the photographs'."""
        return LIGHT in self.avatar.parts

    @torch.no_grad()
    def picture(self, asked: Performance) -> UInt8[np.ndarray, "px px 3"]:
        """What is asked for; InputError for a light that there is not, or an avatar that knows nothing of light."""
        gaussians, camera = self.scene(asked)
        return picture(gaussians, camera, self.background)

    @torch.no_grad()
    def scene(self, asked: Performance) -> tuple[Gaussians, Camera]:
        """(Gaussians [N] in the world, camera) of what is asked for."""
        signal, light = asked.signal(), (asked.light, asked.light_turn) if asked.light else ()
        view = (asked.view, asked.azimuth, asked.elevation, asked.zoom) if light else ()  # highlights move with it
        if self._driven is None or self._driven[1] != (light, view) or not _same(self._driven[0], signal):
            driving = driving_of_signal(self.avatar, signal)
            transforms = self.avatar.transforms(driving)[0]
            under = _light(asked.light, asked.light_turn) if light else None
            eye = eyes_of(camera_tensors(self.camera(asked, transforms))[0]) if light else None
            driven = self.avatar.drive(driving, under, eye).map(lambda t: t[0])
            self._driven = signal, (light, view), driven, transforms
        _, _, gaussians, transforms = self._driven
        return gaussians, self.camera(asked, transforms)

    def camera(self, asked: Performance, transforms: Float[Tensor, "55 4 4"]) -> Camera:
        """The camera of what is asked for, in a pose (the joints' transforms from the T-pose to the world)."""
        room = _ROOM if asked.view == "Body" else 1.0
        return self.views[asked.view].camera(
            transforms, asked.azimuth, asked.elevation, asked.zoom / room, self.px
        )  # fmt: skip


def _same(first: Motion, second: Motion) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second))


@cache
def _named(name: str) -> Light:
    return light_named(name)


def _light(name: str, turn: float) -> Light:
    return turned(_named(name), turn)
