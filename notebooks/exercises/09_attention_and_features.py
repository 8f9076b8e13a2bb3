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
# ### Over how many patches? (5 minutes)
#
# Section 3 says how far a reading is spread. The entropy of shares is the sum of -p log p, and its exponential is a
# number of patches. Expected: 12 for twelve patches that are read alike, 1 for one that is read alone, whatever the
# number of patches that are not read at all.


# %% tags=["solution"]
def patches_read(shares):
    """Shares [..., K], which sum to one and may be 0 -> over how many patches they are spread [...]."""
    terms = torch.where(shares > 0, -shares * shares.clamp(min=1e-12).log(), 0)
    return terms.sum(-1).exp()


# %% tags=["check"]
def check_patches_read(patches_read):
    even, alone = torch.full((12,), 1 / 12), torch.eye(12)[3]
    assert abs(patches_read(even) - 12) < 1e-3, f"twelve read alike: 12, not {patches_read(even):.2f}"
    assert abs(patches_read(alone) - 1) < 1e-3, f"one read alone: 1, not {patches_read(alone):.2f}"
    two = torch.tensor([0.5, 0.5, 0.0, 0.0])
    assert abs(patches_read(two) - 2) < 1e-3, f"two of four: 2, not {patches_read(two):.2f}; 0 log 0 is 0"
    assert patches_read(torch.rand(3, 5, 7).softmax(-1)).shape == (3, 5), "one number a row of shares"
    uneven = torch.tensor([0.7, 0.1, 0.1, 0.1])
    assert abs(patches_read(uneven) - 2.5610) < 1e-3, f"0.7 and three of 0.1: 2.561, not {patches_read(uneven):.3f}"


attempt(check_patches_read, patches_read)


# %% tags=["mistake"]
def mistake_patches_read(shares):
    return 1 / shares.square().sum(-1)  # another count: right where all are read alike, lower where they are not


# %% [markdown] tags=["remark"]
# `attention.effective_count` does it. One over the sum of squares is a count as well, in which large shares weigh more:
# say which one a table has.

# %% [markdown]
# ### Does it look where it lies? (10 minutes)
#
# A map that is narrow may be narrow in the wrong place. Lift asks how much an anchor reads of the patch in which it
# lies, as a multiple of what even reading would give. Expected: 1 for even reading, K for an anchor that reads its own
# of K patches only, and NaN for an anchor that no photograph shows.


# %% tags=["solution"]
def lift_of(shares, own):
    """Shares [G, K] of K patches, all there; own [G, N]: each anchor's patch in N photographs, -1 where it is not
    seen -> the mean lift [G] over the photographs that show it."""
    seen = own >= 0
    read = shares.gather(1, own.clamp(min=0)) * seen
    return shares.shape[1] * read.sum(1) / seen.sum(1)


# %% tags=["check"]
def check_lift_of(lift_of):
    own = torch.tensor([[0, 5], [3, -1], [-1, -1]])
    even = lift_of(torch.full((3, 8), 1 / 8), own)
    assert torch.allclose(even[:2], torch.ones(2)), f"even reading: 1, not {even[:2].tolist()}"
    assert even[2].isnan(), f"no photograph shows the third anchor: NaN, not {even[2]:.2f}"
    sharp = torch.zeros(3, 8)
    sharp[:, 3] = 1
    found = lift_of(sharp, own)
    assert abs(found[1] - 8) < 1e-5, f"all is read of its own patch of eight: 8, not {found[1]:.2f}"
    assert found[0] == 0, f"all is read of another's patch: 0, not {found[0]:.2f}"
    last = torch.zeros(3, 8)
    last[:, 7] = 1
    assert lift_of(last, own)[1] == 0, "the last patch is nobody's: is -1 taken for a patch?"


attempt(check_lift_of, lift_of)


# %% tags=["mistake"]
def mistake_lift_of(shares, own):
    return shares.shape[1] * shares.gather(1, own % shares.shape[1]).mean(1)  # -1 is the last patch


# %% [markdown] tags=["remark"]
# `attention.lift` does it for all heads, and counts only patches that somebody reads: most of a full-body picture shows
# nobody, and with those in the count every reading would look well aimed.

# %% [markdown]
# ### Is a person nearest to themselves? (10 minutes)
#
# Section 6 asks of each recording which other one is nearest, and whether it is of the same person. Expected: 1 for
# recordings that lie in a heap a person, 0 where they lie in a heap a domain and every person is once in each.


# %% tags=["solution"]
def nearest_themselves(tokens, who):
    """Tokens [R, D] of recordings of the people `who` [R] -> the share whose nearest other is of the same person."""
    distances = torch.cdist(tokens, tokens)
    distances.fill_diagonal_(torch.inf)
    return (who[distances.argmin(1)] == who).float().mean()


# %% tags=["check"]
def check_nearest_themselves(nearest_themselves):
    generator = torch.Generator().manual_seed(0)
    who, domain = torch.arange(10) % 5, torch.arange(10) // 5
    noise = 0.01 * torch.randn(10, 16, generator=generator)
    places = 10 * torch.randn(5, 16, generator=generator)
    found = nearest_themselves(places[who] + noise, who)
    assert found == 1, f"two recordings a person, close together: 1, not {found:.2f}"
    found = nearest_themselves(places[domain] + noise, who)
    assert found == 0, f"a heap a domain: 0, not {found:.2f}; is a recording its own nearest?"


attempt(check_nearest_themselves, nearest_themselves)


# %% tags=["mistake"]
def mistake_nearest_themselves(tokens, who):
    return (who[torch.cdist(tokens, tokens).argmin(1)] == who).float().mean()  # every recording is nearest to itself


# %% [markdown] tags=["remark"]
# It needs no scale and no component to be chosen, unlike a scatter plot. With few people it is soon at one: whose
# clothes differ is easily told apart.
