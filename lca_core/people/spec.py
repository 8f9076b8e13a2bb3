"""From a seed to what a digital human is: numbers and names only, no geometry.

A seed always gives the same person, whatever else is sampled around it: every group of traits draws from a
random stream of its own, so adding a trait later leaves the others as they were.
"""

from dataclasses import asdict, dataclass

import numpy as np

HAIR_STYLES = ("bald", "buzz", "short", "side_part", "bob", "afro", "curly", "long")
TOPS = ("tshirt", "long_sleeve", "tank")
BOTTOMS = ("trousers", "shorts", "skirt")
PATTERNS = ("plain", "stripes_h", "stripes_v", "checks", "print", "logo")

Color = tuple[float, float, float]  # sRGB in 0..1

_TONES = np.array(  # light to dark, sRGB; spans individual typology angles of about 65 to -55 degrees
    [
        [0.965, 0.855, 0.790],
        [0.925, 0.775, 0.685],
        [0.870, 0.690, 0.570],
        [0.780, 0.580, 0.445],
        [0.650, 0.450, 0.320],
        [0.480, 0.315, 0.215],
        [0.330, 0.210, 0.150],
        [0.225, 0.145, 0.110],
    ]
)
_NATURAL_HAIR = np.array(
    [
        [0.055, 0.045, 0.045],
        [0.120, 0.085, 0.070],
        [0.230, 0.150, 0.100],
        [0.370, 0.240, 0.150],
        [0.560, 0.420, 0.260],
        [0.800, 0.660, 0.440],
        [0.520, 0.230, 0.110],
        [0.600, 0.590, 0.580],
    ]
)
_DYED_HAIR = np.array(
    [[0.75, 0.12, 0.20], [0.15, 0.30, 0.70], [0.85, 0.40, 0.65], [0.20, 0.55, 0.35], [0.45, 0.20, 0.60]]
)
_LIPSTICK = np.array([[0.66, 0.10, 0.16], [0.55, 0.13, 0.27], [0.80, 0.35, 0.36], [0.40, 0.10, 0.12]])
_IRIS = np.array(
    [
        [0.25, 0.14, 0.07],
        [0.36, 0.22, 0.11],
        [0.45, 0.33, 0.16],
        [0.36, 0.42, 0.23],
        [0.35, 0.50, 0.62],
        [0.45, 0.55, 0.62],
        [0.40, 0.44, 0.46],
    ]
)


@dataclass(frozen=True)
class Skin:
    """tone: 0 (lightest) to 1 (darkest); color: its sRGB. Strengths are in 0..1, moles is a count."""

    tone: float
    color: Color
    freckles: float
    moles: int
    blush: float
    lips: Color
    lip_strength: float
    brow_density: float
    stubble: float


@dataclass(frozen=True)
class Hair:
    """style: one of HAIR_STYLES; length: factor on the style's own; part: where it parts, -1 right to 1 left."""

    style: str
    color: Color
    length: float
    part: float


@dataclass(frozen=True)
class Garment:
    """kind: of TOPS, BOTTOMS or "shoes"; pattern: of PATTERNS; scale: period in metres.

    length and neck in 0..1 run from short to long, from high to deep; loose in 0..1 from tight to wide.
    """

    kind: str
    pattern: str
    colors: tuple[Color, Color, Color]
    scale: float
    length: float
    neck: float
    loose: float


@dataclass(frozen=True)
class PersonSpec:
    """All that makes one digital human. betas: float32 [300] shape of the body file."""

    seed: int
    betas: np.ndarray
    skin: Skin
    iris: Color
    hair: Hair
    top: Garment
    bottom: Garment
    shoes: Garment

    def meta(self) -> dict:
        """What a record says of the person: plain JSON, without the betas (records hold them already)."""
        values = asdict(self)
        del values["betas"]
        return values


def sample_person(seed: int) -> PersonSpec:
    """The person of this seed (any non-negative integer), the same on every machine."""
    shape, face, head, cloth = (np.random.default_rng([seed, stream]) for stream in range(4))
    betas = np.zeros(300, np.float32)
    betas[:10] = np.clip(shape.normal(size=10), -2.0, 2.0)  # build, age, sex, ancestry
    betas[0] *= 0.45  # stature, 0.24 m each: adults of 1.5 to 2.0 m
    betas[10:50] = np.clip(0.6 * shape.normal(size=40), -1.2, 1.2)  # what tells one face from another
    skin = _skin(face)
    iris = _iris(face, skin.tone)
    hair = _hair(head, skin.tone)
    top = _garment(cloth, str(cloth.choice(TOPS, p=[0.5, 0.32, 0.18])), ("plain",) * 2 + PATTERNS)
    bottom = _garment(cloth, str(cloth.choice(BOTTOMS, p=[0.6, 0.25, 0.15])), ("plain",) * 5 + PATTERNS[1:5])
    shoes = _garment(cloth, "shoes", ("plain",))
    return PersonSpec(seed, betas, skin, iris, hair, top, bottom, shoes)


def _between(table: np.ndarray, position: float) -> np.ndarray:
    steps = np.linspace(0, 1, len(table))
    return np.array([np.interp(position, steps, table[:, channel]) for channel in range(3)])


def _color(values: np.ndarray) -> Color:
    return tuple(float(value) for value in np.clip(values, 0.015, 0.985).round(4))


def _skin(rng: np.random.Generator) -> Skin:
    tone = float(rng.uniform(0.0, 1.0))
    warmth = rng.normal(size=2) * [0.014, 0.012]
    undertone = np.array([1.0, 0.0, -1.0]) * warmth[0] + np.array([1.0, -0.5, -0.5]) * warmth[1]
    color = _between(_TONES, tone) * (1 + undertone)
    natural = color * [0.86, 0.62, 0.62] + [0.03, 0.0, 0.01]
    painted = rng.random() < 0.2
    lipstick = _LIPSTICK[rng.integers(len(_LIPSTICK))]
    return Skin(
        tone=tone,
        color=_color(color),
        freckles=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.3 * (1 - tone) + 0.05 else 0.0,
        moles=int(rng.integers(0, 9)),
        blush=float(rng.uniform(0.15, 1.0)),
        lips=_color(lipstick if painted else natural),
        lip_strength=0.9 if painted else float(rng.uniform(0.5, 0.85)),
        brow_density=float(rng.uniform(0.45, 1.0)),
        stubble=float(rng.uniform(0.3, 1.0)) if not painted and rng.random() < 0.18 else 0.0,
    )


def _iris(rng: np.random.Generator, tone: float) -> Color:
    light_eyes = 0.75 * max(0.0, 1 - tone / 0.45) + 0.03
    row = rng.integers(2, len(_IRIS)) if rng.random() < light_eyes else rng.integers(0, 3)
    return _color(_IRIS[row] * rng.uniform(0.85, 1.15) + rng.normal(size=3) * 0.015)


def _hair(rng: np.random.Generator, tone: float) -> Hair:
    weights = np.array([0.05, 0.10, 0.18, 0.17, 0.16, 0.08 + 0.1 * tone, 0.12, 0.14])
    style = str(rng.choice(HAIR_STYLES, p=weights / weights.sum()))
    if rng.random() < 0.08:
        color = _DYED_HAIR[rng.integers(len(_DYED_HAIR))]
    elif rng.random() < 0.07:
        color = _NATURAL_HAIR[7] * rng.uniform(0.7, 1.35)
    else:
        lightest = np.interp(tone, [0.1, 0.5, 1.0], [5.0, 3.0, 1.2])
        place = rng.beta(1.0, 1.3) * lightest
        color = _between(_NATURAL_HAIR[:6], place / 5)
        if tone < 0.4 and rng.random() < 0.12:
            color = _NATURAL_HAIR[6]
    return Hair(style, _color(color * rng.uniform(0.9, 1.1)), float(rng.uniform(0.8, 1.25)), float(rng.uniform(-1, 1)))


def _garment(rng: np.random.Generator, kind: str, patterns: tuple[str, ...]) -> Garment:
    pattern = str(rng.choice(patterns))
    return Garment(
        kind=kind,
        pattern=pattern,
        colors=_palette(rng, muted=kind == "shoes"),
        scale=float(np.exp(rng.uniform(np.log(0.035), np.log(0.11)))),
        length=float(rng.random()),
        neck=float(rng.random()),
        loose=float(rng.random()),
    )


def _palette(rng: np.random.Generator, muted: bool) -> tuple[Color, Color, Color]:
    """A main colour and two that can be told from it: muted, saturated, near black or near white."""
    base = _cloth_color(rng, muted)
    others = []
    while len(others) < 2:
        other = _cloth_color(rng, muted)
        if abs(_luma(other) - _luma(base)) > 0.18 or rng.random() < 0.1:
            others.append(other)
    return _color(base), _color(others[0]), _color(others[1])


def _luma(color: np.ndarray) -> float:
    return float(color @ [0.299, 0.587, 0.114])


def _cloth_color(rng: np.random.Generator, muted: bool) -> np.ndarray:
    kind = rng.random()
    if kind < 0.16:
        return np.full(3, rng.uniform(0.82, 0.95)) - [0.0, 0.01, rng.uniform(0.0, 0.06)]
    if kind < (0.55 if muted else 0.30):
        return np.full(3, rng.uniform(0.06, 0.22)) + [0.0, 0.0, rng.uniform(0.0, 0.03)]
    saturation = rng.uniform(0.12, 0.4) if muted or rng.random() < 0.45 else rng.uniform(0.55, 0.95)
    value = rng.uniform(0.25, 0.9)
    hue = rng.random() * 6
    wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return value * (1 - saturation + saturation * wheel)
