"""The `lpips` package itself as an oracle, with the weights it would otherwise download.

torchvision's wheel is a CUDA build: beside a CPU torch its import looks for two operators that are not there.
Declaring them first cures it, and is needed for this oracle only: lca_core imports neither package.
"""

import functools
import warnings

import torch

from lca_core.training.perceptual import read_alexnet


@functools.cache
def lpips_package():
    """lpips.LPIPS(net="alex", version="0.1") with AlexNet's convolutions filled in."""
    library = _declare_torchvision_operators()
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's, about how lpips asks it for an untrained network
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    network.library = library  # the operators live as long as this object
    layers = [m for m in network.net.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        for number, layer in enumerate(layers):
            arrays = read_alexnet()["AlexNet_0"][f"Conv_{number}"]
            kernel = torch.from_numpy(arrays["kernel"].copy())
            layer.weight.copy_(torch.einsum("hwio->oihw", kernel))
            layer.bias.copy_(torch.from_numpy(arrays["bias"].copy()))
    return network


def _declare_torchvision_operators():
    try:
        import torchvision  # noqa: F401  (native operators: nothing to do)

        return None
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
