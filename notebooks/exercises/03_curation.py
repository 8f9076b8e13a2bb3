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
# ### Where the cuts are (5 minutes)
#
# `shot_distances` draws how little the colours of each two neighbouring frames have in common. Turn that curve into
# shots: a new one begins where a distance is above the limit. Expected: distances (0.1, 0.9, 0.1) of four frames and a
# limit of 0.5 give two shots, frames 0 to 2 and 2 to 4, the ends not included.


# %% tags=["solution"]
def shots_of(distances, limit):
    """Shots [(start, end)] of len(distances) + 1 frames; distances[i] is that of frames i and i + 1."""
    starts = [0, *(i + 1 for i, distance in enumerate(distances) if distance > limit)]
    return list(zip(starts, [*starts[1:], len(distances) + 1]))


# %% tags=["check"]
def check_shots_of(shots_of):
    assert shots_of([0.1, 0.9, 0.1], 0.5) == [(0, 2), (2, 4)], f"two shots, not {shots_of([0.1, 0.9, 0.1], 0.5)}"
    assert shots_of([], 0.5) == [(0, 1)], "one frame is one shot"
    assert shots_of([0.9, 0.9], 0.5) == [(0, 1), (1, 2), (2, 3)], "a cut at each frame"
    assert shots_of([0.2, 0.3, 0.2], 0.5) == [(0, 4)], "without a cut there is one shot"


attempt(check_shots_of, shots_of)


# %% tags=["mistake"]
def mistake_shots_of(distances, limit):
    cuts = [i for i, distance in enumerate(distances) if distance > limit]  # a frame too early
    return list(zip([0, *cuts], [*cuts, len(distances) + 1]))


# %% [markdown] tags=["remark"]
# A dissolve has no such frame: its distances are all small. The library drops what it leaves as a jump of the person.

# %% [markdown]
# ### Copies (15 minutes)
#
# The web is full of the same clip, made smaller or recoloured. Find pairs of pictures that are nearly alike by their
# colours: count the colours of each in 8 x 8 x 8 bins, as shares of all pixels; the distance of two pictures is half
# the sum of absolute differences, 0 for the same shares, 1 for nothing in common. Expected: a picture, the same at half
# the size, and its mirror image are all copies of each other; another picture is not.


# %% tags=["solution"]
def near_copies(pictures, limit=0.1):
    """Pairs (i, j), i < j, of pictures uint8 [H, W, 3] of any size whose colours are less than `limit` apart."""
    shares = []
    for picture in pictures:
        bins = (picture.reshape(-1, 3) // 32).astype(int) @ [64, 8, 1]
        shares.append(np.bincount(bins, minlength=512) / len(bins))
    count = len(pictures)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return [(i, j) for i, j in pairs if 0.5 * np.abs(shares[i] - shares[j]).sum() < limit]


# %% tags=["check"]
def check_near_copies(near_copies):
    generator = np.random.default_rng(0)
    blocks = generator.integers(256, size=(2, 8, 8, 3)).astype(np.uint8)
    first, second = blocks.repeat(16, 1).repeat(16, 2)
    found = near_copies([first, first[::2, ::2], second, first[:, ::-1]])
    assert [tuple(pair) for pair in found] == [(0, 1), (0, 3), (1, 3)], f"0, 1 and 3 are copies; found {found}"
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert not near_copies([black, white], 0.999), "black and white have nothing in common: their distance is 1"
    assert near_copies([black, black.repeat(3, 0)], 0.001), "how many pixels there are must not matter"


attempt(check_near_copies, near_copies)


# %% tags=["mistake"]
def mistake_near_copies(pictures, limit=0.1):
    counts = [np.histogramdd(p.reshape(-1, 3), 8, [(0, 256)] * 3)[0] for p in pictures]  # counts, not shares
    pairs = [(i, j) for i in range(len(pictures)) for j in range(i + 1, len(pictures))]
    return [(i, j) for i, j in pairs if np.abs(counts[i] - counts[j]).sum() < limit]


# %% [markdown] tags=["remark"]
# A mirror image is a copy here, and so is any shuffling of the pixels: a histogram knows no places. The library tells
# shots apart by colours but copies by 64 signs of low frequencies, which know places, and compares no pair twice.

# %% [markdown]
# ### Who is tested on (10 minutes)
#
# A person must never be in training and test, whatever is added later, in whatever order, on whichever machine. So the
# split is decided by the person alone: by a hash of the name. Expected: one name gives one answer for ever; of many
# about a tenth are test people. (Python's own `hash` of a text is another in every process.)


# %% tags=["solution"]
def split_of(person, test_share=0.1):
    """ "test" or "train", by nothing but the person's name (text)."""
    from hashlib import sha256

    number = int.from_bytes(sha256(person.encode()).digest()[:8])
    return "test" if number < test_share * 2**64 else "train"


# %% tags=["check"]
def check_split_of(split_of):
    names = [f"person {number}" for number in range(3000)]
    splits = [split_of(name) for name in names]
    share = splits.count("test") / len(splits)
    assert set(splits) == {"test", "train"} and 0.08 < share < 0.12, f"a tenth are test people, not {share:.1%}"
    assert [split_of(name) for name in names[::-1]] == splits[::-1], "the order must not matter"
    more = {split_of(name, 0.2) for name, split in zip(names, splits) if split == "test"}
    assert more == {"test"}, "with a larger share all who were tested on still are"
    half = sum(split_of(name, 0.5) == "test" for name in names) / len(names)
    assert 0.46 < half < 0.54, f"of one half {half:.1%} are test people"


attempt(check_split_of, split_of)


# %% tags=["mistake"]
def mistake_split_of(person, test_share=0.1):
    return "test" if np.random.default_rng().random() < test_share else "train"  # other people every time


# %% [markdown] tags=["remark"]
# A larger share only adds people, because each keeps their number. The library goes one step further: who was once held
# out is remembered with the hash of their file, and stays so.
