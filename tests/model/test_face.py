"""The body's facial blendshapes under the driven branch."""

import copy
from dataclasses import replace

import torch

from lca_core.body import ACTIONS, Driving, sample_anchors
from lca_core.body.driving import EPSILON
from lca_core.model import LCA, Avatar
from lca_core.model.face import FaceShapes
from lca_core.model.posing import drive
from lca_core.model.raw import POSITION, offsets
from lca_core.splats import skin
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY, random_inputs, tiny_model


def face_shapes() -> FaceShapes:
    return FaceShapes.of(sample_anchors(free_body(), 256, 8))


def test_a_code_moves_its_gaussians_as_the_body_moves_its_skin():
    """Anchors sampled on a body that already makes the face lie where the code carries those of the calm one."""
    body, shapes = free_body(), face_shapes()
    codes = torch.zeros(EPSILON)
    codes[ACTIONS.index("jawOpen")], codes[ACTIONS.index("mouthSmileLeft")] = 0.8, 0.5
    still = sample_anchors(body, 256, 8)
    made = copy.copy(body)
    made.shapedirs = torch.einsum("vie,e->vi", body.exprdirs, codes[: len(ACTIONS)])[..., None]
    expected = sample_anchors(made, 256, 8).shapedirs[..., 0]
    moved = shapes.move(torch.zeros(256, 8, 14), codes)
    torch.testing.assert_close(still.points + offsets(moved), still.points + expected, rtol=0, atol=1e-4)
    assert expected.norm(dim=-1).max() > 0.01
    moved[..., POSITION] = 0
    assert (moved == 0).all()


def test_only_faces_move_and_actions_move_them():
    shapes = face_shapes()
    anchors = sample_anchors(free_body(), 256, 8)
    height = anchors.points.flatten(0, 1)[:, 1]
    assert height[shapes.index].min() > height.max() - 0.35
    reach = dict(zip(ACTIONS, shapes.dirs.norm(dim=1).amax(0).tolist()))
    assert all(metres > 1e-3 for name, metres in reach.items() if not name.startswith("eye"))  # lids are too thin here


def test_numbers_beyond_the_blendshapes_move_nothing_by_themselves():
    codes = torch.zeros(2, 3, EPSILON)
    codes[..., len(ACTIONS) :] = 1
    raw = torch.randn(2, 3, 256, 8, 14)
    assert torch.equal(face_shapes().move(raw, codes), raw)


def test_gradients_reach_the_code():
    codes = torch.zeros(EPSILON, requires_grad=True)
    moved = face_shapes().move(torch.zeros(256, 8, 14), codes)
    (gradient,) = torch.autograd.grad(moved[..., POSITION].sum(), codes)
    assert (gradient[: len(ACTIONS)] != 0).any() and (gradient[len(ACTIONS) :] == 0).all()


@torch.no_grad()
def test_model_and_avatar_make_the_same_face(tmp_path):
    model = tiny_model()
    inputs = random_inputs(people=1)
    avatar = Avatar.encode(model, inputs)
    driving = replace(Driving.neutral(), epsilon=torch.randn(1, EPSILON))
    tokens, raw = model(inputs)
    raw, _ = drive(model.drivers, raw, model.skinning_weights, tokens, driving)
    made = model.rig(inputs.betas).canonical(raw).map(lambda t: t[0])
    posed = avatar.drive(driving).means
    torch.testing.assert_close(posed[0], skin(made, avatar.weights, avatar.transforms(driving)[0]).means)
    avatar.save(tmp_path / "a.safetensors")
    torch.testing.assert_close(Avatar.load(tmp_path / "a.safetensors").drive(driving).means, posed)


def test_the_plain_model_is_a_flag_away():
    plain = LCA(replace(TINY, face_shapes=False), FEATURES, free_body())
    assert plain.face_shapes.dirs.numel() == 0
    raw = torch.randn(1, 32, 2, 14)
    assert torch.equal(plain.face_shapes.move(raw, torch.randn(1, EPSILON)), raw)
