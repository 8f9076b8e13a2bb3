"""Digital humans as the photograph door sees them: cut out, and with pose, shape and camera fitted to the pictures.

A model that has only ever been told true poses, or true ones with errors of our own making, meets other errors in
real photographs: those of our fit. So a share of the people it learns from are recorded pictures sent through that very
door.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from lca_core.curation.bodies import fit_frames
from lca_core.curation.detect import find_people, only_person
from lca_core.curation.matte import person_matte
from lca_core.data.records import Camera, Frame, Person, Picture
from lca_core.data.shards import read_people, shard_paths, write_shard
from lca_core.engines import Engine, Work, local
from lca_core.errors import InputError
from lca_core.paths import atomic_path, writable_folder
from lca_core.profiles import Profile

_LARGER = 3  # times a body picture's side: crops of face and hands then keep most of their pixels
_FEATHER = 0.08  # of a crop's side, over which it fades into the picture around it
_LIST = "refit.json"
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


def refit_shards(
    data: Path | str, out: Path | str, profile: Profile, workers: int = 2, progress: bool = True, engine: Engine = local
) -> dict[str, tuple[int, int]]:
    """Send everybody in a folder of shards through the door, about a second a picture and process; shards of the same
    names into `out`.

    The same call after an interruption goes on where it stopped. Returns {shard: (people kept, people there)}, which
    `out`/refit.json keeps; a shard of which nobody is kept is not written. InputError when `out` holds another set.
    """
    out, shards = Path(out), shard_paths(data)
    claim = {"source": [path.name for path in shards], "profile": profile.name}
    done = _begun(out / _LIST, claim)
    todo = [path for path in shards if path.name not in done]
    work = Work(partial(_refit_shard, out=out, profile=profile), seconds=None)
    found = engine(work, todo, workers) if todo else ()
    for one in tqdm(found, desc="refit", total=len(todo), unit="shard", disable=not progress):
        if one.died:
            raise InputError(f"{one.item}: its people could not be fitted again ({one.died}); look at this shard")
        done[one.item.name] = tuple(map(int, one.result.split()))
        with atomic_path(out / _LIST) as partial_file:
            partial_file.write_text(json.dumps(claim | {"kept": done}, indent=1))
    return done


def _begun(path: Path, claim: dict) -> dict[str, tuple[int, int]]:
    """What is done already; the folder is made, and claimed by its list."""
    if not path.exists():
        writable_folder(path.parent).mkdir(parents=True, exist_ok=True)
        return {}
    try:
        listed = json.loads(path.read_text())
        done = {name: tuple(counts) for name, counts in listed.pop("kept").items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{path} is no list of what was fitted again ({error}); give another --out") from error
    if listed != claim:
        raise InputError(f"{path.parent} holds other people fitted again, or at another profile; give another --out")
    return done


def _refit_shard(path: Path, out: Path, profile: Profile) -> str:
    people = list(read_people(path))
    kept = [again for person in people if (again := refit(person, profile)) is not None]
    if kept:
        write_shard(out / path.name, kept)
    return f"{len(kept)} {len(people)}"
