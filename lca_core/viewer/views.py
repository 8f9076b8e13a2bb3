"""What of a person is looked at - all of them, the face, a hand - and cameras that go round it, wherever it moves."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import JOINT_NAMES, Driving
from lca_core.data import Camera
from lca_core.data.cameras import look_at
from lca_core.model import Avatar

VIEWS = ("Body", "Face", "Left hand", "Right hand")
STEEPEST = 1.4  # radians above or below: a camera straight overhead has no upright
_JOINTS = {"Face": "head", "Left hand": "left_middle1", "Right hand": "right_middle1"}
_ROUND = 1.08  # of a body's box


@dataclass(frozen=True)
class View:
    """What is looked at.

    target: where it is at rest in an A-pose, metres; field: its width and height, metres; distance: of the camera,
    metres; joint: number of the one it follows, and point: where it is in that joint's T-pose (None: it stays).
    """

    target: tuple[float, float, float]
    field: tuple[float, float]
    distance: float
    joint: int | None = None
    point: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def place(self, transforms: Float[Tensor, "55 4 4"]) -> Float[np.ndarray, "3"]:
        """Where it is in a pose; transforms: the joints', from the T-pose to the world."""
        if self.joint is None:
            return np.array(self.target)
        turn = transforms[self.joint].double().numpy()
        return turn[:3, :3] @ np.array(self.point) + turn[:3, 3]

    def camera(
        self, transforms: Float[Tensor, "55 4 4"], azimuth: float, elevation: float, zoom: float, px: int
    ) -> Camera:
        """A square camera that holds it in the middle, as large as it fits times `zoom`.

        azimuth 0 looks at the front of somebody at rest, positive sees their left side; elevation is positive from
        above, radians.
        """
        target, elevation = self.place(transforms), float(np.clip(elevation, -STEEPEST, STEEPEST))
        flat = np.cos(elevation)
        eye = target + self.distance * np.array([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat])
        focal = zoom * px * self.distance / max(self.field)
        K = np.array([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]], np.float32)
        return Camera(look_at(eye, target), K, px, px)


@torch.no_grad()
def views(avatar: Avatar) -> dict[str, View]:
    """The views of an avatar, by their names (VIEWS)."""
    driving = Driving.neutral()
    points, transforms = avatar.drive(driving).means[0], avatar.transforms(driving)[0]
    low, high = points.quantile(0.002, 0), points.quantile(0.998, 0)
    width, height, _ = (_ROUND * (high - low)).tolist()
    found = {"Body": View(tuple(((low + high) / 2).tolist()), (width, height), 3.2)}
    for name, joint in _JOINTS.items():
        number = JOINT_NAMES.index(joint)
        turn, shift = transforms[number, :3, :3], transforms[number, :3, 3]
        target = turn @ avatar.rest_joints[number] + shift
        if name == "Face":
            target = target + torch.tensor([0.0, 0.035, 0.04])
        point = turn.T @ (target - shift)
        field, distance = ((0.3, 0.34), 1.4) if name == "Face" else ((0.3, 0.3), 1.2)
        found[name] = View(tuple(target.tolist()), field, distance, number, tuple(point.tolist()))
    return found
