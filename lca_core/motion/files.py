"""Motions as SMPL-X .npz files, as AMASS and the SMPL-X add-on of Blender read and write them.

`poses` [T, 165] holds axis-angle rotations of the 55 joints in SMPL-X's order, `trans` [T, 3] how far the pelvis is
from its place at rest, `mocap_frame_rate` frames a second. Files of ours have besides them `expression` [T, 52] with
`expression_names`, ARKit's facial actions, and `up`, "y". AMASS's world has +Z up: a file that does not say what is up
is taken to stand, by the median frame, the way its pelvis does. What drives avatars has fewer joints (`body.driving`):
of the spine's three and of neck and head the mean is kept, jaw and toes are left out.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from lca_core.body import ACTIONS, JOINT_NAMES
from lca_core.body.driving import full_pose, theta_of
from lca_core.errors import InputError
from lca_core.motion.motions import Motion, grounded
from lca_core.npz_files import read_npz
from lca_core.paths import atomic_path

RATES = ("mocap_frame_rate", "mocap_framerate", "fps")
_USED = ("poses", "trans", "expression", "expression_names", "up", *RATES)
_MAX_BYTES = 2**28  # of the arrays that are read: more than two hours at 30 frames a second
_JOINTS, _JOINTS_SMPLH = len(JOINT_NAMES), 52  # SMPL+H lacks jaw and eyes
_FACE = slice(22, 25)  # of SMPL-X's joints: jaw, left eye, right eye
_LEFT_EYE, _RIGHT_EYE = 23, 24
_UPRIGHT = Rotation.from_euler("x", -90, degrees=True)  # +Z up to +Y up
_REMEDY = "give a motion in SMPL-X's .npz layout: poses [T, 165] and trans [T, 3]"


def write_motion(path: Path | str, motion: Motion, fps: float, betas: np.ndarray | None = None) -> None:
    """Write a motion of `fps` frames a second, atomically. betas: the shape of whose it is (none: the mean body)."""
    theta, root, gaze = (torch.as_tensor(x, dtype=torch.float32) for x in (motion.theta, motion.root, motion.gaze))
    poses = full_pose(theta, root, gaze).flatten(1).numpy()
    arrays = {
        "poses": poses,
        "trans": np.asarray(motion.root[:, 3:], np.float32),
        "betas": np.zeros(10, np.float32) if betas is None else np.asarray(betas, np.float32),
        "expression": np.asarray(motion.actions, np.float32),
        "expression_names": np.array(ACTIONS),
        "mocap_frame_rate": np.array(float(fps)),
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "up": np.array("y"),
    }
    with atomic_path(path) as partial, open(partial, "wb") as file:
        np.savez_compressed(file, **arrays)


def read_motion(path: Path | str) -> tuple[Motion, float]:
    """(motion, frames a second) of a file.

    A file with +Z up is turned, and set down: its first frame at the origin, and by the median frame an average adult's
    feet on the floor. InputError for a file that cannot be read or holds no such motion.
    """
    arrays = read_npz(path, _USED, _MAX_BYTES, "a motion", _REMEDY)
    poses, trans = _array(path, arrays, "poses"), _array(path, arrays, "trans")
    frames = len(poses) if poses.ndim else 0
    if poses.ndim != 2 or not frames or trans.shape != (frames, 3) or poses.shape[1] < 3 * _JOINTS_SMPLH:
        raise InputError(f"{path}: poses is {list(poses.shape)} and trans {list(trans.shape)}; {_REMEDY}")
    rate = next((arrays[name] for name in RATES if name in arrays), None)
    if rate is None or rate.size != 1 or rate.dtype.kind not in "fiu" or not 0 < float(rate) <= 1e4:
        raise InputError(f"{path}: does not say how many frames a second it has (mocap_frame_rate); {_REMEDY}")
    pose = _all_joints(path, poses)
    pelvis, shift, theta = Rotation.from_rotvec(pose[:, 0]), trans, theta_of(torch.from_numpy(pose)).numpy()
    if not _stands_by_y(arrays, pelvis):
        pelvis, shift = _UPRIGHT * pelvis, _UPRIGHT.apply(trans)
        shift = _set_down(theta, pelvis.as_rotvec(), shift)
    eyes = pose[:, [_LEFT_EYE, _RIGHT_EYE]]
    gaze = np.stack([eyes[..., 1], -eyes[..., 0]], -1).reshape(frames, 4)
    root = np.concatenate([pelvis.as_rotvec(), shift], 1)
    motion = Motion(*(np.asarray(x, np.float32) for x in (theta, root, gaze, _actions(path, arrays, frames))))
    return motion, float(rate)


def _array(path: Path | str, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    found = arrays.get(name)
    if found is None:
        raise InputError(f"{path}: holds no {name}; {_REMEDY}")
    if found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        raise InputError(f"{path}: {name} holds what is not a finite number; {_REMEDY}")
    return found.astype(np.float64)


def _all_joints(path: Path | str, poses: np.ndarray) -> np.ndarray:
    """[T, 55, 3] of SMPL-X's poses, or SMPL+H's, whose jaw and eyes then rest."""
    count = poses.shape[1] // 3
    if poses.shape[1] not in (3 * _JOINTS, 3 * _JOINTS_SMPLH):
        raise InputError(
            f"{path}: poses has {poses.shape[1]} columns, neither SMPL-X's 165 nor SMPL+H's 156; {_REMEDY}"
        )
    pose = np.zeros((len(poses), _JOINTS, 3))
    joints = np.arange(_JOINTS) if count == _JOINTS else np.delete(np.arange(_JOINTS), np.r_[_FACE])
    pose[:, joints] = poses.reshape(len(poses), count, 3)
    return pose


def _stands_by_y(arrays: dict[str, np.ndarray], pelvis: Rotation) -> bool:
    if "up" in arrays:
        return str(arrays["up"]).lower() != "z"
    up = np.median(pelvis.apply([0.0, 1.0, 0.0]), 0)
    return bool(up[1] >= up[2])


def _set_down(theta: np.ndarray, orientation: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Shifts [T, 3] moved as one: the first at the origin, the feet on the floor by the median frame."""
    height = np.median(grounded(theta, orientation)[:, 1] - shift[:, 1])
    return shift - np.array([shift[0, 0], -height, shift[0, 2]])


def _actions(path: Path | str, arrays: dict[str, np.ndarray], frames: int) -> np.ndarray:
    """Facial actions [T, 52] where the file names them; else a face at rest, for other numbers mean other faces."""
    names = arrays.get("expression_names")
    if names is None or "expression" not in arrays or tuple(names.astype(str).reshape(-1)) != ACTIONS:
        return np.zeros((frames, len(ACTIONS)))
    actions = _array(path, arrays, "expression")
    if actions.shape != (frames, len(ACTIONS)):
        raise InputError(f"{path}: expression is {list(actions.shape)}, not [{frames}, {len(ACTIONS)}]; {_REMEDY}")
    return actions.clip(0, 1)
