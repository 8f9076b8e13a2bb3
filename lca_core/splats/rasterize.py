"""`rasterize`: one call that draws Gaussians, whatever the machine."""

import math
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.splats.arguments import check_shapes, check_values
from lca_core.splats.cpu import render_cpu
from lca_core.splats.reference import EPS2D, render_reference

BACKENDS = ("auto", "reference", "numba", "gsplat")
DRAWN_BY_GSPLAT = ("cuda", "meta")  # devices; on "meta" all but its kernels can be tried without a GPU
RENDER_MODES = ("RGB", "D", "ED", "RGB+D", "RGB+ED")


def rasterize(
    means: Float[Tensor, "*batch N 3"],
    quats: Float[Tensor, "*batch N 4"],
    scales: Float[Tensor, "*batch N 3"],
    opacities: Float[Tensor, "*batch N"],
    colors: Float[Tensor, "*batch N D"] | Float[Tensor, "*batch C N D"],
    viewmats: Float[Tensor, "*batch C 4 4"],
    Ks: Float[Tensor, "*batch C 3 3"],
    width: int,
    height: int,
    background: Float[Tensor, " D"] | Float[Tensor, "*batch C D"] | None = None,
    backend: str = "auto",
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    render_mode: Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"] = "RGB",
    eps2d: float = EPS2D,
) -> tuple[Float[Tensor, "*batch C H W channels"], Float[Tensor, "*batch C H W 1"]]:
    """Draw N Gaussians into C cameras; each batch element has its own Gaussians and its own cameras.

    Names and conventions are those of `gsplat.rasterization`: quats wxyz, not necessarily unit; scales standard
    deviations in metres; opacities in [0, 1]; colors any D channels (colour, features, part ids, normals), the same
    for all cameras or each camera its own; viewmats world to camera (OpenCV axes), Ks in pixels (skew ignored), pixel
    centres at +0.5. Draw order is camera z, equal z by index.

    background: None (zeros), one colour [D], or one a camera [*batch, C, D]. backend: "auto" is gsplat for CUDA
    tensors and Numba otherwise; "reference" is plain PyTorch in the type of `means`, float64 included, the other
    two compute and return float32. render_mode: "RGB" draws the colours; "D" the camera z of the Gaussians' means,
    metres, weighted like a colour over a background of 0; "ED" that divided by alpha, the expected depth of what is
    seen (0 where alpha is 0); "RGB+D" and "RGB+ED" append it to the colours as the last channel. eps2d: px^2 added to
    the projected covariance; as a pixel sees the world through a box, 1/12 is what a sharp picture has.

    On a CPU as many threads draw as torch uses, and the numbers do not depend on how many.
    Differentiable in every tensor but Ks. Returns colours over the background, and alphas.
    Raises ValueError naming the argument for wrong shapes, types or devices, NaN or infinite numbers, opacities
    outside [0, 1] and zero quaternions. Values are looked at on a CPU only: on a GPU each look would wait for all that
    it was told before.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    if render_mode not in RENDER_MODES:
        raise ValueError(f"render_mode must be one of {', '.join(RENDER_MODES)}, not {render_mode!r}")
    for name, size in (("width", width), ("height", height)):
        if isinstance(size, bool) or int(size) != size or size < 1:
            raise ValueError(f"{name} must be a whole number of pixels, at least 1, not {size!r}")
    if not 0 < near_plane < far_plane:
        raise ValueError(f"near_plane and far_plane must be 0 < near < far, not {near_plane} and {far_plane}")
    if not 0 < eps2d < math.inf:
        raise ValueError(f"eps2d must be a positive number of square pixels, not {eps2d}")
    tensors = dict(
        means=means, quats=quats, scales=scales, opacities=opacities, colors=colors, viewmats=viewmats, Ks=Ks
    )
    batch = check_shapes(tensors, background)
    place = means.device.type
    if place == "cpu":
        check_values(tensors, background)
    if backend == "auto":
        backend = "gsplat" if place in DRAWN_BY_GSPLAT else "numba"
    if place not in {"numba": ("cpu",), "gsplat": DRAWN_BY_GSPLAT, "reference": (place,)}[backend]:
        raise ValueError(f'backend "{backend}" cannot draw tensors on {means.device}')

    dtype = means.dtype if backend == "reference" else torch.float32
    tensors = {name: t.to(dtype) for name, t in tensors.items()}
    background = None if background is None else background.to(dtype)
    if render_mode != "RGB":
        tensors["colors"], background = _with_depth(tensors, background, render_mode)
    draw = _draw_nothing if means.shape[-2] * math.prod(batch) * viewmats.shape[-3] == 0 else _DRAW[backend]
    image, alpha = draw(
        tensors, background, batch, width=int(width), height=int(height),
        near_plane=float(near_plane), far_plane=float(far_plane), eps2d=float(eps2d),
    )  # fmt: skip
    if render_mode.endswith("ED"):
        expected = image[..., -1:] / alpha.clamp(min=1e-10)
        image = torch.cat([image[..., :-1], expected], dim=-1)
    return image, alpha


def _with_depth(
    tensors: dict[str, Tensor], background: Tensor | None, render_mode: str
) -> tuple[Tensor, Tensor | None]:
    """Colours of each camera [*batch, C, N, .] with camera z as their last channel, and the background to match."""
    means, viewmats, colors = tensors["means"], tensors["viewmats"], tensors["colors"]
    z = viewmats[..., 2, :3] @ means.transpose(-1, -2) + viewmats[..., 2, 3:]  # [*batch, C, N]
    if not render_mode.startswith("RGB"):
        return z[..., None], None
    if colors.ndim == means.ndim:
        colors = colors.unsqueeze(-3).expand(*z.shape, -1)
    if background is not None:
        background = torch.nn.functional.pad(background, (0, 1))
    return torch.cat([colors, z[..., None]], dim=-1), background


def _draw_nothing(tensors, background, batch, width, height, **_):
    """No Gaussians, no cameras or nobody: the background, with gradients of zero for every tensor."""
    shape = (*batch, tensors["viewmats"].shape[-3], height, width)
    nothing = 0 * sum(t.sum() for t in tensors.values())
    alpha = nothing.new_zeros(*shape, 1) + nothing
    if background is None:
        return alpha.expand(*shape, tensors["colors"].shape[-1]), alpha
    if background.ndim > 1:
        background = background[..., None, None, :]
    return background + alpha, alpha


def _draw_numba(tensors, background, batch, **size):
    return render_cpu(**tensors, background=background, **size)


def _draw_flat(render, tensors, background, batch, **size):
    """By a renderer that has one batch dimension and wants a background for each camera."""
    cameras, channels = tensors["viewmats"].shape[-3], tensors["colors"].shape[-1]
    if background is None:
        background = tensors["colors"].new_zeros(channels)
    tensors = tensors | {"background": background.expand(*batch, cameras, channels)}
    flat = {name: t.reshape(math.prod(batch), *t.shape[len(batch) :]) for name, t in tensors.items()}
    image, alpha = render(**flat, **size)
    return image.reshape(*batch, *image.shape[1:]), alpha.reshape(*batch, *alpha.shape[1:])


def _render_gsplat(background, **arguments):
    from gsplat import rasterization  # slow to import, and useless without CUDA

    image, alpha, _ = rasterization(**arguments, backgrounds=background, packed=False)
    return image, alpha


_DRAW = {
    "reference": partial(_draw_flat, render_reference),
    "numba": _draw_numba,
    "gsplat": partial(_draw_flat, _render_gsplat),
}
