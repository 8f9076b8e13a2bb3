"""Avatars asked more closely: views and depth by person, groups of people, and where it fails."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data.records import Truth
from lca_core.errors import InputError
from lca_core.evaluation import gallery as gallery_module
from lca_core.evaluation.breakdowns import by_group, by_view
from lca_core.evaluation.depth import depth_error_mm
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.gallery import failures, gallery
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import record_of
from lca_core.splats import Gaussians
from tests.data.people import random_person
from tests.model.test_tokens import MeanColour
from tests.training.subjects import painted_person, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model().eval()


@pytest.fixture(scope="module")
def people():
    return [painted_person(9000), replace(painted_person(9001), id="wild-009001", domain="wild")]


def test_every_target_is_in_one_bin_of_views_and_those_from_behind_in_the_back_too(people, model):
    found = by_view(people, model, MeanColour(), 2)
    for person in people:
        targets = split_frames(person, 2)[1]
        bins = {id: values for id, values in found.items() if id.startswith(f"views/{person.domain}/")}
        back = bins.pop(f"views/{person.domain}/back/psnr_fg")[person.seed]
        assert sum(len(values[person.seed]) for values in bins.values()) == len(targets)
        assert len(found[f"all/{person.domain}/psnr_fg"][person.seed]) == len(targets) and 0 < len(back) < len(targets)
    assert "depth/studio/mm" not in found, "recorded without truth"
    assert set(found["views/wild/45_90/psnr_fg"]) == {9001}


def wall(depth: float) -> Gaussians:
    x, y = torch.meshgrid(torch.linspace(-1, 1, 40), torch.linspace(-1, 1, 40), indexing="ij")
    means = torch.stack([x, y, torch.full_like(x, depth)], -1).reshape(-1, 3)
    n = len(means)
    flat = torch.tensor([0.05, 0.05, 0.001]).repeat(n, 1)
    return Gaussians(means, torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), flat, torch.full((n,), 0.99), torch.rand(n, 3))


def test_depth_is_compared_where_both_have_the_person():
    picture = random_person(0, "studio").frames[0].body
    side = picture.matte.shape[0]
    camera = replace(
        picture.camera, viewmat=np.eye(4, dtype=np.float32),
        K=np.array([[2 * side, 0, side / 2], [0, 2 * side, side / 2], [0, 0, 1]], np.float32),
    )  # fmt: skip
    depth, matte = np.full((side, side), 2.0, np.float32), np.full((side, side), 255, np.uint8)
    matte[:, : side // 2], depth[:, : side // 2] = 0, 9.0
    truth = Truth(depth, np.zeros((side, side, 3), np.float32), np.ones((side, side), np.uint8))
    picture = replace(picture, camera=camera, matte=matte, truth=truth, hidden=None)
    assert draw_like(wall(2.0), picture)[1].min() > 0.9
    assert depth_error_mm(wall(2.0), picture) == pytest.approx(0, abs=0.5)
    assert depth_error_mm(wall(2.05), picture) == pytest.approx(50, abs=1)
    assert depth_error_mm(wall(-1.0), picture) is None, "nothing is drawn"
    with pytest.raises(InputError, match="--truth"):
        depth_error_mm(wall(2.0), replace(picture, truth=None))


def test_groups_are_of_everybodys_mean_and_say_how_far_they_are_from_the_others():
    seeds = range(10_000, 10_064)
    found = {f"all/{domain}/psnr_fg": {seed: [20.0 + shift, 22.0 + shift] for seed in seeds}
             for domain, shift in (("studio", 0), ("wild", -2))}  # fmt: skip
    summaries, told = by_group(found)
    assert set(summaries) == set(told) and {id.split("/")[1] for id in told} >= {"skin", "age", "sex", "bmi"}
    for id, summary in summaries.items():
        assert summary.value == pytest.approx(20.0) and summary.n_people >= 12
        assert told[id]["beside_everybody_else"] == pytest.approx(0) and not told[id]["differs"]
        assert record_of(id, summary, "laptop", {}, {}).unit == "dB", "its id is one"


def test_failures_are_the_worst_picture_of_each_of_the_worst_people():
    values = {1: [30.0, 12.0, 11.5], 2: [10.0, 10.5], 3: [29.0], 4: [20.0, 19.0]}
    assert [(f.person, f.target, f.score) for f in failures(values, 3)] == [(2, 0, 10.0), (1, 2, 11.5), (4, 1, 19.0)]
    assert [f.person for f in failures(values, 2, more_is_better=False)] == [1, 3]


def test_the_gallery_shows_what_went_in_what_was_wanted_and_what_came(people, model, monkeypatch):
    scores = {"studio": {"release": {"psnr_fg": {9000: [20.0, 5.0, 9.0]}}},
              "wild": {"release": {"psnr_fg": {9001: [4.0, 30.0, 30.0]}}}}  # fmt: skip
    monkeypatch.setattr(gallery_module, "evaluate_people", lambda *_, **__: scores)
    first, second = gallery(people, model, MeanColour(), 2, n_inputs=2)
    assert first.said == "wild-009001, target 0: psnr_fg 4.00 dB" and second.said.startswith("studio-009000, target 1")
    assert len(first.photographs) == 2 and first.truth.shape == first.avatar.shape and first.truth.dtype == np.uint8
    target = split_frames(people[0], 2)[1][1].frame.body
    on = target.matte == 255
    np.testing.assert_allclose(second.truth[on].astype(int), target.image[on], atol=1)
