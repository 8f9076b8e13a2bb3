"""What `rasterize` accepts: shapes, types and values, or an error that names the argument."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from lca_core.splats.compiling import first_call

_SHORTEST = 1e-24  # square of a quaternion's length
_NOTHING = torch.empty(0)


def check_shapes(tensors: dict[str, Tensor], background: Tensor | None) -> tuple[int, ...]:
    """The batch shape of the arguments of `rasterize`; ValueError for types, devices and shapes that do not fit."""
    means = tensors["means"]
    for name, tensor in (*tensors.items(), ("background", background)):
        if tensor is None and name == "background":
            continue
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} must be a torch tensor, not {type(tensor).__name__}")
        if not tensor.is_floating_point():
            raise ValueError(f"{name} must hold floating-point numbers, not {tensor.dtype}")
        if tensor.device != means.device:
            raise ValueError(f"{name} is on {tensor.device} but means is on {means.device}")
    colors, viewmats = tensors["colors"], tensors["viewmats"]
    if means.ndim < 2 or colors.ndim < 2 or viewmats.ndim < 3:
        raise ValueError("means must be [*batch, N, 3], colors [*batch, N, D] and viewmats [*batch, C, 4, 4]")
    (*batch, count, _), channels, cameras = means.shape, colors.shape[-1], viewmats.shape[-3]
    one_a_camera = (cameras,) if colors.ndim > means.ndim else ()
    wanted = dict(
        means=(*batch, count, 3),
        quats=(*batch, count, 4),
        scales=(*batch, count, 3),
        opacities=(*batch, count),
        colors=(*batch, *one_a_camera, count, channels),
        viewmats=(*batch, cameras, 4, 4),
        Ks=(*batch, cameras, 3, 3),
    )
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} must be {list(shape)} to go with the others, not {list(tensors[name].shape)}")
    if channels == 0:
        raise ValueError("colors must have at least one channel")
    if background is not None and background.shape not in ((channels,), (*batch, cameras, channels)):
        raise ValueError(
            f"background must be [{channels}] or {[*batch, cameras, channels]}, not {list(background.shape)}"
        )
    return tuple(batch)


def check_values(tensors: dict[str, Tensor], background: Tensor | None) -> None:
    """ValueError for NaN and infinite numbers, opacities outside [0, 1], zero quaternions and focal lengths <= 0.

    For tensors on a CPU.
    """
    everything = tensors if background is None else {**tensors, "background": background}
    if all(t.dtype == torch.float32 for t in everything.values()):
        order = ("means", "quats", "scales", "opacities", "colors", "viewmats", "Ks", "background")
        flat = [everything[name].detach().contiguous().view(-1) if name in everything else _NOTHING for name in order]
        with first_call("drawing Gaussians"):
            if _sound(*(t.numpy() for t in flat)):
                return
    for name, tensor in everything.items():
        if not tensor.detach().isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite numbers")
    opacities, quats, Ks = (tensors[name].detach() for name in ("opacities", "quats", "Ks"))
    if opacities.numel():
        low, high = opacities.aminmax()
        if low < 0 or high > 1:
            raise ValueError(f"opacities must be in [0, 1], not {float(low):.4g} to {float(high):.4g}")
    if quats.numel() and quats.square().sum(-1).min() < _SHORTEST:
        raise ValueError("quats holds a zero quaternion, which is no rotation")
    focal = Ks.diagonal(dim1=-2, dim2=-1)[..., :2]
    if focal.numel() and focal.min() <= 0:
        raise ValueError("Ks must have positive focal lengths")


@njit(cache=True, fastmath={"reassoc"}, error_model="numpy")
def _finite(values):
    total = np.float32(0)
    for k in range(len(values)):
        total += values[k] * np.float32(0)  # NaN where the number is NaN or infinite
    return total == 0


@njit(cache=True, fastmath={"reassoc"}, error_model="numpy")
def _within(values):
    least, most = np.float32(0), np.float32(1)
    for k in range(len(values)):
        least, most = min(least, values[k]), max(most, values[k])
    return least == 0 and most == 1


@njit(cache=True, error_model="numpy")
def _sound(means, quats, scales, opacities, colors, viewmats, Ks, background):
    """Whether there is nothing to complain about, in one quick pass; all flat, float32."""
    for values in (means, quats, scales, opacities, colors, viewmats, Ks, background):
        if not _finite(values):
            return False
    for k in range(0, len(quats), 4):
        if quats[k] ** 2 + quats[k + 1] ** 2 + quats[k + 2] ** 2 + quats[k + 3] ** 2 < _SHORTEST:
            return False
    for k in range(0, len(Ks), 9):
        if Ks[k] <= 0 or Ks[k + 4] <= 0:
            return False
    return _within(opacities)
