import numpy as np
import pytest

from lca_core.judges.summaries import mean_of_runs, summarise, summarise_difference


def test_people_weigh_the_same_whatever_their_number_of_pictures(rng):
    summary = summarise({10000: [10.0] * 9, 10001: [20.0], 10002: []}, rng)
    assert (summary.value, summary.n_people, summary.n_frames) == (15.0, 2, 10)
    assert summary.per_person == {"10000": 10.0, "10001": 20.0}


def test_the_interval_is_over_people_and_repeats_with_the_seed():
    draw = np.random.default_rng(1)
    values = {seed: [float(v)] for seed, v in enumerate(draw.normal(25, 2, 40))}
    first, again = (summarise(values, np.random.default_rng(5)) for _ in range(2))
    assert first == again
    half = 1.96 * 2 / np.sqrt(40)
    low, high = first.ci95
    assert low < first.value < high and high - low == pytest.approx(2 * half, rel=0.3)


def test_one_person_has_no_interval_and_no_number_may_be_missing(rng):
    assert summarise({1: [3.0]}, rng).ci95 is None
    with pytest.raises(ValueError, match="person 2"):
        summarise({2: [float("nan")]}, rng)
    with pytest.raises(ValueError, match="no picture"):
        summarise({1: []}, rng)


def test_seeds_are_averaged_picture_by_picture():
    runs = [{10000: [10.0, 20.0], 10001: [30.0]}, {10000: [12.0, 22.0], 10001: [34.0]}]
    assert mean_of_runs(runs) == {10000: [11.0, 21.0], 10001: [32.0]}
    with pytest.raises(ValueError, match="other people or pictures"):
        mean_of_runs([runs[0], {10000: [10.0], 10001: [30.0]}])


def test_a_paired_interval_does_not_see_what_makes_people_hard_for_both(rng):
    draw = np.random.default_rng(1)
    hard = draw.normal(25, 5, 16)
    theirs = {seed: [float(v), float(v) + 1] for seed, v in enumerate(hard)}
    mine = {seed: [v + 0.5 + 0.1 * draw.normal() for v in values] for seed, values in theirs.items()}
    difference = summarise_difference(mine, theirs, rng)
    assert difference.value == pytest.approx(0.5, abs=0.1) and (difference.n_people, difference.n_frames) == (16, 32)
    low, high = difference.ci95
    assert 0.35 < low < high < 0.65 < np.ptp(summarise(mine, rng).ci95)
    means = {str(seed): [float(np.mean(values))] for seed, values in theirs.items()}  # as records keep them
    assert summarise_difference(mine, means, rng).value == pytest.approx(difference.value)
    with pytest.raises(ValueError, match="same people"):
        summarise_difference(mine, {0: [1.0]}, rng)
