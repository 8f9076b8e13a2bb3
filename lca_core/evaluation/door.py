"""Photographs through the door, as anybody brings them: nothing is told but the pixels.

An avatar is made as the command makes it. It is judged on photographs held out, which go through the same door: the
body is found and fitted in each, with the avatar's own shape, and the avatar is drawn in that pose before that camera.
So what is measured is everything together: finding, cutting out, fitting, the model, refinement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lca_core.curation.bodies import camera_with, fit_frames
from lca_core.curation.photos import Photos, see_good_photos
from lca_core.data import Frame, Person, Picture, pixels
from lca_core.evaluation.evaluate import draw_like
from lca_core.judges.metrics import lpips_crop, psnr_fg
from lca_core.making.photos import avatar_of_photos
from lca_core.model import LCA, ImageEncoder, target_driving
from lca_core.people.domains.phone import PHOTOGRAPHS

COUNTS = (1, PHOTOGRAPHS)
METRICS = ("psnr_fg", "lpips")
_QUALITY = 92  # of the JPEG files
Values = dict[str, list[float]]


@dataclass(frozen=True)
class HeldOut:
    """A picture to judge by: the photograph as seen, and its number among the recorded ones."""

    photos: Photos
    number: int


def bring(
    person: Person, models: Mapping[str, tuple[LCA, ImageEncoder]], folder: Path
) -> tuple[dict[str, dict[int, Values]], list[str]]:
    """(name of a model -> number of photographs -> metric -> one number a held-out picture, what the door refused).

    person: of the domain `phone`; folder: where the photographs are written as files. The fit does not hang on the
    model, so all see the same poses.
    """
    paths = photographs(person, folder)
    given, refused = see_good_photos(paths[:PHOTOGRAPHS])
    words = [reason.text for reason in refused.values()]
    held = []
    for number in range(PHOTOGRAPHS, len(paths)):
        seen, faults = see_good_photos([paths[number]])
        held += [] if seen is None else [HeldOut(seen, number)]
        words += [reason.text for reason in faults.values()]
    found: dict[str, dict[int, Values]] = {name: {} for name in models}
    for count in COUNTS:
        photos = None if given is None else _first(given, paths[:count])
        for name, (model, encoder) in models.items() if photos is not None else ():
            avatar, shown = avatar_of_photos(photos, model, encoder)
            values: Values = {metric: [] for metric in METRICS}
            for one in held:
                target = _target(one, person, shown.betas, model)
                if target is None:
                    continue
                with torch.no_grad():
                    drawn = draw_like(avatar.drive(target_driving(model, target, shown.betas)).map(lambda t: t[0]),
                                      target.body)[0]  # fmt: skip
                truth = pixels(target.body)
                values["psnr_fg"].append(float(psnr_fg(drawn, *truth)))
                values["lpips"].append(float(lpips_crop(drawn, *truth)))
            found[name][count] = values
    return found, words


def photographs(person: Person, folder: Path) -> list[Path]:
    """The person's pictures as JPEG files, as a phone writes them."""
    paths = [folder / f"{person.id}-{i}.jpg" for i in range(len(person.frames))]
    for path, frame in zip(paths, person.frames):
        Image.fromarray(frame.body.image).save(path, quality=_QUALITY)
    return paths


def _first(photos: Photos, paths: Sequence[Path]) -> Photos | None:
    """Those of these files."""
    kept = [i for i, path in enumerate(photos.paths) if path in paths]
    fields = (photos.paths, photos.images, photos.people, photos.mattes, photos.faces)
    return Photos(*(tuple(values[i] for i in kept) for values in fields)) if kept else None


def _target(one: HeldOut, person: Person, betas: np.ndarray, model: LCA) -> Frame | None:
    """The frame of a held-out photograph, as fitted with these betas; its body picture is the whole photograph with the
    true matte. None where no pose was seen."""
    (image,), (sighting,), (matte,) = one.photos.images, one.photos.people, one.photos.mattes
    fitted = fit_frames([image], [sighting], [matte], model.profile, betas=betas)
    (frame,) = fitted.frames
    if not frame.tracked:
        return None
    camera, truth = camera_with(float(fitted.focal[0]), *image.shape[:2]), person.frames[one.number].body
    whole = Picture(image, truth.matte, camera)
    return Frame(whole, frame.face, frame.theta, frame.root, frame.gaze, frame.actions, frame.instant)
