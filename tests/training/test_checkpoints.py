"""Weights in files: they come back exactly, and other files are refused."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, rows_length
from lca_core.training import load_model, load_weights, read_header, save_model
from tests.body.bodies import free_body
from tests.model.models import random_inputs
from tests.model.models import tiny_model as other_model
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, tiny_model


def test_a_model_comes_back_from_its_file_exactly(tmp_path):
    model = other_model()
    save_model(tmp_path / "w.safetensors", model, {"stage": "pretrain", "people": ["wild-000000"]})
    again, meta = load_model(tmp_path / "w.safetensors", free_body())
    assert meta == {"stage": "pretrain", "people": ["wild-000000"]}
    assert again.profile == model.profile and again.features == model.features
    assert not again.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    inputs = random_inputs()
    with torch.no_grad():
        assert torch.equal(
            again.canonical_raw(again.encode(inputs), inputs), model.canonical_raw(model.encode(inputs), inputs)
        )


def test_weights_of_another_size_are_refused(tmp_path):
    save_model(tmp_path / "w.safetensors", tiny_model(), {})
    wider = LCA(replace(TINY, name="wider", dim=48), rows_length(MeanColour()), free_body())
    with pytest.raises(InputError, match="wider"):
        load_weights(tmp_path / "w.safetensors", wider)


@pytest.mark.parametrize("kind", ["text", "other tensors", "an avatar", "cut short", "missing"])
def test_a_file_that_holds_no_weights_is_refused_by_name(tmp_path, kind):
    path = tmp_path / "w.safetensors"
    if kind == "text":
        path.write_text("not weights")
    elif kind == "other tensors":
        save_file({"a": torch.zeros(3)}, path)
    elif kind == "an avatar":
        Avatar.encode(other_model(), random_inputs(people=1)).save(path)
    elif kind == "cut short":
        save_model(path, tiny_model(), {})
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="w.safetensors"):
        read_header(path)
