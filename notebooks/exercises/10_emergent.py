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
# Section 1 divides two lengths: by how much the avatar's colour changed, over by how much the pictures' did. A length
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
# Apply it to `tints`. Where it is lower than the `carried` of section 1, a part of the avatar's change was no light of
# the pictures: the view is another, and so are the shadows.

# %% [markdown]
# ### A gap between the legs (5 minutes)
#
# Section 2 asks whether a skirt has split: along one row of pixels, from the first that shows the person to the last,
# what share is background? Expected: 0 for a skirt, and for a row in which nobody stands.


# %% tags=["solution"]
def gap_in(row, white=235):
    """Share of a row uint8 [W, 3], from outline to outline, that is background: no channel below `white`."""
    inside = np.flatnonzero((row < white).any(1))
    return 1 - len(inside) / (inside[-1] - inside[0] + 1) if len(inside) else 0.0


# %% tags=["check"]
def check_gap_in(gap_in):
    row = np.full((20, 3), 255, np.uint8)
    assert gap_in(row) == 0, "nobody in the row: no gap"
    row[4:8], row[12:16] = (200, 80, 90), (40, 240, 240)
    assert abs(gap_in(row) - 4 / 12) < 1e-6, f"four of twelve pixels between the outlines, not {gap_in(row):.2f}"
    row[8:12] = (90, 90, 250)
    assert gap_in(row) == 0, "cloth from leg to leg: no gap"


attempt(check_gap_in, gap_in)


# %% tags=["mistake"]
def mistake_gap_in(row, white=235):
    return float((row >= white).all(1).mean())  # counts what lies beside the person, too


# %% [markdown] tags=["remark"]
# One row is one row: it says that a skirt has split there and not how it looks. A number that is cheap to fool belongs
# beside a picture.
