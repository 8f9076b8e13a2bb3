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
# ### A gap between the legs (5 minutes)
#
# `holes` needs the truth: where should a skirt be? Without it, one row of pixels between hips and hem says whether a
# skirt has split: from the first pixel that shows the person to the last, what share is background? Expected: 0 for a
# skirt, and for a row in which nobody stands.


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

# %% [markdown]
# ### Weights spread in space (10 minutes)
#
# A Gaussian on the left thigh has no weight for the right hip, and no factor makes something of nothing. So weights are
# first spread: at a place, the weights of all points of the body, each counted by how near it is in space, with a bell
# curve of some width. Rows have to stay convex: no weight below 0, and a sum of 1. Expected: half left and half right
# midway between two legs, and the weights of the nearest point where the curve is narrow.


# %% tags=["solution"]
def spread_in_space(at, points, weights, width):
    """Weights [V, J] at places [V, 3] from those [P, J] of points [P, 3]; width: of the bell curve, metres."""
    square = ((at[:, None] - points[None]) ** 2).sum(2)
    near = np.exp(-square / (2 * width**2))
    return near @ weights / near.sum(1, keepdims=True)


# %% tags=["check"]
def check_spread_in_space(spread_in_space):
    legs = np.array([[-0.1, 0.0, 0.0], [0.1, 0.0, 0.0]])
    weights = np.eye(2)  # the one hangs on the left hip, the other on the right
    at = np.array([[0.0, 0.0, 0.0], [-0.1, 0.0, 0.0]])
    found = spread_in_space(at, legs, weights, 0.1)
    assert np.allclose(found.sum(1), 1), f"a row sums to 1, not {found.sum(1).round(2)}: shares of all that is near"
    assert np.allclose(found[0], 0.5), f"midway between two legs: half and half, not {found[0].round(2)}"
    assert 0 < found[1, 1] < 0.5, "on one leg the other counts, and counts less"
    narrow = spread_in_space(at[1:], legs, weights, 0.01)
    assert np.allclose(narrow, [[1, 0]], atol=1e-6), f"a narrow curve sees the nearest only, not {narrow.round(2)}"
    wide = spread_in_space(at, legs, weights, 10.0)
    assert np.allclose(wide, 0.5, atol=1e-3), f"a wide curve sees all alike, not {wide.round(2)}"


attempt(check_spread_in_space, spread_in_space)


# %% tags=["mistake"]
def mistake_spread_in_space(at, points, weights, width):
    square = ((at[:, None] - points[None]) ** 2).sum(2)
    return np.exp(-square / (2 * width**2)) @ weights  # sums: what has many neighbours would move twice as far


# %% [markdown] tags=["remark"]
# `body.nodes` takes three widths, a third each. Space knows nothing of bodies: a hand that hangs beside a hip is as
# near to it as a skirt is. In the T-pose, where this is done, it is not.

# %% [markdown]
# ### As rigid as possible: one edge (10 minutes)
#
# What keeps cloth from being torn between its nodes is a loss: an edge from node to node may turn, but only as its
# first node turns, and may not stretch. With the edge before, turned as its first node was, and the edge now: how long
# is the difference, squared, by the squared length before? Expected: 0 for cloth that moves as one, 0.01 for an edge
# stretched by a tenth, and 2 for one that stays where it was while its node turns by a quarter.


# %% tags=["solution"]
def strain(before, now, turn):
    """Strain of an edge [3] of the T-pose that is `now` [3]; turn [3, 3]: how its first node has turned."""
    difference = now - turn @ before
    return float(difference @ difference / (before @ before))


# %% tags=["check"]
def check_strain(strain):
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    edge = np.array([0.2, 0.0, 0.0])
    for name, now, turn, wanted in (
        ("nothing moves", edge, np.eye(3), 0),
        ("edge and node turn as one", quarter @ edge, quarter, 0),
        ("stretched by a tenth", 1.1 * edge, np.eye(3), 0.01),
        ("the node turns, the edge stays", edge, quarter, 2),
    ):
        found = strain(edge, now, turn)
        assert abs(found - wanted) < 1e-6, f"{name}: {wanted} is expected, not {found:.3f}"


attempt(check_strain, strain)


# %% tags=["mistake"]
def mistake_strain(before, now, turn):
    return float((np.linalg.norm(now) / np.linalg.norm(before) - 1) ** 2)  # lengths only: a hinge costs nothing


# %% [markdown] tags=["remark"]
# `LooseCloth.rigid` takes the mean over all edges, each counted by how opaque both its ends are: what is not drawn may
# stretch. Rigid is not what cloth is; it is what cloth is asked to be where pictures do not say otherwise.
