"""Numba kernels: linear blend skinning of Gaussians with sparse weights, and its gradients, on all cores."""

import numpy as np
from numba import njit, prange

CHUNK = 256  # Gaussians per piece of work


@njit(cache=True)
def sparse_weights(weights):
    """Weights [N, J] without their zeros: joints [N, M] int32 and values [N, M], heaviest joint first, 0-padded."""
    N, J = weights.shape
    most = 1
    for n in range(N):
        count = 0
        for j in range(J):
            count += weights[n, j] != 0
        most = max(most, count)
    joints, values = np.zeros((N, most), np.int32), np.zeros((N, most), np.float32)
    for n in range(N):
        place, heaviest = 0, 0
        for j in range(J):
            if weights[n, j] != 0:
                joints[n, place], values[n, place] = j, weights[n, j]
                if values[n, place] > values[n, heaviest]:
                    heaviest = place
                place += 1
        joints[n, 0], joints[n, heaviest] = joints[n, heaviest], joints[n, 0]
        values[n, 0], values[n, heaviest] = values[n, heaviest], values[n, 0]
    return joints, values


@njit(cache=True, inline="always")
def _turn(quats, joints, values, n):
    """The normalised blend of the joints' quaternions, each on the side of the heaviest joint's."""
    first = quats[joints[n, 0]]
    w, x, y, z = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for k in range(joints.shape[1]):
        q, value = quats[joints[n, k]], values[n, k]
        if q[0] * first[0] + q[1] * first[1] + q[2] * first[2] + q[3] * first[3] < 0:
            value = -value
        w += value * q[0]
        x += value * q[1]
        y += value * q[2]
        z += value * q[3]
    r = np.float32(1) / max(np.sqrt(w * w + x * x + y * y + z * z), np.float32(1e-12))
    return w * r, x * r, y * r, z * r


@njit(cache=True, inline="always")
def _blend(matrices, joints, values, n, out):
    """The joints' matrices [J, 3, 4] blended by a Gaussian's weights, into out [3, 4]."""
    out[:] = 0
    for k in range(joints.shape[1]):
        value = values[n, k]
        if value != 0:
            for r in range(3):
                for c in range(4):
                    out[r, c] += value * matrices[joints[n, k], r, c]


@njit(parallel=True, cache=True)
def skin_forward(means, quats, joints, values, matrices, joint_quats):
    """Posed means [B, N, 3] and quats [B, N, 4] from those at rest; matrices [B, J, 3, 4], joint_quats [B, J, 4]."""
    B, N = means.shape[:2]
    posed_means, posed_quats = np.empty_like(means), np.empty_like(quats)
    chunks = (N + CHUNK - 1) // CHUNK
    for job in prange(B * chunks):
        b, chunk = job // chunks, job % chunks
        blend = np.empty((3, 4), np.float32)
        for n in range(chunk * CHUNK, min(N, (chunk + 1) * CHUNK)):
            _blend(matrices[b], joints, values, n, blend)
            x, y, z = means[b, n, 0], means[b, n, 1], means[b, n, 2]
            for r in range(3):
                posed_means[b, n, r] = blend[r, 0] * x + blend[r, 1] * y + blend[r, 2] * z + blend[r, 3]
            a0, a1, a2, a3 = _turn(joint_quats[b], joints, values, n)
            w, x, y, z = quats[b, n, 0], quats[b, n, 1], quats[b, n, 2], quats[b, n, 3]
            posed_quats[b, n, 0] = a0 * w - a1 * x - a2 * y - a3 * z
            posed_quats[b, n, 1] = a0 * x + a1 * w + a2 * z - a3 * y
            posed_quats[b, n, 2] = a0 * y - a1 * z + a2 * w + a3 * x
            posed_quats[b, n, 3] = a0 * z + a1 * y - a2 * x + a3 * w
    return posed_means, posed_quats


@njit(parallel=True, cache=True)
def skin_backward(d_means, d_quats, joints, values, matrices, joint_quats):
    """Gradients of the means and quats at rest from those of the posed ones: both maps are linear."""
    B, N = d_means.shape[:2]
    rest_means, rest_quats = np.empty_like(d_means), np.empty_like(d_quats)
    chunks = (N + CHUNK - 1) // CHUNK
    for job in prange(B * chunks):
        b, chunk = job // chunks, job % chunks
        blend = np.empty((3, 4), np.float32)
        for n in range(chunk * CHUNK, min(N, (chunk + 1) * CHUNK)):
            _blend(matrices[b], joints, values, n, blend)
            x, y, z = d_means[b, n, 0], d_means[b, n, 1], d_means[b, n, 2]
            for c in range(3):
                rest_means[b, n, c] = blend[0, c] * x + blend[1, c] * y + blend[2, c] * z
            a0, a1, a2, a3 = _turn(joint_quats[b], joints, values, n)
            w, x, y, z = d_quats[b, n, 0], d_quats[b, n, 1], d_quats[b, n, 2], d_quats[b, n, 3]
            rest_quats[b, n, 0] = a0 * w + a1 * x + a2 * y + a3 * z
            rest_quats[b, n, 1] = a0 * x - a1 * w - a2 * z + a3 * y
            rest_quats[b, n, 2] = a0 * y + a1 * z - a2 * w - a3 * x
            rest_quats[b, n, 3] = a0 * z - a1 * y + a2 * x - a3 * w
    return rest_means, rest_quats
