"""Who is in a picture: nobody, one person, or more.

MediaPipe's pose network answers for one body only and its face networks miss small faces, so people are
counted by several looks: faces on the whole picture and on overlapping tiles, each confirmed by the face mesh
in an enlarged crop; the most evident body; and the most evident body once the first is painted over. A body without
a face counts if it is found again, at the same place, in an enlarged crop.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from lca_core.curation import networks
from lca_core.curation.crops import Square, cut, paste
from lca_core.errors import InputError

BYSTANDER = 0.4  # a person under this fraction of the largest one's size is a passer-by, not a second subject
HEAD_FACE = 1.75  # brow to chin, of the extent of the pose network's eleven points of the head
MESH_PX = 256  # side of the crop given to the face mesh
FACE_SURE = 0.77  # score of the near-range face network in an enlarged crop, between real faces and look-alikes
FACE_POSED = 0.55  # the same where a pose has its head there
POSE_PX = 512  # side of the crop given to the pose network where the whole picture did not do
HAND_PX = 224  # side of the crop given to the hand network
HAND_LEAST_PX = 24  # of the picture; smaller hands are a guess
HAND_SIDE, HAND_APART = 0.34, 0.10  # metres: side of that crop; how far the two networks' wrists may lie apart
POSE_VISIBLE = 0.5  # landmarks above this visibility are taken as seen
_STRIPS = (0.0, 0.15, 0.3)  # of the picture's height
# From the shoulders to the crown, of the way to the hips and to the ankles: medians of sound clips are 0.64 and 0.26.
_HEAD = np.array([0.6, 0.25])


@dataclass(frozen=True)
class Sighting:
    """One person in one picture; pixels of that picture throughout.

    face: float32 [4] box from brow to chin (left, top, right, bottom) or None; mesh: float32 [478, 3] face
    landmarks or None; pose: float32 [33, 4] body landmarks (x, y, z, visibility; `networks.POSE_NAMES`) or None;
    body: float32 [H, W] the pose network's probability of this body, or None; world: float32 [33, 3] the body landmarks
    in space, as `networks.Body` has them, or None.
    """

    face: np.ndarray | None
    mesh: np.ndarray | None = None
    pose: np.ndarray | None = None
    body: np.ndarray | None = None
    world: np.ndarray | None = None

    @classmethod
    def of(cls, body: networks.Body) -> "Sighting":
        """A person of whom no face was found."""
        return cls(None, pose=body.landmarks, body=body.probability, world=body.world)

    @property
    def size(self) -> float:
        """Height of the face in pixels; from the shoulders or the torso where no face was found."""
        if self.face is not None:
            return float(self.face[3] - self.face[1])
        left, right, hip_left, hip_right = self.pose[[11, 12, 23, 24], :2]
        torso = np.linalg.norm((left + right) / 2 - (hip_left + hip_right) / 2)
        return float(max(0.5 * np.linalg.norm(left - right), 0.35 * torso))


def find_people(image: np.ndarray) -> tuple[Sighting, ...]:
    """The people in an image (uint8 [H, W, 3]), the largest first; passers-by in the distance are left out.

    Empty where nobody is found. Two bodies at most are found without a face, any number with one.
    """
    faces = [_confirm(image, box) for box in _candidate_faces(image)]
    people: list[Sighting] = [Sighting(face, mesh) for face, mesh in faces if face is not None]
    for body in _bodies(image):
        held = (i for i, one in enumerate(people) if one.pose is None and _holds_nose(one.face, body.landmarks))
        if (owner := next(held, None)) is not None:
            people[owner] = replace(people[owner], pose=body.landmarks, body=body.probability, world=body.world)
        elif _found_again(image, body.landmarks):
            people.append(Sighting.of(body))
    people.sort(key=lambda one: -one.size)
    return tuple(_with_face(image, _with_pose(image, one)) for one in people if one.size >= BYSTANDER * people[0].size)


def beheaded(image: np.ndarray) -> bool:
    """Whether there is a body at the upper edge of an image (uint8 [H, W, 3]) whose head the edge cuts off.

    For pictures in which nobody is found: without a head none of the looks above believes in a body. The pose network
    is asked as well with strips above the picture, where it can imagine the head.
    """
    height, width = image.shape[:2]
    for share in _STRIPS:
        strip = np.broadcast_to(image.mean((0, 1)).astype(np.uint8), (round(share * height), width, 3))
        body = networks.pose(np.concatenate([strip, image]))
        if body is None:
            continue
        pairs = body.landmarks[[[11, 12], [23, 24], [27, 28]]]
        shoulders, hips, ankles = pairs[..., :2].mean(1) - [0, len(strip)]
        seen = pairs[..., 3].min(1) > POSE_VISIBLE
        lengths = np.linalg.norm([hips - shoulders, ankles - shoulders], axis=1)
        if seen[:2].all() and 0 <= shoulders[1] < (_HEAD * lengths * seen[1:]).max():
            return True
    return False


def only_person(image: np.ndarray, name: str, people: tuple[Sighting, ...] | None = None) -> Sighting:
    """The one person in `image`; an InputError naming `name` where there is nobody or more than one.

    people: those found in it, where they have been looked for.
    """
    people = find_people(image) if people is None else people
    if not people:
        raise InputError(f"{name}: no person was found in this picture; give one that shows a person, face visible")
    if len(people) > 1:
        raise InputError(
            f"{name}: {len(people)} people were found; give a picture of one person, or crop it to the one you mean"
        )
    return people[0]


def _candidate_faces(image: np.ndarray) -> list[np.ndarray]:
    """Boxes with scores [5] from whole picture and tiles, each face once, the best score first."""
    height, width = image.shape[:2]
    longest = max(height, width)
    found = _faces_at(image, 0, 0)
    # A rival face is at least BYSTANDER times the largest one, so finer tiles are only worth it for small faces.
    for fraction in (2, 4):
        tallest = max((box[3] - box[1] for box in found), default=0)
        if tallest > 0.5 * longest / fraction or longest / fraction < 128:
            break
        side = round(longest / fraction)
        for top in _starts(height, side):
            for left in _starts(width, side):
                found += _faces_at(image[top : top + side, left : left + side], left, top)
    found.sort(key=lambda box: -box[4])
    kept: list[np.ndarray] = []
    for box in found:
        if not any(_same_face(box, other) for other in kept):
            kept.append(box)
    return kept


def _faces_at(part: np.ndarray, left: int, top: int) -> list[np.ndarray]:
    boxes = np.concatenate([networks.face_boxes(part, long_range) for long_range in (True, False)])
    return list(boxes + np.array([left, top, left, top, 0], np.float32))


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` begin along `length`, overlapping by a third or more."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * 2 / 3))) + 1
    return [round(x) for x in np.linspace(0, length - side, count)]


def _same_face(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the overlap is a third of the smaller box: tiles cut faces, so boxes of one face differ in size."""
    overlap = np.clip(np.minimum(a[2:4], b[2:4]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return bool(overlap > min(np.prod(a[2:4] - a[:2]), np.prod(b[2:4] - b[:2])) / 3)


def _confirm(
    image: np.ndarray, box: np.ndarray, sure: float = FACE_SURE
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(face box from brow to chin [4], mesh [478, 3]) of a candidate; box None where it is taken for no face."""
    square = Square.around(box[:4], 1.7)
    crop = cut(image, square, MESH_PX)
    # enlarged, faces score above 0.83 and what merely resembles one (a cartoon, stained cells) below 0.70
    again = networks.face_boxes(crop, long_range=False)[:, 4].max(initial=0)
    if again < sure:
        return None, None
    mesh = networks.face_mesh(crop)
    if mesh is None:  # a profile or a half-hidden face: a face all the same
        return box[:4], None
    mesh = mesh * (square.side / MESH_PX) + np.array([square.left, square.top, 0], np.float32)
    return np.concatenate([mesh[:, :2].min(0), mesh[:, :2].max(0)]), mesh


def _bodies(image: np.ndarray) -> list[networks.Body]:
    """At most two bodies: the most evident, and the most evident once the first is painted over."""
    first = networks.pose(image)
    if first is None or not _believable(first.landmarks, image):
        return []
    height, width = image.shape[:2]
    taken = ndimage.maximum_filter(first.probability, 2 * (max(height, width) // 40) + 1) > 0.3
    if taken.all():
        return [first]
    painted = image.copy()
    painted[taken] = image[~taken].mean(0)
    second = networks.pose(painted)
    if second is None or not _believable(second.landmarks, image):
        return [first]
    area = second.probability > 0.5
    # what the network makes of the painted silhouette itself is no second body
    if not area.any() or (area & taken).sum() > 0.4 * area.sum():
        return [first]
    return [first, second]


def _found_again(image: np.ndarray, pose: np.ndarray) -> bool:
    """Whether a body without a face is seen at the same place in an enlarged crop: chance finds are not."""
    seen = pose[pose[:, 3] > POSE_VISIBLE, :2]
    square = Square.around(np.concatenate([seen.min(0), seen.max(0)]), 1.4)
    again = networks.pose(cut(image, square, POSE_PX, outside=None))
    if again is None:
        return False
    upper = [0, 11, 12, 13, 14]  # nose, shoulders, elbows
    points = again.landmarks[upper, :2] * (square.side / POSE_PX) + [square.left, square.top]
    apart = np.linalg.norm(points - pose[upper, :2], axis=1).mean()
    return bool(apart < 0.3 * Sighting(None, pose=pose).size)


def _with_pose(image: np.ndarray, person: Sighting) -> Sighting:
    """The same person with a pose, looked for in a crop about nine faces high where none was found."""
    if person.pose is not None:
        return person
    height = person.size
    middle = (person.face[0] + person.face[2]) / 2
    square = Square(round(float(middle - 4.5 * height)), round(float(person.face[1] - height)), round(9 * height))
    found = networks.pose(cut(image, square, POSE_PX))
    if found is None:
        return person
    scale = square.side / POSE_PX
    landmarks = found.landmarks * np.array([scale, scale, scale, 1], np.float32)
    landmarks[:, :2] += np.array([square.left, square.top], np.float32)
    if not _believable(landmarks, image) or not _holds_nose(person.face, landmarks):
        return person
    body = paste(found.probability, square, *image.shape[:2])
    return replace(person, pose=landmarks, body=body, world=found.world)


def _with_face(image: np.ndarray, person: Sighting) -> Sighting:
    """The same person with a face, looked for where the pose has the head if none was found: small and shaded faces
    are missed elsewhere. As the pose speaks for it, a lower score will do, if the mesh has the nose where the pose has.
    """
    if person.face is not None:
        return person
    head = person.pose[:11, :2]
    middle, side = (head.min(0) + head.max(0)) / 2, HEAD_FACE * float(np.ptp(head, 0).max())
    face, mesh = _confirm(image, np.concatenate([middle - side / 2, middle + side / 2]), FACE_POSED)
    if mesh is None or np.linalg.norm(mesh[1, :2] - head[0]) > 0.25 * (face[3] - face[1]):
        return person
    return replace(person, face=face, mesh=mesh)


def _believable(pose: np.ndarray, image: np.ndarray) -> bool:
    """Whether nose and both shoulders are seen and the head lies inside the picture."""
    height, width = image.shape[:2]
    x, y = pose[0, :2]
    return bool(pose[[0, 11, 12], 3].min() > POSE_VISIBLE and 0 <= x < width and 0 <= y < height)


def _holds_nose(face: np.ndarray | None, pose: np.ndarray) -> bool:
    if face is None:
        return False
    slack = 0.35 * (face[2:] - face[:2])
    return bool((pose[0, :2] > face[:2] - slack).all() and (pose[0, :2] < face[2:] + slack).all())


def find_hands(image: np.ndarray, person: Sighting) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Landmarks of the left and the right hand, float32 [21, 3] pixels, None where not found.

    Each is looked for in a square about its wrist, as large as the pose network's guess in space says; a hand whose
    wrist lies elsewhere than the body's is another's, or the other one.
    """
    if person.pose is None or person.world is None:
        return None, None
    per_metre = float(np.linalg.norm(np.ptp(person.pose[:, :2], 0)) / np.linalg.norm(np.ptp(person.world[:, :2], 0)))
    found: list[np.ndarray | None] = []
    for elbow, wrist, knuckles in ((13, 15, (17, 19)), (14, 16, (18, 20))):
        if person.pose[[elbow, wrist], 3].min() < POSE_VISIBLE:
            found.append(None)
            continue
        middle = (person.pose[wrist, :2] + person.pose[list(knuckles), :2].mean(0)) / 2
        square = Square.around(np.concatenate([middle - 0.5, middle + 0.5]), HAND_SIDE * per_metre)
        hand = networks.hand(cut(image, square, HAND_PX)) if square.side >= HAND_LEAST_PX else None
        if hand is not None:
            hand = hand * (square.side / HAND_PX) + np.array([square.left, square.top, 0], np.float32)
            if np.linalg.norm(hand[0, :2] - person.pose[wrist, :2]) > HAND_APART * per_metre:
                hand = None
        found.append(hand)
    return found[0], found[1]
