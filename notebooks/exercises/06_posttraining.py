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
# ### A rate for each layer (5 minutes)
#
# lr(l) = lr * gamma^(L - l), for l from 0 (what makes tokens) to L (the last layer and the decoders). Expected, for the
# paper's L = 8 and gamma = 0.65: the first encoder layer (l = 1) learns at 0.049 of the decoders' rate, twenty times
# more slowly. And gamma = 0 leaves the last one alone moving.


# %% tags=["solution"]
def rates(depth, lr, gamma):
    """Learning rates [depth + 1], of l = 0 first."""
    return [lr * gamma ** (depth - layer) for layer in range(depth + 1)]


# %% tags=["check"]
def check_rates(rates):
    found = rates(8, 1.0, 0.65)
    assert len(found) == 9, f"nine rates, for l = 0 to 8, not {len(found)}"
    assert abs(found[1] - 0.049) < 1e-4, f"l = 1 learns at 0.049, not {found[1]:.3f}"
    assert list(rates(4, 2e-4, 1.0)) == [2e-4] * 5, "gamma = 1 is no decay"
    assert list(rates(4, 2e-4, 0.0)) == [0, 0, 0, 0, 2e-4], "gamma = 0 moves the last one, and nothing else"


attempt(check_rates, rates)


# %% tags=["mistake"]
def mistake_rates(depth, lr, gamma):
    return [lr * gamma**layer for layer in range(depth + 1)]  # slows the decoders instead


# %% [markdown] tags=["remark"]
# The tokens before it learn thirty times more slowly: what holds the prior hardly moves, what draws the studio's
# detail is free. In the paper gamma = 0 costs about 3 dB in the studio (27.464 against 30.514, Table S1): decoders
# alone cannot learn what the studio shows.

# %% [markdown]
# ### Gained, and forgotten (10 minutes)
#
# A mean over people hides who pays. Compare two models on the same people, person by person: each one's mean over
# their pictures, after less before. Expected: the mean gain over people, and the share of people who lost. A person
# with ten pictures counts as much as one with two.


# %% tags=["solution"]
def compared(before, after):
    """(mean gain, share of people who lost); before, after: {person: numbers of their pictures}, more is better."""
    gains = np.array([np.mean(after[person]) - np.mean(before[person]) for person in before])
    return float(gains.mean()), float((gains < 0).mean())


# %% tags=["check"]
def check_compared(compared):
    before = {"a": [20.0, 22.0], "b": [25.0] * 10, "c": [18.0]}
    after = {"c": [18.5], "b": [24.0] * 10, "a": [23.0, 25.0]}  # in another order
    gain, lost = compared(before, after)
    assert abs(gain - (3 - 1 + 0.5) / 3) < 1e-9, f"a gains 3, b loses 1, c gains 0.5: 0.83 on average, not {gain:.2f}"
    assert abs(lost - 1 / 3) < 1e-9, f"one of three lost, not {lost:.2f}"


attempt(check_compared, compared)


# %% tags=["mistake"]
def mistake_compared(before, after):
    pooled = [np.concatenate(list(of.values())) for of in (after, before)]  # whoever has many pictures decides
    return float(pooled[0].mean() - pooled[1].mean()), 0.0


# %% [markdown] tags=["remark"]
# Paired like this, what makes a person hard for both models drops out, and far fewer people tell a gain from chance.

# %% [markdown]
# ### In shares of an even share (5 minutes)
#
# Section 6 prints attention as multiples of what each patch would have if all had the same. Patches that show nobody
# are never asked and do not count. Expected: 1 everywhere for a token that looks nowhere in particular; and however it
# looks, a mean of 1.


# %% tags=["solution"]
def even_shares(weights, on_person):
    """Attention weights [K], which sum to one over the patches on_person [K], as multiples of an even share there."""
    return weights[on_person] * on_person.sum()


# %% tags=["check"]
def check_even_shares(even_shares):
    on_person = np.array([True, True, False, True, True, False])
    flat = np.where(on_person, 0.25, 0.0)
    found = even_shares(flat, on_person)
    assert np.allclose(found, np.ones(4)), f"four patches at 1, not {found}"
    one = np.array([0, 1.0, 0, 0, 0, 0])
    assert np.allclose(even_shares(one, on_person), [0, 4, 0, 0]), "all on one of four is four even shares"


attempt(check_even_shares, even_shares)


# %% tags=["mistake"]
def mistake_even_shares(weights, on_person):
    return weights[on_person] * len(weights)  # counts patches that are never asked


# %% [markdown] tags=["remark"]
# Without such a measure a map with a colour scale of its own always looks as if it had found something.
