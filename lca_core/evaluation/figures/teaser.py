"""The teaser (the paper's Figure 1): photographs in, an avatar all round, and driven."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lca_core.body import Driving
from lca_core.data import Camera, Person, Picture
from lca_core.evaluation.evaluate import frames_for
from lca_core.evaluation.figures.style import PX, framed, styled, tiles
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, refine
from lca_core.viewer.stage import body_camera, examples, head_camera, show

_DRIVEN = ("step", "point")  # of `stage.examples`, whole bodies
_FACES = ("smile", "open mouth")
_WHITE = 245  # of 255: what is darker is the person


def teaser(
    people: Sequence[Person], model: LCA, encoder: ImageEncoder, n_inputs: int = 4, refined: bool = False
) -> Figure:
    """A row a person: two of the photographs, the avatar from the front, side and back, driven, and its face driven.

    refined: whether avatars are refined on their photographs.
    """
    rows = []
    for person in people:
        frames = frames_for(model, person, n_inputs)[0]
        avatar = encode_person(model, encoder, person, frames)
        if refined:
            avatar = refine(avatar, frames, driving_of(model, frames, person.betas))
        rows.append([*(framed(frame.body.image, frame.body) for frame in frames[:2]), *_shown(avatar)])
    columns = ["photograph 1", f"2 of {n_inputs}", "front", "side", "back", *_DRIVEN, *_FACES]
    with styled():
        return tiles(rows, columns, [person.domain for person in people])


def _shown(avatar: Avatar) -> list[np.ndarray]:
    driven, calm = examples(avatar), Driving.neutral()
    bodies = [show(avatar, calm, body_camera(avatar, azimuth, 2 * PX)) for azimuth in (0.0, np.pi / 2, np.pi)]
    bodies += [show(avatar, driven[name], body_camera(avatar, 0.0, 2 * PX, reach=0.3)) for name in _DRIVEN]
    faces = [show(avatar, driven[name], head_camera(avatar, 0.25, PX)) for name in _FACES]
    return [*(cropped(body) for body in bodies), *faces]


def cropped(image: np.ndarray) -> np.ndarray:
    """A drawing over white at a tile's size, the person in it as large as there."""
    matte = np.where(image.min(-1) < _WHITE, np.uint8(255), np.uint8(0))
    height, width = matte.shape
    nowhere = Camera(np.eye(4, dtype=np.float32), np.eye(3, dtype=np.float32), width, height)
    return framed(image, Picture(image, matte, nowhere))


def alt_of(people: Sequence[Person], n_inputs: int = 4) -> str:
    """The sentences for who cannot see the figure."""
    whom = ", ".join(person.id for person in people)
    return (
        f"{len(people)} digital humans that training never saw, a row each ({whom}): two of the {n_inputs} photographs "
        "that went in, then the avatar from the front, the side and the back, taking a step, pointing, and its face "
        "smiling and with its mouth open."
    )
