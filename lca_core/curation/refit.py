"""Digital humans as the photograph door sees them: cut out, and with pose, shape and camera fitted to the pictures.

A model that has only ever been told true poses, or true ones with errors of our own making, meets other errors in
real photographs: those of our fit. So a share of the people it learns from are recorded pictures sent through that very
door.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from tqdm.auto import tqdm

from lca_core.curation.bodies import fit_frames
from lca_core.curation.detect import find_people, only_person
from lca_core.curation.matte import person_matte
from lca_core.data.records import Camera, Frame, Person, Picture
from lca_core.errors import InputError
from lca_core.profiles import Profile

_LARGER = 3  # times a body picture's side: crops of face and hands then keep most of their pixels
_FEATHER = 0.08  # of a crop's side, over which it fades into the picture around it
_LEAST = 3  # frames that a person is kept with


def whole_photograph(frame: Frame) -> np.ndarray:
    """What a better camera had seen: uint8 [s, s, 3], the body picture three times as large, crops of face and hands in
    their places."""
    side = _LARGER * frame.body.camera.width
    picture = cv2.resize(frame.body.image, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    for crop in list(frame.pictures.values())[1:]:
        _paste(picture, crop, frame.body.camera)
    return np.round(picture.clip(0, 255)).astype(np.uint8)


def _paste(picture: np.ndarray, crop: Picture, body: Camera) -> None:
    """Lay a crop, which sees a part of the body picture's view, over the enlarged body picture."""
    height, width = picture.shape[:2]
    scale = _LARGER * body.K[[0, 1], [0, 1]] / crop.camera.K[[0, 1], [0, 1]]  # pixels of the picture a crop's pixel
    corner = _LARGER * body.K[:2, 2] - scale * crop.camera.K[:2, 2]
    place = np.array([[scale[0], 0, corner[0]], [0, scale[1], corner[1]]], np.float32)
    place[:, 2] += place[[0, 1], [0, 1]] / 2 - 0.5  # pixel centres, where OpenCV counts from
    h, w = crop.image.shape[:2]
    edge = np.minimum(np.minimum.outer(*(np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (h, w))), w)
    opacity = (edge / (_FEATHER * w)).clip(0, 1).astype(np.float32)
    laid = cv2.warpAffine(crop.image.astype(np.float32), place, (width, height), flags=cv2.INTER_AREA)
    cover = cv2.warpAffine(opacity, place, (width, height))[..., None]
    picture *= 1 - cover
    picture += cover * laid


def refit(person: Person, profile: Profile) -> Person | None:
    """The same person with everything told by the pictures alone, as `photos_record` makes it of photographs: crops,
    mattes, cameras, poses, gaze, actions, one shape. None where fewer than three pictures will do.

    The id is the person's with "-refit" behind it; domain and seed stay, so that people of another split stay there.
    """
    images, people, kept = [], [], []
    for frame in person.frames:
        image = whole_photograph(frame)
        try:
            sighting = only_person(image, person.id, find_people(image))
        except InputError:
            continue
        if sighting.pose is not None:
            images.append(image), people.append(sighting), kept.append(frame)
    if len(kept) < _LEAST:
        return None
    mattes = [person_matte(image, sighting) for image, sighting in zip(images, people)]
    fitted = fit_frames(images, people, mattes, profile)
    frames = tuple(
        replace(new, instant=old.instant, light=old.light, cloth=old.cloth) for new, old in zip(fitted.frames, kept)
    )
    meta = person.meta | {"parameters": "fitted to MediaPipe's landmarks and the matte", "of": person.id}
    return Person(f"{person.id}-refit", person.domain, person.seed, fitted.betas, frames, meta)


def refit_people(people: Iterable[Person], profile: Profile, total: int | None = None) -> Iterator[Person]:
    """Those of them that will do, one after the other, with a progress bar (about a second a picture)."""
    for person in tqdm(people, desc="refit", total=total, unit="person"):
        again = refit(person, profile)
        if again is not None:
            yield again
