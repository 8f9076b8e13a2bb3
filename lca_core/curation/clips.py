"""A clip to a record or a reason: decode, shots, detect, matte, crop, measure, judge."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lca_core.curation.crops import FIELD_OF_VIEW, Square, cut, cut_edges, face_square, person_box
from lca_core.curation.decode import Clip, read_clip
from lca_core.curation.detect import Sighting, find_people
from lca_core.curation.filters import (
    LIMITS,
    FrameMeasures,
    Limits,
    Verdict,
    change,
    exposure,
    histogram_distance,
    judge_clip,
    judge_frame,
    sharpness,
)
from lca_core.curation.frames import frame_of, view_of
from lca_core.curation.matte import person_matte
from lca_core.curation.photos import NOT_FITTED, plain_name
from lca_core.data.records import Person
from lca_core.profiles import Profile


@dataclass(frozen=True)
class CuratedFrame:
    """One frame after all stages. person and matte are None where there is not exactly one person.

    number: in the clip; time: seconds; image: uint8 [H, W, 3]; matte: uint8 [H, W].
    """

    number: int
    time: float
    image: np.ndarray
    person: Sighting | None
    matte: np.ndarray | None
    measures: FrameMeasures
    verdict: Verdict


@dataclass(frozen=True)
class CuratedClip:
    """What became of a clip.

    shots: [start, end) frame numbers; frames: those read of the shot with the most of them; distances: histogram
    distance from every frame to the next; person: the record, or None where the verdict is no.
    """

    path: Path
    shots: tuple[tuple[int, int], ...]
    distances: tuple[float, ...]
    frames: tuple[CuratedFrame, ...]
    verdict: Verdict
    person: Person | None


def curate_clip(
    path: Path | str, profile: Profile, max_frames: int = 16, stride: int = 4, limits: Limits = LIMITS
) -> CuratedClip:
    """Take a clip through every stage: every `stride`-th frame, at most `max_frames`, their longest shot.

    The record (domain "wild", one frame an instant) holds the frames that were kept. As for photographs, the
    body is not fitted yet and the camera is assumed. Raises InputError for a file that cannot be read.
    """
    clip = read_clip(path, max_frames, stride)
    distances = [histogram_distance(a, b) for a, b in zip(clip.thumbnails, clip.thumbnails[1:], strict=False)]
    shots = find_shots(distances, limits.shot_cut)
    inside = [np.flatnonzero((clip.numbers >= start) & (clip.numbers < end)) for start, end in shots]
    longest = max(inside, key=len)
    frames: list[CuratedFrame] = []
    for i in longest:
        before = frames[-1].person if frames else None
        frames.append(curate_frame(clip.images[i], int(clip.numbers[i]), float(clip.times[i]), before, limits))
    seen = clip.thumbnails[clip.numbers[longest]]
    changes = [change(a, b) for a, b in zip(seen, seen[1:], strict=False)]
    verdict = judge_clip([frame.verdict for frame in frames], changes, len(shots) - 1, clip.complete, limits)
    person = _record(clip, frames, profile) if verdict.keep else None
    return CuratedClip(clip.path, tuple(shots), tuple(distances), tuple(frames), verdict, person)


def find_shots(distances: Sequence[float], threshold: float) -> list[tuple[int, int]]:
    """[start, end) of the shots of a clip, cut where a histogram distance (frame to next) is over `threshold`."""
    cuts = [i + 1 for i, distance in enumerate(distances) if distance > threshold]
    edges = [0, *cuts, len(distances) + 1]
    return list(zip(edges, edges[1:], strict=False))


def curate_frame(
    image: np.ndarray, number: int = 0, time: float = 0.0, before: Sighting | None = None, limits: Limits = LIMITS
) -> CuratedFrame:
    """Detect, matte, measure and judge one frame, uint8 [H, W, 3]; `before` is the person one frame earlier."""
    people = find_people(image)
    matte = person_matte(image, people[0]) if len(people) == 1 else None
    if matte is None or not (matte > 127).any():
        measures = FrameMeasures(len(people) if matte is None else 0)
        return CuratedFrame(number, time, image, None, None, measures, judge_frame(measures, limits))
    measures = replace(measure(image, people[0], matte), motion=_motion(before, people[0]))
    return CuratedFrame(number, time, image, people[0], matte, measures, judge_frame(measures, limits))


def measure(image: np.ndarray, person: Sighting, matte: np.ndarray) -> FrameMeasures:
    """The measures of one frame with one person; motion is left at 0."""
    box = person_box(matte)
    if person.face is not None:
        square = face_square(person.face)
    else:  # about the same square, from the pose network's eleven points of the head
        head = person.pose[:11, :2]
        square = Square.around(np.concatenate([head.min(0), head.max(0)]), 3.5)
    brightness, clipped = exposure(image, matte)
    return FrameMeasures(
        people=1,
        face_px=person.size if person.face is not None else 0.0,
        sharpness=sharpness(cut(image, square, square.side, outside=None)),
        brightness=brightness,
        clipped=clipped,
        edges=cut_edges(box, *image.shape[:2]),
    )


def _motion(before: Sighting | None, now: Sighting) -> float:
    """How far the head moved since the frame before, in units of four faces (a body's width)."""
    if before is None:
        return 0.0
    return float(np.linalg.norm(_head(now) - _head(before)) / (4 * now.size))


def _head(person: Sighting) -> np.ndarray:
    return (person.face[:2] + person.face[2:]) / 2 if person.face is not None else person.pose[0, :2]


def _record(clip: Clip, frames: Sequence[CuratedFrame], profile: Profile) -> Person:
    kept = [frame for frame in frames if frame.verdict.keep]
    pictures = tuple(frame_of(f.image, f.person, f.matte, profile, i) for i, f in enumerate(kept))
    meta = {
        "source": "clip",
        "file": clip.path.name,
        "sha256": hashlib.sha256(clip.path.read_bytes()).hexdigest(),
        "frames": [{"time": round(f.time, 4), **view_of(f.image, f.person, f.matte)} for f in kept],
        "fitted": False,
        "note": NOT_FITTED,
        "assumed_field_of_view_degrees": round(float(np.degrees(FIELD_OF_VIEW)), 1),
        "licence": "the owner's; not stated in the file",
        "profile": profile.name,
    }
    return Person(f"clip-{plain_name(clip.path)}", "wild", None, np.zeros(300, np.float32), pictures, meta)
