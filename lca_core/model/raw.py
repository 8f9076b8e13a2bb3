"""The one layout of a Gaussian's raw numbers, and the one way from them to Gaussians.

A network writes 14 numbers for each Gaussian: colour 3 (logit), position 3 (from its point of the skin), rotation
4, scale 3 (log), opacity 1 (logit). The driven branch has all but the last. Whoever reads or writes some of them takes
a slice from here.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.model.shaping import shape
from lca_core.splats import Gaussians
from lca_core.splats.skinning import multiply_quats

COLOR, POSITION, ROTATION, SCALE, OPACITY = slice(0, 3), slice(3, 6), slice(6, 10), slice(10, 13), slice(13, 14)
CANONICAL, DRIVEN = 14, 13  # numbers of the canonical and of the driven branch
POSITION_UNIT = 0.05  # metres for one unit of network output, so that all outputs are of like size
_LEAST_SCALE, _MOST_SCALE = -9.0, -2.0  # log metres


def to_gaussians(
    raw: Float[Tensor, "*#B G k 14"], surface: Float[Tensor, "*#B G k 3"], frames: Float[Tensor, "G k 4"]
) -> Gaussians:
    """Raw numbers to Gaussians in the T-pose, N = G k of them.

    surface: the shaped body's points that positions are relative to; frames: quaternions wxyz that turn the
    Gaussian's third axis to the surface normal. On a CPU and in float32 a kernel does it (`shaping`).
    """
    tensors = (raw, surface, frames)
    quick = all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors)
    if quick and not (surface.requires_grad or frames.requires_grad):
        return Gaussians(*shape(*tensors, POSITION_UNIT, _LEAST_SCALE, _MOST_SCALE))
    rotation = F.normalize(raw[..., ROTATION], dim=-1)
    return Gaussians(
        means=(surface + POSITION_UNIT * raw[..., POSITION]).flatten(-3, -2),
        quats=multiply_quats(frames, rotation).flatten(-3, -2),
        scales=raw[..., SCALE].clamp(_LEAST_SCALE, _MOST_SCALE).exp().flatten(-3, -2),
        opacities=raw[..., OPACITY].sigmoid().flatten(-3),
        colors=raw[..., COLOR].sigmoid().flatten(-3, -2),
    )


def offsets(raw: Float[Tensor, "*B 14"]) -> Float[Tensor, "*B 3"]:
    """How far Gaussians lie from their points of the skin, metres, in the axes of the T-pose."""
    return POSITION_UNIT * raw[..., POSITION]


def from_offsets(metres: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 14"]:
    """The change of raw numbers that moves Gaussians of the T-pose by so much, and nothing else."""
    return F.pad(metres / POSITION_UNIT, (POSITION.start, CANONICAL - POSITION.stop))


def from_driven(delta: Float[Tensor, "*B 13"]) -> Float[Tensor, "*B 14"]:
    """The driven branch's change as a change of all numbers: opacity is not driven."""
    return F.pad(delta, (0, CANONICAL - DRIVEN))


def with_colors(raw: Float[Tensor, "*B 14"], colors: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 14"]:
    """The same Gaussians in other colours (logits)."""
    return torch.cat([colors, raw[..., COLOR.stop :]], -1)


def frames_of_normals(normals: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 4"]:
    """The shortest rotations, as quaternions wxyz, from the z axis to unit normals."""
    x, y, z = normals.unbind(-1)
    w = 1 + z
    flipped = w < 1e-4  # straight back: half a turn about x
    zero = torch.zeros_like(x)
    quats = torch.stack([torch.where(flipped, zero, w), torch.where(flipped, zero + 1, -y),
                         torch.where(flipped, zero, x), zero], -1)  # fmt: skip
    return F.normalize(quats, dim=-1)
