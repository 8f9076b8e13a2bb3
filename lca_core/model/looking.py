"""Numba kernels: what a person's points see where they fall in the photographs, on a CPU.

The same as the tensors of `alignment.View` compute, in one walk over the points instead of some hundred operations over
[B, N, M]. Photographs are [B, N, H, W, 4], (rgb - 0.5) times the matte, and the matte; a point's joints, values and
counts are those of `splats.skinning.without_zeros`; matrices [B, N, J, 3, 4] take joints from the T-pose into the
cameras' spaces. Nothing here is differentiable.
"""

import numpy as np
from numba import njit

from lca_core.splats.compiling import first_call
from lca_core.splats.sharing import first_piece, next_piece, share_out

CHUNK = 256  # points per piece of work
NEAR = np.float32(0.05)  # metres before the camera: what is nearer is in no picture
BEHIND = np.float32(0.04)  # metres behind the nearest solid point of its cell at which a point counts as hidden
OBLIQUE = np.float32(0.15)  # cosine under which a surface is seen too obliquely
INSIDE = np.float32(0.9)  # matte over which a pixel shows the person alone
CELL = (2, 4)  # pixels of a cell of the depth buffer, in body pictures and face crops: some points must fall into each
F0, F1, HALF, TWO = (np.float32(x) for x in (0, 1, 0.5, 2))
CENTIMETRES, TINY, LEAST = np.float32(100), np.float32(1e-12), np.float32(1e-3)


@njit(cache=True, inline="always")
def _blend(matrices, joints, values, count, out):
    """The joints' matrices [J, 3, 4] blended by a point's weights, into out [3, 4]."""
    out[:] = 0
    for k in range(count):
        j, value = np.uintp(joints[k]), values[k]
        for r in range(np.uintp(3)):
            for c in range(np.uintp(4)):
                out[r, c] += value * matrices[j, r, c]


@njit(cache=True, inline="always")
def _move(m, x, y, z):
    """A point, by a matrix [3, 4]."""
    return (
        m[0, 3] + m[0, 0] * x + m[0, 1] * y + m[0, 2] * z,
        m[1, 3] + m[1, 0] * x + m[1, 1] * y + m[1, 2] * z,
        m[2, 3] + m[2, 0] * x + m[2, 1] * y + m[2, 2] * z,
    )


@njit(cache=True, inline="always")
def _turn(m, x, y, z):
    """A direction, by a matrix [3, 4]."""
    return (
        m[0, 0] * x + m[0, 1] * y + m[0, 2] * z,
        m[1, 0] * x + m[1, 1] * y + m[1, 2] * z,
        m[2, 0] * x + m[2, 1] * y + m[2, 2] * z,
    )


@njit(cache=True, inline="always")
def _place(x, y, z, K, width, height):
    """(place in the picture in [-1, 1], is it in the picture) of a point in camera space."""
    near = max(z, NEAR)
    u = (x / near * K[0, 0] + K[0, 2]) * (TWO / width) - F1
    v = (y / near * K[1, 1] + K[1, 2]) * (TWO / height) - F1
    return u, v, max(abs(u), abs(v)) < F1 and z > NEAR


@njit(cache=True, inline="always")
def _corners(u, v, width, height):
    """Of a bilinear sample, the nearest edge outside: (column, row, next column, next row, shares of the next ones)."""
    x = min(max(((u + F1) * width - F1) * HALF, F0), np.float32(width - 1))
    y = min(max(((v + F1) * height - F1) * HALF, F0), np.float32(height - 1))
    x0, y0 = np.uintp(x), np.uintp(y)
    x1, y1 = min(x0 + np.uintp(1), np.uintp(width - 1)), min(y0 + np.uintp(1), np.uintp(height - 1))
    return x0, y0, x1, y1, x - np.float32(x0), y - np.float32(y0)


@njit(cache=True, inline="always")
def _channel(picture, corners, channel):
    x0, y0, x1, y1, right, down = corners
    top = (F1 - right) * picture[y0, x0, channel] + right * picture[y0, x1, channel]
    bottom = (F1 - right) * picture[y1, x0, channel] + right * picture[y1, x1, channel]
    return (F1 - down) * top + down * bottom


@njit(cache=True)
def _see_in(picture, K, known, cell, posed, cosines, behind, solid, colors, facing, resolution, places):
    """Of points in the camera space of one picture: what they see in it. colors, facing and resolution begin at 0."""
    height, width = picture.shape[:2]
    cells = width // cell
    nearest = np.full((cells, cells), np.inf, np.float32)
    to_cells = np.float32(cells) * HALF
    for m in range(len(posed)):
        u, v, inside = _place(posed[m, 0], posed[m, 1], posed[m, 2], K, width, height)
        places[m, 0], places[m, 1] = u, v
        if known and inside and solid[m]:
            column, row = min(int((u + F1) * to_cells), cells - 1), min(int((v + F1) * to_cells), cells - 1)
            nearest[row, column] = min(nearest[row, column], posed[m, 2])
    if not known:
        return
    for m in range(len(posed)):
        u, v, depth = places[m, 0], places[m, 1], posed[m, 2]
        if not (cosines[m] > OBLIQUE and max(abs(u), abs(v)) < F1 and depth > NEAR):
            continue
        column, row = min(int((u + F1) * to_cells), cells - 1), min(int((v + F1) * to_cells), cells - 1)
        if not depth < nearest[row, column] + behind[m]:
            continue
        corners = _corners(u, v, width, height)
        matte = _channel(picture, corners, 3)
        if matte > INSIDE:
            for c in range(3):
                colors[m, c] = min(max(_channel(picture, corners, c) / matte + HALF, F0), F1)
            facing[m] = cosines[m]
            resolution[m] = np.log(K[0, 0] / (CENTIMETRES * depth))


@njit(nogil=True, cache=True)
def _see_photographs(
    counters, points, normals, joints, values, counts, matrices, behind, solid, bodies, faces, body_Ks, face_Ks, known,
    colors, facing, resolution, places,
):  # fmt: skip
    """Of one photograph after another, its body picture and its face crop: what its person's points see."""
    N, M = matrices.shape[1], points.shape[1]
    blend, posed, cosines = np.empty((3, 4), np.float32), np.empty((M, 3), np.float32), np.empty(M, np.float32)
    piece = first_piece(counters)
    while piece >= 0:
        b, n = piece // N, piece % N
        for m in range(M):
            _blend(matrices[b, n], joints[m], values[m], counts[m], blend)
            x, y, z = _move(blend, points[b, m, 0], points[b, m, 1], points[b, m, 2])
            i, j, k = _turn(blend, normals[m, 0], normals[m, 1], normals[m, 2])
            lengths = max(np.sqrt(x * x + y * y + z * z), TINY) * max(np.sqrt(i * i + j * j + k * k), TINY)
            posed[m, 0], posed[m, 1], posed[m, 2] = x, y, z
            cosines[m] = -(x * i + y * j + z * k) / lengths
        s = N + n
        _see_in(
            bodies[b, n], body_Ks[b, n], known[b, n, 0], CELL[0], posed, cosines, behind,
            solid[b], colors[b, n], facing[b, n], resolution[b, n], places[b, n],
        )  # fmt: skip
        _see_in(
            faces[b, n], face_Ks[b, n], known[b, n, 1], CELL[1], posed, cosines, behind,
            solid[b], colors[b, s], facing[b, s], resolution[b, s], places[b, s],
        )  # fmt: skip
        piece = next_piece(counters)


def see(points, normals, skinning, matrices, behind, solid, bodies, faces, body_Ks, face_Ks, known):
    """What `alignment.Samples` holds, where a point is seen; where it is not, facing, colours and resolution are 0.

    points [B, M, 3] and normals [M, 3] of the T-pose; skinning: joints, values, counts; behind [M]: metres behind the
    nearest solid point at which a point is hidden, as `BEHIND`; solid [B, M]; Ks [B, N, 3, 3]; known [B, N, 2], of body
    pictures and face crops. Colours [B, 2N, M, 3], facing, resolution [B, 2N, M], places [B, 2N, M, 2].
    """
    (B, N), M = known.shape[:2], points.shape[1]
    seen = (
        np.zeros((B, 2 * N, M, 3), np.float32), np.zeros((B, 2 * N, M), np.float32),
        np.zeros((B, 2 * N, M), np.float32), np.empty((B, 2 * N, M, 2), np.float32),
    )  # fmt: skip
    with first_call("looking at photographs"):
        share_out(
            _see_photographs, B * N, points, normals, *skinning, matrices, behind, solid, bodies, faces, body_Ks,
            face_Ks, known, *seen,
        )  # fmt: skip
    return seen


@njit(nogil=True, cache=True)
def _mean_chunks(counters, colors, facing, mean, seen):
    B, S, M = facing.shape
    chunks = (M + CHUNK - 1) // CHUNK
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        for m in range(chunk * CHUNK, min(M, (chunk + 1) * CHUNK)):
            red, green, blue, total = F0, F0, F0, F0
            for s in range(S):
                if facing[b, s, m] != 0:
                    weight = facing[b, s, m] * facing[b, s, m]
                    total += weight
                    red += weight * (colors[b, s, m, 0] - HALF)
                    green += weight * (colors[b, s, m, 1] - HALF)
                    blue += weight * (colors[b, s, m, 2] - HALF)
            least = max(total, LEAST)
            mean[b, m, 0], mean[b, m, 1], mean[b, m, 2] = red / least, green / least, blue / least
            seen[b, m, 0] = total / (F1 + total)
        piece = next_piece(counters)


def mean_of_samples(colors, facing):
    """What `Samples.mean` tells: colours [B, M, 3] less mid-grey and how well points are seen [B, M, 1]."""
    B, _, M = facing.shape
    means = np.empty((B, M, 3), np.float32), np.empty((B, M, 1), np.float32)
    share_out(_mean_chunks, B * -(-M // CHUNK), colors, facing, *means)
    return means


@njit(nogil=True, cache=True)
def _hull_chunks(
    counters, points, normals, joints, values, counts, matrices, pictures, Ks, known, distances, least
):  # fmt: skip
    B, M = points.shape[:2]
    N, (height, width) = matrices.shape[1], pictures.shape[2:4]
    chunks = (M + CHUNK - 1) // CHUNK
    blend = np.empty((3, 4), np.float32)
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        for n in range(N):
            if not known[b, n, 0]:
                continue
            for m in range(chunk * CHUNK, min(M, (chunk + 1) * CHUNK)):
                _blend(matrices[b, n], joints[m], values[m], counts[m], blend)
                x, y, z = _move(blend, points[b, m, 0], points[b, m, 1], points[b, m, 2])
                i, j, k = _turn(blend, normals[m, 0], normals[m, 1], normals[m, 2])
                for h in range(len(distances)):
                    far = distances[h]
                    u, v, inside = _place(x + far * i, y + far * j, z + far * k, Ks[b, n], width, height)
                    if inside:
                        matte = _channel(pictures[b, n], _corners(u, v, width, height), 3)
                        least[b, m, h] = min(least[b, m, h], matte)
        piece = next_piece(counters)


def least_mattes(points, normals, skinning, matrices, bodies, body_Ks, known, distances):
    """What `View.hull` tells: the least matte over the body pictures at these distances along the normals [B, M, H]."""
    least = np.ones((*points.shape[:2], len(distances)), np.float32)
    with first_call("looking at photographs"):
        share_out(
            _hull_chunks, len(points) * -(-points.shape[1] // CHUNK), points, normals, *skinning, matrices, bodies,
            body_Ks, known, distances, least,
        )  # fmt: skip
    return least


@njit(nogil=True, cache=True)
def _lack_chunks(
    counters, points, normals, joints, values, counts, matrices, bodies, faces, body_Ks, known, facing, places,
    distances, told,
):  # fmt: skip
    B, M = points.shape[:2]
    N, H = matrices.shape[1], len(distances)
    chunks = (M + CHUNK - 1) // CHUNK
    blend, totals = np.empty((3, 4), np.float32), np.empty(CHUNK, np.float32)
    piece = first_piece(counters)
    while piece >= 0:
        b, chunk = piece // chunks, piece % chunks
        first, end = chunk * CHUNK, min(M, (chunk + 1) * CHUNK)
        totals[:] = 0
        for s in range(2 * N):
            picture = bodies[b, s] if s < N else faces[b, s - N]
            height, width = picture.shape[:2]
            for m in range(first, end):
                if facing[b, s, m] != 0:
                    weight = facing[b, s, m] * facing[b, s, m]
                    corners = _corners(places[b, s, m, 0], places[b, s, m, 1], width, height)
                    totals[m - first] += weight
                    for c in range(3):
                        told[b, m, c] += weight * _channel(picture, corners, c)
        for m in range(first, end):
            for c in range(3):
                told[b, m, c] /= max(totals[m - first], LEAST)
        pictures = 0
        for n in range(N):
            pictures += known[b, n, 0]
        share = F1 / np.float32(max(pictures, 1))
        height, width = bodies.shape[2:4]
        for n in range(N):
            if not known[b, n, 0]:
                continue
            for m in range(first, end):
                _blend(matrices[b, n], joints[m], values[m], counts[m], blend)
                x, y, z = _move(blend, points[b, m, 0], points[b, m, 1], points[b, m, 2])
                i, j, k = _turn(blend, normals[m, 0], normals[m, 1], normals[m, 2])
                for h in range(H):
                    far = distances[h]
                    u, v, inside = _place(x + far * i, y + far * j, z + far * k, body_Ks[b, n], width, height)
                    if inside:
                        alpha = share * _channel(bodies[b, n], _corners(u, v, width, height), 3)
                        told[b, m, 3 + 2 * h] += max(alpha, F0)
                        told[b, m, 4 + 2 * h] += max(-alpha, F0)
        piece = next_piece(counters)


def look_up(points, normals, skinning, matrices, bodies, faces, body_Ks, known, facing, places, distances):
    """What `View.look_up` tells of what is missing in bodies and faces [B, N, H, W, 4]: [B, M, 3 + 2 H]."""
    told = np.zeros((*points.shape[:2], 3 + 2 * len(distances)), np.float32)
    with first_call("looking at photographs"):
        share_out(
            _lack_chunks, len(points) * -(-points.shape[1] // CHUNK), points, normals, *skinning, matrices, bodies,
            faces, body_Ks, known, facing, places, distances, told,
        )  # fmt: skip
    return told
