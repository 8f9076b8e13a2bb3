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
# # 02 · Digital humans: people made from numbers
#
# The paper learns from a million videos and a studio. Neither is public, and both show real people. Here people are
# made: a seed gives a shape, a face, hair and clothes, and a path tracer photographs them in nine domains, with
# everything known exactly. This notebook shows who they are, what can be moved, dressed and lit, what is written to
# disk, how the crowd is spread, and where it still falls short of people.
#
# **Time**: a minute to run at `smoke` on two cores, twenty to read, twenty-five for the exercises.
#
# **Where we are**: before everything, where the people come from that all else learns from and is measured on.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("digital humans", "records")
plt.show()

# %%
import gc
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import mlcroissant
import numpy as np
import torch

from lca_core.body import BodyModel, full_pose
from lca_core.data import read_people
from lca_core.data.cameras import around, face_crop, project
from lca_core.data.light import studio_light
from lca_core.data.manifests import write_manifest
from lca_core.evaluation.crowd_figures import identity_figure, shares_figure
from lca_core.evaluation.records import read_records
from lca_core.motion.faces import face, looking
from lca_core.motion.poses import arm, hand, standing, theta_from
from lca_core.paths import FIGURES, output_folder
from lca_core.people.body.parts import PART_IDS
from lca_core.people.domains.domains import cast
from lca_core.people.domains.production import cached_people
from lca_core.people.domains.recording import points_of
from lca_core.people.domains.sets import write_datasheet
from lca_core.people.stage.human import DigitalHuman
from lca_core.people.stage.render import Stage
from lca_core.people.styles.stylise import STYLES
from lca_core.people.who.crowd import class_share_min, class_shares
from lca_core.people.who.spec import sample_person
from lca_core.profiles import profile as profile_of
from lca_core.viewer.curation_figures import composite
from lca_core.viewer.figures import sheet

# %% tags=["parameters"]
profile = "smoke"
seed = 10052  # the first of the people; 10,000-10,999 are test people, which no training sees
out = "build/02_digital_humans"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
sizes, out = profile_of(profile), output_folder(out)
seeds = [seed + i for i in range(3 if profile == "smoke" else 4)]
px, spp = max(112, sizes.body_px), sizes.samples_per_pixel

# %% [markdown]
# ## 1. A few people
#
# A person is an integer. `sample_person` turns it into numbers and names; nothing is drawn yet.

# %%
specs = {s: sample_person(s) for s in seeds}
seen = next((s for s in seeds if not (specs[s].hat or specs[s].glasses)), seed)  # nothing hides this one's face
for s, spec in specs.items():
    worn = [g.kind for g in (spec.top, spec.coat, spec.bottom, spec.shoes, spec.hat, spec.glasses) if g]
    sex = "female" if spec.build.sex < 0.5 else "male"
    print(f"{s}  {sex:6} {spec.build.age:2.0f} years, {spec.build.height:.2f} m, skin tone {spec.skin.tone:.2f},",
          f"hair {spec.hair.style}, {', '.join(worn)}")  # fmt: skip

# %% [markdown]
# Now they are drawn and kept in the cache; the next call only reads them. `studio` and `wild` are two of nine domains:
# everybody is drawn in both, and one person in three more, which section 4 shows. `truth=True` records what only a
# renderer knows, too: see section 5.

# %%
wanted = {"studio": seeds, "wild": seeds, "garment": [seen], "relit": [seen], "stylised": [seen]}


def drawn(domain):
    """The shards of a domain's people, by one process."""
    return cached_people(wanted[domain], domain, profile, workers=1, truth=domain != "wild", progress=False)


with ThreadPoolExecutor(2) as both:  # two domains at a time
    shards_of = dict(zip(wanted, both.map(drawn, wanted)))
people = {domain: list(read_people(paths, truth=True)) for domain, paths in shards_of.items()}
for domain, group in people.items():
    frame = group[0].frames[0]
    print(f"{domain:7} {len(group)} people, {[len(p.frames) for p in group]} frames, body {frame.body.image.shape},",
          f"theta {frame.theta.shape}, actions {frame.actions.shape}, betas {group[0].betas.shape}")  # fmt: skip
rows = [("studio", [p.frames[0].body.image for p in people["studio"]])]
rows += [("studio, face", [p.frames[0].face.image for p in people["studio"]])]
rows += [("wild", [p.frames[0].body.image for p in people["wild"]])]
sheet(rows, 240, captions=[[], [], [str(s) for s in seeds]])
plt.show()

# %% [markdown]
# ## 2. What moves
#
# A spec is a frozen dataclass: hat and glasses off is one `replace`, and so is a bald head, which is quicker to draw.
# `pose` moves a person with the same 55 joints, 52 facial actions and two eyes that an avatar is driven with; a `Stage`
# keeps the scene between pictures.

# %%
spec = replace(specs[seed], hat=None, glasses=None)
bare = DigitalHuman.build(replace(spec, hair=replace(spec.hair, style="bald")))
body, betas = BodyModel.load(), torch.from_numpy(spec.betas)[None]
calm = standing(np.random.default_rng(0), "calm")


def posed(human, theta=calm, gaze=(0, 0, 0, 0), actions=None):
    """The parts of a person under the driving signal, standing in the origin."""
    signal = (torch.tensor(np.asarray(x, np.float32)) for x in (theta, np.zeros(6), gaze))
    return human.pose(full_pose(*signal).numpy(), None, actions)


def shoot(camera, **signal):
    """One picture of the bare-headed person under a driving signal."""
    stage.move(posed(bare, **signal))
    return stage.shoot([camera], spp)[0].image


stage = Stage(posed(bare), studio_light())
whole = around(points_of(posed(bare)), 0.3, 0.1, 3.2, px, 0.75)
up = arm("left", -0.3, elbow=1.3, twist=1.5)
hands = [theta_from(up, arm("right"), hand("left", name)) for name in ("flat", "fist", "point")]
joints = body(betas, None, full_pose(torch.from_numpy(hands[0]), torch.zeros(6), torch.zeros(4))[None]).joints[0]
close = face_crop(whole, joints[body.joint_index["left_middle1"]].numpy(), px, side=0.3)
eyes = body.rest_joints(betas)[0, [body.joint_index[f"{side}_eye_smplhf"] for side in ("left", "right")]].mean(0)
front = face_crop(around(points_of(posed(bare)), 0.0, 0.0, 3.2, px), eyes.numpy() - [0, 0.03, 0], px, side=0.2)
faces = {"neutral": {}, "happiness": {"actions": face("happiness")}, "jawOpen": {"actions": face("jawOpen")},
         "blink": {"actions": face("blink")},
         "eyeLookUpLeft": {"actions": face("eyeLookUpLeft"), "gaze": looking("eyeLookUpLeft")},
         "gaze left": {"gaze": (0.4, 0, 0.4, 0)}}  # fmt: skip
bodies = [shoot(whole, theta=theta) for theta in (calm, *hands[:1])] + [shoot(close, theta=theta) for theta in hands]
sheet([("body, hands", bodies), ("face", [shoot(front, **signal) for signal in faces.values()])], 150,
      captions=[["calm", "an arm up", "flat", "fist", "point"], [*faces]])  # fmt: skip
plt.show()

# %% [markdown]
# All 52 actions, named as in ARKit, the emotions (tables of actions after the Facial Action Coding System) and the
# mouth shapes of speech, of another test person, drawn large by `benchmarks/people.py`:

# %%
plt.figure(figsize=(12, 12))
plt.imshow(plt.imread(FIGURES / "people_repertoire.jpg"))
plt.axis("off")
plt.show()

# %% [markdown]
# ## 3. What they wear
#
# Every trait is a field of the spec, so one person can be drawn again with one thing changed. Clothes are cut to the
# body, sewn with seams and hems, and painted with one of six patterns. All three stand alike: the hat and the glasses
# of the first sheet are off, and the second and third are in other clothes.


# %%
def dressed(**changes):
    """A calm picture of the person with fields of the spec replaced."""
    gc.collect()  # frees the scene before, so that its compiled kernels are found again
    dress = DigitalHuman.build(replace(spec, **changes))
    return Stage(posed(dress), studio_light()).shoot([larger], spp)[0].image


larger = around(points_of(posed(bare)), 0.3, 0.1, 3.2, 2 * px, 0.9)
shirt, legs = replace(spec.top or spec.bottom, pattern="plain"), replace(spec.bottom, fabric="cotton", pattern="plain")
red, blue, cream = (3 * (color,) for color in ((0.65, 0.2, 0.15), (0.25, 0.35, 0.55), (0.85, 0.8, 0.7)))  # sRGB
outfits = {
    "another hair": dict(hair=replace(spec.hair, style="bob")),
    "knit, pleated skirt": dict(
        top=replace(shirt, kind="sweater", fabric="knit", colors=red),
        bottom=replace(legs, kind="pleated_skirt", pattern="checks"),
    ),
    "coat over a T-shirt": dict(
        top=replace(shirt, kind="tshirt", colors=cream),
        coat=replace(shirt, kind="coat", length=0.8, colors=blue),
        bottom=replace(legs, kind="trousers"),
    ),
}
sheet([("", [dressed(**outfit) for outfit in outfits.values()])], 260, captions=[[*outfits]])
plt.show()

# %% [markdown]
# ## 4. Domains, one record type
#
# **studio**: cameras all round, even light, exact parameters: few people, as in the paper's studio. **wild**: one
# hand-held clip, any light, anything behind, blur, noise, JPEG, parameters with a tracker's errors: many people, as in
# the paper's videos. **garment**: everybody in loose clothes, in motion. **relit**: one moment under single lamps, then
# whole environments. **stylised**: test people as drawings and sculptures, the last one built with other proportions.
# Four more are for judging: second clips (**wild2**), large photographs (**phone**), loose clothes filmed as in the
# wild (**garment_wild**), and lights that no other domain has (**relit_held_out**). All are a `Person` with frames;
# here one of them, in the first five.

# %%
records = {domain: next(p for p in group if p.seed == seen) for domain, group in people.items()}
shown = {domain: p.frames[:: max(1, len(p.frames) // 6)][:6] for domain, p in records.items()}
shown["relit"], shown["stylised"] = records["relit"].frames[1::2][:6], records["stylised"].frames[::2][:6]
sheet([(domain, [f.body.image for f in frames]) for domain, frames in shown.items()], 130,
      captions=[[], [], [], [f.light for f in shown["relit"]], STYLES])  # fmt: skip
for domain, record in records.items():
    meta = {k: v for k, v in record.meta.items() if k not in ("looks", "licence", "profile", "actions", "compressed")}
    print(f"{domain:9} {len(record.frames):2} frames, {meta}")
plt.show()

# %% [markdown]
# **Cloth.** Skirts, dresses and open coats hang and swing rather than follow the legs: they are simulated in every
# domain (extended position-based dynamics, 30 small steps a frame). Above, the record from the waist down; below, the
# same moments with all cloth merely skinned to the body. Look at the hems.

# %%
wearer = DigitalHuman.build(cast(seen, "garment"))
moments = records["garment"].frames[:: max(1, len(records["garment"].frames) // 4)][:4]


def skinned(frame):
    """The record's moment again, but with all cloth skinned to the body."""
    signal = (torch.from_numpy(x) for x in (frame.theta, frame.root, frame.gaze))
    return wearer.pose(full_pose(*signal).numpy(), frame.root[3:], frame.actions)


gc.collect()
stage, pictures = Stage(skinned(moments[0]), studio_light()), []
for frame in moments:
    stage.move(skinned(frame))
    pictures.append(stage.shoot([frame.body.camera], spp)[0].image)
rows = [("simulated", [f.body.image for f in moments]), ("skinned", pictures)]
sheet([(name, [image[2 * px // 5 :, px // 5 : -px // 5] for image in row]) for name, row in rows], 190,
      captions=[[], [f"instant {f.instant}" for f in moments]])  # fmt: skip
plt.show()

# %% [markdown]
# ## 5. Truth
#
# With every picture come its matte and camera, the pose and the actions; with `truth=True` also depth, normals and the
# part that each pixel shows. Faces and hands that are seen have crops of their own, in their own resolution.

# %%
palette = np.uint8(255 * plt.cm.tab20(np.arange(len(PART_IDS)))[:, :3])
palette[0] = 30


def layers(picture):
    """A picture and everything known of its pixels, as six pictures."""
    truth, inside = picture.truth, picture.truth.depth > 0
    near, far = np.percentile(truth.depth[inside], (1, 99))
    depth = plt.cm.magma(np.clip((far - truth.depth) / (far - near), 0, 1))[..., :3] * inside[..., None]
    normals = np.uint8((truth.normals * 0.5 + 0.5) * 255 * inside[..., None])
    matte = np.repeat(picture.matte[..., None], 3, 2)
    return [picture.image, matte, composite(picture.image, picture.matte), depth, normals, palette[truth.parts]]


studio, wild = records["studio"], records["wild"]
rows = [(name.replace("_", " "), layers(picture)) for name, picture in studio.frames[0].pictures.items()]
names = ["image", "matte", "on green", "depth", "normals", "parts"]
sheet(rows, 150, captions=[*([[]] * (len(rows) - 1)), names])
plt.show()

# %% [markdown]
# Posing the body by the record and projecting its joints with the record's camera must land on the person. In the
# wild what is left of a tracker's errors shows: single joints are off, but not the body as a whole, for a tracker fits
# it to the picture.


# %%
def joints_in(record, frame):
    """Pixels [55, 2] of the body's joints by the record's own numbers."""
    pose = full_pose(*(torch.from_numpy(x) for x in (frame.theta, frame.root, frame.gaze)))[None]
    posed = body(torch.from_numpy(record.betas)[None], None, pose, torch.from_numpy(frame.root[3:])[None])
    return project(frame.body.camera, posed.joints[0].numpy())


def on_matte(record, frame):
    """Share of the joints inside the picture that fall on a pixel of the person."""
    places = joints_in(record, frame).astype(int)
    x, y = places[((places >= 0) & (places < frame.body.camera.width)).all(1)].T
    return (frame.body.matte[y, x] > 127).mean()


figure, axes = plt.subplots(1, 6, figsize=(13, 2.4))
for axis, (record, frame) in zip(axes, [(p, f) for p in (studio, wild) for f in p.frames[:3]]):
    axis.imshow(frame.body.image // 2 + 90)
    axis.plot(*joints_in(record, frame).T, "r.", ms=2)
    axis.set(title=f"{record.domain}, instant {frame.instant}", xlim=(0, px), ylim=(px, 0))
    axis.axis("off")
figure.tight_layout()
hits = {d: float(np.mean([on_matte(p, f) for p in people[d] for f in p.frames])) for d in ("studio", "wild")}
print("joints on the matte:", {domain: f"{100 * hit:.1f} %" for domain, hit in hits.items()})
plt.show()

# %% [markdown]
# ## 6. On disk: shards, a manifest, a datasheet
#
# Records are plain tar files in WebDataset's layout, one sample a person; a Croissant manifest says what they hold, in
# words that other tools read, and a datasheet says it to people. A second program checks the manifest: `mlcroissant`,
# by the people who wrote the format. `python -m lca_core people` writes the same from a shell.

# %%
shards = out / "shards"
shutil.rmtree(shards, ignore_errors=True)  # of an earlier run
shards.mkdir(parents=True, exist_ok=True)
for path in shards_of["studio"]:
    shutil.copy(path, shards)
manifest, datasheet = write_manifest(shards, "studio", seeds, profile), write_datasheet(shards, "studio", seeds)
for path in sorted(shards.iterdir()):
    print(f"{path.name:24} {path.stat().st_size / 1024:8.0f} KiB")
dataset = mlcroissant.Dataset(jsonld=str(manifest))
print("errors:", len(dataset.metadata.issues.errors), "warnings:", len(dataset.metadata.issues.warnings))
pairs = [(a, b) for p, q in zip(read_people(shards), people["studio"]) for a, b in zip(p.frames, q.frames)]
print(all(np.array_equal(a.body.image, b.body.image) for a, b in pairs), len(pairs), "frames the same, byte for byte")

# %% [markdown]
# ## 7. Who is in the crowd?
#
# A prior over people is as fair as its people. Specs cost some milliseconds each, so look at all thousand test people.
# The dashed line is at 2 %; a class below it would be red.

# %%
crowd = [sample_person(s) for s in range(10_000, 11_000)]
shares, rarest = class_shares(crowd), class_share_min(crowd)
shares_figure(shares)
low, high = (100 * x for x in rarest.ci95)
print(f"rarest: {rarest.trait} {rarest.kind}, {100 * rarest.share:.1f} % (bootstrap {low:.1f} to {high:.1f} %)")
plt.show()

# %% [markdown]
# Do machines take them for people? MediaPipe's detectors and dlib's recogniser never saw a digital human. What they
# made of many, and what else was measured of people, is in `results/records/people`; each record names the commit
# that drew its people.

# %%
measured = {name: record for name, record in read_records().items() if name.startswith("people/")}
for name, record in measured.items():
    interval = f" ({record.ci95[0]:.3g} to {record.ci95[1]:.3g})" if record.ci95 else ""
    print(f"{name:34} {record.value:8.3g} {record.unit}{interval}, {record.n_people} people")
if same := measured.get("people/identity_eer"):
    identity_figure(same.protocol["histogram"], same.value, same.protocol["threshold"])
    plt.show()

# %% [markdown]
# ## What we saw

# %%
height = [p.build.height for p in crowd]
summary = {
    "people": len(seeds),
    "pictures": sum(1 + (f.face is not None) for group in people.values() for p in group for f in p.frames),
    "joints_on_matte_studio": round(hits["studio"], 3),
    "joints_on_matte_wild": round(hits["wild"], 3),
    "manifest_errors": len(dataset.metadata.issues.errors),
    "crowd_height_m": [round(float(h), 2) for h in (min(height), np.mean(height), max(height))],
    "rarest_class_share": round(rarest.share, 3),
}
Path(out, "02_digital_humans.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - One integer gives one person in every domain; every pixel comes with a matte, a camera, a pose and 52 actions, and
#   where asked with depth, normals, parts and light. Studio joints lie on the person; wild ones are a tracker's.
# - Every trait is a field: the same person can be dressed and lit otherwise while all else is held fixed.
# - Weak spots: faces are smooth and their brows painted. Wild backgrounds are shapes and blurs, not places. Only lower
#   garments and open coats are simulated; tops follow the skin. Sex is one of two; no one is pregnant, scarred, or
#   missing a limb. At 112 px a face on a whole body is some ten pixels wide.
# - The crowd is spread by design, not as any population is.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import numpy as np

from lca_core.data import Camera
from lca_core.data.cameras import around
from lca_core.data.srgb import to_linear, to_srgb8
from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · Two lamps at once (10 minutes)
#
# The relit record has pictures under single lamps. Light adds up, so they are enough for the picture under all of them,
# at any strength, without drawing it. But the bytes of a picture are sRGB, which is not light: half of it is 188, not
# 128. Expected: two pictures of 188 at full strength give 255; three lamps at a third of their strength, all with the
# same picture, give that picture.


# %% tags=["exercise"]
def under_all(pictures, strengths):
    """The picture uint8 [H, W, 3] under lamps of these strengths, from one picture [L, H, W, 3] under each alone."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_under_all(under_all):
    grey = np.full((2, 1, 1, 3), 188, np.uint8)
    assert under_all(grey, (1, 1)).max() == 255, f"188 and 188 are white, not {under_all(grey, (1, 1)).max()}"
    half = under_all(grey, (0.5, 0)).max()
    assert half == 137 == to_srgb8(to_linear(grey[0]) / 2).max(), f"half the light of 188 is 137, not {half}"
    generator = np.random.default_rng(0)
    image = generator.integers(256, size=(1, 4, 4, 3)).astype(np.uint8)
    third = under_all(np.repeat(image, 3, 0), (1 / 3, 1 / 3, 1 / 3))
    assert third.dtype == np.uint8 and third.shape == (4, 4, 3), f"{third.dtype} {third.shape}"
    assert np.abs(third.astype(int) - image[0]).max() <= 1, "three thirds of a picture are that picture"
    assert not under_all(image, (0.0,)).any(), "lamps that are out leave black"


attempt(check_under_all, under_all)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def under_all(pictures, strengths):
#     """The picture uint8 [H, W, 3] under lamps of these strengths, from one picture [L, H, W, 3] under each alone."""
#     light = np.tensordot(np.asarray(strengths, float), to_linear(pictures), 1)
#     return to_srgb8(light)
# ```
#
# That is how any light at all can be put together from a studio's lamps, and why the relighting decoder may be linear
# in the light. The renderer's own noise and the rounding to bytes are all that separates the sum from a picture drawn.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · Is the pose right? (10 minutes)
#
# A record says where the joints are in the world and which camera took the picture. Put them into the picture, and say
# what share of those inside the frame lies on the person. A camera has `viewmat` (world to camera), `K`, `width` and
# `height`; a pixel (column, row) covers column to column + 1. Expected: joints behind the camera or outside the frame
# do not count.


# %% tags=["exercise"]
def share_on_person(joints, camera, matte):
    """Share of the joints [J, 3] (metres, in the world) in the frame whose pixel of matte [H, W] is above 127."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_share_on_person(share_on_person):
    K = np.array([[10, 0, 5], [0, 10, 5], [0, 0, 1]], np.float32)
    camera, matte = Camera(np.eye(4, dtype=np.float32), K, 10, 10), np.zeros((10, 10), np.uint8)
    matte[2:8, 6:8] = 255  # rows 2 to 7, columns 6 and 7
    right, left, above = [0.2, 0.0, 1.0], [-0.2, 0.0, 1.0], [0.2, -0.45, 1.0]
    assert share_on_person(np.array([right]), camera, matte) == 1, "x to the right: column 7 is on the person"
    assert share_on_person(np.array([right, left]), camera, matte) == 0.5, "one of two"
    assert share_on_person(np.array([right, above]), camera, matte) == 0.5, "y points down; the upper one is not on it"
    beyond, behind = [3.0, 0.0, 1.0], [-0.2, 0.0, -1.0]
    assert share_on_person(np.array([right, beyond, behind]), camera, matte) == 1, "only joints in the frame count"
    body = np.random.default_rng(0).normal(0, 0.3, (50, 3))
    turned = around(body, 0.7, 0.2, 3.2, 64)
    assert share_on_person(body, turned, np.full((64, 64), 255, np.uint8)) == 1, "a camera that is turned goes wrong"


attempt(check_share_on_person, share_on_person)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def share_on_person(joints, camera, matte):
#     """Share of the joints [J, 3] (metres, in the world) in the frame whose pixel of matte [H, W] is above 127."""
#     inside = joints @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
#     inside = inside[inside[:, 2] > 0]
#     pixels = inside @ camera.K.T
#     x, y = np.floor(pixels[:, :2] / pixels[:, 2:]).astype(int).T
#     framed = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
#     return float((matte[y[framed], x[framed]] > 127).mean())
# ```
#
# Studio joints all lie on the person but for a finger or a toe at the edge of its pixels. It is the cheapest test there
# is of a record, and finds most of what one can do wrong with axes and cameras.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · Who is rare? (5 minutes)
#
# A prior over people is as fair as its people, and its weakest class decides. Find it. Expected: of four people with
# hair short, short, long and bald, and eyes brown, brown, brown and blue, the rarest are long and bald hair and blue
# eyes, a quarter each; of those the first by name.


# %% tags=["exercise"]
def rarest(people):
    """(trait, class, share) of the rarest class; people: a list of {trait: class}. Of equals the first by name."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_rarest(rarest):
    hair, eyes = ("short", "short", "long", "bald"), ("brown", "brown", "brown", "blue")
    four = [{"hair": h, "eyes": e} for h, e in zip(hair, eyes)]
    assert rarest(four) == ("eyes", "blue", 0.25), f"blue eyes, a quarter; not {rarest(four)}"
    assert rarest(four[:2]) == ("eyes", "brown", 1.0), "of two alike nobody is rare"


attempt(check_rarest, rarest)

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def rarest(people):
#     """(trait, class, share) of the rarest class; people: a list of {trait: class}. Of equals the first by name."""
#     traits = people[0]
#     shares = {
#         (trait, kind): sum(person[trait] == kind for person in people) / len(people)
#         for trait in traits
#         for kind in {person[trait] for person in people}
#     }
#     (trait, kind), share = min(shares.items(), key=lambda item: (item[1], item[0]))
#     return trait, kind, share
# ```
#
# A class that nobody belongs to is not found this way: it must be listed before one counts. `class_shares` does that,
# and gives an interval with each share.
#
# </details>

# %% [markdown]
# **Next:** [03_curation](03_curation.ipynb), where real pictures go through the same doors.
