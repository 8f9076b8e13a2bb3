"""`rasterize`: one call that draws Gaussians, whatever the machine."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.splats.cpu import render_cpu
from lca_core.splats.reference import render_reference

BACKENDS = ("auto", "reference", "numba", "gsplat")


def rasterize(
    means: Float[Tensor, "*batch N 3"],
    quats: Float[Tensor, "*batch N 4"],
    scales: Float[Tensor, "*batch N 3"],
    opacities: Float[Tensor, "*batch N"],
    colors: Float[Tensor, "*batch N D"],
    viewmats: Float[Tensor, "*batch C 4 4"],
    Ks: Float[Tensor, "*batch C 3 3"],
    width: int,
    height: int,
    background: Float[Tensor, " D"] | Float[Tensor, "*batch C D"] | None = None,
    backend: str = "auto",
    near_plane: float = 0.01,
    far_plane: float = 1e10,
) -> tuple[Float[Tensor, "*batch C H W D"], Float[Tensor, "*batch C H W 1"]]:
    """Draw N Gaussians into C cameras; each batch element has its own Gaussians and its own cameras.

    Names and conventions are those of `gsplat.rasterization`: quats wxyz, not necessarily unit; scales standard
    deviations in metres; opacities in [0, 1]; colors any D channels; viewmats world to camera (OpenCV axes), Ks
    in pixels (skew ignored), pixel centres at +0.5. Draw order is camera z, equal z by index.

    background: None (zeros), one colour [D], or one a camera [*batch, C, D]. backend: "auto" is gsplat for CUDA
    tensors and Numba otherwise; "reference" is plain PyTorch in the type of `means`, float64 included, the other
    two compute and return float32.

    Differentiable in every tensor but Ks. Returns colours over the background, and alphas.
    Raises ValueError naming the argument for wrong shapes, types or devices, NaN or infinite numbers, opacities
    outside [0, 1] and zero quaternions.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    for name, size in (("width", width), ("height", height)):
        if isinstance(size, bool) or int(size) != size or size < 1:
            raise ValueError(f"{name} must be a whole number of pixels, at least 1, not {size!r}")
    if not 0 < near_plane < far_plane:
        raise ValueError(f"near_plane and far_plane must be 0 < near < far, not {near_plane} and {far_plane}")
    width, height = int(width), int(height)
    tensors = dict(
        means=means, quats=quats, scales=scales, opacities=opacities, colors=colors, viewmats=viewmats, Ks=Ks
    )
    batch, background = _check(tensors, background)
    if backend == "auto":
        backend = "gsplat" if means.is_cuda else "numba"
    if (backend == "gsplat") != means.is_cuda and backend != "reference":
        raise ValueError(f'backend "{backend}" cannot draw tensors on {means.device}')

    dtype = means.dtype if backend == "reference" else torch.float32
    items, (cameras, channels) = math.prod(batch), background.shape[-2:]
    flat = {name: t.to(dtype).reshape(items, *t.shape[len(batch) :]) for name, t in tensors.items()}
    flat["background"] = background.to(dtype).reshape(items, cameras, channels)
    if means.shape[-2] == 0 or items * cameras == 0:
        nothing = 0 * sum(t.sum() for t in flat.values())  # so that every tensor gets its gradient of zero
        image = flat["background"][:, :, None, None].expand(-1, -1, height, width, -1) + nothing
        alpha = image.new_zeros(items, cameras, height, width, 1) + nothing
    else:
        render = {"reference": render_reference, "numba": render_cpu, "gsplat": _render_gsplat}[backend]
        image, alpha = render(
            **flat, width=width, height=height, near_plane=float(near_plane), far_plane=float(far_plane)
        )
    shape = (*batch, cameras, height, width)
    return image.reshape(*shape, channels), alpha.reshape(*shape, 1)


def _render_gsplat(background, **arguments):
    from gsplat import rasterization  # slow to import, and useless without CUDA

    image, alpha, _ = rasterization(**arguments, backgrounds=background, packed=False)
    return image, alpha


def _check(tensors: dict[str, Tensor], background: Tensor | None) -> tuple[tuple[int, ...], Tensor]:
    """The batch shape, and the background as [*batch, C, D]; ValueError for what cannot be drawn."""
    everything = tensors if background is None else {**tensors, "background": background}
    for name, tensor in everything.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} must be a torch tensor, not {type(tensor).__name__}")
        if not tensor.is_floating_point():
            raise ValueError(f"{name} must hold floating-point numbers, not {tensor.dtype}")
        if tensor.device != tensors["means"].device:
            raise ValueError(f"{name} is on {tensor.device} but means is on {tensors['means'].device}")
    means, colors, viewmats = tensors["means"], tensors["colors"], tensors["viewmats"]
    if means.ndim < 2 or colors.ndim < 1 or viewmats.ndim < 3:
        raise ValueError("means must be [*batch, N, 3], colors [*batch, N, D] and viewmats [*batch, C, 4, 4]")
    (*batch, count, _), channels, cameras = means.shape, colors.shape[-1], viewmats.shape[-3]
    wanted = dict(
        means=(*batch, count, 3),
        quats=(*batch, count, 4),
        scales=(*batch, count, 3),
        opacities=(*batch, count),
        colors=(*batch, count, channels),
        viewmats=(*batch, cameras, 4, 4),
        Ks=(*batch, cameras, 3, 3),
    )
    for name, shape in wanted.items():
        if tuple(tensors[name].shape) != shape:
            raise ValueError(f"{name} must be {list(shape)} to go with the others, not {list(tensors[name].shape)}")
    if channels == 0:
        raise ValueError("colors must have at least one channel")
    if background is None:
        background = means.new_zeros(*batch, cameras, channels)
    elif tuple(background.shape) in ((channels,), (*batch, cameras, channels)):
        background = background.expand(*batch, cameras, channels)
    else:
        raise ValueError(
            f"background must be [{channels}] or {[*batch, cameras, channels]}, not {list(background.shape)}"
        )
    for name, tensor in everything.items():
        # A sum is the cheapest way to find NaN or infinity; only a suspicious one is looked at number by number.
        if not math.isfinite(tensor.detach().sum()) and not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite numbers")
    if count and math.prod(batch):
        low, high = tensors["opacities"].detach().aminmax()
        if low < 0 or high > 1:
            raise ValueError(f"opacities must be in [0, 1], not {float(low):.4g} to {float(high):.4g}")
        if tensors["quats"].detach().square().sum(-1).min() < 1e-24:
            raise ValueError("quats holds a zero quaternion, which is no rotation")
    focal = tensors["Ks"].diagonal(dim1=-2, dim2=-1)[..., :2]
    if focal.numel() and focal.min() <= 0:
        raise ValueError("Ks must have positive focal lengths")
    return tuple(batch), background
