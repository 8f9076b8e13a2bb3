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

from lca_core.data import Camera
from lca_core.data.cameras import around
from lca_core.data.srgb import to_linear, to_srgb8
from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### Two lamps at once (10 minutes)
#
# The relit record has pictures under single lamps. Light adds up, so they are enough for the picture under all of them,
# at any strength, without drawing it. But the bytes of a picture are sRGB, which is not light: half of it is 188, not
# 128. Expected: two pictures of 188 at full strength give 255; three lamps at a third of their strength, all with the
# same picture, give that picture.


# %% tags=["solution"]
def under_all(pictures, strengths):
    """The picture uint8 [H, W, 3] under lamps of these strengths, from one picture [L, H, W, 3] under each alone."""
    light = np.tensordot(np.asarray(strengths, float), to_linear(pictures), 1)
    return to_srgb8(light)


# %% tags=["check"]
def check_under_all(under_all):
    grey = np.full((2, 1, 1, 3), 188, np.uint8)
    assert under_all(grey, (1, 1)).max() == 255, f"188 and 188 are white, not {under_all(grey, (1, 1)).max()}"
    half = under_all(grey, (0.5, 0)).max()
    assert half == 137 == to_srgb8(to_linear(grey[0]) / 2).max(), f"half the light of 188 is 137, not {half}"
    generator = np.random.default_rng(0)
    image = generator.integers(256, size=(1, 4, 4, 3)).astype(np.uint8)
    third = under_all(np.repeat(image, 3, 0), (1 / 3, 1 / 3, 1 / 3))
    assert third.dtype == np.uint8 and third.shape == (4, 4, 3), f"{third.dtype} {third.shape}"
    assert np.abs(third.astype(int) - image[0]).max() <= 1, "three thirds of a picture are that picture"
    assert not under_all(image, (0.0,)).any(), "lamps that are out leave black"


attempt(check_under_all, under_all)


# %% tags=["mistake"]
def mistake_under_all(pictures, strengths):
    return np.tensordot(strengths, pictures, 1).clip(0, 255).astype(np.uint8)  # adds bytes, not light


# %% [markdown] tags=["remark"]
# That is how any light at all can be put together from a studio's lamps, and why the relighting decoder may be linear
# in the light. The renderer's own noise and the rounding to bytes are all that separates the sum from a picture drawn.

# %% [markdown]
# ### Is the pose right? (10 minutes)
#
# A record says where the joints are in the world and which camera took the picture. Put them into the picture, and say
# what share of those inside the frame lies on the person. A camera has `viewmat` (world to camera), `K`, `width` and
# `height`; a pixel (column, row) covers column to column + 1. Expected: joints behind the camera or outside the frame
# do not count.


# %% tags=["solution"]
def share_on_person(joints, camera, matte):
    """Share of the joints [J, 3] (metres, in the world) in the frame whose pixel of matte [H, W] is above 127."""
    inside = joints @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    inside = inside[inside[:, 2] > 0]
    pixels = inside @ camera.K.T
    x, y = np.floor(pixels[:, :2] / pixels[:, 2:]).astype(int).T
    framed = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    return float((matte[y[framed], x[framed]] > 127).mean())


# %% tags=["check"]
def check_share_on_person(share_on_person):
    K = np.array([[10, 0, 5], [0, 10, 5], [0, 0, 1]], np.float32)
    camera, matte = Camera(np.eye(4, dtype=np.float32), K, 10, 10), np.zeros((10, 10), np.uint8)
    matte[2:8, 6:8] = 255  # rows 2 to 7, columns 6 and 7
    right, left, above = [0.2, 0.0, 1.0], [-0.2, 0.0, 1.0], [0.2, -0.45, 1.0]
    assert share_on_person(np.array([right]), camera, matte) == 1, "x to the right: column 7 is on the person"
    assert share_on_person(np.array([right, left]), camera, matte) == 0.5, "one of two"
    assert share_on_person(np.array([right, above]), camera, matte) == 0.5, "y points down; the upper one is not on it"
    beyond, behind = [3.0, 0.0, 1.0], [-0.2, 0.0, -1.0]
    assert share_on_person(np.array([right, beyond, behind]), camera, matte) == 1, "only joints in the frame count"
    body = np.random.default_rng(0).normal(0, 0.3, (50, 3))
    turned = around(body, 0.7, 0.2, 3.2, 64)
    assert share_on_person(body, turned, np.full((64, 64), 255, np.uint8)) == 1, "a camera that is turned goes wrong"


attempt(check_share_on_person, share_on_person)


# %% tags=["mistake"]
def mistake_share_on_person(joints, camera, matte):
    pixels = (joints @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]) @ camera.K.T
    x, y = np.floor(pixels[:, :2] / pixels[:, 2:]).astype(int).T.clip(0, camera.width - 1)  # moves strays to the edge
    return float((matte[y, x] > 127).mean())


# %% [markdown] tags=["remark"]
# Studio joints all lie on the person but for a finger or a toe at the edge of its pixels. It is the cheapest test there
# is of a record, and finds most of what one can do wrong with axes and cameras.

# %% [markdown]
# ### Who is rare? (5 minutes)
#
# A prior over people is as fair as its people, and its weakest class decides. Find it. Expected: of four people with
# hair short, short, long and bald, and eyes brown, brown, brown and blue, the rarest are long and bald hair and blue
# eyes, a quarter each; of those the first by name.


# %% tags=["solution"]
def rarest(people):
    """(trait, class, share) of the rarest class; people: a list of {trait: class}. Of equals the first by name."""
    traits = people[0]
    shares = {
        (trait, kind): sum(person[trait] == kind for person in people) / len(people)
        for trait in traits
        for kind in {person[trait] for person in people}
    }
    (trait, kind), share = min(shares.items(), key=lambda item: (item[1], item[0]))
    return trait, kind, share


# %% tags=["check"]
def check_rarest(rarest):
    hair, eyes = ("short", "short", "long", "bald"), ("brown", "brown", "brown", "blue")
    four = [{"hair": h, "eyes": e} for h, e in zip(hair, eyes)]
    assert rarest(four) == ("eyes", "blue", 0.25), f"blue eyes, a quarter; not {rarest(four)}"
    assert rarest(four[:2]) == ("eyes", "brown", 1.0), "of two alike nobody is rare"


attempt(check_rarest, rarest)


# %% tags=["mistake"]
def mistake_rarest(people):
    kinds = [person["hair"] for person in people]  # looks at one trait
    kind = min(set(kinds), key=kinds.count)
    return "hair", kind, kinds.count(kind) / len(kinds)


# %% [markdown] tags=["remark"]
# A class that nobody belongs to is not found this way: it must be listed before one counts. `class_shares` does that,
# and gives an interval with each share.
