"""Numba kernels: which splats each tile of 16 x 16 px draws, front to back."""

import numpy as np
from numba import njit, prange

TILE = 16


@njit(cache=True)
def _sort_by_depth(visible, depths, first):
    """Sort splat numbers `visible` (ascending) by depth, equal depths by number: radix sort, then exact order."""
    count = len(visible)
    keys = np.empty(count, np.float32)
    for k in range(count):
        keys[k] = depths[first + visible[k]]  # positive floats order like their bits
    bits = keys.view(np.uint32)
    if count:
        bits -= bits.min()  # people are thin against their distance: most of the bits are then zeros
    widest = np.int64(bits.max()) if count else 0
    other_bits, other = np.empty_like(bits), np.empty_like(visible)
    for shift in (0, 11, 22):
        if widest >> shift == 0:
            break
        starts = np.zeros(2048, np.int64)
        for k in range(count):
            starts[(bits[k] >> np.uint32(shift)) & np.uint32(2047)] += 1
        total = 0
        for k in range(2048):
            total, starts[k] = total + starts[k], total
        for k in range(count):
            place = (bits[k] >> np.uint32(shift)) & np.uint32(2047)
            to = starts[place]
            starts[place] = to + 1
            other_bits[to], other[to] = bits[k], visible[k]
        bits, other_bits = other_bits, bits
        visible, other = other, visible
    k = 0
    while k < count:  # rounding to float32 keeps order, so only runs of equal bits can be out of place
        end = k + 1
        while end < count and bits[end] == bits[k]:
            end += 1
        if end > k + 1:
            run = visible[k:end].copy()
            exact = np.empty(len(run), np.float64)
            for j in range(len(run)):
                exact[j] = depths[first + run[j]]
            visible[k:end] = run[np.argsort(exact, kind="mergesort")]  # stable: equal depths stay by number
        k = end
    return visible


@njit(parallel=True, cache=True)
def bin_splats(depths, boxes, images, width, height):
    """Lists of splats per tile, in drawing order.

    Returns tile_start [images * tiles + 1]; for each pair in that order its splat (numbered over all images)
    and its gradient row; and row_start [S + 1], the rows of each splat.
    """
    count = len(depths) // images
    tiles_x, tiles_y = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    tiles = tiles_x * tiles_y
    order = np.empty(len(depths), np.int32)
    seen = np.empty(images, np.int64)
    tile_start = np.zeros(images * tiles + 1, np.int64)
    row_start = np.zeros(len(depths) + 1, np.int64)
    for image in prange(images):
        first = image * count
        visible = np.empty(count, np.int32)
        k = 0
        for n in range(count):
            s = first + n
            if boxes[s, 1] >= boxes[s, 0]:
                visible[k] = n
                k += 1
                x0, x1, y0, y1 = boxes[s, 0] >> 4, boxes[s, 1] >> 4, boxes[s, 2] >> 4, boxes[s, 3] >> 4
                row_start[s + 1] = (x1 - x0 + 1) * (y1 - y0 + 1)
                for ty in range(y0, y1 + 1):
                    for tx in range(x0, x1 + 1):
                        tile_start[image * tiles + ty * tiles_x + tx + 1] += 1
        seen[image] = k
        order[first : first + k] = _sort_by_depth(visible[:k].copy(), depths, first)
    for k in range(1, len(tile_start)):
        tile_start[k] += tile_start[k - 1]
    for k in range(1, len(row_start)):
        row_start[k] += row_start[k - 1]
    pair_splat = np.empty(tile_start[-1], np.int32)
    pair_row = np.empty(tile_start[-1], np.int64)
    for image in prange(images):
        first = image * count
        place = tile_start[image * tiles : (image + 1) * tiles].copy()
        for k in range(seen[image]):
            s = first + order[first + k]
            x0, x1, y0, y1 = boxes[s, 0] >> 4, boxes[s, 1] >> 4, boxes[s, 2] >> 4, boxes[s, 3] >> 4
            row = row_start[s]
            for ty in range(y0, y1 + 1):
                for tx in range(x0, x1 + 1):
                    to = place[ty * tiles_x + tx]
                    place[ty * tiles_x + tx] = to + 1
                    pair_splat[to], pair_row[to] = s, row
                    row += 1
    return tile_start, pair_splat, pair_row, row_start
