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
# # 01 · Gaussians from scratch: from one soft dot to a person
#
# Everything in this library is drawn with one kind of brush: a soft, tilted dot in space, a 3D Gaussian. This notebook
# builds the whole painter from nothing, in small cells with one picture for each idea: one dot, its shadow on a camera,
# many dots over each other, the slopes that let an optimiser move them, a body that carries them. At the end a
# few thousand dots become one person, and we see exactly what such a fit can and cannot know.
#
# You need a little linear algebra and a little PyTorch, and nothing else of this library. Whenever we have written
# something ourselves, we hold it against the library's own and print the difference.
#
# **Time**: a minute to run at `smoke` on two cores, an hour to read, thirty minutes for the exercises.
#
# **Where we are**: at the end of the pipeline, with the drawing. All other notebooks end where this one begins, with
# Gaussians. The numbers are the sections of this notebook.
#
# ```
#  photos ─▶ model ─▶ GAUSSIANS ─▶ SKIN ─▶ PROJECT ─▶ COMPOSITE ─▶ picture ─▶ loss
#                       (1, 2)      (7)      (3)         (4)                    │
#                         ▲                                                     │
#                         └─────────────── GRADIENTS (5, 8) ────────────────────┘
# ```

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lca_core.viewer.pipeline import pipeline

pipeline("drawing")
plt.show()

# %%
import json
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch

from lca_core.body import BodyModel, full_pose, sample_anchors
from lca_core.data import pixels, read_people
from lca_core.data.cameras import around, face_crop
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.protocols import split_frames
from lca_core.judges.metrics import over_white, psnr
from lca_core.motion.poses import arm, theta_from
from lca_core.paths import output_folder
from lca_core.people.domains.production import cached_people
from lca_core.profiles import profile as profile_of
from lca_core.splats import Gaussians, rasterize, skin
from lca_core.viewer.figures import sheet
from lca_core.viewer.stage import picture

# %% tags=["parameters"]
profile = "smoke"
seed = 5000  # of all random numbers here, and the person of section 8 (0-8,999 are training people)
out = "build/01_gaussians_from_scratch"  # below the repository, wherever this runs from

# %%
# %config InlineBackend.figure_formats = ["jpeg"]
plt.rcParams.update({"font.size": 8, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False})
sizes, out = profile_of(profile), output_folder(out)
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(seed)


def paint(axis, image, title="", **options):
    """A picture [H, W] or [H, W, 3] in pixel coordinates: the first pixel's centre is at (0.5, 0.5)."""
    image = np.asarray(image)
    height, width = image.shape[:2]
    options = {"extent": (0, width, height, 0), "interpolation": "nearest", "cmap": "magma", **options}
    axis.imshow(image.clip(0, 1) if image.dtype.kind == "f" and image.ndim == 3 else image, **options)
    axis.set_title(title)
    axis.set_axis_off()


# %% [markdown]
# ## 1. One Gaussian on a grid of pixels
#
# A Gaussian in the plane is a mean (where), a covariance (how wide, in which direction) and an opacity (how much light
# it stops in its middle). At a pixel whose centre lies d away from the mean, its strength is exp(-sigma), with
#
# $$\sigma = \tfrac12\, d^\top \Sigma^{-1} d = \tfrac12\,(a\,d_x^2 + c\,d_y^2) + b\,d_x d_y .$$
#
# The three numbers a, b, c of the inverse covariance are called the **conic**, because curves of equal sigma are
# ellipses. That is all there is to one dot.


# %%
def grid(width, height):
    """Pixel centres [H, W, 2]: x to the right, y down."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y], -1)


def falloff(points, means, covariances):
    """exp(-sigma) at points [..., 2] of Gaussians with means [..., 2] and covariances [..., 2, 2]."""
    xx, xy, yy = covariances[..., 0, 0], covariances[..., 0, 1], covariances[..., 1, 1]
    a, b, c = torch.stack([yy, -xy, xx]) / (xx * yy - xy * xy)  # the inverse of a symmetric 2 x 2 matrix
    dx, dy = (points - means).unbind(-1)
    return torch.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)


def ellipse(mean, covariance, k=1.0):
    """Points [2, 100] on the curve k standard deviations from the mean."""
    turn = torch.linspace(0, 2 * torch.pi, 100).to(mean)
    circle = torch.stack([turn.cos(), turn.sin()])
    return mean[:, None] + k * torch.linalg.cholesky(covariance) @ circle


# %% [markdown]
# The strength, times the opacity, is **alpha**: the share of the light from behind that is replaced by the dot's
# colour. A Gaussian never quite ends, but a screen has 256 levels: where alpha is below 1/255 nobody would see it, and
# it counts as nothing. So each dot has a last ellipse, and round it a box of pixels outside of which it need not be
# looked at. That box is what makes splatting quick (section 6).

# %%
mean, covariance, opacity = torch.tensor([13.0, 9.0]), torch.tensor([[14.0, 6.0], [6.0, 5.0]]), 0.8
strength = falloff(grid(28, 18), mean, covariance)
alpha = opacity * strength
reach = float(np.sqrt(2 * np.log(255 * opacity)))  # standard deviations at which alpha has fallen to 1/255
half = reach * covariance.diagonal().sqrt()  # half the sides of the box round that ellipse
seen = alpha >= 1 / 255
print(f"alpha reaches 1/255 at {reach:.2f} standard deviations: a box of {2 * half[0]:.1f} x {2 * half[1]:.1f} px")
print(f"{int(seen.sum())} of {seen.numel()} pixels are drawn")

figure, axes = plt.subplots(1, 3, figsize=(11, 2.7), layout="tight")
paint(axes[0], strength, "exp(-sigma), and 1, 2, 3 standard deviations")
for k in (1, 2, 3):
    axes[0].plot(*ellipse(mean, covariance, k), "w", lw=0.8)
paint(axes[1], alpha.where(seen, torch.nan), "alpha where it is drawn (log colours), and the box", norm="log")
axes[1].plot(*ellipse(mean, covariance, reach), "k", lw=0.8)
axes[1].add_patch(plt.Rectangle(mean - half, *(2 * half), fill=False, edgecolor="tab:green", lw=1.5))
axes[2].bar(grid(28, 18)[9, :, 0], alpha[9], width=0.9, color=np.where(seen[9], "tab:purple", "lightgray"))
axes[2].axhline(1 / 255, color="tab:green", lw=1)
axes[2].set(yscale="log", ylim=(1e-5, 1), xlabel="x, pixels", title="alpha along one row; the line is 1/255")
plt.show()

# %% [markdown]
# The covariance is symmetric, so it has two perpendicular axes (its eigenvectors) and a width along each (the square
# roots of its eigenvalues). The numbers on the diagonal are widths squared along x and y; the one beside it tilts.

# %%
shapes = {"round": (30, 0, 30), "wide": (80, 0, 8), "tilted": (50, 30, 40), "thin, tilted back": (40, -37, 40)}
figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="tight")
for axis, (name, (xx, xy, yy)) in zip(axes, shapes.items()):
    spread, middle = torch.tensor([[xx, xy], [xy, yy]], dtype=torch.float32), torch.tensor([24.0, 24.0])
    widths = torch.linalg.eigvalsh(spread).sqrt()
    paint(axis, falloff(grid(48, 48), middle, spread))
    axis.plot(*ellipse(middle, spread, 2), "w", lw=0.8)
    axis.set_title(f"{name}\n[[{xx}, {xy}], [{xy}, {yy}]]\nwidths {widths[1]:.1f} and {widths[0]:.1f} px")
plt.show()

# %% [markdown]
# ## 2. A Gaussian in space
#
# In space the covariance is 3 x 3. An optimiser must not be let loose on its six numbers: most sets of six are no
# covariance (a width squared would be negative). So it is built from parts that cannot go wrong: three **scales**, the
# standard deviations along the dot's own axes, and a **quaternion**, which turns those axes:
#
# $$\Sigma = R\,S\,S^\top R^\top, \qquad S = \mathrm{diag}(s_1, s_2, s_3).$$
#
# A quaternion (w, x, y, z) is a rotation as four numbers: w is the cosine of half the angle, (x, y, z) the axis times
# the sine of half the angle. Only its direction counts, so an optimiser may make it any length.


# %%
def rotation(quats):
    """Rotation matrices [..., 3, 3] of quaternions [..., 4], w first, of any length."""
    w, x, y, z = (quats / quats.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def axes_of(quats, scales):
    """R S [..., 3, 3]: the columns are the Gaussian's own axes, each as long as its standard deviation."""
    return rotation(quats) * scales[..., None, :]


def about(axis, degrees):
    """The quaternion [4] of a turn about an axis."""
    half_angle = torch.deg2rad(torch.tensor(degrees / 2))
    axis = torch.tensor(axis)
    return torch.cat([half_angle.cos()[None], half_angle.sin() * axis / axis.norm()])


# %% [markdown]
# Four of them as the surface one standard deviation from the mean, with their own three axes in red, green and blue.
# The disc, wide in two directions and thin in the third, is the shape that covers a person's skin in section 7.

# %%
straight, tilted = about([1.0, 0.0, 0.0], 0.0), about([1.0, 1.0, 0.0], 70.0)
chosen = {
    "all three scales alike: a ball": (straight, [0.5, 0.5, 0.5]),
    "first scale large: a needle": (straight, [0.85, 0.18, 0.18]),
    "third scale small: a disc": (straight, [0.8, 0.8, 0.1]),
    "the same disc, turned by a quaternion": (tilted, [0.8, 0.8, 0.1]),
}
longitude, latitude = np.mgrid[0 : 2 * np.pi : 40j, 0 : np.pi : 20j]
ball = np.stack([np.cos(longitude) * np.sin(latitude), np.sin(longitude) * np.sin(latitude), np.cos(latitude)])
figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="tight", subplot_kw={"projection": "3d"})
for axis, (name, (quat, scales)) in zip(axes, chosen.items()):
    own = axes_of(quat, torch.tensor(scales)).numpy()
    axis.plot_surface(*np.einsum("ij,juv->iuv", own, ball), color="lightsteelblue", alpha=0.5, linewidth=0)
    for column, color in zip(own.T, ("tab:red", "tab:green", "tab:blue")):
        axis.plot(*np.stack([-1.25 * column, 1.25 * column], 1), color=color, lw=2)
    axis.set(xlim=(-0.7, 0.7), ylim=(-0.7, 0.7), zlim=(-0.7, 0.7))
    axis.set_box_aspect((1, 1, 1), zoom=1.15)
    axis.set_axis_off()
    axis.set_title(name)
plt.show()

# %%
own = axes_of(tilted, torch.tensor([0.8, 0.8, 0.1]))
spread = own @ own.T
print(f"Sigma of the turned disc:\n{spread.numpy().round(3)}")
print("square roots of its eigenvalues:", torch.linalg.eigvalsh(spread).sqrt().numpy().round(3), "which are its scales")
for name, same in (("3 q", 3 * tilted), ("-q", -tilted)):
    print(f"rotation of {name} minus rotation of q: {(rotation(same) - rotation(tilted)).abs().max():.1e}")

# %% [markdown]
# ## 3. Its shadow on a camera
#
# A camera is two matrices. `viewmat` takes a point of the world into the camera's axes, which are OpenCV's: x to the
# right, y **down**, z forward. `K` holds the focal length f and the middle of the picture, both in pixels. Then
# u = f x / z + c: what is twice as far away is half as large.
#
# Means are easy. The trouble is the shape: dividing by z bends straight things, and a bent Gaussian is no Gaussian. The
# way out (Zwicker and others, *EWA splatting*, 2001) is to pretend that the division is linear close to the mean. Its
# derivative there is the Jacobian J, two rows and three columns, and a linear map of a Gaussian is a Gaussian again:
#
# $$\Sigma' = J\,W\,\Sigma\,W^\top J^\top + 0.3\,I, \qquad
# J = \begin{pmatrix} f/z & 0 & -f x/z^2 \\ 0 & f/z & -f y/z^2 \end{pmatrix},$$
#
# W being the rotation in `viewmat`. In torch:


# %%
def to_pixels(points, viewmat, K):
    """Points [N, 3] in the camera's axes, and their pixels [N, 2]."""
    inside = points @ viewmat[:3, :3].T + viewmat[:3, 3]
    return inside, (inside @ K.T)[:, :2] / inside[:, 2:]


def project(means, quats, scales, viewmat, K):
    """Pixel means [N, 2], covariances [N, 2, 2] in px^2 and depths [N] of Gaussians seen by one camera."""
    inside, means2d = to_pixels(means, viewmat, K)
    x, y, z = inside.unbind(-1)
    fx, fy, zero = K[0, 0], K[1, 1], torch.zeros_like(z)
    jacobian = torch.stack([fx / z, zero, -fx * x / z**2, zero, fy / z, -fy * y / z**2], -1).unflatten(-1, (2, 3))
    flat = jacobian @ viewmat[:3, :3] @ axes_of(quats, scales)  # [N, 2, 3]: the three axes, laid onto the picture
    return means2d, flat @ flat.transpose(-1, -2) + 0.3 * torch.eye(2).to(means), z


# %% [markdown]
# Is it right? Ask chance: draw many points from the Gaussian, project each one exactly, and lay the ellipse over the
# cloud. The same Gaussian twice, far and near, its long axis leaning towards the camera. Far away the ellipse fits.
# Near by it does not: what leans towards us grows faster than what leans away shrinks, so the true cloud has a long
# tail on one side. The curve says how bad it gets as the Gaussian grows in comparison with its distance.

# %%
view, K = torch.eye(4), torch.tensor([[70.0, 0, 32], [0, 70, 32], [0, 0, 1]])
quat, scales = about([0.0, 1.0, 0.0], -60.0), torch.tensor([0.25, 0.06, 0.06])
depth_sd = axes_of(quat, scales)[2].norm()  # standard deviation along the line of sight


def cloud_and_splat(distance, count):
    """(pixels of points drawn from the Gaussian, mean and covariance of its splat) at a distance in metres."""
    centre = distance * torch.tensor([0.2, -0.15, 1.0])
    points = centre + torch.randn(count, 3) @ axes_of(quat, scales).T
    means2d, spread, _ = project(centre[None], quat[None], scales[None], view, K)
    return to_pixels(points, view, K)[1], means2d[0], spread[0] - 0.3 * torch.eye(2)  # the 0.3: next cell


figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), layout="tight")
for axis, (name, distance) in zip(axes, (("far", 4.0), ("near", 0.8))):
    points, mean, spread = cloud_and_splat(distance, 3000)
    axis.plot(*points.T, ".", ms=1.5, color="tab:gray", alpha=0.5)
    for k in (1, 2, 3):
        axis.plot(*ellipse(mean, spread, k), color="tab:red", lw=1.2)
    side, (x, y) = 6 * float(spread.diagonal().max().sqrt()), mean.tolist()
    axis.set(xlim=(x - side, x + side), ylim=(y + 0.75 * side, y - 0.75 * side), aspect="equal", xlabel="pixels")
    axis.set_title(f"{name}, {distance} m: points, and the splat at 1, 2, 3 sd")
ratios, areas = [], []
for distance in np.geomspace(8, 1.2, 12):
    points, _, spread = cloud_and_splat(float(distance), 20_000)
    ratios.append(float(depth_sd / distance))
    areas.append(float((torch.cov(points.T).det() / spread.det()).sqrt()))
axes[2].plot(ratios, areas, "o-", color="tab:red", ms=4)
axes[2].axhline(1, color="gray", lw=0.8)
axes[2].set(xlabel="depth of the Gaussian / its distance", title="area of the true cloud / area of the splat")
plt.show()
print(f"farthest: {areas[0]:.3f} times the splat's area, nearest: {areas[-1]:.2f} times")

# %% [markdown]
# An avatar's Gaussians are a centimetre or two wide and metres away, at the harmless left end. But keep it in mind when
# somebody flies a camera through a scene of large Gaussians.
#
# **And the 0.3?** A dot much smaller than a pixel can slip between pixel centres and vanish. Every splat is therefore
# blurred a little before it is drawn. Move a tiny dot along two pixels, and watch the brightest pixel:

# %%
shifts = torch.linspace(0, 2, 101)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.3), layout="tight", width_ratios=(2, 1, 1))
for extra, name in ((0.0, "as it is"), (0.3, "with 0.3 px²")):
    tiny = (0.04 + extra) * torch.eye(2)
    brightest = [float(falloff(grid(9, 9), torch.tensor([4.5 + shift, 4.5]), tiny).max()) for shift in shifts]
    axes[0].plot(shifts, brightest, label=name)
    area = 2 * np.pi * tiny[0, 0]  # what one gets by adding up the strength everywhere
    print(f"{name:15} brightest pixel {min(brightest):.2f} to {max(brightest):.2f}, strength in all {area:.2f} px")
axes[0].set(xlabel="shift, pixels", title="brightest pixel of a moving tiny dot", ylim=(0, 1.05))
axes[0].legend(frameon=False)
for axis, extra, name in zip(axes[1:], (0.0, 0.3), ("as it is", "with 0.3 px²")):
    between = falloff(grid(9, 9), torch.tensor([5.0, 4.5]), (0.04 + extra) * torch.eye(2))
    paint(axis, between, f"between two pixels, {name}", vmin=0, vmax=1)
plt.show()

# %% [markdown]
# The blur has a price: small dots become fatter, and stop more light than they should. That is why Gaussians fitted at
# one distance look a little swollen from farther away, and a little thin from nearer.

# %% [markdown]
# ## 4. Many Gaussians: front to back
#
# Dots lie over each other like coloured glass. Walk through them from the nearest to the farthest, and keep one number
# for each pixel: how much light is **left** (the field says *transmittance*). It begins at one. Each dot adds its
# colour times alpha times what is left, and leaves (1 - alpha) of it to those behind. One pixel, by hand:

# %%
names = ("red", "yellow", "blue")
colors = torch.tensor([[0.85, 0.2, 0.2], [0.95, 0.75, 0.15], [0.2, 0.4, 0.85]])
centres = torch.tensor([[13.0, 13.0], [21.0, 14.0], [16.5, 21.0]])
strengths = 0.9 * falloff(grid(34, 34)[:, :, None], centres, 22 * torch.eye(2))  # [H, W, 3 dots]
left = 1.0
for name, alpha in zip(names, strengths[15, 16].tolist()):
    print(f"{name:7} alpha {alpha:.2f}, weight {left * alpha:.2f}, light left {left * (1 - alpha):.2f}")
    left *= 1 - alpha

# %% [markdown]
# For all pixels at once, the light left behind each dot is a running product. Two small rules make it the library's
# arithmetic: alpha is never more than 0.999 (no dot is quite opaque, so gradients never die behind one), and when the
# next dot would leave no more than 1/10,000 of the light, the pixel is finished and closed.


# %%
def composite(alphas, colors, background):
    """alphas [..., N], colors [N, 3], nearest first -> colours [..., 3], and the light left behind each [..., N]."""
    still_open = torch.cumprod(1 - alphas, -1) > 1e-4
    alphas = alphas * still_open
    behind = torch.cumprod(1 - alphas, -1)
    before = torch.cat([torch.ones_like(behind[..., :1]), behind[..., :-1]], -1)
    return (alphas * before) @ colors + behind[..., -1:] * background, behind


figure, axes = plt.subplots(1, 3, figsize=(10, 2.9), layout="tight", width_ratios=(1, 1, 1.4))
for axis, order in zip(axes, ([0, 1, 2], [2, 1, 0])):
    image, behind = composite(strengths[..., order], colors[order], torch.ones(3))
    paint(axis, image, "front to back: " + ", ".join(names[i] for i in order))
    axis.axhline(15.5, color="k", lw=0.8, ls=":")
_, behind = composite(strengths, colors, torch.ones(3))
row = behind[15].numpy()  # along the dotted line: the light left behind each of the three
edges = [np.ones(34), *row.T, np.zeros(34)]
for upper, lower, color in zip(edges, edges[1:], [*colors.tolist(), "whitesmoke"]):
    axes[2].fill_between(np.arange(34) + 0.5, lower, upper, color=color, linewidth=0)
axes[2].plot(np.arange(34) + 0.5, row, "k", lw=0.8)
axes[2].set(xlabel="x, pixels", xlim=(0.5, 33.5), ylim=(0, 1), title="who takes the light in the dotted row, red first")
plt.show()

# %% [markdown]
# The same dots, the same alphas, two pictures: **order matters**. That is why Gaussians are sorted by depth before they
# are drawn, and why a dot that moves through another one makes a picture jump. (Sorted by the depth of their means:
# two long dots that cross are drawn as if they did not.)
#
# Projection and compositing together are a whole renderer. `Gaussians` is the library's box of five tensors: means,
# quats, scales, opacities, colors.


# %%
def render(g, viewmat, K, width, height, background):
    """Colours [H, W, 3] of Gaussians in front of one camera. Every pixel asks every Gaussian."""
    means2d, covariances, depths = project(g.means, g.quats, g.scales, viewmat, K)
    order = depths.argsort(stable=True)
    points = grid(width, height).to(means2d)[:, :, None]  # [H, W, 1, 2]
    alphas = g.opacities[order] * falloff(points, means2d[order], covariances[order])  # [H, W, N]
    alphas = alphas.clamp(max=0.999) * (alphas >= 1 / 255)
    return composite(alphas, g.colors[order], background)[0]


def random_scene(count, px):
    """`count` random Gaussians before a camera at the origin, and the K of a picture of px x px pixels."""
    torch.manual_seed(seed)
    K = torch.tensor([[1.2 * px, 0, px / 2], [0, 1.2 * px, px / 2], [0, 0, 1]])
    where = torch.cat([px * (1.2 * torch.rand(count, 2) - 0.1), torch.ones(count, 1)], 1)  # some beyond the edge
    means = (2 + 2 * torch.rand(count, 1)) * (where @ torch.linalg.inv(K).T)
    scales = 0.02 * 7 ** torch.rand(count, 3)
    return Gaussians(means, torch.randn(count, 4), scales, 0.1 + 0.9 * torch.rand(count), torch.rand(count, 3)), K


# %% [markdown]
# Now the test that counts: two hundred random Gaussians, our few lines in double precision against
# `lca_core.splats.rasterize`, the compiled kernels in single precision that draw every avatar.

# %%
scene, K = random_scene(200, 64)
view, black = torch.eye(4), torch.zeros(3)
ours = render(scene.map(torch.Tensor.double), view.double(), K.double(), 64, 64, black.double())
theirs = rasterize(**vars(scene), viewmats=view[None], Ks=K[None], width=64, height=64, background=black)[0][0]
difference = (ours - theirs).abs().amax(-1)
print(f"largest difference: {difference.max():.1e}, where 1/255 is {1 / 255:.1e}")
assert difference.max() < 1e-4

figure, axes = plt.subplots(1, 3, figsize=(10, 3.1), layout="tight")
paint(axes[0], ours, "ours: a few dozen lines")
paint(axes[1], theirs, "the library's kernels")
paint(axes[2], difference, f"the difference, from 0 (black) to {difference.max():.1e} (white)")
plt.show()

# %% [markdown]
# (The library does one thing that ours leaves out: far outside the picture it stops J from tilting further, since there
# the linear pretence goes wild. None of these Gaussians is that far out.)
#
# ## 5. Gradients
#
# A picture is now a smooth function of every number in it (but for the small jumps of the cut at 1/255), so PyTorch can
# tell how a loss would change if a number did: its gradient. Take the simplest scene: one dot on a wide strip, seen by
# a tele lens. A picture of the dot in the middle is the target, the loss is the mean squared difference, and the one
# number is x: how far right of the middle the dot really stands.


# %%
def strip(x, scale=0.25):
    """A picture of 96 x 32 pixels: one white dot, x metres right of the middle (16 pixels a metre)."""
    number = torch.float64
    dot = Gaussians(
        torch.stack([x, 0 * x, 0 * x + 30])[None], torch.tensor([[1, 0, 0, 0]], dtype=number),
        torch.full((1, 3), scale, dtype=number), torch.full((1,), 0.9, dtype=number), torch.ones(1, 3, dtype=number),
    )  # fmt: skip
    lens = torch.tensor([[480, 0, 48], [0, 480, 16], [0, 0, 1]], dtype=number)
    return render(dot, torch.eye(4, dtype=number), lens, 96, 32, torch.zeros(3, dtype=number))


target = strip(torch.tensor(0.0, dtype=torch.float64))


def loss_and_slope(x, scale=0.25):
    """The loss with the dot at x, and its derivative by autograd."""
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    loss = (strip(x, scale) - target).square().mean()
    loss.backward()
    return loss.item(), x.grad.item()


# %% [markdown]
# The oldest check there is: move the number a little to both sides, and divide.

# %%
step = 1e-4
for x in (0.5, 1.0):
    finite = (loss_and_slope(x + step)[0] - loss_and_slope(x - step)[0]) / (2 * step)
    print(f"x = {x} m: autograd {loss_and_slope(x)[1]:.6f}, finite difference {finite:.6f}")

# %% [markdown]
# Then the whole landscape: four starts marked in the strip, and below them the loss with its tangents.

# %%
places = {0.7: "tab:green", 1.9: "tab:orange", 3.0: "tab:red", 4.3: "tab:gray"}
xs = np.linspace(-2.9, 4.6, 151)
curve = np.array([loss_and_slope(float(x)) for x in xs])
last = float(np.sqrt(2 * np.log(255 * 0.9))) * 0.25  # metres from the middle to where alpha is 1/255
figure, axes = plt.subplots(2, 1, figsize=(8, 4.6), layout="tight", height_ratios=(1, 1.1), sharex=True)
paint(axes[0], target, "the target, and four places the dot may start from", extent=(-3, 3, 1, -1), aspect="auto")
axes[1].plot(xs, curve[:, 0], "k", lw=1.2)
for x, color in places.items():
    value, slope = loss_and_slope(x)
    axes[0].plot(*ellipse(torch.tensor([x, 0.0]), last**2 * torch.eye(2)), color=color, lw=2)
    near = np.array([x - 0.4, x + 0.4])
    axes[1].plot(near, value + slope * (near - x), color=color, lw=2)
    axes[1].plot(x, value, "o", color=color)
    print(f"x = {x} m: loss {value:.5f}, slope {slope:+.1e}")
axes[1].set(xlabel="x, metres", xlim=(-3, 5.2), ylim=(-0.001, 0.033), title="loss, and its tangents")
plt.show()

# %% [markdown]
# Four starts, four fates:
#
# - **Green** overlaps the target. The slope points home.
# - **Orange** is in the picture but does not touch the target. Wherever it stands, it covers as many wrong pixels. So
#   the landscape is nearly flat: it hardly feels where home is.
# - **Red** sits on the edge. The slope is steep and points the **wrong way**: the quickest way to spoil fewer pixels is
#   to leave the picture.
# - **Gray** touches no pixel. Its gradient is zero, exactly, and no number of steps will bring it back.
#
# A Gaussian learns only from the pixels it touches. So a fit needs a good start, or many dots, or large ones (call
# `loss_and_slope` with a larger `scale`: the valley widens, and its floor rises). For a person the good start is a
# body, and a model that has seen many people gives a better one still.
#
# The library does not use autograd: its gradients are written out by hand and compiled. For the random scene above, and
# a loss that weighs every pixel at random, do they agree with what autograd finds through our own lines?

# %%
weighing = torch.rand(64, 64, 3)


def gradients(drawing, number):
    """Gradients of the weighed picture by all five tensors of the scene."""
    leaves = scene.map(lambda t: t.to(number, copy=True).requires_grad_())
    (drawing(leaves) * weighing).sum().backward()
    return {name: tensor.grad for name, tensor in vars(leaves).items()}


by_us = gradients(lambda g: render(g, view.double(), K.double(), 64, 64, black.double()), torch.float64)
by_them = gradients(
    lambda g: rasterize(**vars(g), viewmats=view[None], Ks=K[None], width=64, height=64)[0][0], torch.float32
)
worst = {name: float((by_us[name] - by_them[name]).abs().max() / by_us[name].abs().max()) for name in by_us}
print("largest difference, as a share of the largest gradient:")
print({name: f"{value:.0e}" for name, value in worst.items()})

# %% [markdown]
# ### Let them move
#
# Now let an optimiser follow the slopes. It may make any number out of any number, but a scale must stay positive and
# an opacity between 0 and 1. The usual cure: let it move the logarithm of the scale and the logit of the opacity.


# %%
def unbounded(g):
    """The tensors an optimiser may change freely: logarithms of scales, logits of opacities and colours."""
    free = {"means": g.means, "quats": g.quats, "scales": g.scales.log(),
            "opacities": g.opacities.logit(), "colors": g.colors.logit()}  # fmt: skip
    return {name: tensor.clone().requires_grad_() for name, tensor in free.items()}


def bounded(free):
    """The Gaussians of such tensors."""
    return Gaussians(free["means"], free["quats"], free["scales"].exp(),
                     free["opacities"].sigmoid(), free["colors"].sigmoid())  # fmt: skip


def smiley(px):
    """A small picture [px, px, 3] to aim at."""
    x, y = (2 * grid(px, px) / px - 1).unbind(-1)
    mouth = torch.maximum((torch.hypot(x, y - 0.05) - 0.45).abs() - 0.07, 0.2 - y)  # the lower part of a ring
    eyes = torch.minimum(torch.hypot(x - 0.28, y + 0.22), torch.hypot(x + 0.28, y + 0.22)) - 0.13
    layers = [(torch.hypot(x, y) - 0.82, (1.0, 0.8, 0.2)), (torch.minimum(eyes, mouth), (0.25, 0.12, 0.1))]
    image = torch.tensor((0.6, 0.8, 0.95)).expand(px, px, 3)
    for distance, color in layers:
        inside = (0.5 - distance * px / 2).clamp(0, 1)[..., None]  # the edge is a pixel wide
        image = image + inside * (torch.tensor(color) - image)
    return image


# %% [markdown]
# Forty dots of random colours, scattered over the sky, are asked to become a face. Nothing tells a dot what it should
# be: each only follows its own slope.

# %%
torch.manual_seed(seed)
px, count, steps = 40, 40, 240
goal, sky = smiley(px), smiley(px)[0, 0]
lens = torch.tensor([[float(px), 0, px / 2], [0, px, px / 2], [0, 0, 1]])
start = Gaussians(
    torch.cat([2.4 * torch.rand(count, 2) - 1.2, 3 + 0.2 * torch.rand(count, 1)], 1), torch.randn(count, 4),
    torch.full((count, 3), 0.2), torch.full((count,), 0.5), torch.rand(count, 3) * 0.8 + 0.1,
)  # fmt: skip
free = unbounded(start)
adam = torch.optim.Adam(free.values(), lr=0.04)
states, losses = {}, []
for step in range(steps + 1):
    now = bounded(free)
    drawn = render(now, view, lens, px, px, sky)
    if step in (0, 5, 15, 40, 100, steps):
        states[step] = now.map(lambda t: t.detach().clone()), drawn.detach()
    loss = (drawn - goal).square().mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
    losses.append(loss.item())
print(f"loss {losses[0]:.4f} at the start, {losses[-1]:.5f} after {steps} steps")

# %%
figure, axes = plt.subplots(2, 7, figsize=(12, 3.7), layout="tight")
for (top, bottom), (step, (g, drawn)) in zip(axes.T, states.items()):
    paint(top, drawn, f"step {step}")
    paint(bottom, torch.ones(px, px, 3))
    means2d, covariances, depths = project(g.means, g.quats, g.scales, view, lens)
    for i in depths.argsort(descending=True):
        color = (*g.colors[i].tolist(), 0.25 + 0.75 * float(g.opacities[i]))
        bottom.plot(*ellipse(means2d[i], covariances[i]), color=color, lw=1.2)
    bottom.set(xlim=(0, px), ylim=(px, 0))
paint(axes[0, 6], goal, "target")
axes[1, 6].plot(losses, "k", lw=1)
axes[1, 6].set(yscale="log", xticks=[0, steps], title="loss")
plt.show()

# %% [markdown]
# Below each picture stand the dots that make it, as ellipses at one standard deviation. Some fade, some stretch into a
# mouth, a few gather for the eyes. Which one does what is chance; that some do is not.
#
# ## 6. Speed, honestly
#
# Our renderer lets every pixel ask every Gaussian. How many of those questions matter? Almost none. The library
# ([project.py](../lca_core/splats/project.py), [binning.py](../lca_core/splats/binning.py),
# [composite.py](../lca_core/splats/composite.py)) asks fewer:
#
# - **Boxes.** Each splat gets the box of section 1, and one that lies outside the picture is dropped at once.
# - **Sort once.** Visible splats are sorted by depth for the whole picture, not for each pixel.
# - **Tiles.** The picture is cut into tiles of 16 x 16 pixels. Each tile keeps the list of splats whose boxes touch it,
#   in drawing order, and is the work of one thread: nothing is shared, so no thread waits for another.
# - **Clipping.** In a tile a splat is drawn over the rows of its box only, in strips of 8 columns, which a processor
#   handles as one vector.
# - **Stopping.** Now and then a tile looks whether all its pixels are closed, and if so skips what is behind.
# - **Backwards without a memory.** For gradients it draws the tile a second time, front to back, and finds what lies
#   behind a splat by subtraction. Autograd instead keeps every number of every pair until it is asked.

# %%
means2d, covariances, depths = project(scene.means, scene.quats, scene.scales, view, K)
half = (2 * torch.log(255 * scene.opacities)).sqrt()[:, None] * covariances.diagonal(dim1=-2, dim2=-1).sqrt()
low, high = means2d - half, means2d + half
corners = (16 * grid(4, 4) - 8)[:, :, None]  # left and top edge of each of the 4 x 4 tiles
touching = ((low < corners + 16) & (high > corners)).all(-1)  # [4, 4, N]
boxes = (high.clamp(0, 64) - low.clamp(0, 64)).prod(-1).sum() / (64 * 64 * len(scene))
alphas = scene.opacities * falloff(grid(64, 64)[:, :, None], means2d, covariances)
print("questions asked, as a share of pixels x Gaussians:")
print(f"ours 100 %, by tiles {100 * touching.float().mean():.0f} %, by boxes {100 * boxes:.1f} %; "
      f"seen in the end {100 * (alphas >= 1 / 255).float().mean():.1f} %")  # fmt: skip

figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), layout="tight")
paint(axes[0], theirs, "boxes of thirty splats, and the tiles")
for corner, size in zip(low[:30], 2 * half[:30]):
    axes[0].add_patch(plt.Rectangle(corner, *size, fill=False, edgecolor="w", lw=0.7))
for edge in (16, 32, 48):
    axes[0].axhline(edge, color="tab:green", lw=1)
    axes[0].axvline(edge, color="tab:green", lw=1)
axes[0].set(xlim=(0, 64), ylim=(64, 0))
paint(axes[1], touching.sum(-1), f"splats a tile has to look at, of {len(scene)}", vmin=0, vmax=60)
for (row, column), number in np.ndenumerate(touching.sum(-1).numpy()):
    axes[1].text(column + 0.5, row + 0.5, number, ha="center", va="center", color="w", fontsize=10)
layers = (alphas >= 1 / 255).sum(-1)
paint(axes[2], layers, f"splats a pixel really sees: {layers.min()} (black) to {layers.max()} (white)")
plt.show()

# %% [markdown]
# Both renderers on this machine, picture and gradients, in milliseconds of one core, the best of a few runs. It is no
# fair race: ours was written to be read, and could be made quicker without leaving torch.


# %%
def milliseconds(drawing, g, repeats=3):
    """Time of one core to draw a picture and obtain all its gradients."""
    best = np.inf
    for _ in range(repeats):
        leaves = g.map(lambda t: t.clone().requires_grad_())
        started = time.process_time()
        drawing(leaves).sum().backward()
        best = min(best, time.process_time() - started)
    return 1000 * best


ratios = {}
for px, count in ((32, 50), (64, 200), (64, 800), (96, 800)):
    g, lens = random_scene(count, px)
    size = {"width": px, "height": px}
    dense = milliseconds(lambda g, lens=lens, size=size: render(g, view, lens, **size, background=black), g)
    tiled = milliseconds(lambda g, lens=lens, size=size: rasterize(**vars(g), viewmats=view[None], Ks=lens[None],
                                                                   **size)[0], g, repeats=30)  # fmt: skip
    ratios[f"{count} at {px} px"] = dense / tiled
    print(f"{count:4} Gaussians, {px} px: ours {dense:7.1f} ms, library {tiled:5.2f} ms, "
          f"the library is {dense / tiled:.0f} times quicker")  # fmt: skip

# %% [markdown]
# ## 7. A body
#
# A person is not forty dots on a sky. They have a body, and the body says where dots should start and how they should
# move. `BodyModel` is a mesh with 55 joints; `sample_anchors` spreads points over its skin, finer on head and hands.
# Each point brings its normal (the direction out of the skin), its distance to its neighbours, and its **skinning
# weights**: how much each joint takes it along.
#
# Each point gets a disc. Its thin axis, the third, is turned to the normal, by the quaternion of the shortest way from
# z to n: (1 + n_z, -n_y, n_x, 0), of any length. That fails where n is exactly -z, but a Gaussian looks the same from
# both sides, so we may flip every normal that points back.


# %%
def facing(normals):
    """Quaternions [N, 4] that turn the third axis to the normals [N, 3], or to their opposites."""
    x, y, z = (normals * torch.where(normals[:, 2:] < 0, -1.0, 1.0)).unbind(-1)
    return torch.stack([1 + z, -y, x, torch.zeros_like(z)], -1)


body = BodyModel.load()
anchors = sample_anchors(body, max(1024, sizes.anchors), max(4, sizes.gaussians_per_anchor))
fields = (anchors.points, anchors.normals, anchors.spacing, anchors.weights)
points, normals, spacing, weights = (field.flatten(0, 1) for field in fields)
rest = Gaussians(
    points, facing(normals), spacing[:, None] * torch.tensor([0.6, 0.6, 0.06]), torch.full_like(spacing, 0.9),
    0.5 + 0.5 * normals,  # for now a point's colour is its normal, so that shape can be seen
)  # fmt: skip
thin = rotation(rest.quats)[:, :, 2]
print(f"{len(rest)} discs, spacing {100 * spacing.min():.1f} to {100 * spacing.max():.1f} cm")
print(f"thin axis against normal: {((thin * normals).sum(-1).abs() - 1).abs().max():.0e} from parallel")

# %%
camera = around(points.numpy(), 0.3, 0.1, 3.2, 300)
above = around(points.numpy(), 0.0, 1.3, 3.2, 300)
close = face_crop(above, body.J_template[body.joint_index["left_middle1"]].numpy(), 300, side=0.3)
small = replace(rest, scales=0.3 * rest.scales)
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="tight")
paint(axes[0], picture(small, camera), "discs, drawn small")
paint(axes[1], picture(rest, camera), "the same discs, wide enough to close the skin")
half_size = replace(rest, scales=0.5 * rest.scales)
paint(axes[2], picture(half_size, close), "a hand from above, discs half as wide: each lies in the skin")
plt.show()

# %% [markdown]
# ### Taking the dots along
#
# A pose turns the joints. Each joint j then has a rigid motion T_j, from where things were at rest to where they are
# now. **Linear blend skinning** moves a point by the weighted mean of these 4 x 4 matrices: two lines. A bent arm:

# %%
bent = theta_from(arm("left", -0.3, elbow=1.3, twist=1.5), arm("right", 0.9, elbow=0.9))
pose = full_pose(torch.from_numpy(bent), torch.zeros(6), torch.zeros(4))[None]
moved_body = body(torch.zeros(1, 10), None, pose)
transforms = moved_body.transforms[0]  # [55, 4, 4], rest to posed

blended = torch.einsum("nj,jab->nab", weights, transforms)
means = (blended[:, :3, :3] @ points[:, :, None])[:, :, 0] + blended[:, :3, 3]

posed = skin(rest, weights, transforms)  # the library's
print(f"means, ours against the library's: {(means - posed.means).abs().max():.1e} m")

# %% [markdown]
# The disc has to turn as well. The blended 3 x 3 matrix says how, but a mean of two rotations is no rotation: it
# shrinks. So we take the rotation nearest to it (from its singular values); the library takes the mean of the joints'
# quaternions, made unit length again, because its gradients are finite everywhere. Near a joint they differ a little:

# %%
u, stretch, vh = torch.linalg.svd(blended[:, :3, :3])
ours_thin, theirs_thin = ((u @ vh) @ rotation(rest.quats))[:, :, 2], rotation(posed.quats)[:, :, 2]
angle = torch.rad2deg((ours_thin * theirs_thin).sum(-1).abs().clamp(max=1).acos())
print(f"smallest singular value of a blended matrix: {stretch.min():.2f} (1 would be a rotation)")
print(f"thin axes, ours against the library's: median {angle.median():.2f}, largest {angle.max():.1f} degrees")

# %% [markdown]
# And if we forget to turn them? Then the means are all in the right place and the discs still face where they faced at
# rest. On the raised forearm they stand on edge, like the slats of a blind, and one looks through.

# %%
only_means = replace(posed, quats=rest.quats)
elbow, wrist = (moved_body.joints[0, body.joint_index[f"left_{joint}"]].numpy() for joint in ("elbow", "wrist"))
camera = around(posed.means.numpy(), 0.1, 0.05, 3.2, 300)
close = face_crop(camera, (elbow + wrist) / 2, 300, side=0.55)
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="tight")
paint(axes[0], picture(posed, camera), "posed: means and rotations")
paint(axes[1], picture(only_means, close), "the forearm, means only")
paint(axes[2], picture(posed, close), "the forearm, means and rotations")
plt.show()

# %% [markdown]
# ## 8. One person
#
# Now everything together. A digital human stands in the studio: a few cameras, each picture with its matte (what
# belongs to the person), its camera and the pose. Three pictures of the first pose are for fitting. Another camera is
# held out, and so is another pose.

# %%
# the people of 06_posttraining, so that one cache serves both
shards = cached_people(range(seed, seed + sizes.studio_people), "studio", profile)
person = next(iter(read_people(shards)))
shown, targets = split_frames(person, 3)
held_out = next(target.frame for target in targets if target.pose == "seen")
new_pose = next(target.frame for target in targets if target.pose == "unseen")
judged = {"fitted": shown[0], "held-out view": held_out, "new pose": new_pose}
truth = {name: over_white(*pixels(frame.body)).numpy() for name, frame in judged.items()}
images, mattes = (torch.stack(kind) for kind in zip(*(pixels(frame.body) for frame in shown)))
viewmats = torch.stack([torch.from_numpy(frame.body.camera.viewmat) for frame in shown])
Ks = torch.stack([torch.from_numpy(frame.body.camera.K) for frame in shown])
height, width = mattes.shape[1:]
print(f"{person.id}: {len(shown)} pictures of {width} x {height} px to fit, {len(targets)} others")
sheet([("", [*over_white(images, mattes).numpy(), truth["held-out view"], truth["new pose"]])], 200,
      captions=[[*["fitted"] * len(shown), "held-out view", "new pose"]])  # fmt: skip
plt.show()

# %% [markdown]
# The start is a grey body in the person's shape. The Gaussians live on the body **at rest**; for each picture they are
# skinned into its pose and drawn. So what the optimiser changes belongs to the person, not to one instant.

# %%
betas = torch.from_numpy(person.betas)[None]
start = Gaussians(
    anchors.shaped(betas)[0].flatten(0, 1), facing(normals), spacing[:, None] * torch.tensor([0.6, 0.6, 0.15]),
    torch.full_like(spacing, 0.7), torch.full_like(points, 0.5),
)  # fmt: skip


def transforms_of(frame):
    """[55, 4, 4] from rest to this person's pose in a recorded frame."""
    pose = full_pose(*(torch.from_numpy(x) for x in (frame.theta, frame.root, frame.gaze)))[None]
    return body(betas, None, pose, torch.from_numpy(frame.root[3:])[None]).transforms[0]


def judge(g, frame):
    """(picture, PSNR in dB) of the person in a recorded frame; PSNR grows as the mean squared error falls."""
    drawn, _ = draw_like(skin(g, weights, transforms_of(frame)), frame.body)
    return drawn.numpy(), float(psnr(drawn, *pixels(frame.body)))


# %% [markdown]
# And the loop: pose, draw, compare, follow the slope. Adam moves each number by about its rate at each step, so the
# rates say how far a dot may travel: a millimetre a step for its place, much more for its colour.
#
# One trick: person and Gaussians are put over a new random colour at each step. If it were always white, a dot that
# sticks out over the outline could simply be painted white. It would look right here, and show before anything else.

# %%
torch.manual_seed(seed)
steps = 60 if profile == "smoke" else 400
free = unbounded(start)
rates = {"means": 1e-3, "quats": 0.03, "scales": 0.03, "opacities": 0.1, "colors": 0.15}
adam = torch.optim.Adam([{"params": [free[name]], "lr": rate} for name, rate in rates.items()])
posing = transforms_of(shown[0])  # one instant: one pose for all three pictures
kept, losses = {}, []
started = time.process_time()
for step in range(steps + 1):
    now = bounded(free)
    if step in (0, 2, 5, 12, 30, steps // 2, steps):
        kept[step] = now.map(lambda t: t.detach().clone())
    posed, behind = skin(now, weights, posing), torch.rand(3)
    drawn, _ = rasterize(**vars(posed), viewmats=viewmats, Ks=Ks, width=width, height=height, background=behind)
    loss = (drawn - torch.lerp(behind, images, mattes[..., None])).abs().mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
    losses.append(loss.item())
print(f"{steps} steps of {len(start)} Gaussians and {len(shown)} pictures: {time.process_time() - started:.1f} s "
      f"of one core; loss {losses[0]:.4f} to {losses[-1]:.4f}")  # fmt: skip

# %%
strips = {name: [judge(g, frame) for g in kept.values()] for name, frame in judged.items()}
sheet([(name, [*(image for image, _ in strip), truth[name]]) for name, strip in strips.items()], 170,
      captions=[[], [], [*(f"step {step}" for step in kept), "truth"]])  # fmt: skip
plt.show()

# %% [markdown]
# Colours arrive first, then the edges of clothes. The first row is what the optimiser saw; the other two it never did.
# In numbers:

# %%
decibels = {name: [value for _, value in strip] for name, strip in strips.items()}
figure, axes = plt.subplots(1, 2, figsize=(9, 2.9), layout="tight")
axes[0].plot(losses, "k", lw=1)
axes[0].set(xlabel="step", title="mean absolute difference, fitted pictures", ylim=(0, None))
for (name, values), color in zip(decibels.items(), ("tab:green", "tab:red", "tab:orange")):
    axes[1].plot(list(kept), values, "o-", ms=3, color=color, label=name)
    print(f"{name:14} {values[0]:.1f} dB at the start, {values[-1]:.1f} dB at the end, best {max(values):.1f} dB")
axes[1].set(xlabel="step", title="PSNR, dB: more is better")
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The curves part. A picture that was fitted goes on improving long after those that were not have had what they will
# get: the optimiser paints each dot so that *these* cameras are content, and nobody tells it what the others would see.
# Large, beside the truth, and then all round:

# %%
person_now = kept[steps]
results = {name: judge(person_now, frame) for name, frame in judged.items()}
sheet([("truth", list(truth.values())), ("Gaussians", [image for image, _ in results.values()])], 260,
      captions=[[], [f"{name}: {value:.1f} dB" for name, (_, value) in results.items()]])  # fmt: skip
plt.show()

# %%
standing = skin(person_now, weights, posing)
turning = [picture(standing, around(standing.means.numpy(), a, 0.1, 3.2, 200)) for a in np.arange(6) * np.pi / 3]
raised = []
for lift in np.linspace(1.1, -0.5, 6).tolist():
    theta = theta_from(arm("left", lift, elbow=1.1 - 0.5 * lift, twist=0.9 - 0.6 * lift), arm("right", 1.1))
    pose = full_pose(torch.from_numpy(theta), torch.zeros(6), torch.zeros(4))[None]
    raised.append(skin(person_now, weights, body(betas, None, pose).transforms[0]))
camera = around(torch.cat([g.means for g in raised]).numpy(), 0.15, 0.05, 3.2, 200)
sheet([("all round", turning), ("driven", [picture(g, camera) for g in raised])], 200,
      captions=[[f"{60 * i} degrees" for i in range(6)]])  # fmt: skip
plt.show()

# %% [markdown]
# It turns and it waves: a person of soft dots, made by code you have read from the first line. And it shows what is
# missing. From where no camera stood we see dots that no camera saw: grey as they began, half transparent, or pushed
# about by what happened beside them. More steps do not help, because the pictures do not say.
#
# Only knowledge of **other people** can fill that in: that a shirt that is blue in front is blue at the side, that a
# head has a back. This is what the rest of the library is for. It replaces this optimisation by a network that has seen
# many people, and that writes all five tensors at once ([05_pretraining](05_pretraining.ipynb)); the fit above, started
# from a mean person, is the baseline it has to beat ([07_evaluation](07_evaluation.ipynb), `per_person`).
#
# ## What we saw

# %%
summary = {
    "renderer_difference": float(difference.max()),
    "gradient_difference": {name: float(f"{value:.1e}") for name, value in worst.items()},
    "library_times_quicker": {name: round(value) for name, value in ratios.items()},
    "gaussians": len(start),
    "steps": steps,
    "psnr": {name: round(value, 2) for name, (_, value) in results.items()},
}
(out / "01_gaussians_from_scratch.json").write_text(json.dumps(summary, indent=1))
summary

# %% [markdown]
# - A Gaussian is a place, three widths, a turn, an opacity and a colour. Its shadow on a camera is nearly a Gaussian
#   again, as long as it is small beside its distance.
# - Compositing is a running product from front to back, and order matters. A few dozen lines are a complete,
#   differentiable renderer, and agree with the compiled one up to rounding.
# - A dot learns only from pixels it touches. A good start is half of the work, and a body gives one.
# - Skinning moves means and must turn discs. What is fitted at rest can then be driven.
# - A fit reproduces what it was shown better than what it was not. The difference is the room for a prior.

# %% [markdown]
# ## Exercises
#
# Each asks for one function. Run the cell below it and it says whether the function is right; what it should give
# stands in the check. The solution is folded.

# %% tags=["exercise"]
import torch

from lca_core.viewer.exercises import attempt

# %% [markdown] tags=["exercise"]
# ### 1 · From the back to the front (5 minutes)
#
# `composite` walks from the nearest dot to the farthest and has to remember how much light is left. A painter who
# starts with the background needs no such number: each dot is laid over what is already there. Write that for one
# pixel. Expected: the same colours as front to back, so half of red over half of blue over white is (0.75, 0.25, 0.5).


# %% tags=["exercise"]
def paint_from_behind(alphas, colors, background):
    """The colour [3] of a pixel behind dots of alphas [N] and colors [N, 3], nearest first, over a background [3]."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_paint_from_behind(paint_from_behind):
    red, blue, white = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [1, 1, 1]])
    half = torch.tensor([0.5, 0.5])
    painted = paint_from_behind(half, torch.stack([red, blue]), white)
    assert torch.allclose(painted, torch.tensor([0.75, 0.25, 0.5])), f"red before blue over white is {painted}"
    assert torch.equal(paint_from_behind(half[:0], red[None][:0], white), white), "no dot leaves the background"
    generator = torch.Generator().manual_seed(0)
    alphas, colors = torch.rand(20, generator=generator), torch.rand(20, 3, generator=generator)
    left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
    front_to_back = (left[:-1] * alphas) @ colors + left[-1] * white
    assert torch.allclose(paint_from_behind(alphas, colors, white), front_to_back), "front to back gives another colour"


attempt(check_paint_from_behind, paint_from_behind)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def paint_from_behind(alphas, colors, background):
#     """The colour [3] of a pixel behind dots of alphas [N] and colors [N, 3], nearest first, over a background [3]."""
#     painted = background
#     for alpha, color in zip(alphas.flip(0), colors.flip(0)):
#         painted = alpha * color + (1 - alpha) * painted
#     return painted
# ```
#
# It is shorter, and no renderer does it: front to back one may stop as soon as no light is left, and what is hidden is
# never looked at.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 2 · One gradient by hand (15 minutes)
#
# The library's gradients are written out, not found by autograd. Do it for the alphas of one pixel. If dot i becomes a
# little less transparent, the pixel gets more of its colour and less of all that lies behind it:
#
# $$\frac{\partial C}{\partial \alpha_i} = T_i\,\Big(c_i - \frac{B_i}{1 - \alpha_i}\Big),$$
#
# $T_i$ being the light left in front of dot i, and $B_i$ what the dots behind it (and the background) add to the pixel,
# divided by $T_i$. Expected: what autograd says, to 1e-5.


# %% tags=["exercise"]
def slopes(alphas, colors, background):
    """Derivatives [N, 3] of a pixel's colour by the alphas [N] of its dots, nearest first."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_slopes(slopes):
    generator = torch.Generator().manual_seed(0)
    alphas, colors = 0.9 * torch.rand(6, generator=generator), torch.rand(6, 3, generator=generator)
    background = torch.tensor([0.9, 0.8, 0.1])

    def pixel(alphas):
        left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
        return (left[:-1] * alphas) @ colors + left[-1] * background

    by_autograd = torch.autograd.functional.jacobian(pixel, alphas).T
    found = slopes(alphas, colors, background)
    assert found.shape == (6, 3), f"one slope for each dot and colour, not {[*found.shape]}"
    worst = (found - by_autograd).abs().max()
    assert worst < 1e-5, f"autograd says something else: {worst:.1e} apart"


attempt(check_slopes, slopes)


# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def slopes(alphas, colors, background):
#     """Derivatives [N, 3] of a pixel's colour by the alphas [N] of its dots, nearest first."""
#     left = torch.cat([torch.ones(1), torch.cumprod(1 - alphas, 0)])
#     added = left[:-1, None] * alphas[:, None] * colors  # what each dot adds
#     everything = added.sum(0) + left[-1] * background
#     behind = everything - torch.cumsum(added, 0)
#     return left[:-1, None] * colors - behind / (1 - alphas[:, None])
# ```
#
# What lies behind a dot is the whole pixel less what has been added so far: one subtraction, nothing stored. That is
# the kernels' trick (section 6), and also the reason why alpha stops at 0.999: here it is divided by 1 - alpha.
#
# </details>

# %% [markdown] tags=["exercise"]
# ### 3 · A bone and a half (10 minutes)
#
# Skin one point by hand. An arm lies along x: the shoulder in the origin, the elbow at (1, 0). The elbow turns by an
# angle (anticlockwise, in the plane); the upper arm stays. A point follows the forearm with a `weight`, the upper arm
# with the rest: the weighted mean of where both would take it. Expected: with weight 1 the point (2, 0) goes to (1, 1)
# at 90 degrees. And the point (1.2, 0.1) with weight 0.5, at 180 degrees?


# %% tags=["exercise"]
def bend(point, weight, angle):
    """Where linear blend skinning takes a point [2] that follows the forearm with `weight`; angle in radians."""
    raise NotImplementedError("yours to write")


# %% tags=["exercise"]
def check_bend(bend):
    hand, skin = torch.tensor([2.0, 0.0]), torch.tensor([1.2, 0.1])
    right_angle, half_turn = torch.pi / 2, torch.pi
    assert torch.allclose(bend(hand, 0.0, right_angle), hand), "what follows the upper arm alone does not move"
    assert torch.allclose(bend(hand, 1.0, right_angle), torch.tensor([1.0, 1.0]), atol=1e-6), "the hand goes to (1, 1)"
    folded = bend(skin, 0.5, half_turn)
    assert torch.allclose(folded, torch.tensor([1.0, 0.0]), atol=1e-6), f"half and half ends in the elbow, not {folded}"


attempt(check_bend, bend)

# %% [markdown] tags=["exercise"]
# <details><summary>Solution</summary>
#
# ```python
# def bend(point, weight, angle):
#     """Where linear blend skinning takes a point [2] that follows the forearm with `weight`; angle in radians."""
#     elbow = torch.tensor([1.0, 0.0])
#     c, s = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
#     turned = torch.stack([torch.stack([c, -s]), torch.stack([s, c])]) @ (point - elbow) + elbow
#     return weight * turned + (1 - weight) * point
# ```
#
# It ends in the elbow itself: the mean of a point and its opposite. All skin that belongs to both bones alike would
# meet there, the well-known collapse of linear blend skinning. No elbow bends by 180 degrees; but forearms twist nearly
# that far, and then wrists look like sweet wrappers.
#
# </details>

# %% [markdown]
# **Next:** [02_digital_humans](02_digital_humans.ipynb): many people to learn from. If you would rather see first how a
# network writes these tensors from photographs, go to [04_model_from_scratch](04_model_from_scratch.ipynb).
