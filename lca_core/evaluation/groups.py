"""Whether an avatar is as good for one kind of person as for another: a metric by skin, age, build, sex, hair, clothes.

Of many groups one is always the worst. A group is named only where the difference between it and everybody else is
larger than chance explains, all groups that were looked at being counted (Bonferroni).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from lca_core.people.who.crowd import TRAITS
from lca_core.people.who.spec import PersonSpec

LEAST = 12  # people; smaller classes are merged
OTHERS = "others"
SORTED_BY = {  # traits of `crowd.TRAITS` -> whether their classes have an order, in which neighbours are merged
    "skin": True, "age": True, "BMI": True, "height": True, "sex": False, "hair": False, "top": False,
    "bottom": False, "coat": False, "hat": False, "glasses": False,
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A class of a trait, or several merged: its mean, how far that is from everybody else's mean of the trait, and the
    interval of this difference, widened for the number of groups compared."""

    trait: str
    name: str
    people: tuple[str, ...]
    mean: float
    less: float
    interval: tuple[float, float]

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval[0] > 0 or self.interval[1] < 0


def classes_of(people: Mapping[str, PersonSpec], trait: str) -> dict[str, list[str]]:
    """Class -> people of one of `SORTED_BY`, in the trait's order; classes of fewer than `LEAST` people merged: with
    the smaller neighbour where classes have an order, else all together as "others". Whom the trait does not sort is
    left out; so is a trait of which not two classes remain."""
    of = next(each for each in TRAITS if each.name == trait)
    found: dict[str, list[str]] = {name: [] for name in of.classes}
    for person, spec in people.items():
        if (name := of.of(spec)) is not None:
            found[name].append(person)
    found = {name: members for name, members in found.items() if members}
    merged = merged_neighbours(found) if SORTED_BY[trait] else merged_rest(found)
    return merged if len(merged) > 1 else {}


def merged_neighbours(classes: Mapping[str, Sequence[str]], least: int = LEAST) -> dict[str, list[str]]:
    """Ordered classes of at least so many people: the smallest joins its smaller neighbour until all are."""
    groups = [([name], list(members)) for name, members in classes.items()]
    while len(groups) > 1:
        number = min(range(len(groups)), key=lambda i: len(groups[i][1]))
        if len(groups[number][1]) >= least:
            break
        sides = [i for i in (number - 1, number + 1) if 0 <= i < len(groups)]
        first, second = sorted((number, min(sides, key=lambda i: len(groups[i][1]))))
        (names, members), (more, others) = groups[first], groups[second]
        groups[first : second + 1] = [(names + more, members + others)]
    return {" or ".join(names): members for names, members in groups if len(members) >= least}


def merged_rest(classes: Mapping[str, Sequence[str]], least: int = LEAST) -> dict[str, list[str]]:
    """Classes of at least so many people, and the people of all others together if these are as many."""
    large = {name: list(members) for name, members in classes.items() if len(members) >= least}
    rest = [person for name, members in classes.items() if name not in large for person in members]
    return large | ({OTHERS: rest} if len(rest) >= least else {})


def groups_of(values: Mapping[str, float], people: Mapping[str, PersonSpec], confidence: float = 0.95) -> list[Group]:
    """All groups of all traits, of a metric with one value a person; the same people in both. ValueError where they are
    not the same."""
    if set(values) != set(people):
        raise ValueError("groups need to know who everybody is whose value is given")
    sorted_ = {trait: classes for trait in SORTED_BY if (classes := classes_of(people, trait))}
    count = sum(len(classes) if len(classes) > 2 else 1 for classes in sorted_.values())  # two classes: one difference
    groups = []
    for trait, classes in sorted_.items():
        everybody = {person for members in classes.values() for person in members}
        for name, members in classes.items():
            own = np.array([values[person] for person in members])
            rest = np.array([values[person] for person in sorted(everybody - set(members))])
            less, interval = difference(own, rest, 1 - (1 - confidence) / count)
            groups.append(Group(trait, name, tuple(members), float(own.mean()), less, interval))
    return groups


def difference(own: np.ndarray, rest: np.ndarray, confidence: float) -> tuple[float, tuple[float, float]]:
    """(mean of `own` less mean of `rest`, its interval) of two independent samples whose spreads need not be alike
    (Welch 1947)."""
    shares = np.array([x.var(ddof=1) / len(x) for x in (own, rest)])
    less, error = float(own.mean() - rest.mean()), float(np.sqrt(shares.sum()))
    if error == 0:
        return less, (less, less)
    freedom = shares.sum() ** 2 / (shares**2 / (np.array([len(own), len(rest)]) - 1)).sum()
    half = float(student.ppf((1 + confidence) / 2, freedom)) * error
    return less, (less - half, less + half)


def worst_group(groups: Sequence[Group], more_is_better: bool = True) -> Group | None:
    """Of the groups that differ for the worse, the one farthest from everybody else; None where chance may explain all
    of it."""
    sign = 1 if more_is_better else -1
    worse = [group for group in groups if group.differs and sign * group.less < 0]
    return min(worse, key=lambda group: sign * group.less, default=None)


def told(groups: Sequence[Group], more_is_better: bool = True) -> str:
    """In a sentence: which group is worst, or that none can be told from the others."""
    worst = worst_group(groups, more_is_better)
    traits = len({group.trait for group in groups})
    if worst is None:
        return f"none of {len(groups)} groups of {traits} traits can be told from everybody else"
    low, high = worst.interval
    return (
        f"worst, of {len(groups)} groups of {traits} traits: {worst.trait} {worst.name}, {worst.less:+.2f} beside "
        f"everybody else ({low:+.2f} to {high:+.2f}, {len(worst.people)} people)"
    )
