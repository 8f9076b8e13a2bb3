"""Which frames and clips are worth training on: measures first, then limits, each with a sentence.

Measures are plain numbers so that their distribution can be looked at before a limit is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

SHARPNESS_PX = 128  # heads are compared at about the smoke profile's size; larger ones are reduced to it


@dataclass(frozen=True)
class Limits:
    """Where the filters draw their lines.

    face_px to motion are limits of `FrameMeasures`; shot_cut of `histogram_distance` between neighbouring
    frames (in the clips of `samples` cuts score 0.16 and more, all else 0.08 and less); frozen of `change` (a clip
    that never changes more); frames: the fewest a shot may have; kept: the fraction of them to be kept. sharpness:
    the astronaut scores 0.27 as she is, 0.06 blurred by 1 px of her 108 px face, 0.014 by 2 px.
    """

    face_px: float = 24
    sharpness: float = 0.02
    darkest: float = 0.08
    brightest: float = 0.92
    clipped: float = 0.5
    motion: float = 0.25
    shot_cut: float = 0.12
    frozen: float = 0.0015
    frames: int = 4
    kept: float = 0.5


LIMITS = Limits()


@dataclass(frozen=True)
class FrameMeasures:
    """What can be told of one frame.

    people: how many were found; face_px: brow to chin, 0 where no face was found; sharpness: variance of the
    Laplacian over variance, of the luminance around the head; brightness: mean luminance of the
    person in [0, 1]; clipped: fraction of the person's pixels that are black or white; motion: how far the
    person moved since the frame before, in their own sizes; edges: the picture's edges that cut the person.
    """

    people: int
    face_px: float = 0.0
    sharpness: float = 0.0
    brightness: float = 0.0
    clipped: float = 0.0
    motion: float = 0.0
    edges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """keep, and if not, why: one sentence a reason."""

    keep: bool
    reasons: tuple[str, ...]


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


def exposure(image: np.ndarray, matte: np.ndarray) -> tuple[float, float]:
    """(mean luminance, fraction black or white) of the pixels that belong to the person."""
    grey = luminance(image)[matte > 127]
    if grey.size == 0:
        return 0.0, 1.0
    return float(grey.mean()), float(((grey < 0.02) | (grey > 0.98)).mean())


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of two thumbnails, in [0, 1]."""
    return float(np.abs(before.astype(np.float32) - after).mean() / 255)


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
    if m.people == 0:
        return Verdict(False, ("Nobody was found in the frame.",))
    if m.people > 1:
        return Verdict(False, (f"There are {m.people} people in the frame; one is wanted.",))
    if m.face_px == 0:
        reasons.append("No face can be seen.")
    elif m.face_px < limits.face_px:
        reasons.append(f"The face is {m.face_px:.0f} px high; at least {limits.face_px:.0f} are wanted.")
    if m.sharpness < limits.sharpness:
        reasons.append(f"The head is blurred (sharpness {m.sharpness:.3f}, at least {limits.sharpness:.3f} is wanted).")
    if m.brightness < limits.darkest:
        reasons.append(f"The person is too dark (mean {m.brightness:.2f}, at least {limits.darkest:.2f} is wanted).")
    if m.brightness > limits.brightest:
        reasons.append(f"The person is too bright (mean {m.brightness:.2f}, at most {limits.brightest:.2f} is wanted).")
    if m.clipped > limits.clipped:
        reasons.append(f"{m.clipped:.0%} of the person is pure black or white; at most {limits.clipped:.0%} may be.")
    if m.motion > limits.motion:
        reasons.append(f"The person jumps by {m.motion:.2f} of their size between frames; tracking may have slipped.")
    if "top" in m.edges:
        reasons.append("The head is cut off by the picture's edge.")
    return Verdict(not reasons, tuple(reasons))


def judge_clip(
    frames: Sequence[Verdict], changes: Sequence[float], cuts: int, complete: bool, limits: Limits = LIMITS
) -> Verdict:
    """Keep a clip when enough of its longest shot's frames are kept, it moves, and it is whole.

    frames: the verdicts of the shot's frames; changes: `change` between neighbours; cuts: how many shot cuts
    the clip has (a reason is given only where they leave too few frames); complete: whether it read to its end.
    """
    reasons = []
    if not complete:
        reasons.append("The file breaks off before its end.")
    if len(frames) < limits.frames:
        after = f" after {cuts} cut{'s' * (cuts > 1)} in the clip" if cuts else ""
        reasons.append(f"The longest shot has {len(frames)} frames{after}; at least {limits.frames} are wanted.")
    elif len(changes) and max(changes) < limits.frozen:
        reasons.append("The picture is frozen: nothing changes from frame to frame.")
    kept = sum(verdict.keep for verdict in frames)
    if frames and kept < max(limits.kept * len(frames), min(limits.frames, len(frames))):
        counted = _most_common(frames)
        reasons.append(f"Only {kept} of {len(frames)} frames can be kept. Most often: {counted}")
    return Verdict(not reasons, tuple(reasons))


def _most_common(frames: Sequence[Verdict]) -> str:
    said = [reason for verdict in frames for reason in verdict.reasons]
    # numbers differ from frame to frame: count by the sentence's beginning
    starts = [reason[:18] for reason in said]
    return said[max(range(len(said)), key=lambda i: starts.count(starts[i]))]
