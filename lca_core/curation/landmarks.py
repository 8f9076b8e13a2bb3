"""Where the landmarks of MediaPipe's networks lie on our body.

Every landmark of body, hands and face is a point fixed to one joint, x = T_j (J_j(beta) + o): J_j is where the joint
rests in a body of shape beta, T_j moves it, and the offset o was measured once on training digital humans, whose true
pose is known, together with how far the networks miss it (`benchmarks/calibrate.py`, which writes the file read here).
The file also holds how bodies are posed (mean and principal axes of theta), and the mean face mesh.
"""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lca_core.body.layout import JOINT_NAMES
from lca_core.paths import atomic_path

FILE = Path(__file__).with_name("landmarks.npz")
_SIDED = ("shoulder", "elbow", "wrist", "wrist", "wrist", "wrist", "pelvis", "knee", "ankle", "ankle", "ankle")
POSE_JOINTS = ("head",) * 11 + tuple(
    joint if joint == "pelvis" else f"{side}_{joint}" for joint in _SIDED for side in ("left", "right")
)
_DIGITS = ("thumb", "index", "middle", "ring", "pinky")  # in the hand network's order
HAND_JOINTS = {
    side: (f"{side}_wrist", *(f"{side}_{digit}{k}" for digit in _DIGITS for k in (1, 2, 3, 3)))
    for side in ("left", "right")
}
# Of the face mesh: corners of eyes and mouth, bridge and tip of the nose, forehead, chin, temples; they hardly move.
FACE_POINTS = (33, 133, 362, 263, 61, 291, 168, 1, 10, 152, 127, 356)
NAMES = (*POSE_JOINTS, *HAND_JOINTS["left"], *HAND_JOINTS["right"], *(("head",) * len(FACE_POINTS)))
POSE, LEFT_HAND, RIGHT_HAND = slice(0, 33), slice(33, 54), slice(54, 75)
FACE = slice(75, 75 + len(FACE_POINTS))


@dataclass(frozen=True)
class Calibration:
    """offsets [L, 3] metres from the joints of `NAMES` in the T-pose; sd [L]: metres by which the networks miss a
    landmark (standard deviation along each axis of the picture); pose_mean [138] and pose_axes [138, K]: theta = mean +
    axes z with z of unit variance, radians; mesh_mean [478, 3]: the mean face mesh (`lca_core.curation.faces`)."""

    offsets: Float[Tensor, "L 3"]
    sd: Float[Tensor, " L"]
    pose_mean: Float[Tensor, "138"]
    pose_axes: Float[Tensor, "138 K"]
    mesh_mean: Float[Tensor, "478 3"]

    def save(self, path: Path | str = FILE) -> None:
        """Write the file, half precision, atomically."""
        with atomic_path(path) as partial:
            arrays = {f.name: getattr(self, f.name).numpy().astype(np.float16) for f in fields(self)}
            np.savez_compressed(partial, **arrays)

    @classmethod
    def load(cls, path: Path | str = FILE) -> "Calibration":
        """Read it; holds numbers only."""
        with np.load(path, allow_pickle=False) as file:
            return cls(**{f.name: torch.from_numpy(file[f.name].astype(np.float32)) for f in fields(cls)})


@cache
def calibration() -> Calibration:
    """The one that ships."""
    return Calibration.load()


def joints_of(names: tuple[str, ...] = NAMES) -> Int[Tensor, " L"]:
    """Numbers of the joints that landmarks are fixed to."""
    return torch.tensor([JOINT_NAMES.index(name) for name in names])


def places(
    offsets: Float[Tensor, "L 3"], rest_joints: Float[Tensor, "B 55 3"], transforms: Float[Tensor, "B 55 4 4"]
) -> Float[Tensor, "B L 3"]:
    """Where the landmarks of `NAMES` are on posed bodies, metres."""
    joints = joints_of()
    moved = transforms[:, joints]
    return (moved[..., :3, :3] @ (rest_joints[:, joints] + offsets)[..., None])[..., 0] + moved[..., :3, 3]
