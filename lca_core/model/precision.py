"""Where half precision ends: metres and pixels are computed in full."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.amp.autocast_mode import is_autocast_available


def full_precision(tensor: Tensor) -> AbstractContextManager:
    """A context without autocast on the tensor's device: half a digit of a metre is not enough to place a Gaussian."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if is_autocast_available(kind) else nullcontext()
