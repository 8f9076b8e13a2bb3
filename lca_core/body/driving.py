"""The driving signal: body and hand pose theta, expression code epsilon, gaze psi, and where the body stands.

theta has 46 joints x 3 axis-angle numbers = 138, SMPL-X style: 30 finger joints and 16 body joints. Of the 55
joints nine are not in it. The pelvis is placed by `root`, which the network never sees (an avatar looks the
same wherever it stands). The jaw belongs to the expression and the two eyes to the gaze. The two toe joints stay
at rest: shoes. spine1 and spine2 turn as spine3 does, and the neck as the head does: pictures do not tell
those joints apart, and a bend spread over the column is what people do. 55 - 1 - 1 - 2 - 2 - 2 - 1 = 46.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body.layout import BODY_JOINTS, HAND_JOINTS, JOINT_NAMES

_RESTING = ("left_foot", "right_foot")
TIED = {"spine1": "spine3", "spine2": "spine3", "neck": "head"}  # each follows the named joint of theta
_LEFT_OUT = ("pelvis", *_RESTING, *TIED)
THETA_JOINTS = tuple(j for j in BODY_JOINTS if j not in _LEFT_OUT) + HAND_JOINTS
THETA, EPSILON, GAZE, ROOT = 3 * len(THETA_JOINTS), 128, 4, 6


def _sources() -> list[int]:
    """For every joint its place in [theta's joints..., zero, pelvis, left eye, right eye]."""
    n = len(THETA_JOINTS)
    special = {"pelvis": n + 1, "left_eye_smplhf": n + 2, "right_eye_smplhf": n + 3}
    names = [TIED.get(name, name) for name in JOINT_NAMES]
    return [THETA_JOINTS.index(name) if name in THETA_JOINTS else special.get(name, n) for name in names]


_SOURCES = _sources()


def theta_slice(joint: str) -> slice:
    """Where the three numbers of `joint` (a name of THETA_JOINTS) stand in theta."""
    start = 3 * THETA_JOINTS.index(joint)
    return slice(start, start + 3)


def full_pose(
    theta: Float[Tensor, "*frames 138"], root: Float[Tensor, "*frames 6"], gaze: Float[Tensor, "*frames 4"]
) -> Float[Tensor, "*frames 55 3"]:
    """Axis-angle rotations of all 55 joints. root's translation (its last three numbers) is not used here."""
    joints = theta.unflatten(-1, (len(THETA_JOINTS), 3))
    zero = torch.zeros_like(joints[..., :1, :])
    eyes = torch.stack([-gaze[..., 1::2], gaze[..., 0::2], torch.zeros_like(gaze[..., 0::2])], -1)
    pieces = torch.cat([joints, zero, root[..., None, :3], eyes], -2)
    return pieces[..., _SOURCES, :]


def theta_of(pose: Float[Tensor, "*frames 55 3"]) -> Float[Tensor, "*frames 138"]:
    """The theta nearest to a full SMPL-X pose: tied joints are averaged (exact for poses `full_pose` made)."""
    columns = []
    for name in THETA_JOINTS:
        group = [name, *(tied for tied, leader in TIED.items() if leader == name)]
        columns.append(pose[..., [JOINT_NAMES.index(j) for j in group], :].mean(-2))
    return torch.stack(columns, -2).flatten(-2)


@dataclass(frozen=True)
class Driving:
    """What moves an avatar, for any number of frames.

    theta: radians; epsilon: learned code, no unit; gaze: radians, yaw and pitch of the left eye, then of the right
    (yaw > 0 looks to the person's left, pitch > 0 up); root: axis-angle of the pelvis, then its shift from the
    rest position in metres.
    """

    theta: Float[Tensor, "*frames 138"]
    epsilon: Float[Tensor, "*frames 128"]
    gaze: Float[Tensor, "*frames 4"]
    root: Float[Tensor, "*frames 6"]

    @classmethod
    def neutral(cls, frames: int = 1, arms_down: bool = True) -> "Driving":
        """Rest: face neutral, eyes ahead, arms lowered to an A-pose (or in the T-pose)."""
        theta = torch.zeros(frames, THETA)
        if arms_down:
            theta[:, theta_slice("left_shoulder")] = torch.tensor([0.0, 0.0, -0.9])
            theta[:, theta_slice("right_shoulder")] = torch.tensor([0.0, 0.0, 0.9])
        return cls(theta, torch.zeros(frames, EPSILON), torch.zeros(frames, GAZE), torch.zeros(frames, ROOT))

    @classmethod
    def from_numpy(cls, theta: np.ndarray, root: np.ndarray, gaze: np.ndarray, epsilon: Tensor) -> "Driving":
        """From a record's float32 arrays and a code."""
        return cls(torch.as_tensor(theta), epsilon, torch.as_tensor(gaze), torch.as_tensor(root))

    @property
    def full_pose(self) -> Float[Tensor, "*frames 55 3"]:
        """Axis-angle rotations of all 55 joints."""
        return full_pose(self.theta, self.root, self.gaze)

    @property
    def condition(self) -> Float[Tensor, "*frames 270"]:
        """What the driven branch sees: theta, epsilon and gaze, without the placement in the world."""
        return torch.cat([self.theta, self.epsilon, self.gaze], -1)

    def __getitem__(self, index) -> "Driving":
        """A frame, or a slice of frames."""
        return Driving(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def __len__(self) -> int:
        return self.theta.shape[0]
