"""What is dyed or printed on cloth: stripes, checks, dots, flowers, camouflage, geometric figures and logos.

All is drawn in metres of cloth and covers a texel by the share of it that lies inside, so that nothing is finer than
the texture can hold.
"""

import numpy as np

_TABLE = 16  # random numbers of a lattice repeat after so many cells
_PETALS = 5

Ink = tuple[np.ndarray | float, np.ndarray | float]  # how much of the second colour, then of the third, 0..1


def cover(distance: np.ndarray, half: float, texel: float) -> np.ndarray:
    """The share of a texel that lies within `half` of where distance is 0; thin lines fade instead of aliasing."""
    return (half - distance + texel / 2).clip(0, min(texel, 2 * half)) / texel


def cloud(rng: np.random.Generator, shape: tuple[int, int], size: float) -> np.ndarray:
    """Smooth noise in about -1..1 with features of `size` texels, float32 `shape`; it repeats beyond its border."""
    fields = []
    counts = [max(2, round(length / size)) for length in shape]
    coarse = rng.uniform(-1, 1, counts).astype(np.float32)
    for length, count in zip(shape, counts, strict=True):
        place = np.linspace(0, count, length, endpoint=False, dtype=np.float32)
        whole = place.astype(int)
        t = place - whole
        fields.append((whole, (whole + 1) % count, t * t * (3 - 2 * t)))
    (low, high, t), (left, right, s) = fields
    rows = coarse[low] + (coarse[high] - coarse[low]) * t[:, None]
    return rows[:, left] + (rows[:, right] - rows[:, left]) * s


def stripes(x: np.ndarray, period: float, share: float, texel: float) -> np.ndarray:
    """Bands of `share` of each period, centred at its middle."""
    return cover(np.abs(x / period % 1 - 0.5) * period, share * period / 2, texel)


def wave(x: np.ndarray, period: float, texel: float) -> np.ndarray:
    """A cosine that fades out where a texel cannot hold it."""
    strength = np.clip((period / texel - 2) / 2, 0, 1)
    return (strength * np.cos(2 * np.pi / period * x)).astype(np.float32)


def mix(color: np.ndarray, other: np.ndarray | tuple, amount: np.ndarray) -> None:
    """Move `color` [h, w, 3] towards `other` in place."""
    color += (np.asarray(other, np.float32) - color) * np.asarray(amount, np.float32)[..., None]


def pattern_ink(
    name: str, around: np.ndarray, along: np.ndarray, period: float, texel: float, rng: np.random.Generator
) -> Ink:
    """The ink of a pattern that fills the cloth: "plain", "stripes_h", "stripes_v", "checks" or "print".

    around, along: metres, arrays that broadcast to the piece of cloth; period, texel: metres.
    """
    if name == "stripes_h":
        return stripes(along, period, 0.5, texel), _pinstripe(along, period, texel, rng)
    if name == "stripes_v":
        return stripes(around, period, 0.42, texel), _pinstripe(around, period, texel, rng)
    if name == "checks":
        share = rng.uniform(0.35, 0.5)
        second = 0.5 * stripes(around, period, share, texel) + 0.5 * stripes(along, period, share, texel)
        lines = [0.55 * stripes(x + 0.4 * period, period, 0.07, texel) for x in (around, along)]
        return second, 1 - (1 - lines[0]) * (1 - lines[1])
    if name == "print":
        figures = (_dots, _flowers, _camouflage, _geometric)
        return figures[rng.integers(len(figures))](around, along, period, texel, rng)
    return 0.0, 0.0


def _pinstripe(x: np.ndarray, period: float, texel: float, rng: np.random.Generator) -> np.ndarray | float:
    """A thin third line beside the stripes of every other garment."""
    return stripes(x + 0.5 * period, period, 0.10, texel) if rng.random() < 0.5 else 0.0


def _lattice(around, along, period, rng):
    """Staggered cells: (across, up) from each cell's middle, metres, and a random number in 0..1 per cell."""
    table = rng.random((_TABLE, _TABLE), dtype=np.float32)
    row = np.floor(along / period)
    column = around / period + 0.5 * (row % 2)
    whole = np.floor(column)
    pick = table[row.astype(int) % _TABLE, whole.astype(int) % _TABLE]
    up = np.broadcast_to((along / period - row - 0.5) * period, column.shape)
    return (column - whole - 0.5) * period, up, pick


def _dots(around, along, period, texel, rng) -> Ink:
    across, up, pick = _lattice(around, along, period * 0.6, rng)
    ink = cover(np.hypot(across, up), period * 0.6 * rng.uniform(0.2, 0.32), texel)
    third = pick < rng.choice([0.0, 0.4])
    return ink * ~third, ink * third


def _flowers(around, along, period, texel, rng) -> Ink:
    across, up, pick = _lattice(around, along, period, rng)
    turn = np.arctan2(up, across) + 6.28 * pick
    radius, size = np.hypot(across, up), period * (0.28 + 0.16 * pick)
    outline = size * (0.72 + 0.28 * np.cos(_PETALS * turn))
    return _inside(outline - radius, texel), cover(radius, 0.1 * period, texel)


def _camouflage(around, along, period, texel, rng) -> Ink:
    shape = np.broadcast_shapes(around.shape, along.shape)
    fields = [cloud(rng, shape, period / texel) + 0.5 * cloud(rng, shape, 0.4 * period / texel) for _ in range(2)]
    return tuple((40 * (field - edge) + 0.5).clip(0, 1) for field, edge in zip(fields, (0.12, 0.32), strict=True))


def _geometric(around, along, period, texel, rng) -> Ink:
    """Diamonds, triangles or zigzags."""
    across, up, pick = _lattice(around, along, period, rng)
    kind = rng.integers(3)
    if kind == 0:
        size = np.abs(across) + np.abs(up)
        return cover(np.abs(size - 0.36 * period), 0.05 * period, texel), cover(size, 0.17 * period, texel)
    if kind == 1:
        inside = np.maximum(np.abs(across) * 1.7 + up, -up * 1.3) - 0.22 * period
        ink = (0.5 - inside / texel).clip(0, 1)
        return ink * (pick < 0.6), ink * (pick >= 0.6)
    wave = along + np.abs(around / period % 1 - 0.5) * period
    return stripes(wave, 0.5 * period, 0.4, texel), stripes(wave + 0.25 * period, 0.5 * period, 0.12, texel)


def logo_ink(across: np.ndarray, up: np.ndarray, texel: float, rng: np.random.Generator) -> Ink:
    """A logo about the origin within radius 1 (arrays that broadcast, in radii; texel: of one): ring, star, bars,
    letters or an animal."""
    figures = (_ring, _star, _bars, _letters, _animal)
    across, up = np.broadcast_arrays(across, up)
    return figures[rng.integers(len(figures))](across, up, texel, rng)


def _inside(depth: np.ndarray, texel: float) -> np.ndarray:
    """1 where depth > 0, over one texel."""
    return (depth / texel + 0.5).clip(0, 1)


def _ring(x, y, texel, rng) -> Ink:
    radius = np.hypot(x, y)
    return _inside(0.9 - radius, texel), cover(np.abs(radius - 0.62), 0.09, texel)


def _star(x, y, texel, rng) -> Ink:
    points = int(rng.integers(5, 8))
    turn = (np.arctan2(x, y) / (2 * np.pi) * points) % 1
    turn = np.minimum(turn, 1 - turn) * 2 * np.pi / points
    radius = np.hypot(x, y)
    sector, inner = np.pi / points, 0.45
    # The line from a tip (radius 1, angle 0) to the notch beside it (radius `inner`, angle `sector`).
    tip, notch = np.array([0.0, 1.0]), inner * np.array([np.sin(sector), np.cos(sector)])
    edge = notch - tip
    normal = np.array([edge[1], -edge[0]]) / np.hypot(*edge)
    depth = (radius * np.sin(turn) - tip[0]) * normal[0] + (radius * np.cos(turn) - tip[1]) * normal[1]
    return _inside(depth, texel), _inside(0.22 - radius, texel)


def _bars(x, y, texel, rng) -> Ink:
    ends = rng.uniform(0.3, 0.95, 4)
    masks = [
        _inside(np.minimum(0.17 - np.abs(y - height), end - np.abs(x)), texel)
        for height, end in zip((0.66, 0.22, -0.22, -0.66), ends, strict=True)
    ]
    return masks[0] + masks[2] + masks[3], masks[1]


# Strokes between the corners of a box, two wide and three high, as on a display of seven segments.
_STROKES = {
    "a": ((0, 2), (1, 2)), "b": ((1, 2), (1, 1)), "c": ((1, 1), (1, 0)), "d": ((0, 0), (1, 0)), "e": ((0, 0), (0, 1)),
    "f": ((0, 1), (0, 2)), "g": ((0, 1), (1, 1)), "k": ((0, 2), (1, 0)), "z": ((0, 0), (1, 2)),
}  # fmt: skip
_LETTERS = ("adef", "adefg", "aefg", "def", "abefg", "efkbc", "adz", "abcdef")  # C E F L P N Z O: no words


def _letters(x, y, texel, rng) -> Ink:
    count = int(rng.integers(2, 5))
    width = 2.0 / count
    ink = np.zeros(x.shape, np.float32)
    for number in range(count):
        for stroke in _LETTERS[rng.integers(len(_LETTERS))]:
            (x0, y0), (x1, y1) = _STROKES[stroke]
            start = np.array([-1 + width * (number + 0.16 + 0.6 * x0), 0.45 * (y0 - 1)])
            end = np.array([-1 + width * (number + 0.16 + 0.6 * x1), 0.45 * (y1 - 1)])
            ink = np.maximum(ink, cover(_to_segment(x, y, start, end), 0.09, texel))
    return ink, cover(_to_segment(x, y, np.array([-0.9, -0.72]), np.array([0.8, -0.72])), 0.05, texel)


def _to_segment(x, y, start, end) -> np.ndarray:
    along = end - start
    t = (((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1e-9)).clip(0, 1)
    return np.hypot(x - start[0] - t * along[0], y - start[1] - t * along[1])


def _animal(x, y, texel, rng) -> Ink:
    """A cat's, a bear's or a bird's head, or a fish."""
    kind = int(rng.integers(4))
    if kind == 3:
        body = 1 - np.hypot((x - 0.15) / 0.7, y / 0.42)
        tail = np.minimum(0.5 + 1.0 * (-x - 0.75) + 0.05 - np.abs(y), x + 0.98)
        depth = np.maximum(0.45 * body, np.minimum(tail, -x - 0.2))
        return _inside(depth, texel), _inside(0.07 - np.hypot(x - 0.5, y - 0.1), texel)
    side = np.abs(x)
    face = 0.66 - np.hypot(x * 0.92, y + 0.14)
    if kind == 0:  # pointed ears
        ears = np.minimum(0.86 - y - 1.8 * np.abs(side - 0.46), y)
    elif kind == 1:  # round ears
        ears = 0.26 - np.hypot(side - 0.5, y - 0.42)
    else:  # a crest
        ears = np.minimum(0.9 - y - 3.0 * np.abs(x), y - 0.2)
    eyes = 0.10 - np.hypot(side - 0.25, y + 0.02)
    nose = 0.14 - np.hypot(x, (y + 0.36) * (1.4 if kind < 2 else 0.8))
    return _inside(np.maximum(face, ears), texel), _inside(np.maximum(eyes, nose), texel)
