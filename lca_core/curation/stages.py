"""A clip to a record or a reason, stage by stage.

A stage takes what is known of a clip and returns it knowing more; it changes nothing else. `STAGES` is all of curation
of one clip in the order it is done; a clip that is dropped leaves the list where it was dropped. What filters can drop
is judged before the body is fitted, because fitting costs more than all the rest.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lca_core.curation.bodies import fit_frames, turn_of
from lca_core.curation.crops import Square, cut, cut_edges, face_square, person_box
from lca_core.curation.decode import Clip, read_clip
from lca_core.curation.detect import Sighting, beheaded, find_people
from lca_core.curation.duplicates import fingerprint
from lca_core.curation.filters import (
    LIMITS,
    ClipMeasures,
    FrameMeasures,
    Limits,
    Reason,
    Verdict,
    change,
    exposure,
    histogram_distance,
    judge_clip,
    judge_fit,
    judge_frame,
    sharpness,
    whole,
)
from lca_core.curation.frames import view_of
from lca_core.curation.identity import face_of
from lca_core.curation.matte import person_matte
from lca_core.curation.photos import plain_name
from lca_core.curation.writing import laid_over
from lca_core.data.records import Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

_CROWN = 0.24  # the crown lies so far above a face's upper edge (of its height): 45 mm of 187 mm
_HAIR = 1.5  # tall hair and hats end below so many of its heights


@dataclass(frozen=True)
class Settings:
    """rate: pictures a second that are taken from a clip; most: of them."""

    profile: Profile
    rate: float = 2.5
    most: int = 16
    limits: Limits = LIMITS


@dataclass(frozen=True)
class CuratedFrame:
    """One picture of a clip, uint8 [H, W, 3], and what the stages found in it.

    number: in the clip; time: seconds; people: the largest first; matte: uint8 [H, W] of the only person, else None;
    measures and verdict: None before they are made.
    """

    number: int
    time: float
    image: np.ndarray
    people: tuple[Sighting, ...] = ()
    matte: np.ndarray | None = None
    measures: FrameMeasures | None = None
    verdict: Verdict | None = None

    @property
    def person(self) -> Sighting | None:
        """The one person, cut out; None where there is not exactly one."""
        return None if self.matte is None else self.people[0]


@dataclass(frozen=True)
class CuratedClip:
    """What is known of a clip so far.

    distances: `histogram_distance` from every frame to the next; shots: [start, end) frame numbers; frames: pictures of
    the shot with the most of them; verdict: None until it is dropped or through; person: its record, where it is kept;
    face: float32 [128] of the recogniser (None where no face was seen); fingerprint: uint64 [frames].
    """

    path: Path
    settings: Settings
    clip: Clip | None = None
    distances: tuple[float, ...] = ()
    shots: tuple[tuple[int, int], ...] = ()
    frames: tuple[CuratedFrame, ...] = ()
    measures: ClipMeasures = field(default_factory=ClipMeasures)
    verdict: Verdict | None = None
    person: Person | None = None
    face: np.ndarray | None = None
    fingerprint: np.ndarray | None = None

    @property
    def kept_frames(self) -> tuple[CuratedFrame, ...]:
        """Those the filters leave."""
        return tuple(f for f in self.frames if f.verdict is not None and f.verdict.keep)


def decode(work: CuratedClip) -> CuratedClip:
    """Read `rate` pictures a second; a file that cannot be read is dropped."""
    try:
        return replace(work, clip=read_clip(work.path, work.settings.most, work.settings.rate))
    except InputError as error:
        return replace(work, verdict=Verdict.of([Reason("unreadable", str(error))]))


def split_shots(work: CuratedClip) -> CuratedClip:
    """Cut where colours change from one frame to the next, and go on with the shot that has the most pictures; note
    the fingerprint by which copies are found."""
    clip = work.clip
    distances = [histogram_distance(a, b) for a, b in zip(clip.thumbnails, clip.thumbnails[1:])]
    shots = find_shots(distances, work.settings.limits.shot_cut)
    inside = [np.flatnonzero((clip.numbers >= start) & (clip.numbers < end)) for start, end in shots]
    longest = max(inside, key=len)
    frames = [CuratedFrame(int(clip.numbers[i]), float(clip.times[i]), clip.images[i]) for i in longest]
    seen = clip.thumbnails[clip.numbers[longest]]
    changes = [change(a, b) for a, b in zip(seen, seen[1:])]
    measures = ClipMeasures(len(shots) - 1, len(frames), max(changes, default=0.0))
    return replace(
        work, distances=tuple(distances), shots=tuple(shots), frames=tuple(frames), measures=measures,
        fingerprint=fingerprint([frame.image for frame in frames]),
    )  # fmt: skip


def find(work: CuratedClip) -> CuratedClip:
    """Look for people: faces with their meshes, bodies with their poses."""
    return replace(work, frames=tuple(replace(f, people=find_people(f.image)) for f in work.frames))


def cut_out(work: CuratedClip) -> CuratedClip:
    """The matte of every picture with one person."""
    return replace(work, frames=tuple(replace(f, matte=_matte(f)) for f in work.frames))


def measure(work: CuratedClip) -> CuratedClip:
    """Sharpness, size, truncation, exposure, motion, writing."""
    frames: list[CuratedFrame] = []
    for frame in work.frames:
        before = frames[-1].person if frames else None
        frames.append(replace(frame, measures=measure_frame(frame, before)))
    text = laid_over([frame.image for frame in frames])
    return replace(work, frames=tuple(frames), measures=replace(work.measures, text=text))


def judge(work: CuratedClip) -> CuratedClip:
    """Drop frames, and the clip if too few are left."""
    limits = work.settings.limits
    frames = tuple(replace(f, verdict=judge_frame(f.measures, limits)) for f in work.frames)
    verdict = judge_clip([f.verdict for f in frames], work.measures, work.clip.complete, limits)
    return replace(work, frames=frames, verdict=None if verdict.keep else verdict)


def fit(work: CuratedClip) -> CuratedClip:
    """Fit body, hands, face, gaze and camera to all frames that are left, and make the record."""
    kept, sizes = work.kept_frames, work.settings.profile
    images, people, mattes = ([getattr(f, name) for f in kept] for name in ("image", "person", "matte"))
    fitted = fit_frames(images, people, mattes, sizes, [f.time for f in kept])
    views = [
        {"time": round(f.time, 4), **view_of(f.image, f.person, f.matte), "fit_error": round(float(error), 4)}
        for f, error in zip(kept, fitted.errors)
    ]
    meta = {
        "source": "clip", "file": work.path.name, "sha256": hashlib.sha256(work.path.read_bytes()).hexdigest(),
        "frames": views, "parameters": "fitted to MediaPipe's landmarks and the matte",
        "licence": "the owner's; not stated in the file", "profile": sizes.name,
    }  # fmt: skip
    person = Person(f"clip-{plain_name(work.path)}", "wild", None, fitted.betas, fitted.frames, meta)
    measures = replace(
        work.measures, turn=turn_of(fitted.frames), fit_error=float(fitted.errors.mean()),
        hidden=float(fitted.hidden.mean()),
    )  # fmt: skip
    return replace(work, person=person, measures=measures)


def judge_body(work: CuratedClip) -> CuratedClip:
    """Drop a clip whose body does not fit, or is mostly hidden."""
    verdict = judge_fit(work.measures, work.settings.limits)
    return work if verdict.keep else replace(work, verdict=verdict, person=None)


def identify(work: CuratedClip) -> CuratedClip:
    """The numbers by which clips of one person are found; the clip is through."""
    face = face_of([f.image for f in work.kept_frames], [f.person.mesh for f in work.kept_frames])
    return replace(work, face=face, verdict=Verdict.of([]))


STAGES: tuple[Callable[[CuratedClip], CuratedClip], ...] = (
    decode, split_shots, find, cut_out, measure, judge, fit, judge_body, identify
)  # fmt: skip


def curate_clip(path: Path | str, settings: Settings) -> CuratedClip:
    """Take a clip through `STAGES` until it is through or dropped.

    The record (domain "wild", one frame an instant) holds the frames that were kept. A file that cannot be read is
    dropped as any other; nothing is raised.
    """
    work = CuratedClip(Path(path), settings)
    for stage in STAGES:
        work = stage(work)
        if work.verdict is not None:
            break
    return work


def find_shots(distances: Sequence[float], threshold: float) -> list[tuple[int, int]]:
    """[start, end) of the shots of a clip, cut where a histogram distance (frame to next) is over `threshold`."""
    cuts = [i + 1 for i, distance in enumerate(distances) if distance > threshold]
    edges = [0, *cuts, len(distances) + 1]
    return list(zip(edges, edges[1:]))


def curate_picture(image: np.ndarray, limits: Limits = LIMITS) -> CuratedFrame:
    """Detect, matte, measure and judge one picture, uint8 [H, W, 3]."""
    frame = CuratedFrame(0, 0.0, image, find_people(image))
    frame = replace(frame, matte=_matte(frame))
    frame = replace(frame, measures=measure_frame(frame))
    return replace(frame, verdict=judge_frame(frame.measures, limits))


def measure_frame(frame: CuratedFrame, before: Sighting | None = None) -> FrameMeasures:
    """The measures of one picture; `before` is the person one picture earlier."""
    person, matte, image = frame.person, frame.matte, frame.image
    sharp, bright = whole(image)
    if person is None:
        people = len(frame.people) if len(frame.people) != 1 else 0
        cut_off = people == 0 and beheaded(image)
        return FrameMeasures(people, head_cut=cut_off, whole_sharpness=sharp, whole_brightness=bright)
    if person.face is not None:
        head = face_square(person.face)
    else:  # about the same square, from the pose network's eleven points of the head
        points = person.pose[:11, :2]
        head = Square.around(np.concatenate([points.min(0), points.max(0)]), 3.5)
    brightness, clipped = exposure(image, matte)
    return FrameMeasures(
        people=1,
        face_px=person.size if person.face is not None else 0.0,
        body=person.pose is not None,
        sharpness=sharpness(cut(image, head, head.side, outside=None)),
        brightness=brightness,
        clipped=clipped,
        motion=0.0 if before is None else float(np.linalg.norm(_head(person) - _head(before)) / (4 * person.size)),
        edges=cut_edges(person_box(matte), *image.shape[:2]),
        head_cut=_head_cut(person, matte),
        whole_sharpness=sharp,
        whole_brightness=bright,
    )


def _matte(frame: CuratedFrame) -> np.ndarray | None:
    if len(frame.people) != 1:
        return None
    matte = person_matte(frame.image, frame.people[0])
    return matte if (matte > 127).any() else None


def _head(person: Sighting) -> np.ndarray:
    return (person.face[:2] + person.face[2:]) / 2 if person.face is not None else person.pose[0, :2]


def _head_cut(person: Sighting, matte: np.ndarray) -> bool:
    """Whether the person reaches the picture's upper edge above their face, or the face goes over a side."""
    if person.face is None:
        return "top" in cut_edges(person_box(matte), *matte.shape)
    left, top, right, bottom = person.face
    if left < 0 or right > matte.shape[1] or top < _CROWN * (bottom - top):
        return True
    if top > _HAIR * (bottom - top):  # what the matte has up there is a raised arm, or no part of the person
        return False
    columns = matte[: max(2, matte.shape[0] // 200), int(left) : int(right) + 1] > 127
    return bool(columns.any(0).mean() > 0.2) if columns.size else False
