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
# # 09 · Attention and features: what the model reads, and what it makes of it
#
# The model has turned photographs into an avatar. Can one look inside? Two things can be shown: **attention**, what a
# geometry token reads of which patch (the paper's Figure 6), and **features**, what the tokens hold when they have read
# (its Figure S1). The paper finds attention cleaner after post-training, and people of the studio and the wild mixed.
# We ask both of the shipped weights, with numbers that can say no.
#
# You need [04_model_from_scratch](04_model_from_scratch.ipynb): what tokens are, and how attention is computed.
#
# **Time**: under a minute to run at `smoke` on two cores, once the people are drawn, half an hour to read, twenty-five
# minutes for the exercises.
#
# **Where we are**: inside the model, between the photographs and the two branches.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("attention")
plt.show()

# %%
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.data import read_people
from lca_core.evaluation.evaluate import frames_for
from lca_core.evaluation.figures.attention import all_shares, dotted, effective_count, lift, own_patches
from lca_core.evaluation.figures.style import framed, tiles
from lca_core.evaluation.figures.tokens import token_figure
from lca_core.making.release import load_release
from lca_core.model import encoder_of, person_inputs
from lca_core.paths import CHECKPOINTS, output_folder
from lca_core.people.domains.production import cached_people
from lca_core.profiles import profile as profile_of

# %% tags=["parameters"]
profile = "smoke"  # how many test people are looked at here; the model has its own profile
seed = 10000  # of the first of them
out = "build/09_attention_and_features"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 8, "axes.titlesize": 9})
models = {}
for name in ("pretrained", "release"):
    weights, meta = load_release(CHECKPOINTS / f"{name}.safetensors")
    models[name] = (weights.eval(), encoder_of(meta))
    print(f"{name}: last stage {meta['stage']}, {len(meta['people'])} people, "
          f"{sum(p.numel() for p in weights.parameters()) / 1e6:.1f} million numbers")  # fmt: skip
model, encoder = models["release"]
sizes, anchors = model.profile, model.anchor_points.mean(1)

# %% [markdown]
# ## 1. The people, and what goes in
#
# Two test people, each recorded three times: in the studio, and in two clips of the wild. They wear the same each time.
# Up to four pictures and their face crops go in.

# %%
seeds = range(seed, seed + min(16, profile_of(profile).test_people))
people = {d: list(read_people(cached_people(seeds, d, sizes))) for d in ("studio", "wild", "wild2")}


def photographs(person):
    """The frames that go in."""
    return frames_for(model, person)[0]


def inputs_of(person):
    """The same as the model's rows of numbers."""
    return person_inputs(photographs(person), person.betas, encoder, sizes.face_px)


rows = []
for domain, number in (("studio", 0), ("studio", 1), ("wild", 1), ("wild2", 1)):
    frames = photographs(people[domain][number])
    rows.append([framed(p.image, p, 130) for p in [f.body for f in frames] + [f.face for f in frames if f.face]])
tiles(rows, labels=[f"{seed}, studio", f"{seed + 1}, studio", f"{seed + 1}, wild", f"{seed + 1}, wild2"], px=130)
plt.show()

# %%
person = people["wild"][1]
frames, inputs = photographs(person), inputs_of(person)
view = model.view(inputs)  # the photographs with poses and cameras, for pixel alignment
patches = inputs.body.shape[2]
there = int((all_shares(model, inputs, 0) > 0).any(0).any(0).sum())
shapes = {"pictures": [*inputs.body.shape], "face crops": [*inputs.face.shape]}
print(f"{person.id}: {shapes} are people, photographs, patches, numbers of a patch")
print(f"of {2 * len(frames) * patches} patches {there} show something of the person, and only these can be read")
print(f"they are read by {len(anchors)} geometry tokens, {sizes.heads} heads each, in {sizes.depth} layers")

# %% [markdown]
# ## 2. One row of attention, by hand
#
# In each layer every geometry token asks every image token. We listen at the door of the last layer: a hook keeps what
# goes into its multimodal attention while the model encodes the photographs.

# %%
multimodal, heard = model.encoder.layers[-1].multimodal_attention, {}
hook = multimodal.register_forward_pre_hook(lambda module, given: heard.update(geometry=given[0], image=given[1]))
with torch.no_grad():
    tokens = model.encode(inputs, view)
hook.remove()
print({name: [*tensor.shape] for name, tensor in heard.items()}, "people, tokens, channels")

# %% [markdown]
# Now the row of one token, the one at the nose. Its query is held against the key of every patch; softmax makes shares
# of the fits; each head does so with its own quarter of the channels.

# %%
PLACES = {  # metres, in the T-pose; +x is the person's left, +z the front
    "nose": (0, 0.62, 0.18), "chest": (0, 0.28, 0.12), "left hand": (0.74, 0.41, 0.03),
    "right knee": (-0.12, -0.42, 0.06), "back": (0, 0.28, -0.1),
}  # fmt: skip
chosen = {name: int((anchors - torch.tensor(place)).norm(dim=-1).argmin()) for name, place in PLACES.items()}
nose = chosen["nose"]

with torch.no_grad():
    query = multimodal.query(multimodal.norm(heard["geometry"][0, nose]))  # [D]
    keys = multimodal.key_value(multimodal.norm_context(heard["image"][0])).chunk(2, -1)[0]  # [patches there, D]
    query, keys = (x.unflatten(-1, (sizes.heads, -1)) for x in (query, keys))
    fits = torch.einsum("hc,khc->hk", query, keys) / query.shape[-1] ** 0.5
    row = fits.softmax(-1)  # [heads, patches there]

library = all_shares(model, inputs, -1)[:, nose]  # [heads, all patches]: body pictures, then face crops
library = library[:, library.sum(0) > 0]
difference = float((row - library).abs().max())
print(f"row {[*row.shape]}, heads and patches; each head's shares sum to {[round(x, 4) for x in row.sum(-1).tolist()]}")
print(f"equal to the library's: {torch.allclose(row, library, atol=1e-6)}, largest difference {difference:.0e}")

# %% [markdown]
# And painted over the first photograph and its face crop. The area of a dot is what is read of its patch, on the same
# scale in both pictures of a column. The frame is the patch in which the nose lies.

# %%
own = own_patches(model, inputs)  # [anchors, pictures]: the patch that shows an anchor, or -1


def maps(shares):
    """One anchor's shares [K] as squares [body or face, picture, p, p]."""
    side = round(patches**0.5)
    return shares.unflatten(0, (2, len(frames), side, side)).numpy()


columns = [maps(head) for head in all_shares(model, inputs, -1)[:, nose]]
rows = [[dotted(frames[0].body, each[0, 0], most=each[:, 0].max(), own=int(own[nose, 0])) for each in columns]]
rows += [[dotted(frames[0].face, each[1, 0], most=each[:, 0].max()) for each in columns]]
captions = [[f"{kind}: {each[i].sum():.0%}" for each in columns] for i, kind in enumerate(("all four", "all crops"))]
tiles(rows, [f"head {h + 1}" for h in range(sizes.heads)], ["body 1", "face crop 1"], captions)
plt.show()

# %% [markdown]
# Hardly what one would draw by hand. No head singles the nose out: heads 1 and 2 read nearly everything, of the face
# its outline more than what lies inside, head 3 has its largest dot on a shoe, head 4 reads face crops and hardly
# anything else. Is the nose a bad example, or are they all like this?

# %% [markdown]
# ## 3. Two numbers for a map
#
# A map that looks clean to one looks spotty to another. So, for each head:
#
# - **spread**: over how many patches a reading is spread, as a share of those there. It is the exponential of the
#   entropy: 100 % if all are read alike.
# - **lift**: how many times as much is read of the patch in which the anchor lies, as even reading would. 1 is chance.
#
# Before and after post-training, the mean over all anchors of both people, in the studio and in the wild.


# %%
def measured(shares, own):
    """(spread, lift) of every head, [2, heads], the means over anchors."""
    there = (shares > 0).any(0).any(0).sum()
    return torch.stack([effective_count(shares).mean(1) / there, lift(shares, own).nanmean(1)])


def heads_of(name, person, posed=True):
    """(spread, lift) [2, layers, heads] of a model's reading of a person's photographs; with poses, or without."""
    model, inputs = models[name][0], inputs_of(person)
    own = own_patches(model, inputs)
    if not posed:
        inputs = replace(inputs, placement=replace(inputs.placement, known=torch.zeros_like(inputs.placement.known)))
    return torch.stack([measured(all_shares(model, inputs, n), own) for n in range(sizes.depth)], 1)


everybody = [who for domain in ("studio", "wild") for who in people[domain]]
found = {name: torch.stack([heads_of(name, who) for who in everybody]) for name in models}  # [people, 2, layers, heads]
before, after = (found[name].mean(0) for name in models)
print("layer head   spread before, after    lift before, after")
for n, h in np.ndindex(sizes.depth, sizes.heads):
    (spread_before, lift_before), (spread_after, lift_after) = before[:, n, h], after[:, n, h]
    print(f"{n + 1:5} {h + 1:4} {spread_before:15.0%} {spread_after:7.0%} {lift_before:14.2f} {lift_after:7.2f}")

# %%
steps = {name: (found["release"] - found["pretrained"])[:, i] for i, name in enumerate(("spread", "lift"))}
for name, step in steps.items():
    print(f"{name}: {step.mean():+.3f} on average; up in {int((step.mean(0) > 0).sum())} of {step[0].numel()} heads; "
          f"recordings one by one " + ", ".join(f"{x:+.3f}" for x in step.mean((1, 2))))  # fmt: skip
layer, head = np.unravel_index(int(after[1].argmax()), after[1].shape)
print(f"the head that finds places best: layer {layer + 1}, head {head + 1}, lift {after[1, layer, head]:.1f}")

# %% [markdown]
# That head at five anchors, on the first photograph. Frames: where the anchor lies. The back is in no photograph, and
# something is read all the same. The lift under a tile is of all four photographs.

# %%
rows, captions = [], []
for weights, _ in models.values():
    every = all_shares(weights, inputs, int(layer))[head]
    rows.append([dotted(frames[0].body, maps(every[a])[0, 0], own=int(own[a, 0])) for a in chosen.values()])
    spreads, lifted = effective_count(every) / there, lift(every[None], own)[0]
    seen_there = (own >= 0).any(1)
    captions.append(
        [
            f"spread {spreads[a]:.0%}, lift {lifted[a]:.1f}" if seen_there[a] else f"spread {spreads[a]:.0%}, not shown"
            for a in chosen.values()
        ]
    )
tiles(rows, list(chosen), list(models), captions)
plt.show()

# %% [markdown]
# Here is how a figure can mislead. Show the knee, and attention is much cleaner after post-training; show the hand, and
# it is less clean. The table above, of all anchors, says neither.

# %% [markdown]
# Five anchors are few. Here are all, each as the points that it carries: the lift of the same head, the mean over the
# recordings that show an anchor; white is 0, black 12 and more.

# %%
solid = (model.rig(torch.zeros(1, 10)).canonical(model.template.raw).opacities > 0.5).view(
    model.anchor_points.shape[:2]
)


def painted(axis, values, side, **how):
    """Anchors' numbers [G] or colours [G, 3] on the points of the body that face the front (side 1) or back (-1)."""
    facing = solid & (side * model.anchor_normals[..., 2] > 0)
    order = (side * model.anchor_points[facing][:, 2]).argsort()  # the nearest last, over what lies inside
    x, y = model.anchor_points[facing][order, :2].T
    of = torch.arange(len(values))[:, None].expand(facing.shape)[facing][order]
    axis.scatter(side * x, y, s=2.5, c=values[of], linewidths=0, **how)
    axis.set(aspect="equal", xticks=[], yticks=[], frame_on=False)


def bodies(rows, **how):
    """Rows of {title: numbers of the anchors}, each body from the front and from behind."""
    _, axes = plt.subplots(len(rows), 2 * len(rows[0]), figsize=(11, 3.1 * len(rows)), squeeze=False,
                           layout="constrained")  # fmt: skip
    for line, row in zip(axes, rows):
        for number, (title, values) in enumerate(row.items()):
            for axis, side in zip(line[2 * number : 2 * number + 2], (1, -1)):
                painted(axis, values, side, **how)
                axis.set_title(f"{title}, {'front' if side > 0 else 'back'}")


def by_anchor(weights, person):
    """Lift of that head, anchor by anchor [G]."""
    given = inputs_of(person)
    return lift(all_shares(weights, given, int(layer)), own_patches(weights, given))[head]


lifted = {name: torch.stack([by_anchor(w, who) for who in everybody]).nanmean(0) for name, (w, _) in models.items()}
bodies([lifted], cmap="Greys", vmin=0, vmax=12)
plt.show()
for name, values in lifted.items():
    median, high = values[values.isfinite()].quantile(torch.tensor([0.5, 0.9])).tolist()
    print(f"{name:10}: half of the anchors have a lift below {median:.1f}, one in ten above {high:.1f}")

# %% [markdown]
# A head for legs, before and after: from the thighs down tokens read the patches in which they lie, elsewhere much less
# so. And before we say that it *finds* them, a control: legs are low in every photograph of somebody who stands. Does
# the head tell one leg from the other? The same lift, at the patch in which an anchor's mirror image lies, where that
# is another patch:


# %%
def left_and_right(person):
    """Lift of that head at the anchors' own patches, and at their mirror images', where the two differ."""
    given = inputs_of(person)
    own, shares = own_patches(model, given), all_shares(model, given, int(layer))
    twins = own[model.anchor_twin]
    apart = (own >= 0) & (twins >= 0) & (own != twins)
    return [float(lift(shares, torch.where(apart, x, -1))[head].nanmean()) for x in (own, twins)]


sides = {who.id: left_and_right(who) for who in everybody}
for name, (mine, twin) in sides.items():
    print(f"{name}: lift at the anchor's own patch {mine:.1f}, at its mirror image's {twin:.1f}")

# %% [markdown]
# Hardly. What attention knows of places is the part of the body, or merely the height, and not the side.

# %% [markdown]
# ### Does it have to be told where a token lies?
#
# Pixel alignment puts every token into every photograph before attention begins, and shows it its own pixels. If nobody
# knows the poses, it cannot, and attention is the only way from the photographs to the body. The model has been trained
# for that as well: now and then it was told no poses.

# %%
told = meta["settings"]["placed"]
print(f"in training the poses of {told:.0%} of people were told")
lifts = {
    "poses known": after[1],
    "poses not known": torch.stack([heads_of("release", w, False) for w in everybody]).mean(0)[1],
}
for name, values in lifts.items():
    print(
        f"{name:15}: lift by layer {[round(x, 2) for x in values.mean(1).tolist()]}, the best head {values.max():.1f}"
    )

# %% [markdown]
# The same weights aim better when they have to: where alignment has done the work, less is left for attention. The
# paper's model has no pixel alignment, so its figure is more fairly compared with the second line.

# %% [markdown]
# ## 4. Take a photograph away
#
# A photograph reaches a token in two ways: by attention, and by pixel alignment. `encode` takes both apart: the inputs
# say what attention may read, the view what alignment looks at. So leave the first photograph, from the front, out of
# the one or of the other, and see which tokens change. The change is measured in lengths of the token itself.

# %%
person = people["studio"][1]
inputs = inputs_of(person)
view, shown = model.view(inputs), own_patches(model, inputs)[:, 0] >= 0


@torch.no_grad()
def encoded(name, inputs, view):
    """Tokens [G, D] of a model, without the colours that stand beside them."""
    return models[name][0].encode(inputs, view)[0, :, : sizes.dim]


seen = inputs.seen.clone()
seen[:, 0] = False
less, whole = replace(inputs, seen=seen), encoded("release", inputs, view)
changes = {
    "attention": encoded("release", less, view) - whole,
    "alignment": encoded("release", inputs, model.view(less)) - whole,
    "both": encoded("release", less, model.view(less)) - whole,
}
relative = {way: change.norm(dim=-1) / whole.norm(dim=-1) for way, change in changes.items()}
print("gone from     change of tokens it shows   of others   in common to all tokens")
for way, change in changes.items():
    common = change.mean(0).square().sum() / change.square().sum(-1).mean()
    print(f"{way:10} {relative[way][shown].mean():27.1%} {relative[way][~shown].mean():11.1%} {common:25.0%}")

# %%
# White: a token stays as it was; black: it changes by 30 % and more.
bodies([{f"gone from {way}": relative[way] for way in ("attention", "alignment")}], cmap="Greys", vmin=0, vmax=0.3)
plt.show()

# %% [markdown]
# Alignment speaks to those whom the photograph shows, and to each of something else: the front changes most. Attention
# says little, as much to the back as to the front, and half of it is one message to all: not "here is your colour" but
# "such is this person".

# %% [markdown]
# And if the first photograph is not taken away but exchanged, for one of somebody else? If attention knew people, it
# would turn away from the stranger.

# %%
other = inputs_of(people["studio"][0])
mixed = [torch.cat([b[:, :1], a[:, 1:]], 1) for a, b in ((inputs.body, other.body), (inputs.face, other.face))]
intruded = replace(inputs, body=mixed[0], face=mixed[1])
first = {}
for name, given in (("its own", inputs), ("a stranger's", intruded)):
    shares = torch.stack([all_shares(model, given, n) for n in range(sizes.depth)]).unflatten(-1, (2, -1, patches))
    first[name] = shares[..., 0, :].sum((-1, -2)).mean((1, 2))
    print(f"the first photograph is {name:13}: read of it, by layer {[f'{x:.0%}' for x in first[name].tolist()]}")

# %% [markdown]
# It does not turn away by much. To attention a photograph is a bag of patches; that they should all be of one person is
# for whoever takes the photographs to see to.

# %% [markdown]
# ## 5. What the tokens hold
#
# Four recordings (two people, studio and wild) give four tokens at each anchor. Where do they differ? A sum of squares
# can be split: what all recordings of an anchor have in common, and of the rest, what both recordings of a person have
# in common there, and both of a domain. Of mere noise each of these two would get a third.

# %%
views = {who.id: (inputs_of(who), who.seed, who.domain) for domain in people for who in people[domain]}
held = {}
for name, (weights, _) in models.items():
    for given, number, domain in views.values():
        held[name, domain, number] = encoded(name, given, weights.view(given))
shares_of_variance = {}
for name in models:
    four = torch.stack([torch.stack([held[name, d, s] for s in seeds[:2]]) for d in ("studio", "wild")])
    rest = four - four.mean((0, 1))
    at_anchor = 1 - rest.square().sum() / (four - four.mean((0, 1, 2))).square().sum()
    by_person, by_domain = (rest.mean(i).square().sum() * 2 / rest.square().sum() for i in (0, 1))
    shares_of_variance[name] = [round(float(x), 3) for x in (at_anchor, by_person, by_domain)]
    told = f"of the rest {by_person:.0%} the person's, {by_domain:.0%} the domain's"
    print(f"{name:10}: {at_anchor:.0%} is the anchor's; {told}")

# %% [markdown]
# To see it: the three directions in which tokens differ most (principal components) as red, green and blue. Above, the
# tokens as they are. Below, less the mean of the four at each anchor: what is particular to a recording.


# %%
def as_colours(tokens):
    """Tokens [recordings, G, D] -> [recordings, G, 3] in [0, 1], and the share of variance of the three components."""
    centred = tokens - tokens.mean((0, 1))
    _, sizes, directions = torch.linalg.svd(centred.flatten(0, 1), full_matrices=False)
    along = centred @ directions[:3].T
    low, high = (along.flatten(0, 1).quantile(q, 0) for q in (0.02, 0.98))
    return ((along - low) / (high - low)).clamp(0, 1), float((sizes[:3] ** 2).sum() / (sizes**2).sum())


four = torch.stack([held["release", d, s] for d in ("studio", "wild") for s in seeds[:2]])
(colours, share), (particular, share_below) = as_colours(four), as_colours(four - four.mean(0))
bodies([{str(s): each[i] for i, s in enumerate(seeds[:2])} for each in (colours, particular)])
plt.show()
print(f"three components hold {share:.0%} of the variance above, {share_below:.0%} below; both people in the studio")

# %% [markdown]
# Above, hands, feet and faces have a colour of their own in both: that is the anchor. Legs have not: one wears shorts
# that end above the knee, the other trousers. Below, where what all have in common is gone, the hem of the shorts is an
# edge, and in both people, since what is left of one is what the other lacks. Nobody told the model of garments.

# %% [markdown]
# ## 6. People and domains
#
# One mean token a recording, along its first two components (Figure S1), and how far the domains lie apart.

# %%
figure, domains_apart = token_figure({d: people[d] for d in ("studio", "wild")}, models)
plt.show()

# %% [markdown]
# Two people a domain are hardly a cloud: the distance is estimated as nothing, while in the drawing both studio people
# lie on one side of both wild ones, along the second component. Believe neither. Pairs say more: if the domain mattered
# most, one person in the studio and in the wild would lie farther apart than one person in two clips of the wild, and
# two people of one domain nearer.

# %%
KINDS = {
    "one person, two wild clips": lambda a, b: a[1] == b[1] and "studio" not in (a[0], b[0]),
    "one person, studio and wild": lambda a, b: a[1] == b[1] and "studio" in (a[0], b[0]),
    "two people, one domain": lambda a, b: a[1] != b[1] and a[0] == b[0],
}
distances, nearest = {}, {}
for name in models:
    means = {key[1:]: tokens.mean(0) for key, tokens in held.items() if key[0] == name}
    pairs = {(a, b): float((means[a] - means[b]).norm()) for a, b in combinations(means, 2)}
    distances[name] = {kind: float(np.mean([x for p, x in pairs.items() if of(*p)])) for kind, of in KINDS.items()}
    closest = {a: min((b for b in means if b != a), key=lambda b: (means[a] - means[b]).norm()) for a in means}
    nearest[name] = [sum(a[1] == b[1] for a, b in closest.items()), len(closest)]
    print(f"{name:10}: " + ", ".join(f"{kind} {value:.2f}" for kind, value in distances[name].items()))
    print(f"{'':12}the nearest other recording is of the same person in {nearest[name][0]} of {nearest[name][1]} cases")

# %% [markdown]
# ## What we saw

# %%
summary = {
    "largest_difference_of_the_row": difference,
    "spread": {name: round(float(found[name][:, 0].mean()), 3) for name in models},
    "lift": {name: round(float(found[name][:, 1].mean()), 2) for name in models},
    "lift_of_the_best_head": {name: round(float(values.max()), 2) for name, values in lifts.items()},
    "change_without_a_photograph": {way: round(float(x.mean()), 3) for way, x in relative.items()},
    "variance": shares_of_variance,
    "left_and_right": {name: [round(x, 2) for x in both] for name, both in sides.items()},
    "domains_apart": {name: round(value, 2) for name, value in domains_apart.items()},
    "distances": {name: {kind: round(x, 2) for kind, x in of.items()} for name, of in distances.items()},
    "nearest_is_the_same_person": nearest,
}
Path(output_folder(out), "09_attention_and_features.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - A row of attention is a query held against keys, and a softmax. Ours is the library's to the last digits.
# - **Cleaner after post-training?** Not here. Most heads read more than half of the patches before and after, and
#   are no narrower on average; they aim a little better, in each of the four recordings. Single anchors show whatever
#   one likes: a claim about maps needs a number over all of them.
# - A number needs its control as well. The head that seems to find places finds legs, and not which of the two.
# - Photographs reach the tokens by pixel alignment for the most part, which is ours and not the paper's. Attention adds
#   a message to all about the person. Without poses it aims better.
# - Tokens hold the anchor first, the person next, the domain last. **Domains mixed?** One person is no farther from
#   themselves across domains than across clips, before post-training as well as after. These are two people who differ
#   in everything they wear; larger profiles take more (`profile`), and schemes trained on one domain alone, which the
#   paper compares with, are rows of `make experiments`.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import torch

from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · Over how many patches? (5 minutes)
#
# Section 3 says how far a reading is spread. The entropy of shares is the sum of -p log p, and its exponential is a
# number of patches. Expected: 12 for twelve patches that are read alike, 1 for one that is read alone, whatever the
# number of patches that are not read at all.


# %% tags=["exercise"]
def patches_read(shares):
    """Shares [..., K], which sum to one and may be 0 -> over how many patches they are spread [...]."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def patches_read(shares):
#     """Shares [..., K], which sum to one and may be 0 -> over how many patches they are spread [...]."""
#     terms = torch.where(shares > 0, -shares * shares.clamp(min=1e-12).log(), 0)
#     return terms.sum(-1).exp()
# ```
#
# `attention.effective_count` does it. One over the sum of squares is a count as well, in which large shares weigh more:
# say which one a table has.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Does it look where it lies? (10 minutes)
#
# A map that is narrow may be narrow in the wrong place. Lift asks how much an anchor reads of the patch in which it
# lies, as a multiple of what even reading would give. Expected: 1 for even reading, K for an anchor that reads its own
# of K patches only, and NaN for an anchor that no photograph shows.


# %% tags=["exercise"]
def lift_of(shares, own):
    """Shares [G, K] of K patches, all there; own [G, N]: each anchor's patch in N photographs, -1 where it is not
    seen -> the mean lift [G] over the photographs that show it."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def lift_of(shares, own):
#     """Shares [G, K] of K patches, all there; own [G, N]: each anchor's patch in N photographs, -1 where it is not
#     seen -> the mean lift [G] over the photographs that show it."""
#     seen = own >= 0
#     read = shares.gather(1, own.clamp(min=0)) * seen
#     return shares.shape[1] * read.sum(1) / seen.sum(1)
# ```
#
# `attention.lift` does it for all heads, and counts only patches that somebody reads: most of a full-body picture shows
# nobody, and with those in the count every reading would look well aimed.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · Is a person nearest to themselves? (10 minutes)
#
# Section 6 asks of each recording which other one is nearest, and whether it is of the same person. Expected: 1 for
# recordings that lie in a heap a person, 0 where they lie in a heap a domain and every person is once in each.


# %% tags=["exercise"]
def nearest_themselves(tokens, who):
    """Tokens [R, D] of recordings of the people `who` [R] -> the share whose nearest other is of the same person."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
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

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def nearest_themselves(tokens, who):
#     """Tokens [R, D] of recordings of the people `who` [R] -> the share whose nearest other is of the same person."""
#     distances = torch.cdist(tokens, tokens)
#     distances.fill_diagonal_(torch.inf)
#     return (who[distances.argmin(1)] == who).float().mean()
# ```
#
# It needs no scale and no component to be chosen, unlike a scatter plot. With few people it is soon at one: whose
# clothes differ is easily told apart.
#
# </details>

# %% [markdown]
# **Next:** [10_relighting](10_relighting.ipynb): light, which a second decoder reads from the same tokens.
