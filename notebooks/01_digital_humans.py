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
# # 01 · Digital humans: people made from numbers
#
# The paper learns from a million videos and a studio. Neither is public, and both show real people. Here people are
# made: a seed gives a shape, skin, eyes, hair and clothes, and a path tracer photographs them in two domains, with
# everything known exactly. This notebook shows who they are, what can be moved, what is written to disk, and how
# they are spread.
#
# **Where we are**
#
# ```
#  DIGITAL HUMANS ──┐
#  seed ▸ spec ▸    ├─▶ records ─▶ pretraining ─▶ post-training ─▶ avatar ─▶ driving
#  pose ▸ render    │
#  curation ────────┘
# ```
#
# What is not there yet: cloth that hangs and swings (clothes are skinned like skin), shoes, hats and glasses of many
# kinds, and more people and pictures than one afternoon on a CPU allows.

# %%
import json
import shutil
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import mlcroissant
import numpy as np
import torch

from lca_core.body import ACTIONS, THETA_JOINTS, BodyModel, full_pose
from lca_core.body.layout import HAND_JOINTS
from lca_core.data import read_people, write_manifest
from lca_core.people import (
    FACES,
    HANDS,
    STANCES,
    DigitalHuman,
    Stage,
    around,
    cached_people,
    face,
    face_crop,
    sample_person,
    standing,
    studio_light,
)
from lca_core.people.cameras import project
from lca_core.people.domains import points_of
from lca_core.people.poses import arm, hand, theta_from
from lca_core.profiles import profile as profile_of
from lca_core.viewer import sheet
from lca_core.viewer.curation_figures import composite

# %% tags=["parameters"]
profile = "smoke"
seed = 10000  # the first of four people; 10,000-10,999 are test people, which no training sees
out = "../build/01_digital_humans"

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
sizes, out = profile_of(profile), Path(out)
seeds = [seed + i for i in range(4)]
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## 1. Four people
#
# A person is an integer. `sample_person` turns it into numbers and names; nothing is drawn yet.

# %%
specs = {s: sample_person(s) for s in seeds}
for s, spec in specs.items():
    print(f"{s}  skin tone {spec.skin.tone:.2f}, hair {spec.hair.style:10} top {spec.top.kind} ({spec.top.pattern}),",
          f"bottom {spec.bottom.kind} ({spec.bottom.pattern})")  # fmt: skip

# %% [markdown]
# The first call renders them (seconds a person at `smoke`) and keeps them in the cache; the next reads them.

# %%
folders = {domain: cached_people(seeds, domain, profile) for domain in ("studio", "wild")}
people = {domain: list(read_people(folder)) for domain, folder in folders.items()}
for domain, group in people.items():
    frame = group[0].frames[0]
    print(f"{domain:7} {len(group)} people, {[len(p.frames) for p in group]} frames, body {frame.body.image.shape},",
          f"theta {frame.theta.shape}, betas {group[0].betas.shape}")  # fmt: skip
rows = [("studio", [p.frames[0].body.image for p in people["studio"]])]
rows += [("studio, face", [p.frames[0].face.image for p in people["studio"]])]
rows += [("wild", [p.frames[0].body.image for p in people["wild"]])]
sheet(rows, captions=[[], [], [str(s) for s in seeds]])
plt.show()

# %% [markdown]
# ## 2. One person, moved by hand
#
# `DigitalHuman.build` makes geometry and textures once; `pose` moves them with the same 55 joints, 52 facial actions
# and two eyes that an avatar is driven with. A `Stage` keeps the scene between pictures.

# %%
person = DigitalHuman.build(specs[seed])
calm = standing(np.random.default_rng(0), "calm")


def posed(theta=calm, gaze=(0, 0, 0, 0), actions=None):
    """The person's parts under the driving signal, standing in the origin."""
    signal = (torch.tensor(np.asarray(x, np.float32)) for x in (theta, np.zeros(6), gaze))
    return person.pose(full_pose(*signal).numpy(), None, actions)


stage = Stage(posed(), studio_light())
for part in posed():
    points = getattr(part, "vertices", None)
    print(f"{part.part:8}", f"mesh of {len(points)}" if points is not None else f"{len(part.points)} strands")

# %% [markdown]
# **Poses.** The named stances, each varied by a generator. One camera for all.

# %%
px = max(160, sizes.body_px)


def shoot(camera, **signal):
    """One picture of the person under a driving signal."""
    stage.move(posed(**signal))
    return stage.shoot([camera], sizes.samples_per_pixel)[0][0]


generator = np.random.default_rng(seed)
stances = {name: standing(generator, name) for name in STANCES}
points = np.concatenate([points_of(posed(theta=theta)) for theta in stances.values()])
camera = around(points, 0.25, 0.1, 3.2, px)
pictures, names = [shoot(camera, theta=theta) for theta in stances.values()], list(stances)
sheet([("poses", pictures[:5]), ("", pictures[5:])], 170, captions=[names[:5], names[5:]])
plt.show()

# %% [markdown]
# **Fingers.** Thirty of the 46 joints in theta are finger joints. The same arm, six hands.

# %%
body, betas = BodyModel.load(), torch.from_numpy(specs[seed].betas)[None]
arm_up = arm("left", -0.3, elbow=1.3, twist=1.5)
hands = {name: theta_from(arm_up, arm("right"), hand("left", name)) for name in HANDS}
wrist = body(betas, None, full_pose(torch.from_numpy(hands["flat"]), torch.zeros(6), torch.zeros(4))[None]).joints
wrist = wrist[0, body.joint_index["left_middle1"]].numpy()
close = face_crop(camera, wrist, px, side=0.32)
sheet([("hands", [shoot(close, theta=theta) for theta in hands.values()])], 150, captions=[list(hands)])
print("joints in theta:", len(THETA_JOINTS), "fingers among them:", len(set(THETA_JOINTS) & set(HAND_JOINTS)))
plt.show()

# %% [markdown]
# **Faces.** 52 actions with ARKit's names, mixed into named faces. The jaw is no joint here: `jawOpen` opens it.

# %%
head = body.rest_joints(betas)[0, body.joint_index["head"]].numpy() + [0, 0.06, 0.05]
front = face_crop(around(points, 0.0, 0.0, 3.2, px), head, px, side=0.28)
chosen = ["neutral", "smile", "laugh", "surprise", "anger", "sad", "wink", "puff", "oo", "mouth_left"]
faces = [shoot(front, actions=face(name)) for name in chosen]
sheet([("faces", faces[:5]), ("", faces[5:])], 150, captions=[chosen[:5], chosen[5:]])
print("shown", len(chosen), "of", len(FACES), "named faces; laugh is", FACES["laugh"])
plt.show()

# %% [markdown]
# **Gaze.** Yaw and pitch of each eye; positive yaw looks to the person's left, which is right in the picture.

# %%
eyes = face_crop(front, head + [0, 0.01, 0], px, side=0.17)
gazes = {"ahead": (0, 0), "left": (0.4, 0), "right": (-0.4, 0), "up": (0, 0.3), "down": (0, -0.3)}
pictures = [shoot(eyes, gaze=(*g, *g)) for g in gazes.values()]
sheet([("gaze", [*pictures, shoot(eyes, gaze=(-0.35, 0, 0.35, 0))])], 150, captions=[[*gazes, "cross-eyed"]])
plt.show()

# %% [markdown]
# ## 3. Two domains
#
# **Studio**: cameras all round at the same instant, even light, exact parameters: few such people, as in the paper's
# studio. **Wild**: one hand-held camera over a clip, casual light, anything behind, blur, noise, JPEG, parameters
# with a tracker's errors: many such people, as in the paper's videos. Both show the same person.

# %%
studio, wild = people["studio"][0], people["wild"][0]
sheet([("studio", [f.body.image for f in studio.frames[:6]]), ("wild", [f.body.image for f in wild.frames[:6]])], 150,
      captions=[[f"instant {f.instant}" for f in p.frames[:6]] for p in (studio, wild)])  # fmt: skip
print("studio:", {k: v for k, v in studio.meta.items() if k != "looks"})
print("wild:  ", {k: v for k, v in wild.meta.items() if k != "looks"})
shape_error = float(np.sqrt(np.mean((wild.betas - studio.betas)[:10] ** 2)))
print(f"shape error of the wild record: {shape_error:.3f} standard deviations (first ten numbers)")
plt.show()

# %% [markdown]
# ## 4. Truth
#
# With every picture come its matte, its camera, the pose and the actions. Posing the body by the record and
# projecting its joints with the record's camera must land on the person; in the wild, the tracker's errors show.


# %%
def joints_in(record, frame):
    """Pixels [55, 2] of the body's joints by the record's own numbers."""
    pose = full_pose(*(torch.from_numpy(x) for x in (frame.theta, frame.root, frame.gaze)))[None]
    posed = body(torch.from_numpy(record.betas)[None], None, pose, torch.from_numpy(frame.root[3:])[None])
    return project(frame.body.camera, posed.joints[0].numpy())


shown = [(studio, studio.frames[0]), (studio, studio.frames[-1]), (wild, wild.frames[0])]
figure, axes = plt.subplots(1, 6, figsize=(13, 2.4))
for (record, frame), left, right in zip(shown, axes[::2], axes[1::2]):
    left.imshow(composite(frame.body.image, frame.body.matte))
    right.imshow(frame.body.image // 2 + 90)
    right.plot(*joints_in(record, frame).T, "r.", ms=2)
    left.set_title(f"{record.domain}: matte on green", fontsize=8)
    right.set_title("joints by camera and pose", fontsize=8)
    left.axis("off"), right.axis("off")
figure.tight_layout()
plt.show()


# %% [markdown]
# How many of the joints fall on the matte? Then the actions of one face, as a record holds them.


# %%
def on_matte(record, frame):
    """Share of the joints that fall on a pixel of the person."""
    x, y = np.clip(joints_in(record, frame).astype(int), 0, frame.body.matte.shape[0] - 1).T
    return (frame.body.matte[y, x] > 127).mean()


hits = {d: float(np.mean([on_matte(p, f) for p in group for f in p.frames])) for d, group in people.items()}
print("joints on the matte:", {domain: f"{100 * hit:.1f} %" for domain, hit in hits.items()})
frame = max((f for p in people["studio"] for f in p.frames if f.face is not None), key=lambda f: f.actions.sum())
figure, axes = plt.subplots(1, 2, figsize=(9, 2.6), width_ratios=(1, 3))
axes[0].imshow(frame.face.image)
axes[0].axis("off")
active = np.flatnonzero(frame.actions)
axes[1].barh([ACTIONS[i] for i in active], frame.actions[active])
axes[1].set(xlim=(0, 1), xlabel=f"strength; gaze {np.round(frame.gaze, 2)} rad")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## 5. On disk: shards and a manifest
#
# Records are plain tar files in WebDataset's layout, one sample a person, and a Croissant manifest says what they
# hold, in words that other tools read. A second program checks it: `mlcroissant`, by the people who wrote the format.

# %%
shards = out / "shards"
shutil.copytree(folders["studio"], shards, dirs_exist_ok=True)
manifest = write_manifest(shards, "studio", seeds, profile)
for path in sorted(shards.iterdir()):
    print(f"{path.name:24} {path.stat().st_size / 1024:8.0f} KiB")
dataset = mlcroissant.Dataset(jsonld=str(manifest))
print("errors:", len(dataset.metadata.issues.errors), "warnings:", len(dataset.metadata.issues.warnings))
described = json.loads(manifest.read_text())
print(described["name"], "|", described["description"])
print("sha256 of", described["distribution"][0]["name"], described["distribution"][0]["sha256"][:16], "...")

# %% [markdown]
# The same pictures come back, byte for byte, and `python -m lca_core people` writes the same from a shell.

# %%
again = list(read_people(shards))
pairs = [(a, b) for p, q in zip(again, people["studio"]) for a, b in zip(p.frames, q.frames)]
print(all(np.array_equal(a.body.image, b.body.image) for a, b in pairs), len(pairs), "frames the same")

# %% [markdown]
# ## 6. Who is in the crowd?
#
# A prior over people is as fair as its people. Specs cost nothing, so look at two hundred of them.

# %%
crowd = [sample_person(s) for s in range(10_000, 10_200)]
kinds = {
    "hair": Counter(p.hair.style for p in crowd),
    "top": Counter(p.top.kind for p in crowd),
    "bottom": Counter(p.bottom.kind for p in crowd),
    "pattern of the top": Counter(p.top.pattern for p in crowd),
}
figure, axes = plt.subplots(1, 5, figsize=(13, 2.8))
axes[0].hist([p.skin.tone for p in crowd], bins=10, color="tab:brown")
axes[0].set_title("skin tone, light to dark", fontsize=9)
for axis, (name, counts) in zip(axes[1:], kinds.items()):
    axis.barh(*zip(*sorted(counts.items(), key=lambda item: item[1])))
    axis.set_title(name, fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# Their colours, one column a person, from light to dark skin:

# %%
ordered = sorted(crowd, key=lambda p: p.skin.tone)
stripes = {
    "skin": [p.skin.color for p in ordered], "hair": [p.hair.color for p in ordered],
    "iris": [p.iris for p in ordered], "top": [p.top.colors[0] for p in ordered],
    "bottom": [p.bottom.colors[0] for p in ordered],
}  # fmt: skip
figure, axis = plt.subplots(figsize=(12, 2.2))
axis.imshow(np.array(list(stripes.values())), aspect="auto", interpolation="nearest")
axis.set_yticks(range(len(stripes)), list(stripes))
axis.set_xticks([])
plt.show()

# %% [markdown]
# Shape and the build of the body: rest joints give heights without drawing anybody.

# %%
shapes = torch.from_numpy(np.stack([p.betas for p in crowd]))
vertices = body.rest(shapes[:, : body.shapedirs.shape[-1]])
heights = (vertices[..., 1].amax(1) - vertices[..., 1].amin(1)).numpy()
figure, axis = plt.subplots(figsize=(5, 2.2))
axis.hist(heights, bins=20)
axis.set_xlabel("height, metres")
plt.show()

# %% [markdown]
# ## What we saw

# %%
summary = {
    "people": len(seeds),
    "pictures": sum(1 + (f.face is not None) for group in people.values() for p in group for f in p.frames),
    "joints_on_matte_studio": round(hits["studio"], 3),
    "joints_on_matte_wild": round(hits["wild"], 3),
    "wild_shape_error": round(shape_error, 3),
    "manifest_errors": len(dataset.metadata.issues.errors),
    "crowd_skin_tone_mean": round(float(np.mean([p.skin.tone for p in crowd])), 2),
    "crowd_height_m": [round(float(h), 2) for h in (heights.min(), heights.mean(), heights.max())],
}
Path(out, "01_digital_humans.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - One integer gives one person in both domains; every pixel comes with a matte, a camera, a pose and 52 actions.
# - Studio joints land on the person; wild ones too, but by a tracker's errors beside the truth, as real trackers do.
# - Weak spots, to be seen above: heights spread wider than people's do; clothes follow the skin and have few cuts;
#   there are eight hair styles and one kind of shoe, nobody wears glasses, and age hardly shows in a face.
#
# ## Exercises
#
# **1.** Which of the test people 10,000 to 10,999 have dyed hair? Show one.
#
# <details><summary>Solution</summary>
#
# ```python
# from lca_core.people.spec import _DYED_HAIR
# near = lambda c: min(np.abs(np.array(c) / row - 1).max() for row in _DYED_HAIR)
# dyed = [s for s in range(10_000, 11_000) if near(sample_person(s).hair.color) < 0.101]  # shades vary by a tenth
# dyed = [s for s in dyed if sample_person(s).hair.style != "bald"]
# print(len(dyed), dyed[:5])
# other = DigitalHuman.build(sample_person(dyed[0]))
# Stage(other.pose(np.zeros((55, 3))), studio_light()).shoot([camera], 8)[0][0]
# ```
# 64, with `bald` ones left out: about the eight in a hundred written in `spec._hair`.
# </details>
#
# **2.** Blink: draw the eyes in five steps of `face("blink", amount)`. Where do the lids meet?
#
# <details><summary>Solution</summary>
#
# ```python
# sheet([("blink", [shoot(eyes, actions=face("blink", a)) for a in (0, 0.25, 0.5, 0.75, 1)])])
# ```
# The upper lid does nearly all of it, as ours do; the lashes ride on it.
# </details>
#
# **3.** How far is a wild record's pose from the truth, in pixels? (The truth: same seed, and the motion that
# `meta["motion"]` names.)
#
# <details><summary>Solution</summary>
#
# Apply `lca_core.people.domains.tracker_errors` to a studio frame's numbers, once for each of many generators, and
# compare `joints_in` before and after. At 112 px it is a third of a pixel for the pelvis and two to three pixels for
# the hands, at the end of a long chain: a hand is hardly wider, so its joints often miss the matte above.
# </details>
#
# **Next:** [02_curation](02_curation.ipynb), where real pictures go through the same doors.
