"""Records to tensors: pixels, cameras and driving signals as the rooms above compute with them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.data.records import Camera, Frame, Picture

Device = torch.device | str | None


def pixels(picture: Picture, device: Device = None) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W"]]:
    """(image, matte) in [0, 1]."""
    return _unit(picture.image, device), _unit(picture.matte, device)


def hidden_of(picture: Picture, device: Device = None) -> Float[Tensor, "H W"]:
    """How much of each pixel is known to be hidden by something before the person, in [0, 1]."""
    return _unit(np.zeros_like(picture.matte) if picture.hidden is None else picture.hidden, device)


def camera_tensors(camera: Camera, device: Device = None) -> tuple[Float[Tensor, "4 4"], Float[Tensor, "3 3"]]:
    """(viewmat, K), float32."""
    return _tensor(camera.viewmat, device).float(), _tensor(camera.K, device).float()


def signal_tensors(
    frames: Sequence[Frame], device: Device = None
) -> tuple[Float[Tensor, "F 138"], Float[Tensor, "F 6"], Float[Tensor, "F 4"]]:
    """(theta, root, gaze) of frames, one row each, float32; see `lca_core.body.Driving`."""
    rows = (np.stack([getattr(frame, name) for frame in frames]) for name in ("theta", "root", "gaze"))
    theta, root, gaze = (_tensor(values, device).float() for values in rows)
    return theta, root, gaze


def _unit(values: np.ndarray, device: Device) -> Tensor:
    return _tensor(values, device).float() / 255


def _tensor(values: np.ndarray, device: Device) -> Tensor:
    return torch.from_numpy(np.array(values)).to(device)  # a copy: records may be read-only
