"""The Numba kernels as one differentiable function of torch tensors."""

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.autograd.function import once_differentiable

from lca_core.splats.compiling import first_call
from lca_core.splats.composite import bin_splats, composite_backward, composite_forward
from lca_core.splats.project import project_backward, project_forward


def _arrays(*tensors: Tensor) -> list:
    """Numpy views of the tensors' own memory (copies only if not contiguous)."""
    return [t.detach().contiguous().numpy() for t in tensors]


class _Render(torch.autograd.Function):
    @staticmethod
    def forward(ctx, means, quats, scales, opacities, colors, viewmats, background, Ks, width, height, near, far):
        # Saved as tensors, so that torch notices if one is overwritten before the backward pass.
        ctx.save_for_backward(means, quats, scales, opacities, colors, viewmats, background, Ks)
        items, cameras, channels = background.shape
        inputs = _arrays(means, quats, scales, opacities, viewmats, Ks)
        with first_call("drawing Gaussians"):
            means2d, shapes, depths, boxes = project_forward(*inputs, width, height, near, far)
            tile_start, pair_splat, pair_row, row_start = bin_splats(depths, boxes, items * cameras, width, height)
            drawing = (means2d, shapes, boxes, *_arrays(colors, background.reshape(-1, channels)), cameras)
            out, left_over = composite_forward(*drawing, tile_start, pair_splat, width, height)
        ctx.size = width, height
        ctx.splats = means2d, shapes, boxes, tile_start, pair_splat, pair_row, row_start, out, left_over
        shape = (items, cameras, height, width)
        # The caller may write into its image, and the backward pass needs ours as it was.
        image = torch.from_numpy(out).reshape(*shape, channels).clone()
        return image, torch.from_numpy(1 - left_over).reshape(*shape, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out, d_alpha):
        means, quats, scales, opacities, colors, viewmats, background, Ks = ctx.saved_tensors
        means2d, shapes, boxes, tile_start, pair_splat, pair_row, row_start, out, left_over = ctx.splats
        items, cameras, channels = background.shape
        d_out, d_alpha = _arrays(d_out.reshape(out.shape), d_alpha.reshape(left_over.shape))
        drawing = (means2d, shapes, boxes, *_arrays(colors, background.reshape(-1, channels)), cameras)
        inputs = _arrays(means, quats, scales, opacities, viewmats, Ks)
        with first_call("the gradients of drawing"):
            rows, d_background = composite_backward(
                *drawing, tile_start, pair_splat, pair_row, *ctx.size, out, left_over, d_out, d_alpha
            )
            gradients = project_backward(*inputs, *ctx.size, shapes, rows, row_start, channels)
        d_background = torch.from_numpy(d_background).reshape(items, cameras, channels)
        return *map(torch.from_numpy, gradients), d_background, None, None, None, None, None


def render_cpu(
    means: Float32[Tensor, "batch N 3"],
    quats: Float32[Tensor, "batch N 4"],
    scales: Float32[Tensor, "batch N 3"],
    opacities: Float32[Tensor, "batch N"],
    colors: Float32[Tensor, "batch N D"],
    viewmats: Float32[Tensor, "batch C 4 4"],
    Ks: Float32[Tensor, "batch C 3 3"],
    background: Float32[Tensor, "batch C D"],
    width: int,
    height: int,
    near_plane: float,
    far_plane: float,
) -> tuple[Float32[Tensor, "batch C H W D"], Float32[Tensor, "batch C H W 1"]]:
    """Colours and alphas of every camera of every batch element; N >= 1. Deterministic, not twice differentiable."""
    return _Render.apply(
        means, quats, scales, opacities, colors, viewmats, background, Ks, width, height, near_plane, far_plane
    )
