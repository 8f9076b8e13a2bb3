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
# ### From the back to the front (5 minutes)
#
# `composite` walks from the nearest dot to the farthest and has to remember how much light is left. A painter who
# starts with the background needs no such number: each dot is laid over what is already there. Write that for one
# pixel. Expected: the same colours as front to back, so half of red over half of blue over white is (0.75, 0.25, 0.5).


# %% tags=["solution"]
def paint_from_behind(alphas, colors, background):
    """The colour [3] of a pixel behind dots of alphas [N] and colors [N, 3], nearest first, over a background [3]."""
    painted = background
    for alpha, color in zip(alphas.flip(0), colors.flip(0)):
        painted = alpha * color + (1 - alpha) * painted
    return painted


# %% tags=["check"]
def check_paint_from_behind(paint_from_behind):
    red, blue, white = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [1, 1, 1]])
    half = torch.tensor([0.5, 0.5])
    painted = paint_from_behind(half, torch.stack([red, blue]), white)
    assert torch.allclose(painted, torch.tensor([0.75, 0.25, 0.5])), f"red before blue over white is {painted}"
    assert torch.equal(paint_from_behind(half[:0], red[None][:0], white), white), "no dot leaves the background"
    generator = torch.Generator().manual_seed(0)
    alphas, colors = torch.rand(20, generator=generator), torch.rand(20, 3, generator=generator)
    left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
    front_to_back = (left[:-1] * alphas) @ colors + left[-1] * white
    assert torch.allclose(paint_from_behind(alphas, colors, white), front_to_back), "front to back gives another colour"


attempt(check_paint_from_behind, paint_from_behind)


# %% tags=["mistake"]
def mistake_paint_from_behind(alphas, colors, background):
    painted = background
    for alpha, color in zip(alphas, colors):  # begins with the nearest
        painted = alpha * color + (1 - alpha) * painted
    return painted


# %% [markdown] tags=["remark"]
# It is shorter, and no renderer does it: front to back one may stop as soon as no light is left, and what is hidden is
# never looked at.

# %% [markdown]
# ### One gradient by hand (15 minutes)
#
# The library's gradients are written out, not found by autograd. Do it for the alphas of one pixel. If dot i becomes a
# little less transparent, the pixel gets more of its colour and less of all that lies behind it:
#
# $$\frac{\partial C}{\partial \alpha_i} = T_i\,\Big(c_i - \frac{B_i}{1 - \alpha_i}\Big),$$
#
# $T_i$ being the light left in front of dot i, and $B_i$ what the dots behind it (and the background) add to the pixel,
# divided by $T_i$. Expected: what autograd says, to 1e-5.


# %% tags=["solution"]
def slopes(alphas, colors, background):
    """Derivatives [N, 3] of a pixel's colour by the alphas [N] of its dots, nearest first."""
    left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
    added = left[:-1, None] * alphas[:, None] * colors  # what each dot adds
    everything = added.sum(0) + left[-1] * background
    behind = everything - torch.cumsum(added, 0)
    return left[:-1, None] * colors - behind / (1 - alphas[:, None])


# %% tags=["check"]
def check_slopes(slopes):
    generator = torch.Generator().manual_seed(0)
    alphas, colors = 0.9 * torch.rand(6, generator=generator), torch.rand(6, 3, generator=generator)
    background = torch.tensor([0.9, 0.8, 0.1])

    def pixel(alphas):
        left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
        return (left[:-1] * alphas) @ colors + left[-1] * background

    by_autograd = torch.autograd.functional.jacobian(pixel, alphas).T
    found = slopes(alphas, colors, background)
    assert found.shape == (6, 3), f"one slope for each dot and colour, not {[*found.shape]}"
    worst = (found - by_autograd).abs().max()
    assert worst < 1e-5, f"autograd says something else: {worst:.1e} apart"


attempt(check_slopes, slopes)


# %% tags=["mistake"]
def mistake_slopes(alphas, colors, background):
    left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
    return left[:-1, None] * colors  # forgets what lies behind


# %% [markdown] tags=["remark"]
# What lies behind a dot is the whole pixel less what has been added so far: one subtraction, nothing stored. That is
# the kernels' trick (section 6), and also the reason why alpha stops at 0.999: here it is divided by 1 - alpha.

# %% [markdown]
# ### A bone and a half (10 minutes)
#
# Skin one point by hand. An arm lies along x: the shoulder in the origin, the elbow at (1, 0). The elbow turns by an
# angle (anticlockwise, in the plane); the upper arm stays. A point follows the forearm with a `weight`, the upper arm
# with the rest: the weighted mean of where both would take it. Expected: with weight 1 the point (2, 0) goes to (1, 1)
# at 90 degrees. And the point (1.2, 0.1) with weight 0.5, at 180 degrees?


# %% tags=["solution"]
def bend(point, weight, angle):
    """Where linear blend skinning takes a point [2] that follows the forearm with `weight`; angle in radians."""
    elbow = torch.tensor([1.0, 0.0])
    c, s = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    turned = torch.stack([torch.stack([c, -s]), torch.stack([s, c])]) @ (point - elbow) + elbow
    return weight * turned + (1 - weight) * point


# %% tags=["check"]
def check_bend(bend):
    hand, skin = torch.tensor([2.0, 0.0]), torch.tensor([1.2, 0.1])
    right_angle, half_turn = torch.pi / 2, torch.pi
    assert torch.allclose(bend(hand, 0.0, right_angle), hand), "what follows the upper arm alone does not move"
    assert torch.allclose(bend(hand, 1.0, right_angle), torch.tensor([1.0, 1.0]), atol=1e-6), "the hand goes to (1, 1)"
    folded = bend(skin, 0.5, half_turn)
    assert torch.allclose(folded, torch.tensor([1.0, 0.0]), atol=1e-6), f"half and half ends in the elbow, not {folded}"


attempt(check_bend, bend)


# %% tags=["mistake"]
def mistake_bend(point, weight, angle):
    angle = torch.tensor(weight * angle)  # turns by a part of the angle instead of going a part of the way
    matrix = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    return matrix @ (point - torch.tensor([1.0, 0.0])) + torch.tensor([1.0, 0.0])


# %% [markdown] tags=["remark"]
# It ends in the elbow itself: the mean of a point and its opposite. All skin that belongs to both bones alike would
# meet there, the well-known collapse of linear blend skinning. No elbow bends by 180 degrees; but forearms twist nearly
# that far, and then wrists look like sweet wrappers.
