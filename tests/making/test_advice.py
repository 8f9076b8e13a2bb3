"""What is said of photographs: how sure their avatar is, and what would make it better."""

from dataclasses import replace

import pytest

from lca_core.data import Person
from lca_core.making.advice import advice, certainty
from tests.data.people import random_person


def taken(*photos: dict, missing: tuple[str, ...] = ()) -> Person:
    """Somebody of photographs that are as good as can be, but for what is told of each."""
    good = {"shows": "whole body", "face": True, "cut_by": [], "fit_error": 0.01}
    all_photos = [good | {"file": f"{i}.jpg"} | photo for i, photo in enumerate(photos)]
    return replace(random_person(7, "wild"), meta={"photos": all_photos, "missing": list(missing)})


def test_good_photographs_from_all_sides_want_nothing():
    person = taken({}, {}, {}, {})
    assert advice(person) == []
    assert certainty(person)[-1] == "photographed from all sides"


def test_of_each_photograph_is_said_how_well_the_body_fits_it():
    lines = certainty(taken({"fit_error": 0.012}, {"fit_error": 0.04}, {"fit_error": 0.2}, {"fit_error": None}))
    assert [word in line for word, line in zip(("well", "roughly", "badly", "no pose"), lines)] == [True] * 4
    assert "1.2%" in lines[0] and lines[0].startswith("0.jpg")


@pytest.mark.parametrize(
    "side, words", [("back", "from behind"), ("left side", "from their left"), ("front", "face turned to the camera")]
)
def test_a_side_that_was_not_photographed_is_named_with_the_picture_to_take(side, words):
    (said,) = advice(taken({}, {}, missing=(side,)))
    assert said.startswith(f"The {side} was not photographed") and "invented" in said and words in said
    assert side in certainty(taken({}, missing=(side,)))[-1]


def test_several_sides_are_asked_for_in_one_sentence():
    (said,) = advice(taken({}, {}, missing=("left side", "back")))
    assert said == (
        "The back and the left side were not photographed and are invented. "
        "Give pictures from behind and from their left."
    )


@pytest.mark.parametrize(
    "photo, words",
    [
        ({"shows": "upper body"}, "legs and feet are invented"),
        ({"shows": "head and shoulders"}, "below the shoulders"),
        ({"face": False}, "No face was found"),
        ({"cut_by": ["top"]}, "upper edge"),
        ({"fit_error": 0.3}, "0.jpg the body fits badly"),
        ({"fit_error": None}, "no pose could be told"),
    ],
)
def test_what_is_wrong_with_a_photograph_is_said_with_what_to_do(photo, words):
    said = advice(taken(photo))
    assert len(said) == 1 and words in said[0] and said[0].count(".") >= 2


def test_where_one_photograph_shows_the_whole_person_another_need_not():
    assert advice(taken({}, {"shows": "upper body"})) == []


def test_where_no_pose_could_be_told_no_side_is_said_to_be_missing():
    person = taken({"fit_error": None}, missing=("front", "back", "left side", "right side"))
    assert len(advice(person)) == 1 and not any("not photographed" in line for line in certainty(person))
