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
# # 05 · Pretraining: a prior over people from casual clips
#
# The model learns what people look like from many of them, each seen badly: one moving camera, casual light, a
# tracker's errors in pose and shape. Here the whole of it is built up in small steps, every tensor with its shape:
# pictures to patch rows, rows to image tokens, a body's surface to geometry tokens, attention between them, Gaussians,
# the loss, and a training run. At `profile="smoke"` that run is a few dozen steps on eight people: enough to see
# every part move, not enough to see a face. The shipped model's own, longer curve stands at the end.
#
# **Time**: three quarters of a minute to run at `smoke` on two cores, half an hour to read, twenty-five minutes for the
# exercises.
#
# **Where we are**: records become a prior, and this is the network that holds it:
#
# ```
#  photos ─▶ patch rows ─▶ image tokens ───┐ (read by)
#  body ───▶ anchors ────▶ geometry tokens ┴─▶ T_gs ─┬─ canonical: once per person ─┐
#                          theta, epsilon, gaze ─────┴─ driven: once per frame ─────┴─▶ LBS ─▶ splats ─▶ loss
# ```

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("pretraining")
plt.show()

# %%
import json
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display

from lca_core.data import pixels as pixels_and_matte
from lca_core.data import read_people
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.evaluate import draw_like, evaluate_people, template_avatar
from lca_core.evaluation.figures.style import as_image, framed, tiles
from lca_core.evaluation.protocols import split_frames
from lca_core.experiments import TABLE
from lca_core.judges.metrics import over_white, psnr_fg
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import encoder_named, rows_length, target_driving
from lca_core.model.alignment import View
from lca_core.model.crops import foreground
from lca_core.model.rows import MATTE, mattes_of, pixels_of
from lca_core.paths import CHECKPOINTS, RESULTS, output_folder
from lca_core.people.domains.production import cached_people
from lca_core.profiles import profile as profile_of
from lca_core.release import RELEASE
from lca_core.training import build_model, load_template, read_header
from lca_core.training.batches import draw_batch
from lca_core.training.examples import examples
from lca_core.training.objective import forward, loss_of, render, select
from lca_core.training.stages import ENCODER, stage_settings, train_stage
from lca_core.viewer.figures import loss_curves, read_log, sheet, training_figure

# %% tags=["parameters"]
profile = "smoke"
seed = 0
out = "build/05_pretraining"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
sizes, encoder = profile_of(profile), encoder_named(ENCODER)
out = output_folder(out)
run_folder = out / "pretrain"
print(f"profile {sizes.name}: body {sizes.body_px} px, face {sizes.face_px} px, D = {sizes.dim}, L = {sizes.depth},")
print(f"{sizes.anchors} anchors x {sizes.gaussians_per_anchor} Gaussians, {sizes.pretrain_steps} steps")

# %% [markdown]
# ## 1. The people
#
# Wild records: a clip each, a body picture and a face crop a frame, both with mattes and cameras. The first run
# renders them (minutes); afterwards they come from the cache. Seed 9000 is a validation person: never trained on.

# %%
shards = cached_people(range(sizes.wild_people), "wild", profile)
people = list(read_people(shards))
(unseen,) = read_people(cached_people([9000], "wild", profile))
person = max(people, key=lambda p: sum(f.face is not None for f in p.frames))  # some only show their backs
frame = person.frames[0]
print(f"{len(people)} people, {len(person.frames)} frames each; of one frame:")
print(f"body {frame.body.image.shape}, face {frame.face.image.shape}, theta {frame.theta.shape}")
bodies = [p.frames[0].body.image for p in people[:8]]
faces = [next((f.face.image for f in p.frames if f.face), np.full_like(bodies[0], 255)) for p in people[:8]]
sheet([("bodies", bodies), ("faces", faces)], 110)
plt.show()

# %% [markdown]
# ## 2. A picture becomes rows of numbers
#
# The picture is put over grey and cut into 14 x 14 patches. Each patch becomes one row of numbers: its own pixels, red,
# green, blue and matte. (The paper's encoder, Sapiens, would put its features in front of them, and `--encoder FOLDER`
# does that for DINOv2, DINOv3 or Sapiens 2.) A small network then makes image tokens of rows. On the right what the
# first layer of the shipped model's looks for, sixteen of its 256 filters: blobs of colour, here and there a spot or an
# edge, learnt from people alone, under a grain that is left of the random numbers it began with.

# %%
(one,) = examples([person], encoder, sizes)
side = sizes.body_px // encoder.patch
rows = one.body_rows[0].float()
print(f"patch rows of {len(one.theta)} pictures: {[*one.body_rows.shape]}  [frames, patches, features + pixels]")
print(f"one row: {encoder.dim} features + 4 x {encoder.patch} x {encoder.patch} pixels = {rows_length(encoder)}")
pixels = rows[:, encoder.dim :].reshape(-1, 4, encoder.patch, encoder.patch)[:, :3] / 4 + 0.5

# %%
over_grey = foreground(frame.body)[:3].permute(1, 2, 0).numpy()
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2))
axes[0].imshow(over_grey)
axes[0].set_title("over grey")
mosaic = torch.nn.functional.pad(pixels, (1, 1, 1, 1), value=1.0).reshape(side, side, 3, 16, 16)
axes[1].imshow(mosaic.permute(0, 3, 1, 4, 2).reshape(16 * side, 16 * side, 3).clamp(0, 1))
axes[1].set_title(f"{side} x {side} patches of {encoder.patch} px")
if RELEASE.exists():
    filters = load_release(RELEASE)[0].image_tokens[0].weight.detach()[:, : 3 * MATTE].unflatten(1, (3, 14, 14))
    filters = filters[filters.flatten(1).norm(dim=1).argsort(descending=True)[::16]]
    filters = 0.5 + filters / filters.abs().amax((1, 2, 3), keepdim=True) / 2
    mosaic = torch.nn.functional.pad(filters, (1, 1, 1, 1), value=1.0).reshape(4, 4, 3, 16, 16)
    axes[2].imshow(mosaic.permute(0, 3, 1, 4, 2).reshape(64, 64, 3))
    axes[2].set_title("learnt filters")
for axis in axes:
    axis.axis("off")
plt.show()

# %% [markdown]
# ## 3. The model, part by part
#
# One shared patch encoder turns rows into image tokens, for any number of pictures. On the other side stand geometry
# tokens, one for each anchor on the body's surface, made from where the anchor is and nothing else.

# %%
model = build_model(sizes, rows_length(encoder), seed)
chosen = one.has_face.nonzero().flatten()[: sizes.inputs].tolist()
inputs = one.inputs(chosen)
image_tokens = model.image_tokens(inputs.body)
print(f"image rows      {[*inputs.body.shape]}  ->  image tokens {[*image_tokens.shape]}  [B, photos, patches, D]")
on_person = mattes_of(inputs.body).amax(-1) > 0  # a row ends with its patch's matte
print(f"of {on_person.numel()} body patches {int(on_person.sum())} show the person; the others are left out")
print(f"geometry tokens {[1, sizes.anchors, sizes.dim]}  [B, anchors, D]")
parts = {n: sum(p.numel() for p in m.parameters()) for n, m in model.named_children()}
for name, count in sorted(parts.items(), key=lambda item: -item[1]):
    print(f"{name:16} {count:10,} numbers")

# %% [markdown]
# The anchors are spread more finely over head and hands, where people look. Each carries a compact group of points,
# and each point a Gaussian: neighbouring points of one colour below belong to one token.

# %%
points, groups = model.anchor_points.flatten(0, 1), np.repeat(np.arange(sizes.anchors), sizes.gaussians_per_anchor)
front = model.anchor_normals.flatten(0, 1)[:, 2] > 0
shuffled = np.random.default_rng(0).permutation(sizes.anchors)[groups]
figure, axes = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(2, 1))
for axis, size in zip(axes, (3, 14), strict=True):
    axis.scatter(points[front, 0], points[front, 1], s=size, c=shuffled[front], cmap="prism", linewidths=0)
    axis.set_aspect("equal")
    axis.set_xlabel("x, metres")
head = model.joint_template[15]
axes[1].set_xlim(head[0] - 0.13, head[0] + 0.13)
axes[1].set_ylim(head[1] - 0.08, head[1] + 0.22)
axes[0].set_title(f"{sizes.anchors} anchors x {sizes.gaussians_per_anchor} points, front")
axes[1].set_title("the head")
plt.show()

# %% [markdown]
# A second addition of ours, `alignment`: records know the pose and the camera of their pictures, so a point of the body
# can be put into each picture and look at its own pixel, unless something hides it. Left and middle: the points that
# see themselves, in two input pictures; right: the colours they found, carried back to the T-pose. Grey points were
# seen in no picture: what they look like only the network can guess
# ([alignment.py](../lca_core/model/alignment.py)). The shipped model may also let a point wear what its counterpart
# sees, the other side of the body or the front through it ([counterparts.py](../lca_core/model/counterparts.py)); at
# `smoke` it does not.

# %%
normals = model.anchor_normals.flatten(0, 1)
surface = model.surface(inputs.betas).flatten(1, 2).detach()
view = View(inputs.body, inputs.face, inputs.seen, inputs.placement, model.rest_joints(inputs.betas).detach(),
            model.skinning_weights)  # fmt: skip
samples = view.samples(surface, normals)
pictures = [p for kind in (inputs.body, inputs.face) for p in pixels_of(kind)[0]]
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), width_ratios=(1, 1, 1.6))
for axis, number in zip(axes, (0, len(chosen)), strict=False):
    picture, sees = pictures[number], samples.facing[0, number] > 0
    x, y = ((samples.places[0, number, sees] + 1) / 2 * picture.shape[-1]).T
    axis.imshow((picture[:3] + 0.5).permute(1, 2, 0).clamp(0, 1), extent=(0, picture.shape[-1], picture.shape[-1], 0))
    axis.scatter(x, y, s=2, c="w", linewidths=0)
    axis.set_title(f"{int(sees.sum())} points see themselves", fontsize=9)
    axis.axis("off")
weight = samples.facing[0].square()[..., None]
mean = ((weight * samples.colors[0]).sum(0) / weight.sum(0).clamp(min=1e-3)).where(weight.sum(0) > 0, torch.tensor(0.8))
for side, shift in ((1, 0.0), (-1, 2.0)):  # the front, and beside it the back
    shown = side * normals[:, 2] > 0
    axes[2].scatter(side * surface[0, shown, 0] + shift, surface[0, shown, 1], s=3, c=mean[shown], linewidths=0)
axes[2].set_aspect("equal")
axes[2].axis("off")
axes[2].set_title(f"found in {len(chosen)} photographs: front, back", fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# Each of the L layers has three attentions: image tokens among themselves, geometry tokens among themselves, and
# geometry tokens reading image tokens. Through all of them the shapes stay as they are. What comes out is T_gs; beside
# it stand 48 numbers that each token reads straight from the patches' colours. That last part is ours, not the
# paper's: it spares a small model the long way for colours ([colors.py](../lca_core/model/colors.py)).

# %%
layer = model.encoder.layers[0]
for name in ("image_attention", "geometry_attention", "multimodal_attention"):
    print(f"{name:22} {sum(p.numel() for p in getattr(layer, name).parameters()):9,} numbers, {sizes.heads} heads")
with torch.no_grad():
    tokens, raw = model(inputs)
    gaussians = model.rig(inputs.betas).canonical(raw)
print(f"T_gs {[*tokens.shape]} -> canonical numbers {[*raw.shape]}  [B, anchors, k, 14]")
for name in ("means", "quats", "scales", "opacities", "colors"):
    print(f"  {name:10} {[*getattr(gaussians, name).shape]}")

# %% [markdown]
# The canonical branch stops at the T-pose: this runs once per person. The driven branch adds what pose, expression
# and gaze change, once per frame, and skinning puts the body where the record says. A face's code is read from its
# crop by a small network that nobody tells what a smile is: it learns by drawing the face. The first 52 of its 128
# numbers move the body's facial blendshapes (ours; `face_shapes=False` leaves them out), so that the driven branch
# need not find out what a mouth is. Before training everybody is a
# smooth surface in their own shape and pose, already wearing the colours their photographs show of it (alignment
# copies them); what no photograph shows has about their mean colour. Cloth and hair that stand off are still to learn.

# %%
training = examples(people[: min(8, len(people))], encoder, sizes)
batch = draw_batch(training, np.random.default_rng(seed), sizes.batch_people, sizes.inputs, sizes.views, judged=1)
settings = stage_settings("pretrain", profile, seed=seed)
with torch.no_grad():
    posed = forward(model, batch, autocast=False)
    over = replace(batch.body, background=torch.ones_like(batch.body.background))
    drawn, alphas = render(posed.driven.map(lambda t: select(t, over.which)), over)
print(f"theta {[*batch.theta.shape]}, driven numbers {[*posed.driven_raw.shape]}  [B, views, anchors, k, 14]")
print(f"pictures drawn {[*drawn.shape]}, alphas {[*alphas.shape]}")
truth = over_white(batch.body.pixels[..., :3], batch.body.pixels[..., 3])
sheet([("truth", list(truth.numpy())), ("before training", list(drawn.clamp(0, 1).numpy()))], 140)
plt.show()

# %% [markdown]
# ## 4. The loss
#
# L = L_img(I, I_cano) + L_img(I, I_driven) + lambda L_reg(p, s). Both branches must explain the picture by themselves;
# L_img is L1 on colours and silhouettes, with LPIPS on some of the pictures. The regulariser holds Gaussians near
# their anchors (acap), roundish (asap) and small (size), and costs nothing inside a free margin.

# %%
with torch.no_grad():
    _, terms = loss_of(model, batch, settings)
total = terms.pop("loss")
figure, axis = plt.subplots(figsize=(7, 2.8))
axis.barh([*terms], [*terms.values()])
axis.invert_yaxis()
axis.set_xlabel(f"share of the loss, {total:.2f} in all (no unit)")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## 5. Training
#
# First the template alone is fitted for a moment: the one set of Gaussians that is least wrong for everybody. Then
# everything trains. The loop is [lca_core/training/loop.py](../lca_core/training/loop.py), to be read from top to
# bottom; a run that is stopped goes on from its last checkpoint (here, at profiles above smoke).

# %%
trained = train_stage("pretrain", shards, run_folder, profile, seed=seed, resume=profile != "smoke")
print("written:", ", ".join(sorted(p.name for p in run_folder.iterdir())))
log = read_log(run_folder / "log.csv")
loss_curves({"this run": run_folder / "log.csv"}, smooth=5)
plt.show()

# %% [markdown]
# A step sees other people and other pictures than the one before, so the curve is as rough as the pictures differ.
# Read it on one batch instead, that of section 3: untrained, untrained on the fitted template, and after training.

# %%
template = load_template(run_folder / "template.safetensors", trained)
with torch.no_grad():
    model.template.raw.copy_(template)
    losses = {"untrained": total}
    for name, judged in (("on the template", model), ("trained", trained)):
        losses[name] = loss_of(judged, batch, settings)[1]["loss"]
print("loss of one and the same batch:", ", ".join(f"{name} {value:.3f}" for name, value in losses.items()))

# %% [markdown]
# Or look: four of the people after 0, 1, 2, 4, 8, ... steps (some of them), each from photographs of other moments, and
# the truth below. `train` writes these pictures beside every run.

# %%
training_figure(run_folder / "pictures")
plt.show()

# %% [markdown]
# ## 6. Before and after
#
# A training person and one never seen, each encoded from the first frames of their clip and drawn in the others'
# poses: the mean template, which looks at no photograph, and the trained model.


# %%
def drawn_as(avatar, who, frames):
    """Pictures of an avatar in the poses of recorded frames, by their cameras."""
    posed = [avatar.drive(target_driving(trained, frame, who.betas)).map(lambda x: x[0]) for frame in frames]
    return [draw_like(gaussians, frame.body)[0].numpy() for gaussians, frame in zip(posed, frames, strict=True)]


bands = []
for label, who in (("training person", person), ("unseen person", unseen)):
    shown, targets = split_frames(who)
    frames = [target.frame for target in targets[-2:]]
    mean, avatar = template_avatar(trained, template, who), encode_person(trained, encoder, who, shown)
    truth = [frame.body.image for frame in (*shown[:2], *frames)]
    bands.append((label, [*truth, *drawn_as(mean, who, frames), *drawn_as(avatar, who, frames)]))
titles = [name for name in ("input", "truth", "template", "trained") for _ in range(2)]
sheet(bands, 110, captions=[titles, titles])
plt.show()

# %% [markdown]
# In numbers: PSNR over the whole frame (over white), and over the person's pixels only, which is the strict one.
# Beside both stands the field's older way, Gaussians optimised on this one person's photographs (`per_person`).

# %%
results = evaluate_people([person, unseen], trained, encoder, template)["wild"]
names = {"baseline/template": "template", "baseline/per_person": "per_person", "release": "trained"}
numbers = {}
for label, who in (("training", person), ("unseen", unseen)):
    for metric in ("psnr", "psnr_fg"):
        row = {name: float(np.mean(results[key][metric][who.seed])) for key, name in names.items()}
        numbers |= {f"{name}/{label}/{metric}": round(value, 2) for name, value in row.items()}
        print(f"{label:9} person, {metric:8}", "  ".join(f"{name} {value:.2f} dB" for name, value in row.items()))

# %% [markdown]
# ## 7. The same, for longer
#
# Six hundred steps on 160 people take ten minutes of one core. That run is the first row of Table 1
# ([08_scaling_and_ablations](08_scaling_and_ablations.ipynb)), of the profile `study`; its weights after some of the
# steps are kept. Here the person of section 6, whom it never saw either, by each: two photographs that go in, two
# truths that do not, then the two pictures by the weights after so many steps.

# %%
long_run = CHECKPOINTS / "experiments"
study = profile_of("study")
start_model = build_model(study, rows_length(encoder), seed=0)
with torch.no_grad():
    start_model.template.raw.copy_(load_template(long_run / "pretrain_template.safetensors", start_model))
film = {0: start_model}
for name, steps in (("pretrain_30", 30), ("pretrain_100", 100), ("pretrain", TABLE["table1/pretrain"].steps)):
    film[steps] = load_release(long_run / f"{name}.safetensors")[0]
who = at_sizes(unseen, study)
shown, targets = split_frames(who)
frames = [target.frame for target in (targets[0], targets[-1])]
truth = [over_white(*pixels_and_matte(frame.body)) for frame in frames]
strip = [("goes in", [framed(frame.body.image, frame.body) for frame in (shown[0], shown[-1])])]
strip += [("truth", [framed(as_image(colors), frame.body) for colors, frame in zip(truth, frames, strict=True)])]
learned = {}
for steps, each in film.items():
    avatar = encode_person(each.eval(), encoder, who, shown)
    posed = [avatar.drive(target_driving(each, frame, who.betas)).map(lambda x: x[0]) for frame in frames]
    drawings = [draw_like(gaussians, frame.body)[0] for gaussians, frame in zip(posed, frames, strict=True)]
    scores = [psnr_fg(d, *pixels_and_matte(f.body)) for d, f in zip(drawings, frames, strict=True)]
    learned[steps] = float(np.mean(scores))
    pictures = [framed(as_image(d), f.body) for d, f in zip(drawings, frames, strict=True)]
    strip.append((f"{steps} steps, {learned[steps]:.1f} dB", pictures))
tiles([[pair[row] for _, pair in strip] for row in (0, 1)], [name for name, _ in strip])
plt.show()

# %% [markdown]
# At 0 steps she already wears the colours that pixel alignment has copied, but on a bare body: the dress is painted on
# the legs, and the hair ends at the neck. That hair hangs and a skirt closes round the legs is what the steps bring,
# most of it the first hundred. What swings with the stride in the truth no step brings here.

# %% [markdown]
# ## 8. The shipped model's pretraining
#
# The same code with more people, more steps and a larger profile made the model in `results/checkpoints`. Its log
# begins far below the one above: it went on from the weights of the release before. Twice a round ended and another
# began at a higher learning rate (the model card in `results/checkpoints` tells which); from the second round on each
# person is judged on four pictures a step instead of two.

# %%
release_log = RESULTS / "logs" / "pretrain.csv"
if release_log.exists() and RELEASE.exists():
    columns = read_log(release_log)
    print(f"profile {read_header(RELEASE)['profile'].name}, {len(columns['step'])} steps: loss "
          f"{columns['loss'][:50].mean():.2f} -> {columns['loss'][-50:].mean():.2f}")  # fmt: skip
    loss_curves({"release": release_log}, smooth=100)
    plt.show()
else:
    print("no log of a shipped model here yet: results/logs/pretrain.csv")

# %% [markdown]
# ## What we saw

# %%
summary = {
    "people": len(people),
    "steps": len(log["step"]),
    "loss": {name: round(value, 3) for name, value in losses.items()},
    "gaussians": sizes.anchors * sizes.gaussians_per_anchor,
    **numbers,
    "unseen_person_by_steps": {str(steps): round(value, 2) for steps, value in learned.items()},
}
Path(out, "05_pretraining.json").write_text(json.dumps(summary, indent=1))
gain = numbers["trained/unseen/psnr_fg"] - numbers["template/unseen/psnr_fg"]
display(Markdown(
    f"{summary['steps']} steps, {summary['people']} people: the loss of one batch went from {losses['untrained']:.2f} "
    f"to {losses['on the template']:.2f} on the template and to {losses['trained']:.2f} trained. On the unseen person "
    f"the photographs bring **{gain:+.2f} dB** of foreground PSNR over the template alone."
))  # fmt: skip
summary

# %% [markdown]
# - Everything that is particular to a person passes through the image tokens; everything that is particular to a
#   place on the body through the geometry tokens. Attention is where the two meet.
# - The template carries silhouettes; colours are copied from the photographs from the first step on. What takes
#   training is where cloth and hair stand off the skin, and what no photograph shows: a smoke run ends long before
#   that, and optimising one person's Gaussians (`per_person`) is still ahead of it.
# - These numbers belong to this run; the release's are measured in [07_evaluation](07_evaluation.ipynb).

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import torch

from lca_core.training.losses import as_close_as_possible
from lca_core.training.schedules import cosine
from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · The pace (5 minutes)
#
# The learning rate is multiplied by a factor that climbs in a straight line over the first steps, to one at the step
# `warmup`, then falls like half a cosine to `floor` at the last step. At step 0 it is 1 / (warmup + 1), not zero: no
# step is wasted. Expected, of 100 steps, 9 of them warm-up: 0.1 at step 0, 1.0 at step 9, 0.02 at step 100.


# %% tags=["exercise"]
def pace(step, steps, warmup, floor=0.02):
    """Factor on the learning rate at a step from 0 to `steps`."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_pace(pace):
    for step, wanted in ((0, 0.1), (9, 1.0), (100, 0.02)):
        assert abs(pace(step, 100, 9) - wanted) < 1e-6, f"step {step}: {wanted} is expected, not {pace(step, 100, 9)}"
    for step in range(101):
        assert abs(pace(step, 100, 9) - cosine(step, 100, 9)) < 1e-6, f"step {step}: the library says another number"
    assert abs(pace(0, 10, 0) - 1) < 1e-6, "without a warm-up it begins at one"


attempt(check_pace, pace)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def pace(step, steps, warmup, floor=0.02):
#     """Factor on the learning rate at a step from 0 to `steps`."""
#     if step < warmup:
#         return (step + 1) / (warmup + 1)
#     way = torch.tensor((step - warmup) / (steps - warmup))
#     return float(floor + (1 - floor) * (1 + torch.cos(torch.pi * way)) / 2)
# ```
#
# Adam divides by what it has seen of the gradients, and at first that is little: large first steps would follow noise.
# The slow end lets the weights settle where a constant rate would jump about.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · What a photograph knows (10 minutes)
#
# Alignment gives each point of the body the colours that it found in each photograph, and how squarely each sees it: a
# cosine, 0 where it does not. Make one colour of them: the mean, by the square of the cosines, and grey (0.5) where no
# photograph sees the point. Expected: seen at 1.0 in red and at 0.5 in blue, a point is (0.8, 0, 0.2).


# %% tags=["exercise"]
def found_colors(colors, facing):
    """Colours [M, 3] of points from what they found in photographs [P, M, 3], and facing [P, M] in [0, 1]."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_found_colors(found_colors):
    colors = torch.tensor([[[1.0, 0, 0]], [[0, 0, 1.0]]]).expand(2, 4, 3)
    facing = torch.tensor([[1.0, 0.0, 0.0, 1e-4], [0.5, 0.3, 0.0, 0.0]])
    found = found_colors(colors, facing)
    wanted = torch.tensor([[0.8, 0, 0.2], [0, 0, 1], [0.5, 0.5, 0.5], [1, 0, 0]])
    for name, ours, right in zip(("seen twice", "seen in blue", "never seen", "seen from the side"), found, wanted):
        assert torch.allclose(ours, right, atol=1e-4), f"{name}: {right.tolist()} is expected, not {ours.tolist()}"


attempt(check_found_colors, found_colors)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def found_colors(colors, facing):
#     """Colours [M, 3] of points from what they found in photographs [P, M, 3], and facing [P, M] in [0, 1]."""
#     weight = facing.square()[..., None]
#     total = weight.sum(0)
#     mean = (weight * colors).sum(0) / total.clamp(min=1e-12)
#     return mean.where(total > 0, torch.tensor(0.5))
# ```
#
# One NaN in one point of one person is a NaN in the loss, and in all weights after the next step. The square makes what
# is seen from the front count more than what is seen askew, where a pixel covers more skin.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · A leash with slack (10 minutes)
#
# The regulariser keeps Gaussians as close as possible to the skin, but hair and cloth stand off it: the first two
# centimetres are free. Write it for offsets from the skin: the mean of what each length exceeds the free margin by.
# Expected: offsets of 1, 2 and 5 centimetres cost 1 cm on average, and the first two feel no pull at all.


# %% tags=["exercise"]
def leash(offsets, free=0.02):
    """One number, in metres, for offsets [N, 3] in metres."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_leash(leash):
    offsets = torch.tensor([[0.01, 0, 0], [0, 0.02, 0], [0, 0, -0.05]], requires_grad=True)
    cost = leash(offsets)
    assert abs(cost.item() - 0.01) < 1e-6, f"0.01 m is expected, not {cost.item()}"
    cost.backward()
    assert torch.equal(offsets.grad[0], torch.zeros(3)), "within two centimetres nothing pulls"
    assert offsets.grad[2, 2] < 0, "the third is pulled back to the skin"
    some = 0.03 * torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(leash(some), as_close_as_possible(some)), "the library says another number"


attempt(check_leash, leash)

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def leash(offsets, free=0.02):
#     """One number, in metres, for offsets [N, 3] in metres."""
#     return (offsets.norm(dim=-1) - free).clamp(min=0).mean()
# ```
#
# A cost that is zero within a margin leaves the picture to decide there. Without the margin every strand of hair would
# be drawn a little too near, for ever.
#
# </details>

# %% [markdown]
# **Next:** [06_posttraining](06_posttraining.ipynb), where a few people in a studio sharpen what many taught.
