"""How the numbers of many pictures become one: means over people, and bootstrap intervals over people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """One number for many people.

    value: mean over people of each person's mean over pictures; ci95: bootstrap interval of that mean over
    people, None for a single person; per_person: each person's mean.
    """

    value: float
    ci95: tuple[float, float] | None
    n_people: int
    n_frames: int
    per_person: dict[str, float]


def summarise(
    values: Mapping[str | int, Sequence[float]], rng: np.random.Generator, resamples: int = 10_000
) -> Summary:
    """Mean over each person's pictures, then over people, with a percentile bootstrap over people.

    values: person (seed or id) -> one number a picture; people without pictures are left out. People are the
    independent draws (pictures of one person are not), so only they are resampled. ValueError when nothing is
    left or a number is not finite.
    """
    for person, numbers in values.items():
        if not np.isfinite(numbers).all():
            raise ValueError(f"person {person} has a value that is not finite: {list(numbers)}")
    per_person = {str(person): float(np.mean(numbers)) for person, numbers in values.items() if len(numbers)}
    if not per_person:
        raise ValueError("there is no picture to summarise")
    means = np.array(list(per_person.values()))
    ci95 = None
    if len(means) > 1:
        draws = means[rng.integers(len(means), size=(resamples, len(means)))].mean(1)
        low, high = np.quantile(draws, [0.025, 0.975])
        ci95 = (float(low), float(high))
    return Summary(float(means.mean()), ci95, len(means), sum(len(v) for v in values.values()), per_person)


def mean_of_runs(runs: Sequence[Mapping[str | int, Sequence[float]]]) -> dict[str | int, list[float]]:
    """Each picture's mean over several runs (seeds) that were judged on the same pictures of the same people.

    So `summarise` takes people, not seeds, for its independent draws. ValueError when people or pictures differ.
    """
    first = runs[0]
    if any({p: len(v) for p, v in run.items()} != {p: len(v) for p, v in first.items()} for run in runs):
        raise ValueError("the runs were judged on other people or pictures: their mean says nothing")
    return {person: np.mean([run[person] for run in runs], axis=0).tolist() for person in first}


def summarise_difference(
    values: Mapping[str | int, Sequence[float]],
    others: Mapping[str | int, Sequence[float]],
    rng: np.random.Generator,
    resamples: int = 10_000,
) -> Summary:
    """Mean over people of each one's mean in `values` less the same one's in `others`, with a bootstrap over people.

    Paired: what makes a person hard for both drops out. Several seeds: `mean_of_runs` of both first. ValueError when
    the people are not the same.
    """
    if {str(person) for person in values} != {str(person) for person in others}:
        raise ValueError("a paired difference needs the same people on both sides")
    means = {str(person): float(np.mean(numbers)) for person, numbers in others.items()}
    less = {person: [v - means[str(person)] for v in numbers] for person, numbers in values.items()}
    return summarise(less, rng, resamples)
