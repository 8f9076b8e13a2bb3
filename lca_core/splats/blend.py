"""Numba kernels: linear blend skinning of Gaussians with sparse weights, and its gradients, on all cores.

Poses, Gaussians and weights may each be shared by a part of the batch: `rows` [4, B] holds, for each of B posed sets,
in which row its means, its quats, its weights and its joints stand. Nothing is copied for that, and gradients add up
in the row they belong to. A piece of work is some Gaussians in all poses, so that no two threads write in one place.
"""

import numpy as np
from numba import njit

from lca_core.splats.sharing import first_piece, next_piece, share_out

CHUNK = 256  # Gaussians per piece of work: fixed, so that sums do not depend on the number of threads
CONTRACT = {"contract"}


@njit(nogil=True, cache=True)
def _sparse_chunks(counters, weights, joints, values, counts):
    R, J = weights.shape
    piece = first_piece(counters)
    while piece >= 0:
        for r in range(piece * CHUNK, min(R, (piece + 1) * CHUNK)):
            place, heaviest = 0, 0
            joints[r, 0], values[r, 0] = 0, 0
            for j in range(J):
                value = weights[r, j]
                if value != 0:
                    joints[r, place], values[r, place] = j, value
                    if value > values[r, heaviest]:
                        heaviest = place
                    place += 1
            joints[r, 0], joints[r, heaviest] = joints[r, heaviest], joints[r, 0]
            values[r, 0], values[r, heaviest] = values[r, heaviest], values[r, 0]
            counts[r] = place
        piece = next_piece(counters)


def sparse_weights(weights):
    """Weights [R, J] without their zeros: joints [R, M] int32 and values [R, M], heaviest joint first; counts [R]."""
    R, J = weights.shape
    sparse = np.empty((R, J), np.int32), np.empty((R, J), np.float32), np.empty(R, np.int32)
    share_out(_sparse_chunks, -(-R // CHUNK), weights, *sparse)
    return sparse


@njit(cache=True, inline="always")
def _turn(quats, joints, values, count):
    """The blend of the joints' quaternions, each on the side of the heaviest joint's, and 1 / its length."""
    first = quats[joints[0]]
    w, x, y, z = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for k in range(count):
        q, value = quats[joints[k]], values[k]
        if q[0] * first[0] + q[1] * first[1] + q[2] * first[2] + q[3] * first[3] < 0:
            value = -value
        w += value * q[0]
        x += value * q[1]
        y += value * q[2]
        z += value * q[3]
    return w, x, y, z, np.float32(1) / max(np.sqrt(w * w + x * x + y * y + z * z), np.float32(1e-12))


@njit(cache=True, inline="always")
def _blend(matrices, joints, values, count, out):
    """The joints' matrices [J, 3, 4] blended by a Gaussian's weights, into out [3, 4]."""
    out[:] = 0
    for k in range(count):
        j, value = np.uintp(joints[k]), values[k]
        for r in range(np.uintp(3)):
            for c in range(np.uintp(4)):
                out[r, c] += value * matrices[j, r, c]


@njit(nogil=True, cache=True)
def _skin_chunks(
    counters, rows, means, quats, joints, values, counts, matrices, turns, posed_means, posed_quats
):  # fmt: skip
    """Of some Gaussians after others, in all poses: their posed means and quats."""
    B, N = posed_means.shape[:2]
    blend = np.empty((3, 4), np.float32)
    piece = first_piece(counters)
    while piece >= 0:
        for b in range(B):
            own_means, own_quats, own_weights, own_joints = rows[0, b], rows[1, b], rows[2, b], rows[3, b]
            for n in range(piece * CHUNK, min(N, (piece + 1) * CHUNK)):
                s = own_weights * N + n
                _blend(matrices[own_joints], joints[s], values[s], counts[s], blend)
                x, y, z = means[own_means, n, 0], means[own_means, n, 1], means[own_means, n, 2]
                for r in range(3):
                    posed_means[b, n, r] = blend[r, 0] * x + blend[r, 1] * y + blend[r, 2] * z + blend[r, 3]
                a0, a1, a2, a3, unit = _turn(turns[own_joints], joints[s], values[s], counts[s])
                a0, a1, a2, a3 = a0 * unit, a1 * unit, a2 * unit, a3 * unit
                rest = quats[own_quats, n]
                w, x, y, z = rest[0], rest[1], rest[2], rest[3]
                posed_quats[b, n, 0] = a0 * w - a1 * x - a2 * y - a3 * z
                posed_quats[b, n, 1] = a0 * x + a1 * w + a2 * z - a3 * y
                posed_quats[b, n, 2] = a0 * y - a1 * z + a2 * w + a3 * x
                posed_quats[b, n, 3] = a0 * z + a1 * y - a2 * x + a3 * w
        piece = next_piece(counters)


def skin_forward(rows, means, quats, joints, values, counts, matrices, turns):
    """Posed means [B, N, 3] and quats [B, N, 4], float32.

    rows [4, B]; means [., N, 3] and quats [., N, 4] at rest; joints, values [. * N, M] and counts of `sparse_weights`;
    matrices [., J, 3, 4] and turns [., J, 4], the joints' transforms and their rotations as quaternions.
    """
    B, N = rows.shape[1], means.shape[1]
    posed = np.empty((B, N, 3), np.float32), np.empty((B, N, 4), np.float32)
    share_out(_skin_chunks, -(-N // CHUNK), rows, means, quats, joints, values, counts, matrices, turns, *posed)
    return posed


@njit(cache=True, fastmath=CONTRACT, error_model="numpy")
def _weights_gradient(d_weights, row, pose, g, turn, matrix_columns, turn_columns, sides, heaviest):
    """Adds to a row of d_weights [., J]: g [12] . each joint's matrix, and turn [4] . its quaternion on the right side.

    Joint by joint and with unsigned indices, so that it becomes vector code.
    """
    g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11 = g
    t0, t1, t2, t3 = turn
    matrix, quat, side, out = matrix_columns[pose], turn_columns[pose], sides[pose, heaviest], d_weights[row]
    for j in range(np.uintp(len(out))):
        across = t0 * quat[0, j] + t1 * quat[1, j] + t2 * quat[2, j] + t3 * quat[3, j]
        total = g0 * matrix[0, j] + g1 * matrix[1, j] + g2 * matrix[2, j] + g3 * matrix[3, j]
        total += g4 * matrix[4, j] + g5 * matrix[5, j] + g6 * matrix[6, j] + g7 * matrix[7, j]
        total += g8 * matrix[8, j] + g9 * matrix[9, j] + g10 * matrix[10, j] + g11 * matrix[11, j]
        out[j] += total + side[j] * across


@njit(nogil=True, cache=True)
def _skin_gradient_chunks(
    counters, rows, means, quats, joints, values, counts, matrices, turns, d_posed_means, d_posed_quats,
    matrix_columns, turn_columns, sides, d_means, d_quats, d_weights, d_matrices, d_turns,
):  # fmt: skip
    """Of some Gaussians after others, in all poses: their gradients, and their share of the joints'.

    Of d_weights and of d_matrices and d_turns, those of length 0 are left out.
    """
    B, N = d_posed_means.shape[:2]
    P, J = matrices.shape[:2]
    of_weights, of_joints = len(d_weights) > 0, len(d_matrices) > 0
    blend = np.empty((3, 4), np.float32)
    piece = first_piece(counters)
    while piece >= 0:
        if of_joints:
            sum_matrices, sum_turns = np.zeros((P, J, 12), np.float64), np.zeros((P, J, 4), np.float64)
        for b in range(B):
            own_means, own_quats, own_weights, own_joints = rows[0, b], rows[1, b], rows[2, b], rows[3, b]
            joint_quats = turns[own_joints]
            for n in range(piece * CHUNK, min(N, (piece + 1) * CHUNK)):
                s = own_weights * N + n
                count = counts[s]
                _blend(matrices[own_joints], joints[s], values[s], count, blend)
                gx, gy, gz = d_posed_means[b, n, 0], d_posed_means[b, n, 1], d_posed_means[b, n, 2]
                for c in range(3):
                    d_means[own_means, n, c] += blend[0, c] * gx + blend[1, c] * gy + blend[2, c] * gz
                a0, a1, a2, a3, unit = _turn(joint_quats, joints[s], values[s], count)
                a0, a1, a2, a3 = a0 * unit, a1 * unit, a2 * unit, a3 * unit
                w, x = d_posed_quats[b, n, 0], d_posed_quats[b, n, 1]
                y, z = d_posed_quats[b, n, 2], d_posed_quats[b, n, 3]
                d_quats[own_quats, n, 0] += a0 * w + a1 * x + a2 * y + a3 * z
                d_quats[own_quats, n, 1] += a0 * x - a1 * w - a2 * z + a3 * y
                d_quats[own_quats, n, 2] += a0 * y + a1 * z - a2 * w - a3 * x
                d_quats[own_quats, n, 3] += a0 * z - a1 * y + a2 * x - a3 * w
                if not (of_weights or of_joints):
                    continue
                X, Y, Z = means[own_means, n, 0], means[own_means, n, 1], means[own_means, n, 2]
                g = (gx * X, gx * Y, gx * Z, gx, gy * X, gy * Y, gy * Z, gy, gz * X, gz * Y, gz * Z, gz)
                # posed = turn * quat, so dL/dturn = dL/dposed * conjugate(quat); then through turn = sum / length.
                q0, q1 = quats[own_quats, n, 0], quats[own_quats, n, 1]
                q2, q3 = quats[own_quats, n, 2], quats[own_quats, n, 3]
                t0 = w * q0 + x * q1 + y * q2 + z * q3
                t1 = x * q0 - w * q1 + z * q2 - y * q3
                t2 = y * q0 - w * q2 + x * q3 - z * q1
                t3 = z * q0 - w * q3 + y * q1 - x * q2
                along = a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
                t0, t1, t2, t3 = t0 - along * a0, t1 - along * a1, t2 - along * a2, t3 - along * a3
                turn, heaviest = (t0 * unit, t1 * unit, t2 * unit, t3 * unit), joints[s, 0]
                if of_weights:
                    _weights_gradient(
                        d_weights, s, own_joints, g, turn, matrix_columns, turn_columns, sides, heaviest
                    )  # fmt: skip
                if of_joints:
                    for k in range(count):
                        j, value = joints[s, k], values[s, k]
                        for c in range(12):
                            sum_matrices[own_joints, j, c] += value * g[c]
                        for c in range(4):
                            sum_turns[own_joints, j, c] += value * sides[own_joints, heaviest, j] * turn[c]
        if of_joints:
            d_matrices[piece], d_turns[piece] = sum_matrices, sum_turns
        piece = next_piece(counters)


def skin_backward(rows, means, quats, joints, values, counts, matrices, turns, d_means, d_quats, of_weights, of_joints):
    """Gradients of means, quats, weights [. * N, J], matrices and turns from those of the posed means and quats.

    The first as `skin_forward` takes them; of_weights, of_joints: whether to find those of weights, and of matrices and
    turns; None where not.
    """
    N, (P, J) = means.shape[1], matrices.shape[:2]
    chunks = -(-N // CHUNK)
    columns = matrices.reshape(P, J, 12).transpose(0, 2, 1), turns.transpose(0, 2, 1)
    sides = np.where(turns @ turns.transpose(0, 2, 1) < 0, np.float32(-1), np.float32(1))
    wanted = of_joints * chunks
    sums = np.empty((wanted, P, J, 12)), np.empty((wanted, P, J, 4))
    rest, d_weights = (np.zeros_like(means), np.zeros_like(quats)), np.zeros((of_weights * len(counts), J), np.float32)
    share_out(
        _skin_gradient_chunks, chunks, rows, means, quats, joints, values, counts, matrices, turns, d_means, d_quats,
        *map(np.ascontiguousarray, columns), sides, *rest, d_weights, *sums,
    )  # fmt: skip
    if of_joints:  # in the order of the chunks, whoever did them
        of_matrices, of_turns = (part.sum(axis=0).astype(np.float32) for part in sums)
    else:
        of_matrices, of_turns = None, None
    return *rest, d_weights if of_weights else None, of_matrices, of_turns
