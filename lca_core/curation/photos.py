"""Photographs of one person to a record the model can encode: cut out, body fitted, and held to be one person."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from lca_core.curation.bodies import facing, fit_frames
from lca_core.curation.decode import read_photo, shrink
from lca_core.curation.detect import Sighting, find_people, only_person
from lca_core.curation.filters import Reason
from lca_core.curation.frames import view_of
from lca_core.curation.identity import face_of, near_pairs
from lca_core.curation.matte import person_matte
from lca_core.data.records import Frame, Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

WORKING_SIDE = 2048  # px: larger photographs are scaled down to this before anyone is looked for
STRANGER = 0.65  # distance of two faces from which on they are not of one person (dlib's own is 0.6)


def plain_name(path: Path) -> str:
    """The file's name without ending, of letters, digits, - and _ only: ids become keys and file names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "unnamed"


@dataclass(frozen=True)
class Photos:
    """Photographs of one person, seen: images uint8 [H, W, 3], the person in each, mattes uint8 [H, W], and the
    recogniser's numbers float32 [128] of each face, None where no mesh was found."""

    paths: tuple[Path, ...]
    images: tuple[np.ndarray, ...]
    people: tuple[Sighting, ...]
    mattes: tuple[np.ndarray, ...]
    faces: tuple[np.ndarray | None, ...]


class Refused(InputError):
    """A photograph that will not do; kind: one of `filters.KINDS`."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind


def see_photos(paths: Sequence[Path | str]) -> Photos:
    """Read, detect, cut out. Raises InputError naming the file: missing, unreadable, too small, too large, nobody in
    it, two or more in it, or another person than in the others."""
    if not paths:
        raise InputError("no photograph was given; give one or more of the same person")
    photos = _together([_see(Path(path)) for path in paths])
    _refuse_strangers(photos.paths, photos.faces)
    return photos


def see_good_photos(paths: Sequence[Path]) -> tuple[Photos | None, dict[Path, Reason]]:
    """(Those photographs that will do, None where there is none; why each other one will not).

    Of several people the one in most photographs stays (of equals, the first); a photograph whose face cannot be told
    stays too.
    """
    seen, refused = [], {}
    for path in paths:
        try:
            seen.append(_see(path))
        except Refused as error:
            refused[path] = Reason(error.kind, str(error))
    faces = [photo.faces[0] for photo in seen]
    known = [i for i, face in enumerate(faces) if face is not None]
    if len(known) > 1:
        pairs = near_pairs(np.array([faces[i] for i in known]), STRANGER)
        graph = coo_array((np.ones(len(pairs), bool), pairs.T), shape=(len(known), len(known)))
        person = connected_components(graph, directed=False)[1]
        most = np.bincount(person).argmax()
        for i in [known[n] for n in np.flatnonzero(person != most)][::-1]:
            path = seen.pop(i).paths[0]
            refused[path] = Reason("stranger", f"{path}: this is somebody else than in most of the others")
    return _together(seen) if seen else None, refused


def _see(path: Path) -> Photos:
    """One photograph; `Refused` where it will not do."""
    try:
        image = shrink(read_photo(path), WORKING_SIDE)
    except InputError as error:
        raise Refused("unreadable", str(error)) from error
    found = find_people(image)
    try:
        person = only_person(image, str(path), found)
    except InputError as error:
        raise Refused("nobody" if not found else "several_people", str(error)) from error
    matte = person_matte(image, person)
    if (matte > 127).mean() < 1e-4:
        raise Refused("no_body", f"{path}: a person was found but could not be cut out; give a clearer photograph")
    return Photos((path,), (image,), (person,), (matte,), (face_of([image], [person.mesh]),))


def _together(photos: Sequence[Photos]) -> Photos:
    return Photos(*(sum((getattr(p, f.name) for p in photos), ()) for f in fields(Photos)))


def prepare_photos(paths: Sequence[Path | str], profile: Profile) -> Person:
    """A record of the one person in all of `paths`; InputError as `see_photos`."""
    return photos_record(see_photos(paths), profile)


def photos_record(photos: Photos, profile: Profile) -> Person:
    """The record of photographs: cropped to the profile, with the body fitted to all of them.

    Each photograph becomes a frame of its own instant, domain "photo", seed None. One body's shape and each
    photograph's pose, hands, gaze, facial actions and camera are fitted together (`fit.fit_body`); a photograph in
    which no pose was seen is kept, not tracked. Half bodies do: meta holds, for each photograph, the file's name, its
    sha256, its size, what it shows (`view_of`) and how well the body fits; and which sides no photograph shows.
    """
    seen = (photos.images, photos.people, photos.mattes)
    fitted = fit_frames(*seen, profile)
    views = [
        {
            "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": image.shape[1],
            "height": image.shape[0], **view_of(image, person, matte), "tracked": frame.tracked,
            "fit_error": round(float(error), 4) if frame.tracked else None,
        }
        for path, image, person, matte, frame, error in zip(photos.paths, *seen, fitted.frames, fitted.errors)
    ]  # fmt: skip
    meta = {
        "source": "photographs",
        "photos": views,
        "missing": missing_views(fitted.frames),
        "parameters": "fitted to MediaPipe's landmarks and the matte",
        "licence": "the owner's; not stated in the files",
        "profile": profile.name,
    }
    return Person(f"photo-{plain_name(photos.paths[0])}", "photo", None, fitted.betas, fitted.frames, meta)


def missing_views(frames: Sequence[Frame]) -> list[str]:
    """Of "front", "left side", "right side" and "back", those that no tracked frame shows (within 60 degrees)."""
    sides = {"front": 0, "left side": 90, "back": 180, "right side": -90}
    seen = [facing(frame) for frame in frames if frame.tracked]
    return [name for name, at in sides.items() if all(abs((turn - at + 180) % 360 - 180) > 60 for turn in seen)]


def _refuse_strangers(paths: Sequence[Path], faces: Sequence[np.ndarray | None]) -> None:
    """InputError naming the photograph whose face is farthest from all others', and too far."""
    known = [(path, face) for path, face in zip(paths, faces) if face is not None]
    if len(known) < 2:
        return
    apart = cdist(*[[face for _, face in known]] * 2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(1)
    stranger = int(len(known) - 1 - nearest[::-1].argmax())  # of two, the second
    if nearest[stranger] > STRANGER:
        other = known[int(apart[stranger].argmin())][0]
        raise InputError(
            f"{known[stranger][0]}: this is somebody else than in {other.name} (faces {nearest[stranger]:.2f} apart; "
            f"from {STRANGER} on they are two people); give photographs of one person"
        )
