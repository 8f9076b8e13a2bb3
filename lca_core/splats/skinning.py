"""Linear blend skinning of Gaussians: their means move and their axes turn with the skeleton."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.weak import WeakTensorKeyDictionary

from lca_core.splats.blend import skin_backward, skin_forward, sparse_weights
from lca_core.splats.compiling import first_call
from lca_core.splats.gaussians import Gaussians


def matrices_to_quats(matrices: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Unit wxyz quaternions of rotation matrices, of either sign.

    For a rotation, 4 q q^T is linear in the matrix; the row with the largest diagonal entry (at least 1) is a
    multiple of q, so nothing is divided by a small number and gradients are finite everywhere.
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


def multiply_quats(first: Float[Tensor, "*batch 4"], second: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Hamilton product, wxyz: the rotation `second`, then `first`."""
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
    weights: Float[Tensor, "N J"],
    transforms: Float[Tensor, "*batch J 4 4"],
) -> Gaussians:
    """Pose Gaussians by J rigid transforms (rest -> posed), differentiably in everything.

    gaussians: [N, .] (shared by the batch) or [*batch, N, .]; weights: [N, J], rows summing to 1.
    Means move by the blended 4 x 4 matrix, as the mesh does (SMPL). Rotations turn by the normalised blend of
    the joints' quaternions, each in the half-space of the Gaussian's heaviest joint: between two joints it
    turns about their relative axis only, never degenerates for bends under 180 degrees, and its gradients are
    finite, which those of a polar decomposition of the blended matrix (the equally reasonable choice) are not
    when singular values meet. Scales, opacities and colours stay as they are.

    On a CPU, in float32, and where neither weights nor transforms ask for gradients (drawing, training), a kernel
    does the same with the weights' zeros left out, many times faster.

    Returns Gaussians [*batch, N, .]. Raises ValueError where shapes do not fit.
    """
    count, joints = len(gaussians), transforms.shape[-3]
    if transforms.shape[-2:] != (4, 4) or weights.shape != (count, joints):
        raise ValueError(
            f"weights must be [{count}, {joints}] for {count} Gaussians and transforms [*batch, {joints}, 4, 4], "
            f"not {list(weights.shape)} and {list(transforms.shape)}"
        )
    batch = torch.broadcast_shapes(transforms.shape[:-3], gaussians.means.shape[:-2])
    fixed = not (weights.requires_grad or transforms.requires_grad)
    tensors = (gaussians.means, gaussians.quats, weights, transforms)
    quick = fixed and all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors)
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

    joint_quats = matrices_to_quats(transforms[..., :3, :3])  # [*batch, J, 4]
    with torch.no_grad():
        agree = torch.where(joint_quats @ joint_quats.transpose(-1, -2) < 0, -1.0, 1.0).to(weights)  # [*batch, J, J]
        signs = agree.index_select(-2, weights.argmax(-1))  # [*batch, N, J]
    turn = (weights * signs) @ joint_quats
    turn = torch.nn.functional.normalize(turn, dim=-1)
    return means, multiply_quats(*torch.broadcast_tensors(turn, gaussians.quats))


def _by_kernel(
    gaussians: Gaussians, weights: Tensor, transforms: Tensor, batch: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """The same, differentiable in means and quats."""
    count, joints = weights.shape

    def flat(values: Tensor, *shape: int) -> Tensor:
        return values.expand(*batch, *shape).reshape(-1, *shape)

    with torch.no_grad():
        matrices = flat(transforms[..., :3, :], joints, 3, 4).contiguous()
        turns = flat(matrices_to_quats(transforms[..., :3, :3]), joints, 4).contiguous()
    means, quats = _Skin.apply(
        flat(gaussians.means, count, 3), flat(gaussians.quats, count, 4), weights, matrices, turns
    )
    return means.reshape(*batch, count, 3), quats.reshape(*batch, count, 4)


_sparse_of = WeakTensorKeyDictionary()  # weights -> their version, and what sparse_weights made of it


def _sparse(weights: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The weights without their zeros: found once for a tensor, and again when it has changed.

    Tensors of torch.inference_mode do not count their changes, so theirs are found at every call.
    """
    if weights.is_inference():
        return sparse_weights(weights.contiguous().numpy())
    version, found = _sparse_of.get(weights, (None, None))
    if version != weights._version:
        found = sparse_weights(weights.detach().contiguous().numpy())
        _sparse_of[weights] = weights._version, found
    return found


class _Skin(torch.autograd.Function):
    @staticmethod
    def forward(ctx, means, quats, weights, matrices, turns):
        rest = (means.detach().contiguous().numpy(), quats.detach().contiguous().numpy())
        with first_call("skinning"):
            ctx.blend = (*_sparse(weights), matrices.numpy(), turns.numpy())
            posed = skin_forward(*rest, *ctx.blend)
        return tuple(map(torch.from_numpy, posed))

    @staticmethod
    @once_differentiable
    def backward(ctx, d_means, d_quats):
        with first_call("the gradients of skinning"):
            rest = skin_backward(d_means.contiguous().numpy(), d_quats.contiguous().numpy(), *ctx.blend)
        return *map(torch.from_numpy, rest), None, None, None
