"""Two branches, one branch in their place, and the canonical one moved by the body alone."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import Driving
from lca_core.body.driving import EPSILON, GAZE, ROOT, THETA
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar
from lca_core.model.decoders import SingleDecoder
from lca_core.model.posing import drive
from lca_core.model.raw import OPACITY
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY, random_inputs


def variant(**sizes) -> LCA:
    """Without blendshapes, so that what moves a face is the branch alone; the last layers stirred."""
    torch.manual_seed(0)
    model = LCA(replace(TINY, face_shapes=False, **sizes), FEATURES, free_body()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def signal(scale: float) -> Driving:
    generator = torch.Generator().manual_seed(1)
    return Driving(*(scale * torch.randn(1, size, generator=generator) for size in (THETA, EPSILON, GAZE, ROOT)))


@torch.no_grad()
def driven(model: LCA, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(canonical numbers, numbers under a signal)."""
    tokens, raw = model(random_inputs(people=1))
    return raw[0], drive(model.drivers, raw[0], model.skinning_weights, tokens[0], signal(scale))[0][0]


def test_a_single_branch_at_rest_is_the_canonical_avatar_and_a_signal_changes_all_its_numbers():
    model = variant(dual_branch=False)
    assert isinstance(model.driven, SingleDecoder) and model.canonical is None
    raw, at_rest = driven(model, 0.0)
    torch.testing.assert_close(at_rest, raw)
    changed = (driven(model, 1.0)[1] - raw).abs().amax((0, 1))
    assert (changed > 1e-3).all() and changed[OPACITY] > 1e-3


def test_of_two_branches_opacity_is_not_driven_and_of_the_canonical_one_alone_nothing_is():
    raw, moved = driven(variant(), 1.0)
    assert torch.equal(moved[..., OPACITY], raw[..., OPACITY]) and (moved - raw).abs().max() > 1e-3
    raw, moved = driven(variant(driven_branch=False), 1.0)
    assert torch.equal(moved, raw)


def test_nothing_but_the_branch_differs_in_a_single_one():
    def others(model: LCA) -> dict[str, torch.Size]:
        return {
            name: parameter.shape for name, parameter in model.named_parameters()
            if not name.startswith(("canonical.", "driven."))
        }  # fmt: skip

    two, one = variant(), variant(dual_branch=False)
    assert others(two) == others(one) and one.second_look is not None and one.color_copy is not None
    counts = [sum(p.numel() for n, p in each.named_parameters() if n not in others(each)) for each in (two, one)]
    assert 0.5 < counts[1] / counts[0] < 1.1, "nor is it larger"
    canonical = {name: parameter.shape for name, parameter in two.canonical.named_parameters()}
    assert canonical.items() <= {name: p.shape for name, p in one.driven.named_parameters()}.items()


def test_colours_that_tokens_have_read_reach_a_single_branch():
    model, inputs = variant(dual_branch=False), random_inputs(people=1)
    read = model(inputs).raw
    with torch.no_grad():
        model.driven.gates.weight.zero_()
        model.driven.gates.bias.zero_()
    unread = model(inputs).raw
    assert (read - unread)[..., :3].abs().max() > 1e-3 and torch.equal(read[..., 3:], unread[..., 3:])


def test_an_avatar_of_a_single_branch_is_not_kept_in_a_file(tmp_path):
    avatar = Avatar.encode(variant(dual_branch=False), random_inputs(people=1))
    with pytest.raises(InputError, match="single branch"):
        avatar.save(tmp_path / "avatar.safetensors")
    assert not any(tmp_path.iterdir())


def test_a_model_has_a_branch():
    with pytest.raises(ValueError, match="has none"):
        replace(TINY, dual_branch=False, driven_branch=False)
