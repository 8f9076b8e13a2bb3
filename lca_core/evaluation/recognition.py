"""Whether people can be told apart: distances of a recogniser's numbers, and its equal error rate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

RESAMPLES = 1_000
FEW = 8  # people, below which resampling them says nothing


@dataclass(frozen=True)
class Pairs:
    """Distances of all pairs of pictures. distances: [P]; first, second: [P] numbers of the two people in `people`."""

    people: tuple[str, ...]
    distances: Float[np.ndarray, " P"]
    first: Int[np.ndarray, " P"]
    second: Int[np.ndarray, " P"]

    @property
    def same(self) -> Float[np.ndarray, " S"]:
        """Distances between pictures of one person."""
        return self.distances[self.first == self.second]

    @property
    def different(self) -> Float[np.ndarray, " D"]:
        """Distances between pictures of two people."""
        return self.distances[self.first != self.second]

    def histogram(self, bins: int = 50) -> dict[str, list]:
        """Numbers of same and different pairs in equal bins of distance from 0 to 1 (or the largest beyond it):
        edges [bins + 1], same [bins], different [bins]."""
        edges = np.linspace(0, max(1.0, float(self.distances.max())), bins + 1)
        counts = {name: np.histogram(getattr(self, name), edges)[0].tolist() for name in ("same", "different")}
        return {"edges": edges.round(4).tolist(), **counts}

    def among(self, groups: Mapping[str, object]) -> "Pairs":
        """Only pairs within a group: of people with the same value in `groups` (by person)."""
        group = np.unique([str(groups[person]) for person in self.people], return_inverse=True)[1]
        kept = group[self.first] == group[self.second]
        return Pairs(self.people, self.distances[kept], self.first[kept], self.second[kept])


@dataclass(frozen=True)
class Recognition:
    """How well people are told apart. threshold: the distance at which both errors are `equal_error_rate`; ci95:
    bootstrap over people, None for fewer than eight; pairs: what it was measured on, for a histogram."""

    equal_error_rate: float
    threshold: float
    ci95: tuple[float, float] | None
    pairs: Pairs


def pairs_of(embeddings: Mapping[str, Float[np.ndarray, "N 128"]]) -> Pairs:
    """All pairs of pictures, each once; person -> embeddings of their pictures. People without one are left out."""
    people = tuple(person for person, rows in embeddings.items() if len(rows))
    if not people:
        raise ValueError("there is no embedding to compare")
    rows = np.concatenate([np.asarray(embeddings[person], float) for person in people])
    owner = np.repeat(np.arange(len(people)), [len(embeddings[person]) for person in people])
    square = (rows**2).sum(1)
    distances = np.sqrt(np.maximum(square[:, None] + square - 2 * rows @ rows.T, 0))
    a, b = np.triu_indices(len(rows), 1)
    return Pairs(people, distances[a, b], owner[a], owner[b])


def equal_error_rate(same: Float[np.ndarray, " S"], different: Float[np.ndarray, " D"]) -> tuple[float, float]:
    """(rate, threshold) at which as large a share of same pairs lies above the threshold as of different ones at or
    below it. Where the two shares never meet, their mean at the threshold where they are nearest.

    0 is told apart without error, 0.5 is guessing. ValueError without pairs of both kinds.
    """
    if not len(same) or not len(different):
        raise ValueError("an equal error rate needs pairs of the same person and of different people")
    distances = np.concatenate([same, different])
    order = np.argsort(distances, kind="stable")
    is_same = np.arange(len(distances)) < len(same)
    rate, place = _equal_error(is_same[order], np.ones(len(distances)), _last_of_ties(distances[order]))
    return rate, float(distances[order][place])


def _last_of_ties(ordered: np.ndarray) -> Bool[np.ndarray, " P"]:
    return np.append(ordered[1:] > ordered[:-1], True)


def _equal_error(is_same: np.ndarray, weights: np.ndarray, last: np.ndarray) -> tuple[float, int]:
    """(rate, place) for pairs in the order of their distance; a threshold takes all pairs up to its place."""
    same, different = np.where(is_same, weights, 0), np.where(is_same, 0, weights)
    rejected = 1 - np.cumsum(same) / same.sum()
    accepted = np.cumsum(different) / different.sum()
    place = int(np.where(last, np.abs(rejected - accepted), np.inf).argmin())
    return float(rejected[place] + accepted[place]) / 2, place


def recognise(pairs: Pairs, resamples: int = RESAMPLES) -> Recognition:
    """The equal error rate of all pairs with its bootstrap interval.

    People are resampled, not pairs: a pair counts as often as its two people were drawn (their product for two
    people, the number itself for one).
    """
    rate, threshold = equal_error_rate(pairs.same, pairs.different)
    ci95 = None
    if len(pairs.people) >= FEW:
        order = np.argsort(pairs.distances, kind="stable")
        first, second, last = pairs.first[order], pairs.second[order], _last_of_ties(pairs.distances[order])
        is_same = first == second
        generator = np.random.default_rng(0)
        count = len(pairs.people)
        rates = []
        for _ in range(resamples):
            drawn = np.bincount(generator.integers(count, size=count), minlength=count)
            weights = np.where(is_same, drawn[first], drawn[first] * drawn[second])
            if weights[is_same].any() and weights[~is_same].any():
                rates.append(_equal_error(is_same, weights, last)[0])
        ci95 = tuple(float(x) for x in np.quantile(rates, [0.025, 0.975]))
    return Recognition(rate, threshold, ci95, pairs)


def nearest_other(pairs: Pairs) -> dict[str, tuple[str, float]]:
    """Person -> the other person whose picture is nearest to one of theirs, and how near."""
    nearest: dict[str, tuple[str, float]] = {}
    for i in np.argsort(pairs.distances):
        a, b = (pairs.people[owner[i]] for owner in (pairs.first, pairs.second))
        if a != b:
            nearest.setdefault(a, (b, float(pairs.distances[i])))
            nearest.setdefault(b, (a, float(pairs.distances[i])))
        if len(nearest) == len(pairs.people):
            break
    return nearest


def farthest_own(pairs: Pairs) -> dict[str, float]:
    """Person -> the largest distance between two pictures of theirs; people with one picture are left out."""
    inside = pairs.first == pairs.second
    farthest = np.full(len(pairs.people), -1.0)
    np.maximum.at(farthest, pairs.first[inside], pairs.distances[inside])
    return {person: float(value) for person, value in zip(pairs.people, farthest) if value >= 0}
