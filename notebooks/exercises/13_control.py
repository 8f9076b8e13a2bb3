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
# ### Close one finger (10 minutes)
#
# `fist` closes a hand: three joints a finger, each turned about the body's z axis. Palms face each other, so the left
# hand closes the other way round. Write it for one finger: a dictionary of three joints, called `left_index1` to
# `left_index3` (or `right_`, and `middle`, `ring`, `pinky`), each with an axis-angle in radians. Expected:
# `pose(avatar, **curl("right", "index", 1.3))` bends one finger and leaves the others straight.


# %% tags=["solution"]
def curl(side, finger, amount):
    """Joint -> axis-angle (x, y, z) that bends one finger of the "left" or "right" hand by `amount` a joint."""
    sign = -1.0 if side == "left" else 1.0
    return {f"{side}_{finger}{k}": (0.0, 0.0, sign * amount) for k in (1, 2, 3)}


# %% tags=["check"]
def check_curl(curl):
    from lca_core.viewer.stage import fist

    for side in ("left", "right"):
        for finger in ("index", "middle", "ring", "pinky"):
            wanted = {joint: turn for joint, turn in fist(side, 0.9).items() if finger in joint}
            found = curl(side, finger, 0.9)
            assert set(found) == set(wanted), f"{side} {finger}: joints {sorted(wanted)}, not {sorted(found)}"
            for joint, turn in wanted.items():
                assert np.allclose(found[joint], turn), f"{joint}: {turn} closes it, {tuple(found[joint])} does not"


attempt(check_curl, curl)


# %% tags=["mistake"]
def mistake_curl(side, finger, amount):
    return {f"{side}_{finger}{k}": (0.0, 0.0, amount) for k in (1, 2, 3)}  # the left one bends backwards


# %% [markdown] tags=["remark"]
# Draw it: `show(avatar, pose(avatar, **curl("right", "index", 1.3)), whole)`. Names reach 55 joints, and no mouth: what
# has no joint has facial actions.

# %% [markdown]
# ### Where did driving change the picture? (10 minutes)
#
# The row of what driving changed is grey where nothing moved. How much of the change lies where it was asked for: in
# the mouth for a smile, say? Take the absolute change of each pixel, over all channels, and give the share of it that
# lies inside a mask. Expected: 1 for a change in the mask alone, the mask's own share of the picture for one that is
# the same everywhere, and 0 where nothing changed.


# %% tags=["solution"]
def share_inside(before, after, mask):
    """Share of the change from one uint8 picture [H, W, 3] to another that lies where mask [H, W] is true."""
    change = np.abs(after.astype(float) - before).sum(-1)
    return float(change[mask].sum() / change.sum()) if change.any() else 0.0


# %% tags=["check"]
def check_share_inside(share_inside):
    before, mask = np.full((10, 10, 3), 100, np.uint8), np.zeros((10, 10), bool)
    mask[2:4, 2:7] = True  # a tenth of the picture
    assert share_inside(before, before, mask) == 0, "nothing changed: 0"
    for name, inside, outside, wanted in (
        ("the mask alone grows darker", -40, 0, 1),
        ("everything grows lighter", 25, 25, 0.1),
        ("the mask grows darker, all else lighter", -90, 10, 0.5),
    ):
        after = np.uint8(before + np.where(mask[..., None], inside, outside))
        found = share_inside(before, after, mask)
        assert abs(found - wanted) < 1e-6, f"{name}: {wanted} is expected, not {found:.2f}"


attempt(check_share_inside, share_inside)


# %% tags=["mistake"]
def mistake_share_inside(before, after, mask):
    change = after - before  # uint8 goes round: 40 darker becomes 216 lighter
    return float(change[mask].sum() / change.sum()) if change.any() else 0.0


# %% [markdown] tags=["remark"]
# Try it on `heads["driven"]`: from the neutral face to the smile, with a box round the mouth. A driven branch that
# changes the hair with every smile has learned something of the pictures and not of faces.
