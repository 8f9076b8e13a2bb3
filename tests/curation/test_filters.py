"""The filters refuse what they should, each with a kind and a sentence."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from lca_core.curation.filters import (
    KINDS,
    ClipMeasures,
    FrameMeasures,
    Reason,
    Verdict,
    change,
    histogram_distance,
    judge_clip,
    judge_fit,
    judge_frame,
    sharpness,
)
from lca_core.curation.stages import curate_picture, find_shots
from lca_core.curation.writing import laid_over

GOOD = FrameMeasures(1, face_px=100, body=True, sharpness=0.2, brightness=0.4, clipped=0.05, edges=("bottom",))
KEEP, DROP = Verdict.of([]), Verdict.of([Reason("nobody", "Nobody was found.")])
BLUR = Verdict.of([Reason("blurred", "The head is blurred.")])


def test_the_astronaut_is_kept(curated):
    assert curated.verdict == Verdict(True, ())


def test_a_blurred_picture_is_refused(astronaut):
    blurred = np.asarray(Image.fromarray(astronaut).filter(ImageFilter.GaussianBlur(2.5)))
    verdict = curate_picture(blurred).verdict
    assert not verdict.keep and "blurred" in verdict.kinds


def test_a_dark_picture_is_refused(astronaut):
    verdict = curate_picture(np.uint8(astronaut * 0.1)).verdict
    assert not verdict.keep and "dark" in verdict.kinds


def test_sharpness_does_not_depend_on_exposure(astronaut):
    face = astronaut[50:200, 150:300]
    assert sharpness(np.uint8(face * 0.5)) == pytest.approx(sharpness(face), rel=0.1)


def test_change_does_not_depend_on_exposure(astronaut):
    moved = np.roll(astronaut, 3, axis=1)
    assert change(astronaut, moved) == pytest.approx(change(astronaut // 4, moved // 4), rel=0.1)


@pytest.mark.parametrize(
    "change, kind, word",
    [
        ({"people": 0}, "nobody", "Nobody"),
        ({"people": 3}, "several_people", "3 people"),
        ({"face_px": 0}, "no_face", "No face"),
        ({"face_px": 12}, "small_face", "12 px high"),
        ({"body": False}, "no_body", "No body"),
        ({"sharpness": 0.001}, "blurred", "blurred"),
        ({"brightness": 0.01}, "dark", "dark"),
        ({"brightness": 0.99}, "bright", "bright"),
        ({"clipped": 0.8}, "clipped", "black or white"),
        ({"motion": 0.9}, "jump", "jumps"),
        ({"head_cut": True}, "head_cut_off", "cut off"),
        ({"people": 0, "head_cut": True}, "head_cut_off", "There is a body"),
    ],
)
def test_each_fault_of_a_frame_has_its_kind_and_sentence(change, kind, word):
    assert judge_frame(GOOD).keep
    verdict = judge_frame(replace(GOOD, **change))
    assert not verdict.keep and verdict.kinds == (kind,) and kind in KINDS
    assert word in verdict.text and verdict.text.endswith(".")


@pytest.mark.parametrize(
    "frames, measures, complete, kind, word",
    [
        ([KEEP] * 2, ClipMeasures(0, 2, 0.1), True, "short", "2 frames;"),
        ([KEEP] * 2, ClipMeasures(3, 2, 0.1), True, "cut", "after 3 cuts"),
        ([KEEP] * 8, ClipMeasures(0, 8, 0.0), True, "frozen", "frozen"),
        ([KEEP] * 8, ClipMeasures(0, 8, 0.0, text=1.0), True, "frozen", "frozen"),
        ([KEEP] * 8, ClipMeasures(0, 8, 0.1), False, "broken", "breaks off"),
        ([KEEP] * 8, ClipMeasures(0, 8, 0.1, text=0.9), True, "text", "writing"),
        ([KEEP] * 3 + [DROP] * 5, ClipMeasures(0, 8, 0.1), True, "nobody", "Only 3 of 8"),
    ],
)
def test_a_bad_clip_is_refused(frames, measures, complete, kind, word):
    verdict = judge_clip(frames, measures, complete)
    assert verdict.kinds == (kind,) and kind in KINDS and word in verdict.text


def test_of_several_kinds_those_are_named_that_alone_drop_too_many():
    assert judge_clip([KEEP, DROP, *[BLUR] * 6], ClipMeasures(0, 8, 0.1), True).kinds == ("blurred",)
    assert judge_clip([KEEP] * 2 + [DROP] * 3 + [BLUR] * 3, ClipMeasures(0, 8, 0.1), True).kinds == ("nobody",)


def test_a_good_clip_is_kept_though_a_few_frames_are_not():
    assert judge_clip([KEEP] * 6 + [DROP] * 2, ClipMeasures(0, 8, 0.1), True).keep


def test_a_body_that_does_not_fit_or_is_hidden_drops_a_clip():
    assert judge_fit(ClipMeasures(fit_error=0.02, hidden=0.1)).keep
    assert judge_fit(ClipMeasures(fit_error=0.2, hidden=0.1)).kinds == ("bad_fit",)
    assert judge_fit(ClipMeasures(fit_error=0.02, hidden=0.6)).kinds == ("hidden",)
    assert judge_fit(ClipMeasures(fit_error=math.nan, hidden=math.nan)).keep, "nothing was fitted, nothing is wrong"


def captioned(image: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(image)
    text = "and then she went to space"
    ImageDraw.Draw(picture).text(at, text, "white", ImageFont.load_default(22), stroke_width=2, stroke_fill="black")
    return np.asarray(picture)


def test_writing_that_stays_where_it_is_is_found_and_what_moves_along_is_not(astronaut):
    moving = [np.roll(astronaut, 6 * i, axis=1) for i in range(4)]
    assert laid_over(moving) == 0
    assert laid_over([captioned(image, (90, 460)) for image in moving]) == 1
    assert laid_over([np.roll(captioned(astronaut, (90, 460)), 30 * i, axis=1) for i in range(4)]) == 0


def test_a_cut_is_found_and_a_moving_scene_is_not_one(astronaut):
    moved = np.roll(astronaut, 20, axis=1)
    other = 255 - astronaut
    images = [image[::8, ::8] for image in (astronaut, moved, other)]
    distances = [histogram_distance(a, b) for a, b in zip(images, images[1:], strict=False)]
    assert distances[0] < 0.08 and distances[1] > 0.2
    assert find_shots(distances, 0.12) == [(0, 2), (2, 3)]
