"""Numba kernels: raw numbers to Gaussians of the T-pose, and the gradients of that, in one walk over them on a CPU.

The formulas are those of `raw.to_gaussians`, whose tensors do the same elsewhere, in some thirty operations.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable

from lca_core.splats.compiling import first_call
from lca_core.splats.sharing import first_piece, next_piece, share_out

CHUNK = 512  # Gaussians per piece of work
F1, SHORTEST = np.float32(1), np.float32(1e-12)


def shape(
    raw: Float[Tensor, "*#B G k 14"], surface: Float[Tensor, "*#B G k 3"], frames: Float[Tensor, "G k 4"],
    unit: float, least: float, most: float,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Means, quats, scales, opacities and colours [*B, N, .], differentiable in raw.

    unit: metres of one unit of position; least, most: between which logarithms of scales are kept. float32.
    """
    leading = torch.broadcast_shapes(raw.shape[:-3], surface.shape[:-3])
    places = surface.expand(*leading, *surface.shape[-3:]).reshape(-1, frames.shape[:-1].numel(), 3)
    shaped = _Shape.apply(raw.expand(*leading, *raw.shape[-3:]), places, frames, (unit, least, most))
    return tuple(t.unflatten(0, leading) if leading else t[0] for t in shaped)


class _Shape(torch.autograd.Function):
    @staticmethod
    def forward(ctx, raw, places, frames, limits):
        count = places.shape[1]
        flat = raw.detach().contiguous().view(-1, count, raw.shape[-1])
        arrays = flat.numpy(), places.detach().contiguous().numpy(), frames.detach().reshape(count, 4).numpy()
        sizes = (3, 4, 3, 1, 3)
        made = [np.empty((len(flat), count, size), np.float32) for size in sizes]
        ctx.limits = tuple(map(np.float32, limits))
        with first_call("shaping Gaussians"):
            share_out(_shape_chunks, len(flat) * -(-count // CHUNK), *arrays, *ctx.limits, *made)
        means, quats, scales, opacities, colors = map(torch.from_numpy, made)
        opacities = opacities[..., 0]
        ctx.save_for_backward(raw, frames, scales, opacities, colors)
        return means, quats, scales, opacities, colors

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        raw, frames, scales, opacities, colors = ctx.saved_tensors
        people, count = opacities.shape
        flat = raw.detach().contiguous().view(people, count, raw.shape[-1]).numpy()
        made = scales.numpy(), opacities.numpy(), colors.numpy()
        upstream = [gradient.contiguous().numpy() for gradient in gradients]
        d_raw = np.empty_like(flat)
        with first_call("the gradients of shaping Gaussians"):
            share_out(
                _shape_gradient_chunks, people * -(-count // CHUNK), flat, frames.detach().reshape(count, 4).numpy(),
                *ctx.limits, *made, *upstream, d_raw,
            )  # fmt: skip
        return torch.from_numpy(d_raw).view(raw.shape), None, None, None


@njit(cache=True, inline="always")
def _sigmoid(x):
    return F1 / (F1 + math.exp(-x))


@njit(nogil=True, cache=True, error_model="numpy")
def _shape_chunks(
    counters, raw, places, frames, unit, least, most, means, quats, scales, opacities, colors
):  # fmt: skip
    count = raw.shape[1]
    chunks = (count + CHUNK - 1) // CHUNK
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        for n in range(chunk * CHUNK, min(count, (chunk + 1) * CHUNK)):
            r = raw[b, n]
            for c in range(3):
                colors[b, n, c] = _sigmoid(r[c])
                means[b, n, c] = places[b, n, c] + unit * r[3 + c]
                scales[b, n, c] = math.exp(min(max(r[10 + c], least), most))
            opacities[b, n, 0] = _sigmoid(r[13])
            length = max(math.sqrt(r[6] * r[6] + r[7] * r[7] + r[8] * r[8] + r[9] * r[9]), SHORTEST)
            w, x, y, z = r[6] / length, r[7] / length, r[8] / length, r[9] / length
            f0, f1, f2, f3 = frames[n, 0], frames[n, 1], frames[n, 2], frames[n, 3]
            quats[b, n, 0] = f0 * w - f1 * x - f2 * y - f3 * z
            quats[b, n, 1] = f0 * x + f1 * w + f2 * z - f3 * y
            quats[b, n, 2] = f0 * y - f1 * z + f2 * w + f3 * x
            quats[b, n, 3] = f0 * z + f1 * y - f2 * x + f3 * w
        piece = next_piece(counters)


@njit(nogil=True, cache=True, error_model="numpy")
def _shape_gradient_chunks(
    counters, raw, frames, unit, least, most, scales, opacities, colors,
    d_means, d_quats, d_scales, d_opacities, d_colors, d_raw,
):  # fmt: skip
    count = raw.shape[1]
    chunks = (count + CHUNK - 1) // CHUNK
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        for n in range(chunk * CHUNK, min(count, (chunk + 1) * CHUNK)):
            r, d = raw[b, n], d_raw[b, n]
            for c in range(3):
                d[c] = d_colors[b, n, c] * colors[b, n, c] * (F1 - colors[b, n, c])
                d[3 + c] = unit * d_means[b, n, c]
                d[10 + c] = d_scales[b, n, c] * scales[b, n, c] if least <= r[10 + c] <= most else np.float32(0)
            d[13] = d_opacities[b, n] * opacities[b, n] * (F1 - opacities[b, n])
            square = r[6] * r[6] + r[7] * r[7] + r[8] * r[8] + r[9] * r[9]
            length = max(math.sqrt(square), SHORTEST)
            w, x, y, z = r[6] / length, r[7] / length, r[8] / length, r[9] / length
            # quat = frame * unit, so dL/dunit = conjugate(frame) * dL/dquat; then through unit = rotation / length.
            f0, f1, f2, f3 = frames[n, 0], frames[n, 1], frames[n, 2], frames[n, 3]
            g0, g1, g2, g3 = d_quats[b, n, 0], d_quats[b, n, 1], d_quats[b, n, 2], d_quats[b, n, 3]
            u0 = f0 * g0 + f1 * g1 + f2 * g2 + f3 * g3
            u1 = f0 * g1 - f1 * g0 - f2 * g3 + f3 * g2
            u2 = f0 * g2 + f1 * g3 - f2 * g0 - f3 * g1
            u3 = f0 * g3 - f1 * g2 + f2 * g1 - f3 * g0
            along = u0 * w + u1 * x + u2 * y + u3 * z
            d[6], d[7] = (u0 - along * w) / length, (u1 - along * x) / length
            d[8], d[9] = (u2 - along * y) / length, (u3 - along * z) / length
        piece = next_piece(counters)
