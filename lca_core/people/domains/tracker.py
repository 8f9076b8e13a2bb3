"""What a tracker makes of a clip: the body's parameters with errors, fitted to the pictures they came from.

A tracker removes the errors that show. So each one is drawn at random first, and then the body is moved and turned
as a whole, picture by picture, until its joints lie over the true ones as well as they can: what is left of it is
depth, and what one joint says against another.
"""

import numpy as np
import torch
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from lca_core.body import JOINT_NAMES, full_pose, joint_transforms
from lca_core.body.driving import GAZE, THETA, TIED, theta_slice
from lca_core.body.layout import HAND_JOINTS
from lca_core.data.cameras import project
from lca_core.data.records import Camera
from lca_core.motion.motions import Motion
from lca_core.people.stage.human import full_body

BETAS_SD = 0.02  # of the first ten betas
BODY_SD, FINGER_SD, GAZE_SD = 0.5, 3.0, 3.0  # degrees
_SHOWN = [i for i, name in enumerate(JOINT_NAMES) if name not in HAND_JOINTS and "eye" not in name and name != "jaw"]


def track(
    clip: Motion, betas: np.ndarray, cameras: list[Camera], generator: np.random.Generator
) -> tuple[Motion, np.ndarray]:
    """(a clip, betas [300]) as a tracker would give them that saw frame i through camera i.

    Facial actions stay the truth: a learned code takes their place in the model's input.
    """
    guess, shape = errors(clip, generator), betas.astype(np.float32).copy()
    shape[:10] += generator.normal(0, BETAS_SD, 10)
    truth, guessed = _joints(clip, betas), _joints(guess, shape)
    roots = [_fitted(*values) for values in zip(guess.root, guessed, truth, cameras)]
    return guess._replace(root=np.stack(roots)), shape


def errors(clip: Motion, generator: np.random.Generator) -> Motion:
    """The clip with a tracker's errors before fitting: half of each constant, half new in each frame.

    Standard deviations: body joints `BODY_SD` (the tied ones of a column together), fingers `FINGER_SD`, gaze
    `GAZE_SD`. The root is the fit's to find.
    """
    theta_sd = np.full(THETA, np.radians(BODY_SD))
    for joint in HAND_JOINTS:
        theta_sd[theta_slice(joint)] = np.radians(FINGER_SD)
    for leader in set(TIED.values()):
        theta_sd[theta_slice(leader)] /= 1 + list(TIED.values()).count(leader)

    def noisy(values: np.ndarray, sd: np.ndarray) -> np.ndarray:
        constant, fresh = generator.normal(0, 1, len(sd)), generator.normal(0, 1, (len(values), len(sd)))
        return (values + sd * (constant + fresh) / np.sqrt(2)).astype(np.float32)

    return clip._replace(theta=noisy(clip.theta, theta_sd), gaze=noisy(clip.gaze, np.full(GAZE, np.radians(GAZE_SD))))


def _joints(clip: Motion, betas: np.ndarray) -> np.ndarray:
    """Joints [T, 55, 3] of a body in a clip."""
    theta, root, gaze = (torch.from_numpy(np.asarray(x, np.float32)) for x in (clip.theta, clip.root, clip.gaze))
    rest = full_body().rest_joints(torch.from_numpy(betas.astype(np.float32))[None]).expand(len(theta), -1, -1)
    return joint_transforms(rest, full_pose(theta, root, gaze), root[:, 3:])[1].numpy()


def _fitted(root: np.ndarray, joints: np.ndarray, truth: np.ndarray, camera: Camera) -> np.ndarray:
    """The root [6] turned and moved so that joints [55, 3] come to lie over the true ones in the picture."""
    pelvis, seen = joints[0], project(camera, truth[_SHOWN])

    def misses(change: np.ndarray) -> np.ndarray:
        turned = Rotation.from_rotvec(change[:3]).apply(joints[_SHOWN] - pelvis) + pelvis + change[3:]
        return (project(camera, turned) - seen).ravel()

    change = least_squares(misses, np.zeros(6)).x
    turned = Rotation.from_rotvec(change[:3]) * Rotation.from_rotvec(root[:3])
    return np.concatenate([turned.as_rotvec(), root[3:] + change[3:]]).astype(np.float32)
