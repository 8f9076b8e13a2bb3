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
# # 06 · Post-training: a few people, seen well
#
# Pretraining ([05_pretraining](05_pretraining.ipynb)) saw many people badly. Post-training goes on from its weights
# with few people seen well: a studio with cameras all round, even light, exact body parameters. The danger is to
# forget what many people taught. The paper's answer is a learning rate that falls with depth, so that the early layers,
# which hold the prior, hardly move. Here: the schedule as a table, the run, what it changes in the studio and in the
# wild, and where a geometry token looks before and after.
#
# **Time**: a minute to run at `smoke` on two cores, twenty to read, twenty for the exercises.
#
# **Where we are**: between pretraining, on many people in the wild, seen badly, and the weights; here few people in a
# studio are seen well.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("post-training")
plt.show()

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display

from lca_core.body import JOINT_NAMES
from lca_core.data import pixels, read_people
from lca_core.evaluation.evaluate import draw_like, evaluate_people
from lca_core.evaluation.figures.differences import differences, differences_figure
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import read_records
from lca_core.judges.metrics import over_white
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import encoder_named, person_inputs, target_driving
from lca_core.model.claims import standings
from lca_core.model.rows import mattes_of
from lca_core.paths import CHECKPOINTS, RESULTS, output_folder
from lca_core.people.domains.production import cached_people
from lca_core.profiles import profile as profile_of
from lca_core.release import RELEASE
from lca_core.training import load_model, read_header
from lca_core.training.schedules import parameter_groups
from lca_core.training.stages import ENCODER, LEARNING_RATE, train_stage
from lca_core.viewer.figures import loss_curves, read_log, sheet

# %% tags=["parameters"]
profile = "smoke"  # of the people drawn; "laptop", with hours to spend, begins from the release's own weights
seed = 0
out = "build/06_posttraining"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
sizes, encoder = profile_of(profile), encoder_named(ENCODER)
out = output_folder(out)
run_folder = out / "posttrain"
print(f"{sizes.studio_people} people x {sizes.studio_poses} poses x {sizes.studio_cameras} cameras, {sizes.body_px} px")

# %% [markdown]
# ## 1. The weights to start from
#
# A few dozen steps on eight people, as at `smoke` in 05, know nothing that could be kept or lost. So this begins from
# weights that are shipped: at `smoke` those at the end of 05's section 7, six hundred steps on 160 people filmed in the
# wild (profile `study`, the same sizes of pictures); at `laptop` those that the release was post-trained from.

# %%
start = CHECKPOINTS / ("pretrained.safetensors" if profile == "laptop" else "experiments/pretrain.safetensors")
pretrained, meta = load_model(start)
trained_as, few = pretrained.profile, 30 if profile == "smoke" else 0  # 0: as many steps as the profile says
steps, count = meta["settings"]["steps"], meta["settings"].get("people") or len(meta["people"])
print(f"{start.name}: profile {trained_as.name}, last stage {meta['stage']}, {steps} steps on {count} people")

# %% [markdown]
# ## 2. Studio people
#
# Each pose is taken by every camera at one instant, and its parameters are known exactly. One person, a row a pose:

# %%
shards = cached_people(range(5000, 5000 + sizes.studio_people), "studio", profile)
people = list(read_people(shards))
first = people[0]
print(f"{len(people)} people; {first.id} has {len(first.frames)} pictures, bodies {first.frames[0].body.image.shape}")
instants = sorted({frame.instant for frame in first.frames})
sheet([(f"pose {i}", [f.body.image for f in first.frames if f.instant == i]) for i in instants], 120)
plt.show()

# %% [markdown]
# Beside a wild frame of pretraining, this is what "seen well" means; both people below are never trained on.

# %%
(studio_person,) = read_people(cached_people([9000], "studio", profile))
(wild_person,) = read_people(cached_people([9000], "wild", profile))
pairs = (("studio", studio_person), ("wild", wild_person))
sheet([(domain, [frame.body.image for frame in who.frames[:6]]) for domain, who in pairs], 110)
plt.show()

# %% [markdown]
# ## 3. Layer-wise decay
#
# lr(l) = lr * gamma^(L - l): the decoders (l = L) learn at full speed, each layer below more slowly. gamma = 1 is no
# decay; gamma = 0 leaves only the last layer and the decoders moving. The paper takes 0.65.

# %%
L, lr = trained_as.depth, LEARNING_RATE["posttrain"]
counts, claimed = np.zeros(L + 1, int), standings(pretrained)  # each module says where it stands
for name, parameter in pretrained.named_parameters():
    counts[claimed[name].claim.depth(L)] += parameter.numel()
what = ["tokens, template", *(f"encoder layer {i}" for i in range(1, L)), f"encoder layer {L}, decoders"]
lines = ["| l | what | numbers | gamma 0 | gamma 0.65 | gamma 1 |", "|---|---|---|---|---|---|"]
for i in range(L + 1):
    rates = " | ".join(f"{lr * gamma ** (L - i):.1e}" for gamma in (0.0, 0.65, 1.0))
    lines.append(f"| {i} | {what[i]} | {counts[i]:,} | {rates} |")
display(Markdown("\n".join(lines)))
for gamma in (0.0, 0.65, 1.0):
    moving = sum(p.numel() for g in parameter_groups(pretrained, L, lr, gamma) for p in g["params"])
    print(f"gamma {gamma:<4}: {moving:9,} of {counts.sum():,} numbers move at all")

# %% [markdown]
# ## 4. The run
#
# The same loop and the same loss as before; only the people, the start and the learning rates differ.

# %%
trained = train_stage("posttrain", shards, run_folder, trained_as.name, init=start, steps=few, seed=seed,
                      resume=profile != "smoke", precision="float32")  # fmt: skip
log = read_log(run_folder / "log.csv")
print(f"{len(log['step'])} steps: mean loss of the first five {log['loss'][:5].mean():.2f}, of the last five "
      f"{log['loss'][-5:].mean():.2f}")  # fmt: skip
loss_curves({"this run": run_folder / "log.csv"}, smooth=5)
plt.show()

# %% [markdown]
# ## 5. Before and after, on people never seen
#
# Pictures that were not put in: unseen cameras and poses for the studio, later frames for the wild clip. Of each the
# body, the face and a hand.


# %%
def close_ups(person):
    """A target frame with a face and a hand in it, and its three pictures."""
    frames = [target.frame for target in split_frames(person)[1]]
    frame = max(frames, key=lambda f: (f.face is not None) + any(h is not None for h in f.hands))
    hand = next((h for h in frame.hands if h is not None), None)
    return frame, [p for p in (frame.body, frame.face, hand) if p is not None]


def drawn_by(model, person):
    """The same pictures as a model draws them from the inputs."""
    frame, pictures = close_ups(person)
    avatar = encode_person(model, encoder, person, split_frames(person)[0])
    gaussians = avatar.drive(target_driving(model, frame, person.betas)).map(lambda x: x[0])
    return [draw_like(gaussians, picture)[0].numpy() for picture in pictures]


def compared(people, models):
    """A row a person: the truth, then every model."""
    rows, titles = [], []
    for who in people:
        truth = [over_white(*pixels(p)).numpy() for p in close_ups(who)[1]]
        rows.append((who.domain, [*truth, *(image for model in models.values() for image in drawn_by(model, who))]))
        titles.append([name for name in ("truth", *models) for _ in truth])
    return sheet(rows, 100, captions=titles)


compared([who for _, who in pairs], {"pretrained": pretrained, "post-trained": trained})
plt.show()

# %% [markdown]
# And as numbers of this run. The studio should gain and the wild lose little; on one person and after a few steps, as
# at `smoke`, a tenth of a decibel may go either way.

# %%
both = [studio_person, wild_person]
before, after = (evaluate_people(both, model, encoder) for model in (pretrained, trained))
numbers = {}
for domain, who in pairs:
    for metric in ("psnr", "psnr_fg", "lpips"):
        values = [float(np.mean(r[domain]["release"][metric][who.seed])) for r in (before, after)]
        numbers[f"{domain}/{metric}"] = [round(value, 3) for value in values]
        print(f"this run, {domain:6} {metric:8} before {values[0]:7.3f}   after {values[1]:7.3f}")

# %% [markdown]
# ## 6. Where a geometry token looks
#
# In the last layer's multimodal attention every geometry token weighs the patches of all pictures that show the
# person (`LCA.attention`). Below, the weights of three tokens over the first body picture, mean over heads. After six
# hundred steps they are nearly flat: a colour scale of their own makes small differences visible, so read the numbers
# under each picture. An even share of all patches would be 1.


# %%
def token_near(model, joint):
    """The token whose anchor is nearest to a point 10 cm in front of a joint of the template."""
    point = model.joint_template[JOINT_NAMES.index(joint)] + torch.tensor([0.0, 0.0, 0.1])
    return int((model.anchor_points.mean(1) - point).norm(dim=-1).argmin())


# %%
looking = {"pretrained": (pretrained, studio_person), "post-trained": (trained, studio_person)}
if RELEASE.exists():  # the shipped model, with a person drawn at its own size
    release, _ = load_release(RELEASE)
    looking["release"] = (release, next(iter(read_people(cached_people([10000, 10001], "studio", release.profile)))))
joints = ("head", "spine3", "left_knee")
figure, axes = plt.subplots(len(looking), 4, figsize=(9, 2.5 * len(looking)), squeeze=False)
for row, (name, (model, who)) in zip(axes, looking.items(), strict=True):
    frames = [f for f in who.frames if f.face is not None][:2]
    inputs = person_inputs(frames, who.betas, encoder, model.profile.face_px)
    px = model.profile.body_px
    for axis, joint in zip(row, (None, *joints), strict=True):
        axis.imshow(frames[0].body.image // (1 if joint is None else 2), extent=(0, px, px, 0))
        axis.axis("off")
        axis.set_title(name if joint is None else f"token at {joint}", fontsize=9)
        if joint is not None:
            maps = model.attention(inputs, torch.tensor([token_near(model, joint)]))
            on_person = [mattes_of(x[0]).amax(-1) > 0 for x in (inputs.body, inputs.face)]
            weights = maps[0][0].mean(0)[0, 0] * sum(int(there.sum()) for there in on_person)  # 1: an even share
            weights = weights.where(on_person[0][0], torch.nan).reshape(2 * (px // 14,))
            axis.imshow(weights, extent=(0, px, px, 0), alpha=0.6, cmap="magma")
            low, high = np.nanmin(weights), np.nanmax(weights)
            axis.text(0, 1.09 * px, f"{low:.2f} to {high:.2f} of an even share", fontsize=7)
plt.show()

# %% [markdown]
# ## 7. The shipped model's post-training
#
# The same stage at the release's size: its log, and what it added to the pretrained weights (which are shipped beside
# the release) on test people nobody trained on. Studio rows are what post-training is for, wild ones what it must keep.

# %%
release_log = RESULTS / "logs" / "posttrain.csv"
if release_log.exists() and RELEASE.exists():
    columns = read_log(release_log)
    print(f"profile {read_header(RELEASE)['profile'].name}, {len(columns['step'])} steps: mean loss of the first fifty "
          f"{columns['loss'][:50].mean():.2f}, of the last fifty {columns['loss'][-50:].mean():.2f}")  # fmt: skip
    loss_curves({"release": release_log}, smooth=50)
    plt.show()
    shipped = {"pretrained": load_model(CHECKPOINTS / "pretrained.safetensors")[0], "release": release}
    tested = [next(iter(read_people(cached_people([seed], domain, release.profile))))
              for domain in ("studio", "wild") for seed in (10000, 10001)]  # fmt: skip
    compared(tested, shipped)
    plt.show()
else:
    print("no log of a shipped model here yet: results/logs/posttrain.csv")

# %% [markdown]
# ## 8. What gamma is worth
#
# Three values of gamma after the same pretraining, three seeds each, judged on sixteen test people a domain: rows of
# the paper's Table S1 made at our size ([08_scaling_and_ablations](08_scaling_and_ablations.ipynb) has the whole
# table). Points are differences to gamma 0.65, person by person, with 95 % intervals.

# %%
records = read_records()
differences_figure(records, {"s1/gamma_0": "gamma 0", "s1/gamma_1": "gamma 1"}, "s1/gamma_065")
plt.show()
spared = differences(records, {"s1/gamma_0": "", "s1/gamma_1": "", "table1/pretrain": ""}, "s1/gamma_065")
for (row, domain), less in spared.items():
    low, high = less.ci95
    print(f"{row:16} {domain:6} {less.value:+.2f} dB psnr ({low:+.2f} to {high:+.2f}) beside gamma 0.65")

# %% [markdown]
# ## What we saw

# %%
summary = {
    "people": len(people),
    "steps": len(log["step"]),
    "start": f"{steps} steps of {meta['stage']}",
    "before_after": numbers,
}
Path(out, "06_posttraining.json").write_text(json.dumps(summary, indent=1))
gains = {domain: numbers[f"{domain}/psnr_fg"][1] - numbers[f"{domain}/psnr_fg"][0] for domain in ("studio", "wild")}
display(Markdown(
    f"{summary['steps']} steps on {summary['people']} studio people changed one unseen person's foreground PSNR by "
    f"**{gains['studio']:+.2f} dB** in the studio and by **{gains['wild']:+.2f} dB** in the wild."
))  # fmt: skip
summary

# %% [markdown]
# - Four people are no studio: what a few steps on them taught is worth nothing to a fifth, in the studio or out of it.
# - With 64 people and three seeds (section 8) post-training does no harm and little good. All values of gamma lie
#   within a tenth of a decibel, and the more the layers may move the better, in both domains: nothing is forgotten that
#   a decay could spare. Beside the same steps on wild people alone nothing can be told in the studio, and the wild
#   loses a tenth of a decibel. In the paper the stage is worth decibels. Why not here is asked in
#   [08](08_scaling_and_ablations.ipynb).
# - The decay costs nothing at run time and is one line of [schedules.py](../lca_core/training/schedules.py).
# - An attention map that is nearly flat means that a token still takes the mean over the picture: right for one
#   overall colour, not enough for a face.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import numpy as np

from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · A rate for each layer (5 minutes)
#
# lr(l) = lr * gamma^(L - l), for l from 0 (what makes tokens) to L (the last layer and the decoders). Expected, for the
# paper's L = 8 and gamma = 0.65: the first encoder layer (l = 1) learns at 0.049 of the decoders' rate, twenty times
# more slowly. And gamma = 0 leaves the last one alone moving.


# %% tags=["exercise"]
def rates(depth, lr, gamma):
    """Learning rates [depth + 1], of l = 0 first."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_rates(rates):
    found = rates(8, 1.0, 0.65)
    assert len(found) == 9, f"nine rates, for l = 0 to 8, not {len(found)}"
    assert abs(found[1] - 0.049) < 1e-4, f"l = 1 learns at 0.049, not {found[1]:.3f}"
    assert list(rates(4, 2e-4, 1.0)) == [2e-4] * 5, "gamma = 1 is no decay"
    assert list(rates(4, 2e-4, 0.0)) == [0, 0, 0, 0, 2e-4], "gamma = 0 moves the last one, and nothing else"


attempt(check_rates, rates)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def rates(depth, lr, gamma):
#     """Learning rates [depth + 1], of l = 0 first."""
#     return [lr * gamma ** (depth - layer) for layer in range(depth + 1)]
# ```
#
# The tokens before it learn thirty times more slowly: what holds the prior hardly moves, what draws the studio's
# detail is free. In the paper gamma = 0 costs about 3 dB in the studio (27.464 against 30.514, Table S1): decoders
# alone cannot learn what the studio shows.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Gained, and forgotten (10 minutes)
#
# A mean over people hides who pays. Compare two models on the same people, person by person: each one's mean over
# their pictures, after less before. Expected: the mean gain over people, and the share of people who lost. A person
# with ten pictures counts as much as one with two.


# %% tags=["exercise"]
def compared(before, after):
    """(mean gain, share of people who lost); before, after: {person: numbers of their pictures}, more is better."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_compared(compared):
    before = {"a": [20.0, 22.0], "b": [25.0] * 10, "c": [18.0]}
    after = {"c": [18.5], "b": [24.0] * 10, "a": [23.0, 25.0]}  # in another order
    gain, lost = compared(before, after)
    assert abs(gain - (3 - 1 + 0.5) / 3) < 1e-9, f"a gains 3, b loses 1, c gains 0.5: 0.83 on average, not {gain:.2f}"
    assert abs(lost - 1 / 3) < 1e-9, f"one of three lost, not {lost:.2f}"


attempt(check_compared, compared)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def compared(before, after):
#     """(mean gain, share of people who lost); before, after: {person: numbers of their pictures}, more is better."""
#     gains = np.array([np.mean(after[person]) - np.mean(before[person]) for person in before])
#     return float(gains.mean()), float((gains < 0).mean())
# ```
#
# Paired like this, what makes a person hard for both models drops out, and far fewer people tell a gain from chance.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · In shares of an even share (5 minutes)
#
# Section 6 prints attention as multiples of what each patch would have if all had the same. Patches that show nobody
# are never asked and do not count. Expected: 1 everywhere for a token that looks nowhere in particular; and however it
# looks, a mean of 1.


# %% tags=["exercise"]
def even_shares(weights, on_person):
    """Attention weights [K], which sum to one over the patches on_person [K], as multiples of an even share there."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_even_shares(even_shares):
    on_person = np.array([True, True, False, True, True, False])
    flat = np.where(on_person, 0.25, 0.0)
    found = even_shares(flat, on_person)
    assert np.allclose(found, np.ones(4)), f"four patches at 1, not {found}"
    one = np.array([0, 1.0, 0, 0, 0, 0])
    assert np.allclose(even_shares(one, on_person), [0, 4, 0, 0]), "all on one of four is four even shares"


attempt(check_even_shares, even_shares)

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def even_shares(weights, on_person):
#     """Attention weights [K], which sum to one over the patches on_person [K], as multiples of an even share there."""
#     return weights[on_person] * on_person.sum()
# ```
#
# Without such a measure a map with a colour scale of its own always looks as if it had found something.
#
# </details>

# %% [markdown]
# **Next:** [07_evaluation](07_evaluation.ipynb), where the shipped model is measured on people nobody trained on.
