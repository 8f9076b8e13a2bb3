"""Metrics of loose cloth against truths that are known: pictures and depths that the avatar itself makes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Frame, Person, Picture, camera_tensors
from lca_core.data.records import Truth
from lca_core.errors import InputError
from lca_core.evaluation import loose
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.loose import (
    METHODS,
    cloth_pixels,
    compare_cloth,
    driven,
    evaluate_cloth,
    seen_points,
    split_reduction,
    tight_change,
    without_parts,
)  # fmt: skip
from lca_core.evaluation.loose_figure import COLUMNS, in_colors_of_weights, loose_figure, palette
from lca_core.making.photos import encode_person
from lca_core.model import LCA, rows_length
from lca_core.model.parts import CLOTH
from lca_core.model.raw import OPACITY, SCALE
from lca_core.people.body.parts import PART_IDS
from lca_core.splats import Gaussians, rasterize
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=(CLOTH,)), rows_length(MeanColour()), free_body()).eval()
    with torch.no_grad():  # a body without holes
        model.template.raw[..., SCALE] += 0.9
        model.template.raw[..., OPACITY] = 5
        model.parts[CLOTH].say.bias[0] = 0.5
    return model


def shown(gaussians: Gaussians, frame: Frame) -> Frame:
    """A frame whose picture, depth and parts (all a skirt) are those of these Gaussians."""
    colors, alpha = draw_like(gaussians, frame.body)
    viewmat, K = (x[None] for x in camera_tensors(frame.body.camera))
    g, px = gaussians, frame.body.camera.width
    depth, _ = rasterize(g.means, g.quats, g.scales, g.opacities, g.colors, viewmat, K, px, px, render_mode="ED")
    inside = (alpha > 0.5).numpy()
    truth = Truth(
        np.where(inside, depth[0, ..., 0].numpy(), 0), np.zeros((px, px, 3), np.float32),
        np.where(inside, PART_IDS["skirt"], 0).astype(np.uint8),
    )  # fmt: skip
    image = (255 * colors).round().byte().numpy()
    return replace(frame, body=Picture(image, (255 * inside).astype(np.uint8), frame.body.camera, truth), cloth=True)


@pytest.fixture(scope="module")
def person(model) -> Person:
    """Somebody in a skirt that is as the model makes it."""
    painted = painted_person(9000, frames=4)
    avatar = encode_person(model, MeanColour(), painted, painted.frames[:2])
    frames = tuple(shown(driven(model, avatar, painted, frame), frame) for frame in painted.frames)
    return replace(painted, id="garment-009000", domain="garment", frames=frames)


@pytest.fixture(scope="module")
def gaussians(model, person) -> Gaussians:
    avatar = encode_person(
        model, MeanColour(), painted_person(9000, frames=4), painted_person(9000, frames=4).frames[:2]
    )
    return driven(model, avatar, person, person.frames[3])


def test_the_truth_has_no_holes_and_lies_where_it_does(gaussians, person):
    found = compare_cloth(gaussians, person.frames[3])
    assert set(found) == {"psnr", "psnr_fg", "psnr_cloth", "l1_fg", "lpips", "spill", "cloth_mm", "holes"}
    assert found["holes"] == 0 and found["spill"] < 0.3 and found["psnr_cloth"] > 30 and found["cloth_mm"] < 5


def test_what_is_missing_is_a_hole_and_what_is_too_much_spills(gaussians, person):
    frame = person.frames[3]
    high = gaussians.means[:, 1] > gaussians.means[:, 1].median()
    half = replace(gaussians, opacities=torch.where(high, gaussians.opacities, 0.0))
    found = compare_cloth(half, frame)
    assert 0.2 < found["holes"] < 0.8 and found["cloth_mm"] > 20
    large = replace(gaussians, scales=3 * gaussians.scales)
    assert compare_cloth(large, frame)["spill"] > compare_cloth(gaussians, frame)["spill"] + 0.1


def test_cloth_that_lies_aside_is_so_far_away(gaussians, person):
    behind = torch.tensor([0.0, 0.0, -0.1])
    moved = replace(gaussians, means=gaussians.means + behind)
    assert 40 < compare_cloth(moved, person.frames[3])["cloth_mm"] < 130


def test_points_are_seen_along_the_rays_of_their_pixels():
    frame = painted_person(9000, frames=1).frames[0]
    camera, where = frame.body.camera, np.zeros((TINY.body_px, TINY.body_px), bool)
    where[10, 20] = True
    (point,) = seen_points(camera, np.full(where.shape, 2.0), where)
    assert point[2] == 2
    assert np.allclose((camera.K @ point)[:2] / 2, [20.5, 10.5])


def test_people_without_truth_are_refused_and_skirts_told_from_coats(person):
    with pytest.raises(InputError, match="--truth"):
        cloth_pixels(painted_person(9000, frames=1).frames[0].body)
    body = person.frames[0].body
    coat = replace(body, truth=replace(body.truth, parts=np.where(body.truth.parts > 0, PART_IDS["coat"], 0)))
    assert cloth_pixels(coat).any() and not cloth_pixels(coat, loose.SKIRT).any()


def test_later_moments_of_a_clip_are_judged(model, person):
    values = evaluate_cloth([person], model, MeanColour())
    assert {len(people[9000]) for people in values.values()} == {2}
    closed = split_reduction({"without": {"holes": {1: [0.2, 0.4], 2: [0.1]}}, "with": {"holes": {1: [0.1], 2: [0.1]}}})
    assert closed == pytest.approx((0.5, 0.2, 0.1))
    with pytest.raises(InputError, match="skirt"):
        split_reduction({method: {} for method in METHODS})


def test_tight_clothes_are_judged_with_and_without_the_decoder(model, person):
    with pytest.raises(InputError, match="studio"):
        tight_change([person], model, MeanColour())
    tight = replace(person, frames=tuple(replace(frame, cloth=False) for frame in person.frames))
    changes = tight_change([tight], model, MeanColour())
    assert len(changes[9000]) == 2 and max(map(abs, changes[9000])) > 1e-4 and CLOTH in model.parts
    with without_parts(model):
        assert tight_change([tight], model, MeanColour())[9000] == [0, 0]


def test_figure_seven_shows_truth_avatars_and_their_weights(model, person):
    avatar = encode_person(model, MeanColour(), person, person.frames[:2])
    plain = replace(avatar, parts={})
    assert torch.equal(plain.skinning, avatar.weights) and not torch.equal(avatar.skinning, avatar.weights)
    avatars = {"without": plain, "weights": avatar, "with": plain}
    image = loose_figure(dict.fromkeys(METHODS, model), avatars, person, person.frames[2:])
    px = TINY.body_px
    assert image.shape == (2 * px, len(COLUMNS) * px, 3) and image.dtype == np.uint8
    columns = dict(zip(COLUMNS, np.split(image, len(COLUMNS), 1)))
    assert (columns["its weights"] != columns["corrected ones"]).any()
    assert len(palette().unique(dim=0)) == 4
    one = torch.eye(55)[:2].repeat(len(avatar) // 2, 1)
    assert torch.equal(in_colors_of_weights(avatar.canonical(), one).colors[1], palette()[1])
