# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
import numpy as np

from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### Person by person (10 minutes)
#
# Two rows were judged on the same people. Give the mean of their differences and its 95 % interval by a bootstrap:
# draw as many people as there are, with repetition, take the mean of *their differences*, do that 4,000 times; the
# middle 95 % of these means. Expected: where people differ by 3 dB among themselves and one row is half a decibel
# better on nearly everybody, an interval of a few hundredths to either side, not of a decibel and more.


# %% tags=["solution"]
def gain(ours, theirs, rng, resamples=4000):
    """(mean, low, high) of how much more ours has; each {person: value}, of the same people; rng: numpy's."""
    less = np.array([ours[person] - theirs[person] for person in ours])
    means = less[rng.integers(len(less), size=(resamples, len(less)))].mean(1)
    return less.mean(), *np.quantile(means, [0.025, 0.975])


# %% tags=["check"]
def check_gain(gain):
    rng = np.random.default_rng(0)
    theirs = {n: rng.normal(25, 3) for n in range(16)}
    ours = {n: theirs[n] + 0.5 + rng.normal(0, 0.1) for n in reversed(range(16))}
    mean, low, high = gain(ours, theirs, np.random.default_rng(1))
    assert abs(mean - 0.5) < 0.1, f"half a decibel is expected, not {mean:.2f}"
    assert low < mean < high, f"the mean is not inside {low:.2f} to {high:.2f}"
    assert high - low < 0.2, f"an interval of {high - low:.2f} dB: were the same people drawn on both sides?"


attempt(check_gain, gain)


# %% tags=["mistake"]
def mistake_gain(ours, theirs, rng, resamples=4000):
    mine, other = (np.array(list(side.values())) for side in (ours, theirs))

    def means(values):
        return values[rng.integers(len(values), size=(resamples, len(values)))].mean(1)

    return mine.mean() - other.mean(), *np.quantile(means(mine) - means(other), [0.025, 0.975])  # two crowds


# %% [markdown] tags=["remark"]
# Taken for two crowds, the same numbers say "between a decibel and a half worse and two and a half better". Nearly all
# of a person's PSNR is the person's own: checks are hard and plain shirts are easy, for every row alike.

# %% [markdown]
# ### A verdict (5 minutes)
#
# From an interval of a difference to the three words of this notebook. Expected: "holds here" where the whole interval
# is on the side that is better, "does not hold here" where it is on the other, "cannot be told" where zero is inside
# or at an end. Mind metrics of which less is better.


# %% tags=["solution"]
def verdict(low, high, more_is_better=True):
    """The verdict on "ours is better", of the interval of ours less theirs."""
    if low <= 0 <= high:
        return "cannot be told"
    return "holds here" if (low > 0) == more_is_better else "does not hold here"


# %% tags=["check"]
def check_verdict(verdict):
    for low, high, more, wanted in (
        (0.1, 0.4, True, "holds here"),
        (-0.4, -0.1, True, "does not hold here"),
        (-0.1, 0.4, True, "cannot be told"),
        (0.0, 0.4, True, "cannot be told"),
        (-0.02, -0.01, False, "holds here"),
        (0.01, 0.02, False, "does not hold here"),
    ):
        found = verdict(low, high, more)
        what = "psnr" if more else "lpips"
        assert found == wanted, f"{what}, {low} to {high}: {wanted!r} is expected, not {found!r}"


attempt(check_verdict, verdict)


# %% tags=["mistake"]
def mistake_verdict(low, high, more_is_better=True):
    if low <= 0 <= high:
        return "cannot be told"
    return "holds here" if low > 0 else "does not hold here"  # of LPIPS, less is better


# %% [markdown] tags=["remark"]
# "Cannot be told" is no verdict of equality. It says that with these people, seeds and steps nobody knows; with ten
# times as many the interval would be a third as wide.

# %% [markdown]
# ### How many people would tell? (10 minutes)
#
# A claim that cannot be told: how many test people would it take? The 95 % interval of a mean reaches 1.96 standard
# deviations over the root of the number of people to either side. Give the smallest number at which the interval of a
# true difference `gain` would leave out zero. Expected: differences that spread by 0.5 dB, a gain of 0.1 dB: 97 people;
# half the gain takes four times as many.


# %% tags=["solution"]
def people_needed(spread, gain):
    """Smallest whole number of people; spread: standard deviation of the differences; gain: their true mean."""
    return int(np.floor((1.96 * spread / gain) ** 2)) + 1


# %% tags=["check"]
def check_people_needed(people_needed):
    for spread, gain, wanted in ((0.5, 0.1, 97), (0.5, 0.05, 385), (0.5, -0.1, 97), (0.1, 1.0, 1)):
        found = people_needed(spread, gain)
        assert found == wanted, f"spread {spread}, gain {gain}: {wanted} are expected, not {found}"
    assert isinstance(people_needed(0.3, 0.2), int), "people are whole"


attempt(check_people_needed, people_needed)


# %% tags=["mistake"]
def mistake_people_needed(spread, gain):
    return round(1.96 * spread / abs(gain))  # forgot that the root is of the number of people


# %% [markdown] tags=["remark"]
# Apply it to the rows above that cannot be told. More people make the interval of *these trainings* narrower; that
# another training of the same row, begun from other random weights, comes out elsewhere, only more seeds can tell.
