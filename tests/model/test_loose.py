"""The decoder of loose cloth: it starts at the template's weights, keeps rows convex, and is kept in files."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import JOINT_NAMES, Driving
from lca_core.body.nodes import CARRIERS, carriers
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, Placement
from lca_core.model.avatar import FORMAT
from lca_core.model.loose import LooseCloth
from lca_core.model.parts import CLOTH
from lca_core.splats.skinning import multiply_quats
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.batches import draw_batch
from lca_core.training.checkpoints import load_model, save_model
from lca_core.training.objective import forward
from tests.body.bodies import free_body
from tests.model.models import random_inputs, tiny_model
from tests.training.subjects import painted_examples
from tests.training.subjects import tiny_model as painted_model

STRIDE = Driving.neutral()
STRIDE.theta[0, :6] = torch.tensor([-0.8, 0.0, 0.0, 0.8, 0.0, 0.0])


def with_cloth(plain: LCA) -> LCA:
    """The same model with a new decoder of loose cloth."""
    torch.manual_seed(0)
    model = LCA(replace(plain.profile, parts=(CLOTH,)), plain.features, free_body(), image_encoder=plain.image_encoder)
    model.load_state_dict(plain.state_dict(), strict=False)
    return model.eval()


def opened(model: LCA) -> LooseCloth:
    """Its decoder with gates half open and weights changed."""
    part = model.parts[CLOTH]
    with torch.no_grad():
        part.say.bias[0] = 0.5
        part.say.weight[1:].normal_(std=0.1)
    return part


@pytest.fixture(scope="module")
def model() -> LCA:
    return with_cloth(tiny_model())


@pytest.fixture(scope="module")
def tokens(model) -> torch.Tensor:
    with torch.no_grad():
        return model(random_inputs(people=2)).tokens


@torch.no_grad()
def test_it_starts_at_the_weights_of_the_template(model, tokens):
    found = model.parts[CLOTH].weights(model.skinning_weights, tokens, STRIDE)
    assert found.shape == (2, *model.skinning_weights.shape)
    torch.testing.assert_close(found, model.skinning_weights.expand_as(found), rtol=0, atol=1e-6)


@torch.no_grad()
def test_rows_stay_convex_and_joints_that_carry_no_cloth_keep_their_weights(model, tokens):
    part = opened(with_cloth(tiny_model()))
    found, base = part.weights(model.skinning_weights, tokens, STRIDE), model.skinning_weights
    assert (found >= 0).all() and (found - base).abs().max() > 0.05
    torch.testing.assert_close(found.sum(-1), base.sum(-1).expand(2, -1), rtol=0, atol=1e-5)
    others = [i for i in range(55) if i not in carriers()]
    assert torch.equal(found[..., others], base[:, others].expand(2, -1, -1))
    hanging = torch.zeros(len(base), dtype=torch.bool).index_fill_(0, part.points.long(), True)
    assert torch.equal(found[:, ~hanging], base[~hanging].expand(2, -1, -1))
    assert (found[0] - found[1]).abs().max() > 1e-4  # tokens of two people


@torch.no_grad()
def test_an_open_gate_reaches_joints_that_the_template_has_no_weight_for(model, tokens):
    part = with_cloth(tiny_model()).parts[CLOTH]
    part.say.bias[0] = 1.0
    found, base = part.weights(model.skinning_weights, tokens, STRIDE)[0], model.skinning_weights
    left, right = (JOINT_NAMES.index(f"{side}_hip") for side in ("left", "right"))
    thigh = base[:, left] > 0.6
    assert thigh.any() and not base[thigh, right].max() > 0.3
    assert (found[thigh, right] > base[thigh, right] + 1e-3).all()
    part.say.bias[0] = -1.0
    shut = part.weights(model.skinning_weights, tokens, STRIDE)[0]
    torch.testing.assert_close(shut, base, rtol=0, atol=1e-6)


def test_a_shut_gate_can_be_opened_again(model, tokens):
    part = with_cloth(tiny_model()).parts[CLOTH]
    with torch.no_grad():
        part.say.bias[0] = -0.2
    part.hung(model.skinning_weights, tokens)[..., JOINT_NAMES.index("pelvis")].sum().backward()
    assert part.say.bias.grad[0].abs() > 1e-6 and part.say.weight.grad.isfinite().all()


@torch.no_grad()
def test_weights_are_computed_once_for_an_avatar_and_anew_when_anything_changes(model, monkeypatch):
    avatar = Avatar.encode(with_cloth(tiny_model()), random_inputs(people=1))
    part, times = avatar.parts[CLOTH], []
    computed = part.hung
    monkeypatch.setattr(part, "hung", lambda *given: times.append(0) or computed(*given))
    first = part.weights(avatar.weights, avatar.tokens, STRIDE)
    assert part.weights(avatar.weights, avatar.tokens, Driving.neutral(3)) is first and len(times) == 1
    part.say.bias[0] += 1
    assert not torch.equal(part.weights(avatar.weights, avatar.tokens, STRIDE), first) and len(times) == 2
    part.weights(avatar.weights, avatar.tokens.clone(), STRIDE)
    assert len(times) == 3
    assert copy.deepcopy(model.parts[CLOTH]).say.bias is not model.parts[CLOTH].say.bias  # averages copy models


def test_cloth_that_turns_as_one_is_rigid_and_torn_cloth_is_not():
    model = with_cloth(painted_model())
    batch = draw_batch(painted_examples(2), np.random.default_rng(0), 2, 2, 2)
    part = model.parts[CLOTH]
    posed = forward(model, batch, autocast=False)
    terms = part.losses(posed, batch)
    assert set(terms) == {"rigid", "sparse"} and terms["sparse"] == 0
    still = posed._replace(driven=posed.rest)
    assert part.rigid(still) < 1e-8
    turned = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # a quarter about z: (0.707, 0, 0, 0.707)
    quarter = torch.tensor([0.5**0.5, 0, 0, 0.5**0.5])
    moved = replace(posed.rest, means=posed.rest.means @ turned.T + 1,
                    quats=multiply_quats(quarter.expand_as(posed.rest.quats), posed.rest.quats))  # fmt: skip
    assert part.rigid(posed._replace(driven=moved)) < 1e-6
    torn = replace(posed.rest, means=posed.rest.means * torch.tensor([2.0, 1, 1]))
    assert part.rigid(posed._replace(driven=torn)) > 0.05
    opened(model)
    assert part.losses(forward(model, batch, autocast=False), batch)["sparse"] > 0


@torch.no_grad()
def test_photographs_stay_as_they_are_and_other_poses_do_not():
    """As far as may be: a thigh that hangs on both hips cannot turn as one does."""
    model, inputs = with_cloth(tiny_model()), random_inputs(people=1)
    still = replace(STRIDE, root=torch.zeros(1, 6))
    shown = Placement.of(
        still.theta, still.root, still.gaze, torch.eye(4)[None], torch.eye(3)[None], torch.eye(3)[None]
    )
    inputs = replace(inputs, placement=shown.map(lambda values: values.expand(1, 3, *values.shape[2:])))
    canonical = model(inputs)
    assert (model.settled(canonical, inputs).raw - canonical.raw).abs().max() < 1e-3
    opened(model)
    settled = model.settled(canonical, inputs)
    rig, part = model.rig(inputs.betas), model.parts[CLOTH]
    hung = part.weights(rig.skinning, canonical.tokens, STRIDE)
    for pose, nearer in ((still, 0.35), (Driving.neutral(arms_down=False), None)):
        transforms = rig.transforms(pose)
        was = rig.pose(canonical.raw, transforms).means
        before, after = (rig.pose(raw, transforms, hung).means for raw in (canonical.raw, settled.raw))
        missed, left = ((means - was).norm(dim=-1).mean() for means in (before, after))
        assert left < nearer * missed if nearer else left > missed
    unknown = replace(inputs, placement=replace(inputs.placement, known=torch.zeros(1, 3, dtype=torch.bool)))
    assert torch.equal(model.settled(canonical, unknown).raw, canonical.raw)


@torch.no_grad()
def test_files_bring_the_graph_along_and_avatars_in_half_precision(tmp_path):
    model = with_cloth(tiny_model())
    opened(model)
    save_model(tmp_path / "weights.safetensors", model, {})
    again, _ = load_model(tmp_path / "weights.safetensors", free_body())
    avatar = Avatar.encode(again, random_inputs(people=1))
    driven = avatar.drive(STRIDE)
    assert (driven.means - replace(avatar, parts={}).drive(STRIDE).means).abs().max() > 1e-2
    avatar.save(tmp_path / "avatar.safetensors")
    loaded = Avatar.load(tmp_path / "avatar.safetensors")
    assert (loaded.drive(STRIDE).means - driven.means).abs().max() < 3e-3
    _, tensors = load_tensors(tmp_path / "avatar.safetensors", FORMAT, "")
    assert tensors["parts.cloth.share"].dtype == torch.float16 and tensors["parts.cloth.near"].dtype == torch.int32
    loaded.save(tmp_path / "twice.safetensors")
    assert torch.equal(Avatar.load(tmp_path / "twice.safetensors").drive(STRIDE).means, loaded.drive(STRIDE).means)


@torch.no_grad()
@pytest.mark.parametrize("name", ["near", "points", "read", "parents", "edges"])
def test_an_avatar_whose_graph_names_what_is_not_there_is_refused(tmp_path, name):
    avatar = Avatar.encode(with_cloth(tiny_model()), random_inputs(people=1))
    avatar.save(tmp_path / "avatar.safetensors")
    header, tensors = load_tensors(tmp_path / "avatar.safetensors", FORMAT, "")
    tensors[f"parts.cloth.{name}"] = tensors[f"parts.cloth.{name}"].clone() + 10_000
    save_tensors(tmp_path / "broken.safetensors", FORMAT, tensors, header)
    with pytest.raises(InputError, match=name):
        Avatar.load(tmp_path / "broken.safetensors")


def test_its_numbers_are_few_and_stand_with_the_decoders(model):
    part = model.parts[CLOTH]
    assert part.claim.layer == "decoders" and part.say.out_features == 1 + len(CARRIERS)
    assert sum(parameter.numel() for parameter in part.parameters()) < 30_000
