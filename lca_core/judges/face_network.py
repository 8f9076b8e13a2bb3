"""dlib's face network (King 2017; 128 numbers, LFW 99.38%), in plain torch.

The weights are dlib_face_recognition_resnet_model_v1.dat of the package face-recognition-models (public domain),
parsed here, so dlib itself is not needed. It wants each face turned and scaled into a 150 px chip with a margin of a
quarter: `curation.identity.chip` does so by the face mesh, `training.face_chip` by a record's body.
"""

import functools
import importlib.util
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from lca_core.errors import InputError

CHIP_PX = 150
EYES_AT = (74.0, 47.1)  # pixels: where dlib's chip has the point between the eyes (its mean face, a quarter of margin)
EYES_APART = 52.5  # pixels between the eyes of a face seen from the front, in dlib's chip
SAME_PERSON = 0.6  # dlib's threshold on aligned photographs: below it, the same person

# One residual block each: (channels, halves the picture).
_BLOCKS = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)


class FaceNetwork(nn.Module):
    """dlib's 29-convolution ResNet, 5.6 million frozen parameters: [B, 3, 150, 150] in [0, 1] -> [B, 128].

    Each convolution's affine layer (dlib's frozen batch normalisation) is folded into it.
    """

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        self.blocks = nn.ModuleList()
        channels = 32
        for wide, halves in _BLOCKS:
            # dlib pads a convolution only when its stride is 1
            first = nn.Conv2d(channels, wide, 3, stride=2) if halves else nn.Conv2d(channels, wide, 3, padding=1)
            self.blocks.append(nn.ModuleList([first, nn.Conv2d(wide, wide, 3, padding=1)]))
            channels = wide
        self.head = nn.Linear(channels, 128, bias=False)
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.requires_grad_(False)

    def forward(self, images: Float[Tensor, "B 3 150 150"]) -> Float[Tensor, "B 128"]:
        x = (images * 255 - self.mean) / 256
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2)
        for (first, second), (_, halves) in zip(self.blocks, _BLOCKS):
            shortcut = F.avg_pool2d(x, 2) if halves else x
            x = F.relu(_add_padded(second(F.relu(first(x))), shortcut))
        return self.head(x.mean((-2, -1)))


def _add_padded(a: Tensor, b: Tensor) -> Tensor:
    """dlib's sum of tensors of different shapes: the smaller one has zeros after its channels, rows and columns."""
    shape = [max(m, n) for m, n in zip(a.shape[1:], b.shape[1:])]

    def pad(t: Tensor) -> Tensor:
        c, h, w = t.shape[1:]
        return F.pad(t, (0, shape[2] - w, 0, shape[1] - h, 0, shape[0] - c))

    return pad(a) + pad(b)


def face_embedding(images: Float[Tensor, "B 3 150 150"]) -> Float[Tensor, "B 128"]:
    """dlib's 128 numbers of each face chip (sRGB in [0, 1]); differentiable. ValueError for another shape."""
    if images.ndim != 4 or tuple(images.shape[1:]) != (3, CHIP_PX, CHIP_PX):
        raise ValueError(f"face_embedding takes [B, 3, {CHIP_PX}, {CHIP_PX}], not {[*images.shape]}")
    return _network(images.device)(images.float())


@functools.cache
def _network(device: torch.device) -> FaceNetwork:
    spec = importlib.util.find_spec("face_recognition_models")
    name = "models/dlib_face_recognition_resnet_model_v1.dat"
    file = Path(spec.submodule_search_locations[0], name) if spec else None
    if file is None or not file.is_file():
        raise InputError(f"identity distance needs {name}: install it with `pip install face-recognition-models`")
    return load_face_network(file).to(device)


def load_face_network(path: Path | str) -> FaceNetwork:
    """The network with the weights of dlib's .dat file; InputError when the file is another or damaged."""
    try:
        mean, layers = read_dlib(Path(path).read_bytes())
        network = FaceNetwork()
        network.mean.copy_(torch.tensor(mean).reshape(3, 1, 1))
        layers = iter(layers)
        for convolution in [network.stem, *(c for block in network.blocks for c in block)]:
            size = convolution.weight.numel()
            numbers, affine = _next(layers, "con_4"), _next(layers, "affine_")
            gain, offset = affine.reshape(2, -1)
            weight, bias = numbers[:size].reshape(convolution.weight.shape), numbers[size:]
            convolution.weight.copy_(torch.from_numpy(weight * gain[:, None, None, None]))
            convolution.bias.copy_(torch.from_numpy(bias * gain + offset))
        network.head.weight.copy_(torch.from_numpy(_next(layers, "fc_2").reshape(256, 128).T.copy()))
    except (ValueError, IndexError, struct.error, RuntimeError, StopIteration) as error:
        raise InputError(f"{path} is not dlib's face network as this project knows it: {error}") from error
    return network.eval()


def _next(layers, kind: str) -> np.ndarray:
    """The numbers of the next layer that has any, which must be of this kind."""
    found, numbers = next(layers)
    if found != kind:
        raise ValueError(f"found a layer {found} where {kind} belongs")
    return numbers


def read_dlib(data: bytes) -> tuple[list[float], list[tuple[str, np.ndarray]]]:
    """Mean colour, and (kind, numbers) of each layer with parameters, from the input to the output.

    dlib writes a network from the outside in: nested version numbers first, then the input layer, then layer
    after layer. Parsing starts at the input layer, and from there every byte is accounted for.
    """
    stream = _Stream(data)
    stream.at = data.index(b"\x01\x15input_rgb_image_sized")
    stream.string()
    mean = [stream.real() for _ in range(3)]
    if (stream.integer(), stream.integer()) != (CHIP_PX, CHIP_PX):
        raise ValueError(f"its input is not {CHIP_PX} px")
    layers = []
    while True:
        kind = stream.string()
        if kind == "fc_2":
            stream.integers(2)  # outputs, inputs
            layers.append((kind, stream.tensor()))
            return mean, layers
        if kind == "con_4":
            numbers = stream.tensor()
            stream.integers(7)  # filters, rows, columns, strides, paddings
            stream.integers(10)  # shapes of the two parts of the numbers, each after a version
            [stream.real() for _ in range(4)]  # learning rates and decays
            layers.append((kind, numbers))
        elif kind == "affine_":
            layers.append((kind, stream.tensor()))
            stream.integers(11)  # shapes of gain and offset, each after a version; the mode
        elif kind in ("max_pool_2", "avg_pool_2"):
            stream.integers(6)
        elif kind not in ("relu_", "add_prev_"):
            raise ValueError(f"it holds a layer {kind!r}")
        stream.at += 3  # three flags, '0' or '1'
        [stream.tensor() for _ in range(3)]  # gradients and the last output, empty in a saved network
        if len(layers) == 1 and kind == "con_4":
            stream.integer()  # the layer on the input also keeps how many pictures one sample makes


class _Stream:
    """dlib's portable serialisation: integers with a length byte, floats as mantissa and exponent."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("it ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self) -> int:
        control = self.take(1)[0]  # low four bits: bytes that follow; high bit: negative
        value = int.from_bytes(self.take(control & 15), "little")
        return -value if control & 128 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return mantissa * 2.0**exponent

    def string(self) -> str:
        return self.take(self.integer()).decode("ascii", "replace")

    def tensor(self) -> np.ndarray:
        version, *shape = self.integers(5)
        if version != 2:
            raise ValueError(f"it holds a tensor of version {version}")
        return np.frombuffer(self.take(4 * int(np.prod(shape))), "<f4")
