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
# ### How much of the light went through? (10 minutes)
#
# Section 3 divides two lengths: by how much the avatar's colour changed, over by how much the pictures' did. A length
# knows no direction: an avatar that turns blue where the pictures turn red would pass for a perfect copy. Take the part
# of the avatar's change that goes the pictures' way, over the pictures' change. Expected: 1 for a copy, 0 for one that
# knows better (or changes in some other direction), -1 for the opposite.


# %% tags=["solution"]
def carried_over(pictures, avatar):
    """Signed share of a change of colour; each: (colour [3] in one light, colour [3] in another)."""
    asked, answered = (np.subtract(after, before) for before, after in (pictures, avatar))
    return float(answered @ asked / (asked @ asked))


# %% tags=["check"]
def check_carried_over(carried_over):
    grey, red, blue = np.array([120.0, 120, 120]), np.array([160.0, 110, 110]), np.array([80.0, 130, 130])
    other = np.array([120.0, 130, 110])
    for name, after, wanted in (
        ("a copy", red, 1),
        ("no change", grey, 0),
        ("the opposite", blue, -1),
        ("another way", other, 0),
    ):
        found = carried_over((grey, red), (grey, after))
        assert abs(found - wanted) < 1e-6, f"{name}: {wanted} is expected, not {found:.2f}"
    assert abs(carried_over((grey, red), (blue, blue + (red - grey) / 2)) - 0.5) < 1e-6, "half of it, from elsewhere"


attempt(check_carried_over, carried_over)


# %% tags=["mistake"]
def mistake_carried_over(pictures, avatar):
    asked, answered = (np.linalg.norm(np.subtract(after, before)) for before, after in (pictures, avatar))
    return float(answered / asked)  # lengths only


# %% [markdown] tags=["remark"]
# Apply it to changes: `carried_over((0, asked[seed]), (0, made["albedo"][seed]))`. Where it is lower than `carried`, a
# part of the avatar's change was no light of the pictures: the view is another, and so are the shadows.

# %% [markdown]
# ### Two lamps (10 minutes)
#
# Section 1 has Lambert's law for one lamp. Write it for any number: points with unit normals [N, 3], lamps [M, 6] with
# a unit direction and a colour each. A lamp behind a surface gives nothing, and takes nothing from what another gives.
# Expected: the sum of what the lamps show one at a time, and never a negative number.


# %% tags=["solution"]
def lambert_of(normals, lamps, albedo):
    """Linear colours [N, 3] of a matt surface of one albedo [3] under lamps [M, 6]."""
    falls = np.clip(normals @ lamps[:, :3].T, 0, None)
    return albedo * (falls @ lamps[:, 3:])


# %% tags=["check"]
def check_lambert_of(lambert_of):
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    left, right = np.array([1.0, 0, 0, 0.9, 0.8, 0.7]), np.array([-1.0, 0, 0, 0.2, 0.3, 0.5])
    albedo, facing = np.array([0.5, 1.0, 0.25]), np.array([[1.0, 0.0, 0.0]])
    found = lambert_of(facing, left[None], albedo)
    assert np.allclose(found, [albedo * left[3:]]), "a surface that faces the lamp shows the albedo times its colour"
    assert np.allclose(lambert_of(facing, right[None], albedo), 0), "a lamp behind the surface gives nothing"
    one_by_one = sum(lambert_of(normals, lamp[None], albedo) for lamp in (left, right))
    together = lambert_of(normals, np.stack([left, right]), albedo)
    assert np.allclose(together, one_by_one), "two lamps show what the one shows, and what the other shows, added"


attempt(check_lambert_of, lambert_of)


# %% tags=["mistake"]
def mistake_lambert_of(normals, lamps, albedo):
    return albedo * np.clip(normals @ lamps[:, :3].T @ lamps[:, 3:], 0, None)  # cut off when all is added up


# %% [markdown] tags=["remark"]
# Without the cut, all lamps could be added up first, into sixteen numbers of the light, and shading would be one
# product (Ramamoorthi and Hanrahan 2001). The library cuts each lamp by itself: it costs 48 products and keeps a shadow
# dark.

# %% [markdown]
# ### One brightness for each (5 minutes)
#
# Section 6 gives each method one brightness a person, so that nobody loses for the exposure of a photograph. Which
# factor, on the drawn pixels, comes nearest to the true ones, by the sum of squares over all pixels and channels, in
# linear light? Expected: 2 for a picture that is half as bright as it should be, and of a noisy one a factor from which
# every step away makes the sum larger.


# %% tags=["solution"]
def gain(drawn, true):
    """The factor on `drawn` [P, 3] that brings it nearest to `true` [P, 3]."""
    return float((drawn * true).sum() / (drawn * drawn).sum())


# %% tags=["check"]
def check_gain(gain):
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.05, 0.5, (100, 3))
    assert abs(gain(drawn, 2 * drawn) - 2) < 1e-6, "half as bright as it should be: the factor is 2"
    true = 1.5 * drawn + rng.normal(0, 0.1, drawn.shape)
    best = gain(drawn, true)

    def error(factor):
        return float(((factor * drawn - true) ** 2).sum())

    assert error(best) <= min(error(best * 0.99), error(best * 1.01)), f"{best:.3f} is not where the squares are least"


attempt(check_gain, gain)


# %% tags=["mistake"]
def mistake_gain(drawn, true):
    return float((true / drawn).mean())  # dark pixels, whose ratios are noise, count as much as light ones


# %% [markdown] tags=["remark"]
# `evaluation.relighting.brightness` does it over the photographs, which are not judged. `mean_lights` does it once a
# channel and a light, over everybody's judged pictures: that is why the mean light is a hard opponent.
