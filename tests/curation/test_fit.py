"""Fitting a body: what was projected from a known one is found again, and inventions do not pull."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import BodyModel, full_pose, joint_transforms
from lca_core.curation.evidence import Outside, Seen
from lca_core.curation.fit import TO_CAMERA, fit_body
from lca_core.curation.landmarks import LEFT_HAND, NAMES, POSE, RIGHT_HAND, calibration, places
from lca_core.motion.poses import standing

FOCAL, HEIGHT, WIDTH = 1.2, 480, 360
FRAMES = 4


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load()


def known(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(betas [10], theta [T, 138], root [T, 6]) of somebody who moves a little, three metres away."""
    generator = torch.Generator().manual_seed(seed)
    start, end = 0.7 * torch.randn(2, calibration().pose_axes.shape[1], generator=generator)
    share = torch.linspace(0, 0.4, FRAMES)[:, None]
    theta = calibration().pose_mean + ((1 - share) * start + share * end) @ calibration().pose_axes.T
    root = torch.tensor([0.0, 0.4, 0.0, 0.1, 0.1, -3.0]).expand(FRAMES, -1).clone()
    return 0.5 * torch.randn(10, generator=generator), theta, root


def joints_of(body: BodyModel, betas, theta, root) -> torch.Tensor:
    betas, theta, root = (torch.as_tensor(x) for x in (betas, theta, root))
    rest = body.rest_joints(betas[None]).expand(len(theta), -1, -1)
    return joint_transforms(rest, full_pose(theta, root, torch.zeros(len(theta), 4)), root[:, 3:], body.parents)[1]


def seen_of(body: BodyModel, betas, theta, root, noise: float = 0.0) -> list[Seen]:
    """What networks without faults would see, or with `noise` pixels."""
    rest = body.rest_joints(betas[None]).expand(len(theta), -1, -1)
    pose = full_pose(theta, root, torch.zeros(len(theta), 4))
    transforms = joint_transforms(rest, pose, root[:, 3:], body.parents)[0]
    marks = (places(calibration().offsets, rest, transforms) * TO_CAMERA).numpy()
    pixels = FOCAL * HEIGHT * marks[..., :2] / marks[..., 2:] + [WIDTH / 2, HEIGHT / 2]
    pixels += noise * np.random.default_rng(0).normal(size=pixels.shape)
    depth = np.zeros((*pixels.shape[:2], 1))
    frames = []
    for found, z, mark in zip(pixels, depth, marks):
        whole = np.concatenate([found, z], 1).astype(np.float32)
        pose = np.concatenate([whole[POSE], np.ones((33, 1), np.float32)], 1)
        world = (mark[POSE] - mark[POSE][[23, 24]].mean(0)).astype(np.float32)
        frames.append(Seen(HEIGHT, WIDTH, pose, world, (whole[LEFT_HAND], whole[RIGHT_HAND])))
    return frames


@pytest.fixture(scope="module")
def fitted(body):
    """What is found of frames in which networks make no fault."""
    return fit_body(seen_of(body, *known()), np.arange(FRAMES) / 5, FOCAL)


def apart(found: torch.Tensor, true: torch.Tensor) -> float:
    """Mean distance of the body's joints, metres, both about the pelvis."""
    a, b = (x[:, :22] - x[:, :1] for x in (found, true))
    return float((a - b).norm(dim=-1).mean())


def test_a_body_is_found_again(body, fitted):
    (betas, theta, root), fit = known(), fitted
    found, true = joints_of(body, fit.betas, fit.theta, fit.root), joints_of(body, betas, theta, root)
    standing = joints_of(body, 0 * betas, calibration().pose_mean.expand_as(theta), torch.from_numpy(fit.root))
    shown, meant, still = (3 * x[:, :22, :2] / -x[:, :22, 2:] for x in (found, true, standing))
    across, away = (float((x - meant).norm(dim=-1).mean()) for x in (shown, still))
    assert across < 0.03 and across < 0.6 * away, "as the picture shows it"
    assert apart(found, true) < apart(standing, true), "depth is guessed from one view"
    assert fit.error.max() < 0.02 and fit.focal == pytest.approx(np.full(FRAMES, FOCAL))
    assert fit.theta.shape == (FRAMES, 138) and fit.betas.shape == (300,)


@pytest.mark.parametrize(("stance", "turn"), [("up", 0.3), ("stride", 1.4)])
def test_limbs_that_begin_far_away_are_found(body, stance, turn):
    """Arms overhead begin a metre from where they hang, legs apart from the side begin before one another."""
    theta = torch.from_numpy(standing(np.random.default_rng(1), stance))[None]
    root = torch.tensor([[0.0, turn, 0.0, 0.1, 0.1, -3.0]])
    fit = fit_body(seen_of(body, torch.zeros(10), theta, root), None, FOCAL)
    found, true = joints_of(body, fit.betas, fit.theta, fit.root), joints_of(body, torch.zeros(10), theta, root)
    assert apart(found, true) < 0.08 and fit.error.max() < 0.012


def test_what_a_network_invents_does_not_pull(body, fitted):
    betas, theta, root = known()
    frames = seen_of(body, betas, theta, root)
    spoilt = frames[1].pose.copy()
    spoilt[15, :2] += 300  # a wrist, nearly a picture away
    other = fit_body([frames[0], replace(frames[1], pose=spoilt), *frames[2:]], np.arange(FRAMES) / 5, FOCAL)
    assert apart(*(joints_of(body, f.betas, f.theta, f.root) for f in (fitted, other))) < 0.02


def test_frames_of_a_clip_steady_each_other(body):
    betas, theta, root = known()
    frames = seen_of(body, betas, theta, root, noise=4.0)
    alone, together = (fit_body(frames, times, FOCAL) for times in (None, np.arange(FRAMES) / 25))
    paces = [float(np.abs(np.diff(f.theta, axis=0)).mean()) for f in (alone, together)]
    assert paces[1] < 0.5 * paces[0]


def test_a_shape_that_is_known_stays_and_the_pose_is_found_with_it(body):
    betas, theta, root = known()
    given = np.zeros(300, np.float32)
    given[:10] = betas.numpy()
    fit = fit_body(seen_of(body, betas, theta, root), np.arange(FRAMES) / 5, FOCAL, betas=given)
    np.testing.assert_array_equal(fit.betas, given)
    assert fit.error.max() < 0.03


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="no pictures"):
        fit_body([])


def test_points_outside_a_matte_know_how_far():
    matte = np.zeros((100, 200), np.uint8)
    matte[20:80, 50:150] = 255
    frame = Seen(100, 200, np.zeros((33, 4), np.float32), np.zeros((33, 3), np.float32), matte=matte)
    points = torch.tensor([[[0.0, 0.0], [0.0, -0.45], [0.8, 0.0], [0.0, -0.7]]])  # of the middle, in heights
    found = Outside([frame])(points)[0]
    np.testing.assert_allclose(found, [0, 0.15, 0.3, 0], atol=0.02)


def test_landmarks_of_both_sides_mirror_each_other():
    offsets = calibration().offsets
    left, right = (i for i in (POSE.start + 15, POSE.start + 16))
    torch.testing.assert_close(offsets[left] * torch.tensor([-1.0, 1, 1]), offsets[right], rtol=0, atol=2e-3)
    assert len(offsets) == len(NAMES) and (calibration().sd > 0).all()
