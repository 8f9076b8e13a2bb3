"""The Numba kernels as one differentiable function of torch tensors."""

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.autograd.function import once_differentiable

from lca_core.splats.composite import bin_splats, composite_backward, composite_forward
from lca_core.splats.project import project_backward, project_forward


class _Render(torch.autograd.Function):
    """Arrays flow between the kernels as numpy views of the tensors' own memory: nothing is copied."""

    @staticmethod
    def forward(ctx, means, quats, scales, opacities, colors, viewmats, background, Ks, width, height, near, far):
        inputs = [t.detach().contiguous().numpy() for t in (means, quats, scales, opacities, viewmats, Ks)]
        colors, background = colors.detach().contiguous().numpy(), background.detach().contiguous().numpy()
        cameras = viewmats.shape[1]
        images = len(means) * cameras
        background = background.reshape(images, -1)
        means2d, shapes, depths, boxes = project_forward(*inputs, width, height, near, far)
        tile_start, pair_splat, pair_row, row_start = bin_splats(depths, boxes, images, width, height)
        drawing = (means2d, shapes, boxes, colors, background, cameras, tile_start, pair_splat)
        out, left_over = composite_forward(*drawing, width, height)
        ctx.saved = (inputs, drawing, pair_row, row_start, width, height, out, left_over)
        shape = (len(means), cameras, height, width)
        # The caller may write into its image, and the backward pass needs ours as it was.
        return torch.from_numpy(out).reshape(*shape, -1).clone(), torch.from_numpy(1 - left_over).reshape(*shape, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out, d_alpha):
        inputs, drawing, pair_row, row_start, width, height, out, left_over = ctx.saved
        d_out = d_out.contiguous().numpy().reshape(out.shape)
        d_alpha = d_alpha.contiguous().numpy().reshape(left_over.shape)
        rows, d_background = composite_backward(*drawing, pair_row, width, height, out, left_over, d_out, d_alpha)
        d_means, d_quats, d_scales, d_opacities, d_colors, d_viewmats = project_backward(
            *inputs, width, height, drawing[1], rows, row_start, out.shape[-1]
        )
        gradients = (d_means, d_quats, d_scales, d_opacities, d_colors, d_viewmats)
        d_background = d_background.reshape(d_viewmats.shape[0], d_viewmats.shape[1], -1)
        return *map(torch.from_numpy, gradients), torch.from_numpy(d_background), None, None, None, None, None


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
