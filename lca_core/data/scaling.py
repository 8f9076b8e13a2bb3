"""Recorded people with smaller pictures: what lets a small profile learn from a larger one's shards."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lca_core.data.records import HANDS, Camera, Frame, Person, Picture, Truth
from lca_core.data.shards import read_people, write_shard
from lca_core.errors import InputError
from lca_core.paths import cache_dir
from lca_core.profiles import Profile

_SCALING = 2  # raise when scaled pictures change, so that caches are made anew


def scaled(person: Person, body_px: int, face_px: int, hand_px: int) -> Person:
    """The same person with square pictures of these sides, each pixel the mean of the area it covers; truth is sampled.

    Cameras are scaled with them. A picture of the side asked for is left as it is; ValueError for one that is smaller.
    """

    def frame(f: Frame) -> Frame:
        face = f.face and scaled_picture(f.face, face_px)
        hands = tuple(hand and scaled_picture(hand, hand_px) for hand in f.hands)
        return replace(f, body=scaled_picture(f.body, body_px), face=face, hands=hands)

    meta = person.meta | {"compressed": False}  # written without a second loss
    return replace(person, frames=tuple(frame(f) for f in person.frames), meta=meta)


def at_sizes(person: Person, sizes: Profile) -> Person:
    """The person as a model of these sizes reads them: scaled down where pictures are larger.

    InputError where one is smaller: nothing can make up for what it does not show.
    """
    wanted = {"body": sizes.body_px, "face": sizes.face_px} | dict.fromkeys(HANDS, sizes.hand_px)
    sides = {(name, picture.camera.width) for frame in person.frames for name, picture in frame.pictures.items()}
    for name, side in sorted(sides):
        if side < wanted[name]:
            raise InputError(
                f"{person.id}: a picture ({name.replace('_', ' ')}) is {side} px, profile {sizes.name!r} wants "
                f"{wanted[name]} or more; give people made with that profile"
            )
    if all(side == wanted[name] for name, side in sides):
        return person
    return scaled(person, sizes.body_px, sizes.face_px, sizes.hand_px)


def scaled_picture(picture: Picture, px: int) -> Picture:
    """A picture [px, px] of the same view. ValueError where the picture is smaller than that.

    Colours are averaged weighted by the matte, so that no background bleeds into the person; where nobody is, they are
    the background's own.
    """
    height, width = picture.matte.shape
    if (height, width) == (px, px):
        return picture
    if min(height, width) < px:
        raise ValueError(f"a picture of {height} x {width} px cannot be scaled down to {px} px")
    rows, columns = _areas(height, px), _areas(width, px)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.einsum("ih,hw...,jw->ij...", rows, values, columns, optimize=True)

    image, matte = picture.image.astype(np.float64), picture.matte.astype(np.float64)
    cover = mean(matte)
    person = mean(image * matte[..., None]) / np.maximum(cover, 1e-9)[..., None]
    cover = _rounded(cover)
    camera, scale = picture.camera, np.diag([px / width, px / height, 1.0])
    return Picture(
        image=_rounded(np.where(cover[..., None] > 0, person, mean(image))),
        matte=cover,
        camera=Camera(camera.viewmat, (scale @ camera.K).astype(np.float32), px, px),
        truth=None if picture.truth is None else _sampled(picture.truth, px),
        hidden=None if picture.hidden is None else _rounded(mean(picture.hidden.astype(np.float64))),
    )


def _areas(before: int, after: int) -> np.ndarray:
    """[after, before]: which share of each new pixel an old one covers, along one side."""
    edges = np.arange(after + 1) * before / after
    left, right = np.maximum(edges[:-1, None], np.arange(before)), np.minimum(edges[1:, None], np.arange(before) + 1)
    return np.maximum(right - left, 0) * after / before


def _sampled(truth: Truth, px: int) -> Truth:
    """At the new pixels' centres: means of depths or part ids would be nothing's."""
    height, width = truth.parts.shape
    where = np.ix_(*(((np.arange(px) + 0.5) * side / px).astype(int) for side in (height, width)))
    return Truth(truth.depth[where], truth.normals[where], truth.parts[where])


def _rounded(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


def scaled_shards(shards: Sequence[Path], profile: Profile) -> list[Path]:
    """Shards in the cache with the same people at a profile's sizes, in this order, made on first use.

    shards: of one person each, in a folder that is named after what they hold (`cached_people`'s).
    """
    sizes = (profile.body_px, profile.face_px, profile.hand_px)
    made = []
    for shard in shards:
        folder = cache_dir("people", f"{shard.parent.name}-at-{'-'.join(map(str, (*sizes, _SCALING)))}")
        made.append(folder / shard.name)
        if not made[-1].exists():
            write_shard(made[-1], (scaled(person, *sizes) for person in read_people(shard, truth=True)))
    return made
