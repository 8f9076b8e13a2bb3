"""The Numba kernels as one differentiable function of torch tensors."""

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from lca_core.splats.binning import bin_splats
from lca_core.splats.compiling import first_call
from lca_core.splats.composite import composite_backward, composite_forward
from lca_core.splats.project import owners_of, project_backward, project_forward


def _array(tensor: Tensor, inner: int) -> np.ndarray:
    """A numpy view of the tensor's own memory (a copy if not contiguous): one batch dimension, then `inner` more."""
    return tensor.detach().contiguous().numpy().reshape(-1, *tensor.shape[tensor.ndim - inner :])


class _Render(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, means, quats, scales, opacities, colors, viewmats, Ks, background, owners, width, height, near, far, eps2d
    ):
        ctx.set_materialize_grads(False)
        # Also saved as tensors, so that torch notices if one is overwritten before the backward pass.
        ctx.save_for_backward(means, quats, scales, opacities, colors, viewmats, Ks, background)
        gaussians = (_array(means, 2), _array(quats, 2), _array(scales, 2), _array(opacities, 1))
        ctx.inputs = (*gaussians, _array(viewmats, 3), _array(Ks, 3))
        colors = _array(colors, 2)  # a set for each batch element, or for each camera
        images, sets = viewmats.shape[:-2].numel(), len(gaussians[0])
        ctx.owners = owners_of(sets, images) if owners is None else owners
        palettes = ctx.owners if len(colors) == sets else np.arange(images)
        behind = np.zeros((images, colors.shape[-1]), np.float32)
        if background is not None:
            behind[:] = _array(background, 1)
        ctx.size = width, height
        with first_call("drawing Gaussians"):
            means2d, shapes, depths, boxes = project_forward(*ctx.inputs, *ctx.size, near, far, eps2d, ctx.owners)
            tile_start, pair_splat, pair_row, row_start = bin_splats(depths, boxes, images, *ctx.size)
            drawing = (means2d, shapes, boxes, colors, palettes, behind, tile_start, pair_splat)
            out, left_over = composite_forward(*drawing, *ctx.size)
        shape = (*viewmats.shape[:-2], height, width)
        if any(ctx.needs_input_grad):
            ctx.drawing, ctx.drawn, ctx.rows = drawing, (out, left_over), (pair_row, row_start)
            # The caller may write into its image, and the backward pass needs ours as it was. Not by torch, which
            # would call its own threads for this, and wait for them.
            out = out.copy()
        return torch.from_numpy(out).reshape(*shape, -1), torch.from_numpy(1 - left_over).reshape(*shape, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_image, d_alpha):
        *tensors, Ks, background = ctx.saved_tensors
        upstream = [
            np.zeros_like(of) if d is None else d.contiguous().numpy().reshape(of.shape)
            for d, of in zip((d_image, d_alpha), ctx.drawn)
        ]
        (pair_row, row_start), shapes, colors = ctx.rows, ctx.drawing[1], ctx.drawing[3]
        with first_call("the gradients of drawing"):
            rows, d_behind = composite_backward(*ctx.drawing, pair_row, *ctx.size, *ctx.drawn, *upstream)
            gradients = project_backward(*ctx.inputs, *ctx.size, shapes, rows, row_start, len(colors), ctx.owners)
        d_background = None
        if background is not None:
            d_behind = torch.from_numpy(d_behind)
            d_background = d_behind.sum(0) if background.ndim == 1 else d_behind.reshape(background.shape)
        gradients = [torch.from_numpy(g).reshape(t.shape) for g, t in zip(gradients, tensors)]
        return *gradients, None, d_background, *[None] * 6


def render_cpu(
    means: Float32[Tensor, "*batch N 3"],
    quats: Float32[Tensor, "*batch N 4"],
    scales: Float32[Tensor, "*batch N 3"],
    opacities: Float32[Tensor, "*batch N"],
    colors: Float32[Tensor, "*batch N D"] | Float32[Tensor, "*batch C N D"],
    viewmats: Float32[Tensor, "*cameras 4 4"],
    Ks: Float32[Tensor, "*cameras 3 3"],
    background: Float32[Tensor, " D"] | Float32[Tensor, "*cameras D"] | None,
    width: int,
    height: int,
    near_plane: float,
    far_plane: float,
    eps2d: float,
    owners: Int[Tensor, " P"] | None = None,
) -> tuple[Float32[Tensor, "*cameras H W D"], Float32[Tensor, "*cameras H W 1"]]:
    """Colours and alphas; at least one Gaussian and one camera. Deterministic, not twice differentiable.

    owners: whose Gaussians each of P pictures draws, of one batch dimension; viewmats are then [P, 4, 4], Ks and
    background like them.
    """
    owners = None if owners is None else owners.numpy()
    return _Render.apply(
        means, quats, scales, opacities, colors, viewmats, Ks, background, owners,
        width, height, near_plane, far_plane, eps2d,
    )  # fmt: skip
