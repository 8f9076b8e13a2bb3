"""How fast and how exact `lca_core.splats` is: against tiled PyTorch and plain C++, and gsplat where there is CUDA.

The scene is avatar-like: Gaussians on the surface of a body made of capsules (trunk, head, arms, legs; 1.75 m, A-pose,
about 1.95 m filling the square picture), uniform over its area, half of them hidden behind the other half; each is a
disc along the surface, 4 to 10 px wide where its alpha is at least 1/255 (less where it is seen from the side); what
is measured of that is printed. Opacities 0.5 to 0.99, three colours, seeded. A step is a picture and the gradients of
means, quats, scales, opacities and colours of a fixed random linear form of it.
"""

import ctypes
import gc
import json as json_format
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Literal

import numba
import numpy as np
import torch
from jaxtyping import Float, Int
from reporting import begin, columns, end, run, tell, yardstick
from torch import Tensor

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY
from lca_core.splats import Gaussians, rasterize, skin
from lca_core.splats.project import project_forward
from lca_core.splats.reference import ALPHA_MAX, ALPHA_MIN, EPS2D, TRANSMITTANCE_MIN
from lca_core.splats.skinning import multiply_quats

SEED = 0
PARAMETERS = ("means", "quats", "scales", "opacities", "colors")
RECORDED = ("5k_128", "20k_256")
TILE = 16
NEAR, FAR = 0.01, 1e10
DISTANCE, SHOWN = 3.0, 1.95  # metres: camera to body, and side of the square seen there
PAIRS_AT_ONCE = 1 << 18  # pixel-splat pairs that PyTorch composites together
Step = Callable[[], tuple[Tensor, dict[str, Tensor]]]  # draws and differentiates: image, gradients by name

# --- The scene -------------------------------------------------------------------------------------------------

# Both ends and the radius of each capsule, metres; Y up, facing +Z.
CAPSULES = (
    (0.0, 1.00, 0.0, 0.0, 1.38, 0.0, 0.150),  # trunk
    (0.0, 1.60, 0.0, 0.0, 1.66, 0.0, 0.095),  # head
    (0.20, 1.40, 0.0, 0.58, 0.92, 0.0, 0.045),  # arms
    (-0.20, 1.40, 0.0, -0.58, 0.92, 0.0, 0.045),
    (0.09, 0.90, 0.0, 0.13, 0.07, 0.0, 0.070),  # legs
    (-0.09, 0.90, 0.0, -0.13, 0.07, 0.0, 0.070),
)


@dataclass(frozen=True)
class Scene:
    """Gaussians [N], one camera (viewmats [1, 4, 4], Ks [1, 3, 3]), background [3] and dL/dimage [1, px, px, 3]."""

    gaussians: Gaussians
    viewmats: Float[Tensor, "1 4 4"]
    Ks: Float[Tensor, "1 3 3"]
    background: Float[Tensor, " 3"]
    upstream: Float[Tensor, "1 px px 3"]

    @property
    def px(self) -> int:
        """Side of the picture."""
        return self.upstream.shape[1]


def body_surface(count: int, generator: torch.Generator) -> tuple[Float[Tensor, "N 3"], Float[Tensor, "N 3"]]:
    """Points uniform over the capsules' area, metres, and their outward normals."""
    capsules = torch.tensor(CAPSULES)
    starts, ends, radii = capsules[:, :3], capsules[:, 3:6], capsules[:, 6]
    lengths = (ends - starts).norm(dim=-1)
    part = torch.multinomial(radii * (lengths + 2 * radii), count, replacement=True, generator=generator)
    length, radius = lengths[part], radii[part]
    axis = (ends - starts)[part] / length[:, None]
    # Archimedes: on a sphere too, equal steps along the axis hold equal areas.
    along = torch.rand(count, generator=generator) * (length + 2 * radius) - radius
    on_axis = torch.minimum(along.clamp(min=0), length)
    beyond = along - on_axis
    across = (radius**2 - beyond**2).clamp(min=0).sqrt()
    aside = torch.randn(count, 3, generator=generator)
    aside = torch.nn.functional.normalize(aside - (aside * axis).sum(-1, keepdim=True) * axis, dim=-1)
    normals = (aside * across[:, None] + axis * beyond[:, None]) / radius[:, None]
    return starts[part] + axis * on_axis[:, None] + normals * radius[:, None], normals


def facing(normals: Float[Tensor, "N 3"], turns: Float[Tensor, " N"]) -> Float[Tensor, "N 4"]:
    """Quaternions wxyz whose z axis is the normal, turned about it (radians)."""
    x, y, z = normals.unbind(-1)
    nothing = torch.zeros_like(x)
    lean = torch.nn.functional.normalize(torch.stack([1 + z + 1e-6, -y, x, nothing], dim=-1), dim=-1)
    spin = torch.stack([(turns / 2).cos(), nothing, nothing, (turns / 2).sin()], dim=-1)
    return multiply_quats(lean, spin)


def avatar_scene(count: int, px: int, seed: int = SEED, made_for: int | None = None) -> Scene:
    """`count` Gaussians on the body, seen at px x px; they are 4-10 px wide at `made_for` (default: at px)."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand(*shape, generator=generator)

    means, normals = body_surface(count, generator)
    opacities = uniform(0.5, 0.99, count)
    reach = (2 * (opacities / ALPHA_MIN).log()).sqrt()  # standard deviations from the centre to alpha = 1/255
    variance = (uniform(4, 10, count, 2) / 2 / reach[:, None]) ** 2 - EPS2D  # px^2
    along = variance.clamp(min=0.01).sqrt() * SHOWN / (made_for or px)
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))  # from +Z, upright
    viewmat[:3, 3] = torch.tensor([0.0, 0.875, DISTANCE])
    focal = px * DISTANCE / SHOWN
    gaussians = Gaussians(
        means=means,
        quats=facing(normals, uniform(0, 2 * math.pi, count)),
        scales=torch.cat([along, 0.3 * along.amin(dim=1, keepdim=True)], dim=1),
        opacities=opacities,
        colors=uniform(0.1, 0.9, count, 3),
    )
    K = torch.tensor([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]])
    upstream = torch.randn(1, px, px, 3, generator=generator)
    return Scene(gaussians, viewmat[None], K[None], torch.ones(3), upstream)


def splat_widths(scene: Scene) -> list[float]:
    """5th, 50th and 95th percentile of the width of the visible splats' boxes (alpha >= 1/255), px."""
    g, px = scene.gaussians, scene.px
    arrays = [t[None].numpy() for t in (g.means, g.quats, g.scales, g.opacities, scene.viewmats, scene.Ks)]
    boxes = project_forward(*arrays, px, px, NEAR, FAR, EPS2D)[3]
    widths = (boxes[:, 1] - boxes[:, 0] + 1)[boxes[:, 1] >= boxes[:, 0]]
    return [float(width) for width in np.percentile(widths, [5, 50, 95])]


# --- The backends ----------------------------------------------------------------------------------------------


def leaves(scene: Scene, device: str = "cpu") -> dict[str, Tensor]:
    """The Gaussians' tensors by name, asking for gradients."""
    return {name: getattr(scene.gaussians, name).to(device).clone().requires_grad_() for name in PARAMETERS}


def rasterize_step(scene: Scene, backend: str = "numba") -> Step:
    """`lca_core.splats.rasterize`: numba on the CPU or gsplat on CUDA."""
    device = "cuda" if backend == "gsplat" else "cpu"
    tensors, px, upstream = leaves(scene, device), scene.px, scene.upstream.to(device)
    camera = dict(viewmats=scene.viewmats.to(device), Ks=scene.Ks.to(device), background=scene.background.to(device))

    def step():
        image, _ = rasterize(**tensors, **camera, width=px, height=px, backend=backend)
        gradients = torch.autograd.grad(image, list(tensors.values()), upstream)
        if device == "cuda":
            torch.cuda.synchronize()
        return image.detach()[0], dict(zip(tensors, gradients))

    return step


def picture_step(scene: Scene) -> Callable[[], Tensor]:
    """The picture alone, by numba."""
    g, px = scene.gaussians, scene.px

    def step():
        with torch.no_grad():
            return rasterize(
                *(g.means, g.quats, g.scales, g.opacities, g.colors, scene.viewmats, scene.Ks),
                width=px, height=px, background=scene.background,
            )[0]  # fmt: skip

    return step


@torch.no_grad()
def tile_lists(
    means2d: Float[Tensor, "N 2"], radii: Int[Tensor, "N 2"], depths: Float[Tensor, " N"], px: int
) -> tuple[Int[Tensor, "tiles K"], Int[Tensor, " tiles"]]:
    """The splats of each tile front to back, N where a list has ended, and the lists' lengths."""
    side, device = -(-px // TILE), means2d.device
    low = ((means2d - radii) / TILE).floor().clamp(0, side).long()
    high = ((means2d + radii) / TILE).ceil().clamp(0, side).long()
    spans = (high - low) * (radii > 0).all(dim=-1, keepdim=True)
    order = depths.argsort(stable=True)
    counts = spans.prod(dim=-1)[order]
    splat = order.repeat_interleave(counts)
    number = torch.arange(len(splat), device=device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    columns = spans[splat, 0]
    tile = (low[splat, 1] + number // columns) * side + low[splat, 0] + number % columns
    tile, by_tile = tile.sort(stable=True)
    lengths = tile.bincount(minlength=side * side)
    lists = torch.full((side * side, int(lengths.max())), len(means2d), device=device)
    lists[tile, torch.arange(len(tile), device=device) - (lengths.cumsum(0) - lengths)[tile]] = splat[by_tile]
    return lists, lengths


def composite_group(
    splats: Float[Tensor, "tiles K row"], corners: Float[Tensor, "tiles 2"], background: Float[Tensor, " D"]
) -> Float[Tensor, "tiles 256 D"]:
    """Tiles with lists of K splats (mean, conic, opacity, colour), composited together."""
    mx, my, a, b, c, opacity = splats[..., :6].unbind(-1)
    offsets = torch.arange(TILE).to(splats) + 0.5
    dx = corners[:, 0, None, None] + offsets[:, None] - mx[:, None]  # [tiles, 16, K]: of a column
    dy = corners[:, 1, None, None] + offsets[:, None] - my[:, None]  # of a row
    # log(opacity) - sigma, cut off where alpha < 1/255; opacity 0 pads the lists.
    of_column, mixed = -0.5 * a[:, None] * dx * dx, -b[:, None] * dx
    of_row = opacity.clamp(min=1e-30).log()[:, None] - 0.5 * c[:, None] * dy * dy
    exponent = of_column[:, None] + of_row[:, :, None] + mixed[:, None] * dy[:, :, None]  # [tiles, 16, 16, K]
    alpha = exponent.flatten(1, 2).clamp(min=-6.0).exp().clamp(max=ALPHA_MAX)  # [tiles, 256, K]
    alpha = alpha * (alpha >= ALPHA_MIN)
    after = torch.cumprod(1 - alpha, dim=-1)
    before = torch.nn.functional.pad(after[..., :-1], (1, 0), value=1.0)
    weights = alpha * before * (after > TRANSMITTANCE_MIN)
    return weights @ splats[..., 6:] + (1 - weights.sum(dim=-1, keepdim=True)) * background


def composite_torch(means2d, conics, opacities, colors, background, lists, lengths, px, pairs=PAIRS_AT_ONCE):
    """A picture [px, px, D] of splats [N, .], in groups of tiles with lists of like length, padded to the longest.

    A group holds about `pairs` pixel-splat pairs, so that what is computed stays in the processor's cache.
    """
    side, channels = -(-px // TILE), colors.shape[-1]
    splats = torch.cat([means2d, conics, opacities[:, None], colors], dim=1)
    splats = torch.nn.functional.pad(splats, (0, 0, 0, 1))  # row N, opacity 0: where a list has ended
    lengths, tiles = lengths.sort(descending=True)
    pictures, start = [], 0
    while start < len(tiles):
        longest = int(lengths[start])
        if longest == 0:
            pictures.append(background.expand(len(tiles) - start, TILE * TILE, channels))
            break
        group = tiles[start : start + max(1, pairs // (TILE * TILE * longest))]
        corners = TILE * torch.stack([group % side, group // side], dim=-1).to(splats)
        rows = torch.nn.functional.embedding(lists[group, :longest], splats)
        pictures.append(composite_group(rows, corners, background))
        start += len(group)
    picture = torch.cat(pictures)[tiles.argsort()].reshape(side, side, TILE, TILE, channels)
    return picture.transpose(1, 2).reshape(side * TILE, side * TILE, channels)[:px, :px]


def torch_step(scene: Scene) -> Step:
    """Plain PyTorch: gsplat's own torch projection and the compositing above, gradients by autograd."""
    from gsplat.cuda._torch_impl import _fully_fused_projection, _quat_scale_to_covar_preci

    tensors, px = leaves(scene), scene.px

    def step():
        covariances, _ = _quat_scale_to_covar_preci(tensors["quats"], tensors["scales"], compute_preci=False)
        radii, means2d, depths, conics, _ = _fully_fused_projection(
            tensors["means"], covariances, scene.viewmats, scene.Ks, px, px
        )
        lists = tile_lists(means2d[0], radii[0], depths[0], px)
        image = composite_torch(
            means2d[0], conics[0], tensors["opacities"], tensors["colors"], scene.background, *lists, px
        )
        gradients = torch.autograd.grad(image, list(tensors.values()), scene.upstream[0])
        return image.detach(), dict(zip(tensors, gradients))

    return step


def build_cpp() -> tuple[ctypes.CDLL | None, float, str]:
    """The C++ kernel compiled into a temporary folder: (library or None, seconds, what was done or why not)."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return None, 0.0, "C++: not run, no compiler found (c++ or g++)"
    # What numba's fastmath allows, without -ffast-math itself: linking with that would change how the whole process
    # rounds very small numbers.
    loose = "-fno-math-errno -ffinite-math-only -fno-signed-zeros -fno-trapping-math -fassociative-math"
    flags = f"-std=c++17 -O3 -march=native {loose} -freciprocal-math -fopenmp -shared -fPIC"
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "splats_kernel.so")
        source = Path(__file__).with_name("splats_kernel.cpp")
        start = time.perf_counter()
        command = [compiler, *flags.split(), str(source), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip() or "no message").splitlines()[0]
            return None, 0.0, f"C++: not run, {compiler} failed: {said}"
        seconds = time.perf_counter() - start
        return ctypes.CDLL(str(library)), seconds, f"C++: {Path(compiler).name} {flags}"


def cpp_step(scene: Scene, library: ctypes.CDLL, threads: int) -> Step:
    """The C++ kernel, called with numpy arrays."""
    inputs = [getattr(scene.gaussians, name).contiguous().numpy() for name in PARAMETERS]
    inputs += [t.contiguous().numpy() for t in (scene.viewmats, scene.Ks, scene.background, scene.upstream)]
    sizes = [ctypes.c_int(n) for n in (len(scene.gaussians), scene.px, scene.px, threads)]
    planes = [ctypes.c_double(NEAR), ctypes.c_double(FAR)]

    def step():
        outputs = [np.empty((scene.px, scene.px, 3), np.float32), *map(np.empty_like, inputs[: len(PARAMETERS)])]
        library.splats_step(*sizes, *planes, *(ctypes.c_void_p(a.ctypes.data) for a in inputs + outputs))
        image, *gradients = map(torch.from_numpy, outputs)
        return image, dict(zip(PARAMETERS, gradients))

    return step


# --- Measuring -------------------------------------------------------------------------------------------------


def interleave(steps: dict[str, Callable], rounds: int) -> dict[str, np.ndarray]:
    """Milliseconds [rounds] of each step, which take turns, so that whatever else goes on hits all alike.

    Each goes once unmeasured before it is measured, so that it finds its own data in the caches and its threads awake.
    """
    for step in steps.values():
        step()
    gc.collect()
    times = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step()
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: np.array(values) for name, values in times.items()}


def spread(values: np.ndarray) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {"median": float(middle), "q25": float(low), "q75": float(high)}


def relative_error(value: Tensor, truth: Tensor) -> float:
    """L2 norm of the difference over that of the truth."""
    truth = truth.double().cpu()
    return float((value.double().cpu() - truth).norm() / truth.norm().clamp(min=1e-30))


def difference(step: Step, base: Step) -> float:
    """The largest relative L2 difference, of image and gradients, between two backends."""
    (image, gradients), (true_image, truth) = step(), base()
    errors = [relative_error(gradients[name], truth[name]) for name in PARAMETERS]
    return max(relative_error(image, true_image), *errors)


def forward_backward(
    count: int, px: int, backends: tuple[str, ...], library: ctypes.CDLL | None, threads: int, rounds: int
) -> dict:
    """One size: milliseconds by backend, ratios to numba round by round, and how far the pictures differ."""
    scene = avatar_scene(count, px)
    steps = {"numba": rasterize_step(scene)}
    if "torch" in backends:
        steps["torch"] = torch_step(scene)
    if library is not None:
        steps["cpp"] = cpp_step(scene, library, threads)
    if "gsplat" in backends:
        steps["gsplat"] = rasterize_step(scene, "gsplat")
    times = interleave(steps, rounds)
    others = [name for name in steps if name != "numba"]
    result = {"gaussians": count, "px": px, "splat_px": splat_widths(scene)}
    result["ms"] = {name: spread(values) for name, values in times.items()}
    result["ratio_to_numba"] = {name: spread(times[name] / times["numba"]) for name in others}
    result["difference"] = {name: difference(steps[name], steps["numba"]) for name in others}
    return result


def growth(sizes: list[tuple[int, int]], made_for: int, per: str, rounds: int) -> dict:
    """Numba's time over sizes (Gaussians, px): per Gaussian or per pixel, and the exponent of its growth."""
    steps = {size: rasterize_step(avatar_scene(*size, made_for=made_for)) for size in sizes}
    ms = {size: spread(values) for size, values in interleave(steps, rounds).items()}
    amounts = [count if per == "gaussian" else px * px for count, px in sizes]
    medians = [ms[size]["median"] for size in sizes]
    rows = [
        {"gaussians": count, "px": px, "ms": ms[count, px], f"ns_per_{per}": 1e6 * median / amount}
        for (count, px), median, amount in zip(sizes, medians, amounts)
    ]
    return {"rows": rows, "exponent": float(np.polyfit(np.log(amounts), np.log(medians), 1)[0])}


def skin_and_draw(
    gaussians: Gaussians, weights: Float[Tensor, "N 55"], transforms: Float[Tensor, "55 4 4"], scene: Scene
) -> Float[Tensor, "px px 3"]:
    """One frame, as `Avatar.drive` poses Gaussians and a viewer draws them."""
    g = skin(gaussians, weights, transforms[None])
    image, _ = rasterize(
        *(g.means, g.quats, g.scales, g.opacities, g.colors, scene.viewmats[None], scene.Ks[None]),
        width=scene.px, height=scene.px, background=scene.background,
    )  # fmt: skip
    return image[0, 0]


@torch.no_grad()
def skin_rasterise(count: int, px: int, frames: int) -> dict:
    """Frames a second of skinning and drawing, without gradients; every frame has its own pose."""
    scene, generator, joints = avatar_scene(count, px), torch.Generator().manual_seed(SEED), 55
    four = torch.randint(joints, (count, 4), generator=generator)
    weights = torch.zeros(count, joints).scatter_add(1, four, torch.rand(count, 4, generator=generator) + 0.01)
    weights /= weights.sum(dim=1, keepdim=True)
    x, y, z = (0.1 * torch.randn(3, frames, joints, generator=generator)).unbind(0)  # axis-angle, radians
    nothing = torch.zeros_like(x)
    skew = torch.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing], dim=-1).unflatten(-1, (3, 3))
    transforms = torch.eye(4).repeat(frames, joints, 1, 1)
    transforms[..., :3, :3] = torch.linalg.matrix_exp(skew)
    transforms[..., :3, 3] = 0.02 * torch.randn(frames, joints, 3, generator=generator)
    poses = cycle(transforms)
    times = interleave({"frame": lambda: skin_and_draw(scene.gaussians, weights, next(poses), scene)}, frames)["frame"]
    return {"gaussians": count, "px": px, "ms": spread(times), "fps": 1e3 / float(np.median(times))}


@contextmanager
def neighbour() -> Iterator[None]:
    """Meanwhile another process keeps a core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.2)  # until it has started
        yield
    finally:
        process.kill()
        process.wait()


def busy(sizes: tuple[tuple[int, int], ...], rounds: int, calls: int = 8) -> dict:
    """Drawing beside a process that keeps one core busy, against drawing alone, taking turns: mean ms of some calls.

    The mean, not the median: what a busy machine does to drawing is that some pictures wait long.
    """
    steps = {}
    for count, px in sizes:
        scene = avatar_scene(count, px)
        steps[f"{count // 1000}k_{px} forward"] = picture_step(scene)
        steps[f"{count // 1000}k_{px} forward + backward"] = rasterize_step(scene)
    ms = {name: {"alone": [], "busy": []} for name in steps}
    for _ in range(rounds):
        for how, company in (("alone", nullcontext()), ("busy", neighbour())):
            with company:
                for name, step in steps.items():
                    step()
                    start = time.perf_counter()
                    for _ in range(calls):
                        step()
                    ms[name][how].append(1e3 * (time.perf_counter() - start) / calls)
    return {
        name: {how: spread(np.array(values)) for how, values in taken.items()}
        | {"ratio": spread(np.array(taken["busy"]) / np.array(taken["alone"]))}
        for name, taken in ms.items()
    }


def gradient_error(count: int, px: int, scenes: int) -> dict[str, float]:
    """Relative L2 error of each gradient to the float64 reference, the largest over scenes; "max" of them all.

    No pixel is left out, also not where rounding to float32 turns a yes-or-no decision (alpha >= 1/255).
    """
    worst: dict[str, float] = {}
    for seed in range(1, scenes + 1):
        scene = avatar_scene(count, px, seed)
        g, gradients = scene.gaussians, {}
        tensors = {name: getattr(g, name) for name in PARAMETERS}
        tensors |= {"viewmats": scene.viewmats, "background": scene.background}
        for backend, dtype in (("numba", torch.float32), ("reference", torch.float64)):
            inputs = {name: t.detach().to(dtype).requires_grad_() for name, t in tensors.items()}
            image, _ = rasterize(**inputs, Ks=scene.Ks.to(dtype), width=px, height=px, backend=backend)
            gradients[backend] = torch.autograd.grad(image, list(inputs.values()), scene.upstream.to(dtype))
        for name, value, truth in zip(tensors, gradients["numba"], gradients["reference"]):
            worst[name] = max(worst.get(name, 0.0), relative_error(value, truth))
    return {**worst, "max": max(worst.values())}


def gsplat_parity(scene: Scene) -> dict[str, float]:
    """gsplat's gradients in the picture plane against float64 torch, as shares of the tolerances of gsplat's tests.

    1 or less agrees: |difference| <= atol + rtol |truth|. Needs CUDA.
    """
    from gsplat import fully_fused_projection, isect_offset_encode, isect_tiles, rasterize_to_pixels

    g, px, side = scene.gaussians.map(lambda t: t.cuda()), scene.px, -(-scene.px // TILE)
    background, upstream = scene.background.cuda(), scene.upstream.cuda()
    radii, means2d, depths, conics, _ = fully_fused_projection(
        g.means, None, g.quats, g.scales, scene.viewmats.cuda(), scene.Ks.cuda(), px, px
    )
    inputs = {"means2d": means2d, "conics": conics, "colors": g.colors[None], "opacities": g.opacities[None]}
    inputs = {name: t.detach().clone().requires_grad_() for name, t in inputs.items()}
    _, ids, flat = isect_tiles(means2d, radii, depths, TILE, side, side)
    offsets = isect_offset_encode(ids, 1, side, side)
    image, _ = rasterize_to_pixels(*inputs.values(), px, px, TILE, offsets, flat, backgrounds=background[None])
    gradients = torch.autograd.grad(image, list(inputs.values()), upstream)

    exact = {name: t.detach()[0].double().requires_grad_() for name, t in inputs.items()}
    lists = tile_lists(means2d[0], radii[0], depths[0], px)
    true_image = composite_torch(**exact, background=background.double(), lists=lists[0], lengths=lists[1], px=px)
    truths = torch.autograd.grad(true_image, list(exact.values()), upstream[0].double())
    tolerances = {"means2d": (5e-3, 5e-3), "conics": (1e-3, 1e-3), "colors": (1e-3, 1e-3), "opacities": (8e-3, 6e-3)}
    return {
        name: float(((value[0] - truth).abs() / (atol + rtol * truth.abs())).max())
        for (name, (rtol, atol)), value, truth in zip(tolerances.items(), gradients, truths)
    }


def first_call() -> float:
    """Seconds to the first picture and its gradients in this process: compiling, or loading what was compiled."""
    step = rasterize_step(avatar_scene(200, 32))
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def compile_seconds() -> dict[str, float]:
    """`first_call` in fresh processes: with an empty cache of compiled kernels, and then with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"NUMBA_CACHE_DIR": folder, "PYTHONPATH": path}
        command = [sys.executable, "-c", "import splats; print(splats.first_call())"]
        place = Path(__file__).resolve().parent
        seconds = {}
        for name in ("from_nothing", "from_cache"):
            done = subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True)
            seconds[name] = float(done.stdout.split()[-1])
    return seconds


def machine(threads: int) -> dict:
    """What it was measured on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = re.findall(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": threads,
        "spins": os.environ.get("GOMP_SPINCOUNT"),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
    }


def others_seconds() -> float:
    """Processor seconds that everything but this process and its children has used so far; 0 where unknown."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system = map(int, stat.read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    per_gaussian: tuple[tuple[int, int], ...] = tuple((k * 1000, 256) for k in (5, 20, 50, 100, 200))
    per_pixel: tuple[tuple[int, int], ...] = tuple((20_000, px) for px in (128, 256, 512, 1024))
    made_for: int = 256  # px at which the splats of these two are 4-10 px wide
    skin: tuple[int, int, int] = (16_000, 256, 100)  # Gaussians, px, frames
    error: tuple[int, int, int] = (500, 64, 8)  # Gaussians, px, scenes
    busy: tuple[tuple[int, int], ...] = ((20_000, 256), (16_000, 168))  # Gaussians, px
    busy_rounds: int = 10
    compile: bool = True


QUICK = Plan(
    3, ((200, 48), (400, 48)), ((200, 32), (200, 64)), 48, (500, 48, 3), (60, 32, 2), ((1000, 48),), 2, compile=False
)


def measured(sizes: dict[str, tuple[int, int]], backends: tuple[str, ...], plan: Plan, threads: int) -> dict:
    """Everything, as one dictionary of plain numbers."""
    results: dict = {"machine": machine(threads), "rounds": plan.rounds, "notes": []}
    notes, start, others = results["notes"], time.perf_counter(), others_seconds()
    first = first_call()
    results["compile_s"] = {"first_call_here": first}
    if plan.compile:
        results["compile_s"] |= compile_seconds()
    library = None
    if "cpp" in backends:
        library, results["compile_s"]["cpp"], note = build_cpp()
        notes.append(note)
    if "gsplat" in backends and not torch.cuda.is_available():
        backends = tuple(name for name in backends if name != "gsplat")
        notes.append("gsplat: not run, there is no CUDA device here")
    results["forward_backward"] = {}
    for name, (count, px) in sizes.items():
        tell(f"forward and backward of {name}")
        results["forward_backward"][name] = forward_backward(count, px, backends, library, threads, plan.rounds)
    results["yardstick"] = yardstick()
    tell("growth")
    results["growth"] = {
        per: growth(list(chosen), plan.made_for, per, plan.rounds)
        for per, chosen in (("gaussian", plan.per_gaussian), ("pixel", plan.per_pixel))
    }
    tell("skinning and drawing; exactness")
    results["skin_rasterise"] = skin_rasterise(*plan.skin)
    results["gradient_error"] = gradient_error(*plan.error)
    if "gsplat" in backends:
        results["gsplat_parity"] = {name: gsplat_parity(avatar_scene(*size)) for name, size in sizes.items()}
    others = max(0.0, others_seconds() - others) / (time.perf_counter() - start)
    results["machine"]["cores_used_by_others"] = round(others, 3)
    if others > 0.1:
        notes.append(f"Other processes kept {others:.1f} cores busy meanwhile: do not trust the times, measure again")
    tell("drawing beside a process that keeps a core busy")
    results["busy"] = busy(plan.busy, plan.busy_rounds)
    return results


# --- Telling ---------------------------------------------------------------------------------------------------


def show_spread(values: dict[str, float], digits: int = 2) -> str:
    """Median and quartiles as text."""
    median, low, high = (f"{values[name]:.{digits}f}" for name in ("median", "q25", "q75"))
    return f"{median} ({low}-{high})"


def report(results: dict) -> str:
    """The measurements as text."""
    at, compiling = results["machine"], results["compile_s"]
    lines = [
        f"{at['cpu']}, {at['cores']} cores; CUDA: {at['cuda'] or 'none'}; other programs used "
        f"{at['cores_used_by_others']:.2f} cores meanwhile",
        f"threads: {at['threads']} each for numba, torch and C++",
        f"Python {at['python']}, torch {at['torch']}, numba {at['numba']}",
        "",
        f"Forward + backward, ms: median (quartiles) of {results['rounds']} rounds, backends taking turns",
    ]
    rows = []
    for size in results["forward_backward"].values():
        widths = "/".join(f"{width:.0f}" for width in size["splat_px"])
        for name, ms in size["ms"].items():
            faster = size["ratio_to_numba"].get(name)
            versus = "" if faster is None else show_spread(faster)
            apart = "" if faster is None else f"{size['difference'][name]:.1e}"
            rows.append((f"{size['gaussians']}", f"{size['px']}", widths, name, show_spread(ms), versus, apart))
    header = ("Gaussians", "px", "splat px 5/50/95%", "backend", "ms", "its time / numba's", "differs by")
    lines += columns(header, rows)
    lines.append(
        "differs by: relative L2, the worst of image and gradients; torch and gsplat sort by float32 depths, which"
    )
    lines.append("puts a few near-equal ones in another order")
    for size in results["forward_backward"].values():
        if "cpp" in size["ratio_to_numba"]:
            ratio = 1 / size["ratio_to_numba"]["cpp"]["median"]
            lines.append(f"numba / C++ at {size['gaussians']} Gaussians, {size['px']} px: {ratio:.2f}")
    lines += ["", "Compiling, s: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in compiling.items())]
    for per, grown in results["growth"].items():
        lines += ["", f"Growth of forward + backward, numba: time ~ {per}s ^ {grown['exponent']:.2f}"]
        unit = f"ns_per_{per}"
        rows = [(f"{r['gaussians']}", f"{r['px']}", show_spread(r["ms"]), f"{r[unit]:.0f}") for r in grown["rows"]]
        lines += columns(("Gaussians", "px", "ms", unit), rows)
    drawn = results["skin_rasterise"]
    lines += [
        "",
        f"Skin + rasterise, {drawn['gaussians']} Gaussians, {drawn['px']} px: {drawn['fps']:.1f} frames/s, "
        f"{show_spread(drawn['ms'])} ms a frame",
        "Relative L2 error of gradients to the float64 reference, largest over scenes: "
        + ", ".join(f"{name} {error:.1e}" for name, error in results["gradient_error"].items()),
    ]
    lines += [
        "",
        "Drawing while another process keeps one core busy, ms: mean of some calls, median (quartiles) of rounds",
    ]
    rows = [
        (name, show_spread(taken["alone"]), show_spread(taken["busy"]), show_spread(taken["ratio"]))
        for name, taken in results["busy"].items()
    ]
    lines += columns(("Gaussians_px", "alone", "busy", "busy / alone, round by round"), rows)
    for name, parity in results.get("gsplat_parity", {}).items():
        shares = ", ".join(f"{what} {share:.2g}" for what, share in parity.items())
        lines.append(f"gsplat at {name}, largest difference as a share of its tests' tolerance: {shares}")
    return "\n".join(lines + results["notes"])


def records_of(results: dict) -> list:
    """The result records of the two sizes, the frame rate and the gradient error."""
    from lca_core.evaluation.records import Record, provenance  # slow to import
    from lca_core.evaluation.tolerances import TIMING, Tolerance

    source = provenance("python benchmarks/splats.py --record", {"benchmark": __file__}, [SEED])
    device = {
        key: results["machine"][key] for key in ("cpu", "cores", "threads", "cores_used_by_others", "torch", "numba")
    }
    scene = "Gaussians on a body of capsules, 4-10 px wide, one camera (benchmarks/splats.py, avatar_scene)"
    common = {"device": device, "scene": scene, "left_out": "compiling; an unmeasured call before each measured one"}
    values = {}
    for name in RECORDED:
        size = results["forward_backward"][name]
        turns = {"rounds": results["rounds"], "aggregation": "median over rounds, backends taking turns"}
        more = {"gaussians": size["gaussians"], "px": size["px"], "splat_px_5_50_95": size["splat_px"], **turns}
        ms, ratio = size["ms"]["numba"], size["ratio_to_numba"]["torch"]
        beside = {"what": "tiled PyTorch, taking turns", "value": size["ms"]["torch"]["median"] / 1e3, "unit": "s"}
        values[f"splats/{name}/forward_backward_ms"] = (ms["median"], "ms", {**more, "spread": ms, "yardstick": beside})
        what = "time of tiled PyTorch (gsplat's torch projection) / time of numba, round by round"
        values[f"splats/{name}/ratio_to_torch"] = (ratio["median"], "x", {"what": what, **more, "spread": ratio})
    drawn = results["skin_rasterise"]
    what = "skinning, [N, 55] weights with 4 not zero, then drawing; no gradients, no networks; 1 / median time; the "
    "weights' zeros are left out once for all frames"
    values["splats/skin_rasterise_fps"] = (
        drawn["fps"], "frames/s", {"what": what, "gaussians": drawn["gaussians"], "px": drawn["px"], "ms": drawn["ms"],
                                    "yardstick": results["yardstick"]},
    )  # fmt: skip
    for name, taken in results["busy"].items():
        size, _, what = name.partition(" ")
        what = f"{what}: time while another process keeps a core busy / time alone, in turns, round by round"
        values[f"splats/{size}/busy_ratio{'' if 'backward' in name else '_forward'}"] = (
            taken["ratio"]["median"],
            "x",
            {"what": what, "spread": taken["ratio"], "alone_ms": taken["alone"], "busy_ms": taken["busy"]},
        )
    what = "largest relative L2 error of a gradient to the float64 reference over scenes"
    errors = results["gradient_error"]
    values["splats/gradient_error_max"] = (errors["max"], "", {"what": what, "by_input": errors})
    exact = Tolerance(errors["max"], "rounding may make gradients twice as inexact, or exact")
    return [
        Record(id, value, unit, None, 0, 0, "", kind="timing" if unit else "live", tolerance=TIMING if unit else exact,
               protocol={**common, **more}, provenance=source)
        for id, (value, unit, more) in values.items()
    ]  # fmt: skip


def read_size(name: str) -> tuple[int, int]:
    """(Gaussians, px) of a name like 5k_128 or 300_64."""
    parts = re.fullmatch(r"([1-9]\d*)(k?)_([1-9]\d*)", name)
    if not parts:
        raise InputError(f"{name!r} is no size; say Gaussians_pixels, for instance 20k_256")
    return int(parts[1]) * (1000 if parts[2] else 1), int(parts[3])


def main(
    sizes: tuple[str, ...] = RECORDED,
    backends: tuple[Literal["numba", "torch", "cpp", "gsplat"], ...] = ("numba", "torch", "cpp", "gsplat"),
    rounds: int = 30,
    threads: int = 0,
    quick: bool = False,
    json: bool = False,
    record: bool = False,
    measure: Path | None = None,
) -> None:
    """Measure the splatting: speed, growth, frame rate, exactness. About 1.5 minutes on 2 cores; run nothing else.

    Forward and backward of 5,000 Gaussians at 128 px and 20,000 at 256 px, by numba, tiled PyTorch, C++ (compiled
    here if there is a compiler) and gsplat (with CUDA); numba's growth from 5,000 to 200,000 Gaussians at 256 px and,
    with 20,000, from 128 to 1024 px; skinning and drawing 16,000 Gaussians at 256 px; gradients of 8 scenes against
    the float64 reference; drawing while another process keeps one core busy, against drawing alone.

    Args:
        sizes: Gaussians_pixels to compare the backends at.
        backends: What to compare; numba is always measured.
        rounds: Repetitions.
        threads: For numba, torch and C++ each (default: all cores).
        quick: Tiny sizes, 3 rounds: whether it works, not how fast it is (seconds).
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/splats/ and renew results/README.md.
        measure: Write today's records into this file, for `lca_core verify` to compare.
    """
    chosen = {name: read_size(name) for name in (("300_48",) if quick else sizes)}
    if (record or measure) and (quick or not set(RECORDED) <= set(chosen) or "torch" not in backends):
        raise InputError(f"--record and --measure need the sizes {' '.join(RECORDED)} and torch, and no --quick")
    if rounds < 1 or not 0 <= threads <= numba.config.NUMBA_NUM_THREADS:
        raise InputError(f"--rounds must be at least 1 and --threads 0 to {numba.config.NUMBA_NUM_THREADS}")
    begin(record)
    threads = threads or numba.config.NUMBA_NUM_THREADS
    torch.set_num_threads(threads)  # numba's kernels run on as many
    results = measured(chosen, backends, QUICK if quick else Plan(rounds), threads)
    print(json_format.dumps(results, indent=1) if json else report(results))
    if record or measure:
        end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
