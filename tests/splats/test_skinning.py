import math

import numba
import pytest
import roma
import torch

from lca_core.splats import Gaussians, skin


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


def test_gradients_of_skinning_agree_with_finite_differences():
    generator = torch.Generator().manual_seed(3)
    gaussians = random_gaussians(3, generator)
    transforms = random_transforms((2, 3), generator)
    weights = torch.softmax(torch.randn(3, 3, generator=generator, dtype=torch.float64), -1)

    def posed(means, quats, weights, transforms):
        result = skin(Gaussians(**{**vars(gaussians), "means": means, "quats": quats}), weights, transforms)
        return result.means, result.quats

    inputs = [t.requires_grad_() for t in (gaussians.means, gaussians.quats, weights, transforms)]
    assert torch.autograd.gradcheck(posed, inputs)


def test_weights_that_do_not_fit_are_refused():
    gaussians = random_gaussians(4, torch.Generator().manual_seed(4))
    with pytest.raises(ValueError, match=r"weights must be \[4, 5\]"):
        skin(gaussians, torch.ones(4, 3, dtype=torch.float64), torch.eye(4).repeat(5, 1, 1))


@pytest.mark.parametrize("shared", [(), (3, 1), (3, 2)])
def test_the_kernel_skins_as_the_tensors_do(shared):
    """Float32 on a CPU goes to the kernel, transforms that ask for gradients go to tensors: the same numbers.

    Gaussians shared by the batch, by a part of it, and each its own; most weights zero, as a body's are.
    """
    generator = torch.Generator().manual_seed(5)
    count, joints = 300, 9
    weights = torch.rand(count, joints, generator=generator) * (torch.rand(count, joints, generator=generator) < 0.3)
    weights[:, 4] += 1e-3
    weights /= weights.sum(-1, keepdim=True)
    transforms = random_transforms((3, 2, joints), generator).float()
    means, quats = (
        torch.randn(*shared, count, 3, generator=generator),
        torch.randn(*shared, count, 4, generator=generator),
    )
    rest = torch.ones(*shared, count, 3)
    push = torch.randn(3, 2, count, 3, generator=generator), torch.randn(3, 2, count, 4, generator=generator)
    results = []
    for refine_pose in (False, True):
        m, q = means.clone().requires_grad_(), quats.clone().requires_grad_()
        moved = transforms.clone().requires_grad_(refine_pose)
        posed = skin(Gaussians(m, q, rest, rest[..., 0], rest), weights, moved)
        ((posed.means * push[0]).sum() + (posed.quats * push[1]).sum()).backward()
        assert (moved.grad is not None) == refine_pose
        results.append((posed.means, posed.quats, m.grad, q.grad))
    for kernel, tensors in zip(*results, strict=True):
        torch.testing.assert_close(kernel, tensors, rtol=0, atol=1e-5)


def test_skinning_by_the_kernel_is_bitwise_the_same_for_any_number_of_threads():
    generator = torch.Generator().manual_seed(6)
    gaussians = random_gaussians(1000, generator, torch.float32)
    weights = torch.softmax(torch.randn(1000, 5, generator=generator), -1)
    transforms = random_transforms((2, 5), generator).float()
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            results.append(skin(gaussians, weights, transforms))
    finally:
        numba.set_num_threads(before)
    assert torch.equal(results[0].means, results[1].means) and torch.equal(results[0].quats, results[1].quats)


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
