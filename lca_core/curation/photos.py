"""Photographs of one person to a record the model can encode: cut out, body fitted, and held to be one person."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lca_core.curation.bodies import facing, fit_frames
from lca_core.curation.decode import read_photo, shrink
from lca_core.curation.detect import Sighting, only_person
from lca_core.curation.frames import view_of
from lca_core.curation.identity import face_of
from lca_core.curation.matte import person_matte
from lca_core.data.records import Frame, Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

WORKING_SIDE = 2048  # px: larger photographs are scaled down to this before anyone is looked for
STRANGER = 0.65  # distance from the mean face of the other photographs, from which on a face is another's


def plain_name(path: Path) -> str:
    """The file's name without ending, of letters, digits, - and _ only: ids become keys and file names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "unnamed"


def prepare_photos(paths: Sequence[Path | str], profile: Profile) -> Person:
    """A record of the one person in all of `paths`: detected, matted, cropped to the profile, body fitted.

    Each photograph becomes a frame of its own instant, domain "photo", seed None. One body's shape and each
    photograph's pose, hands, gaze, facial actions and camera are fitted to all together (`fit.fit_body`); a photograph
    in which no pose was seen is kept, not tracked. Half bodies do: meta holds, for each photograph, the file's name,
    its sha256, its size, what it shows (`view_of`) and how well the body fits; and which sides no photograph shows.

    Raises InputError naming the file: missing, unreadable, too small, too large, nobody in it, two or more in it, or
    another person than in the others.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise InputError("no photograph was given; give one or more of the same person")
    images, people, mattes = [], [], []
    for path in paths:
        images.append(shrink(read_photo(path), WORKING_SIDE))
        people.append(only_person(images[-1], str(path)))
        mattes.append(person_matte(images[-1], people[-1]))
        if (mattes[-1] > 127).mean() < 1e-4:
            raise InputError(f"{path}: a person was found but could not be cut out; give a clearer photograph")
    _refuse_strangers(paths, images, people)
    fitted = fit_frames(images, people, mattes, profile)
    views = [
        {
            "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": image.shape[1],
            "height": image.shape[0], **view_of(image, person, matte), "tracked": frame.tracked,
            "fit_error": round(float(error), 4) if frame.tracked else None,
        }
        for path, image, person, matte, frame, error in zip(
            paths, images, people, mattes, fitted.frames, fitted.errors
        )
    ]  # fmt: skip
    meta = {
        "source": "photographs",
        "photos": views,
        "missing": missing_views(fitted.frames),
        "parameters": "fitted to MediaPipe's landmarks and the matte",
        "licence": "the owner's; not stated in the files",
        "profile": profile.name,
    }
    return Person(f"photo-{plain_name(paths[0])}", "photo", None, fitted.betas, fitted.frames, meta)


def missing_views(frames: Sequence[Frame]) -> list[str]:
    """Of "front", "left side", "right side" and "back", those that no tracked frame shows (within 60 degrees)."""
    sides = {"front": 0, "left side": 90, "back": 180, "right side": -90}
    seen = [facing(frame) for frame in frames if frame.tracked]
    return [name for name, at in sides.items() if all(abs((turn - at + 180) % 360 - 180) > 60 for turn in seen)]


def _refuse_strangers(paths: Sequence[Path], images: Sequence[np.ndarray], people: Sequence[Sighting]) -> None:
    """InputError naming the first photograph whose face is unlike all others', where three or more show a face, or the
    second of two."""
    known = [(path, face_of([image], [person.mesh])) for path, image, person in zip(paths, images, people)]
    known = [(path, face) for path, face in known if face is not None]
    for n, (path, face) in reversed(list(enumerate(known))):
        others = [other for m, (_, other) in enumerate(known) if m != n]
        apart = [float(np.linalg.norm(face - other)) for other in others]
        if apart and min(apart) > STRANGER:
            raise InputError(
                f"{path}: this is somebody else than in {known[0 if n else 1][0].name} (faces {min(apart):.2f} apart, "
                f"{STRANGER} and more are two people); give photographs of one person"
            )
