"""Refinement: nearer to the photographs, by the person alone and not by what hides or moves them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import Driving
from lca_core.body.driving import EPSILON, GAZE, ROOT, THETA
from lca_core.data import Camera, Frame, Picture
from lca_core.errors import InputError
from lca_core.model import Avatar, refine
from lca_core.model.refinement import STEPS
from lca_core.splats import Gaussians, draw
from tests.model.models import random_inputs, tiny_model

PX = 42


def camera(height: float, side: float) -> Camera:
    """From 3 m before the body at a height, `side` metres of it in the picture."""
    viewmat, K = np.diag([1.0, -1, -1, 1]).astype(np.float32), np.eye(3, dtype=np.float32)
    viewmat[:3, 3] = [0, height, 3]
    K[[0, 1], [0, 1]], K[:2, 2] = 3 * PX / side, PX / 2
    return Camera(viewmat, K, PX, PX)


def drawn(gaussians: Gaussians, of: Camera) -> Picture:
    g, (viewmat, K) = gaussians, (torch.from_numpy(x)[None] for x in (of.viewmat, of.K))
    colors, alphas = draw(g, viewmat, K, PX, PX)
    colors = colors / alphas.clamp(min=1e-3)  # the person's own, with nothing behind them
    image, matte = ((255 * x[0].clamp(0, 1)).round().byte().numpy() for x in (colors, alphas))
    return Picture(image, matte[..., 0], of)


def error(avatar: Avatar, frames: list[Frame], driving: Driving) -> float:
    """Mean difference to the body pictures where the matte is full."""
    off = []
    for i, frame in enumerate(frames):
        made = drawn(avatar.drive(driving[i : i + 1]).map(lambda t: t[0]), frame.body.camera)
        on = frame.body.matte > 200
        off.append(np.abs(made.image.astype(float) - frame.body.image)[on].mean())
    return float(np.mean(off))


@pytest.fixture(scope="module")
def start():
    return Avatar.encode(tiny_model(), random_inputs(people=1), {"id": "somebody"})


@pytest.fixture(scope="module")
def driving():
    generator = torch.Generator().manual_seed(0)
    sizes = (THETA, EPSILON, GAZE)
    return Driving(*(0.2 * torch.randn(3, n, generator=generator) for n in sizes), torch.zeros(3, ROOT))


@pytest.fixture(scope="module")
def frames(start, driving):
    """Of somebody whose colours are others."""
    other = replace(start, raw=start.raw + torch.tensor([1.0, -0.5, 0.3] + [0.0] * 11))
    middle = start.surface.flatten(0, 1)[:, 1]
    low, high = float(middle.min()), float(middle.max())
    cameras = camera(-(low + high) / 2, 1.3 * (high - low)), camera(-high, 0.5)
    made = []
    for i in range(3):
        body, face = (drawn(other.drive(driving[i : i + 1]).map(lambda t: t[0]), of) for of in cameras)
        signal = (x[i].numpy() for x in (driving.theta, driving.root, driving.gaze))
        made.append(Frame(body, face if i else None, *signal))
    assert all((frame.body.matte > 200).mean() > 0.02 for frame in made)
    return made


def test_it_comes_nearer_to_its_photographs_and_leaves_the_given_avatar_alone(start, frames, driving):
    before = start.raw.clone()
    better = refine(start, frames, driving)
    assert error(better, frames, driving) < 0.5 * error(start, frames, driving)
    torch.testing.assert_close(start.raw, before, rtol=0, atol=0)
    assert better.meta["id"] == "somebody" and better.meta["refined_steps"] == STEPS
    assert better.driven is start.driven
    again = refine(start, frames, driving)
    torch.testing.assert_close(again.raw, better.raw, rtol=0, atol=0)


def test_no_steps_change_nothing(start, frames, driving):
    torch.testing.assert_close(refine(start, frames, driving, steps=0).raw, start.raw, rtol=0, atol=0)


def test_what_hides_the_person_is_not_painted_on(start, frames, driving):
    noise = np.random.default_rng(0).integers(0, 256, (PX, PX, 3), dtype=np.uint8)
    hidden = np.zeros((PX, PX), np.uint8)
    hidden[: PX // 2] = 255

    def covered(picture: Picture, before: np.ndarray | None) -> Picture:
        image = picture.image if before is None else np.where(hidden[..., None] > 0, before, picture.image)
        return replace(picture, hidden=hidden, image=image)

    def behind(before: np.ndarray | None) -> list[Frame]:
        return [
            replace(f, body=covered(f.body, before), face=None if f.face is None else covered(f.face, before))
            for f in frames
        ]

    kept, painted = (refine(start, behind(before), driving, steps=5).raw for before in (None, noise))
    torch.testing.assert_close(kept, painted, rtol=0, atol=0)


def test_the_expression_of_a_photograph_is_not_taken_for_the_face(start, frames, driving):
    """The driven branch explains its part of a photograph; without the code, the person would have to."""
    driving, own = replace(driving, epsilon=2 * driving.epsilon), []
    for i, frame in enumerate(frames):
        posed = start.drive(driving[i : i + 1]).map(lambda t: t[0])
        face = None if frame.face is None else drawn(posed, frame.face.camera)
        own.append(replace(frame, body=drawn(posed, frame.body.camera), face=face))
    still = replace(driving, epsilon=torch.zeros_like(driving.epsilon))
    one, shown = slice(1, 2), own[1:2]
    told, not_told = (refine(start, shown, signal[one]) for signal in (driving, still))
    moved = [float((refined.raw - start.raw).abs().mean()) for refined in (told, not_told)]
    assert moved[0] < 0.5 * moved[1], "nothing is lacking where it is told"
    assert error(not_told, shown, driving[one]) > error(told, shown, driving[one])


def test_photographs_in_unknown_poses_are_left_out(start, frames, driving):
    lost = [replace(frames[0], tracked=False), *frames[1:]]
    without = refine(start, frames[1:], driving[1:], steps=5)
    torch.testing.assert_close(refine(start, lost, driving, steps=5).raw, without.raw, rtol=0, atol=1e-4)
    with pytest.raises(InputError, match="none of them is known"):
        refine(start, [replace(frame, tracked=False) for frame in frames], driving)
    with pytest.raises(ValueError, match="3 driving signals do not belong to 2 frames"):
        refine(start, frames[1:], driving)


def test_wrong_poses_are_put_right_along_the_way(start, frames, driving):
    """Photographs whose arms and places were fitted a little wrong: with poses the avatar comes nearer."""
    generator = torch.Generator().manual_seed(1)
    wrong = replace(
        driving,
        theta=driving.theta + 0.08 * torch.randn(driving.theta.shape, generator=generator),
        root=driving.root + 0.02 * torch.randn(driving.root.shape, generator=generator),
    )
    fixed, loose = (refine(start, frames, wrong, poses=poses) for poses in (False, True))
    assert error(loose, frames, driving) < error(fixed, frames, driving)
