"""Weights in files: they come back exactly, and other files are refused."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lca_core import tensor_files
from lca_core.body import Anchors, sample_anchors
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, rows_length
from lca_core.training import (
    checkpoints,
    load_model,
    load_template,
    load_weights,
    read_header,
    save_model,
    save_template,
)
from tests.body.bodies import free_body
from tests.model.models import random_inputs
from tests.model.models import tiny_model as other_model
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, tiny_model


def test_a_model_comes_back_from_its_file_exactly(tmp_path):
    model = other_model()
    save_model(tmp_path / "w.safetensors", model, {"stage": "pretrain", "people": ["wild-000000"]})
    again, meta = load_model(tmp_path / "w.safetensors", free_body())
    assert meta == {"stage": "pretrain", "people": ["wild-000000"], "encoder": "pixels"}
    assert again.profile == model.profile and again.features == model.features
    assert not again.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    inputs = random_inputs()
    with torch.no_grad():
        assert torch.equal(again(inputs).raw, model(inputs).raw)


def test_a_model_brings_its_anchors_with_it(tmp_path, monkeypatch):
    """It draws the same people where anchors are sampled in another order: a processor's last bits decide."""
    model = other_model()
    save_model(tmp_path / "w.safetensors", model, {})
    mirrored_anchors(monkeypatch)
    again = other_model(seed=1)
    assert not torch.equal(again.anchor_points, model.anchor_points)
    load_weights(tmp_path / "w.safetensors", again)
    inputs = random_inputs()
    with torch.no_grad():
        for name in ("means", "quats", "scales"):
            a, b = (getattr(m.rig(inputs.betas).canonical(m(inputs).raw), name) for m in (model, again))
            assert torch.equal(a, b), name
        assert torch.equal(again.skinning_weights, model.skinning_weights)
        assert torch.equal(again.face_index, model.face_index) and torch.equal(again.face_dirs, model.face_dirs)


@pytest.mark.parametrize("anchors", [-1, "many", 10**9, 64])
def test_a_header_that_lies_about_the_anchors_is_refused(tmp_path, anchors):
    model = other_model()
    model.profile = replace(model.profile, anchors=anchors)
    save_model(tmp_path / "w.safetensors", model, {})
    with pytest.raises(InputError, match="w.safetensors.*anchors"):
        load_model(tmp_path / "w.safetensors", free_body())


def test_weights_for_a_body_with_more_triangles_are_refused(tmp_path):
    model = other_model()
    model.anchor_face += len(free_body().faces)
    save_model(tmp_path / "w.safetensors", model, {})
    with pytest.raises(InputError, match="w.safetensors.*triangles"):
        load_model(tmp_path / "w.safetensors", free_body())


def test_a_template_is_for_the_anchors_it_was_trained_on(tmp_path, monkeypatch):
    model = other_model()
    save_template(tmp_path / "t.safetensors", model)
    assert torch.equal(load_template(tmp_path / "t.safetensors", model), model.template.raw)
    mirrored_anchors(monkeypatch)
    with pytest.raises(InputError, match="t.safetensors.*other anchors"):
        load_template(tmp_path / "t.safetensors", other_model())


def test_the_released_weights_lie_on_their_anchors():
    """Gaussians that learnt to be as wide as their points are apart, in nearly every group of 1,024: not in all, for
    teeth and shells learn little."""
    checkpoints = Path(__file__).parents[2] / "results/checkpoints"
    for name in ("release", "pretrained"):
        model, _ = load_model(checkpoints / f"{name}.safetensors")
        wide = model.template.raw.detach()[..., 10:12].mean(-1).reshape(-1, 1024)
        apart = model.anchor_spacing.log().reshape(-1, 1024)
        likeness = [float(np.corrcoef(w, a)[0, 1]) for w, a in zip(wide.numpy(), apart.numpy())]
        assert np.quantile(likeness, 0.1) > 0.2, (name, likeness)
        template = load_template(checkpoints / "template.safetensors", model)
        assert template.shape == model.template.raw.shape


def mirrored_anchors(monkeypatch) -> None:
    """From here on anchors are sampled in the order of another machine."""
    sampled = sample_anchors(free_body(), 32, 2)
    places = (getattr(sampled, name).flip(0) for name in ("face", "barycentric", "spacing"))
    mirrored = Anchors.on(free_body(), *places)
    monkeypatch.setattr("lca_core.model.lca.sample_anchors", lambda *_: mirrored)


def test_weights_of_another_size_are_refused(tmp_path):
    save_model(tmp_path / "w.safetensors", tiny_model(), {})
    wider = LCA(replace(TINY, name="wider", dim=48), rows_length(MeanColour()), free_body())
    with pytest.raises(InputError, match="wider"):
        load_weights(tmp_path / "w.safetensors", wider)


def test_a_model_knows_the_encoder_it_was_trained_with(tmp_path):
    model, path = tiny_model(), tmp_path / "w.safetensors"
    model.image_encoder = "dinov2-0123"
    save_model(path, model, {"stage": "pretrain"})
    assert tensor_files.read_header(path, checkpoints.MODEL, "")["encoder"] == "dinov2-0123"
    header, (again, meta) = read_header(path), load_model(path, free_body())
    assert header["encoder"] == header["meta"]["encoder"] == meta["encoder"] == "dinov2-0123"
    assert again.image_encoder == "dinov2-0123"
    with pytest.raises(InputError, match=r"w\.safetensors.*dinov2-0123.*pixels"):
        load_weights(path, tiny_model())
    load_weights(path, again)


def test_files_from_before_the_encoder_stood_in_the_header_still_load(tmp_path):
    model, path = tiny_model(), tmp_path / "w.safetensors"
    header = {"profile": asdict(TINY), "features": model.features, "meta": {"encoder": "dinov2-0123"}}
    tensor_files.save_tensors(path, checkpoints.MODEL, model.state_dict(), header)
    assert load_model(path, free_body())[0].image_encoder == "dinov2-0123"
    tensor_files.save_tensors(path, checkpoints.MODEL, model.state_dict(), header | {"meta": {}})
    assert read_header(path)["encoder"] == "pixels"


def test_weights_kept_in_half_precision_load_as_others_and_take_half_the_room(tmp_path):
    model = other_model()
    save_model(tmp_path / "whole.safetensors", model, {})
    save_model(tmp_path / "half.safetensors", model, {}, half=True)
    again, _ = load_model(tmp_path / "half.safetensors", free_body())
    for name, parameter in model.named_parameters():
        found = again.get_parameter(name)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, parameter.half().float(), rtol=0, atol=0)
    assert torch.equal(again.anchor_barycentric, model.anchor_barycentric)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]


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


def test_an_addition_lays_a_module_over_the_weights_it_was_trained_upon_and_no_others(tmp_path):
    base, trained = other_model(), other_model()
    with torch.no_grad():
        for parameter in trained.driven.parameters():
            parameter.add_(0.125)  # exact in half precision
    for name, model in (("base", base), ("other", other_model(seed=1))):
        save_model(tmp_path / f"{name}.safetensors", model, {})
    checkpoints.save_addition(tmp_path / "driven.safetensors", trained, "driven", tmp_path / "base.safetensors", {})
    again, _ = load_model(tmp_path / "base.safetensors", free_body(), additions=[tmp_path / "driven.safetensors"])
    assert again.profile == base.profile
    for name, tensor in trained.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, atol=1e-3, rtol=1e-3)
        assert name.startswith("driven.") or torch.equal(again.state_dict()[name], base.state_dict()[name]), name
    with pytest.raises(InputError, match="driven.safetensors was trained upon other weights than .*other.safetensors"):
        load_model(tmp_path / "other.safetensors", free_body(), additions=[tmp_path / "driven.safetensors"])


@pytest.mark.parametrize(
    ("part", "tensors"),
    [
        (None, {"driven.x": torch.zeros(1)}),
        ("driven", {"template.raw": torch.zeros(1)}),
        ("driven", {}),
        ("driven", {"driven.nothing_of_the_kind": torch.zeros(1)}),
        ("light", {"parts.light.shared.bias": torch.zeros(1)}),
    ],
)
def test_an_addition_that_is_no_part_of_the_model_is_refused(tmp_path, part, tensors):
    save_model(tmp_path / "base.safetensors", other_model(), {})
    of = checkpoints._digest(tmp_path / "base.safetensors")
    tensor_files.save_tensors(
        tmp_path / "odd.safetensors", checkpoints.ADDITION, tensors, {"part": part, "of": of, "meta": {}}
    )
    with pytest.raises(InputError, match="odd.safetensors"):
        load_model(tmp_path / "base.safetensors", free_body(), additions=[tmp_path / "odd.safetensors"])


def test_weights_are_no_addition(tmp_path):
    save_model(tmp_path / "base.safetensors", other_model(), {})
    with pytest.raises(InputError, match="no file of kind"):
        load_model(tmp_path / "base.safetensors", free_body(), additions=[tmp_path / "base.safetensors"])
