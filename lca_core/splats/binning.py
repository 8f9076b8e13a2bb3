"""Numba kernels: which splats each tile of 16 x 16 px draws, front to back."""

import numpy as np
from numba import njit

from lca_core.splats.sharing import first_piece, next_piece, share_out, threads

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


@njit(nogil=True, cache=True)
def _order_or_count(counters, depths, boxes, count, tiles_x, tiles, order, seen, tile_start, row_start):
    """Two pieces an image: its visible splats by depth; and how many each tile holds, how many rows each splat has."""
    piece = first_piece(counters)
    while piece >= 0:
        image = piece >> 1
        first = image * count
        if piece & 1:
            for s in range(first, first + count):
                if boxes[s, 1] >= boxes[s, 0]:
                    x0, x1, y0, y1 = boxes[s, 0] >> 4, boxes[s, 1] >> 4, boxes[s, 2] >> 4, boxes[s, 3] >> 4
                    row_start[s + 1] = (x1 - x0 + 1) * (y1 - y0 + 1)
                    for ty in range(y0, y1 + 1):
                        for tx in range(x0, x1 + 1):
                            tile_start[image * tiles + ty * tiles_x + tx + 1] += 1
        else:
            visible = np.empty(count, np.int32)
            k = 0
            for n in range(count):
                if boxes[first + n, 1] >= boxes[first + n, 0]:
                    visible[k] = n
                    k += 1
            seen[image] = k
            order[first : first + k] = _sort_by_depth(visible[:k].copy(), depths, first)
        piece = next_piece(counters)


@njit(cache=True)
def _add_up(counts):
    for k in range(1, len(counts)):
        counts[k] += counts[k - 1]


@njit(nogil=True, cache=True)
def _fill_lists(
    counters, boxes, count, bands, tiles_x, tiles_y, order, seen, tile_start, row_start, pair_splat, pair_row
):
    """Of one band of an image's rows of tiles after another: their lists."""
    tiles = tiles_x * tiles_y
    piece = first_piece(counters)
    while piece >= 0:
        image, band = piece // bands, piece % bands
        top, bottom = band * tiles_y // bands, (band + 1) * tiles_y // bands - 1
        first = image * count
        place = tile_start[image * tiles : (image + 1) * tiles].copy()
        for k in range(seen[image]):
            s = first + order[first + k]
            y0, y1 = boxes[s, 2] >> 4, boxes[s, 3] >> 4
            if y1 < top or y0 > bottom:
                continue
            x0, x1 = boxes[s, 0] >> 4, boxes[s, 1] >> 4
            for ty in range(max(y0, top), min(y1, bottom) + 1):
                row = row_start[s] + (ty - y0) * (x1 - x0 + 1)
                for tx in range(x0, x1 + 1):
                    to = place[ty * tiles_x + tx]
                    place[ty * tiles_x + tx] = to + 1
                    pair_splat[to], pair_row[to] = s, row
                    row += 1
        piece = next_piece(counters)


def bin_splats(depths, boxes, images, width, height):
    """Lists of splats per tile, in drawing order.

    Returns tile_start [images * tiles + 1]; for each pair in that order its splat (numbered over all images)
    and its gradient row; and row_start [S + 1], the rows of each splat.
    """
    count, tiles_x, tiles_y = len(depths) // images, -(-width // TILE), -(-height // TILE)
    tiles = tiles_x * tiles_y
    bands = min(tiles_y, max(1, threads() // images))  # no more: each walks through all of its image's splats
    order, seen = np.empty(len(depths), np.int32), np.empty(images, np.int64)
    tile_start, row_start = np.zeros(images * tiles + 1, np.int64), np.zeros(len(depths) + 1, np.int64)
    found = (order, seen, tile_start, row_start)
    share_out(_order_or_count, 2 * images, depths, boxes, count, tiles_x, tiles, *found)
    _add_up(tile_start)
    _add_up(row_start)
    pair_splat, pair_row = np.empty(tile_start[-1], np.int32), np.empty(tile_start[-1], np.int64)
    share_out(_fill_lists, images * bands, boxes, count, bands, tiles_x, tiles_y, *found, pair_splat, pair_row)
    return tile_start, pair_splat, pair_row, row_start
