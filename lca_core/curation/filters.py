"""Which frames and clips are worth training on: measures first, then limits, each with a kind and a sentence.

Measures are plain numbers so that their distribution can be looked at before a limit is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

_PLAIN = 0.06  # standard deviation of luminance below which a part of a picture shows nothing
SHARPNESS_PX = 128  # heads are compared at about the smoke profile's size; larger ones are reduced to it


@dataclass(frozen=True)
class Limits:
    """Where the filters draw their lines.

    face_px to motion are limits of `FrameMeasures`; fit_error to text of `ClipMeasures`. shot_cut of
    `histogram_distance` between neighbouring frames (in the clips of `samples` cuts score 0.16 and more, all else 0.08
    and less); frozen of `change` (a clip that never changes more); frames: the fewest a shot may have; kept: the
    fraction of them to be kept. sharpness: the astronaut scores 0.27 as she is, 0.06 blurred by 1 px of her 108 px
    face, 0.014 by 2 px.
    """

    face_px: float = 24
    sharpness: float = 0.02
    darkest: float = 0.08
    brightest: float = 0.92
    clipped: float = 0.5
    motion: float = 0.25
    fit_error: float = 0.06
    hidden: float = 0.35
    text: float = 0.5
    shot_cut: float = 0.12
    frozen: float = 0.007
    frames: int = 4
    kept: float = 0.5


LIMITS = Limits()

# What a frame or a clip may be dropped for.
KINDS = {
    "unreadable": "the file cannot be read",
    "broken": "the file breaks off or has broken frames",
    "short": "too few frames in the longest shot",
    "cut": "cuts leave too few frames",
    "frozen": "nothing moves",
    "nobody": "nobody is found",
    "several_people": "more than one person",
    "no_face": "no face can be seen",
    "small_face": "the face is too small",
    "no_body": "the body cannot be told",
    "blurred": "the head is blurred",
    "dark": "the person is too dark",
    "bright": "the person is too bright",
    "clipped": "black or white without detail",
    "jump": "the person jumps",
    "head_cut_off": "the picture's edge cuts the head",
    "text": "subtitles or a watermark",
    "bad_fit": "no body fits",
    "hidden": "something hides the person",
    "duplicate": "the same as another clip",
    "stranger": "somebody else than in the folder's other photographs",
    "slow": "it took longer than it was given",
    "failed": "a stage failed or died",
}


class Reason(NamedTuple):
    """Why something is dropped. kind: one of `KINDS`; text: a sentence with the numbers."""

    kind: str
    text: str


@dataclass(frozen=True)
class FrameMeasures:
    """What can be told of one frame.

    people: how many were found; face_px: brow to chin, 0 where no face was found; body: whether a body's pose was
    found; sharpness: variance of the Laplacian over variance, of the luminance around the head; brightness: mean
    luminance of the person in [0, 1]; clipped: fraction of the person's pixels that are black or white; motion: how far
    the person moved since the frame before, in their own sizes; edges: the picture's edges that cut the person;
    head_cut: whether one of them cuts the head (with people 0: so that nobody is found). whole_sharpness: of the
    sharpest sixteenth of the whole picture; whole_brightness: its mean: why nobody, or no face, may have been found.
    """

    people: int
    face_px: float = 0.0
    body: bool = False
    sharpness: float = 0.0
    brightness: float = 0.0
    clipped: float = 0.0
    motion: float = 0.0
    edges: tuple[str, ...] = ()
    head_cut: bool = False
    whole_sharpness: float = 1.0
    whole_brightness: float = 0.5


@dataclass(frozen=True)
class ClipMeasures:
    """What can be told of the longest shot of a clip.

    cuts: how many the clip has; frames: of the shot that were looked at; change: the largest `change` between
    neighbours; text: share of them that hold the same writing in the same place; turn: degrees by which the body turns
    before the camera; fit_error: how far its joints lie from where they were seen, a share of its height, mean of the
    frames; hidden: share of the body in the picture that the matte does not show, mean of the frames (NaN: not fitted).
    """

    cuts: int = 0
    frames: int = 0
    change: float = 0.0
    text: float = 0.0
    turn: float = float("nan")
    fit_error: float = float("nan")
    hidden: float = float("nan")


@dataclass(frozen=True)
class Verdict:
    """keep, and if not, why."""

    keep: bool
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, reasons: Sequence[Reason]) -> "Verdict":
        """Keep where there are none."""
        return cls(not reasons, tuple(reasons))

    @property
    def text(self) -> str:
        """All sentences."""
        return " ".join(reason.text for reason in self.reasons)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The reasons' kinds."""
        return tuple(reason.kind for reason in self.reasons)


def luminance(image: np.ndarray) -> np.ndarray:
    """float32 [H, W] in [0, 1], Rec. 709 weights on the sRGB values of uint8 [H, W, 3]."""
    return (image @ np.array([0.2126, 0.7152, 0.0722], np.float32)) / np.float32(255)


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian over the variance of the luminance, of a crop uint8 [n, n, 3].

    The first is Pech-Pacheco et al.'s focus measure (ICPR 2000); the division makes it blind to contrast and
    exposure. Crops larger than `SHARPNESS_PX` are reduced to it: what is lost there is not trained on.
    """
    if image.shape[0] > SHARPNESS_PX:
        image = np.asarray(Image.fromarray(image).resize((SHARPNESS_PX, SHARPNESS_PX), Image.Resampling.BOX))
    grey = luminance(image)
    return float(ndimage.laplace(grey).var() / (grey.var() + 1e-4))


def whole(image: np.ndarray, tiles: int = 4) -> tuple[float, float]:
    """(sharpness of the sharpest of `tiles` x `tiles` parts, mean luminance) of a whole picture uint8 [H, W, 3].

    The picture is reduced to `SHARPNESS_PX` a part. Plain parts, whose noise would pass for sharpness, do not count;
    where all are plain nothing can be told and the sharpness is 1.
    """
    scale = tiles * SHARPNESS_PX / max(image.shape[:2])
    if scale < 1:
        size = [max(tiles, round(side * scale)) for side in image.shape[1::-1]]
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    parts = [part for row in np.array_split(image, tiles) for part in np.array_split(row, tiles, axis=1)]
    structured = [part for part in parts if luminance(part).std() > _PLAIN]
    return max((sharpness(part) for part in structured), default=1.0), float(luminance(image).mean())


def exposure(image: np.ndarray, matte: np.ndarray) -> tuple[float, float]:
    """(mean luminance, fraction black or white) of the pixels that belong to the person."""
    grey = luminance(image)[matte > 127]
    if grey.size == 0:
        return 0.0, 1.0
    return float(grey.mean()), float(((grey < 0.02) | (grey > 0.98)).mean())


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of two thumbnails over the first one's standard deviation, blind to exposure."""
    before = before.astype(np.float32)
    return float(np.abs(before - after).mean() / (before.std() + 1))


def histogram_distance(before: np.ndarray, after: np.ndarray) -> float:
    """How little two thumbnails' colours have in common: 0 the same histogram (8 x 8 x 8 bins), 1 disjoint."""

    def histogram(image: np.ndarray) -> np.ndarray:
        bins = (image // 32).astype(int) @ np.array([64, 8, 1])
        smooth = ndimage.gaussian_filter(np.bincount(bins.ravel(), minlength=512).reshape(8, 8, 8).astype(float), 0.7)
        return smooth / smooth.sum()

    return float(0.5 * np.abs(histogram(before) - histogram(after)).sum())


def judge_frame(measures: FrameMeasures, limits: Limits = LIMITS) -> Verdict:
    """Keep a frame unless one of its measures is beyond its limit."""
    m, reasons = measures, []

    def check(wrong: bool, kind: str, text: str) -> None:
        if wrong:
            reasons.append(Reason(kind, text))

    if m.people > 1:
        return Verdict.of([Reason("several_people", f"There are {m.people} people; one is wanted.")])
    unsharp = f"The whole picture is blurred (sharpness {m.whole_sharpness:.3f} where it is sharpest)."
    unclear = m.people == 1 and m.sharpness < limits.sharpness and m.whole_sharpness < 3 * limits.sharpness
    check(m.face_px == 0 and (m.whole_sharpness < limits.sharpness or unclear), "blurred", unsharp)
    if m.people == 0:
        unlit = f"The whole picture is dark (mean {m.whole_brightness:.2f})."
        check(m.whole_brightness < limits.darkest, "dark", unlit)
        headless = Reason("head_cut_off", "There is a body, whose head is cut off by the picture's upper edge.")
        return Verdict.of([*reasons, headless if m.head_cut else Reason("nobody", "Nobody was found.")])
    check(m.face_px == 0, "no_face", "No face can be seen.")
    small = f"The face is {m.face_px:.0f} px high; at least {limits.face_px:.0f} are wanted."
    check(0 < m.face_px < limits.face_px, "small_face", small)
    check(not m.body, "no_body", "No body could be told apart, so no pose.")
    blurred = f"The head is blurred (sharpness {m.sharpness:.3f}, at least {limits.sharpness:.3f} is wanted)."
    check(m.face_px > 0 and m.sharpness < limits.sharpness, "blurred", blurred)
    dark = f"The person is too dark (mean {m.brightness:.2f}, at least {limits.darkest:.2f} is wanted)."
    check(m.brightness < limits.darkest, "dark", dark)
    bright = f"The person is too bright (mean {m.brightness:.2f}, at most {limits.brightest:.2f} is wanted)."
    check(m.brightness > limits.brightest, "bright", bright)
    clipped = f"{m.clipped:.0%} of the person is pure black or white; at most {limits.clipped:.0%} may be."
    check(m.clipped > limits.clipped, "clipped", clipped)
    jumps = f"The person jumps by {m.motion:.2f} of their size between frames; tracking may have slipped."
    check(m.motion > limits.motion, "jump", jumps)
    check(m.head_cut, "head_cut_off", "The head is cut off by the picture's edge.")
    return Verdict.of(reasons)


def judge_clip(frames: Sequence[Verdict], measures: ClipMeasures, complete: bool, limits: Limits = LIMITS) -> Verdict:
    """Keep a clip when enough of its longest shot's frames are kept, it moves, and it is whole.

    frames: the verdicts of the shot's frames; complete: whether the file read to its end. Cuts are a reason only where
    they leave too few frames.
    """
    reasons, count = [], measures.frames
    if not complete:
        reasons.append(Reason("broken", "The file breaks off before its end."))
    elif count < limits.frames:
        cuts = measures.cuts
        after = f" after {cuts} cut{'s' * (cuts > 1)} in the clip" if cuts else ""
        text = f"The longest shot has {count} frames{after}; at least {limits.frames} are wanted."
        reasons.append(Reason("cut" if cuts else "short", text))
    frozen = count >= limits.frames and measures.change < limits.frozen
    if complete and frozen:
        reasons.append(Reason("frozen", "The picture is frozen: nothing changes from frame to frame."))
    if measures.text > limits.text and not frozen:  # in a frozen picture what is printed on clothes stays as well
        reasons.append(Reason("text", f"{measures.text:.0%} of the frames hold writing in the same place."))
    kept = sum(verdict.keep for verdict in frames)
    wanted = min(count, max(int(np.ceil(limits.kept * count)), limits.frames))
    if kept < wanted:
        reasons += _shared(frames, f"Only {kept} of {count} frames can be kept; of", count - wanted)
    return Verdict.of(reasons)


def judge_fit(measures: ClipMeasures, limits: Limits = LIMITS) -> Verdict:
    """Keep a clip when its fitted body lies where the person was seen, and most of the body is seen."""
    reasons = []
    if measures.fit_error > limits.fit_error:
        text = f"Joints of the body lie {measures.fit_error:.1%} of its height from where they were seen"
        reasons.append(Reason("bad_fit", f"{text}; at most {limits.fit_error:.0%} is allowed."))
    if measures.hidden > limits.hidden:
        text = f"{measures.hidden:.0%} of the body in the picture is hidden; at most {limits.hidden:.0%} may be."
        reasons.append(Reason("hidden", text))
    return Verdict.of(reasons)


def _shared(frames: Sequence[Verdict], start: str, spare: int) -> list[Reason]:
    """A reason for each kind that alone drops more than the `spare` frames; the commonest where none does."""
    found: dict[str, list[str]] = {}
    for verdict in frames:
        for reason in verdict.reasons:
            found.setdefault(reason.kind, []).append(reason.text)
    common = sorted(found, key=lambda kind: -len(found[kind]))
    chosen = [kind for kind in common if len(found[kind]) > spare] or common[:1]
    return [Reason(kind, f"{start} {len(found[kind])}: {found[kind][len(found[kind]) // 2]}") for kind in chosen]
