"""Numba kernels: Gaussians to splats on the image plane, and the gradients of that, on all cores.

The arithmetic is float64 inside (it is a small share of the time) and float32 outside. Image i has camera i and draws
the set of Gaussians owners[i]; splats are numbered s = i * N + n. The formulas are those of reference.py, with the
projected covariance written as P P^T, P = J R_view R_quat diag(scales), which halves the work of the backward pass.
"""

import numpy as np
from numba import njit

from lca_core.splats.reference import ALPHA_MIN, FOV_MARGIN
from lca_core.splats.sharing import first_piece, next_piece, share_out

SLACK = 1e-3  # px: boxes are drawn a little wide, so that rounding cannot cut off a visible pixel
FARTHEST = np.sqrt(-2.0 * np.log(ALPHA_MIN))  # standard deviations at which nothing is opaque enough to be drawn
CHUNK = 128  # Gaussians per piece of work: fixed, so that sums do not depend on the number of threads


@njit(cache=True, error_model="numpy")
def _rotation(qw, qx, qy, qz):
    r = 1.0 / np.sqrt(qw * qw + qx * qx + qy * qy + qz * qz)
    w, x, y, z = qw * r, qx * r, qy * r, qz * r
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
        (w, x, y, z, r),
    )


@njit(cache=True, error_model="numpy")
def _jacobian(x, y, z, fx, fy, cx, cy, width, height):
    """The four non-zero entries of the projection's Jacobian, and whether x and y follow the mean."""
    rz = 1.0 / z
    margin_x, margin_y = FOV_MARGIN * 0.5 * width / fx, FOV_MARGIN * 0.5 * height / fy
    u, v = x * rz, y * rz
    low_u, high_u = -(cx / fx + margin_x), (width - cx) / fx + margin_x
    low_v, high_v = -(cy / fy + margin_y), (height - cy) / fy + margin_y
    free_x, free_y = low_u <= u <= high_u, low_v <= v <= high_v
    u, v = min(max(u, low_u), high_u), min(max(v, low_v), high_v)
    return fx * rz, -fx * u * rz, fy * rz, -fy * v * rz, u, v, free_x, free_y


@njit(nogil=True, cache=True, error_model="numpy")
def _project_chunks(
    counters, means, quats, scales, opacities, viewmats, Ks, owners, width, height, near, far, eps2d,
    means2d, shapes, depths, boxes,
):  # fmt: skip
    """Of one chunk of Gaussians after another, in one image each: what project_forward returns."""
    N = means.shape[1]
    chunks = (N + CHUNK - 1) // CHUNK
    job = first_piece(counters)
    while job >= 0:
        image, chunk = job // chunks, job % chunks
        b = owners[image]
        V = viewmats[image].astype(np.float64)
        fx, fy = np.float64(Ks[image, 0, 0]), np.float64(Ks[image, 1, 1])
        cx, cy = np.float64(Ks[image, 0, 2]), np.float64(Ks[image, 1, 2])
        for n in range(chunk * CHUNK, min(N, (chunk + 1) * CHUNK)):
            s = image * N + n
            boxes[s, 0], boxes[s, 1], boxes[s, 2], boxes[s, 3] = 0, -1, 0, -1
            X, Y, Z = np.float64(means[b, n, 0]), np.float64(means[b, n, 1]), np.float64(means[b, n, 2])
            z = V[2, 0] * X + V[2, 1] * Y + V[2, 2] * Z + V[2, 3]
            opacity = np.float64(opacities[b, n])
            if z < near or z > far or opacity < ALPHA_MIN:
                continue
            x = V[0, 0] * X + V[0, 1] * Y + V[0, 2] * Z + V[0, 3]
            y = V[1, 0] * X + V[1, 1] * Y + V[1, 2] * Z + V[1, 3]
            j00, j02, j11, j12, _, _, _, _ = _jacobian(x, y, z, fx, fy, cx, cy, width, height)
            mx, my = fx * x / z + cx, fy * y / z + cy
            # What is too far outside for any turn of its axes is known before they are turned: most of a close-up.
            longest = max(np.float64(scales[b, n, 0]), np.float64(scales[b, n, 1]), np.float64(scales[b, n, 2]))
            far_x = FARTHEST * np.sqrt(eps2d + longest * longest * (j00 * j00 + j02 * j02)) + 2 * SLACK
            far_y = FARTHEST * np.sqrt(eps2d + longest * longest * (j11 * j11 + j12 * j12)) + 2 * SLACK
            if mx + far_x <= 0 or mx - far_x >= width or my + far_y <= 0 or my - far_y >= height:
                continue
            r0, r1, r2, _ = _rotation(
                np.float64(quats[b, n, 0]),
                np.float64(quats[b, n, 1]),
                np.float64(quats[b, n, 2]),
                np.float64(quats[b, n, 3]),
            )
            g00, g01, g02 = j00 * V[0, 0] + j02 * V[2, 0], j00 * V[0, 1] + j02 * V[2, 1], j00 * V[0, 2] + j02 * V[2, 2]
            g10, g11, g12 = j11 * V[1, 0] + j12 * V[2, 0], j11 * V[1, 1] + j12 * V[2, 1], j11 * V[1, 2] + j12 * V[2, 2]
            cov_a, cov_b, cov_c = eps2d, 0.0, eps2d
            for k in range(3):
                size = np.float64(scales[b, n, k])
                p0 = (g00 * r0[k] + g01 * r1[k] + g02 * r2[k]) * size
                p1 = (g10 * r0[k] + g11 * r1[k] + g12 * r2[k]) * size
                cov_a += p0 * p0
                cov_b += p0 * p1
                cov_c += p1 * p1
            det = cov_a * cov_c - cov_b * cov_b
            if not det > 0.0:
                continue
            reach = 2.0 * np.log(opacity / ALPHA_MIN)
            hx, hy = np.sqrt(reach * cov_a) + SLACK, np.sqrt(reach * cov_c) + SLACK
            if mx + hx <= 0 or mx - hx >= width or my + hy <= 0 or my - hy >= height:
                continue
            boxes[s, 0] = np.int32(max(np.ceil(mx - hx - 0.5), 0.0))
            boxes[s, 1] = np.int32(min(np.floor(mx + hx - 0.5), width - 1.0))
            boxes[s, 2] = np.int32(max(np.ceil(my - hy - 0.5), 0.0))
            boxes[s, 3] = np.int32(min(np.floor(my + hy - 0.5), height - 1.0))
            if boxes[s, 3] < boxes[s, 2]:
                boxes[s, 1] = boxes[s, 0] - 1
            means2d[s, 0], means2d[s, 1] = mx, my
            shapes[s, 0], shapes[s, 1], shapes[s, 2] = cov_c / det, -cov_b / det, cov_a / det
            shapes[s, 3] = opacity
            depths[s] = z
        job = next_piece(counters)


def owners_of(sets, images):
    """Whose Gaussians each image draws, where every set has as many images in a row."""
    return np.repeat(np.arange(sets), images // sets)


def project_forward(means, quats, scales, opacities, viewmats, Ks, width, height, near, far, eps2d, owners=None):
    """Splats of every image.

    means [B, N, 3], quats [B, N, 4], scales [B, N, 3], opacities [B, N], viewmats [*, 4, 4] and Ks [*, 3, 3] of I
    images; owners [I]: whose Gaussians each draws, by default those of `owners_of`.
    Returns means2d [S, 2] float64, shapes [S, 4] float32 (conic a, b, c and opacity), depths [S] float64 and
    boxes [S, 4] int32 (first and last column, first and last row with alpha >= 1/255; column last < first:
    not visible).
    """
    viewmats, Ks, N = viewmats.reshape(-1, 4, 4), Ks.reshape(-1, 3, 3), means.shape[1]
    owners = owners_of(len(means), len(viewmats)) if owners is None else owners
    S = len(viewmats) * N
    splats = (np.empty((S, 2)), np.empty((S, 4), np.float32), np.empty(S), np.empty((S, 4), np.int32))
    share_out(
        _project_chunks, len(viewmats) * -(-N // CHUNK), means, quats, scales, opacities, viewmats, Ks, owners,
        width, height, near, far, eps2d, *splats,
    )  # fmt: skip
    return splats


@njit(nogil=True, cache=True, error_model="numpy")
def _differentiate_chunks(
    counters, means, quats, scales, opacities, viewmats, Ks, first_image, images, width, height, shapes, rows,
    row_start, d_means, d_quats, d_scales, d_opacities, d_colors, d_views,
):  # fmt: skip
    """Of one chunk of Gaussians after another, in all their images: their gradients, their share of the cameras'."""
    B, N = means.shape[0], means.shape[1]
    sets, channels = len(d_colors), rows.shape[1] - 6
    chunks = (N + CHUNK - 1) // CHUNK
    job = first_piece(counters)
    while job >= 0:
        b, chunk = job // chunks, job % chunks
        moments = np.empty(6, np.float64)
        mine = images[first_image[b] : first_image[b + 1]]
        C = len(mine)
        V, K = np.empty((C, 4, 4), np.float64), np.empty((C, 3, 3), np.float64)
        for c in range(C):
            V[c], K[c] = viewmats[mine[c]], Ks[mine[c]]
        d_g = np.empty((2, 3), np.float64)
        d_r = np.empty((3, 3), np.float64)
        d_view = np.zeros((C, 3, 4), np.float64)  # of this chunk: summed apart from where other threads sum theirs
        for n in range(chunk * CHUNK, min(N, (chunk + 1) * CHUNK)):
            gx, gy, gz, g_opacity = 0.0, 0.0, 0.0, 0.0
            gs0, gs1, gs2 = 0.0, 0.0, 0.0
            d_r[:] = 0.0
            r0, r1, r2, unit = _rotation(
                np.float64(quats[b, n, 0]),
                np.float64(quats[b, n, 1]),
                np.float64(quats[b, n, 2]),
                np.float64(quats[b, n, 3]),
            )
            s0, s1, s2 = np.float64(scales[b, n, 0]), np.float64(scales[b, n, 1]), np.float64(scales[b, n, 2])
            X, Y, Z = np.float64(means[b, n, 0]), np.float64(means[b, n, 1]), np.float64(means[b, n, 2])
            for c in range(C):
                s = mine[c] * N + n
                if row_start[s] == row_start[s + 1]:
                    continue
                own = b if sets == B else mine[c]
                moments[:] = 0.0
                for p in range(row_start[s], row_start[s + 1]):
                    for k in range(6):
                        moments[k] += rows[p, k]
                    for k in range(channels):
                        d_colors[own, n, k] += rows[p, 6 + k]
                g_opacity -= moments[0] / opacities[b, n]

                # Repeat the projection.
                x = V[c, 0, 0] * X + V[c, 0, 1] * Y + V[c, 0, 2] * Z + V[c, 0, 3]
                y = V[c, 1, 0] * X + V[c, 1, 1] * Y + V[c, 1, 2] * Z + V[c, 1, 3]
                z = V[c, 2, 0] * X + V[c, 2, 1] * Y + V[c, 2, 2] * Z + V[c, 2, 3]
                fx, fy = K[c, 0, 0], K[c, 1, 1]
                j00, j02, j11, j12, u, v, free_x, free_y = _jacobian(
                    x, y, z, fx, fy, K[c, 0, 2], K[c, 1, 2], width, height
                )
                g00 = j00 * V[c, 0, 0] + j02 * V[c, 2, 0]
                g01 = j00 * V[c, 0, 1] + j02 * V[c, 2, 1]
                g02 = j00 * V[c, 0, 2] + j02 * V[c, 2, 2]
                g10 = j11 * V[c, 1, 0] + j12 * V[c, 2, 0]
                g11 = j11 * V[c, 1, 1] + j12 * V[c, 2, 1]
                g12 = j11 * V[c, 1, 2] + j12 * V[c, 2, 2]

                # sigma -> mean2d and conic -> covariance.
                a, h, e = np.float64(shapes[s, 0]), np.float64(shapes[s, 1]), np.float64(shapes[s, 2])
                g_mx = -(a * moments[1] + h * moments[2])
                g_my = -(h * moments[1] + e * moments[2])
                ca, ch, ce = 0.5 * moments[3], 0.5 * moments[4], 0.5 * moments[5]
                t00, t01 = a * ca + h * ch, a * ch + h * ce
                t10, t11 = h * ca + e * ch, h * ch + e * ce
                cov_a = -(t00 * a + t01 * h)
                cov_b = -2.0 * (t00 * h + t01 * e)
                cov_c = -(t10 * h + t11 * e)

                # covariance -> P (one column per axis of the Gaussian) -> G = J R_view, rotation, scales.
                d_g[:] = 0.0
                for k in range(3):
                    size = s0 if k == 0 else (s1 if k == 1 else s2)
                    q0, q1, q2 = r0[k], r1[k], r2[k]
                    o0, o1 = g00 * q0 + g01 * q1 + g02 * q2, g10 * q0 + g11 * q1 + g12 * q2
                    d0 = (2.0 * cov_a * o0 + cov_b * o1) * size
                    d1 = (2.0 * cov_c * o1 + cov_b * o0) * size
                    d_size = d0 * o0 + d1 * o1
                    if k == 0:
                        gs0 += d_size
                    elif k == 1:
                        gs1 += d_size
                    else:
                        gs2 += d_size
                    d0, d1 = d0 * size, d1 * size
                    d_r[0, k] += d0 * g00 + d1 * g10
                    d_r[1, k] += d0 * g01 + d1 * g11
                    d_r[2, k] += d0 * g02 + d1 * g12
                    d_g[0, 0] += d0 * q0
                    d_g[0, 1] += d0 * q1
                    d_g[0, 2] += d0 * q2
                    d_g[1, 0] += d1 * q0
                    d_g[1, 1] += d1 * q1
                    d_g[1, 2] += d1 * q2

                # G -> J and R_view; J and mean2d -> the mean in the camera's frame.
                dj00, dj02, dj11, dj12 = 0.0, 0.0, 0.0, 0.0
                view = d_view[c]
                for k in range(3):
                    dj00 += d_g[0, k] * V[c, 0, k]
                    dj02 += d_g[0, k] * V[c, 2, k]
                    dj11 += d_g[1, k] * V[c, 1, k]
                    dj12 += d_g[1, k] * V[c, 2, k]
                    view[0, k] += j00 * d_g[0, k]
                    view[1, k] += j11 * d_g[1, k]
                    view[2, k] += j02 * d_g[0, k] + j12 * d_g[1, k]
                rz = 1.0 / z
                rz2 = rz * rz
                dx, dy = j00 * g_mx, j11 * g_my
                dz = -(fx * x * g_mx + fy * y * g_my) * rz2 - (fx * dj00 + fy * dj11) * rz2
                # u = x / z follows the mean inside the margin and is constant outside it.
                dz += fx * u * rz2 * dj02 + fy * v * rz2 * dj12
                if free_x:
                    dx -= fx * rz2 * dj02
                    dz += fx * u * rz2 * dj02
                if free_y:
                    dy -= fy * rz2 * dj12
                    dz += fy * v * rz2 * dj12
                gx += V[c, 0, 0] * dx + V[c, 1, 0] * dy + V[c, 2, 0] * dz
                gy += V[c, 0, 1] * dx + V[c, 1, 1] * dy + V[c, 2, 1] * dz
                gz += V[c, 0, 2] * dx + V[c, 1, 2] * dy + V[c, 2, 2] * dz
                view[0, 0] += dx * X
                view[0, 1] += dx * Y
                view[0, 2] += dx * Z
                view[0, 3] += dx
                view[1, 0] += dy * X
                view[1, 1] += dy * Y
                view[1, 2] += dy * Z
                view[1, 3] += dy
                view[2, 0] += dz * X
                view[2, 1] += dz * Y
                view[2, 2] += dz * Z
                view[2, 3] += dz

            d_means[b, n, 0], d_means[b, n, 1], d_means[b, n, 2] = gx, gy, gz
            d_scales[b, n, 0], d_scales[b, n, 1], d_scales[b, n, 2] = gs0, gs1, gs2
            d_opacities[b, n] = g_opacity
            w, x, y, z, r = unit
            gw = 2 * (x * (d_r[2, 1] - d_r[1, 2]) + y * (d_r[0, 2] - d_r[2, 0]) + z * (d_r[1, 0] - d_r[0, 1]))
            gi = 2 * (
                y * (d_r[0, 1] + d_r[1, 0])
                + z * (d_r[0, 2] + d_r[2, 0])
                + w * (d_r[2, 1] - d_r[1, 2])
                - 2 * x * (d_r[1, 1] + d_r[2, 2])
            )
            gj = 2 * (
                x * (d_r[0, 1] + d_r[1, 0])
                + z * (d_r[1, 2] + d_r[2, 1])
                + w * (d_r[0, 2] - d_r[2, 0])
                - 2 * y * (d_r[0, 0] + d_r[2, 2])
            )
            gk = 2 * (
                x * (d_r[0, 2] + d_r[2, 0])
                + y * (d_r[1, 2] + d_r[2, 1])
                + w * (d_r[1, 0] - d_r[0, 1])
                - 2 * z * (d_r[0, 0] + d_r[1, 1])
            )
            along = gw * w + gi * x + gj * y + gk * z
            d_quats[b, n, 0] = (gw - along * w) * r
            d_quats[b, n, 1] = (gi - along * x) * r
            d_quats[b, n, 2] = (gj - along * y) * r
            d_quats[b, n, 3] = (gk - along * z) * r
        for c in range(C):
            d_views[mine[c], chunk] = d_view[c]
        job = next_piece(counters)


@njit(cache=True)
def _sum_of_chunks(d_views):
    """[I, chunks, 3, 4], added up chunk by chunk, as gradients of viewmats [I, 4, 4]."""
    images, chunks = d_views.shape[:2]
    d_viewmats = np.zeros((images, 4, 4), np.float32)
    for image in range(images):
        for i in range(3):
            for j in range(4):
                total = 0.0
                for chunk in range(chunks):
                    total += d_views[image, chunk, i, j]
                d_viewmats[image, i, j] = total
    return d_viewmats


def project_backward(
    means, quats, scales, opacities, viewmats, Ks, width, height, shapes, rows, row_start, sets, owners=None
):
    """Gradients of means, quats, scales, opacities [B, N, .], colors [sets, N, D] and viewmats [I, 4, 4], float32.

    The first as `project_forward` takes them; sets: B, or I where each image has colours of its own.

    rows [P, 6 + D] float32: for each (splat, tile), the sums over its pixels of dL/dsigma times
    (1, dx, dy, dx^2, dx dy, dy^2), then dL/dcolor; splat s owns rows row_start[s] to row_start[s + 1].
    """
    B, N = means.shape[:2]
    viewmats, Ks = viewmats.reshape(-1, 4, 4), Ks.reshape(-1, 3, 3)
    owners = owners_of(B, len(viewmats)) if owners is None else owners
    images, first_image = np.argsort(owners, kind="stable"), np.searchsorted(np.sort(owners), np.arange(B + 1))
    chunks = -(-N // CHUNK)
    gradients = (
        np.empty((B, N, 3), np.float32), np.empty((B, N, 4), np.float32), np.empty((B, N, 3), np.float32),
        np.empty((B, N), np.float32), np.zeros((sets, N, rows.shape[1] - 6), np.float32),
    )  # fmt: skip
    d_views = np.empty((len(viewmats), chunks, 3, 4))
    share_out(
        _differentiate_chunks, B * chunks, means, quats, scales, opacities, viewmats, Ks, first_image, images,
        width, height, shapes, rows, row_start, *gradients, d_views,
    )  # fmt: skip
    return *gradients, _sum_of_chunks(d_views)
