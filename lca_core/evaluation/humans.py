"""What detectors and a recogniser make of digital humans: whether a face, a body and a person can be told.

`inspect` looks once at every picture of a record and keeps numbers only; the measures take what it returns. The
detectors are MediaPipe's, the recogniser is dlib's; none was trained on digital humans.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from lca_core.body import JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.curation import networks
from lca_core.curation.detect import FACE_SURE, MESH_PX, POSE_PX, POSE_VISIBLE
from lca_core.data import Camera, Frame, Person, Picture, camera_tensors, pixels
from lca_core.data.cameras import project
from lca_core.evaluation.recognition import Recognition, farthest_own, nearest_other, pairs_of, recognise
from lca_core.judges.face_network import face_embedding
from lca_core.judges.metrics import over_white
from lca_core.judges.summaries import Summary, summarise
from lca_core.training.face_chip import face_chip

FRONTAL = np.radians(30)  # yaw and pitch of the camera as the head sees it, at most
EYES_OFF = 0.3  # of the distance between the eyes: a mesh whose irises are farther off lies on something else
BODY_OFF = 0.3  # of the torso's length: a pose whose joints are farther off on average is of something else
EYES_APART_PX = 32  # fewer pixels between the eyes say too little about who it is
_EYES = [JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]
_HEAD = JOINT_NAMES.index("head")
_IRISES = [473, 468]  # of the face mesh: the person's left and right
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_BODY = [f"{side}_{limb}" for limb in _LIMBS for side in ("left", "right")]
_BODY_JOINTS = [JOINT_NAMES.index(name) for name in _BODY]
_BODY_LANDMARKS = [networks.POSE_NAMES.index(name) for name in _BODY]
_TORSO = [i for i, name in enumerate(_BODY) if "shoulder" in name or "hip" in name]


class Skeleton(NamedTuple):
    """joints [55, 3]; eyes [2, 3]: left and right eyeball; forward, up [3]: of the head. World, metres."""

    joints: np.ndarray
    eyes: np.ndarray
    forward: np.ndarray
    up: np.ndarray


def skeleton(betas: np.ndarray, theta: np.ndarray, root: np.ndarray, gaze: np.ndarray) -> Skeleton:
    """The skeleton of a body of shape `betas` [300] under a recorded driving signal."""
    body = _body()
    pose = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)))
    rest = body.rest_joints(torch.from_numpy(np.asarray(betas, np.float32))[None])
    shift = torch.from_numpy(np.asarray(root[3:], np.float32))[None]
    transforms, joints = (x[0].numpy() for x in joint_transforms(rest, pose[None], shift, body.parents))
    return Skeleton(joints, joints[_EYES], transforms[_HEAD, :3, 2], transforms[_HEAD, :3, 1])


@lru_cache(maxsize=1)
def _body() -> BodyModel:
    return BodyModel.load()


@dataclass(frozen=True)
class FaceLook:
    """One face crop. frame: its number in the record; yaw, pitch: radians from the head's axis to the camera.

    score: the face detector's, 0 where it sees none; eyes_off: distance of the mesh's irises from the eyeballs, in
    distances between the eyes, inf without a mesh; embedding: float32 [128] or None where the face is not frontal
    or too small.
    """

    frame: int
    yaw: float
    pitch: float
    score: float
    eyes_off: float
    embedding: np.ndarray | None

    @property
    def frontal(self) -> bool:
        """Whether the camera stands before the face, within 30 degrees sideways, above and below."""
        return max(abs(self.yaw), abs(self.pitch)) <= FRONTAL

    @property
    def found(self) -> bool:
        """Whether MediaPipe lays its face mesh on the face."""
        return self.eyes_off < EYES_OFF


@dataclass(frozen=True)
class BodyLook:
    """One full-body picture. visible: the least visibility that MediaPipe gives to shoulders and hips, 0 without a
    pose; off: mean distance of twelve joints (shoulders to ankles) from the record's, in lengths of the torso.
    """

    frame: int
    visible: float
    off: float

    @property
    def found(self) -> bool:
        """Whether MediaPipe sees the torso (visibility over 0.5) and the pose is this body's."""
        return self.visible > POSE_VISIBLE and self.off < BODY_OFF


@dataclass(frozen=True)
class Inspection:
    """All looks at one person; see `inspect`."""

    person: str
    faces: tuple[FaceLook, ...]
    bodies: tuple[BodyLook, ...]


def inspect(person: Person) -> Inspection:
    """Look at every frontal face crop and every full-body picture of a record. Pictures with something before the
    person (`meta["occluded"]`) and half bodies are left out. About 0.1 s a picture."""
    faces, bodies = [], []
    for number, frame in enumerate(() if person.meta.get("occluded") else person.frames):
        bones = skeleton(person.betas, frame.theta, frame.root, frame.gaze)
        if frame.face is not None:
            yaw, pitch = face_angles(frame.face.camera, bones)
            if max(abs(yaw), abs(pitch)) <= FRONTAL:
                faces.append(FaceLook(number, yaw, pitch, *_look_at_face(frame.face, bones)))
        if _whole(frame, bones):
            bodies.append(BodyLook(number, *_look_at_body(frame.body, bones)))
    return Inspection(str(person.id if person.seed is None else person.seed), tuple(faces), tuple(bodies))


def face_angles(camera: Camera, bones: Skeleton) -> tuple[float, float]:
    """Yaw (positive to the person's left) and pitch (positive up) at which the head has the camera, radians."""
    eye = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]
    towards = eye - bones.eyes.mean(0)
    left = np.cross(bones.up, bones.forward)
    x, y, z = (float(towards @ axis) for axis in (left, bones.up, bones.forward))
    return float(np.arctan2(x, z)), float(np.arctan2(y, np.hypot(x, z)))


def _look_at_face(picture: Picture, bones: Skeleton) -> tuple[float, float, np.ndarray | None]:
    """(score, eyes_off, embedding)."""
    crop, scale = enlarged(picture.image, MESH_PX)
    score = float(networks.face_boxes(crop, long_range=False)[:, 4].max(initial=0))
    mesh = networks.face_mesh(crop)
    depth = float(picture.camera.viewmat[2, :3] @ bones.eyes.mean(0) + picture.camera.viewmat[2, 3])
    apart = picture.camera.K[0, 0] / depth * float(np.linalg.norm(bones.eyes[0] - bones.eyes[1]))
    off = np.inf
    if mesh is not None:
        eyes = project(picture.camera, bones.eyes)
        off = float(np.linalg.norm(mesh[_IRISES, :2] / scale - eyes, axis=1).mean() / apart)
    return score, off, _embedding(picture, bones) if apart >= EYES_APART_PX else None


def _embedding(picture: Picture, bones: Skeleton) -> Float[np.ndarray, " 128"]:
    """dlib's numbers of the face over white, aligned by the recorded eyes."""
    camera = camera_tensors(picture.camera)
    chip = face_chip(over_white(*pixels(picture)), *camera, *(torch.from_numpy(x) for x in (bones.eyes, bones.up)))
    return face_embedding(chip.movedim(-1, 0)[None])[0].numpy()


def _whole(frame: Frame, bones: Skeleton) -> bool:
    """Whether the picture shows the whole body: all joints lie inside it, and it is no face crop."""
    camera = frame.body.camera
    places = project(camera, bones.joints)
    return bool((places > 0).all() and (places < [camera.width, camera.height]).all())


def _look_at_body(picture: Picture, bones: Skeleton) -> tuple[float, float]:
    """(visible, off)."""
    crop, scale = enlarged(picture.image, POSE_PX)
    answer = networks.pose(crop)
    if answer is None:
        return 0.0, np.inf
    found = answer.landmarks[_BODY_LANDMARKS]
    joints = bones.joints[_BODY_JOINTS]
    middle = joints[_TORSO].mean(0)
    torso = np.linalg.norm(joints[_TORSO[:2]].mean(0) - joints[_TORSO[2:]].mean(0))
    depth = picture.camera.viewmat[2, :3] @ middle + picture.camera.viewmat[2, 3]
    apart = np.linalg.norm(found[:, :2] / scale - project(picture.camera, joints), axis=1).mean()
    return float(found[_TORSO, 3].min()), float(apart / (picture.camera.K[0, 0] / depth * torso))


def enlarged(image: np.ndarray, px: int) -> tuple[np.ndarray, float]:
    """(the square image with sides of at least `px`, how many times larger it is): networks miss small people."""
    side = max(px, image.shape[0])
    if side == image.shape[0]:
        return image, 1.0
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)), side / image.shape[0]


def face_mesh_rate(inspections: Iterable[Inspection]) -> Summary:
    """Share of frontal face crops (yaw and pitch within 30 degrees) on which MediaPipe lays its face mesh, the irises
    within 0.3 of the distance between the eyes; crops under 256 px are enlarged to it. Mean over people."""
    return _rate((one.person, [look.found for look in one.faces]) for one in inspections)


def pose_rate(inspections: Iterable[Inspection]) -> Summary:
    """Share of unoccluded full-body pictures, from all sides, in which MediaPipe finds the pose: visibility over 0.5
    of both shoulders and hips, and joints within 0.3 of the torso's length on average; pictures under 512 px are
    enlarged to it. Mean over people."""
    return _rate((one.person, [look.found for look in one.bodies]) for one in inspections)


def _rate(found: Iterable[tuple[str, Sequence[bool]]]) -> Summary:
    """Mean and bootstrap over people; a person inspected several times (domains) counts once."""
    values: dict[str, list[float]] = {}
    for person, looks in found:
        values.setdefault(person, []).extend(map(float, looks))
    return summarise(values, np.random.default_rng(0))


def identity(inspections: Iterable[Inspection]) -> Recognition:
    """How well dlib's recogniser tells the people apart by their frontal faces of 32 px or more between the eyes.

    Same pairs are all pairs of pictures of one person, different pairs all others; who is alike in sex, age or skin
    is not sought out (`Pairs.among` does).
    """
    embeddings: dict[str, list[np.ndarray]] = {}
    for one in inspections:
        rows = [look.embedding for look in one.faces if look.embedding is not None]
        embeddings.setdefault(one.person, []).extend(rows)
    return recognise(pairs_of({person: np.array(rows) for person, rows in embeddings.items()}))


@dataclass(frozen=True)
class Oddity:
    """A person that detectors or the recogniser had trouble with. trouble: larger is worse, 0 is none; reasons: in
    words, the worst first; frames: of the record, the pictures to look at."""

    person: str
    trouble: float
    reasons: tuple[str, ...]
    frames: tuple[int, ...]


def worst(inspections: Iterable[Inspection], k: int, recognition: Recognition | None = None) -> list[Oddity]:
    """The `k` people with the most trouble, worst first; those with none are never named.

    Trouble is the sum of: the share of faces without a mesh, the share of bodies without a pose, how far the least
    face score is below that of sure faces (`FACE_SURE`), and, beyond the recogniser's threshold, how unlike themselves
    and how like another they are (as shares of it).
    """
    threshold = recognition.threshold if recognition else 1.0
    own = farthest_own(recognition.pairs) if recognition else {}
    others = nearest_other(recognition.pairs) if recognition else {}
    odd = []
    for one in inspections:
        found: list[tuple[float, str, list[int]]] = []
        for what, looks in (("face mesh", one.faces), ("pose", one.bodies)):
            missed = [look.frame for look in looks if not look.found]
            if missed:
                found.append((len(missed) / len(looks), f"no {what} in {len(missed)} of {len(looks)}", missed))
        if one.faces:
            least = min(one.faces, key=lambda look: look.score)
            if least.score < FACE_SURE:
                found.append((1 - least.score / FACE_SURE, f"face score {least.score:.2f}", [least.frame]))
        if (apart := own.get(one.person, 0.0)) > threshold:
            found.append((apart / threshold - 1, f"unlike themself ({apart:.2f})", []))
        other, near = others.get(one.person, ("", np.inf))
        if near < threshold:
            found.append((1 - near / threshold, f"like {other} ({near:.2f})", []))
        found.sort(key=lambda item: -item[0])
        frames = tuple(dict.fromkeys(frame for _, _, missed in found for frame in missed))
        odd.append(Oddity(one.person, sum(amount for amount, _, _ in found), tuple(why for _, why, _ in found), frames))
    return sorted((one for one in odd if one.trouble > 0), key=lambda one: -one.trouble)[:k]
