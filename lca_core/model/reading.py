"""Numba kernels: the patch tokens under an anchor's points, and their gradients, read where they are on a CPU.

The same as `alignment.PixelAlignment` computes by sampling whole pictures of tokens at every anchor: here tokens are
read in the rows they come in, and only where a photograph sees the anchor.
"""

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable

from lca_core.splats.compiling import first_call
from lca_core.splats.sharing import first_piece, next_piece, share_out

CHUNK = 32  # anchors per piece of work
F0, F1, HALF, LEAST = (np.float32(x) for x in (0, 1, 0.5, 1e-3))


def read_patches(
    body: Float[Tensor, "B N P D"], face: Float[Tensor, "B N Q D"], places: Float[Tensor, "B S M 2"],
    facing: Float[Tensor, "B S M"], per_anchor: int,
) -> Float[Tensor, "B G D"]:  # fmt: skip
    """Bilinear samples at the mean places of each anchor's points, weighted by the mean square of facing; 0 where
    nothing is seen. S = 2 N pictures, body pictures first; differentiable in the tokens. float32."""
    return _Read.apply(body, face, places, facing, per_anchor)


class _Read(torch.autograd.Function):
    @staticmethod
    def forward(ctx, body, face, places, facing, per_anchor):
        B, M, D = len(facing), facing.shape[-1], body.shape[-1]
        tokens = [t.detach().contiguous().numpy() for t in (body, face)]
        ctx.arrays = places.contiguous().numpy(), facing.contiguous().numpy(), per_anchor
        ctx.shapes, G = (body.shape, face.shape), M // per_anchor
        found, ctx.totals = np.zeros((B, G, D), np.float32), np.zeros((B, G), np.float32)
        with first_call("reading patches"):
            share_out(_read_chunks, B * -(-G // CHUNK), *tokens, *ctx.arrays, found, ctx.totals)
        return torch.from_numpy(found)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_found):
        d_body, d_face = (np.zeros(shape, np.float32) for shape in ctx.shapes)
        with first_call("the gradients of reading patches"):
            share_out(
                _read_gradients, 2 * d_body.shape[0] * d_body.shape[1], *ctx.arrays, ctx.totals,
                d_found.contiguous().numpy(), d_body, d_face,
            )  # fmt: skip
        return torch.from_numpy(d_body), torch.from_numpy(d_face), None, None, None


@njit(cache=True, inline="always")
def _seen(places, facing, first, per_anchor):
    """(weight, mean place) of an anchor's points in one picture; weight 0 where none of them is seen."""
    weight, u, v = F0, F0, F0
    for m in range(first, first + per_anchor):
        weight += facing[m] * facing[m]
    if weight > F0:
        for m in range(first, first + per_anchor):
            u += places[m, 0]
            v += places[m, 1]
    return weight / np.float32(per_anchor), u / np.float32(per_anchor), v / np.float32(per_anchor)


@njit(cache=True, inline="always")
def _corners(u, v, side):
    """The four patches about a place, and the share of each; the nearest edge outside."""
    x = min(max(((u + F1) * side - F1) * HALF, F0), np.float32(side - 1))
    y = min(max(((v + F1) * side - F1) * HALF, F0), np.float32(side - 1))
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, side - 1), min(y0 + 1, side - 1)
    right, down = x - np.float32(x0), y - np.float32(y0)
    left, up = F1 - right, F1 - down
    return (
        (y0 * side + x0, y0 * side + x1, y1 * side + x0, y1 * side + x1),
        (up * left, up * right, down * left, down * right),
    )


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add(out, factor, values):
    for d in range(np.uintp(len(out))):
        out[d] += factor * values[d]


@njit(nogil=True, cache=True, error_model="numpy")
def _read_chunks(counters, body, face, places, facing, per_anchor, found, totals):
    N, G = body.shape[1], found.shape[1]
    chunks = (G + CHUNK - 1) // CHUNK
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        for s in range(2 * N):
            tokens = body[b, s] if s < N else face[b, s - N]
            side = int(np.sqrt(len(tokens)) + 0.5)
            for g in range(chunk * CHUNK, min(G, (chunk + 1) * CHUNK)):
                weight, u, v = _seen(places[b, s], facing[b, s], g * per_anchor, per_anchor)
                if weight > F0:
                    totals[b, g] += weight
                    patches, shares = _corners(u, v, side)
                    for c in range(4):
                        _add(found[b, g], weight * shares[c], tokens[patches[c]])
        for g in range(chunk * CHUNK, min(G, (chunk + 1) * CHUNK)):
            found[b, g] /= max(totals[b, g], LEAST)
        piece = next_piece(counters)


@njit(nogil=True, cache=True, error_model="numpy")
def _read_gradients(counters, places, facing, per_anchor, totals, d_found, d_body, d_face):
    """Of one picture's tokens after another."""
    N, G = d_body.shape[1], d_found.shape[1]
    piece = first_piece(counters)
    while piece >= 0:
        b, s = piece // (2 * N), piece % (2 * N)
        d_tokens = d_body[b, s] if s < N else d_face[b, s - N]
        side = int(np.sqrt(len(d_tokens)) + 0.5)
        for g in range(G):
            weight, u, v = _seen(places[b, s], facing[b, s], g * per_anchor, per_anchor)
            if weight > F0:
                patches, shares = _corners(u, v, side)
                for c in range(4):
                    _add(d_tokens[patches[c]], weight * shares[c] / max(totals[b, g], LEAST), d_found[b, g])
        piece = next_piece(counters)
