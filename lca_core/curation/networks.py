"""The networks that ship inside the mediapipe package: loaded once a process, asked quietly.

Nothing is downloaded. Images go in as uint8 RGB [H, W, 3]; all answers are in pixels of that image
(x right, y down). The networks are not thread-safe: one process, one thread.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np

POSE_NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip


@contextmanager
def quiet() -> Iterator[None]:
    """Send this process's stderr nowhere for the length of one call.

    MediaPipe's C++ writes progress notes to file descriptor 2 past Python's logging, and its package has no
    switch for them. Failures still arrive as Python exceptions.
    """
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


@cache
def _network(name: str, option: int = 0):
    """The mediapipe solution called `name`; importing takes 2 s, so it happens on first use."""
    if name == "faces":
        from mediapipe.python.solutions.face_detection import FaceDetection

        return FaceDetection(model_selection=option, min_detection_confidence=0.5)
    if name == "mesh":
        from mediapipe.python.solutions.face_mesh import FaceMesh

        return FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1)
    if name == "pose":
        from mediapipe.python.solutions.pose import Pose

        # complexity 1 is the only pose network in the package; the others would be downloaded
        return Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True)
    if name == "hand":
        from mediapipe.python.solutions.hands import Hands

        return Hands(static_image_mode=True, max_num_hands=1, model_complexity=1, min_detection_confidence=0.3)
    if name == "selfie":
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        return SelfieSegmentation(model_selection=0)
    raise KeyError(name)


def _ask(image: np.ndarray, name: str, option: int = 0):
    with quiet():  # around both: threads of a network just made go on writing until its first answer
        return _network(name, option).process(np.ascontiguousarray(image))


def face_boxes(image: np.ndarray, long_range: bool = True) -> np.ndarray:
    """Faces in the whole image: float32 [N, 5], left, top, right, bottom in pixels and the score in [0, 1].

    `long_range` chooses the network made for faces up to 5 m away; the other is made for 2 m.
    """
    height, width = image.shape[:2]
    found = _ask(image, "faces", int(long_range)).detections or ()
    rows = []
    for one in found:
        box = one.location_data.relative_bounding_box
        left, top = box.xmin * width, box.ymin * height
        rows.append((left, top, left + box.width * width, top + box.height * height, one.score[0]))
    return np.array(rows, np.float32).reshape(-1, 5)


def face_mesh(square: np.ndarray) -> np.ndarray | None:
    """478 face landmarks (the last 10 are the irises) in a SQUARE crop of one face: float32 [478, 3] or None.

    x, y in pixels, z in pixels too (smaller is nearer). Crops that are not square give wrong landmarks.
    """
    assert square.shape[0] == square.shape[1], "the face mesh wants a square crop"
    found = _ask(square, "mesh").multi_face_landmarks
    if not found:
        return None
    return np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32) * square.shape[1]


class Body(NamedTuple):
    """landmarks float32 [33, 4]: x, y, z in pixels (z about the hips) and visibility in [0, 1], in the order of
    `POSE_NAMES`, maybe outside the image where the body goes on; probability float32 [H, W] of this body; world float32
    [33, 3]: the landmarks about the hips' middle, metres, axes as the camera's (x right, y down, z away)."""

    landmarks: np.ndarray
    probability: np.ndarray
    world: np.ndarray


def pose(image: np.ndarray) -> Body | None:
    """The one most evident body, or None. The network finds one body only."""
    height, width = image.shape[:2]
    answer = _ask(image, "pose")
    if answer.pose_landmarks is None:
        return None
    points = np.array([(p.x, p.y, p.z, p.visibility) for p in answer.pose_landmarks.landmark], np.float32)
    world = np.array([(p.x, p.y, p.z) for p in answer.pose_world_landmarks.landmark], np.float32)
    return Body(points * np.array([width, height, width, 1], np.float32), answer.segmentation_mask, world)


def hand(square: np.ndarray) -> np.ndarray | None:
    """21 landmarks of the one hand in a square crop: float32 [21, 3] or None.

    The wrist, then thumb, index, middle, ring and little finger from the palm outwards; x, y in pixels, z in pixels
    about the wrist. The network's own word for the side is wrong too often to be used.
    """
    assert square.shape[0] == square.shape[1], "the hand network wants a square crop"
    found = _ask(square, "hand").multi_hand_landmarks
    if not found:
        return None
    return np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32) * square.shape[1]


def selfie(image: np.ndarray) -> np.ndarray:
    """How likely each pixel belongs to a person: float32 [H, W] in [0, 1]; the network works at 256 x 256."""
    return _ask(image, "selfie").segmentation_mask
