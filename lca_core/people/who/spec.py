"""From a seed to what a digital human is: numbers and names only, no geometry.

A seed always gives the same person, whatever else is sampled around it: every group of traits draws from a
random stream of its own, so adding a trait later leaves the others as they were.
"""

from dataclasses import asdict, dataclass

import numpy as np

from lca_core.people.who.shape import Build, sample_shape
from lca_core.people.who.tones import TONES, between, sample_tone

HAIR_STYLES = (
    "bald", "buzz", "short", "side_part", "curly", "afro", "bob", "ponytail", "bun", "braids", "long_straight",
    "long_wavy",
)  # fmt: skip
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
TOPS = ("tshirt", "long_sleeve", "tank", "polo", "shirt", "blouse", "sweater", "hoodie")
BOTTOMS = ("trousers", "jeans", "shorts", "leggings", "joggers")
SKIRTS = ("skirt", "pleated_skirt", "dress", "long_dress")  # a dress is worn without top and bottom
COATS = ("coat", "jacket")  # worn open over a top
SHOES = ("sneakers", "boots", "flats", "sandals")
HATS = ("cap", "beanie", "brim_hat")
GLASSES = ("round", "square", "sunglasses")
PATTERNS = ("plain", "stripes_h", "stripes_v", "checks", "print", "logo")
FABRICS = ("cotton", "denim", "knit", "leather", "satin")

Color = tuple[float, float, float]  # sRGB in 0..1

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
    """tone: 0 (lightest) to 1 (darkest); color: its sRGB; beard: one of BEARDS. Strengths are in 0..1, moles is a
    count; wrinkles is 0 for the young and grows with age."""

    tone: float
    color: Color
    freckles: float
    moles: int
    blush: float
    lips: Color
    lip_strength: float
    brow_density: float
    beard: str
    beard_density: float
    wrinkles: float


@dataclass(frozen=True)
class Hair:
    """style: one of HAIR_STYLES; length: factor on the style's own; part: where it parts, -1 right to 1 left."""

    style: str
    color: Color
    length: float
    part: float


@dataclass(frozen=True)
class Garment:
    """kind: of TOPS, BOTTOMS, SKIRTS, COATS or SHOES; fabric: of FABRICS; pattern: of PATTERNS; scale: its period in
    metres. length and neck in 0..1 run from short to long, from high to deep; loose in 0..1 from tight to wide.
    """

    kind: str
    fabric: str
    pattern: str
    colors: tuple[Color, Color, Color]
    scale: float
    length: float
    neck: float
    loose: float


@dataclass(frozen=True)
class Accessory:
    """kind: of HATS or GLASSES; size in 0..1 from small to large."""

    kind: str
    color: Color
    size: float


@dataclass(frozen=True)
class PersonSpec:
    """All that makes one digital human. betas: float32 [300] shape of the body file.

    Who wears a dress (`bottom.kind` "dress" or "long_dress") has no top.
    """

    seed: int
    betas: np.ndarray
    build: Build
    skin: Skin
    iris: Color
    hair: Hair
    top: Garment | None
    bottom: Garment
    shoes: Garment
    coat: Garment | None = None
    hat: Accessory | None = None
    glasses: Accessory | None = None

    def meta(self) -> dict:
        """What a record says of the person: plain JSON, without the betas (records hold them already)."""
        values = asdict(self)
        del values["betas"]
        return values


def sample_person(seed: int) -> PersonSpec:
    """The person of this seed (any non-negative integer), the same on every machine."""
    shape, face, head, cloth, extra = (np.random.default_rng([seed, stream]) for stream in range(5))
    betas, build = sample_shape(shape)
    skin = _skin(face, build)
    iris = _iris(face, skin.tone)
    hair = _hair(head, skin.tone, build)
    top, bottom, shoes, coat = _outfit(cloth, build)
    hat, glasses = _accessories(extra, hair.style)
    return PersonSpec(seed, betas, build, skin, iris, hair, top, bottom, shoes, coat, hat, glasses)


def _color(values: np.ndarray) -> Color:
    return tuple(float(value) for value in np.clip(values, 0.015, 0.985).round(4))


def _skin(rng: np.random.Generator, build: Build) -> Skin:
    tone = sample_tone(rng)
    warmth = rng.normal(size=2) * [0.014, 0.012]
    undertone = np.array([1.0, 0.0, -1.0]) * warmth[0] + np.array([1.0, -0.5, -0.5]) * warmth[1]
    color = between(TONES, tone) * (1 + undertone)
    natural = color * [0.86, 0.62, 0.62] + [0.03, 0.0, 0.01]
    adult = build.age > 16
    painted = rng.random() < 0.34 * (1 - build.sex) and adult
    lipstick = _LIPSTICK[rng.integers(len(_LIPSTICK))]
    return Skin(
        tone=tone,
        color=_color(color),
        freckles=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.3 * (1 - tone) + 0.05 else 0.0,
        moles=int(rng.integers(0, 9)),
        blush=float(rng.uniform(0.1, 0.8)),
        lips=_color(lipstick if painted else natural),
        lip_strength=0.9 if painted else float(rng.uniform(0.5, 0.85)),
        brow_density=float(rng.uniform(0.45, 1.0)),
        beard=str(rng.choice(BEARDS, p=[0.4, 0.2, 0.1, 0.12, 0.18])) if adult and build.sex > 0.5 else "none",
        beard_density=float(rng.uniform(0.4, 1.0)),
        wrinkles=float(np.clip((build.age - 30) / 45, 0, 1) * rng.uniform(0.7, 1.2)),
    )


def _iris(rng: np.random.Generator, tone: float) -> Color:
    light_eyes = 0.75 * max(0.0, 1 - tone / 0.45) + 0.03
    row = rng.integers(2, len(_IRIS)) if rng.random() < light_eyes else rng.integers(0, 3)
    return _color(_IRIS[row] * rng.uniform(0.85, 1.15) + rng.normal(size=3) * 0.015)


def _hair(rng: np.random.Generator, tone: float, build: Build) -> Hair:
    """A style that goes with sex, age and ancestry; greying with age; now and then dyed."""
    male = build.sex
    weights = {
        "bald": 0.16 * male * (build.age > 25) + 0.01,
        "buzz": 0.02 + 0.16 * male,
        "short": 0.06 + 0.20 * male,
        "side_part": 0.05 + 0.16 * male,
        "curly": 0.10,
        "afro": 0.03 + 0.14 * tone,
        "bob": 0.12 * (1 - male) + 0.02,
        "ponytail": 0.14 * (1 - male) + 0.01,
        "bun": 0.11 * (1 - male) + 0.01,
        "braids": 0.10 * (1 - male) + 0.03 * tone + 0.005,
        "long_straight": 0.12 * (1 - male) + 0.015,
        "long_wavy": 0.12 * (1 - male) + 0.015,
    }
    share = np.array([weights[style] for style in HAIR_STYLES])
    style = str(rng.choice(HAIR_STYLES, p=share / share.sum()))
    lightest = np.interp(tone, [0.1, 0.5, 1.0], [5.0, 3.0, 1.2])
    color = between(_NATURAL_HAIR[:6], rng.beta(1.0, 1.3) * lightest / 5)
    if tone < 0.4 and rng.random() < 0.12:
        color = _NATURAL_HAIR[6]
    grey = np.clip((build.age - rng.normal(52, 10)) / 14, 0, 1)
    color = color * (1 - grey) + _NATURAL_HAIR[7] * rng.uniform(0.75, 1.35) * grey
    if build.age > 13 and rng.random() < 0.08:
        color = _DYED_HAIR[rng.integers(len(_DYED_HAIR))]
    return Hair(style, _color(color * rng.uniform(0.9, 1.1)), float(rng.uniform(0.8, 1.25)), float(rng.uniform(-1, 1)))


def _outfit(
    rng: np.random.Generator, build: Build
) -> tuple[Garment | None, Garment, Garment, Garment | None]:  # fmt: skip
    """Top, bottom, shoes and coat."""
    skirted = rng.random() < 0.50 * (1 - build.sex) + 0.01
    legs = str(rng.choice(BOTTOMS, p=[0.26, 0.28, 0.2, 0.1, 0.16]))
    bottom = _garment(rng, str(rng.choice(SKIRTS)) if skirted else legs)
    male_tops = [0.28, 0.12, 0.07, 0.16, 0.16, 0.0, 0.1, 0.11]
    female_tops = [0.2, 0.13, 0.15, 0.05, 0.08, 0.2, 0.1, 0.09]
    top = _garment(rng, str(rng.choice(TOPS, p=male_tops if rng.random() < build.sex else female_tops)))
    worn_top = None if bottom.kind in ("dress", "long_dress") else top
    shoes = _garment(rng, str(rng.choice(SHOES, p=[0.45, 0.2, 0.2, 0.15])))
    coat = _garment(rng, str(rng.choice(COATS))) if rng.random() < 0.12 else None
    return worn_top, bottom, shoes, coat


# What each kind of garment is mostly made of, and whether it is printed or woven in patterns.
_CLOTH = {
    "tshirt": (("cotton",), True), "long_sleeve": (("cotton", "knit"), True), "tank": (("cotton",), True),
    "polo": (("cotton",), True), "shirt": (("cotton", "denim"), True), "blouse": (("satin", "cotton"), True),
    "sweater": (("knit",), True), "hoodie": (("cotton",), False),
    "trousers": (("cotton",), True), "jeans": (("denim",), False), "shorts": (("cotton", "denim"), True),
    "leggings": (("cotton",), False), "joggers": (("cotton",), False),
    "skirt": (("cotton", "denim", "leather"), True), "pleated_skirt": (("cotton",), True),
    "dress": (("cotton", "satin"), True), "long_dress": (("satin", "cotton"), True),
    "coat": (("cotton", "knit"), True), "jacket": (("leather", "denim", "cotton"), False),
    "sneakers": (("cotton", "leather"), False), "boots": (("leather",), False), "flats": (("leather",), False),
    "sandals": (("leather",), False),
}  # fmt: skip


def _garment(rng: np.random.Generator, kind: str) -> Garment:
    fabrics, patterned = _CLOTH[kind]
    fabric = str(rng.choice(fabrics))
    plain = not patterned or fabric in ("denim", "leather")
    shares = {"plain": 0.36, "stripes_h": 0.16, "stripes_v": 0.10, "checks": 0.14, "print": 0.13, "logo": 0.11}
    if kind not in ("tshirt", "long_sleeve", "tank", "sweater"):
        shares["plain"] += shares.pop("logo")
    pattern = "plain" if plain else str(rng.choice(list(shares), p=list(shares.values())))
    if kind == "hoodie" and rng.random() < 0.4:
        pattern = "logo"
    return Garment(
        kind=kind,
        fabric=fabric,
        pattern=pattern,
        colors=_palette(rng, muted=kind in SHOES + COATS or kind in ("trousers", "joggers", "leggings")),
        scale=float(np.exp(rng.uniform(np.log(0.035), np.log(0.11)))),
        length=float(rng.random()),
        neck=float(rng.random()),
        loose=float(rng.random()),
    )


def _accessories(rng: np.random.Generator, style: str) -> tuple[Accessory | None, Accessory | None]:
    hat = glasses = None
    if rng.random() < 0.18 and style not in ("afro", "bun"):
        hat = Accessory(str(rng.choice(HATS)), _color(_cloth_color(rng, True)), float(rng.random()))
    if rng.random() < 0.26:
        dark = rng.random() < 0.6
        color = np.full(3, rng.uniform(0.03, 0.12)) if dark else _cloth_color(rng, False)
        glasses = Accessory(str(rng.choice(GLASSES, p=[0.38, 0.4, 0.22])), _color(color), float(rng.random()))
    return hat, glasses


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
