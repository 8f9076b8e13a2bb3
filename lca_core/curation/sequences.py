"""Pictures of one person with the bodies that a public set's makers fitted, made into a record.

The makers' bodies are SMPL's or SMPL-X's, ours is a free one in SMPL-X's layout. What carries over, and how far:

- Poses: the same joints and axes, so axis-angles are taken as they are. They fit about as well as the two rest poses
  agree. SMPL's 24 joints have no jaw, eyes and fingers (these are zeros); its two hand joints are left out.
- Shapes mean nothing in another shape space: betas are zeros, the mean body.
- Where the body stands: a fit says where the model's origin is, and the pelvis is above or below it by a number that
  is in the licensed model file (it changes a little with shape). `pelvis_height` reads that one number for a whole
  sequence off the mattes instead; sideways and forwards the pelvis is taken to be at the origin (it is, to 3 cm).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation
from torch import Tensor

from lca_core.body import JOINT_NAMES, BodyModel, full_pose, head_of, joint_transforms, theta_of
from lca_core.body.layout import BODY_JOINTS
from lca_core.curation.crops import BROW_TO_CHIN, body_square, cut_edges, face_square, person_box
from lca_core.curation.frames import picture_of
from lca_core.data.records import Camera, Frame, Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

PARAMETERS = (
    "poses are the makers' axis-angles, taken over joint by joint; betas are zeros, for SMPL's and SMPL-X's shapes "
    "mean nothing in this body's; the pelvis' height over the makers' origin is read off the mattes, one for all frames"
)
FACES_AWAY = np.radians(80)  # a face that is turned further from the camera is not cropped
MIN_FACE = 16  # pixels from brow to chin; smaller ones are not cropped
Signal = tuple[np.ndarray, np.ndarray, np.ndarray]  # theta [138], root [6], gaze [4], float32
_HEAD = JOINT_NAMES.index("head")
_HEIGHTS = (-0.8, 0.4)  # metres within which the pelvis is looked for: SMPL's is at about -0.2, SMPL-X's at -0.35
_SIZES = (0.4, 1.5)  # of a person, the mean body's is 1
_ORDINARY = 0.1  # how much a size is drawn to 1, where the edges do not tell it from the height


@dataclass(frozen=True)
class Fitted:
    """One picture, and the body fitted to it, in metres and a world with Y up.

    name: of the file; image: uint8 [H, W, 3]; matte: uint8 [H, W]; camera: of the whole picture. pose [55, 3]:
    axis-angles, the pelvis' in the world. origin [3]: where the model's origin is; upwards [3]: where the model's own
    +Y points from there, a unit vector.
    """

    name: str
    image: np.ndarray
    matte: np.ndarray
    camera: Camera
    pose: np.ndarray
    origin: np.ndarray
    upwards: np.ndarray


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 ... count - 1, evenly spread, the first and the last among them."""
    if most < 1:
        raise InputError(f"max_frames must be 1 or more, not {most}")
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})


def smpl_pose(pose: Float[np.ndarray, "24 3"]) -> Float[np.ndarray, "55 3"]:
    """SMPL's pose in SMPL-X's layout: the first 22 joints are the same; jaw, eyes and fingers rest."""
    return np.concatenate([pose[: len(BODY_JOINTS)], np.zeros((len(JOINT_NAMES) - len(BODY_JOINTS), 3))])


def turned(fitted: Fitted, turn: Float[np.ndarray, "3 3"]) -> Fitted:
    """The same picture in a world that is turned: a point x of the old one is `turn` x in the new one."""
    viewmat = fitted.camera.viewmat.astype(np.float64)
    viewmat[:3, :3] = viewmat[:3, :3] @ turn.T
    pose = fitted.pose.copy()
    pose[0] = Rotation.from_matrix(turn @ Rotation.from_rotvec(pose[0]).as_matrix()).as_rotvec()
    camera = replace(fitted.camera, viewmat=viewmat.astype(np.float32))
    return replace(fitted, camera=camera, pose=pose, origin=turn @ fitted.origin, upwards=turn @ fitted.upwards)


def record(fitted: Sequence[Fitted], profile: Profile, name: str, meta: dict, body: BodyModel | None = None) -> Person:
    """The person in all of `fitted`, one instant each: body and face cropped to the profile, domain "wild".

    Expressions are not known (actions None). The face's crop is set by the body's own head, and is None where that
    looks away, is outside the picture or smaller than `MIN_FACE`. meta gets how the parameters were made, what
    `pelvis_height` found, and of every frame the file and what cuts the person off. InputError for a matte with nobody
    in it, and for numbers that are not finite.
    """
    for f in fitted:
        if not (f.matte > 127).any():
            raise InputError(f"{f.name}: its mask shows nobody; leave the picture out or give its mask again")
        if not all(np.isfinite(x).all() for x in (f.pose, f.origin, f.camera.viewmat, f.camera.K)):
            raise InputError(f"{f.name}: its fitted body or its camera has numbers that are not finite; leave it out")
    body = body or BodyModel.load()
    height, size = pelvis_height(fitted, body)
    signals = [_signal(f, height, body) for f in fitted]
    frames = []
    for i, (f, signal) in enumerate(zip(fitted, signals)):
        shape = f.image.shape[:2]
        crop = picture_of(f.image, f.matte, f.camera, body_square(person_box(f.matte), *shape), profile.body_px)
        box = face_box(f, signal, size, body)
        face = None if box is None else picture_of(f.image, f.matte, f.camera, face_square(box), profile.face_px)
        frames.append(Frame(crop, face, *signal, instant=i))
    seen = [{"file": f.name, "cut_by": list(cut_edges(person_box(f.matte), *f.image.shape[:2]))} for f in fitted]
    meta = meta | {
        "parameters": PARAMETERS,
        "pelvis_height": round(height, 4),
        "size": round(size, 4),
        "frames": seen,
        "profile": profile.name,
    }
    return Person(name, "wild", None, np.zeros(300, np.float32), tuple(frames), meta)


def pelvis_height(fitted: Sequence[Fitted], body: BodyModel) -> tuple[float, float]:
    """(Metres of the pelvis above the fitted model's origin, below: negative; the person's size, the mean body's is 1).

    Both are the same in all of `fitted`: those at which the edges of our body, posed, sized about its pelvis and
    projected, lie nearest to the mattes' (least squares over all edges that the picture does not cut, in sizes of the
    person's box). Hair and shoes leave an error of a few centimetres. InputError when every edge is cut.
    """
    boxes = [person_box(f.matte) for f in fitted]
    whole = [_uncut(f, box) for f, box in zip(fitted, boxes)]
    if not any(edges.any() for edges in whole):
        raise InputError(f"{fitted[0].name} and the rest: the pictures' edges cut the person off on every side")
    poses = torch.stack([_full_pose(_signal(f, 0.0, body))[0] for f in fitted])
    vertices = body(torch.zeros(len(fitted), 1), None, poses).vertices.numpy() - body.J_template[0].numpy()

    def misses(unknown: np.ndarray) -> np.ndarray:
        height, size = unknown
        errors = [[_ORDINARY * (size - 1)]]
        for f, box, edges, points in zip(fitted, boxes, whole, vertices):
            pixels, depths = project(f.camera, size * points + f.origin + height * f.upwards)
            pixels = pixels[depths > 0.1] if (depths > 0.1).any() else pixels
            found = np.concatenate([pixels.min(0), pixels.max(0)])
            errors.append((found - box)[edges] / max(box[2:] - box[:2]))
        return np.concatenate(errors)

    bounds = list(zip(_HEIGHTS, _SIZES))
    height, size = least_squares(misses, [sum(_HEIGHTS) / 2, 1.0], bounds=bounds, loss="soft_l1", f_scale=0.05).x
    return float(height), float(size)


def _uncut(f: Fitted, box: np.ndarray) -> np.ndarray:
    """Which of the edges left, top, right, bottom of a person's box the picture does not cut, bool [4]."""
    cut = cut_edges(box, *f.image.shape[:2])
    return np.array([edge not in cut for edge in ("left", "top", "right", "bottom")])


def project(camera: Camera, points: Float[np.ndarray, "N 3"]) -> tuple[np.ndarray, np.ndarray]:
    """(pixels [N, 2], depths [N]) of points in the world."""
    seen = points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    depths = seen[:, 2]
    return (seen @ camera.K.T)[:, :2] / np.where(np.abs(depths) < 1e-6, 1e-6, depths)[:, None], depths


def face_box(f: Fitted, signal: Signal, size: float, body: BodyModel) -> Float[np.ndarray, " 4"] | None:
    """The box from brow to chin in pixels, by the fitted head of a person of this size (`pelvis_height`).

    None where the picture cannot show the face.
    """
    pose, translation = _full_pose(signal)
    transforms, joints = (x[0] for x in joint_transforms(body.J_template[None], pose[None], translation[None]))
    head, pelvis = head_of(body.J_template, transforms), joints[0].numpy()
    forward = transforms[_HEAD, :3, 2].numpy()
    eyes = pelvis + size * (head.eyes.mean(0).numpy() - pelvis)
    middle = eyes - BROW_TO_CHIN / 6 * head.up.numpy()  # eyes are a third of the way down from brow to chin
    viewmat = f.camera.viewmat
    towards = -viewmat[:3, :3].T @ viewmat[:3, 3] - eyes
    pixels, depths = project(f.camera, middle[None])
    side = f.camera.K[1, 1] * BROW_TO_CHIN / max(float(depths[0]), 1e-3)
    x, y = pixels[0]
    inside = 0 <= x < f.matte.shape[1] and 0 <= y < f.matte.shape[0] and depths[0] > 0
    away = forward @ towards < np.cos(FACES_AWAY) * np.linalg.norm(towards)
    if not inside or away or side < MIN_FACE or f.matte[int(y), int(x)] <= 127:
        return None
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)


def _signal(f: Fitted, height: float, body: BodyModel) -> Signal:
    """(theta [138], root [6], gaze [4]) as `lca_core.body.driving` lays them out."""
    pose = torch.from_numpy(f.pose.astype(np.float32))
    pelvis = f.origin + height * f.upwards - body.J_template[0].numpy()
    left, right = (f.pose[JOINT_NAMES.index(f"{side}_eye_smplhf")] for side in ("left", "right"))
    gaze = np.array([left[1], -left[0], right[1], -right[0]], np.float32)
    return theta_of(pose).numpy(), np.concatenate([f.pose[0], pelvis]).astype(np.float32), gaze


def _full_pose(signal: Signal) -> tuple[Tensor, Tensor]:
    """(pose [55, 3], translation [3]) that the signal says."""
    theta, root, gaze = map(torch.from_numpy, signal)
    return full_pose(theta, root, gaze), root[3:]


def number_of(path: Path) -> int:
    """The last number in a file's name, by which pictures, masks and parameters are matched; InputError without one."""
    digits = "".join(c if c.isdigit() else " " for c in path.stem).split()
    if not digits:
        raise InputError(f"{path}: its name has no number; the set's files are named by their frame")
    return int(digits[-1])
