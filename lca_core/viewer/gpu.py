"""An avatar drawn by the graphics card of whoever looks: viser's Gaussians, moved from here, for this machine alone.

viser (MIT, https://viser.studio) brings the page, the camera and the sorting; this file drives the avatar and hands
over its Gaussians, all numbers of a moment in one message. It widens them a little more than we do: what avatars are
evaluated by is `live`. Without a graphics card a browser draws them slowly: there `widgets.LiveViewer` is better.
"""

import io
import threading
import time
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
import torch
import viser
from jaxtyping import Float

from lca_core.model import Avatar
from lca_core.splats import Gaussians
from lca_core.splats.reference import quats_to_rotations
from lca_core.viewer.performance import Performance
from lca_core.viewer.serve import HOST
from lca_core.viewer.signals import LOOPS, driving_of_signal
from lca_core.viewer.sliders import groups
from lca_core.viewer.views import VIEWS, views

PORT, RATE = 8080, 25  # the first port tried; moments a second of a motion
_LARGER = 100.0  # viser keeps covariances in half precision, in which those of half a millimetre, in m^2, are nought
_STAND = "Stand"


class GpuViewer:
    """A server at `address` for browsers of this machine; in a notebook, a frame that shows it.

    port: the first that is tried, then those after it. What is shown is asked for here (`show`, `play`) or in the page,
    which has a list of motions and one of faces. `close` ends it; so does the end of the process.
    """

    def __init__(self, avatar: Avatar, port: int = PORT):
        self.avatar = avatar
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._playing: Performance | None = None
        self._began = 0.0
        with redirect_stdout(io.StringIO()):  # it prints where it is, in a box
            self._server = viser.ViserServer(host=HOST, port=port, label="lca_core", verbose=False)
        self._server.gui.configure_theme(show_logo=False, show_share_button=False)  # which asks a machine elsewhere
        self._look()
        self._splats = self._server.scene.add_gaussian_splats(
            "/avatar", **numbers_of(self._driven(Performance())), scale=1 / _LARGER
        )
        self._panel()
        threading.Thread(target=self._go_on, name="gpu viewer", daemon=True).start()

    @property
    def address(self) -> str:
        """Where a browser of this machine finds it."""
        return f"http://{HOST}:{self._server.get_port()}/"

    def show(self, asked: Performance) -> None:
        """Move the person as is asked for; the camera is the page's own."""
        self._playing = None
        self._put(asked)

    def play(self, asked: Performance) -> None:
        """Go on with the motion that is asked for, wherever somebody looks, until `show`."""
        self._began, self._playing = time.monotonic() - asked.seconds, asked

    def close(self) -> None:
        """End the server."""
        self._closed.set()
        with self._lock, redirect_stdout(io.StringIO()):
            self._server.stop()

    def __enter__(self) -> "GpuViewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.address}" width="100%" height="560" style="border: 0"></iframe>'

    def _put(self, asked: Performance) -> None:
        with self._lock:
            self._splats.set_gaussians(**numbers_of(self._driven(asked)))

    @torch.no_grad()
    def _driven(self, asked: Performance) -> Gaussians:
        return self.avatar.drive(driving_of_signal(self.avatar, asked.signal())).map(lambda t: t[0])

    def _look(self) -> None:
        """Where the page's camera begins: before the whole person."""
        body, first, camera = views(self.avatar)[VIEWS[0]], Performance(), self._server.initial_camera
        target, flat = np.array(body.target), np.cos(first.elevation)
        towards = [np.sin(first.azimuth) * flat, np.sin(first.elevation), np.cos(first.azimuth) * flat]
        self._server.scene.set_up_direction("+y")
        camera.look_at, camera.position = target, target + body.distance * np.array(towards)
        camera.fov = 2 * np.arctan(max(body.field) / 2 / body.distance)

    def _panel(self) -> None:
        faces = next(group["presets"] for group in groups() if group["name"] == "Face")
        motion = self._server.gui.add_dropdown("Motion", (_STAND, *LOOPS))
        face = self._server.gui.add_dropdown("Face", tuple(faces))

        @motion.on_update
        @face.on_update
        def _(_: object) -> None:
            if motion.value == _STAND:
                self.show(Performance(faces[face.value]))
            else:
                self.play(Performance(faces[face.value], motion.value))

    def _go_on(self) -> None:
        while not self._closed.wait(1 / RATE):
            asked = self._playing
            if asked is not None and self._server.get_clients():
                self._put(replace(asked, seconds=time.monotonic() - self._began))


def numbers_of(gaussians: Gaussians) -> dict[str, Float[np.ndarray, "N ..."]]:
    """Gaussians [N] as viser takes them: centers and covariances of a world `_LARGER`, rgbs, opacities [N, 1]."""
    axes = quats_to_rotations(gaussians.quats) * gaussians.scales[:, None]
    return {
        "centers": (_LARGER * gaussians.means).numpy(),
        "covariances": (_LARGER**2 * axes @ axes.mT).numpy(),
        "rgbs": gaussians.colors.clamp(0, 1).numpy(),
        "opacities": gaussians.opacities[:, None].numpy(),
    }
