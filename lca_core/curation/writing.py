"""Writing laid over a clip: subtitles, captions, watermarks.

A line of writing is a row of small marks of about one height, on one baseline, with strokes thinner
than they are high. Laid over a clip it stays where it is while the picture moves; what is printed on clothes does not.
Marks are connected parts above or below some level, as in Neumann & Matas, "A method for text localization
and recognition in real-world images", ACCV 2010.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

_HEIGHT_PX = 560  # of the picture, at which lines are looked for
_LEVELS = (150, 180, 210, 235)  # of 255, for bright marks; for dark ones what is left of 255
_MARK_PX = (7, 56)  # heights of marks
_MARKS = 6  # in a line, at least
_SAME = 0.5  # of two pictures' marks, in the same place


class Mark(NamedTuple):
    """A part that may be a letter: its box in pixels, and its number among the parts."""

    left: int
    top: int
    width: int
    height: int
    number: int


def writing(image: np.ndarray) -> np.ndarray:
    """bool [560, w]: marks that belong to lines of writing in a picture uint8 [H, W, 3], brought to 560 px high."""
    height, width = image.shape[:2]
    size = max(16, round(width * _HEIGHT_PX / height)), _HEIGHT_PX
    grey = cv2.cvtColor(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)), cv2.COLOR_RGB2GRAY)
    found = np.zeros(grey.shape, bool)
    for bright in (grey, 255 - grey):
        for level in _LEVELS:
            _, labels, boxes, _ = cv2.connectedComponentsWithStats((bright > level).astype(np.uint8), connectivity=4)
            numbers = [mark.number for line in _lines(_marks(labels, boxes)) for mark in line]
            found |= np.isin(labels, numbers)
    return found


def laid_over(images: Sequence[np.ndarray]) -> float:
    """Share of a clip's pictures (uint8 [H, W, 3], one size) that have a line of writing where a neighbour has it."""
    marks = [writing(image) for image in images]
    stays = [_stays(a, b) for a, b in zip(marks, marks[1:])]
    if not stays:
        return 0.0
    return float(np.mean([any(stays[max(i - 1, 0) : i + 1]) for i in range(len(marks))]))


def _stays(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether half of the marks of the emptier picture are in the other one too."""
    least = min(a.sum(), b.sum())
    return bool(least > 0 and (a & b).sum() > _SAME * least)


def _marks(labels: np.ndarray, boxes: np.ndarray) -> list[Mark]:
    """Parts with the size and strokes of letters, from left to right."""
    _, _, widths, heights, areas = boxes.T
    filled = areas / np.maximum(widths * heights, 1)  # no part at all has no size
    sizes = (heights >= _MARK_PX[0]) & (heights <= _MARK_PX[1]) & (widths <= 2.5 * heights)
    numbers = np.flatnonzero(sizes & (filled > 0.15) & (filled < 0.95))
    marks = [Mark(*boxes[i, :4].tolist(), int(i)) for i in numbers if i > 0]
    return sorted((mark for mark in marks if _thin(mark, labels)), key=lambda mark: mark.left)


def _thin(mark: Mark, labels: np.ndarray) -> bool:
    box = slice(mark.top, mark.top + mark.height), slice(mark.left, mark.left + mark.width)
    stroke = 2 * distance_transform_edt(np.pad(labels[box] == mark.number, 1)).max()
    return bool(stroke < max(0.55 * mark.height, 5))


def _lines(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Rows of marks that are long enough, and not as alike in width as the bars of a fence."""
    lines: list[list[Mark]] = []
    for mark in marks:
        line = next((line for line in lines if _follows(line[-1], mark)), None)
        if line is None:
            lines.append([mark])
        else:
            line.append(mark)
    return [
        line for line in lines
        if len(line) >= _MARKS and np.std([m.width for m in line]) > 0.08 * np.mean([m.height for m in line])
    ]  # fmt: skip


def _follows(before: Mark, mark: Mark) -> bool:
    """Whether a mark stands right of another in one line: alike in height, on one baseline, near."""
    low, high = sorted((before.height, mark.height))
    level = abs((before.top + before.height) - (mark.top + mark.height)) < 0.4 * high
    gap = mark.left - (before.left + before.width)
    return level and high < 2.2 * low and -0.3 * high < gap < 1.3 * high
