"""Scaled dot-product attention, and the quick way to it in bfloat16 on a CPU.

torch's fused CPU kernel computes in float32 whatever it is given, and backwards looks at every score twice. Where a
processor multiplies bfloat16 matrices, three times as quickly, plain matrix products win, softmax in float32 between
them: person by person, so that scores stay in the processor's caches and padding is left out instead of masked.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from lca_core.splats.compiling import first_call
from lca_core.splats.sharing import first_piece, next_piece, share_out

_MOST = 1 << 28  # bytes of scores that one call may keep for the way back
ROWS = 64  # of scores per piece of work


def attend(
    q: Float[Tensor, "B H Q C"],
    k: Float[Tensor, "B H K C"],
    v: Float[Tensor, "B H K C"],
    seen: Bool[Tensor, "B K"] | None = None,
) -> Float[Tensor, "B H Q C"]:
    """softmax(q k^T / sqrt(C)) v; `seen` is False for what may not be looked at."""
    if q.device.type == "cpu" and q.dtype == torch.bfloat16 and 2 * q.shape[:3].numel() * k.shape[2] <= _MOST:
        counts = [k.shape[2]] * len(k) if seen is None else _leading(seen)
        if counts:
            return _Attend.apply(q, k, v, counts)
    mask = None if seen is None else seen[:, None, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _leading(seen: Bool[Tensor, "B K"]) -> list[int]:
    """How many each row begins with that are seen; nothing where others are seen, too, or a row sees nothing."""
    counts = seen.sum(1)
    ordered = (torch.arange(seen.shape[1]) < counts[:, None]) == seen
    return counts.tolist() if bool(ordered.all() & (counts > 0).all()) else []


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, counts):
        scale = 1 / math.sqrt(q.shape[-1])
        out = q.new_empty(q.shape[0], q.shape[2], q.shape[1], v.shape[3]).transpose(1, 2)
        shares = []
        for b, n in enumerate(counts):
            scores = torch.baddbmm(q.new_empty(1), q[b], k[b, :, :n].transpose(1, 2), beta=0, alpha=scale)
            share = scores.softmax(-1)
            out[b] = share @ v[b, :, :n]
            shares.append(share)
        ctx.save_for_backward(q, k, v, out, *shares)
        ctx.counts, ctx.scale = counts, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out):
        q, k, v, out, *shares = ctx.saved_tensors
        d_q, d_k, d_v = (torch.zeros_like(t, memory_format=torch.preserve_format) for t in (q, k, v))
        along = (d_out.float() * out.float()).sum(-1)
        for b, (n, share) in enumerate(zip(ctx.counts, shares)):
            d_v[b, :, :n] = share.transpose(1, 2) @ d_out[b]
            slope = d_out[b] @ v[b, :, :n].transpose(1, 2)
            _softmax_backward(share, slope, along[b])
            d_q[b] = torch.baddbmm(q.new_empty(1), slope, k[b, :, :n], beta=0, alpha=ctx.scale)
            d_k[b, :, :n] = torch.baddbmm(q.new_empty(1), slope.transpose(1, 2), q[b], beta=0, alpha=ctx.scale)
        return d_q, d_k, d_v, None


def _softmax_backward(share: Float[Tensor, "H Q K"], slope: Float[Tensor, "H Q K"], along: Float[Tensor, "H Q"]):
    """slope becomes share * (slope - along), in one pass; share and slope in bfloat16."""
    rows = along.numel()
    arrays = [t.contiguous().view(torch.uint16).numpy().reshape(rows, -1) for t in (share, slope)]
    with first_call("attention"):
        share_out(_slope_rows, -(-rows // ROWS), *arrays, along.contiguous().numpy().reshape(rows))


@njit(nogil=True, cache=True, error_model="numpy")
def _slope_rows(counters, shares, slopes, along):
    """bfloat16 is the upper half of a float32."""
    widened, narrowed = np.empty((2, shares.shape[1]), np.float32), np.empty(shares.shape[1], np.float32)
    bits, back = widened.view(np.uint32), narrowed.view(np.uint32)
    half, one, odd = np.uint32(16), np.uint32(1), np.uint32(0x7FFF)
    piece = first_piece(counters)
    while piece >= 0:
        for r in range(piece * ROWS, min(len(along), (piece + 1) * ROWS)):
            share, slope, less = shares[r], slopes[r], along[r]
            for k in range(np.uintp(len(share))):
                bits[0, k] = np.uint32(share[k]) << half
                bits[1, k] = np.uint32(slope[k]) << half
            for k in range(np.uintp(len(share))):
                narrowed[k] = widened[0, k] * (widened[1, k] - less)
            for k in range(np.uintp(len(share))):
                slope[k] = np.uint16((back[k] + odd + ((back[k] >> half) & one)) >> half)  # to the nearest, even
        piece = next_piece(counters)
