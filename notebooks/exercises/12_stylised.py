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
# ### How far must colours move? (10 minutes)
#
# `color_likeness` asks how far the colours of one silhouette must be moved to become those of another. Along one line,
# lightness say, the cheapest way is known: the darkest pixel becomes the darkest, the next the next. Write it for two
# pictures of as many pixels each: the mean distance of values of equal rank. Expected: the order of pixels does not
# matter, and a picture that is 7 lighter everywhere is 7 away.


# %% tags=["solution"]
def moved(a, b):
    """Mean distance that values [N] must move to become values [N] of another picture, in any order."""
    return float(np.abs(np.sort(a) - np.sort(b)).mean())


# %% tags=["check"]
def check_moved(moved):
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 100, 500)
    assert abs(moved(a, rng.permutation(a))) < 1e-9, "the same values in another order: nothing moves"
    assert abs(moved(a, rng.permutation(a + 7)) - 7) < 1e-9, "everything is 7 lighter: everything moves by 7"
    black_and_white = np.repeat([0.0, 100.0], 50)
    found = moved(black_and_white, np.full(100, 50.0))
    assert abs(found - 50) < 1e-9, f"black and white to grey: every pixel moves by 50, not {found:.1f}"


attempt(check_moved, moved)


# %% tags=["mistake"]
def mistake_moved(a, b):
    return float(abs(np.mean(a) - np.mean(b)))  # black and white is grey on average


# %% [markdown] tags=["remark"]
# Colours have three numbers and no order. `color_distance` draws many lines through their space, does this along each
# and takes the mean (the sliced earth mover's distance). Means alone would call an ink drawing and a grey statue alike.

# %% [markdown]
# ### Is a style worse than a photograph? (10 minutes)
#
# People differ: somebody in plain black is easy in every style. So a style is compared with the same people's plain
# pictures, person by person, and its interval comes from drawing people again with replacement. Expected: the mean
# difference, and an interval that does not grow when some people are easier than others in both.


# %% tags=["solution"]
def drop(style, plain, rng, times=2000):
    """(mean of style - plain [P], the interval of 95 % from resampling people `times` times)."""
    less = np.subtract(style, plain)
    means = less[rng.integers(len(less), size=(times, len(less)))].mean(1)
    return float(less.mean()), tuple(np.quantile(means, [0.025, 0.975]))


# %% tags=["check"]
def check_drop(drop):
    rng = np.random.default_rng(0)
    easy = rng.uniform(0.3, 0.9, 40)  # how easy each person is
    style = easy - 0.05 + rng.normal(0, 0.01, 40)
    mean, (low, high) = drop(style, easy, rng)
    assert abs(mean + 0.05) < 0.01, f"the style costs 0.05, not {-mean:.3f}"
    assert low < mean < high, "the interval holds the mean"
    assert high - low < 0.02, f"{high - low:.3f} wide: what makes a person easy in both must drop out"


attempt(check_drop, drop)


# %% tags=["mistake"]
def mistake_drop(style, plain, rng, times=2000):
    pick = lambda x: np.asarray(x)[rng.integers(len(x), size=(times, len(x)))].mean(1)  # noqa: E731
    means = pick(style) - pick(plain)  # other people on either side
    return float(np.mean(style) - np.mean(plain)), tuple(np.quantile(means, [0.025, 0.975]))


# %% [markdown] tags=["remark"]
# Every record of a style keeps this difference beside its value (`protocol.difference`). With few people the paired
# interval is often the only one that says anything.

# %% [markdown]
# ### How far were the proportions followed? (5 minutes)
#
# The avatar of an exaggerated person is given the shape of the ordinary body. Three overlaps tell what it did: `told`,
# of the ordinary person's avatar with the exaggerated silhouette; `shown`, of the exaggerated one's; `plain`, of the
# ordinary avatar with its own silhouette, as good as it gets. Expected: 0 for an avatar that stays with what it was
# told, 1 for one as good as on ordinary people, and no answer (`None`) where the proportions are hardly exaggerated.


# %% tags=["solution"]
def share_followed(told, shown, plain, least=0.01):
    """From `told` (0) to `plain` (1), where `shown` is; None where the two are closer than `least`."""
    return None if plain - told < least else (shown - told) / (plain - told)


# %% tags=["check"]
def check_share_followed(share_followed):
    for told, shown, plain, wanted in ((0.6, 0.6, 0.9, 0), (0.6, 0.9, 0.9, 1), (0.6, 0.7, 0.8, 0.5)):
        found = share_followed(told, shown, plain)
        assert abs(found - wanted) < 1e-6, f"told {told}, shown {shown}, plain {plain}: {wanted}, not {found}"
    assert share_followed(0.9, 0.92, 0.9) is None, "nothing was exaggerated: there is nothing to follow"


attempt(check_share_followed, share_followed)


# %% tags=["mistake"]
def mistake_share_followed(told, shown, plain, least=0.01):
    return None if plain - told < least else shown / plain  # bodies of any proportions overlap for the most part


# %% [markdown] tags=["remark"]
# `stylised.followed` does it. A share of an overlap is no share of a leg: two silhouettes may overlap as much in
# different ways, so look at the sheet, too.
