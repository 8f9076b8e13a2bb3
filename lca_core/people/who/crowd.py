"""Who is in a crowd of digital humans: shares of classes of skin, age, build, hair and clothes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from lca_core.people.who.shape import AGE_CLASSES
from lca_core.people.who.spec import (
    BEARDS,
    BOTTOMS,
    COATS,
    GLASSES,
    HAIR_STYLES,
    HATS,
    PATTERNS,
    SHOES,
    SKIRTS,
    TOPS,
    PersonSpec,
)
from lca_core.people.who.tones import typology_angle

ADULT = 18.0  # years
# Least individual typology angle of each class, degrees (Chardon et al. 1991; Del Bino et al. 2006).
SKIN_CLASSES = {"very light": 55, "light": 41, "intermediate": 28, "tan": 10, "brown": -30, "dark": -90}
BMI_CLASSES = {"obese": 30.0, "overweight": 25.0, "normal": 18.5, "underweight": 0.0}  # WHO, adults, kg/m^2
HEIGHTS = {"from 1.85 m": 1.85, "from 1.75 m": 1.75, "from 1.65 m": 1.65, "from 1.55 m": 1.55, "under 1.55 m": 0.0}
_RESAMPLES = 1_000


def _least(classes: dict[str, float], value: float) -> str:
    """The first class whose least value is not above `value`; classes from high to low."""
    return next(name for name, least in classes.items() if value >= least)


def _age_class(age: float) -> str:
    """A class of AGE_CLASSES; ages beyond its ends are in the first or the last one."""
    return next((name for name, (_, end) in AGE_CLASSES.items() if age < end), list(AGE_CLASSES)[-1])


def _adult(person: PersonSpec) -> bool:
    return person.build.age >= ADULT


def _kind(worn) -> str:
    return worn.kind if worn is not None else "none"


@dataclass(frozen=True)
class Trait:
    """One way to sort people. of: the class of a person, or None for who is not sorted (`among` says who is)."""

    name: str
    classes: tuple[str, ...]
    of: Callable[[PersonSpec], str | None]
    among: str = "all"


# Shares are of those who can have the trait. What is put on or left off at will (coat, hat, glasses) is a share of
# all people, with "none" as a class of its own; so is a beard, among men.
TRAITS = (
    Trait("skin", tuple(SKIN_CLASSES), lambda p: _least(SKIN_CLASSES, float(typology_angle(np.array(p.skin.color))))),
    Trait("sex", ("female", "male"), lambda p: "female" if p.build.sex < 0.5 else "male"),
    Trait("age", tuple(AGE_CLASSES), lambda p: _age_class(p.build.age)),
    Trait("BMI", tuple(BMI_CLASSES), lambda p: _least(BMI_CLASSES, p.build.bmi) if _adult(p) else None, "adults"),
    Trait("height", tuple(HEIGHTS), lambda p: _least(HEIGHTS, p.build.height) if _adult(p) else None, "adults"),
    Trait("hair", HAIR_STYLES, lambda p: p.hair.style),
    Trait("beard", BEARDS, lambda p: p.skin.beard if _adult(p) and p.build.sex >= 0.5 else None, "men"),
    Trait("top", TOPS, lambda p: p.top.kind if p.top else None, "not in a dress"),
    Trait("pattern", PATTERNS, lambda p: (p.top or p.bottom).pattern, "all, of the top or dress"),
    Trait("bottom", BOTTOMS + SKIRTS, lambda p: p.bottom.kind),
    Trait("shoes", SHOES, lambda p: p.shoes.kind),
    Trait("coat", ("none", *COATS), lambda p: _kind(p.coat)),
    Trait("hat", ("none", *HATS), lambda p: _kind(p.hat)),
    Trait("glasses", ("none", *GLASSES), lambda p: _kind(p.glasses)),
)


@dataclass(frozen=True)
class Smallest:
    """The rarest class of a crowd and its share, with a bootstrap interval (over people) of the smallest share."""

    trait: str
    kind: str
    share: float
    ci95: tuple[float, float]


def class_shares(people: Sequence[PersonSpec]) -> dict[str, dict[str, float]]:
    """trait -> class -> share among the people whom the trait sorts, in [0, 1]; classes that nobody is in have 0.

    Traits that sort nobody are left out. ValueError for a class that the trait does not list.
    """
    sorting = (trait for trait in TRAITS if any(trait.of(person) is not None for person in people))
    return {trait.name: _shares(trait, people) for trait in sorting}


def _shares(trait: Trait, people: Sequence[PersonSpec]) -> dict[str, float]:
    member = _membership(trait, people)
    return dict(zip(trait.classes, (member.sum(0) / member.sum()).tolist()))


def _membership(trait: Trait, people: Sequence[PersonSpec]) -> Bool[np.ndarray, "N C"]:
    kinds = [trait.of(person) for person in people]
    if unknown := set(kinds) - {*trait.classes, None}:
        raise ValueError(f"{trait.name}: {', '.join(sorted(unknown))} is none of {', '.join(trait.classes)}")
    return np.array([[kind == name for name in trait.classes] for kind in kinds])


def class_share_min(people: Sequence[PersonSpec]) -> Smallest:
    """The rarest class of all traits. Every class counts, so an absent one makes the share 0."""
    shares = class_shares(people)
    trait, kind = min(((t, k) for t, classes in shares.items() for k in classes), key=lambda tk: shares[tk[0]][tk[1]])
    generator = np.random.default_rng(0)
    drawn = generator.multinomial(len(people), np.full(len(people), 1 / len(people)), _RESAMPLES).astype(float)
    lows = []
    for each in (trait for trait in TRAITS if trait.name in shares):
        counts = drawn @ _membership(each, people)
        lows.append((counts / np.maximum(counts.sum(1, keepdims=True), 1)).min(1))
    low, high = np.quantile(np.min(lows, 0), [0.025, 0.975])
    return Smallest(trait, kind, shares[trait][kind], (float(low), float(high)))
