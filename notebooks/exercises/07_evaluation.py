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
import torch

from lca_core.judges.metrics import psnr, psnr_fg
from lca_core.judges.summaries import summarise
from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### From one PSNR to the other (10 minutes)
#
# Whole-frame PSNR counts the empty background, where nothing can be wrong. If all the error lies on the person, who
# fills a share of the frame, then one number gives the other: the same squared error is spread over fewer pixels. Write
# that. Expected: at a share of a tenth, 30 dB of the whole frame are 20 dB of the person; and what two metrics of the
# library say of a picture agrees with it.


# %% tags=["solution"]
def foreground_psnr(whole, share):
    """psnr_fg in dB from psnr in dB, where the person fills a `share` of the frame and the rest is right."""
    return whole + 10 * np.log10(share)


# %% tags=["check"]
def check_foreground_psnr(foreground_psnr):
    assert abs(foreground_psnr(30.0, 0.1) - 20) < 1e-6, f"20 dB are expected, not {foreground_psnr(30.0, 0.1)}"
    assert abs(foreground_psnr(25.0, 1.0) - 25) < 1e-6, "a person who fills the frame"
    generator = torch.Generator().manual_seed(0)
    truth, matte = torch.rand(40, 40, 3, generator=generator), torch.zeros(40, 40)
    matte[5:35, 15:25] = 1
    drawn = torch.lerp(torch.ones(3), (truth + 0.1 * torch.randn(truth.shape, generator=generator)), matte[..., None])
    by_hand = foreground_psnr(float(psnr(drawn, truth, matte)), float(matte.mean()))
    measured = float(psnr_fg(drawn, truth, matte))
    assert abs(by_hand - measured) < 0.01, f"psnr_fg is {measured:.2f} dB there, not {by_hand:.2f}"


attempt(check_foreground_psnr, foreground_psnr)


# %% tags=["mistake"]
def mistake_foreground_psnr(whole, share):
    return whole * share  # decibels are logarithms


# %% [markdown] tags=["remark"]
# A person who stands a little farther away gains decibels without being drawn any better. Of two tables with another
# framing, PSNR says nothing.

# %% [markdown]
# ### How sure? (15 minutes)
#
# A record's interval comes from a bootstrap over people: draw as many people as there are, with repetition, take the
# mean of their means; do that many times; the middle 95 % of these means are the interval. People are drawn, not
# pictures, because pictures of one person are not independent. Expected, of 64 people: about 1.96 standard deviations
# over the root of 64 to either side.


# %% tags=["solution"]
def interval(values, rng, resamples=4000):
    """(low, high) of 95 %; values: {person: numbers of their pictures}; rng: a numpy Generator."""
    means = np.array([np.mean(numbers) for numbers in values.values()])
    drawn = means[rng.integers(len(means), size=(resamples, len(means)))].mean(1)
    return tuple(np.quantile(drawn, [0.025, 0.975]))


# %% tags=["check"]
def check_interval(interval):
    rng = np.random.default_rng(0)
    people = {n: rng.normal(25, 2) + rng.normal(0, 0.3, 12) for n in range(64)}
    low, high = interval(people, np.random.default_rng(1))
    means = np.array([np.mean(numbers) for numbers in people.values()])
    half = 1.96 * means.std() / 8
    assert low < means.mean() < high, f"the mean is not inside {low:.2f} to {high:.2f}"
    assert abs((high - low) / 2 / half - 1) < 0.1, f"{half:.2f} to either side is expected, not {(high - low) / 2:.2f}"
    theirs = summarise(people, np.random.default_rng(1)).ci95
    assert np.allclose((low, high), theirs, atol=0.05), f"the library says {theirs}"


attempt(check_interval, interval)


# %% tags=["mistake"]
def mistake_interval(values, rng, resamples=4000):
    pooled = np.concatenate([*values.values()])  # pictures, as if each were another person
    drawn = pooled[rng.integers(len(pooled), size=(resamples, len(pooled)))].mean(1)
    return tuple(np.quantile(drawn, [0.025, 0.975]))


# %% [markdown] tags=["remark"]
# Pooled, twelve pictures of one person pretend to be twelve people, and the interval comes out at less than a third of
# its width. A striped shirt is hard in all its pictures.

# %% [markdown]
# ### A likeness, and its price (10 minutes)
#
# "Recognised in 98 %" means nothing without saying how often a stranger would pass. Put the threshold where 5 % of
# strangers pass (the 5 % quantile of their distances), and say what share of the pairs of one person pass then: smaller
# distances are more alike. Expected: 1 where the two are well apart, and about 0.05 where nothing tells them apart.


# %% tags=["solution"]
def accepted(same, different, strangers=0.05):
    """(share of `same` below the threshold, threshold) at which a share of `different` passes; distances, arrays."""
    threshold = float(np.quantile(different, strangers))
    return float((np.asarray(same) < threshold).mean()), threshold


# %% tags=["check"]
def check_accepted(accepted):
    rng = np.random.default_rng(0)
    different = rng.normal(0.8, 0.1, 20_000)
    share, threshold = accepted(rng.normal(0.3, 0.05, 1000), different)
    assert share == 1, f"all of one person pass, not {share:.2f}"
    assert abs((different < threshold).mean() - 0.05) < 0.002, "one stranger in twenty passes"
    nothing, _ = accepted(rng.normal(0.8, 0.1, 20_000), different)
    assert abs(nothing - 0.05) < 0.01, f"what tells nobody apart accepts 0.05, not {nothing:.2f}"


attempt(check_accepted, accepted)


# %% tags=["mistake"]
def mistake_accepted(same, different, strangers=0.05):
    return float((np.asarray(same) < 0.6).mean()), 0.6  # dlib's threshold, for other pictures of other people


# %% [markdown] tags=["remark"]
# A threshold that somebody found for photographs holds for photographs. On small faces of digital humans it would let
# most strangers pass, and every likeness would look perfect.
