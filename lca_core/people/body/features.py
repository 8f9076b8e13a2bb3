"""Where brows, beards and wrinkles lie on a face, as functions of the place on the template.

Places are `offset` [..., 3]: metres from the point between the template's eyes, x to the person's left, y up, z
forward. On the template the lids end at x = 16 and 46 mm, the nose at y = -55 mm, the lips at y = -61 and -83 mm and
x = 24 mm, the chin at y = -113 mm. What is painted there moves with every person's own face.
"""

from dataclasses import dataclass

import numpy as np

_STRANDS = 512  # numbers a brow's hairs are drawn from


@dataclass(frozen=True)
class Brow:
    """Shape of a brow in metres: from `inner` to `outer` (x), `height` above the eyes at its inner end, rising by
    `tilt` to its outer end and by `arch` more at `peak` (share of its length); `thickness` is half its width at the
    inner end, `taper` how much of it is lost to the outer end; density in 0..1."""

    inner: float
    outer: float
    height: float
    tilt: float
    arch: float
    peak: float
    thickness: float
    taper: float
    density: float

    @classmethod
    def sample(cls, rng: np.random.Generator, sex: float, density: float) -> "Brow":
        """Thick or thin, arched, straight or angled; men's lower, straighter and thicker on average."""
        return cls(
            inner=rng.uniform(0.0075, 0.0150),
            outer=rng.uniform(0.0475, 0.0570),
            height=rng.uniform(0.0150, 0.0205) + 0.0025 * (1 - sex),
            tilt=rng.uniform(-0.0045, 0.0055),
            arch=rng.uniform(0.0005, 0.0060) + 0.0020 * (1 - sex),
            peak=rng.uniform(0.45, 0.75),
            thickness=rng.uniform(0.0018, 0.0042) + 0.0012 * sex,
            taper=rng.uniform(0.35, 0.8),
            density=(0.45 + 0.55 * density) * rng.uniform(0.75, 1.0),
        )

    def cover(self, offset: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """How much hair covers the skin at these places, [...] in 0..1."""
        x, y = np.abs(offset[..., 0]), offset[..., 1]
        along = (x - self.inner) / (self.outer - self.inner)
        inside = along.clip(0, 1)
        rise = np.where(inside < self.peak, inside / self.peak, (1 - inside) / (1 - self.peak))
        middle = self.height + self.tilt * inside + self.arch * (1 - np.square(1 - rise))
        across = y - middle
        half = self.thickness * (1 - self.taper * inside**1.5)
        ends = soft(along + 0.02, 0.05) * soft(1.02 - along, 0.10)
        strands = rng.uniform(0.25, 1.0, _STRANDS).astype(np.float32)
        number = (x * 1800 - across * np.where(across > 0, 900, 1500)).astype(np.int64) + 97 * (offset[..., 0] > 0)
        hairs = strands[number % _STRANDS]
        full = soft(half - np.abs(across), np.maximum(0.35 * half, 0.0007)) * ends
        return full * (offset[..., 2] > -0.03) * self.density * (0.45 + 0.55 * hairs)


def beard_region(kind: str, offset: np.ndarray) -> np.ndarray:
    """Where a beard of this kind ("stubble", "moustache", "goatee", "full") grows, [...] in 0..1."""
    x, y, z = np.abs(offset[..., 0]), offset[..., 1], offset[..., 2]
    lips = soft(0.0116 - np.hypot((x * 0.46), y + 0.072), 0.0015)
    if kind == "moustache":
        return _moustache(x, y) * (1 - lips)
    width = 0.021 + 0.15 * (y + 0.113).clip(-0.02, 0.03)
    chin = soft(width - x, 0.004) * soft(-0.089 - y, 0.0025) * soft(y + 0.121, 0.006)
    if kind == "goatee":
        sides = soft(0.0045 - np.abs(x - 0.0285), 0.002) * soft(-0.064 - y, 0.003) * soft(y + 0.105, 0.004)
        patch = soft(0.006 - x, 0.002) * soft(-0.083 - y, 0.002) * soft(y + 0.1, 0.004)
        return np.maximum.reduce([_moustache(x, y), chin, sides, patch]) * (1 - lips) * soft(z + 0.05, 0.02)
    if kind not in ("stubble", "full"):
        raise ValueError(f"no beard is called {kind!r}")
    line = np.interp(x, [0.014, 0.030, 0.050, 0.060, 0.064, 0.067], [-0.055, -0.060, -0.066, -0.050, -0.020, 0.012])
    cheek = soft(line - y, 0.004 if kind == "full" else 0.007) * soft(z + 0.068, 0.010) * soft(0.004 - y, 0.014)
    front = np.interp(y, [-0.085, -0.070, -0.050, -0.020, 0.010], [0.1, 0.0, -0.032, -0.044, -0.047])
    cheek *= 1 - soft(x - 0.045, 0.005) * soft(z - front, 0.004)  # whiskers end in a sideburn before the ear
    cheek *= soft(y + 0.117 - 0.35 * (x - 0.03).clip(0), 0.007)
    soul = soft(0.0035 - np.abs(y + 0.0865), 0.002) * soft(0.016 - x, 0.004) * soft(x - 0.005, 0.002)
    return cheek * (1 - lips) * (1 - 0.5 * soul)


def _moustache(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    top = -0.0545 - 0.30 * (x - 0.012).clip(0)
    bottom = -0.0635 - 0.55 * (x - 0.014).clip(0)
    groove = 0.45 + 0.55 * soft(x - 0.002, 0.002)
    return soft(top - y, 0.002) * soft(y - bottom, 0.002) * soft(0.0315 - x, 0.003) * groove


def wrinkle_lines(offset: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(lines of age, lines that even the young have) at places [..., 3], each [...] in 0..1.

    Forehead lines, frown lines, crow's feet and lines from the mouth down come with age; the folds beside the nose
    and under the eyes are there before.
    """
    x, y = offset[..., 0] + rng.normal(0, 0.0006), offset[..., 1]
    side = np.abs(x)
    front = soft(offset[..., 2] + 0.035, 0.012)
    age = np.zeros_like(y)
    for number in range(4):
        level = 0.039 + 0.0088 * number + rng.normal(0, 0.0012)
        wave = 0.0028 * np.cos(side * np.pi / 0.05) + 0.0007 * np.sin(x * rng.uniform(120, 240) + rng.uniform(0, 6))
        reach = rng.uniform(0.028, 0.042)
        _add(age, rng.uniform(0.5, 1.0) * _ridge(y - level - wave, 0.0012) * soft(reach - side, 0.012))
    frown = 0.0062 + rng.normal(0, 0.0008) + 0.06 * (y - 0.016)
    _add(age, rng.uniform(0.3, 1.0) * _ridge(side - frown, 0.0010) * _between(y, 0.006, 0.027, 0.004))
    for angle in (-34.0, -6.0, 22.0):
        turn = np.radians(angle + rng.normal(0, 5))
        out, up = side - 0.0475, y + 0.0015
        along, across = out * np.cos(turn) + up * np.sin(turn), up * np.cos(turn) - out * np.sin(turn)
        bent = across + 9.0 * along**2 * np.sign(angle)
        _add(age, 0.8 * _ridge(bent, 0.0009) * _between(along, 0.002, rng.uniform(0.010, 0.017), 0.002))
    corner = 0.0275 + 0.12 * (-0.082 - y).clip(0)
    _add(age, 0.5 * _ridge(side - corner, 0.0016) * _between(y, -0.098, -0.083, 0.006))
    bag = -0.0155 - 0.0035 * np.sin(np.pi * ((side - 0.012) / 0.034).clip(0, 1))
    _add(age, 0.5 * _ridge(y - bag, 0.0011) * _between(side, 0.015, 0.040, 0.005))

    down = ((-0.041 - y) / 0.038).clip(0, 1)
    fold = 0.0170 + 0.0150 * down**0.85
    young = _ridge(side - fold, 0.0022) * _between(y, -0.073, -0.046, 0.009)
    tear = -0.0105 - 0.20 * (side - 0.014).clip(0)
    _add(young, 0.6 * _ridge(y - tear, 0.0015) * _between(side, 0.014, 0.030, 0.004))
    return age * front, young * front


def soft(value: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """0 below -width, 1 above width, smooth between."""
    t = (value / (2 * width) + 0.5).clip(0, 1)
    return t * t * (3 - 2 * t)


def _ridge(distance: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-np.square(distance / width))


def _between(value: np.ndarray, low: float, high: float, width: float) -> np.ndarray:
    return soft(value - low, width) * soft(high - value, width)


def _add(lines: np.ndarray, line: np.ndarray) -> None:
    np.maximum(lines, line, out=lines)
