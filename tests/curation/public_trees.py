"""Small trees in the formats of NeuMan and X-Humans, of a known body before known cameras."""

import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_closing, binary_fill_holes
from scipy.spatial.transform import Rotation

from lca_core.body import JOINT_NAMES, BodyModel, Driving, full_pose, theta_slice

WIDTH, HEIGHT, FOCAL = 300, 400, 520.0
K = np.array([[FOCAL, 0, 148.0], [0, FOCAL, 203.0], [0, 0, 1]])
MARKS = {"left_wrist": (255, 0, 0), "right_ankle": (0, 255, 0), "head": (0, 0, 255)}  # joint -> its spot's colour
RADIUS = 5  # pixels of a spot
SMPL_PELVIS, SMPLX_PELVIS = -0.22, -0.35  # metres over the models' origins, about as in the real ones


@dataclass(frozen=True)
class Shown:
    """One frame's truth: pose [55, 3] with the pelvis' turn in the world first, pelvis [3], viewmat [4, 4], the picture
    with a spot on every joint of MARKS, and where the person is in it, bool [H, W]."""

    pose: np.ndarray
    pelvis: np.ndarray
    viewmat: np.ndarray
    image: np.ndarray
    person: np.ndarray


@cache
def body() -> BodyModel:
    return BodyModel.load()


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """World to camera [4, 4], OpenCV axes, Y up in the world."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 1, 0])
    right /= np.linalg.norm(right)
    viewmat = np.eye(4)
    viewmat[:3, :3] = [right, np.cross(forward, right), forward]
    viewmat[:3, 3] = -viewmat[:3, :3] @ eye
    return viewmat


def project(viewmat: np.ndarray, K: np.ndarray, points: np.ndarray) -> np.ndarray:
    seen = (points @ viewmat[:3, :3].T + viewmat[:3, 3]) @ K.T
    return seen[:, :2] / seen[:, 2:]


@cache
def sequence(frames: int = 4, hands: bool = False, turned: float = 0.0) -> tuple[Shown, ...]:
    """Somebody who turns a little, walks a little and is filmed from here and there; `turned`: radians at the start."""
    rng = np.random.default_rng(7)
    made = []
    for i in range(frames):
        driving = Driving.neutral()
        theta = driving.theta[0] + torch.from_numpy(rng.normal(0, 0.12, 138).astype(np.float32))
        if not hands:
            theta[theta_slice("left_index1").start :] = 0
        gaze = torch.tensor([0.1, -0.05, 0.2, 0.15]) if hands else torch.zeros(4)
        turn = Rotation.from_euler("yxz", [turned + 0.3 * i, 0.04, 0.03]).as_rotvec()
        root = torch.from_numpy(np.concatenate([turn, [0.1 * i, 0.95, -0.15 * i]]).astype(np.float32))
        pose = full_pose(theta, root, gaze)
        posed = body()(torch.zeros(1, 1), None, pose[None], root[None, 3:])
        angle = 0.5 * i - 0.6
        eye = root[3:].numpy() + [3.6 * np.sin(angle), 0.2, 3.6 * np.cos(angle)]
        viewmat = look_at(eye, np.array([0.1 * i, 0.9, -0.15 * i]))
        image, person = picture(viewmat, posed.vertices[0].numpy(), posed.joints[0].numpy())
        made.append(Shown(pose.numpy().astype(np.float64), posed.joints[0, 0].numpy(), viewmat, image, person))
    return tuple(made)


def picture(viewmat: np.ndarray, vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    person = np.zeros((HEIGHT, WIDTH), bool)
    x, y = project(viewmat, K, vertices).astype(int).T
    person[y, x] = True
    person = binary_fill_holes(binary_closing(person, iterations=3))
    image = np.where(person[..., None], [150, 130, 120], [90, 100, 90]).astype(np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for name, color in MARKS.items():
        u, v = project(viewmat, K, joints[None, JOINT_NAMES.index(name)])[0]
        image[np.hypot(columns - u, rows - v) < RADIUS] = color
    return image, person


def write_xhumans(root: Path, shown: Sequence[Shown]) -> Path:
    """One take; the folder .../00036/train/Take1."""
    take = root / "00036" / "train" / "Take1"
    for folder in ("render/image", "render/depth", "SMPLX"):
        (take / folder).mkdir(parents=True)
    for i, frame in enumerate(shown, 1):
        Image.fromarray(frame.image).save(take / f"render/image/color_{i:06d}.png")
        depth = np.where(frame.person, 3.6, 1000.0).astype(np.float32)
        Image.fromarray(depth).save(take / f"render/depth/depth_{i:06d}.tiff")
        pose = frame.pose.astype(np.float32)
        held = {
            "global_orient": pose[0], "body_pose": pose[1:22].ravel(), "jaw_pose": pose[22], "leye_pose": pose[23],
            "reye_pose": pose[24], "left_hand_pose": pose[25:40].ravel(), "right_hand_pose": pose[40:].ravel(),
            "transl": frame.pelvis - [0, SMPLX_PELVIS, 0], "betas": np.ones(10), "expression": np.ones(10),
        }  # fmt: skip
        (take / f"SMPLX/mesh-f{i:05d}_smplx.pkl").write_bytes(pickle.dumps(held))
    np.savez(take / "render/cameras.npz", intrinsic=K, extrinsic=np.stack([f.viewmat for f in shown]))
    return take


# COLMAP's world of the NeuMan tree: three units a metre, upside down and askew.
UNIT, SHIFT = 3.0, np.array([0.4, -1.0, 2.0])
ASKEW = Rotation.from_euler("xyz", [np.pi + 0.1, 0.3, -0.08]).as_matrix()
SCALES = UNIT * np.array([0.9, 1.0, 1.15, 1.02, 0.95, 1.1])


def write_neuman(root: Path, shown: Sequence[Shown], release: str = "hugs", binary: bool = False) -> Path:
    """One sequence, in the release "hugs" or "neuman"; every body's scale is wrong by its factor of SCALES / UNIT."""
    for folder in ("images", "sparse", "4d_humans/sam_segmentations" if release == "hugs" else "segmentations"):
        (root / folder).mkdir(parents=True)
    poses, images = [], []
    for i, frame in enumerate(shown):
        name = f"{i:05d}.png"
        Image.fromarray(frame.image).save(root / "images" / name)
        mask = np.where(frame.person, 255, 0).astype(np.uint8)
        if release == "hugs":
            Image.fromarray(mask).save(root / f"4d_humans/sam_segmentations/mask_{i:04d}.png")
        else:
            Image.fromarray(255 - mask).save(root / "segmentations" / name)
        turn = frame.viewmat[:3, :3] @ ASKEW.T
        shift = UNIT * frame.viewmat[:3, 3] - turn @ SHIFT
        images.append((name, Rotation.from_matrix(turn).as_quat(scalar_first=True), shift))
        centre = -turn.T @ shift
        # Along the ray from the camera, so that a body too large is too far away: the picture does not tell.
        pelvis = centre + (UNIT * ASKEW @ frame.pelvis + SHIFT - centre) * SCALES[i] / UNIT
        poses.append((pelvis, ASKEW @ Rotation.from_rotvec(frame.pose[0]).as_matrix(), frame.pose[1:24]))
    (write_binary if binary else write_text)(root / "sparse", images)
    (write_hugs_fits if release == "hugs" else write_neuman_fits)(root, poses)
    return root


def write_hugs_fits(root: Path, poses: list) -> None:
    pelves, turns, joints = map(np.stack, zip(*poses))
    scales = SCALES[: len(poses)]
    joints[:, 21:] = 0.3  # SMPL's hand joints, where SMPL-X has the jaw and an eye
    np.savez(
        root / "4d_humans" / "smpl_optimized_aligned_scale.npz",
        global_orient=Rotation.from_matrix(turns).as_rotvec().astype(np.float32),
        body_pose=joints.reshape(-1, 69).astype(np.float32), betas=np.ones((len(poses), 10), np.float32),
        transl=pelves - scales[:, None] * [0, SMPL_PELVIS, 0], scale=scales,
    )  # fmt: skip


def write_neuman_fits(root: Path, poses: list) -> None:
    alignments, held = {}, {"pose": [], "betas": []}
    for i, (pelvis, turn, joints) in enumerate(poses):
        align = Rotation.from_euler("xyz", [0.2 * i, 0.5, -0.1]).as_matrix()
        linear = SCALES[i] * align
        alignments[f"{i:05d}.png"] = np.concatenate([linear.T, [pelvis - linear @ [0, SMPL_PELVIS, 0]]])
        first = Rotation.from_matrix(align.T @ turn).as_rotvec()
        held["pose"].append(np.concatenate([first, joints.ravel()]).astype(np.float32))
        held["betas"].append(np.ones(10, np.float32))
    np.save(root / "alignments.npy", alignments)
    (root / "smpl_output_optimized.pkl").write_bytes(pickle.dumps({1: held}))


def write_text(folder: Path, images: list) -> None:
    lens = f"1 PINHOLE {WIDTH} {HEIGHT} {K[0, 0]} {K[1, 1]} {K[0, 2]} {K[1, 2]}"
    (folder / "cameras.txt").write_text(f"# Camera list\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n{lens}\n")
    lines = ["# Image list with two lines of data per image:"]
    for i, (name, quaternion, shift) in reversed(list(enumerate(images))):
        points = "10.5 20.5 -1 30.5 40.5 7" if i % 2 else ""
        lines += [" ".join(map(str, (i + 1, *quaternion, *shift, 1, name))), points]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def write_binary(folder: Path, images: list) -> None:
    lens = struct.pack("<QiiQQ4d", 1, 1, 1, WIDTH, HEIGHT, K[0, 0], K[1, 1], K[0, 2], K[1, 2])
    (folder / "cameras.bin").write_bytes(lens)
    data = struct.pack("<Q", len(images))
    for i, (name, quaternion, shift) in enumerate(images):
        data += struct.pack("<i7di", i + 1, *quaternion, *shift, 1) + name.encode() + b"\0"
        data += struct.pack("<Q", i) + i * struct.pack("<ddq", 1.5, 2.5, -1)
    (folder / "images.bin").write_bytes(data)
