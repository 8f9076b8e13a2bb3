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

from lca_core.body import Driving, theta_slice
from lca_core.viewer.exercises import attempt
from lca_core.viewer.stage import fist

# %% [markdown]
# ### Thumbs up (10 minutes)
#
# `fist("right")` names the joints that close a hand, each with its turn as three radians; `theta_slice(joint)` says
# where the three stand among theta's 138 numbers. Make the driving signal of a thumb that is up: all fingers of the
# right hand bent but the thumb, the right elbow bent by 1.8 radians about y, everything else at rest. Expected: 13
# joints of theta differ from rest. Then show it: `show(avatar, thumbs_up(), body)`.


# %% tags=["solution"]
def thumbs_up():
    """A `Driving` of one frame: rest (`Driving.neutral()`) but for the right forearm and hand."""
    driving = Driving.neutral()
    turns = {joint: turn for joint, turn in fist("right").items() if "thumb" not in joint}
    for joint, turn in (turns | {"right_elbow": (0.0, 1.8, 0.0)}).items():
        driving.theta[0, theta_slice(joint)] = torch.tensor(turn)
    return driving


# %% tags=["check"]
def check_thumbs_up(thumbs_up):
    rest, up = Driving.neutral(), thumbs_up()
    moved = (up.theta != rest.theta).unflatten(-1, (46, 3)).any(-1)
    fingers = [joint for joint in fist("right") if "thumb" not in joint]
    assert moved.sum() == len(fingers) + 1, f"12 finger joints and an elbow move, not {moved.sum()}"
    assert torch.equal(up.theta[0, theta_slice("right_elbow")], torch.tensor([0.0, 1.8, 0.0])), "the elbow"
    assert not any(moved[0, theta_slice(f"right_thumb{k}").start // 3] for k in (1, 2, 3)), "the thumb stays straight"
    assert torch.equal(up.epsilon, rest.epsilon) and torch.equal(up.root, rest.root), "face and place stay at rest"


attempt(check_thumbs_up, thumbs_up)


# %% tags=["mistake"]
def mistake_thumbs_up():
    driving = Driving.neutral()
    for joint, turn in fist("right").items():  # bends the thumb, too, and forgets the forearm
        driving.theta[0, theta_slice(joint)] = torch.tensor(turn)
    return driving


# %% [markdown] tags=["remark"]
# A driving signal is numbers and nothing else: it knows no person, and moves every avatar.

# %% [markdown]
# ### Between two poses (10 minutes)
#
# A clip at 25 frames a second is to be shown at 50. Write the frame between two: for each of the four parts of a
# driving signal, a share t of the way from one to the other. Expected: at t = 0 the first, at t = 1 the second, and for
# t = (0, 0.5, 1) three frames.


# %% tags=["solution"]
def between(first, second, t):
    """`Driving` of len(t) frames on the way from `first` to `second`, one frame each; t: [F] in [0, 1]."""
    names = ("theta", "epsilon", "gaze", "root")
    return Driving(**{name: torch.lerp(getattr(first, name), getattr(second, name), t[:, None]) for name in names})


# %% tags=["check"]
def check_between(between):
    generator = torch.Generator().manual_seed(0)
    first, second = (Driving(*(torch.randn(1, n, generator=generator) for n in (138, 128, 4, 6))) for _ in range(2))
    way = between(first, second, torch.tensor([0.0, 0.5, 1.0]))
    assert len(way) == 3, f"three frames, not {len(way)}"
    for name in ("theta", "epsilon", "gaze", "root"):
        a, middle, b = getattr(way, name)
        assert torch.allclose(a, getattr(first, name)[0]), f"{name} at t = 0 is the first's"
        assert torch.allclose(b, getattr(second, name)[0], atol=1e-6), f"{name} at t = 1 is the second's"
        assert torch.allclose(middle, (a + b) / 2, atol=1e-6), f"{name} at t = 0.5 is the mean of both"


attempt(check_between, between)


# %% tags=["mistake"]
def mistake_between(first, second, t):
    theta = torch.lerp(first.theta, second.theta, t[:, None])  # moves the body, and leaves all else where it was
    return Driving(theta, *(getattr(first, name).expand(len(t), -1) for name in ("epsilon", "gaze", "root")))


# %% [markdown] tags=["remark"]
# A mean of turns as axis-angle numbers is right for small ones and good enough between neighbouring frames. Between a
# turn by 170 and one by -170 degrees it would go the long way round: there one takes quaternions.
