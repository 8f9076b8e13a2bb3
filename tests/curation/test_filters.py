"""The filters refuse what they should, each with a sentence."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lca_core.curation.clips import curate_frame, find_shots
from lca_core.curation.filters import (
    FrameMeasures,
    Verdict,
    histogram_distance,
    judge_clip,
    judge_frame,
    sharpness,
)

GOOD = FrameMeasures(people=1, face_px=100, sharpness=0.2, brightness=0.4, clipped=0.05, edges=("bottom",))
KEEP, DROP = Verdict(True, ()), Verdict(False, ("Nobody was found in the frame.",))


def test_the_astronaut_is_kept(curated):
    assert curated.verdict == Verdict(True, ())


def test_a_blurred_picture_is_refused(astronaut):
    blurred = np.asarray(Image.fromarray(astronaut).filter(ImageFilter.GaussianBlur(2.5)))
    verdict = curate_frame(blurred).verdict
    assert not verdict.keep and any("blurred" in reason for reason in verdict.reasons)


def test_a_dark_picture_is_refused(astronaut):
    verdict = curate_frame(np.uint8(astronaut * 0.1)).verdict
    assert not verdict.keep and any("too dark" in reason for reason in verdict.reasons)


def test_sharpness_does_not_depend_on_exposure(astronaut):
    face = astronaut[50:200, 150:300]
    assert sharpness(np.uint8(face * 0.5)) == pytest.approx(sharpness(face), rel=0.1)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"people": 0}, "Nobody"),
        ({"people": 3}, "3 people"),
        ({"face_px": 0}, "No face"),
        ({"face_px": 12}, "12 px high"),
        ({"sharpness": 0.001}, "blurred"),
        ({"brightness": 0.01}, "dark"),
        ({"brightness": 0.99}, "bright"),
        ({"clipped": 0.8}, "black or white"),
        ({"motion": 0.9}, "jumps"),
        ({"edges": ("top",)}, "cut off"),
    ],
)
def test_each_fault_has_its_sentence(change, word):
    assert judge_frame(GOOD).keep
    verdict = judge_frame(FrameMeasures(**{**GOOD.__dict__, **change}))
    assert not verdict.keep and len(verdict.reasons) == 1
    assert word in verdict.reasons[0] and verdict.reasons[0].endswith(".")


@pytest.mark.parametrize(
    "frames, changes, complete, word",
    [
        ([KEEP] * 2, [0.1], True, "2 frames"),
        ([KEEP] * 8, [0.0] * 7, True, "frozen"),
        ([KEEP] * 8, [0.1] * 7, False, "breaks off"),
        ([KEEP] * 3 + [DROP] * 5, [0.1] * 7, True, "Only 3 of 8"),
    ],
)
def test_a_bad_clip_is_refused(frames, changes, complete, word):
    verdict = judge_clip(frames, changes, 0, complete)
    assert not verdict.keep and word in " ".join(verdict.reasons)


def test_a_good_clip_is_kept_though_a_few_frames_are_not():
    assert judge_clip([KEEP] * 6 + [DROP] * 2, [0.1] * 7, 0, True).keep


def test_a_cut_is_found_and_a_moving_scene_is_not_one(astronaut):
    moved = np.roll(astronaut, 20, axis=1)
    other = 255 - astronaut
    images = [image[::8, ::8] for image in (astronaut, moved, other)]
    distances = [histogram_distance(a, b) for a, b in zip(images, images[1:], strict=False)]
    assert distances[0] < 0.08 and distances[1] > 0.2
    assert find_shots(distances, 0.12) == [(0, 2), (2, 3)]
