"""Pictures of one person to frames with the body fitted to all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import roma
import torch

from lca_core.body.driving import GAZE
from lca_core.curation.detect import Sighting, find_hands
from lca_core.curation.evidence import Seen
from lca_core.curation.face_reader import read_faces
from lca_core.curation.fit import fit_body
from lca_core.curation.frames import frame_of
from lca_core.data.records import Camera, Frame
from lca_core.profiles import Profile

_FACING = np.diag([1.0, -1.0, -1.0, 1.0]).astype(np.float32)  # a camera in the origin that looks along -Z, Y up


@dataclass(frozen=True)
class Fitted:
    """One person in T pictures. betas float32 [300]; frames: T; errors, hidden, focal [T]: as `Fit`'s, NaN where no
    pose was seen and the frame is not tracked; focal is None where cameras were given."""

    betas: np.ndarray
    frames: tuple[Frame, ...]
    errors: np.ndarray
    hidden: np.ndarray
    focal: np.ndarray | None = None


def fit_frames(
    images: Sequence[np.ndarray],
    people: Sequence[Sighting],
    mattes: Sequence[np.ndarray],
    profile: Profile,
    times: Sequence[float] | None = None,
    betas: np.ndarray | None = None,
) -> Fitted:
    """Fit one body to pictures uint8 [H, W, 3] with their mattes [H, W] and cut the frames out.

    times: seconds of a clip's pictures; None: photographs, each a pose of its own. betas [300]: the shape, where it is
    known. Where no pose was seen (a head alone) the frame is `frame_of`'s, not tracked. Facial actions and gaze are
    read from each picture's face; where it has no face mesh the eyes look ahead and actions are None.
    """
    frames = [
        frame_of(image, person, matte, profile, i)
        for i, (image, person, matte) in enumerate(zip(images, people, mattes, strict=True))
    ]
    errors, hidden, focal = np.full((3, len(frames)), np.nan)
    posed = [i for i, person in enumerate(people) if person.pose is not None]
    if not posed:
        return Fitted(np.zeros(300, np.float32), tuple(frames), errors, hidden, focal)
    seen = [
        Seen(*images[i].shape[:2], people[i].pose, people[i].world, find_hands(images[i], people[i]), people[i].mesh,
             mattes[i])
        for i in posed
    ]  # fmt: skip
    fit = fit_body(seen, None if times is None else [times[i] for i in posed], betas=betas)
    errors[posed], hidden[posed], focal[posed] = fit.error, fit.hidden, fit.focal
    faced = [i for i in posed if people[i].mesh is not None]
    faces = dict(zip(faced, zip(*read_faces([images[i] for i in faced], [people[i].mesh for i in faced]))))
    none = None, np.zeros(GAZE, np.float32)
    for n, i in enumerate(posed):
        camera = camera_with(float(fit.focal[n]), *images[i].shape[:2])
        actions, gaze = faces.get(i, none)
        frames[i] = replace(
            frame_of(images[i], people[i], mattes[i], profile, i, camera),
            theta=fit.theta[n], root=fit.root[n], gaze=gaze, actions=actions, tracked=True,
        )  # fmt: skip
    return Fitted(fit.betas, tuple(frames), errors, hidden, focal)


def camera_with(focal: float, height: int, width: int) -> Camera:
    """The camera that bodies are fitted before; focal in pictures' heights."""
    f = focal * height
    K = np.array([[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]], np.float32)
    return Camera(_FACING, K, width, height)


def facing(frame: Frame) -> float:
    """Which side of the body the camera sees, degrees: 0 the front, 90 its left side, -90 its right, 180 the back."""
    turn = roma.rotvec_to_rotmat(torch.from_numpy(frame.root[:3])).numpy()
    view = frame.body.camera.viewmat
    towards = turn.T @ (-view[:3, :3].T @ view[:3, 3] - frame.root[3:])  # of the camera, in the pelvis's axes
    return float(np.degrees(np.arctan2(towards[0], towards[2])))


def turn_of(frames: Sequence[Frame]) -> float:
    """Degrees by which a body turns before the camera in its tracked frames, from one end to the other."""
    turns = np.radians([facing(frame) for frame in frames if frame.tracked])
    return float(np.degrees(np.ptp(np.unwrap(turns)))) if len(turns) else float("nan")
