"""The rigged mesh, posed by glTF's rules alone, is the body; trimesh opens it; its colours are the avatar's."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial import cKDTree

from lca_core.body import ACTIONS, JOINT_NAMES, Driving
from lca_core.body.driving import EPSILON
from lca_core.errors import InputError
from lca_core.making import skin
from lca_core.making.rigged import write_rigged
from lca_core.making.skin import body_of
from lca_core.motion.motions import motion
from tests.body.bodies import free_body
from tests.making.examples import small_avatar
from tests.rigs import RiggedMesh

NEAR, USUAL = 0.01, 5e-4  # metres: of a vertex that more than four joints move, and of 99 in 100


@pytest.fixture(scope="module")
def moves():
    return motion("dance", np.random.default_rng(0), 5, 5.0)


@pytest.fixture(scope="module")
def path(tmp_path_factory, moves):
    where = tmp_path_factory.mktemp("rigged") / "me.glb"
    write_rigged(where, small_avatar(), moves, 5.0, px=128, dressed=False)
    return where


@pytest.fixture(scope="module")
def mesh(path) -> RiggedMesh:
    return RiggedMesh(path)


@pytest.fixture(scope="module")
def shape():
    return torch.tensor([small_avatar().meta["betas"]])


def nearest(found: np.ndarray, wanted: torch.Tensor) -> np.ndarray:
    """Distances [n] of the mesh's vertices from the body's."""
    return cKDTree(wanted.numpy()).query(found)[0]


def test_at_rest_it_is_the_persons_body(mesh, shape):
    wanted = free_body().rest(shape)[0]
    assert len(mesh.faces) == len(free_body().faces)
    assert nearest(mesh.posed({}), wanted).max() < 1e-5
    assert mesh.joints == list(JOINT_NAMES) and len(mesh.joints) == 55


def test_four_joints_at_most_move_a_vertex_and_their_shares_add_up_to_one(mesh):
    share = mesh.attributes["WEIGHTS_0"]
    assert share.shape[1] == mesh.attributes["JOINTS_0"].shape[1] == 4 and share.min() >= 0
    np.testing.assert_allclose(share.sum(1), 1, atol=1e-6)
    assert mesh.attributes["JOINTS_0"].max() < 55


def test_posed_by_its_joints_it_is_the_posed_body(mesh, shape):
    pose = torch.zeros(1, 55, 3)
    rotations = {"left_elbow": [0.0, -1.2, 0.0], "head": [0.3, 0.4, 0.0], "right_hip": [-0.8, 0.0, 0.2]}
    rotations |= {"right_index1": [0.0, 0.0, -0.9], "pelvis": [0.0, 0.5, 0.0]}
    for name, turn in rotations.items():
        pose[0, JOINT_NAMES.index(name)] = torch.tensor(turn)
    wanted = free_body()(shape, None, pose).vertices[0]
    distance = nearest(mesh.posed({name: np.array(turn) for name, turn in rotations.items()}), wanted)
    assert np.quantile(distance, 0.99) < USUAL and distance.max() < NEAR


def test_every_facial_action_is_a_morph_target_that_moves_the_mesh_as_the_body(mesh, shape):
    assert tuple(mesh.names) == ACTIONS and len(mesh.mesh["weights"]) == 52
    expression = torch.zeros(1, 52)
    expression[0, ACTIONS.index("jawOpen")] = 0.7
    expression[0, ACTIONS.index("mouthSmileLeft")] = 1.0
    wanted = free_body().rest(shape, expression)[0]
    found = mesh.posed({}, actions={"jawOpen": 0.7, "mouthSmileLeft": 1.0})
    assert nearest(found, wanted).max() < 5e-5
    assert np.linalg.norm(mesh.targets["jawOpen"], axis=1).max() > 0.01


def test_the_animation_is_the_motion(mesh, moves, shape):
    theta, gaze, root = (torch.from_numpy(x) for x in (moves.theta, moves.gaze, moves.root))
    driving = Driving(theta, torch.zeros(len(theta), EPSILON), gaze, root)
    expression = torch.from_numpy(moves.actions)[3:4]
    wanted = free_body()(shape, expression, driving.full_pose[3:4], driving.root[3:4, 3:]).vertices[0]
    distance = nearest(mesh.frame(3), wanted)
    assert np.quantile(distance, 0.99) < USUAL and distance.max() < NEAR


def test_trimesh_opens_it_with_its_texture(path, mesh, shape):
    (found,) = trimesh.load(path).geometry.values()
    rest = free_body().rest(shape)[0]
    assert len(found.faces) == len(mesh.faces)
    np.testing.assert_allclose(found.bounds, torch.stack([rest.min(0).values, rest.max(0).values]), atol=1e-5)
    assert found.visual.uv.shape == (len(found.vertices), 2)
    texture = found.visual.material.baseColorTexture
    assert texture.size == (128, 128) and np.asarray(texture)[..., :3].std() > 0


def test_faces_look_outward(mesh):
    """Counter-clockwise seen from outside, as glTF has front faces; normals say the same."""
    corners = mesh.attributes["POSITION"][mesh.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = np.einsum("fi,fi->f", corners[:, 0], flat).sum() / 6
    assert 0.03 < volume < 0.2, "cubic metres"
    assert (np.einsum("fi,fi->f", flat, mesh.attributes["NORMAL"][mesh.faces].mean(1)) > 0).mean() > 0.98


def test_a_painted_avatar_keeps_its_colours(tmp_path):
    """An avatar all of one colour gives a texture all of that colour, and the material is unlit."""
    avatar = small_avatar()
    painted = tuple(round(255 * c) for c in (0.8, 0.4, 0.2))

    class Plain(type(avatar)):
        def drive(self, driving):
            g = super().drive(driving)
            colors = torch.tensor([0.8, 0.4, 0.2]).expand_as(g.colors)
            return replace(g, colors=colors, opacities=torch.ones_like(g.opacities), scales=g.scales * 0 + 0.05)

    plain = Plain(**{name: getattr(avatar, name) for name in avatar.__dataclass_fields__})
    write_rigged(tmp_path / "a.glb", plain, px=64, dressed=False)
    found = trimesh.load(tmp_path / "a.glb").geometry.popitem()[1].visual.material
    assert np.abs(np.asarray(found.baseColorTexture)[..., :3].astype(int) - painted).max() <= 1
    assert "KHR_materials_unlit" in RiggedMesh(tmp_path / "a.glb").document["materials"][0]["extensions"]


def test_a_body_without_texture_coordinates_has_coloured_vertices(tmp_path, monkeypatch):
    bare = copy(free_body())
    bare.extra = {name: values for name, values in bare.extra.items() if name == "f_group"}
    monkeypatch.setattr(skin, "body_for", lambda coverage: bare)
    write_rigged(tmp_path / "a.glb", small_avatar(), px=64)
    found = RiggedMesh(tmp_path / "a.glb")
    colors = found.attributes["COLOR_0"]
    assert colors.shape == (len(bare.template), 3) and 0 <= colors.min() < colors.max() <= 1
    assert "TEXCOORD_0" not in found.attributes and "textures" not in found.document


def test_of_a_whole_body_what_is_nobodys_skin_is_left_out(tmp_path):
    """Shells for hair and skirts, and helpers, have no place in a mesh; skin, eyes, teeth and tongue have."""
    avatar = small_avatar()
    write_rigged(tmp_path / "a.glb", replace(avatar, meta=avatar.meta | {"body": "whole"}), px=64)
    found = RiggedMesh(tmp_path / "a.glb")
    assert len(found.faces) == len(free_body().faces) and len(found.targets) == 52
    assert np.isfinite(found.attributes["NORMAL"]).all()


def test_an_avatar_that_does_not_know_its_body_or_knows_another_is_refused(tmp_path):
    avatar = small_avatar()
    for wrong in (
        {"betas": None},
        {"betas": "many"},
        {"betas": [0.0, "x"]},
        {"betas": [float("nan")]},
        {"body": "tin"},
    ):
        with pytest.raises(InputError, match="make it again"):
            write_rigged(tmp_path / "a.glb", replace(avatar, meta=avatar.meta | wrong))
    with pytest.raises(InputError, match="another body"):
        body_of(replace(avatar, meta=avatar.meta | {"betas": [3.0] * 10}))
    assert list(tmp_path.iterdir()) == []
