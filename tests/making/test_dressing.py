"""The skin is pushed out to what is drawn over it, and stays where it must move freely."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS, JOINT_NAMES
from lca_core.body.basemesh import vertex_normals
from lca_core.making.dressing import REACH, standing_off
from lca_core.making.sights import views
from lca_core.splats import Gaussians
from tests.body.bodies import free_body

OFF = 0.03  # metres


@pytest.fixture(scope="module")
def coat() -> np.ndarray:
    """How far each vertex is found to stand off, of Gaussians OFF metres from the skin everywhere."""
    body = free_body()
    vertices, faces = body.template.numpy(), body.faces.numpy()
    normals = vertex_normals(vertices, faces)
    count = len(vertices)
    gaussians = Gaussians(
        means=torch.from_numpy(vertices + OFF * normals), quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        scales=torch.full((count, 3), 0.015), opacities=torch.full((count,), 0.95), colors=torch.rand(count, 3),
    )  # fmt: skip
    return standing_off(gaussians, body, vertices, normals, faces, views(vertices, body.weights.numpy(), 96))


def test_where_cloth_lies_the_skin_comes_out_to_it(coat):
    body = free_body()
    of = body.weights.numpy()
    for joint in ("spine2", "left_knee", "right_elbow"):
        found = np.median(coat[of[:, JOINT_NAMES.index(joint)] > 0.7])
        assert abs(found - OFF) < 0.012, joint
    assert coat.min() >= 0 and coat.max() <= REACH


def test_hands_lips_lids_and_what_is_within_the_head_stay(coat):
    body = free_body()
    fingers = body.weights.numpy()[:, [JOINT_NAMES.index(f"left_index{k}") for k in (1, 2, 3)]].sum(1) > 0.7
    lids = body.exprdirs[..., ACTIONS.index("eyeBlinkLeft")].norm(dim=1).numpy() > 0.004
    inside = np.unique(body.faces.numpy()[body.extra["f_group"] != "body"])
    assert fingers.any() and lids.any()
    for kept in (fingers, lids, inside):
        assert coat[kept].max() == 0


def test_a_limb_before_another_is_not_its_cloth():
    """Gaussians half a metre before the body move nothing."""
    body = free_body()
    vertices, faces = body.template.numpy(), body.faces.numpy()
    normals = vertex_normals(vertices, faces)
    wall = Gaussians(
        means=torch.from_numpy(vertices * 0.5 + np.float32([0, 0, 0.6])), quats=torch.ones(len(vertices), 4),
        scales=torch.full((len(vertices), 3), 0.02), opacities=torch.ones(len(vertices)),
        colors=torch.rand(len(vertices), 3),
    )  # fmt: skip
    cameras = views(vertices, body.weights.numpy(), 64)[:1]
    off = standing_off(replace(wall, opacities=wall.opacities * 0.9), body, vertices, normals, faces, cameras)
    assert off.max() < 1e-3
