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

# %% [markdown]
# # 13 · Control: how far it obeys
#
# An avatar is driven by four signals: the body's pose, the root, facial actions and gaze. How far does each of them
# reach the picture? A digital human takes the same orders and stands beside it, so that every answer is a comparison.
#
# **Time**: half a minute to run at `smoke` on two cores, fifteen to read, twenty for the exercises.
#
# **Where we are**: past the avatar, where a driving signal moves it.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("driving")
plt.show()

# %%
import json
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.body import JOINT_NAMES, Driving
from lca_core.data import read_people
from lca_core.data.cameras import square_crop
from lca_core.data.light import studio_light
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import read_records
from lca_core.evaluation.records import show as shown
from lca_core.judges.metrics import psnr
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.motion.faces import face
from lca_core.paths import output_folder
from lca_core.people.domains.production import cached_people
from lca_core.people.stage.human import DigitalHuman
from lca_core.people.stage.render import Stage
from lca_core.people.who.spec import sample_person
from lca_core.release import FACE, RELEASE
from lca_core.splats import skin
from lca_core.viewer.figures import sheet
from lca_core.viewer.stage import body_camera, fist, head_camera, picture, pose, show

# %% tags=["parameters"]
profile = "smoke"  # how large pictures are drawn; the model brings its own sizes
seed = 10000  # a test person: the first from here on with nothing before the eyes
out = "build/13_control"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
out = output_folder(out)
px = 192 if profile == "smoke" else 256
model, meta = load_release(RELEASE, (FACE,))
encoder, sizes = encoder_of(meta), model.profile
HAND = JOINT_NAMES.index("right_middle1")

# %% [markdown]
# ## 1. Two actors
#
# The avatar is made of four studio pictures. The digital human is the person it is of: built anew, posed by the same
# signal and drawn by the same camera.


# %%
class Actor:
    """A digital human on a stage, drawn under an avatar's driving signal and camera."""

    def __init__(self, seed):
        self.human = DigitalHuman.build(sample_person(seed), texture_px=256)
        self.stage = Stage(self.human.pose(np.zeros((55, 3))), studio_light())

    def __call__(self, driving, camera, actions=None):
        self.stage.move(self.human.pose(driving.full_pose[0].numpy(), None, actions))
        return self.stage.shoot([camera], sizes.samples_per_pixel, (255, 255, 255))[0][0]


# %%
plain = (s for s in range(seed, 11_000) if sample_person(s).glasses is None and sample_person(s).hat is None)
(bare,) = read_people(cached_people([next(plain)], "studio", sizes))
given, _ = split_frames(bare, 4)
avatar, actor, rest = encode_person(model, encoder, bare, given), Actor(bare.seed), Driving.neutral()
front = body_camera(avatar, 0.3, px)
row = [*(frame.body.image for frame in given), actor(rest, front), show(avatar, rest, front)]
sheet([(bare.id, row)], px, captions=[["given"] * len(given) + ["digital human", "avatar"]])
plt.show()

# %% [markdown]
# ## 2. Faces and gaze
#
# Skinning alone moves arms, fingers and eyes, but no mouth: there is no jaw joint in the signal. Whatever a face does
# is the work of the body's blendshapes, the driven branch and a decoder of *facial features*
# ([facial.py](../lca_core/model/facial.py)). Why that one? No photograph of a closed mouth shows teeth, tongue and the
# hollow behind them, and where nothing is seen the model reads the colour of what lies before it: lips. A jaw that
# drops then opens on a smear. The decoder gives what lies in mouth and eyes colours of its own, learned from 48 people
# in the studio whose true actions are known, with everything else left as it was.
#
# Four faces and a gaze: the digital human, the avatar by skinning alone, driven without that decoder, driven with it,
# and what driving changed (three times enlarged, around grey).

# %%
head = head_camera(avatar, 0.0, px)
names = ["neutral", "smile", "open", "blink", "frown"]
actions = [face(name) for name in names] + [face("neutral")]
codes = avatar.action_map(torch.from_numpy(np.stack(actions)))
driving = replace(Driving.neutral(len(codes)), epsilon=codes)
driving.gaze[-1] = torch.tensor([0.45, 0.0, 0.45, 0.0])
signals = [driving[i : i + 1] for i in range(len(codes))]
names.append("gaze left")


# %%
def skinned(driving, camera):
    """The canonical Gaussians moved by skinning alone: the driven branch left out."""
    return picture(skin(avatar.canonical(), avatar.weights, avatar.transforms(driving)[0]), camera)


def change(a, b):
    """The difference of two pictures, three times enlarged around grey."""
    return np.uint8(np.clip(128 + 3 * (a.astype(int) - b), 0, 255))


without = encode_person(load_release()[0], encoder, bare, given)
heads = {
    "digital human": [actor(d, head, a) for d, a in zip(signals, actions)],
    "skinning alone": [skinned(d, head) for d in signals],
    "without features": [show(without, d, head) for d in signals],
    "driven": [show(avatar, d, head) for d in signals],
}
heads["driving's change"] = [change(a, b) for a, b in zip(heads["driven"], heads["skinning alone"])]
sheet(list(heads.items()), px, captions=[[]] * 4 + [names])
plt.show()

# %% [markdown]
# How much does each face move the picture from its own neutral one, in the avatar and in the digital human?


# %%
def moved(pictures):
    """Mean absolute change of each picture from the first one, 0 to 255."""
    return [float(np.abs(p.astype(float) - pictures[0]).mean()) for p in pictures[1:]]


moves = {row: dict(zip(names[1:], moved(pictures))) for row, pictures in list(heads.items())[:-1]}
for row, values in moves.items():
    print(f"{row:16}", {name: round(value, 2) for name, value in values.items()})

# %% [markdown]
# ## 3. Bodies and fingers
#
# Here skinning does most. The last row is what the driven branch adds, three times enlarged.


# %%
def between(a, b):
    """PSNR in dB between two uint8 pictures."""
    a, b = (torch.from_numpy(x / 255.0).float() for x in (a, b))
    return float(psnr(a, b, torch.ones(a.shape[:2])))


fingers = {k: v for k, v in fist("right").items() if "index" not in k}
bodies = {
    "at rest": rest,
    "arms up": pose(avatar, left_shoulder=(0.0, 0.0, 0.9), right_shoulder=(0.0, 0.0, -0.9)),
    "point": pose(avatar, right_shoulder=(0.0, 0.4, 0.1), **fingers),
    "bow": pose(avatar, spine3=(0.25, 0.0, 0.0), left_shoulder=(0.0, 0.0, -1.1), right_shoulder=(0.0, 0.0, 1.1)),
}
large = px * 4 // 3
whole = body_camera(avatar, 0.5, large, reach=0.2)
figures = {
    "digital human": [actor(d, whole) for d in bodies.values()],
    "skinning alone": [skinned(d, whole) for d in bodies.values()],
    "driven": [show(avatar, d, whole) for d in bodies.values()],
}
figures["branch's change"] = [change(a, b) for a, b in zip(figures["driven"], figures["skinning alone"])]
sheet(list(figures.items()), large, captions=[[]] * 3 + [list(bodies)])
against = {row: round(float(np.mean([between(a, b) for a, b in zip(figures[row], figures["digital human"])])), 2)
           for row in ("skinning alone", "driven")}  # fmt: skip
print("PSNR against the digital human, whole pictures:", against)
plt.show()

# %% [markdown]
# The right hand from near by: as it hangs at rest, pointing, and closed.

# %%
reached = {"right_shoulder": (0.0, 0.4, 0.1)}
hands = {"at rest": rest, "point": bodies["point"], "fist": pose(avatar, **reached, **fist("right"))}
closeups = {}
for name, driving in hands.items():
    joint = avatar.transforms(driving)[0, HAND] @ torch.cat([avatar.rest_joints[HAND], torch.ones(1)])
    closeups[name] = square_crop(whole, joint[:3].numpy(), 0.24, px)
pairs = [(d, closeups[name]) for name, d in hands.items()]
rows = [("digital human", [actor(d, c) for d, c in pairs]), ("skinning alone", [skinned(d, c) for d, c in pairs])]
sheet([*rows, ("driven", [show(avatar, d, c) for d, c in pairs])], px, captions=[[]] * 2 + [list(hands)])
plt.show()

# %% [markdown]
# ## 4. Many people
#
# One person is for looking. The records are of many, and each says what it compared; the kind says whether it is of the
# shipped weights (`live`) or of those a commit had (`frozen`).

# %%
records = {name: record for name, record in read_records().items() if name.startswith("control/")}
for name, record in records.items():
    interval = "" if record.ci95 is None else f"{record.ci95[0]:.2f} to {record.ci95[1]:.2f}"
    print(f"{name:34} {shown(record.value, record.unit):>10}  {interval:14} {record.n_people} people, {record.kind}")
    print("    " + record.protocol.get("what", ""))
    if "of_true_pictures" in record.protocol:
        print(f"    the same reader errs by {record.protocol['of_true_pictures']:.1f} on true pictures")
if not records:
    print("not recorded yet: python benchmarks/control.py --record")

# %% [markdown]
# ## What we saw

# %%
faces_moved = {row: round(float(np.mean(list(values.values())[:-1])), 2) for row, values in moves.items()}
gaze_moved = {row: round(values["gaze left"], 2) for row, values in moves.items()}
summary = {"faces_move_the_picture_by": faces_moved, "gaze_moves_it_by": gaze_moved, "bodies_psnr": against}
Path(out, "13_control.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - **Faces**: with skinning alone none moves at all. Without the decoder of features the opened mouth is a smear of
#   lips; with it, it is a hole with teeth in it, somewhat reddish at the rim, and in the numbers above smile and jaw
#   move the picture nearly as far as the digital human's do. Lids still hardly close, though by the numbers a blink
#   moves the picture by all it should: they say how much changes and not whether it is the right thing. The records do,
#   over many people: `mouth_told_gain_db` is what telling the true actions brings, `mouth_features_gain_db` the
#   decoder's share of it. The older records (`frozen`) are of a release without it, whose driven faces came no nearer
#   to the truth.
# - **Codes** read from a face crop without labels are another matter than actions that are named: none of the 52 could
#   be read back from them (`probe_actions`). So small a model on so few small faces did not find them.
# - **Gaze** is a turn of the eyeballs, which have joints. It moves the picture almost as far as it should.
# - **Bodies and fingers** obey by skinning, and the branch's corrections are hardly worth anything against the digital
#   human. Pointing can be told from a fist; in the fist the fingers melt into one. Driven fingers are what gains most
#   in the records.
# - The branch changes the neutral face as well: the first picture of its row is not grey. What it has learned is in
#   part a correction of every avatar and no answer to a signal.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import numpy as np

from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · Close one finger (10 minutes)
#
# `fist` closes a hand: three joints a finger, each turned about the body's z axis. Palms face each other, so the left
# hand closes the other way round. Write it for one finger: a dictionary of three joints, called `left_index1` to
# `left_index3` (or `right_`, and `middle`, `ring`, `pinky`), each with an axis-angle in radians. Expected:
# `pose(avatar, **curl("right", "index", 1.3))` bends one finger and leaves the others straight.


# %% tags=["exercise"]
def curl(side, finger, amount):
    """Joint -> axis-angle (x, y, z) that bends one finger of the "left" or "right" hand by `amount` a joint."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def curl(side, finger, amount):
#     """Joint -> axis-angle (x, y, z) that bends one finger of the "left" or "right" hand by `amount` a joint."""
#     sign = -1.0 if side == "left" else 1.0
#     return {f"{side}_{finger}{k}": (0.0, 0.0, sign * amount) for k in (1, 2, 3)}
# ```
#
# Draw it: `show(avatar, pose(avatar, **curl("right", "index", 1.3)), whole)`. Names reach 55 joints, and no mouth: what
# has no joint has facial actions.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Where did driving change the picture? (10 minutes)
#
# The row of what driving changed is grey where nothing moved. How much of the change lies where it was asked for: in
# the mouth for a smile, say? Take the absolute change of each pixel, over all channels, and give the share of it that
# lies inside a mask. Expected: 1 for a change in the mask alone, the mask's own share of the picture for one that is
# the same everywhere, and 0 where nothing changed.


# %% tags=["exercise"]
def share_inside(before, after, mask):
    """Share of the change from one uint8 picture [H, W, 3] to another that lies where mask [H, W] is true."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def share_inside(before, after, mask):
#     """Share of the change from one uint8 picture [H, W, 3] to another that lies where mask [H, W] is true."""
#     change = np.abs(after.astype(float) - before).sum(-1)
#     return float(change[mask].sum() / change.sum()) if change.any() else 0.0
# ```
#
# Try it on `heads["driven"]`: from the neutral face to the smile, with a box round the mouth. A driven branch that
# changes the hair with every smile has learned something of the pictures and not of faces.
#
# </details>

# %% [markdown]
# **Back to the start:** [00_quickstart](00_quickstart.ipynb).
