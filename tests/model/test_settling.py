"""Points hung by other weights are where they were in the photographs, and elsewhere in other poses."""

import pytest
import torch

from lca_core.body import JOINT_NAMES, joint_transforms
from lca_core.model.settling import settled
from lca_core.splats import Gaussians, skin
from lca_core.splats.skinning import multiply_quats
from tests.body.bodies import free_body

LEFT, RIGHT = (JOINT_NAMES.index(f"{side}_hip") for side in ("left", "right"))
POINTS = 20


@pytest.fixture(scope="module")
def poses() -> torch.Tensor:
    """Joint transforms of one person in three strides, the second the other way round."""
    pose = torch.zeros(3, 55, 3)
    pose[:, LEFT, 0], pose[:, RIGHT, 0] = torch.tensor([0.6, -0.5, 0.8]), torch.tensor([-0.6, 0.5, -0.3])
    joints = free_body().J_template.expand(3, -1, -1)
    return joint_transforms(joints, pose, torch.zeros(3, 3))[0][None]


@pytest.fixture(scope="module")
def points() -> Gaussians:
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(POINTS, 3, generator=generator) * 0.1 + torch.tensor([0.0, -0.6, 0.1])
    quats = torch.nn.functional.normalize(torch.randn(POINTS, 4, generator=generator), dim=-1)
    return Gaussians(means, quats, torch.full((POINTS, 3), 0.01), torch.ones(POINTS), torch.zeros(POINTS, 3))


def hung(left: float) -> torch.Tensor:
    """Everything by so much on the left thigh, the rest on the right one."""
    weights = torch.zeros(1, POINTS, 55)
    weights[..., LEFT], weights[..., RIGHT] = left, 1 - left
    return weights


def laid(points: Gaussians, means: torch.Tensor, turns: torch.Tensor) -> Gaussians:
    return Gaussians(
        means[0], multiply_quats(turns[0], points.quats), points.scales, points.opacities, points.colors
    )  # fmt: skip


KNOWN = torch.tensor([[True, False, False]])


def test_the_photographs_stay_and_other_poses_change(points, poses):
    before, after = hung(1.0), hung(0.7)
    found = laid(points, *settled(points.means[None], before, after, poses, KNOWN))
    old, new = skin(points, before[0], poses[0]), skin(found, after[0], poses[0])
    unmoved = skin(points, after[0], poses[0])
    missed = (new.means - old.means).norm(dim=-1).mean(-1)
    assert missed[0] < 0.1 * (unmoved.means - old.means).norm(dim=-1).mean(-1)[0]
    assert missed[1] > 0.1
    aligned = (new.quats[0] * old.quats[0]).sum(-1).abs()
    assert aligned.min() > 0.999 and (unmoved.quats[0] * old.quats[0]).sum(-1).abs().max() < 0.99


def test_the_same_weights_leave_everything_where_it_is(points, poses):
    means, turns = settled(points.means[None], hung(0.6), hung(0.6), poses, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(means[0], points.means, atol=1e-5, rtol=0)
    torch.testing.assert_close(turns[0], torch.tensor([1.0, 0, 0, 0]).expand(POINTS, 4), atol=1e-5, rtol=0)


def test_photographs_of_unknown_poses_do_not_count(points, poses):
    means, turns = settled(points.means[None], hung(1.0), hung(0.5), poses, torch.zeros(1, 3, dtype=torch.bool))
    torch.testing.assert_close(means[0], points.means, atol=1e-6, rtol=0)
    torch.testing.assert_close(turns[0], torch.tensor([1.0, 0, 0, 0]).expand(POINTS, 4))
    other = poses.clone()
    other[:, 1:] = 7.0
    one, two = (settled(points.means[None], hung(1.0), hung(0.5), given, KNOWN)[0] for given in (poses, other))
    torch.testing.assert_close(one, two)


def test_gradients_are_those_of_finite_differences(points, poses):
    def where(after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        means, turns = settled(points.means[None, :2].double(), hung(1.0)[:, :2].double(), after, poses.double(), KNOWN)
        return means, turns

    after = hung(0.7)[:, :2].double().requires_grad_()
    assert torch.autograd.gradcheck(where, (after,), eps=1e-6, atol=1e-6)
