"""Regions: told by labels, grown, and empty where nothing is shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import Camera, Frame, Picture
from lca_core.data.records import Truth
from lca_core.errors import InputError
from lca_core.evaluation.regions import GROWN, region, region_psnr
from lca_core.people.body.parts import PART_IDS
from lca_core.splats import Gaussians

PX = 48


def test_a_region_is_its_labels_and_a_few_pixels_round_them():
    parts = np.zeros((PX, PX), np.uint8)
    parts[20:28, 20:28] = PART_IDS["hair"]
    found = region(parts, ("hair",))
    rows = np.flatnonzero(found.any(1))
    assert (rows[0], rows[-1]) == (20 - GROWN, 27 + GROWN)
    assert not region(parts, ("coat",)).any()
    parts[parts > 0] = 0
    parts[0, :5] = PART_IDS["hair"]
    assert not region(parts, ("hair",)).any(), "five pixels show no hair"


def one_gaussian(color: float) -> Gaussians:
    return Gaussians(
        torch.tensor([[0.0, 0, 2]]), torch.tensor([[1.0, 0, 0, 0]]), torch.full((1, 3), 0.4),
        torch.tensor([1.0]), torch.full((1, 3), color),
    )  # fmt: skip


def frame(parts: np.ndarray, matte: np.ndarray) -> Frame:
    K = np.array([[PX, 0, PX / 2], [0, PX, PX / 2], [0, 0, 1]], np.float32)
    camera = Camera(np.eye(4, dtype=np.float32), K, PX, PX)
    truth = Truth(np.ones((PX, PX), np.float32), np.zeros((PX, PX, 3), np.float32), parts)
    picture = Picture(np.full((PX, PX, 3), 128, np.uint8), matte, camera, truth)
    zeros = (np.zeros(n, np.float32) for n in (138, 6, 4))
    return Frame(picture, replace(picture, truth=None), *zeros)


def test_what_is_wrong_in_a_region_counts_there_alone():
    parts, matte = np.zeros((PX, PX), np.uint8), np.zeros((PX, PX), np.uint8)
    matte[18:30, 18:30], parts[18:30, 18:30] = 255, PART_IDS["skin"]
    parts[18:24, 18:30] = PART_IDS["hair"]
    right, wrong = (region_psnr(one_gaussian(c), frame(parts, matte)) for c in (0.5, 0.9))
    assert right.keys() == {"hair", "face"} and len(right["face"]) == 1
    assert right["hair"][0] != wrong["hair"][0]
    assert right["face"][0] > wrong["face"][0] + 5


def test_pictures_without_labels_are_refused():
    shown = frame(np.zeros((PX, PX), np.uint8), np.full((PX, PX), 255, np.uint8))
    with pytest.raises(InputError, match="--truth"):
        region_psnr(one_gaussian(0.5), replace(shown, body=replace(shown.body, truth=None)))
