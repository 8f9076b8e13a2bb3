"""Numba kernels: composite sorted splats into images, and the gradients of that, on all cores.

An image is cut into 16 x 16 px tiles, each a piece of work for whichever thread is free (see sharing.py), so results
do not depend on the number of threads. In a tile the splats are drawn one by one over the pixels of their box only:
three channels, as most pictures have, in one pass (a tenth to a fifth quicker); any other number of channels in
two, weights first, then a loop for each channel. Both become vector code, because all buffers of a tile live in
one array `buf` at constant offsets (no aliasing to check) and indices are unsigned (no wrap-around to check). The
tile's pixels are stored as two strips of 8 columns, so that splats a few pixels wide touch one strip. The backward
pass draws front to back again and obtains what lies behind a splat by subtraction; each (splat, tile) pair sums
its gradients into its own row (see project_backward).

All that is compiled together stands in this file, because Numba's cache notices changes of a kernel's own file only.
"""

import numpy as np
from numba import njit

from lca_core.splats import reference
from lca_core.splats.binning import TILE
from lca_core.splats.sharing import first_piece, next_piece, share_out

ALPHA_MAX, ALPHA_MIN = np.float32(reference.ALPHA_MAX), np.float32(reference.ALPHA_MIN)
T_MIN = np.float32(reference.TRANSMITTANCE_MIN)
SIGMA_MAX = np.float32(5.6)  # exp(-5.6) < 1/255: beyond this no opacity <= 1 is drawn

STRIP, AREA = 8, 256
PIXELS = np.uintp(256)
EIGHT = np.uintp(8)
ONE = np.uintp(1)
TWO = np.uintp(2)
FOUR = np.uintp(4)
SIXTEEN, PAIRS = np.uintp(16), 16  # pixels of a pair of rows of a strip, and such pairs in a tile
HALF_TILE = np.uintp(128)
CENTRE_X = np.float32([(i >> 7) * STRIP + (i & 7) + 0.5 for i in range(AREA)])  # from the tile's corner
CENTRE_Y = np.float32([((i & 127) >> 3) + 0.5 for i in range(AREA)])
# Places in a tile's buffer. Transmittance is positive while a pixel is open and negated when it closes.
T, X, Y, WEIGHT, D_SIGMA, BEHIND, VALUE = (np.uintp(256 * k) for k in range(7))
OUT = np.uintp(256 * 4)  # forward: colours follow the weights
GRAD = np.uintp(256 * 7)  # backward: the gradients of the colours
CHECK = 16  # splats between looks at whether a tile is finished

# exp(-x) on [0, 1.4], to the fourth power: exp(-sigma) on [0, 5.6] to 3e-7. Chebyshev fit, degree 7.
_X = 0.7 * (1 + np.cos(np.pi * (np.arange(8) + 0.5) / 8))
E0, E1, E2, E3, E4, E5, E6, E7 = (np.float32(c) for c in np.polyfit(_X, np.exp(-_X), 7)[::-1])
# What LLVM may change of the arithmetic. Terms are never reordered outside of sums: code compiled just now and the same
# code from Numba's cache may be optimised differently, and must still give the same bits.
SUMS = {"reassoc", "nnan", "ninf", "nsz"}
EXACT = {"contract", "nnan", "ninf", "nsz", "arcp"}
QUARTER = np.float32(0.25)
HALF = np.float32(0.5)
F0, F1 = np.float32(0), np.float32(1)


@njit(cache=True, fastmath=EXACT, error_model="numpy", inline="always")
def _exp_minus(sigma):
    x = min(sigma, SIGMA_MAX) * QUARTER
    e = ((((((E7 * x + E6) * x + E5) * x + E4) * x + E3) * x + E2) * x + E1) * x + E0
    e = e * e
    return e * e


@njit(cache=True, inline="always")
def _tile_of(job, jobs):
    """Even tiles first, then odd ones: two threads share a crowded region instead of one getting it all."""
    even = (jobs + 1) // 2
    return 2 * job if job < even else 2 * (job - even) + 1


@njit(cache=True)
def _start_tile(buf, wide, tall):
    """Pixel centres from the tile's corner; transmittance 1 inside the image, closed outside it."""
    for i in range(PIXELS):
        buf[X + i] = CENTRE_X[i]
        buf[Y + i] = CENTRE_Y[i]
        buf[T + i] = F1 if CENTRE_X[i] < wide and CENTRE_Y[i] < tall else -F1


@njit(cache=True, inline="always")
def _rows(box, left, top):
    """(first, end) of a splat's strips in a tile, and (first, end) of its pixels in a strip: whole pairs of rows."""
    x0, x1 = max(box[0] - left, 0), min(box[1] - left, TILE - 1)
    y0, y1 = np.uintp(max(box[2] - top, 0) & ~1), np.uintp(min(box[3] - top, TILE - 1) | 1)
    return x0 >> 3, (x1 >> 3) + 1, y0 * EIGHT, (y1 + ONE) * EIGHT


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _finished(buf, shut):
    """Whether no pixel of the tile is open; shut [16]: the same of each pair of rows of its two strips."""
    left = 0
    for pair in range(np.uintp(PAIRS)):
        most = -F1
        for i in range(SIXTEEN):
            most = max(most, buf[T + pair * SIXTEEN + i])
        shut[pair] = most <= F0
        left += most > F0
    return left == 0


@njit(cache=True, inline="always")
def _open_rows(shut, strip, low, high):
    """A splat's (first, end) pixels in a strip without the pairs of rows at both ends that are shut."""
    low, high = np.uintp(strip) * HALF_TILE + low, np.uintp(strip) * HALF_TILE + high
    while low < high and shut[low >> FOUR]:
        low += SIXTEEN
    while low < high and shut[(high - ONE) >> FOUR]:
        high -= SIXTEEN
    return low, high


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _cover(dx, dy, a, b, c, opacity, t):
    """Of one pixel: the splat's weight (alpha times transmittance), and the transmittance that goes on."""
    sigma = HALF * (a * dx * dx + c * dy * dy) + b * dx * dy
    alpha = min(opacity * _exp_minus(sigma), ALPHA_MAX)
    alpha = alpha if alpha >= ALPHA_MIN else F0
    after = t * (F1 - alpha)
    return alpha * t if after > T_MIN else F0, after if after > T_MIN else -abs(t)


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _weights(buf, begin, end, mx, my, a, b, c, opacity):
    """Forward, first pass over one strip: alpha times transmittance of each pixel; transmittance goes on."""
    for i in range(begin, end):
        weight, after = _cover(buf[X + i] - mx, buf[Y + i] - my, a, b, c, opacity, buf[T + i])
        buf[WEIGHT + i] = weight
        buf[T + i] = after


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _paint(buf, begin, end, mx, my, a, b, c, opacity, red, green, blue):
    """Forward over one strip for three channels: weights and colours in one pass, which is what most pictures are."""
    for i in range(begin, end):
        weight, after = _cover(buf[X + i] - mx, buf[Y + i] - my, a, b, c, opacity, buf[T + i])
        buf[T + i] = after
        buf[OUT + i] += weight * red
        buf[OUT + PIXELS + i] += weight * green
        buf[OUT + TWO * PIXELS + i] += weight * blue


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _add(buf, begin, end, to, at, factor):
    for i in range(begin, end):
        buf[to + i] += factor * buf[at + i]


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _scale(buf, begin, end, to, at, factor):
    for i in range(begin, end):
        buf[to + i] = factor * buf[at + i]


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _dot(buf, begin, end, one, other):
    total = F0
    for i in range(begin, end):
        total += buf[one + i] * buf[other + i]
    return total


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _dot_of_tile(buf, one, other):
    """Over all pixels, in halves: inlined, a sum that may be reordered would be so differently from time to time."""
    for i in range(HALF_TILE):
        far = HALF_TILE + i
        buf[VALUE + i] = buf[one + i] * buf[other + i] + buf[one + far] * buf[other + far]
    width = HALF_TILE
    while width > ONE:
        width >>= ONE
        for i in range(width):
            buf[VALUE + i] += buf[VALUE + width + i]
    return buf[VALUE]


@njit(cache=True, error_model="numpy")
def _put(buf, begin, count, pixel, out, left_over, background):
    """A run of a tile's pixels, onto the background, into the images [P, D] and [P]."""
    channels = np.uintp(out.shape[1])
    for k in range(np.uintp(count)):
        i, p = begin + k, pixel + k
        t = abs(buf[T + i])
        left_over[p] = t
        if channels == 3:
            out[p, 0] = buf[OUT + i] + t * background[0]
            out[p, 1] = buf[OUT + PIXELS + i] + t * background[1]
            out[p, 2] = buf[OUT + TWO * PIXELS + i] + t * background[2]
        else:
            for d in range(channels):
                out[p, d] = buf[OUT + d * PIXELS + i] + t * background[d]


@njit(cache=True, error_model="numpy")
def _get(buf, begin, count, pixel, out, left_over, d_out, d_alpha):
    """The gradients of a run of pixels into a tile, and what the whole picture adds to L's linear form."""
    channels = np.uintp(out.shape[1])
    for k in range(np.uintp(count)):
        i, p = begin + k, pixel + k
        form = -d_alpha[p] * left_over[p]
        if channels == 3:
            g0, g1, g2 = d_out[p, 0], d_out[p, 1], d_out[p, 2]
            buf[GRAD + i], buf[GRAD + PIXELS + i], buf[GRAD + TWO * PIXELS + i] = g0, g1, g2
            form += g0 * out[p, 0] + g1 * out[p, 1] + g2 * out[p, 2]
        else:
            for d in range(channels):
                g = d_out[p, d]
                buf[GRAD + d * PIXELS + i] = g
                form += g * out[p, d]
        buf[BEHIND + i], buf[WEIGHT + i] = form, left_over[p]


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_tiles(
    counters, means2d, shapes, boxes, colors, palettes, background, tile_start, pair_splat, width, height,
    flat_out, flat_left,
):  # fmt: skip
    """Of one tile after another: its pixels of the images [P, D] and of their transmittances [P]."""
    images, channels = background.shape
    count = colors.shape[1]
    tiles_x, tiles_y = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    tiles = tiles_x * tiles_y
    buf, shut = np.empty(AREA * (4 + channels), np.float32), np.empty(PAIRS, np.bool_)
    job = first_piece(counters)
    while job >= 0:
        tile = _tile_of(job, images * tiles)
        image = tile // tiles
        left, top = (tile % tiles) % tiles_x * TILE, (tile % tiles) // tiles_x * TILE
        mine = colors[palettes[image]]
        first = image * count
        wide, tall = min(TILE, width - left), min(TILE, height - top)
        buf[:], shut[:] = F0, False
        _start_tile(buf, wide, tall)
        for k in range(tile_start[tile], tile_start[tile + 1]):
            if (k - tile_start[tile]) % CHECK == CHECK - 1 and _finished(buf, shut):
                break
            s = pair_splat[k]
            first_strip, end_strip, low, high = _rows(boxes[s], left, top)
            mx, my = np.float32(means2d[s, 0] - left), np.float32(means2d[s, 1] - top)
            a, b, c, opacity = shapes[s, 0], shapes[s, 1], shapes[s, 2], shapes[s, 3]
            for strip in range(first_strip, end_strip):
                begin, end = _open_rows(shut, strip, low, high)
                if begin == end:
                    continue
                if channels == 3:
                    color = mine[s - first]
                    _paint(buf, begin, end, mx, my, a, b, c, opacity, color[0], color[1], color[2])
                    continue
                _weights(buf, begin, end, mx, my, a, b, c, opacity)
                for d in range(channels):
                    _add(buf, begin, end, OUT + np.uintp(d) * PIXELS, WEIGHT, mine[s - first, d])
        for strip in range(0, wide, STRIP):
            for y in range(tall):
                pixel = np.uintp((image * height + top + y) * width + left + strip)
                i = np.uintp(strip * TILE + y * STRIP)
                _put(buf, i, min(STRIP, wide - strip), pixel, flat_out, flat_left, background[image])
        job = next_piece(counters)


def composite_forward(means2d, shapes, boxes, colors, palettes, background, tile_start, pair_splat, width, height):
    """Colours [images, H, W, D] and transmittances [images, H, W], float32.

    colors [sets, N, D]; palettes [images]: which set each image is drawn in; background [images, D].
    """
    images, channels = background.shape
    out = np.empty((images, height, width, channels), np.float32)
    left_over = np.empty((images, height, width), np.float32)
    share_out(
        _draw_tiles, len(tile_start) - 1, means2d, shapes, boxes, colors, palettes, background, tile_start, pair_splat,
        width, height, out.reshape(-1, channels), left_over.reshape(-1),
    )  # fmt: skip
    return out, left_over


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _slope(dx, dy, a, b, c, opacity, t, behind, value):
    """Of one pixel: the splat's weight, dL/dsigma, what lies behind, and the transmittance that goes on."""
    sigma = HALF * (a * dx * dx + c * dy * dy) + b * dx * dy
    full = opacity * _exp_minus(sigma)
    alpha = min(full, ALPHA_MAX)
    alpha = alpha if alpha >= ALPHA_MIN else F0
    through = F1 - alpha
    after = t * through
    weight = alpha * t if after > T_MIN else F0
    behind -= weight * value
    slope = behind * alpha / through - weight * value
    return weight, slope if after > T_MIN and full <= ALPHA_MAX else F0, behind, after if after > T_MIN else -abs(t)


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _slopes(buf, begin, end, mx, my, a, b, c, opacity):
    """Backward, first pass: weights as in the forward pass and dL/dsigma of each pixel.

    VALUE holds color . dL/dcolor of this splat; BEHIND what the splats from here on, and the background,
    add to L's linear form, of which this one is taken away.
    """
    for i in range(begin, end):
        dx, dy = buf[X + i] - mx, buf[Y + i] - my
        weight, slope, behind, after = _slope(dx, dy, a, b, c, opacity, buf[T + i], buf[BEHIND + i], buf[VALUE + i])
        buf[WEIGHT + i] = weight
        buf[D_SIGMA + i] = slope
        buf[BEHIND + i] = behind
        buf[T + i] = after


@njit(cache=True, fastmath=EXACT, error_model="numpy")
def _value(red, green, blue, g0, g1, g2):
    return red * g0 + green * g1 + blue * g2


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _gather(buf, begin, end, mx, my, a, b, c, opacity, red, green, blue):
    """Backward over one strip for three channels, in one pass: the six moments, then the three colours' sums."""
    m0, m1, m2, m3, m4, m5, w0, w1, w2 = F0, F0, F0, F0, F0, F0, F0, F0, F0
    for i in range(begin, end):
        dx, dy = buf[X + i] - mx, buf[Y + i] - my
        g0, g1, g2 = buf[GRAD + i], buf[GRAD + PIXELS + i], buf[GRAD + TWO * PIXELS + i]
        value = _value(red, green, blue, g0, g1, g2)
        weight, slope, behind, after = _slope(dx, dy, a, b, c, opacity, buf[T + i], buf[BEHIND + i], value)
        buf[BEHIND + i] = behind
        buf[T + i] = after
        x, y = slope * dx, slope * dy
        m0 += slope
        m1 += x
        m2 += y
        m3 += x * dx
        m4 += x * dy
        m5 += y * dy
        w0 += weight * g0
        w1 += weight * g1
        w2 += weight * g2
    return m0, m1, m2, m3, m4, m5, w0, w1, w2


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _moments(buf, begin, end, mx, my):
    """Backward, second pass: sums of dL/dsigma times 1, dx, dy, dx^2, dx dy, dy^2."""
    m0, m1, m2, m3, m4, m5 = F0, F0, F0, F0, F0, F0
    for i in range(begin, end):
        dx, dy, slope = buf[X + i] - mx, buf[Y + i] - my, buf[D_SIGMA + i]
        x, y = slope * dx, slope * dy
        m0 += slope
        m1 += x
        m2 += y
        m3 += x * dx
        m4 += x * dy
        m5 += y * dy
    return m0, m1, m2, m3, m4, m5


@njit(nogil=True, cache=True, error_model="numpy")
def _differentiate_tiles(
    counters, means2d, shapes, boxes, colors, palettes, background, tile_start, pair_splat, pair_row, width, height,
    flat_out, flat_left, flat_d_out, flat_d_alpha, rows, d_background_tiles,
):  # fmt: skip
    """Of one tile after another: the rows of its pairs, and what its pixels add to the background's gradient."""
    images, channels = background.shape
    count = colors.shape[1]
    tiles_x, tiles_y = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    tiles = tiles_x * tiles_y
    buf, shut = np.empty(AREA * (7 + channels), np.float32), np.empty(PAIRS, np.bool_)
    job = first_piece(counters)
    while job >= 0:
        tile = _tile_of(job, images * tiles)
        image = tile // tiles
        left, top = (tile % tiles) % tiles_x * TILE, (tile % tiles) // tiles_x * TILE
        mine = colors[palettes[image]]
        first = image * count
        wide, tall = min(TILE, width - left), min(TILE, height - top)
        buf[:], shut[:] = F0, False
        _start_tile(buf, wide, tall)
        for strip in range(0, wide, STRIP):
            for y in range(tall):
                pixel = np.uintp((image * height + top + y) * width + left + strip)
                i = np.uintp(strip * TILE + y * STRIP)
                _get(buf, i, min(STRIP, wide - strip), pixel, flat_out, flat_left, flat_d_out, flat_d_alpha)
        for d in range(np.uintp(channels)):
            d_background_tiles[tile, d] = _dot_of_tile(buf, WEIGHT, GRAD + d * PIXELS)
        done = False
        for k in range(tile_start[tile], tile_start[tile + 1]):
            row = pair_row[k]
            for d in range(6 + channels):
                rows[row, d] = F0
            if (k - tile_start[tile]) % CHECK == CHECK - 1:
                done = done or _finished(buf, shut)
            if done:
                continue
            s = pair_splat[k]
            first_strip, end_strip, low, high = _rows(boxes[s], left, top)
            mx, my = np.float32(means2d[s, 0] - left), np.float32(means2d[s, 1] - top)
            a, b, c, opacity = shapes[s, 0], shapes[s, 1], shapes[s, 2], shapes[s, 3]
            for strip in range(first_strip, end_strip):
                begin, end = _open_rows(shut, strip, low, high)
                if begin == end:
                    continue
                if channels == 3:
                    color = mine[s - first]
                    sums = _gather(buf, begin, end, mx, my, a, b, c, opacity, color[0], color[1], color[2])
                    for d in range(9):
                        rows[row, d] += sums[d]
                    continue
                _scale(buf, begin, end, VALUE, GRAD, mine[s - first, 0])
                for d in range(1, channels):
                    _add(buf, begin, end, VALUE, GRAD + np.uintp(d) * PIXELS, mine[s - first, d])
                _slopes(buf, begin, end, mx, my, a, b, c, opacity)
                moments = _moments(buf, begin, end, mx, my)
                for d in range(6):
                    rows[row, d] += moments[d]
                for d in range(channels):
                    rows[row, 6 + d] += _dot(buf, begin, end, WEIGHT, GRAD + np.uintp(d) * PIXELS)
        job = next_piece(counters)


@njit(cache=True)
def _sum_of_tiles(of_tiles, images):
    """[images * tiles, D], added up tile by tile."""
    tiles, channels = len(of_tiles) // images, of_tiles.shape[1]
    total = np.zeros((images, channels), np.float32)
    for tile in range(images * tiles):
        for d in range(channels):
            total[tile // tiles, d] += of_tiles[tile, d]
    return total


def composite_backward(
    means2d, shapes, boxes, colors, palettes, background, tile_start, pair_splat, pair_row, width, height,
    out, left_over, d_out, d_alpha,
):  # fmt: skip
    """Gradient rows [pairs, 6 + D] for project_backward, and those of the background [images, D], float32.

    out, left_over: what composite_forward returned; d_out, d_alpha: gradients of colours and alphas.
    """
    images, channels = background.shape
    rows = np.empty((len(pair_row), 6 + channels), np.float32)
    of_tiles = np.zeros((len(tile_start) - 1, channels), np.float32)
    share_out(
        _differentiate_tiles, len(tile_start) - 1, means2d, shapes, boxes, colors, palettes, background, tile_start,
        pair_splat, pair_row, width, height, out.reshape(-1, channels), left_over.reshape(-1),
        d_out.reshape(-1, channels), d_alpha.reshape(-1), rows, of_tiles,
    )  # fmt: skip
    return rows, _sum_of_tiles(of_tiles, images)
