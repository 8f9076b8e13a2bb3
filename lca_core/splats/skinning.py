"""Linear blend skinning of Gaussians: their means move and their axes turn with the skeleton."""

import math
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.weak import WeakTensorKeyDictionary

from lca_core.splats.blend import skin_backward, skin_forward, sparse_weights
from lca_core.splats.compiling import first_call
from lca_core.splats.gaussians import Gaussians


def matrices_to_quats(matrices: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Unit wxyz quaternions of rotation matrices, of either sign.

    For a rotation, 4 q q^T is linear in the matrix; the row with the largest diagonal entry (at least 1) is a
    multiple of q, so nothing is divided by a small number and gradients are finite everywhere. roma's does the same by
    masks, whose sizes are not known on the meta device.
    """
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrices.flatten(-2).unbind(-1)
    rows = (
        *(1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01),
        *(m21 - m12, 1 + m00 - m11 - m22, m01 + m10, m02 + m20),
        *(m02 - m20, m01 + m10, 1 - m00 + m11 - m22, m12 + m21),
        *(m10 - m01, m02 + m20, m12 + m21, 1 - m00 - m11 + m22),
    )
    products = torch.stack(rows, dim=-1).unflatten(-1, (4, 4))
    largest = products.detach().diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None]
    row = products.take_along_dim(largest, dim=-2).squeeze(-2)
    return torch.nn.functional.normalize(row, dim=-1)


def multiply_quats(first: Float[Tensor, "*#batch 4"], second: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*#batch 4"]:
    """Hamilton product, wxyz: the rotation `second`, then `first`. In a step of every training: roma's, which wants
    xyzw, takes more than half as long again."""
    a, b, c, d = first.unbind(-1)
    w, x, y, z = second.unbind(-1)
    product = (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )
    return torch.stack(product, dim=-1)


def skin(
    gaussians: Gaussians,
    weights: Float[Tensor, "N J"] | Float[Tensor, "*#batch N J"],
    transforms: Float[Tensor, "*#batch J 4 4"],
) -> Gaussians:
    """Pose Gaussians by J rigid transforms (rest -> posed), differentiably in everything.

    gaussians: [N, .] (shared by the batch) or [*batch, N, .]; weights: [N, J] (shared) or [*batch, N, J], rows summing
    to 1; leading dimensions are broadcast against each other.
    Means move by the blended 4 x 4 matrix, as the mesh does (SMPL). Rotations turn by the normalised blend of
    the joints' quaternions, each in the half-space of the Gaussian's heaviest joint: between two joints it
    turns about their relative axis only, never degenerates for bends under 180 degrees, and its gradients are
    finite, which those of a polar decomposition of the blended matrix (the equally reasonable choice) are not
    when singular values meet. Scales, opacities and colours stay as they are.

    On a CPU and in float32 a kernel does the same with the weights' zeros left out, many times faster. Weights that ask
    for no gradient are looked through for zeros once, and again when they have changed. Learned ones of which most are
    not zero stay with torch, whose matrix products are then the faster way.

    Returns Gaussians [*batch, N, .]. Raises ValueError where shapes do not fit.
    """
    count, joints = len(gaussians), transforms.shape[-3]
    if transforms.shape[-2:] != (4, 4) or weights.shape[-2:] != (count, joints):
        raise ValueError(
            f"weights must be [{count}, {joints}] or [*batch, {count}, {joints}] for {count} Gaussians and transforms "
            f"[*batch, {joints}, 4, 4], not {list(weights.shape)} and {list(transforms.shape)}"
        )
    leading = (transforms.shape[:-3], gaussians.means.shape[:-2], gaussians.quats.shape[:-2], weights.shape[:-2])
    try:
        batch = torch.broadcast_shapes(*leading)
    except RuntimeError:
        raise ValueError(
            "transforms, means, quats and weights must have the same batch or be shared by it, not "
            + ", ".join(str(list(shape)) for shape in leading)
        ) from None
    tensors = (gaussians.means, gaussians.quats, weights, transforms)
    quick = all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors)
    quick = quick and not (weights.requires_grad and 2 * torch.count_nonzero(weights) > weights.numel())
    means, quats = (_by_kernel if quick else _by_tensors)(gaussians, weights, transforms, batch)
    return replace(
        gaussians,
        means=means,
        quats=quats,
        scales=gaussians.scales.expand(*batch, -1, -1),
        opacities=gaussians.opacities.expand(*batch, -1),
        colors=gaussians.colors.expand(*batch, -1, -1),
    )


def _by_tensors(
    gaussians: Gaussians, weights: Tensor, transforms: Tensor, batch: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Posed means [*batch, N, 3] and quats [*batch, N, 4], differentiable in everything."""
    matrices = (weights @ transforms[..., :3, :].flatten(-2)).unflatten(-1, (3, 4))  # [*batch, N, 3, 4]
    # Not a matrix product: tens of thousands of 3 x 3 ones are far slower than this.
    means = (matrices[..., :3] * gaussians.means[..., None, :]).sum(-1) + matrices[..., 3]
    means = means.expand(*batch, -1, -1)

    joint_quats = matrices_to_quats(transforms[..., :3, :3])  # [*batch, J, 4]
    with torch.no_grad():
        agree = torch.where(joint_quats @ joint_quats.transpose(-1, -2) < 0, -1.0, 1.0).to(weights)  # [*batch, J, J]
        shared, (count, joints) = torch.broadcast_shapes(agree.shape[:-2], weights.shape[:-2]), weights.shape[-2:]
        first = joints * torch.arange(math.prod(shared), device=weights.device).reshape(*shared, 1)
        heaviest = first + weights.argmax(
            -1
        )  # a row of `agree`, counted over the batch; many times faster than a gather
        signs = agree.expand(*shared, -1, -1).reshape(-1, joints).index_select(0, heaviest.flatten())
        signs = signs.reshape(*shared, count, joints)
    turn = (weights * signs) @ joint_quats
    turn = torch.nn.functional.normalize(turn, dim=-1)
    return means, multiply_quats(*torch.broadcast_tensors(turn, gaussians.quats)).expand(*batch, -1, -1)


def _by_kernel(
    gaussians: Gaussians, weights: Tensor, transforms: Tensor, batch: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """The same, on a CPU and in float32."""
    inputs = (gaussians.means, gaussians.quats, weights, transforms[..., :3, :])
    rows = torch.stack([_rows(tensor.shape[:-2], batch) for tensor in (*inputs[:3], transforms[..., 0])])
    turns = matrices_to_quats(transforms[..., :3, :3])
    means, quats = _Skin.apply(rows.numpy(), *inputs, turns)
    return means.reshape(*batch, *means.shape[1:]), quats.reshape(*batch, *quats.shape[1:])


def _rows(shape: tuple[int, ...], batch: tuple[int, ...]) -> Int[Tensor, " B"]:
    """Of each element of the batch, in order: which row of a tensor with the leading dimensions `shape` it reads."""
    return torch.arange(math.prod(shape)).reshape(shape).expand(batch).reshape(-1)


_sparse_of = WeakTensorKeyDictionary()  # weights -> their version, and what sparse_weights made of it


def without_zeros(weights: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights [R, J] without their zeros: joints and values [R, most], heaviest first, and how many each row has [R].

    For fixed ones found once for a tensor, and again when it has changed.

    Tensors of torch.inference_mode do not count their changes, so theirs are found at every call.
    """
    flat = weights.detach().contiguous().view(-1, weights.shape[-1]).numpy()
    if weights.requires_grad or weights.is_inference():
        return sparse_weights(flat)
    version, found = _sparse_of.get(weights, (None, None))
    if version != weights._version:
        joints, values, counts = sparse_weights(flat)
        most = max(1, int(counts.max(initial=0)))  # what is read for every frame, close together
        found = np.ascontiguousarray(joints[:, :most]), np.ascontiguousarray(values[:, :most]), counts
        _sparse_of[weights] = weights._version, found
    return found


def _array(tensor: Tensor, inner: int) -> np.ndarray:
    """The tensor's own memory (a copy if not contiguous): one batch dimension, then `inner` more."""
    return tensor.detach().contiguous().numpy().reshape(-1, *tensor.shape[tensor.ndim - inner :])


class _Skin(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows, means, quats, weights, matrices, turns):
        # Also saved as tensors, so that torch notices if one is overwritten before the backward pass.
        ctx.save_for_backward(means, quats, weights, matrices, turns)
        with first_call("skinning"):
            ctx.inputs = (
                rows, _array(means, 2), _array(quats, 2), *without_zeros(weights), _array(matrices, 3), _array(turns, 2)
            )  # fmt: skip
            posed = skin_forward(*ctx.inputs)
        return tuple(map(torch.from_numpy, posed))

    @staticmethod
    @once_differentiable
    def backward(ctx, d_means, d_quats):
        tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3], ctx.needs_input_grad[4] or ctx.needs_input_grad[5]
        with first_call("the gradients of skinning"):
            gradients = skin_backward(*ctx.inputs, _array(d_means, 2), _array(d_quats, 2), *wanted)
        return None, *(
            None if gradient is None else torch.from_numpy(gradient).reshape(tensor.shape)
            for gradient, tensor in zip(gradients, tensors, strict=True)
        )
