"""The matte: which pixels belong to the person, with soft edges.

Two looks of MediaPipe's selfie network (at the person and, for the hair, at the head) joined with the pose
network's own mask, then drawn to the picture's own edges by a guided filter (He, Sun & Tang, "Guided image
filtering", 2010).
"""

import cv2
import numpy as np
from scipy import ndimage

from lca_core.curation import networks
from lca_core.curation.crops import Square, cut, paste, place_inside
from lca_core.curation.detect import POSE_VISIBLE, Sighting

WORKING_PX = 512  # side at which the person's square is matted
RADIUS = 8  # guided filter's window, pixels at the working size
SMOOTH = 1e-4  # guided filter's epsilon, in squared sRGB units of [0, 1]


def person_matte(image: np.ndarray, person: Sighting) -> np.ndarray:
    """uint8 [H, W]: 255 on the person, 0 off, soft between, for `image` uint8 [H, W, 3] with `person` in it.

    Passers-by are left out where they do not touch the person.
    """
    height, width = image.shape[:2]
    square = _square_of(person, height, width)
    crop = cut(image, square, WORKING_PX, outside=None)
    likely = networks.selfie(crop)
    if person.face is not None:
        likely = _refine_head(image, person.face, square, likely)
    if person.body is not None:
        # the pose network's body brings limbs and turned heads that the selfie network, made for webcams, misses
        body = cut(np.uint8(255 * person.body), square, WORKING_PX, outside=0) / np.float32(255)
        # (only where the latter finds something near by: the former sometimes runs on along straight things)
        near = ndimage.maximum_filter(likely, WORKING_PX // 32) > 0.3
        likely = np.where(near, np.maximum(likely, body), likely)
    soft = guided_filter(crop, likely, RADIUS, SMOOTH)
    soft = np.clip((soft - 0.25) / 0.5, 0, 1)
    soft = _main_part(soft, _seeds(person, square))
    return np.uint8(255 * np.clip(paste(soft, square, height, width), 0, 1) + 0.5)


def guided_filter(guide: np.ndarray, values: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """`values` (float32 [H, W]) smoothed along the edges of `guide` (uint8 [H, W, 3]).

    In every window values are modelled as a linear function of the guide's colour, with `epsilon` (in squared units of
    [0, 1]) holding it flat; the windows' answers are averaged. Returns float32 [H, W], not clipped.
    """
    # OpenCV holds variances above a least one that suits 0 to 255: a guide in [0, 1] would hardly guide at all
    return cv2.ximgproc.guidedFilter(guide, np.ascontiguousarray(values, np.float32), radius, epsilon * 255**2)


def _square_of(person: Sighting, height: int, width: int) -> Square:
    """A generous square of the picture around all that detection saw of the person."""
    boxes = []
    if person.face is not None:
        face_height = person.face[3] - person.face[1]
        boxes.append(person.face + face_height * np.array([-1.2, -0.9, 1.2, 1.0], np.float32))
    if person.pose is not None:
        seen = person.pose[person.pose[:, 3] > POSE_VISIBLE, :2]
        slack = 0.8 * person.size
        boxes.append(np.concatenate([seen.min(0) - slack, seen.max(0) + slack]))
    if person.body is not None and (person.body > 0.5).any():
        rows, columns = np.flatnonzero((person.body > 0.5).any(1)), np.flatnonzero((person.body > 0.5).any(0))
        boxes.append(np.array([columns[0], rows[0], columns[-1], rows[-1]], np.float32))
    together = np.array(boxes)
    box = np.concatenate([together[:, :2].min(0), together[:, 2:].max(0)])
    box = np.clip(box, 0, [width, height, width, height])
    return place_inside(Square.around(box, 1.1), height, width)


def _refine_head(image: np.ndarray, face: np.ndarray, square: Square, likely: np.ndarray) -> np.ndarray:
    """`likely` [n, n] with the head's region replaced by a second, closer look, blended over a soft rim."""
    look = Square.around(face, 2.6)
    if look.side > 0.8 * square.side:
        return likely  # the first look was as close
    closer = networks.selfie(cut(image, look, 256, outside=None))
    ramp = np.clip((1 - np.abs(np.linspace(-1, 1, 256))) / 0.3, 0, 1).astype(np.float32)
    weight = np.minimum(ramp[:, None], ramp[None, :])
    # in the coordinates of the person's square
    scale = WORKING_PX / square.side
    inside = Square(
        round((look.left - square.left) * scale), round((look.top - square.top) * scale), round(look.side * scale)
    )
    weight = paste(weight, inside, WORKING_PX, WORKING_PX)
    return likely * (1 - weight) + paste(closer, inside, WORKING_PX, WORKING_PX) * weight


def _seeds(person: Sighting, square: Square) -> np.ndarray:
    """Points [N, 2] of the working square that are surely on the person: column, row."""
    points = []
    if person.face is not None:
        points.append(((person.face[:2] + person.face[2:]) / 2)[None])
    if person.pose is not None:
        points.append(person.pose[person.pose[:, 3] > POSE_VISIBLE, :2])
    points = (np.concatenate(points) - [square.left, square.top]) * (WORKING_PX / square.side)
    inside = ((points >= 0) & (points < WORKING_PX)).all(1)
    return points[inside].astype(int)


def _main_part(soft: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """`soft` without islands that hold none of the `seeds`, and without small holes."""
    labels, _ = ndimage.label(soft > 0.5)
    held = np.unique(labels[seeds[:, 1], seeds[:, 0]])
    solid = np.isin(labels, held[held > 0])
    kept = np.where(ndimage.binary_dilation(solid, iterations=RADIUS), soft, 0)
    holes, count = ndimage.label(kept < 0.5)
    sizes = ndimage.sum_labels(np.ones_like(kept), holes, np.arange(count + 1))
    small = np.isin(holes, np.flatnonzero(sizes < 0.0005 * kept.size))
    return np.where(small & (holes > 0), 1.0, kept)
