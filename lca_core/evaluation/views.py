"""From which side of the body a picture was taken, and how far that is from the photographs an avatar was made of."""

from collections.abc import Sequence

import numpy as np
import roma
import torch
from jaxtyping import Float

from lca_core.body import Driving
from lca_core.body.driving import EPSILON
from lca_core.data import Frame, signal_tensors
from lca_core.model import LCA

BINS = (0, 15, 45, 90, 135, 180)  # degrees from the nearest photograph, between which pictures are sorted
BACK = 120  # degrees from straight before the person, from which on a picture shows the back


@torch.no_grad()
def joints_of(model: LCA, frame: Frame, betas: np.ndarray) -> Float[np.ndarray, "55 3"]:
    """Where the joints of a recorded person are in the world, metres."""
    rig = model.rig(torch.from_numpy(betas)[None].to(model.template.raw.device)).person(0)
    theta, root, gaze = signal_tensors([frame], model.template.raw.device)
    transforms = rig.transforms(Driving(theta, theta.new_zeros(1, EPSILON), gaze, root))[0]
    posed = transforms[:, :3, :3] @ rig.rest_joints[..., None] + transforms[:, :3, 3:]
    return posed[..., 0].cpu().numpy()


def viewing_direction(frame: Frame, pelvis: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """From the pelvis (a place in the world, metres) to the camera, of length 1 and in the pelvis' own axes: +Z before
    the person, +X at its left."""
    viewmat = frame.body.camera.viewmat
    eye = -viewmat[:3, :3].T @ viewmat[:3, 3]
    turn = roma.rotvec_to_rotmat(torch.from_numpy(np.asarray(frame.root[:3], np.float64))).numpy()
    direction = (eye - pelvis) @ turn
    return direction / np.linalg.norm(direction)


def nearest_view(
    directions: Sequence[Float[np.ndarray, " 3"]], direction: Float[np.ndarray, " 3"]
) -> tuple[int, float]:
    """(number of the direction nearest to another one, the angle between the two in degrees); the first of several."""
    cosines = np.stack(directions) @ direction
    return int(cosines.argmax()), float(np.degrees(np.arccos(np.clip(cosines.max(), -1, 1))))


def bin_of(degrees: float) -> str:
    """The bin of an angle, e.g. "15_45", from its first number up to its second; the last one holds its end, too."""
    if not BINS[0] <= degrees <= BINS[-1]:
        raise ValueError(f"an angle between views is {BINS[0]} to {BINS[-1]} degrees, not {degrees}")
    number = min(int(np.searchsorted(BINS, degrees, "right")), len(BINS) - 1)
    return f"{BINS[number - 1]}_{BINS[number]}"


def from_behind(direction: Float[np.ndarray, " 3"]) -> bool:
    """Whether a camera in this direction from the pelvis looks at the back."""
    return bool(abs(np.degrees(np.arctan2(direction[0], direction[2]))) >= BACK)
