"""Pretrained encoders from a local folder: random weights in the true classes, as nothing is downloaded."""

import json

import pytest
import torch
import transformers

from lca_core.errors import InputError
from lca_core.model.encoders import Pixels, encoder_named, encoder_of
from lca_core.torchvision_ops import make_torchvision_importable

make_torchvision_importable()

SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
KINDS = {
    "dinov2": lambda: transformers.Dinov2Model(transformers.Dinov2Config(**SMALL, image_size=56, patch_size=14)),
    "dinov2_with_registers": lambda: transformers.Dinov2WithRegistersModel(
        transformers.Dinov2WithRegistersConfig(**SMALL, image_size=56, patch_size=14)
    ),
    "dinov3_vit": lambda: transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(**SMALL, patch_size=16)),
    "sapiens2": lambda: transformers.Sapiens2Model(
        transformers.Sapiens2Config(**SMALL, patch_size=16, num_key_value_heads=2)
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp(request.param)
    KINDS[request.param]().save_pretrained(path)
    return path


def test_there_is_one_token_a_patch_and_it_knows_its_place(folder):
    """A bright square in one corner changes that corner's token most."""
    encoder = encoder_named(str(folder))
    assert encoder.patch == 14 and encoder.dim == 24 and encoder.name.startswith(folder.name.rstrip("0123456789"))
    images = torch.full((2, 3, 42, 56), 0.5)
    images[1, :, 28:, 42:] = 1
    tokens = encoder.features(images)
    assert tokens.shape == (2, 12, 24) and tokens.isfinite().all() and not tokens.requires_grad
    change = (tokens[1] - tokens[0]).norm(dim=-1)
    assert change.argmax() == 11


def test_means_come_from_the_folder(folder, tmp_path):
    before = encoder_named(str(folder)).features(torch.full((1, 3, 28, 28), 0.4))
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.1] * 3, "image_std": [0.5] * 3}))
    after = encoder_named(str(folder)).features(torch.full((1, 3, 28, 28), 0.4))
    (folder / "preprocessor_config.json").unlink()
    assert not torch.allclose(before, after)


def test_the_name_tells_weights_apart(folder, tmp_path):
    torch.manual_seed(1)
    KINDS[json.loads((folder / "config.json").read_text())["model_type"]]().save_pretrained(tmp_path)
    assert encoder_named(str(folder)).name != encoder_named(str(tmp_path)).name


def test_folders_without_an_encoder_are_refused_by_name(folder, tmp_path):
    with pytest.raises(InputError, match="config.json is missing"):
        encoder_named(str(tmp_path))
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(InputError, match="holds no encoder"):
        encoder_named(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(InputError):
        encoder_named(str(tmp_path))


def test_pickled_weights_are_not_read(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="holds no encoder"):
        encoder_named(str(tmp_path))


def test_sides_must_be_whole_patches(folder):
    with pytest.raises(ValueError, match="multiples of 14"):
        encoder_named(str(folder)).features(torch.zeros(1, 3, 28, 30))


def test_pixels_have_no_features():
    assert Pixels().features(torch.zeros(2, 3, 28, 42)).shape == (2, 6, 0)


def test_weights_get_the_encoder_they_were_trained_with(folder):
    meta = {"encoder": encoder_named(str(folder)).name}
    assert encoder_of(meta, folder).name == meta["encoder"]
    with pytest.raises(InputError, match="give its folder with --encoder"):
        encoder_of(meta)
    with pytest.raises(InputError, match="trained with the encoder pixels"):
        encoder_of({"encoder": "pixels"}, folder)
    assert encoder_of({"encoder": "pixels"}).name == "pixels"
