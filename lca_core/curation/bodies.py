"""Pictures of one person to frames with the body fitted to all of them together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lca_core.curation.detect import Sighting, find_hands
from lca_core.curation.evidence import Seen
from lca_core.curation.fit import fit_body
from lca_core.curation.frames import frame_of
from lca_core.data.records import Camera, Frame
from lca_core.profiles import Profile

_FACING = np.diag([1.0, -1.0, -1.0, 1.0]).astype(np.float32)  # a camera in the origin that looks along -Z, Y up


def fitted_frames(
    images: Sequence[np.ndarray],
    people: Sequence[Sighting],
    mattes: Sequence[np.ndarray],
    profile: Profile,
    times: Sequence[float] | None = None,
) -> tuple[np.ndarray, list[Frame], list[float]]:
    """(betas [300], frames, errors) of one person in pictures uint8 [H, W, 3] with their mattes.

    times: as `fit_body`'s. Where no pose was seen (a head alone) the frame is `frame_of`'s, unfitted, and its error is
    NaN; else it is the fit's, a share of the body's height.
    """
    posed = [i for i, person in enumerate(people) if person.pose is not None]
    frames = [
        frame_of(image, person, matte, profile, i)
        for i, (image, person, matte) in enumerate(zip(images, people, mattes, strict=True))
    ]
    betas, errors = np.zeros(300, np.float32), [float("nan")] * len(frames)
    if posed:
        seen = [
            Seen(*images[i].shape[:2], people[i].pose, people[i].world, find_hands(images[i], people[i]),
                 people[i].mesh, mattes[i])
            for i in posed
        ]  # fmt: skip
        fit = fit_body(seen, None if times is None else [times[i] for i in posed])
        betas = fit.betas
        for n, i in enumerate(posed):
            height, width = images[i].shape[:2]
            camera = camera_with(float(fit.focal[n]), height, width)
            actions = None if np.isnan(fit.actions[n]).any() else fit.actions[n]
            frames[i] = replace(
                frame_of(images[i], people[i], mattes[i], profile, i, camera),
                theta=fit.theta[n], root=fit.root[n], gaze=fit.gaze[n], actions=actions,
            )  # fmt: skip
            errors[i] = float(fit.error[n])
    return betas, frames, errors


def camera_with(focal: float, height: int, width: int) -> Camera:
    """The camera that bodies are fitted before; focal in pictures' heights."""
    f = focal * height
    K = np.array([[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]], np.float32)
    return Camera(_FACING, K, width, height)
