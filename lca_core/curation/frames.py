"""One picture with one person in it, made into a record's frame: crops, cameras, and what the view shows."""

import numpy as np

from lca_core.curation.crops import (
    BROW_TO_CHIN,
    TORSO,
    Square,
    assumed_camera,
    body_square,
    cut,
    cut_edges,
    face_square,
    person_box,
)
from lca_core.curation.detect import POSE_VISIBLE, Sighting
from lca_core.data.records import Camera, Frame, Picture
from lca_core.profiles import Profile

EYES = (0.0, 0.657, 0.137)  # metres: between the eyes of the mean body at rest, its pelvis in the origin
SHOULDERS = (0.0, 0.419, 0.032)
# the lowest landmarks seen (`networks.POSE_NAMES`) say how much of the body a picture shows
SHOWN = (("whole body", (27, 28)), ("body to the knees", (25, 26)), ("upper body", (13, 14, 23, 24)))


def frame_of(
    image: np.ndarray,
    person: Sighting,
    matte: np.ndarray,
    profile: Profile,
    instant: int = 0,
    camera: Camera | None = None,
) -> Frame:
    """The frame of `person` in `image` (uint8 [H, W, 3]) with its `matte` (uint8 [H, W]), at the profile's sizes.

    camera: of the whole picture; by default it is assumed (`crops.assumed_camera`), placed so that the resting mean
    body's eyes (or shoulders) fall where the picture has them, at the distance its face (or torso) tells. theta, root
    and gaze are zeros, the frame is not `tracked`. `face` is None where no face was found.
    """
    camera = camera or camera_of(image, person)
    square = body_square(person_box(matte), *image.shape[:2])
    body = picture_of(image, matte, camera, square, profile.body_px)
    face = None
    if person.face is not None:
        face = picture_of(image, matte, camera, face_square(person.face), profile.face_px)
    zeros = [np.zeros(n, np.float32) for n in (138, 6, 4)]
    return Frame(body, face, *zeros, actions=None, instant=instant, tracked=False)


def picture_of(image: np.ndarray, matte: np.ndarray, camera: Camera, square: Square, px: int) -> Picture:
    """The crop of image and matte to `square`, px x px, with the camera that sees it."""
    cropped = camera.crop(square.left, square.top, square.side, px)
    return Picture(cut(image, square, px), cut(matte, square, px, outside=0), cropped)


def camera_of(image: np.ndarray, person: Sighting) -> Camera:
    """The assumed camera of a whole photograph, by the size and place of the person's face or torso."""
    height, width = image.shape[:2]
    focal = assumed_camera(height, width, np.zeros(2), 1.0).K[1, 1]
    if person.face is not None:
        distance = focal * BROW_TO_CHIN / person.size
        if person.mesh is not None:
            eyes = person.mesh[[33, 133, 263, 362], :2].mean(0)  # the four eye corners
        else:  # the eyes sit a third of the way down from brow to chin
            eyes = person.face[:2] * [0.5, 0.67] + person.face[2:] * [0.5, 0.33]
        return assumed_camera(height, width, eyes, float(distance), EYES)
    shoulders, hips = person.pose[[11, 12], :2].mean(0), person.pose[[23, 24], :2].mean(0)
    distance = focal * TORSO / max(1.0, float(np.linalg.norm(shoulders - hips)))
    return assumed_camera(height, width, shoulders, float(distance), SHOULDERS)


def view_of(image: np.ndarray, person: Sighting, matte: np.ndarray) -> dict:
    """What a picture shows of the person, as plain JSON.

    shows: "whole body", "body to the knees", "upper body" or "head and shoulders"; face: whether one was found;
    cut_by: the edges of the picture that cut the person off.
    """
    height, width = image.shape[:2]
    shows = "head and shoulders"
    if person.pose is not None:
        x, y, visible = person.pose[:, 0], person.pose[:, 1], person.pose[:, 3]
        seen = (visible > POSE_VISIBLE) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        for name, joints in SHOWN:
            if seen[list(joints)].any():
                shows = name
                break
    edges = cut_edges(person_box(matte), height, width)
    return {"shows": shows, "face": person.face is not None, "cut_by": list(edges)}
