"""Groups of people: small ones are merged, and a worst one is named only where chance does not explain it."""

import numpy as np
import pytest

from lca_core.evaluation.groups import (
    LEAST,
    OTHERS,
    SORTED_BY,
    difference,
    groups_of,
    merged_neighbours,
    merged_rest,
    told,
    worst_group,
)
from lca_core.people.who.crowd import TRAITS
from lca_core.people.who.spec import sample_person


def members(first: int, count: int) -> list[str]:
    return [str(first + i) for i in range(count)]


@pytest.fixture(scope="module")
def people():
    return {str(seed): sample_person(seed) for seed in range(10_000, 10_064)}


def sizes(groups: dict[str, list[str]]) -> dict[str, int]:
    return {name: len(people) for name, people in groups.items()}


def test_small_neighbours_are_merged_until_all_are_large_enough():
    classes = {"young": members(0, 4), "grown": members(10, 20), "old": members(40, 9), "oldest": members(60, 5)}
    assert sizes(merged_neighbours(classes)) == {"young or grown": 24, "old or oldest": 14}
    assert merged_neighbours({"all": members(0, 5)}) == {}
    assert sizes(merged_neighbours({"all": members(0, 12)})) == {"all": 12}


def test_of_classes_without_order_the_small_ones_are_the_others_or_left_out():
    classes = {"bob": members(0, 15), "bun": members(20, 7), "afro": members(30, 5), "buzz": members(40, 13)}
    assert sizes(merged_rest(classes)) == {"bob": 15, "buzz": 13, OTHERS: 12}
    assert sizes(merged_rest(classes | {"bun": members(20, 6)})) == {"bob": 15, "buzz": 13}


def test_every_group_is_large_enough_and_nobody_is_in_two_of_a_trait(people):
    groups = groups_of(dict.fromkeys(people, 25.0), people)
    assert set(SORTED_BY) <= {trait.name for trait in TRAITS} and {"skin", "sex", "age"} <= {g.trait for g in groups}
    for trait in {group.trait for group in groups}:
        own = [person for group in groups if group.trait == trait for person in group.people]
        assert len(set(own)) == len(own)
    assert min(len(group.people) for group in groups) >= LEAST
    assert worst_group(groups) is None and "can be told" in told(groups)


def test_the_interval_of_a_difference_holds_it_as_often_as_it_says(rng):
    held = []
    for _ in range(1000):
        low, high = difference(rng.normal(24, 3, 14), rng.normal(25, 1, 50), 0.95)[1]
        held.append(low <= -1 <= high)
    assert 0.93 < np.mean(held) < 0.97


def test_where_nobody_differs_a_group_is_named_no_more_often_than_once_in_twenty(people, rng):
    named = [
        any(group.differs for group in groups_of(dict(zip(people, rng.normal(25, 2, len(people)))), people))
        for _ in range(200)
    ]
    assert np.mean(named) < 0.09


def test_a_group_that_is_worse_is_found_and_named_whichever_way_the_metric_runs(people, rng):
    values = {person: rng.normal(25, 1) - 3 * (spec.build.sex >= 0.5) for person, spec in people.items()}
    groups = groups_of(values, people)
    worst = worst_group(groups)
    assert (worst.trait, worst.name) == ("sex", "male") and worst.less == pytest.approx(-3, abs=0.7)
    assert "sex male" in told(groups) and worst_group(groups, more_is_better=False).name == "female"


def test_who_is_not_known_cannot_be_sorted(people):
    with pytest.raises(ValueError, match="who everybody is"):
        groups_of({"10000": 1.0}, people)
