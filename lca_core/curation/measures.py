"""What was measured of items, counted and in words: for the report page and the datasheet alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lca_core.curation.filters import KINDS, Limits
from lca_core.curation.items import Entry, Job


@dataclass(frozen=True)
class Measure:
    """How a measure is told. words: what it is; form: of a value; least, most: the `Limits` it is held to, if any."""

    words: str
    form: str
    least: str = ""
    most: str = ""

    def limits(self, limits: Limits) -> list[tuple[str, float]]:
        """("at least" or "at most", value) of each limit."""
        named = (("at least", self.least), ("at most", self.most))
        return [(words, getattr(limits, name)) for words, name in named if name]


MEASURES = {
    "face_px": Measure("face, brow to chin", "{:.0f} px", least="face_px"),
    "sharpness": Measure("sharpness of the head", "{:.3f}", least="sharpness"),
    "brightness": Measure("brightness of the person", "{:.2f}", least="darkest", most="brightest"),
    "clipped": Measure("black or white share of the person", "{:.1%}", most="clipped"),
    "motion": Measure("motion, in the person's own size", "{:.3f}", most="motion"),
    "fit_error": Measure("fit error of the joints, share of height", "{:.1%}", most="fit_error"),
    "hidden": Measure("hidden share of the body", "{:.1%}", most="hidden"),
    "turn": Measure("turn before the camera", "{:.0f}°"),
    "text": Measure("pictures with writing laid over them", "{:.0%}", most="text"),
    "change": Measure("largest change between pictures", "{:.4f}", least="frozen"),
    "frames": Measure("pictures in the longest shot", "{:.0f}", least="frames"),
    "cuts": Measure("cuts", "{:.0f}"),
}


def readable(text: str) -> str:
    """Text in one line that can be written as UTF-8: names of files need not be valid."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())


def counted(count: int, word: str) -> str:
    """E.g. "1 clip", "1,200 clips"."""
    return f"{count:,} {word}{'s' * (count != 1)}"


def unstated(job: Job) -> list[str]:
    """Of "licence" and "consent", those that whoever ran the curation did not state."""
    return [name for name in ("licence", "consent") if getattr(job, name).strip().lower() in ("", "not stated")]


def count_kinds(entries: Sequence[Entry]) -> dict[str, int]:
    """Items that were dropped for each kind of reason, the commonest first."""
    counts: dict[str, int] = {}
    for entry in entries:
        for kind in {reason.kind for reason in entry.reasons}:
            counts[kind] = counts.get(kind, 0) + 1
    known = list(KINDS)
    return dict(sorted(counts.items(), key=lambda c: (-c[1], known.index(c[0]) if c[0] in known else len(known), c[0])))


def measures_of(entries: Sequence[Entry]) -> dict[str, Measure]:
    """Name -> measure of all that any of these items has, known ones first."""
    found = {name for entry in entries for name in entry.measures if len(values_of([entry], name))}
    others = {name: Measure(readable(name.replace("_", " ")), "{:.3g}") for name in sorted(found - set(MEASURES))}
    return {name: measure for name, measure in (MEASURES | others).items() if name in found}


def values_of(entries: Sequence[Entry], name: str) -> np.ndarray:
    """float64 [n]: a measure of those items that have it; of a file that gave no picture nothing was measured."""
    values = np.array([entry.measures.get(name, np.nan) for entry in entries if entry.frames], float)
    return values[np.isfinite(values)]
