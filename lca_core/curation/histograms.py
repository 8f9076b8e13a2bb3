"""Histograms of what was measured, as numbers that a template draws."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

WIDTH, BASE = 300, 86  # of the drawing, and of its ground line, in its own units
_BINS = 28
_ROOM = 18  # above the highest bar, for the limits' words


class Bar(NamedTuple):
    """A rectangle; style: "kept" or "dropped"."""

    x: float
    y: float
    width: float
    height: float
    style: str


class Line(NamedTuple):
    """A limit: where it is, its words, and where and how they are set ("start" or "end")."""

    x: float
    words: str
    at: float
    anchor: str


class Histogram(NamedTuple):
    """Bars and limits in the drawing's units, and the ends of the axis in words."""

    bars: list[Bar]
    limits: list[Line]
    low: str
    high: str


def histogram(
    kept: np.ndarray, dropped: np.ndarray, limits: Sequence[tuple[str, float]], form: Callable[[float], str]
) -> Histogram:
    """Two sets of values, stacked, with limits (words, value); from 0 to what 99 % stay below, or a limit.

    form: value to text.
    """
    both = np.concatenate([kept, dropped])
    low = min(0.0, float(both.min()))
    high = max([float(np.quantile(both, 0.99)), *(1.08 * value for _, value in limits)])
    bins = _BINS
    if form(1.5) == form(2.0):  # whole numbers: bars that are as wide as some of them
        step = int(np.ceil((high - low + 1) / _BINS))
        bins = max(int(np.ceil((high - low + 1) / step)), 8)
        high = low + bins * step
    high = high if high > low else low + 1
    edges = np.linspace(low, high, bins + 1)
    counts = [np.histogram(values.clip(low, high), edges)[0] for values in (kept, dropped)]
    scale, wide = (BASE - _ROOM) / max((counts[0] + counts[1]).max(), 1), WIDTH / bins
    bars, under = [], np.zeros(bins)
    for style, heights in zip(("kept", "dropped"), counts):
        for i in np.flatnonzero(heights):
            tall = heights[i] * scale
            bars.append(Bar(i * wide, BASE - under[i] - tall, wide - 1, tall, style))
        under += heights * scale
    lines = []
    for words, value in limits:
        x = WIDTH * (value - low) / (high - low)
        at, anchor = (x + 4, "start") if x < WIDTH / 2 else (x - 4, "end")
        lines.append(Line(x, f"{words} {form(value)}", at, anchor))
    return Histogram(bars, lines, form(low), form(high))
