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
import torch

from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### The picture again (5 minutes)
#
# `patch_rows` cuts a picture into rows of 14 x 14 pixels. Nothing is lost by that: write the way back, for rows of any
# number of channels. Expected: cut and put together again, a picture is the same to the last bit.


# %% tags=["solution"]
def picture_of(rows, channels, patch=14):
    """Rows [side * side, channels * patch * patch], row by row of patches -> the picture [H, W, channels]."""
    side = round(len(rows) ** 0.5)
    cut = rows.unflatten(1, (channels, patch, patch)).unflatten(0, (side, side))  # [row, column, channel, y, x]
    return cut.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)


# %% tags=["check"]
def check_picture_of(picture_of):
    image = torch.arange(28 * 28 * 4.0).reshape(28, 28, 4)
    cut = image.unflatten(1, (2, 14)).unflatten(0, (2, 14))  # as patch_rows does it
    rows = cut.permute(0, 2, 4, 1, 3).flatten(0, 1).flatten(1)
    again = picture_of(rows, 4)
    assert again.shape == image.shape, f"a picture of 28 x 28 pixels and 4 channels, not {[*again.shape]}"
    assert torch.equal(again, image), "the pixels are in other places"
    assert torch.equal(picture_of(rows[:, :196], 1), image[..., :1]), "with one channel it goes wrong"


attempt(check_picture_of, picture_of)


# %% tags=["mistake"]
def mistake_picture_of(rows, channels, patch=14):
    side = round(len(rows) ** 0.5)
    cut = rows.unflatten(1, (channels, patch, patch)).unflatten(0, (side, side))
    return cut.permute(0, 4, 1, 3, 2).flatten(2, 3).flatten(0, 1)  # x where y should be


# %% [markdown] tags=["remark"]
# A row holds all of its patch, and the model's first layer mixes all of it. What the tokens lose is lost there, not in
# the cutting.

# %% [markdown]
# ### Whom not to ask (10 minutes)
#
# In a batch one person has four photographs and another has one, and patches that show nobody are left out. The library
# keeps all of them in one tensor and says with a **mask** who may be asked. Write attention with such a mask. Expected:
# shares that sum to one over those who are there, exactly what a shorter list would have given; and zeros, not NaN,
# where nobody may be asked.


# %% tags=["solution"]
def masked_attention(queries, keys, values, there):
    """Answers [B, Q, C] to queries [B, Q, C] by keys and values [B, K, C], of which there [B, K] may be asked."""
    fits = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
    shares = fits.masked_fill(~there[:, None], -torch.inf).softmax(-1)
    return shares.nan_to_num() @ values


# %% tags=["check"]
def check_masked_attention(masked_attention):
    generator = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(3, count, 8, generator=generator) for count in (4, 6, 6))
    there = torch.tensor([[True] * 6, [True] * 2 + [False] * 4, [False] * 6])
    answers = masked_attention(queries, keys, values, there)
    for name, number, count in (("all", 0, 6), ("two", 1, 2)):
        shares = (queries[number] @ keys[number, :count].T / 8**0.5).softmax(-1)
        wanted = shares @ values[number, :count]
        assert torch.allclose(answers[number], wanted, atol=1e-5), f"asking {name}: not what a list of {count} gives"
    assert torch.equal(answers[2], torch.zeros(4, 8)), f"nobody there: zeros, not {answers[2, 0, 0]}"


attempt(check_masked_attention, masked_attention)


# %% tags=["mistake"]
def mistake_masked_attention(queries, keys, values, there):
    shares = (queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5).softmax(-1)
    return (shares * there[:, None]) @ values  # masked after softmax: shares no longer sum to one


# %% [markdown] tags=["remark"]
# The mask belongs before softmax. Behind it the shares of the absent are gone, but what they took from the others is
# not given back, and a person with one photograph gets pale answers.

# %% [markdown]
# ### A gradient that can be followed (10 minutes)
#
# Some Gaussians are shouted at, others hear next to nothing. Before the learned steps use a gradient they bring it to
# one size: they divide it by its typical size (the root of the mean square of each of the numbers, over all Gaussians),
# and let large ones saturate: g / (|g| + b), g being measured in that typical size. Expected: between -1 and 1,
# the same for a gradient a thousand times as large, and nothing where there was nothing.


# %% tags=["solution"]
def scaled_gradient(gradient, bend=0.5):
    """A gradient [N, 14] brought to one size, number by number; `bend` is from where on it saturates."""
    typical = gradient.square().mean(0).sqrt() + 1e-12
    return gradient / (gradient.abs() + bend * typical)


# %% tags=["check"]
def check_scaled_gradient(scaled_gradient):
    generator = torch.Generator().manual_seed(0)
    gradient = torch.randn(500, 14, generator=generator) * 10.0 ** torch.arange(-7, 7)
    gradient[:100] = 0
    scaled = scaled_gradient(gradient)
    assert scaled.abs().max() <= 1, f"it should stay between -1 and 1; it reaches {scaled.abs().max():.1f}"
    assert torch.equal(scaled.sign(), gradient.sign()), "the direction has changed"
    sizes = scaled.square().mean(0)
    assert sizes.max() < 1.5 * sizes.min(), "one of the 14 numbers is still louder than another"
    assert torch.allclose(scaled_gradient(1000 * gradient), scaled, atol=1e-4), "a louder gradient says something else"
    assert torch.equal(scaled_gradient(torch.zeros(5, 14)), torch.zeros(5, 14)), "where nothing is wrong, nothing moves"


attempt(check_scaled_gradient, scaled_gradient)


# %% tags=["mistake"]
def mistake_scaled_gradient(gradient, bend=0.5):
    typical = gradient.square().mean().sqrt() + 1e-12  # of all 14 numbers together
    return gradient / (gradient.abs() + bend * typical)


# %% [markdown] tags=["remark"]
# A gradient by metres and one by colours have nothing to do with each other's size: each number needs its own
# yardstick. The library learns where each saturates.
