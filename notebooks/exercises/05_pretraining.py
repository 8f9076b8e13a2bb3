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

from lca_core.training.losses import as_close_as_possible
from lca_core.training.schedules import cosine
from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### The pace (5 minutes)
#
# The learning rate is multiplied by a factor that climbs in a straight line over the first steps, to one at the step
# `warmup`, then falls like half a cosine to `floor` at the last step. At step 0 it is 1 / (warmup + 1), not zero: no
# step is wasted. Expected, of 100 steps, 9 of them warm-up: 0.1 at step 0, 1.0 at step 9, 0.02 at step 100.


# %% tags=["solution"]
def pace(step, steps, warmup, floor=0.02):
    """Factor on the learning rate at a step from 0 to `steps`."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    way = torch.tensor((step - warmup) / (steps - warmup))
    return float(floor + (1 - floor) * (1 + torch.cos(torch.pi * way)) / 2)


# %% tags=["check"]
def check_pace(pace):
    for step, wanted in ((0, 0.1), (9, 1.0), (100, 0.02)):
        assert abs(pace(step, 100, 9) - wanted) < 1e-6, f"step {step}: {wanted} is expected, not {pace(step, 100, 9)}"
    for step in range(101):
        assert abs(pace(step, 100, 9) - cosine(step, 100, 9)) < 1e-6, f"step {step}: the library says another number"
    assert abs(pace(0, 10, 0) - 1) < 1e-6, "without a warm-up it begins at one"


attempt(check_pace, pace)


# %% tags=["mistake"]
def mistake_pace(step, steps, warmup, floor=0.02):
    if step < warmup:
        return step / warmup  # the first step changes nothing
    way = torch.tensor((step - warmup) / (steps - warmup))
    return float(floor + (1 - floor) * (1 + torch.cos(torch.pi * way)) / 2)


# %% [markdown] tags=["remark"]
# Adam divides by what it has seen of the gradients, and at first that is little: large first steps would follow noise.
# The slow end lets the weights settle where a constant rate would jump about.

# %% [markdown]
# ### What a photograph knows (10 minutes)
#
# Alignment gives each point of the body the colours that it found in each photograph, and how squarely each sees it: a
# cosine, 0 where it does not. Make one colour of them: the mean, by the square of the cosines, and grey (0.5) where no
# photograph sees the point. Expected: seen at 1.0 in red and at 0.5 in blue, a point is (0.8, 0, 0.2).


# %% tags=["solution"]
def found_colors(colors, facing):
    """Colours [M, 3] of points from what they found in photographs [P, M, 3], and facing [P, M] in [0, 1]."""
    weight = facing.square()[..., None]
    total = weight.sum(0)
    mean = (weight * colors).sum(0) / total.clamp(min=1e-12)
    return mean.where(total > 0, torch.tensor(0.5))


# %% tags=["check"]
def check_found_colors(found_colors):
    colors = torch.tensor([[[1.0, 0, 0]], [[0, 0, 1.0]]]).expand(2, 4, 3)
    facing = torch.tensor([[1.0, 0.0, 0.0, 1e-4], [0.5, 0.3, 0.0, 0.0]])
    found = found_colors(colors, facing)
    wanted = torch.tensor([[0.8, 0, 0.2], [0, 0, 1], [0.5, 0.5, 0.5], [1, 0, 0]])
    for name, ours, right in zip(("seen twice", "seen in blue", "never seen", "seen from the side"), found, wanted):
        assert torch.allclose(ours, right, atol=1e-4), f"{name}: {right.tolist()} is expected, not {ours.tolist()}"


attempt(check_found_colors, found_colors)


# %% tags=["mistake"]
def mistake_found_colors(colors, facing):
    weight = facing.square()[..., None]
    return (weight * colors).sum(0) / weight.sum(0)  # NaN where no photograph sees the point


# %% [markdown] tags=["remark"]
# One NaN in one point of one person is a NaN in the loss, and in all weights after the next step. The square makes what
# is seen from the front count more than what is seen askew, where a pixel covers more skin.

# %% [markdown]
# ### A leash with slack (10 minutes)
#
# The regulariser keeps Gaussians as close as possible to the skin, but hair and cloth stand off it: the first two
# centimetres are free. Write it for offsets from the skin: the mean of what each length exceeds the free margin by.
# Expected: offsets of 1, 2 and 5 centimetres cost 1 cm on average, and the first two feel no pull at all.


# %% tags=["solution"]
def leash(offsets, free=0.02):
    """One number, in metres, for offsets [N, 3] in metres."""
    return (offsets.norm(dim=-1) - free).clamp(min=0).mean()


# %% tags=["check"]
def check_leash(leash):
    offsets = torch.tensor([[0.01, 0, 0], [0, 0.02, 0], [0, 0, -0.05]], requires_grad=True)
    cost = leash(offsets)
    assert abs(cost.item() - 0.01) < 1e-6, f"0.01 m is expected, not {cost.item()}"
    cost.backward()
    assert torch.equal(offsets.grad[0], torch.zeros(3)), "within two centimetres nothing pulls"
    assert offsets.grad[2, 2] < 0, "the third is pulled back to the skin"
    some = 0.03 * torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(leash(some), as_close_as_possible(some)), "the library says another number"


attempt(check_leash, leash)


# %% tags=["mistake"]
def mistake_leash(offsets, free=0.02):
    return (offsets.abs() - free).clamp(min=0).mean()  # a box of slack for each number, not a ball for the offset


# %% [markdown] tags=["remark"]
# A cost that is zero within a margin leaves the picture to decide there. Without the margin every strand of hair would
# be drawn a little too near, for ever.
