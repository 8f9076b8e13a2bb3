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
# # 12 · Stylised: avatars of people who are drawn
#
# Show the paper's model a drawing, and it makes an avatar of the drawing, though it was trained on photographs alone.
# It is the most striking of what its authors call emergent. Here people who can be photographed *and* drawn, from the
# same sides in the same moments, say how much of that is so: what the avatar keeps of a style, what of the person, and
# how much worse it is than the avatar of the same person's photographs.
#
# **Time**: a minute to run at `smoke` on two cores, fifteen to read, twenty-five for the exercises.
#
# **Where we are**: before the pipeline, with other photographs than it was made for.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("style", "photographs", "avatar")
plt.show()

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.data import pixels
from lca_core.evaluation.drawn_people import LOOKS, PLAIN, cached_drawings, held_out_of, photographs_of, read_drawings
from lca_core.evaluation.records import read_records, show
from lca_core.evaluation.stylised import METRICS, avatars_of, followed, over_styles, seen_in, try_looks
from lca_core.evaluation.stylised_figure import stylised_figure
from lca_core.judges.metrics import over_white
from lca_core.judges.resemblance import feature_likeness, person_features
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.paths import output_folder
from lca_core.people.styles.fields import blur_within
from lca_core.viewer.figures import sheet

# %% tags=["parameters"]
profile = "smoke"  # how large pictures are shown; the model brings its own sizes
seed = 10000  # a test person, and the next one for comparison
out = "build/12_stylised"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
out = output_folder(out)
px = 128 if profile == "smoke" else 192
model, meta = load_release()
encoder = encoder_of(meta)

# %% [markdown]
# ## 1. One person, seven looks
#
# A digital human is known to the last number, so a drawing need not be a filter over a photograph: `toon` has the
# colours without the light, `sketch` hatches along the form, `clay` models each part anew. Each picture is taken once
# and drawn in every style. The last row is no drawing: there the *body* is another (big heads, long legs), and the
# picture is a photograph of it.

# %%
mine, other = read_drawings(cached_drawings([seed, seed + 1], "laptop"))
rows = []
for look, person in mine.items():
    face = next(frame.face for frame in person.frames if frame.face is not None)
    rows.append((look, [frame.body.image for frame in person.frames[:6]] + [face.image]))
sheet(rows, px, captions=[[]] * (len(rows) - 1) + [["given"] * 4 + ["held out"] * 2 + ["a face crop"]])
print({look: (len(photographs_of(person)), len(held_out_of(person))) for look, person in mine.items()}, "in, held out")
plt.show()

# %% [markdown]
# ## 2. Seven avatars
#
# How should this work at all? Nothing in the model asks whether a picture is a photograph. Its patches are pixels,
# each Gaussian reads its colour where it lies in the pictures, and where it lies is told by the body, which is fitted
# (here: exact). A drawing that keeps to the body is, to such a model, a person in strange clothes. What it cannot know
# is how a style goes on where no picture shows it: that was learned from people.
#
# Columns: given, held out and the avatar there, then the avatar alone, in poses nobody drew.

# %%
avatars = avatars_of(model, encoder, mine)
stylised_figure(model, [mine], [avatars], px)
plt.show()

# %% [markdown]
# Colours come through, from the front and from behind. What a style does with a *view* does not: outlines lie where a
# surface turns away from the eye, and hatching lies on the paper, elsewhere in every picture, so pictures that
# contradict each other are averaged. And the last row breaks: its colours are read where the ordinary body would be.

# %% [markdown]
# ## 3. The number, and what stands beside it
#
# Three numbers of each picture held out and the avatar there. `iou`: do the silhouettes agree? `color_likeness`: is it
# painted with the same colours, in the same shares? `feature_likeness`: do its pieces look alike to a network
# (AlexNet's last maps, averaged over the silhouette)? None compares pixel with pixel: no two drawings put a line in the
# same place.
#
# **The control** is the first row: the same person's photographs, same moments, same sides, same light. What a style
# costs is the distance to it. **The floor** is the last two columns: the avatar beside pictures of *somebody else* in
# the same style. A likeness near that floor says nothing of the person.

# %%
values = try_looks(model, avatars, mine, other)


def mean(name):
    """Over the pictures held out."""
    return round(float(np.mean(values[name])), 3)


print(f"{'':12}{'iou':>8}{'colour':>8}{'feature':>8}   others: colour, feature")
for look in LOOKS:
    floor = [mean(f"{look}/others_{metric}") for metric in METRICS[1:]]
    print(f"{look:12}" + "".join(f"{mean(f'{look}/{metric}'):8.3f}" for metric in METRICS),
          "".join(f"{x:10.3f}" for x in floor))  # fmt: skip

# %% [markdown]
# ## 4. Pulled back to photographs?
#
# A prior of photographed people might repaint a drawing as a photograph. Then the avatar would be *more* like the plain
# picture than the drawings are that it was made of, and perhaps than it is like them. Three bars a style: the drawing
# beside the plain picture, the avatar beside the plain picture, the avatar beside the drawing.

# %%
names = [look for look in LOOKS if look != PLAIN]
figure, axes = plt.subplots(1, 2, figsize=(10, 2.8), sharey=True, layout="constrained")
for axis, metric in zip(axes, METRICS[1:]):
    for number, (key, label) in enumerate(
        (("input_", "drawing and plain"), ("plain_", "avatar and plain"), ("", "avatar and drawing"))
    ):
        axis.bar(np.arange(len(names)) + 0.27 * (number - 1), [mean(f"{look}/{key}{metric}") for look in names], 0.25,
                 label=label)  # fmt: skip
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_title(metric.replace("_", " "), fontsize=9)
axes[0].set_ylim(0.2, 1)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
plt.show()

# %% [markdown]
# Where the second bar is higher than the first, the avatar is nearer to a photograph than the drawings were. An idea of
# people, or only softness? The control: the drawing itself, blurred inside its silhouette, beside the plain picture.


# %%
def blurred(frame, sigma=2.0):
    """Features of a drawing that is blurred inside its silhouette; sigma: pixels."""
    image, matte = pixels(frame.body)
    soft = torch.from_numpy(blur_within(image.numpy(), matte.numpy() > 0.5, sigma))
    return person_features(over_white(soft, matte), matte)


plainly = [seen_in(frame.body, torch.device("cpu")).features for frame in held_out_of(mine[PLAIN])]
softened = {}
for look in ("toon", "sketch", "pixel"):
    found = [feature_likeness(blurred(frame), true) for frame, true in zip(held_out_of(mine[look]), plainly)]
    softened[look] = round(float(np.mean(found)), 3)
    print(f"{look:8} beside the plain picture: drawing {mean(f'{look}/input_feature_likeness'):.3f},",
          f"drawing blurred {softened[look]:.3f}, avatar {mean(f'{look}/plain_feature_likeness'):.3f}")  # fmt: skip

# %% [markdown]
# ## 5. Proportions
#
# The model is *told* a shape, that of the ordinary body, and *shown* another. An avatar that heeds what it is told
# covers the exaggerated silhouette no better than the ordinary avatar does; one that heeds what it sees would go all
# the way to how well ordinary people are covered.

# %%
told, shown, plain = (mean(name) for name in ("exaggerate/told_iou", "exaggerate/iou", "plain/iou"))
print(f"silhouettes: told {told:.3f}, shown {shown:.3f}, plain {plain:.3f}; followed {followed(values):.2f} of the way")

# %% [markdown]
# ## 6. The door, and many people
#
# All this had the body's pose given. Whoever brings a drawing to `lca_core avatar` has nothing but pixels, and the
# first to look at it are detectors made for photographs. A detector that refuses a drawing is right in its way; the
# records say how often. They are of many test people, each style beside the same people's plain pictures.

# %%
records = {name: record for name, record in read_records().items() if name.startswith("stylised/")}
for name, record in records.items():
    less = record.protocol.get("difference")
    told = f"   less plain {less['value']:+.3f}" if less else ""
    print(f"{name:36} {show(record.value, record.unit):>8}{told}   {record.n_people} people")
if not records:
    print("no records of drawn people yet: python benchmarks/stylised.py --record")

# %% [markdown]
# ## What we saw

# %%
summary = {look: {metric: mean(f"{look}/{metric}") for metric in METRICS} for look in LOOKS}
summary["styles"] = {metric: round(float(np.mean(over_styles(values, metric))), 3) for metric in METRICS}
summary |= {"followed": round(followed(values), 2), "blurred_like_plain": softened}
Path(out, "12_stylised.json").write_text(json.dumps(summary, indent=1))
summary["styles"]

# %% [markdown]
# - An avatar of drawings keeps what they are painted with: the colours of toon, clay and paint are in it and not those
#   of the photograph. Little of that is imagination, as each Gaussian reads its colour from the pictures.
# - What is lost is fine structure that belongs to a view or to the paper: outlines, hatching, square pixels. Averaged
#   over pictures that contradict each other they leave something soft, so an avatar of ink is nearer to a photograph
#   than the ink is. That looks like an idea of people; but ink that is merely blurred comes as near.
# - Silhouettes hardly suffer from drawing, as the body is given. Other proportions break an avatar: shape is told, not
#   seen, and where the told body lies beside the one in the picture, colours are read in the wrong place.
# - Numbers of one person are for looking. Those to quote are the records, and what they are worth says the floor: how
#   like somebody else in the same style an avatar is.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import numpy as np

from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · How far must colours move? (10 minutes)
#
# `color_likeness` asks how far the colours of one silhouette must be moved to become those of another. Along one line,
# lightness say, the cheapest way is known: the darkest pixel becomes the darkest, the next the next. Write it for two
# pictures of as many pixels each: the mean distance of values of equal rank. Expected: the order of pixels does not
# matter, and a picture that is 7 lighter everywhere is 7 away.


# %% tags=["exercise"]
def moved(a, b):
    """Mean distance that values [N] must move to become values [N] of another picture, in any order."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_moved(moved):
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 100, 500)
    assert abs(moved(a, rng.permutation(a))) < 1e-9, "the same values in another order: nothing moves"
    assert abs(moved(a, rng.permutation(a + 7)) - 7) < 1e-9, "everything is 7 lighter: everything moves by 7"
    black_and_white = np.repeat([0.0, 100.0], 50)
    found = moved(black_and_white, np.full(100, 50.0))
    assert abs(found - 50) < 1e-9, f"black and white to grey: every pixel moves by 50, not {found:.1f}"


attempt(check_moved, moved)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def moved(a, b):
#     """Mean distance that values [N] must move to become values [N] of another picture, in any order."""
#     return float(np.abs(np.sort(a) - np.sort(b)).mean())
# ```
#
# Colours have three numbers and no order. `color_distance` draws many lines through their space, does this along each
# and takes the mean (the sliced earth mover's distance). Means alone would call an ink drawing and a grey statue alike.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Is a style worse than a photograph? (10 minutes)
#
# People differ: somebody in plain black is easy in every style. So a style is compared with the same people's plain
# pictures, person by person, and its interval comes from drawing people again with replacement. Expected: the mean
# difference, and an interval that does not grow when some people are easier than others in both.


# %% tags=["exercise"]
def drop(style, plain, rng, times=2000):
    """(mean of style - plain [P], the interval of 95 % from resampling people `times` times)."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_drop(drop):
    rng = np.random.default_rng(0)
    easy = rng.uniform(0.3, 0.9, 40)  # how easy each person is
    style = easy - 0.05 + rng.normal(0, 0.01, 40)
    mean, (low, high) = drop(style, easy, rng)
    assert abs(mean + 0.05) < 0.01, f"the style costs 0.05, not {-mean:.3f}"
    assert low < mean < high, "the interval holds the mean"
    assert high - low < 0.02, f"{high - low:.3f} wide: what makes a person easy in both must drop out"


attempt(check_drop, drop)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def drop(style, plain, rng, times=2000):
#     """(mean of style - plain [P], the interval of 95 % from resampling people `times` times)."""
#     less = np.subtract(style, plain)
#     means = less[rng.integers(len(less), size=(times, len(less)))].mean(1)
#     return float(less.mean()), tuple(np.quantile(means, [0.025, 0.975]))
# ```
#
# Every record of a style keeps this difference beside its value (`protocol.difference`). With few people the paired
# interval is often the only one that says anything.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · How far were the proportions followed? (5 minutes)
#
# The avatar of an exaggerated person is given the shape of the ordinary body. Three overlaps tell what it did: `told`,
# of the ordinary person's avatar with the exaggerated silhouette; `shown`, of the exaggerated one's; `plain`, of the
# ordinary avatar with its own silhouette, as good as it gets. Expected: 0 for an avatar that stays with what it was
# told, 1 for one as good as on ordinary people, and no answer (`None`) where the proportions are hardly exaggerated.


# %% tags=["exercise"]
def share_followed(told, shown, plain, least=0.01):
    """From `told` (0) to `plain` (1), where `shown` is; None where the two are closer than `least`."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_share_followed(share_followed):
    for told, shown, plain, wanted in ((0.6, 0.6, 0.9, 0), (0.6, 0.9, 0.9, 1), (0.6, 0.7, 0.8, 0.5)):
        found = share_followed(told, shown, plain)
        assert abs(found - wanted) < 1e-6, f"told {told}, shown {shown}, plain {plain}: {wanted}, not {found}"
    assert share_followed(0.9, 0.92, 0.9) is None, "nothing was exaggerated: there is nothing to follow"


attempt(check_share_followed, share_followed)

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def share_followed(told, shown, plain, least=0.01):
#     """From `told` (0) to `plain` (1), where `shown` is; None where the two are closer than `least`."""
#     return None if plain - told < least else (shown - told) / (plain - told)
# ```
#
# `stylised.followed` does it. A share of an overlap is no share of a leg: two silhouettes may overlap as much in
# different ways, so look at the sheet, too.
#
# </details>

# %% [markdown]
# **Next:** [13_control](13_control.ipynb): how far an avatar obeys.
