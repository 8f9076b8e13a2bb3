import math

import pytest
import roma
import torch

from lca_core.splats import Gaussians, skin, skinning
from tests.splats.scenes import relative_error


def random_gaussians(count, generator, dtype=torch.float64):
    def uniform(*shape):
        return torch.rand(*shape, generator=generator, dtype=dtype)

    return Gaussians(
        means=uniform(count, 3) - 0.5,
        quats=torch.randn(count, 4, generator=generator, dtype=dtype),
        scales=uniform(count, 3),
        opacities=uniform(count),
        colors=uniform(count, 3),
    )


def random_transforms(shape, generator, angle=0.6):
    transforms = torch.eye(4, dtype=torch.float64).repeat(*shape, 1, 1)
    axis_angles = torch.randn(*shape, 3, generator=generator, dtype=torch.float64) * angle
    transforms[..., :3, :3] = roma.rotvec_to_rotmat(axis_angles)
    transforms[..., :3, 3] = torch.randn(*shape, 3, generator=generator, dtype=torch.float64)
    return transforms


def rotations(quats):
    return roma.unitquat_to_rotmat(roma.quat_normalize(roma.quat_wxyz_to_xyzw(quats)))


def test_means_and_covariances_move_with_the_bone_that_owns_them():
    generator = torch.Generator().manual_seed(0)
    gaussians = random_gaussians(40, generator)
    transforms = random_transforms((2, 5), generator, angle=3.0)  # every branch of matrix to quaternion
    owner = torch.arange(40) % 5
    posed = skin(gaussians, torch.nn.functional.one_hot(owner, 5).double(), transforms)
    assert posed.means.shape == (2, 40, 3) and posed.colors.shape == (2, 40, 3) and posed.opacities.shape == (2, 40)
    for item in range(2):
        for n in range(40):
            bone = transforms[item, owner[n]]
            assert torch.allclose(posed.means[item, n], bone[:3, :3] @ gaussians.means[n] + bone[:3, 3])
            expected = bone[:3, :3] @ rotations(gaussians.quats[n])
            assert torch.allclose(rotations(posed.quats[item, n]), expected, atol=1e-9)
    assert torch.equal(posed.scales[1], gaussians.scales)


def test_blended_means_are_lbs_and_blended_rotations_are_close_to_the_nearest_rotation():
    generator = torch.Generator().manual_seed(1)
    gaussians = random_gaussians(60, generator)
    transforms = random_transforms((7,), generator, angle=0.3)
    weights = torch.rand(60, 7, generator=generator, dtype=torch.float64) ** 4
    weights /= weights.sum(-1, keepdim=True)
    posed = skin(gaussians, weights, transforms)
    blended = torch.einsum("nj,jrc->nrc", weights, transforms)
    expected = torch.einsum("nrc,nc->nr", blended[:, :3, :3], gaussians.means) + blended[:, :3, 3]
    assert torch.allclose(posed.means, expected)
    nearest = roma.special_procrustes(blended[:, :3, :3]) @ rotations(gaussians.quats)
    apart = roma.rotmat_geodesic_distance(rotations(posed.quats), nearest)
    assert apart.max() < math.radians(2)


def test_two_bones_at_half_weight_turn_by_half_of_a_wide_bend():
    gaussians = random_gaussians(1, torch.Generator().manual_seed(2)).map(torch.zeros_like)
    gaussians = Gaussians(**{**vars(gaussians), "quats": torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64)})
    transforms = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    bend = torch.tensor([0.0, math.radians(170), 0.0], dtype=torch.float64)
    transforms[1, :3, :3] = roma.rotvec_to_rotmat(bend)
    posed = skin(gaussians, torch.full((1, 2), 0.5, dtype=torch.float64), transforms)
    assert torch.allclose(rotations(posed.quats)[0], roma.rotvec_to_rotmat(bend / 2))


@pytest.mark.parametrize("of_weights", [(), (2,)])
def test_gradients_of_skinning_agree_with_finite_differences(of_weights):
    generator = torch.Generator().manual_seed(3)
    gaussians = random_gaussians(3, generator)
    transforms = random_transforms((2, 3), generator)
    weights = torch.softmax(torch.randn(*of_weights, 3, 3, generator=generator, dtype=torch.float64), -1)

    def posed(means, quats, weights, transforms):
        result = skin(Gaussians(**{**vars(gaussians), "means": means, "quats": quats}), weights, transforms)
        return result.means, result.quats

    inputs = [t.requires_grad_() for t in (gaussians.means, gaussians.quats, weights, transforms)]
    assert torch.autograd.gradcheck(posed, inputs)


def test_weights_that_do_not_fit_are_refused(any_shape):
    gaussians = random_gaussians(4, torch.Generator().manual_seed(4))
    with pytest.raises(ValueError, match=r"weights must be \[4, 5\]"):
        skin(gaussians, torch.ones(4, 3, dtype=torch.float64), torch.eye(4).repeat(5, 1, 1))
    with pytest.raises(ValueError, match=r"same batch or be shared by it, not \[3\], \[\], \[\], \[2\]"):
        skin(gaussians, torch.ones(2, 4, 5), torch.eye(4).repeat(3, 5, 1, 1))


def sparse_rows(*shape, generator):
    """Weights [*shape] float32, most of them zero, as a body's are."""
    weights = torch.rand(*shape, generator=generator) * (torch.rand(*shape, generator=generator) < 0.3)
    weights[..., 4] += 1e-3
    return weights / weights.sum(-1, keepdim=True)


def posed_with_gradients(tensors, push, dtype):
    """Posed means and quats for given means, quats, weights and transforms, and the gradients of all four."""
    tensors = [t.to(dtype).requires_grad_() for t in tensors]
    means, quats, weights, transforms = tensors
    rest = torch.ones_like(means)
    posed = skin(Gaussians(means, quats, rest, rest[..., 0], rest), weights, transforms)
    form = sum((value * p.to(dtype)).sum() for value, p in zip((posed.means, posed.quats), push, strict=True))
    return [posed.means.detach(), posed.quats.detach(), *torch.autograd.grad(form, tensors)]


@pytest.mark.parametrize(
    "of_weights, of_gaussians, of_transforms",
    [
        ((), (), (3, 2)),
        ((), (3, 2), (1, 2)),
        ((2,), (), (3, 2)),
        ((2,), (3, 1), (1, 2)),
        ((3, 1), (3, 2), (2,)),
        ((3, 1), (), (1, 2)),
        ((3, 2), (), ()),
        ((3, 2), (3, 2), (3, 2)),
    ],
)
def test_the_kernel_skins_and_differentiates_as_the_float64_tensors_do(of_weights, of_gaussians, of_transforms):
    """Float32 on a CPU goes to the kernel, float64 to tensors: values to 1e-5, gradients to 1e-5 of their norm."""
    generator = torch.Generator().manual_seed(7)
    count, joints = 300, 9
    weights = sparse_rows(*of_weights, count, joints, generator=generator)
    transforms = random_transforms((*of_transforms, joints), generator, angle=1.5).float()
    means, quats = (torch.randn(*of_gaussians, count, size, generator=generator) for size in (3, 4))
    push = [torch.randn(3, 2, count, size, generator=generator) for size in (3, 4)]
    kernel, truth = (
        posed_with_gradients((means, quats, weights, transforms), push, d) for d in (torch.float32, torch.float64)
    )
    for value, exact in zip(kernel[:2], truth[:2], strict=True):
        torch.testing.assert_close(value, exact, rtol=0, atol=1e-5, check_dtype=False)
    errors = [relative_error(value, exact) for value, exact in zip(kernel[2:], truth[2:], strict=True)]
    assert max(errors) < 1e-5, errors
    assert kernel[4].shape == weights.shape and kernel[4][weights == 0].abs().min() > 0


@pytest.mark.parametrize("by_kernel", [False, True])
def test_dense_weights_of_all_a_bodys_joints_are_differentiated_too(monkeypatch, by_kernel):
    if by_kernel:  # which is not the faster way, but must be right
        monkeypatch.setattr(torch, "count_nonzero", lambda weights: torch.tensor(0))
    generator = torch.Generator().manual_seed(9)
    logits = 2 * torch.randn(2, 600, 55, generator=generator)
    transforms = random_transforms((2, 55), generator).float()
    gaussians = random_gaussians(600, generator, torch.float32)
    push = [torch.randn(2, 600, size, generator=generator) for size in (3, 4)]
    found = []
    for dtype in (torch.float32, torch.float64):
        learned = logits.to(dtype).requires_grad_()
        posed = skin(gaussians.map(lambda t, d=dtype: t.to(d)), learned.softmax(-1), transforms.to(dtype))
        form = (posed.means * push[0].to(dtype)).sum() + (posed.quats * push[1].to(dtype)).sum()
        found.append(torch.autograd.grad(form, learned)[0])
    assert relative_error(found[0], found[1]) < 1e-5


def test_a_quaternion_of_the_other_sign_poses_alike_because_the_heaviest_joint_decides():
    """Half a turn and a little more: its quaternion and the rest's lie on opposite sides."""
    transforms = torch.eye(4).repeat(2, 1, 1)
    transforms[1, :3, :3] = roma.rotvec_to_rotmat(torch.tensor([0.0, math.radians(200), 0.0]))
    gaussians = random_gaussians(2, torch.Generator().manual_seed(2), torch.float32)
    weights = torch.tensor([[0.7, 0.3], [0.3, 0.7]])
    kernel = skin(gaussians, weights, transforms)
    tensors = skin(gaussians.map(torch.Tensor.double), weights.double(), transforms.double())
    turned = rotations(kernel.quats.double())
    torch.testing.assert_close(turned, rotations(tensors.quats), rtol=0, atol=1e-6)
    back = roma.rotmat_geodesic_distance(turned, rotations(gaussians.quats.double()))
    assert back.max() < math.radians(180) and back[1] > back[0]


@pytest.mark.parametrize("of_weights", [(), (2,)])
def test_fixed_weights_are_looked_through_once_and_again_when_changed(monkeypatch, of_weights):
    generator = torch.Generator().manual_seed(11)
    gaussians, looked = random_gaussians(20, generator, torch.float32), []
    weights = sparse_rows(*of_weights, 20, 5, generator=generator)
    transforms = random_transforms((2, 5), generator).float()
    find = skinning.sparse_weights
    monkeypatch.setattr(skinning, "sparse_weights", lambda values: looked.append(values) or find(values))
    for _ in range(3):
        first = skin(gaussians, weights, transforms)
    assert len(looked) == 1
    weights.copy_(weights.roll(1, -1))
    assert not torch.equal(skin(gaussians, weights, transforms).means, first.means) and len(looked) == 2


def test_skinning_by_the_kernel_is_bitwise_the_same_for_any_number_of_threads(monkeypatch):
    generator = torch.Generator().manual_seed(6)
    gaussians = random_gaussians(1000, generator, torch.float32)
    weights = sparse_rows(2, 1000, 15, generator=generator)
    transforms = random_transforms((2, 15), generator).float()
    push = [torch.randn(2, 1000, size, generator=generator) for size in (3, 4)]
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("lca_core.splats.sharing.threads", lambda threads=threads: threads)
        results.append(
            posed_with_gradients((gaussians.means, gaussians.quats, weights, transforms), push, torch.float32)
        )
    assert all(torch.equal(one, other) for again in results[1:] for one, other in zip(results[0], again, strict=True))


def test_weights_made_in_inference_mode_pose_like_any_other():
    generator = torch.Generator().manual_seed(8)
    gaussians = random_gaussians(20, generator, torch.float32)
    transforms = random_transforms((5,), generator).float()
    weights = torch.nn.functional.one_hot(torch.arange(20) % 5, 5).float()
    expected = skin(gaussians, weights, transforms)
    with torch.inference_mode():
        made_there = weights.clone()
        assert torch.equal(skin(gaussians, made_there, transforms).means, expected.means)
        made_there.copy_(weights.roll(1, 1))
        moved = skin(gaussians, made_there, transforms).means
    assert torch.equal(moved, skin(gaussians, weights.roll(1, 1), transforms).means)
    assert not torch.equal(moved, expected.means)
