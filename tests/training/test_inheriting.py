"""Models of other sizes start from weights that are there."""

from dataclasses import replace

import pytest
import torch

from lca_core.errors import InputError
from lca_core.model import LCA
from lca_core.model.raw import SCALE
from lca_core.training.checkpoints import save_model
from lca_core.training.inheriting import inherit
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY, random_inputs, tiny_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """(file, the model in it)."""
    path, model = tmp_path_factory.mktemp("weights") / "tiny.safetensors", tiny_model()
    save_model(path, model, {})
    return path, model


def heir(**changes) -> LCA:
    torch.manual_seed(5)
    return LCA(replace(TINY, **changes), FEATURES, free_body()).eval()


def test_equal_sizes_inherit_everything(weights):
    path, model = weights
    own = heir()
    assert inherit(path, own) == []
    inputs = random_inputs()
    with torch.no_grad():
        torch.testing.assert_close(own(inputs).tokens, model(inputs).tokens)


def test_more_gaussians_say_what_those_of_before_said(weights):
    """Twice as many an anchor: both of a pair follow the one of before, and hear its numbers once."""
    path, model = weights
    own = heir(gaussians_per_anchor=4)
    assert inherit(path, own) == []
    tokens = torch.randn(1, TINY.anchors, model.canonical.net[0].in_features)
    with torch.no_grad():
        said, before = own.canonical(tokens), model.canonical(tokens)
        torch.testing.assert_close(said, before.repeat_interleave(2, 2))
        told = torch.randn(TINY.anchors, 2, (model.alignment.colors.in_features - 1) // 2)
        twice = told.repeat_interleave(2, 1).flatten(1)
        told, twice = (torch.cat([x, torch.ones(len(x), 1)], 1) for x in (told.flatten(1), twice))
        torch.testing.assert_close(own.alignment.colors(twice), model.alignment.colors(told), atol=1e-5, rtol=1e-5)
        assert own.second_look.net[0].in_features > model.second_look.net[0].in_features


def test_a_gaussian_begins_as_its_nearest_with_its_own_size(weights):
    path, model = weights
    own = heir(anchors=64)
    inherit(path, own)
    at, places = own.anchor_points.flatten(0, 1), model.anchor_points.flatten(0, 1)
    distance, nearest = torch.cdist(at, places).min(1)
    before, now = model.template.raw.flatten(0, 1)[nearest], own.template.raw.flatten(0, 1)
    near = distance < 0.02
    assert 10 < near.sum() < len(near)
    torch.testing.assert_close(now[near, :3], before[near, :3])
    ratio = own.anchor_spacing.flatten()[near] / model.anchor_spacing.flatten()[nearest][near]

    torch.testing.assert_close((now - before)[near][:, SCALE], ratio.log()[:, None].expand(-1, 3))
    fresh = heir(anchors=64).template.raw.flatten(0, 1)
    torch.testing.assert_close(now[~near], fresh[~near])


def test_larger_pictures_have_places_between_those_of_before(weights):
    path, model = weights
    own = heir(body_px=84, face_px=28, chip_px=112, gradient_steps=1)
    anew = inherit(path, own)
    assert own.place[0].shape[0] == 36 and not any(name.startswith("place") for name in anew)
    assert own.place[0].mean(0).sub(model.place[0].mean(0)).abs().max() < 0.1
    assert {name.split(".")[0] for name in anew} == {"expression", "gradient_steps"}
    torch.testing.assert_close(own.expression.net[-1].weight, model.expression.net[-1].weight)


def test_other_tokens_inherit_nothing(weights):
    path, _ = weights
    with pytest.raises(InputError, match=r"tiny.safetensors has dim 24, not 48.*give weights"):
        inherit(path, heir(dim=48))
