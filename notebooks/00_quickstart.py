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
# # 00 · Quickstart: a photograph becomes an avatar
#
# One photograph of a real person goes in; out comes a person made of Gaussians that can be turned, posed, made to
# smile and look aside, saved, and opened in other programs. Then the same with four pictures of somebody whose truth
# is known, to see how good it is. `python -m lca_core avatar PHOTO... --out DIR` does the first half from a shell.
#
# **Where we are**: at the end of the pipeline, using what the other notebooks make.
#
# ```
#  photos ─▶ find, cut out, crop ─▶ tokens ─▶ ENCODE (once a person) ─▶ avatar ─▶ DRIVE (every frame) ─▶ pictures
#            03_curation            └──── 05_pretraining, 06_posttraining ────┘
# ```
#
# What to expect: the shipped model is small and was trained on 608 digital humans, on a CPU, in four hours; the
# paper's saw a million videos and 2,737 people in a studio. What a photograph does not show is guessed from digital
# humans.

# %%
import json
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.body import BodyModel, Driving
from lca_core.curation.decode import read_photo
from lca_core.curation.photos import prepare_photos
from lca_core.curation.samples import real_photos
from lca_core.data import pixels, read_people
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.protocols import split_frames
from lca_core.judges.metrics import psnr_fg
from lca_core.making.files import write_avatar
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, driving_of, encoder_of, person_inputs, refine, target_driving
from lca_core.motion.faces import face
from lca_core.paths import output_folder
from lca_core.people.domains.production import cached_people
from lca_core.splats import read_ply
from lca_core.viewer import curation_figures as figures
from lca_core.viewer.figures import sheet
from lca_core.viewer.stage import body_camera, clip, examples, head_camera, motion_driving, show, turntable
from lca_core.viewer.widgets import avatar_sliders

# %% tags=["parameters"]
profile = "smoke"  # how large and how many pictures are drawn; the model brings its own sizes
seed = 10000  # the digital human of section 6, a test person
out = "build/00_quickstart"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
out = output_folder(out)
px, video_frames = (160, 25) if profile == "smoke" else (224, 75)
model, meta = load_release()
encoder = encoder_of(meta)
sizes = model.profile
print(f"model of profile {sizes.name!r}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} million numbers,",
      f"{sizes.anchors} anchors x {sizes.gaussians_per_anchor} Gaussians, body {sizes.body_px} px")  # fmt: skip

# %% [markdown]
# ## 1. A photograph
#
# It ships inside scikit-image and is in the public domain: the astronaut Eileen Collins. `prepare_photos` finds the
# one person in it, cuts her out, fits a body to her (shape, pose, fingers, gaze, camera; see
# [03_curation](03_curation.ipynb)) and crops body and face to what the model takes.

# %%
photo = real_photos()["astronaut"]
started = time.perf_counter()
person = prepare_photos([photo], sizes)
print(f"{photo.name}: {read_photo(photo).shape} to {person.id} in {time.perf_counter() - started:.1f} s")
print("shows:", person.meta["photos"][0]["shows"], "| cut by:", person.meta["photos"][0]["cut_by"])
print("not shown:", ", ".join(person.meta["missing"]))
print("joints lie", person.meta["photos"][0]["fit_error"], "of her height from where they were seen")
frame = person.frames[0]
cut_out = [figures.composite(p.image, p.matte) for p in (frame.body, frame.face)]
body_over = figures.body_over(frame, person.betas, BodyModel.load())
names = ["photograph", "body, on green", "face, on green", "the fitted body"]
figures.pictures([read_photo(photo), *cut_out, body_over], names, 4)
plt.show()

# %% [markdown]
# ## 2. Encode
#
# Patches of 14 x 14 pixels become rows of numbers. The model reads them once and writes one token for every anchor on
# the body; the canonical branch makes Gaussians of those. This happens once a person. As the body was fitted, every
# place on it can look at its own pixel of the photograph.

# %%
inputs = person_inputs(person.frames, person.betas, encoder, sizes.face_px)
started = time.perf_counter()
avatar = Avatar.encode(model, inputs, {"id": person.id})
encode_seconds = time.perf_counter() - started
print("image rows: body", tuple(inputs.body.shape), "face", tuple(inputs.face.shape))
print("geometry tokens", tuple(avatar.tokens.shape), "-> canonical", tuple(avatar.raw.shape))
print(f"{len(avatar)} Gaussians in {encode_seconds:.2f} s")

# %% [markdown]
# That is all the paper does. Ours goes on, if you let it: some steps of optimisation on the photograph itself, begun
# where the forward pass ends. The network knows people in general, this knows her. Left before, right after.

# %%
plain, started = avatar, time.perf_counter()
avatar = refine(plain, person.frames, driving_of(model, person.frames, person.betas))
refine_seconds = time.perf_counter() - started
heads = [show(a, Driving.neutral(), head_camera(a, turn, px)) for turn in (0.0, 0.5) for a in (plain, avatar)]
titles = ["forward pass", f"refined, {refine_seconds:.1f} s", "from the side", "refined"]
sheet([("head", heads)], px, captions=[titles])
plt.show()

# %% [markdown]
# Round it once. One picture of half a person says nothing of her back or her legs: those come from the prior.

# %%
sheet([("all round", turntable(avatar, 6, px))], px, captions=[[f"{60 * i} degrees" for i in range(6)]])
plt.show()

# %% [markdown]
# ## 3. Drive
#
# A driving signal is 138 numbers of body and hands, a code of 128 for the face, gaze, and where the body stands.
# `pose` in `lca_core.viewer` makes one from names; here are six ready-made ones, the body above, the head below.

# %%
driven = examples(avatar)
body, head = body_camera(avatar, 0.0, px, reach=0.25), head_camera(avatar, 0.0, px)
sheet(
    [("body", [show(avatar, d, body) for d in driven.values()]),
     ("head", [show(avatar, d, head) for d in driven.values()])],
    px, captions=[[], list(driven)],
)  # fmt: skip
print({name: tuple(getattr(driven["step"], name).shape) for name in ("theta", "epsilon", "gaze", "root")})
plt.show()

# %% [markdown]
# Faces mix 52 named actions. A small map turns them into a code: its first 52 numbers are the actions themselves, which
# move the body's facial blendshapes; the others were learned. Look from the head's front.

# %%
names = ["neutral", "smile", "open", "surprise", "blink", "frown"]
codes = avatar.action_map(torch.from_numpy(np.stack([face(name) for name in names])))
faces = replace(Driving.neutral(len(names)), epsilon=codes)
sheet([("faces", [show(avatar, faces[i : i + 1], head) for i in range(len(names))])], px, captions=[names])
plt.show()

# %% [markdown]
# ## 4. Save, open, go on
#
# Four files: the avatar (safetensors: numbers only, loading runs no code), its canonical Gaussians as a PLY that 3D
# Gaussian splatting viewers open, a sheet like the above, and a short video of a walk.

# %%
paths = write_avatar(avatar, person, out, video_frames, progress=False)
for path in paths:
    print(f"{path.name:20} {path.stat().st_size / 1024:8.0f} KiB")
again = Avatar.load(out / "avatar.safetensors")
step = driven["step"]
same = torch.equal(again.drive(step).means, avatar.drive(step).means)
print("loaded avatar driven to the same Gaussians:", same, "| in the PLY:", len(read_ply(out / "avatar.ply")))

# %% [markdown]
# Everything needed to drive it is in the file, so the model can be forgotten. Eight instants of a wave:

# %%
wave = motion_driving(again, "wave", 50)
started = time.perf_counter()
strip = list(clip(again, wave[::7], body_camera(again, 0.3, px, reach=0.25), progress=False))
frames_a_second = len(strip) / (time.perf_counter() - started)
sheet([("wave", strip)], px)
print(f"{frames_a_second:.1f} frames a second at {px} px on this machine's CPU")
plt.show()

# %% [markdown]
# ## 5. By hand
#
# Run this notebook in JupyterLab to move the sliders; on a web page only the pictures above are seen.

# %%
avatar_sliders(avatar, px)

# %% [markdown]
# ## 6. Somebody whose truth is known
#
# A digital human that training never saw, from a studio record: up to four pictures all round go in, with exact shape
# and pose. All other pictures are drawn by the avatar and compared. This is what the model was trained for.

# %%
(known,) = read_people(cached_people([seed], "studio", sizes))  # `verify` draws this one too
shown, targets = split_frames(known, 4)
other = encode_person(model, encoder, known, shown)
sheet([("body", [f.body.image for f in shown]), ("face", [f.face.image for f in shown if f.face is not None])], px)
print(known.id, "| pictures in:", len(shown), "| pictures to draw:", len(targets))
plt.show()

# %% [markdown]
# Above the truth on white, below the avatar as the forward pass makes it, and refined on the pictures that went in,
# from cameras and in poses neither has seen. PSNR over the person's own pixels (`psnr_fg`, dB, more is better) stands
# below.


# %%
def drawn(avatar, frame):
    """The avatar in a recorded frame: (picture, truth over white, psnr_fg)."""
    posed = avatar.drive(target_driving(model, frame, known.betas)).map(lambda t: t[0])
    picture, (truth, matte) = draw_like(posed, frame.body)[0], pixels(frame.body)
    white = truth * matte[..., None] + 1 - matte[..., None]
    return picture, white, float(psnr_fg(picture, truth, matte))


better = refine(other, shown, driving_of(model, shown, known.betas))
results, refined = ([drawn(a, target.frame) for target in targets] for a in (other, better))
chosen = np.linspace(0, len(targets) - 1, min(6, len(targets))).astype(int)
captions = [[f"{targets[i].pose} pose, {made[i][2]:.1f} dB" for i in chosen] for made in (results, refined)]
rows = ("truth", [results[i][1] for i in chosen]), ("avatar", [results[i][0] for i in chosen])
sheet([*rows, ("refined", [refined[i][0] for i in chosen])], px, captions=[[], *captions])
plt.show()

# %% [markdown]
# Any number of pictures can go in. With one, the back is a guess; the mean over all pictures says what it costs.

# %%
by_count = {}
for count in (1, 2, 4):
    some = shown[:: 4 // count]
    guess = encode_person(model, encoder, known, some)
    by_count[len(some)] = float(np.mean([drawn(guess, target.frame)[2] for target in targets]))
by_count["4, refined"] = float(np.mean([made[2] for made in refined]))
print("pictures in -> psnr_fg:", {count: f"{value:.2f} dB" for count, value in by_count.items()})
sheet([("all round", turntable(other, 6, px))], px)
plt.show()

# %% [markdown]
# ## What we saw
#
# Numbers of this run; the ones to quote are the records in `results/`, over many people.

# %%
summary = {
    "gaussians": len(avatar),
    "loaded_is_same": same,
    "encode_seconds": round(encode_seconds, 2),
    "refine_seconds": round(refine_seconds, 1),
    "frames_a_second": round(frames_a_second, 1),
    "psnr_fg_by_pictures_in": {str(count): round(value, 2) for count, value in by_count.items()},
}
(out / "00_quickstart.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - One call takes a photograph to an avatar that is driven, saved and opened elsewhere; encoding is done once.
# - Of the digital human, clothes carry over (fine checks softly), and hair and skin; the face is soft until it is
#   refined. Mouth and brows answer, lids are too thin to. More pictures help: each shows places that the others do not.
# - The astronaut is harder than the digital human: real light, a suit unlike any garment in training, a helmet in hand,
#   no legs in the picture, a body fitted and not known. What the photograph shows from the front comes through, face,
#   hair, suit and badge; the back and the legs are a guess. She smiled for the photograph; told to open her mouth, she
#   tears that smile: nothing knows where lips end and teeth begin.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import torch

from lca_core.body import Driving, theta_slice
from lca_core.viewer.exercises import attempt
from lca_core.viewer.stage import fist

# %% [markdown] tags=["exercise"]
# ### 1 · Thumbs up (10 minutes)
#
# `fist("right")` names the joints that close a hand, each with its turn as three radians; `theta_slice(joint)` says
# where the three stand among theta's 138 numbers. Make the driving signal of a thumb that is up: all fingers of the
# right hand bent but the thumb, the right elbow bent by 1.8 radians about y, everything else at rest. Expected: 13
# joints of theta differ from rest. Then show it: `show(avatar, thumbs_up(), body)`.


# %% tags=["exercise"]
def thumbs_up():
    """A `Driving` of one frame: rest (`Driving.neutral()`) but for the right forearm and hand."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_thumbs_up(thumbs_up):
    rest, up = Driving.neutral(), thumbs_up()
    moved = (up.theta != rest.theta).unflatten(-1, (46, 3)).any(-1)
    fingers = [joint for joint in fist("right") if "thumb" not in joint]
    assert moved.sum() == len(fingers) + 1, f"12 finger joints and an elbow move, not {moved.sum()}"
    assert torch.equal(up.theta[0, theta_slice("right_elbow")], torch.tensor([0.0, 1.8, 0.0])), "the elbow"
    assert not any(moved[0, theta_slice(f"right_thumb{k}").start // 3] for k in (1, 2, 3)), "the thumb stays straight"
    assert torch.equal(up.epsilon, rest.epsilon) and torch.equal(up.root, rest.root), "face and place stay at rest"


attempt(check_thumbs_up, thumbs_up)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def thumbs_up():
#     """A `Driving` of one frame: rest (`Driving.neutral()`) but for the right forearm and hand."""
#     driving = Driving.neutral()
#     turns = {joint: turn for joint, turn in fist("right").items() if "thumb" not in joint}
#     for joint, turn in (turns | {"right_elbow": (0.0, 1.8, 0.0)}).items():
#         driving.theta[0, theta_slice(joint)] = torch.tensor(turn)
#     return driving
# ```
#
# A driving signal is numbers and nothing else: it knows no person, and moves every avatar.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Between two poses (10 minutes)
#
# A clip at 25 frames a second is to be shown at 50. Write the frame between two: for each of the four parts of a
# driving signal, a share t of the way from one to the other. Expected: at t = 0 the first, at t = 1 the second, and for
# t = (0, 0.5, 1) three frames.


# %% tags=["exercise"]
def between(first, second, t):
    """`Driving` of len(t) frames on the way from `first` to `second`, one frame each; t: [F] in [0, 1]."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def between(first, second, t):
#     """`Driving` of len(t) frames on the way from `first` to `second`, one frame each; t: [F] in [0, 1]."""
#     names = ("theta", "epsilon", "gaze", "root")
#     return Driving(**{name: torch.lerp(getattr(first, name), getattr(second, name), t[:, None]) for name in names})
# ```
#
# A mean of turns as axis-angle numbers is right for small ones and good enough between neighbouring frames. Between a
# turn by 170 and one by -170 degrees it would go the long way round: there one takes quaternions.
#
# </details>

# %% [markdown]
# **Next:** [01_gaussians_from_scratch](01_gaussians_from_scratch.ipynb): what an avatar is made of, from one soft dot.
