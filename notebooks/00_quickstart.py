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
# # 00 · Quickstart: photographs become an avatar you can play with
#
# Four photographs of somebody go in; out comes a person made of Gaussians that can be turned, posed, made to smile and
# look aside, live. Then the same with one photograph of a real person, or your own, with what the library says of how
# sure it is; saved, and opened in other programs. Last, somebody whose truth is known, to see how good it is.
#
# From a shell: `python -m lca_core demo` plays with the first person in your browser, `python -m lca_core avatar
# PHOTO... --out DIR` makes an avatar of yours.
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

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.body import BodyModel, Driving
from lca_core.curation.decode import read_photo
from lca_core.curation.samples import real_photos
from lca_core.data import pixels, read_people
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.protocols import split_frames
from lca_core.judges.metrics import psnr_fg
from lca_core.making.advice import advice, certainty
from lca_core.making.demo import PERSON
from lca_core.making.files import write_avatar
from lca_core.making.photos import avatar_from_photos, encode_person
from lca_core.making.release import load_complete
from lca_core.model import Avatar, driving_of, encoder_of, person_inputs, refine, target_driving
from lca_core.paths import output_folder
from lca_core.people.domains.production import cached_people
from lca_core.splats import read_ply
from lca_core.viewer import curation_figures as figures
from lca_core.viewer.figures import sheet
from lca_core.viewer.live import Live
from lca_core.viewer.performance import Performance
from lca_core.viewer.sliders import groups
from lca_core.viewer.stage import body_camera, examples, head_camera, motion_driving, show, turntable
from lca_core.viewer.widgets import LiveViewer

# %% tags=["parameters"]
profile = "smoke"  # how large and how many pictures are drawn; the model brings its own sizes
seed = 10000  # the digital human of section 5, a test person
photos = []  # photographs of one person, yours; none: the astronaut Eileen Collins
out = "build/00_quickstart"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
out = output_folder(out)
px, video_frames = (160, 25) if profile == "smoke" else (224, 75)
model, meta = load_complete()
encoder = encoder_of(meta)
sizes = model.profile
print(f"model of profile {sizes.name!r}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} million numbers,",
      f"{sizes.anchors} anchors x {sizes.gaussians_per_anchor} Gaussians, body {sizes.body_px} px")  # fmt: skip

# %% [markdown]
# ## 1. Somebody, live
#
# These four photographs ship with the repository: a digital human whom the model has never seen, in even light, with a
# body that is known exactly. As good as it gets.

# %%
somebody = at_sizes(next(iter(read_people(PERSON))), sizes)
bodies = [figures.composite(f.body.image, f.body.matte) for f in somebody.frames]
sheet([("photographs", bodies), ("faces", [f.face.image for f in somebody.frames if f.face is not None])], px)
plt.show()

# %% [markdown]
# Patches of 14 x 14 pixels become rows of numbers. The model reads them once and writes one token for every anchor on
# the body; the canonical branch makes Gaussians of those. This happens once a person. Then, if you let it, some steps
# of optimisation on the same photographs: the network knows people in general, this knows this one.

# %%
inputs = person_inputs(somebody.frames, somebody.betas, encoder, sizes.face_px)
print("image rows: body", tuple(inputs.body.shape), "face", tuple(inputs.face.shape))
started = time.perf_counter()
plain = encode_person(model, encoder, somebody, somebody.frames)
encode_seconds = time.perf_counter() - started
print("geometry tokens", tuple(plain.tokens.shape), "-> canonical", tuple(plain.raw.shape))
started = time.perf_counter()
live_avatar = refine(plain, somebody.frames, driving_of(model, somebody.frames, somebody.betas))
refine_seconds = time.perf_counter() - started
print(f"{len(plain)} Gaussians in {encode_seconds:.2f} s, refined in {refine_seconds:.1f} s")
heads = [show(a, Driving.neutral(), head_camera(a, turn, px)) for turn in (0.0, 0.5) for a in (plain, live_avatar)]
sheet([("head", heads)], px, captions=[["forward pass", "refined", "forward pass", "refined"]])
plt.show()

# %% [markdown]
# Now play: body, fingers, eyes, all 52 facial actions, motions; drag the picture to turn the camera, click on it and
# the wheel comes nearer. Every picture is drawn by the library's own rasteriser, as avatars are evaluated. Sliders need
# this notebook to run (in JupyterLab: *Run, Run All Cells*); where it is only read, these are pictures of the same
# viewer:

# %%
live = Live(live_avatar, px)
faces = next(group for group in groups() if group["name"] == "Face")["presets"]
body_asked = {
    "at rest": Performance(),
    "arms": Performance({"left_arm": 0.6, "right_elbow": 1.8}, azimuth=0.0),
    "walk": Performance(motion="walk", seconds=0.6, azimuth=0.8),
    "dance": Performance(motion="dance", seconds=2.0),
    "from behind": Performance(azimuth=2.8),
    "fingers": Performance({"left_index": 1.3, "left_middle": 1.3}, view="Left hand"),
}
shown_faces = ("Neutral", "Smile", "Surprise", "Anger", "Blink")
face_asked = {name: Performance(faces[name], view="Face", azimuth=0.0) for name in shown_faces}
face_asked["look aside"] = Performance({"gaze_aside": 0.45}, view="Face", azimuth=0.0)
rows = [("live", [live.picture(asked) for asked in each.values()]) for each in (body_asked, face_asked)]
sheet(rows, px, captions=[list(body_asked), list(face_asked)])
started = time.perf_counter()
for moment in np.arange(12) / 12:
    live.picture(Performance(motion="walk", seconds=moment))
frames_a_second = 12 / (time.perf_counter() - started)
print(f"{frames_a_second:.0f} driven pictures a second at {px} px")
plt.show()

# %%
viewer = LiveViewer(live_avatar)
viewer

# %% [markdown]
# Where your browser has a graphics card, it draws the same Gaussians by itself, as smoothly as the screen, large and
# from wherever you drag to; viser serves them to this machine alone:
#
# ```python
# from lca_core.viewer.gpu import GpuViewer
# gpu = GpuViewer(live_avatar)
# gpu.play(Performance(motion="dance"))
# gpu  # a frame here; gpu.address opens in a window of its own
# ```

# %% [markdown]
# ## 2. One photograph of a real person, or yours
#
# Give files in `photos` above: the whole body, facing the camera, arms a little away from it; others from the sides and
# from behind. None given, it is a photograph that ships inside scikit-image, in the public domain: the astronaut Eileen
# Collins. The one person in it is found and cut out, a body is fitted to her (shape, pose, fingers, gaze, camera; see
# [03_curation](03_curation.ipynb)), and her avatar is made; of two photographs and more it is refined on them, too.
# Nobody in the picture, or two people, and it says so.

# %%
given = photos or [real_photos()["astronaut"]]
avatar, person = avatar_from_photos(given, model, encoder, tell=print)
frame = person.frames[0]
cut_out = [figures.composite(p.image, p.matte) for p in (frame.body, frame.face) if p is not None]
body_over = figures.body_over(frame, person.betas, BodyModel.load())
names = ["photograph", "body, on green", "face, on green"][: 1 + len(cut_out)] + ["the fitted body"]
figures.pictures([read_photo(given[0]), *cut_out, body_over], names, 4)
plt.show()

# %% [markdown]
# How sure is it, and what would make it better?

# %%
print("How sure:", *certainty(person), sep="\n  ")
print("What would make it better:", *advice(person), sep="\n  ")
sheet([("all round", turntable(avatar, 6, px))], px, captions=[[f"{60 * i} degrees" for i in range(6)]])
plt.show()

# %% [markdown]
# ## 3. Drive
#
# A driving signal is 138 numbers of body and hands, a code of 128 for the face, gaze, and where the body stands.
# `pose` in `lca_core.viewer` makes one from names; here are six ready-made ones, the body above, the head below. Faces
# mix 52 named actions: a small map turns them into a code, whose first 52 numbers are the actions themselves, which
# move the body's facial blendshapes; the others were learned.

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
# A person in a clip drives her as well: body, head, mouth, lids and gaze. With a camera, record yourself and be her:
#
# ```python
# from lca_core.making.following import follow
# from lca_core.making.recording import record_clip
# from lca_core.viewer.signals import driving_of_signal
# from lca_core.viewer.stage import clip
# from lca_core.viewer.video import write_mp4
# me = follow(record_clip(out / "me.mp4", seconds=6))  # or any clip of one person
# print(*me.said, sep="\n")
# write_mp4(out / "like_me.mp4", clip(avatar, driving_of_signal(avatar, me.motion), body_camera(avatar, 0.3, 320)))
# ```
#
# From a shell: `python -m lca_core drive avatar.safetensors --like CLIP.mp4 --view face --out like.mp4`.

# %% [markdown]
# ## 4. Save, open, go on
#
# Four files: the avatar (safetensors: numbers only, loading runs no code), its canonical Gaussians as a PLY that 3D
# Gaussian splatting viewers open, a sheet like the above, and a short video of a walk. `python -m lca_core export`
# writes others; `--as html` a page that drives and draws the avatar in any browser, alone.

# %%
paths = write_avatar(avatar, person, out, video_frames, progress=False)
for path in paths:
    print(f"{path.name:20} {path.stat().st_size / 1024:8.0f} KiB")
again = Avatar.load(out / "avatar.safetensors")
wave = motion_driving(again, "wave", 50)[::7]
same = torch.equal(again.drive(wave).means, avatar.drive(wave).means)
print("loaded avatar driven to the same Gaussians:", same, "| in the PLY:", len(read_ply(out / "avatar.ply")))
sheet([("wave", [show(again, wave[i : i + 1], body) for i in range(len(wave))])], px)
plt.show()

# %% [markdown]
# ## 5. Somebody whose truth is known
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
# - One call takes photographs to an avatar that is played with live, driven, saved and opened elsewhere; encoding is
#   done once.
# - Of a digital human, clothes carry over (fine checks softly), and hair and skin; the face is soft, refined or not.
#   More pictures help: each shows places that the others do not.
# - The astronaut is harder: real light, a suit unlike any garment in training, a helmet in hand, no legs in the
#   picture, a body fitted and not known. What the photograph shows from the front comes through, face, hair, suit and
#   badge; the back and the legs are a guess, as the library says itself. She smiled for the photograph; told to open
#   her mouth, she shows teeth and a dark that are guessed, across the smile she wore: nothing knows where lips end
#   and teeth begin.

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
