"""The model: photographs as a set, two branches, and the template underneath."""

from dataclasses import replace

import pytest
import torch

from lca_core.body import ACTIONS, Driving
from lca_core.body.driving import EPSILON, GAZE, ROOT, THETA
from lca_core.model import LCA, Inputs
from lca_core.model.colors import READ
from lca_core.model.posing import drive
from lca_core.model.raw import OPACITY, frames_of_normals
from lca_core.splats.reference import quats_to_rotations
from tests.body.bodies import free_body
from tests.model.models import FEATURES, MATTE, TINY, random_inputs, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def noisy_driving(frames: int) -> Driving:
    generator = torch.Generator().manual_seed(1)
    return Driving(*(torch.randn(frames, size, generator=generator) for size in (THETA, EPSILON, GAZE, ROOT)))


def given(inputs: Inputs, photos: list[int]) -> Inputs:
    """The photographs of these numbers, in this order."""
    return Inputs(inputs.body[:, photos], inputs.face[:, photos], inputs.seen[:, photos], inputs.betas)


@torch.no_grad()
def test_the_order_of_the_photographs_does_not_matter(model):
    inputs = random_inputs(photos=4)
    tokens = model(inputs).tokens
    torch.testing.assert_close(model(given(inputs, [2, 0, 3, 1])).tokens, tokens, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_face_belongs_to_the_set_and_not_to_its_body_picture(model):
    inputs = random_inputs(photos=2)
    swapped = replace(inputs, face=inputs.face.flip(1))
    torch.testing.assert_close(model(swapped).tokens, model(inputs).tokens, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_photographs_matter(model):
    inputs = random_inputs(photos=2)
    for name in ("body", "face"):
        changed = replace(inputs, **{name: getattr(inputs, name) + 1})
        assert (model(changed).tokens - model(inputs).tokens).abs().max() > 0.01, name


@torch.no_grad()
def test_photographs_that_are_not_there_change_nothing(model):
    """Padding, whatever numbers it holds, for people with different numbers of photographs."""
    full = random_inputs(people=2, photos=4)
    seen = full.seen.clone()
    seen[0, 1:] = False
    seen[1, 3:] = False
    together = model(replace(full, seen=seen)).tokens
    for person, photos in ((0, [0]), (1, [0, 1, 2])):
        one = Inputs(*(getattr(full, n)[person : person + 1] for n in ("body", "face", "seen", "betas")))
        torch.testing.assert_close(together[person], model(given(one, photos)).tokens[0], rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_missing_face_crop_changes_nothing_whatever_stands_in_its_place(model):
    inputs = random_inputs(people=1, photos=2)
    inputs.seen[0, 1, 1] = False
    other = replace(inputs, face=torch.cat([inputs.face[:, :1], 7 * torch.ones_like(inputs.face[:, 1:])], 1))
    torch.testing.assert_close(model(other).tokens, model(inputs).tokens, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("photos", [1, 2, 5, 9])
def test_any_number_of_photographs_will_do(model, photos):
    tokens = model(random_inputs(people=1, photos=photos)).tokens
    assert tokens.shape == (1, TINY.anchors, TINY.dim + READ)
    assert tokens.isfinite().all()


@torch.no_grad()
def test_patches_without_the_person_change_nothing(model):
    inputs = random_inputs()
    body = inputs.body.clone()
    body[:, :, :2, :-MATTE] = 9
    torch.testing.assert_close(model(replace(inputs, body=body)).tokens, model(inputs).tokens, rtol=0, atol=1e-5)


@torch.no_grad()
def test_pictures_without_anybody_give_finite_numbers(model):
    """Beside somebody who is there, who is not disturbed."""
    inputs = random_inputs(people=2)
    expected = model(inputs).tokens
    for x in (inputs.body, inputs.face):
        x[0, ..., -MATTE:] = 0
    tokens = model(inputs).tokens
    assert tokens.isfinite().all()
    torch.testing.assert_close(tokens[1], expected[1], rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_plain_model_has_no_colour_reading():
    plain = LCA(replace(TINY, color_reading=False, pixel_alignment=False), FEATURES, free_body())
    inputs = random_inputs()
    tokens, raw = plain(inputs)
    assert tokens.shape == (2, TINY.anchors, TINY.dim)
    assert raw.shape == (2, TINY.anchors, TINY.gaussians_per_anchor, 14)


@torch.no_grad()
def test_people_of_a_batch_do_not_mix(model):
    inputs = random_inputs(people=2)
    alone = Inputs(*(getattr(inputs, n)[1:] for n in ("body", "face", "seen", "betas")))
    torch.testing.assert_close(model(inputs).tokens[1:], model(alone).tokens, rtol=0, atol=1e-5)


@torch.no_grad()
def test_opacity_is_not_driven(model):
    inputs = random_inputs()
    tokens, raw = model(inputs)
    driven, weights = drive(model.drivers, raw, model.skinning_weights, tokens, noisy_driving(2))
    assert torch.equal(driven[..., OPACITY], raw[..., OPACITY])
    assert weights is model.skinning_weights
    assert ((driven - raw)[..., : OPACITY.start].abs().amax((0, 1, 2)) > 1e-3).all()


@torch.no_grad()
def test_an_untrained_driven_branch_leaves_the_canonical_gaussians():
    fresh = tiny_model(stirred=False)
    inputs = random_inputs()
    tokens, raw = fresh(inputs)
    driving = noisy_driving(2)
    driving.epsilon[:, : len(ACTIONS)] = 0  # the face's blendshapes need no training
    assert torch.equal(drive(fresh.drivers, raw, fresh.skinning_weights, tokens, driving)[0], raw)


@torch.no_grad()
def test_an_untrained_model_is_the_template_on_the_skin():
    """Every Gaussian starts at its surface point (within millimetres), opaque, thin along the normal."""
    fresh = tiny_model(stirred=False)
    inputs = random_inputs(people=2)
    rig = fresh.rig(inputs.betas)
    gaussians = rig.canonical(fresh(inputs).raw)
    assert len(gaussians) == TINY.anchors * TINY.gaussians_per_anchor
    assert (gaussians.means - rig.surface.flatten(1, 2)).norm(dim=-1).max() < 0.005
    assert gaussians.opacities.min() > 0.8
    assert (gaussians.scales[..., 2] < 0.5 * gaussians.scales[..., 0]).all()
    third = quats_to_rotations(gaussians.quats)[..., :, 2]
    assert (third * fresh.anchor_normals.flatten(0, 1)).sum(-1).min() > 0.99


def test_frames_turn_the_third_axis_to_the_normal():
    normals = torch.nn.functional.normalize(torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    normals = torch.cat([normals, torch.tensor([[0.0, 0, 1], [0, 0, -1], [0, 1, 0]])])
    quats = frames_of_normals(normals)
    torch.testing.assert_close(quats_to_rotations(quats)[..., :, 2], normals, rtol=0, atol=1e-5)
    torch.testing.assert_close(quats.norm(dim=-1), torch.ones(23), rtol=0, atol=1e-6)


@torch.no_grad()
def test_attention_maps_sum_to_one_and_explain_the_output(model):
    attention = model.encoder.layers[0].multimodal_attention
    generator = torch.Generator().manual_seed(0)
    queries, context = (
        torch.randn(1, 5, TINY.dim, generator=generator),
        torch.randn(1, 7, TINY.dim, generator=generator),
    )
    maps = attention.weights(queries, context)
    assert maps.shape == (1, TINY.heads, 5, 7)
    torch.testing.assert_close(maps.sum(-1), torch.ones(1, TINY.heads, 5))
    values = attention.key_value(attention.norm_context(context)).chunk(2, -1)[1].unflatten(-1, (TINY.heads, -1))
    mixed = torch.einsum("bhqk,bkhd->bqhd", maps, values).flatten(2)
    torch.testing.assert_close(attention.out(mixed), attention(queries, context), rtol=0, atol=1e-5)


@torch.no_grad()
def test_attention_is_over_patches_with_the_person_and_sums_to_one(model):
    inputs, anchors = random_inputs(people=2, photos=3), torch.tensor([0, 5, 31])
    seen = inputs.seen.clone()
    seen[1, 2] = False
    body, face = model.attention(replace(inputs, seen=seen), anchors)
    heads = TINY.heads
    assert body.shape == (2, heads, 3, 3, 9) and face.shape == (2, heads, 3, 3, 4)
    torch.testing.assert_close(body.sum((3, 4)) + face.sum((3, 4)), torch.ones(2, heads, 3))
    assert not body[..., :2].any() and not face[..., :2].any()  # patches without a pixel of the person
    assert not body[1, :, :, 2].any() and not face[1, :, :, 2].any()  # a photograph that is not there
    assert (body[0, :, 0] - body[0, :, 1]).abs().max() > 1e-4


@torch.no_grad()
def test_attention_tells_what_the_encoder_reads(model):
    """Values of the patches, weighed by the maps of every head, are what multimodal attention hands on."""
    inputs, layer = random_inputs(people=1, photos=1), model.encoder.layers[0]
    streams = model._streams(inputs, model.view(inputs))
    image, geometry = layer.before_multimodal(streams.image, streams.geometry, streams.kept)
    attention = layer.multimodal_attention
    maps = attention.weights(geometry, image, streams.kept)
    values = attention._heads(attention.key_value(attention.norm_context(image)).chunk(2, -1)[1])
    read = attention.out((maps @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(read, attention(geometry, image, streams.kept), rtol=0, atol=1e-5)
