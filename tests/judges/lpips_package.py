"""The `lpips` package itself as an oracle, with the weights it would otherwise download."""

import functools
import warnings

import torch

from lca_core.judges.perceptual import CONVOLUTIONS, read_network
from lca_core.torchvision_ops import make_torchvision_importable


@functools.cache
def lpips_package(net: str = "alex"):
    """lpips.LPIPS(net=net, version="0.1") with the network's convolutions filled in."""
    make_torchvision_importable()
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's, about how lpips asks it for an untrained network
        network = lpips.LPIPS(net=net, version="0.1", pnet_rand=True, verbose=False)
    layers = [m for m in network.net.modules() if isinstance(m, torch.nn.Conv2d)]
    backbone = read_network(net)[CONVOLUTIONS[net][1]]
    with torch.no_grad():
        for number, layer in enumerate(layers):
            arrays = backbone[f"Conv_{number}"]
            kernel = torch.from_numpy(arrays["kernel"].copy())
            layer.weight.copy_(torch.einsum("hwio->oihw", kernel))
            layer.bias.copy_(torch.from_numpy(arrays["bias"].copy()))
    return network
