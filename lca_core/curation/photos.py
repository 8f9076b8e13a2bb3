"""Photographs of one person to a record the model can encode."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lca_core.curation.crops import FIELD_OF_VIEW
from lca_core.curation.decode import read_photo, shrink
from lca_core.curation.detect import only_person
from lca_core.curation.frames import frame_of, view_of
from lca_core.curation.matte import person_matte
from lca_core.data.records import Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

WORKING_SIDE = 2048  # px: larger photographs are scaled down to this before anyone is looked for
NOT_FITTED = "shape, pose, expression and gaze are zeros and the camera is assumed: no body is fitted yet"


def plain_name(path: Path) -> str:
    """The file's name without ending, of letters, digits, - and _ only: ids become keys and file names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "unnamed"


def prepare_photos(paths: Sequence[Path | str], profile: Profile) -> Person:
    """A record of the one person in all of `paths`: detected, matted, body and face cropped to the profile.

    Each photograph becomes a frame of its own instant. domain is "photo" and seed None. betas, theta, root,
    gaze are zeros, actions None, cameras assumed (a level pinhole 50 degrees high): pose and shape are not
    fitted yet, and meta says so. Whether the photographs show the SAME person is not checked yet. meta also
    holds, for each photograph, the file's name, its sha256, its size, and what it shows (`view_of`).

    Raises InputError naming the file: missing, unreadable, too small, too large, nobody in it, two or more in it.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise InputError("no photograph was given; give one or more of the same person")
    frames, views = [], []
    for instant, path in enumerate(paths):
        image = shrink(read_photo(path), WORKING_SIDE)
        person = only_person(image, str(path))
        matte = person_matte(image, person)
        if (matte > 127).mean() < 1e-4:
            raise InputError(f"{path}: a person was found but could not be cut out; give a clearer photograph")
        frames.append(frame_of(image, person, matte, profile, instant))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = {"width": image.shape[1], "height": image.shape[0]}
        views.append({"file": path.name, "sha256": digest, **size, **view_of(image, person, matte)})
    meta = {
        "source": "photographs",
        "photos": views,
        "fitted": False,
        "note": NOT_FITTED,
        "assumed_field_of_view_degrees": round(float(np.degrees(FIELD_OF_VIEW)), 1),
        "licence": "the owner's; not stated in the files",
        "profile": profile.name,
    }
    return Person(f"photo-{plain_name(paths[0])}", "photo", None, np.zeros(300, np.float32), tuple(frames), meta)
