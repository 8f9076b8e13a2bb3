"""Learning rates: over steps, and over the model's depth."""

import pytest
from torch import nn

from lca_core.model.claims import Claim, standings
from lca_core.model.transformer import Encoder
from lca_core.training.schedules import cosine, parameter_groups
from tests.training.subjects import TINY, tiny_model

LR = 3e-4


def rates(gamma: float) -> dict[str, float]:
    """Learning rate of every trained parameter by name."""
    model = tiny_model()
    names = {id(p): name for name, p in model.named_parameters()}
    groups = parameter_groups(model, TINY.depth, LR, gamma)
    listed = [(names[id(p)], group["lr"]) for group in groups for p in group["params"]]
    assert len(listed) == len(dict(listed))
    return dict(listed)


@pytest.mark.parametrize("gamma", [0.65, 0.5, 1.0])
def test_the_rate_decays_by_gamma_for_every_layer_below_the_last(gamma):
    found = rates(gamma)
    assert set(found) == {name for name, _ in tiny_model().named_parameters()}
    for name, rate in found.items():
        if name.startswith("encoder.layers.0."):
            layer = 1
        elif name.startswith(
            ("encoder.", "color_reading.", "color_copy.", "second_look.", "canonical.", "driven.", "expression.")
        ):
            layer = 2
        else:
            assert name.startswith(
                ("template.", "image_tokens.", "kind", "place.", "geometry_tokens.", "alignment.")
            ), name
            layer = 0
        assert rate == pytest.approx(LR * gamma ** (2 - layer)), name


def test_gamma_zero_trains_the_decoders_and_the_last_layer_alone():
    found = rates(0.0)
    assert {name.split(".")[0] for name in found} == {
        "encoder", "color_reading", "color_copy", "second_look", "canonical", "driven", "expression",
    }  # fmt: skip
    assert not any(name.startswith("encoder.layers.0.") for name in found)
    assert any(name.startswith("encoder.layers.1.") for name in found)
    assert set(found.values()) == {LR}


def test_only_matrices_have_weight_decay():
    for group in parameter_groups(tiny_model(), TINY.depth, LR, 1.0):
        matrices = {p.ndim == 2 for p in group["params"]}
        assert matrices == {group["weight_decay"] > 0}


def test_every_layer_of_a_deep_encoder_has_its_own_number():
    claimed = standings(Encoder(8, 12, 2))
    found = [claimed[f"layers.{i}.image_attention.out.weight"].claim.depth(12) for i in range(12)]
    assert found == list(range(1, 13))
    assert claimed["norm.weight"].claim.depth(12) == 12


def test_parameters_that_are_not_trained_are_left_out():
    layer = nn.Linear(2, 2)
    layer.claim = Claim("decoders")
    layer.bias.requires_grad_(False)
    groups = parameter_groups(layer, 1, LR, 1.0)
    assert [p.shape for g in groups for p in g["params"]] == [layer.weight.shape]


def test_a_parameter_for_which_no_module_speaks_is_an_error():
    model = tiny_model()
    model.relight = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"relight\.bias, relight\.weight"):
        parameter_groups(model, TINY.depth, LR, 1.0)
    model.relight.claim = Claim("decoders", hidden=("weight",))
    groups = parameter_groups(model, TINY.depth, LR, 0.65)
    (hidden,) = (group for group in groups if "relight.weight" in group["names"])
    assert hidden["hidden"] and hidden["lr"] == LR
    (plain,) = (group for group in groups if "relight.bias" in group["names"])
    assert not plain["hidden"] and plain["weight_decay"] == 0


def test_names_stand_beside_their_parameters():
    model = tiny_model()
    named = dict(model.named_parameters())
    for group in parameter_groups(model, TINY.depth, LR, 0.65):
        assert all(named[name] is parameter for name, parameter in zip(group["names"], group["params"], strict=True))


def test_the_rate_warms_up_and_then_falls_along_a_cosine():
    factors = [cosine(step, 100, 10) for step in range(101)]
    assert factors[0] == pytest.approx(1 / 11)
    assert factors[:11] == sorted(factors[:11])
    assert factors[10] == pytest.approx(1.0)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[55] == pytest.approx((1 + 0.02) / 2)
    assert factors[100] == pytest.approx(0.02)
