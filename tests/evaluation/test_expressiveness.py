"""How far faces move: the measures on made-up meshes, and one drawn face."""

import numpy as np
import pytest

from lca_core.evaluation.expressiveness import (
    DRAWN,
    MEASURES,
    Expressiveness,
    brow_travel,
    expressive,
    measured,
    summaries,
)
from lca_core.people.body.parts import PART_IDS
from lca_core.people.who.spec import sample_person

APART = 100.0  # pixels between the eyes


def mesh(**places: tuple[float, float]) -> np.ndarray:
    """A mesh with eyes 100 px apart; places: landmark numbers as "n61" -> (x, y)."""
    points = np.full((478, 2), 50.0)
    for corners, x in (((33, 133), 0.0), ((362, 263), APART)):
        points[list(corners)] = [[x - 15, 0], [x + 15, 0]]
    for lids, x in (((159, 145), 0.0), ((386, 374), APART)):
        points[list(lids)] = [[x, -10], [x, 10]]
    points[[61, 291]], points[[13, 14]] = [[25, 100], [75, 100]], [[50, 99], [50, 101]]
    for name, place in places.items():
        points[int(name.removeprefix("n"))] = place
    return points


def test_measures_are_in_distances_between_the_eyes_and_up_is_positive():
    smile = mesh(n61=(15, 90), n291=(85, 90))
    blink = mesh(n159=(0, 9), n145=(0, 10), n386=(APART, 9), n374=(APART, 10))
    faces = dict.fromkeys(DRAWN, mesh()) | {"smile": smile, "jaw": mesh(n14=(50, 139)), "blink": blink}
    widening, lift, opening, closing, travel, level = measured(faces)
    assert widening == pytest.approx(0.2) and lift == pytest.approx(0.1) and opening == pytest.approx(0.4)
    assert closing == pytest.approx(0.05) and travel == pytest.approx(0) and level == pytest.approx(0)


def test_a_head_that_the_network_moves_does_not_count_as_a_smile():
    faces = dict.fromkeys(DRAWN, mesh()) | {"smile": mesh() + [3, -20]}
    assert measured(faces)[:2] == pytest.approx((0, 0))


def test_a_lost_mesh_is_no_number_and_is_left_out_of_the_means():
    lost = measured(dict.fromkeys(DRAWN, mesh()) | {"blink": None})
    assert np.isnan(lost[3]) and np.isfinite(np.delete(lost, 3)).all()
    people = [Expressiveness("9000", *np.ones(len(MEASURES)), 1.0), Expressiveness("9001", *lost, 0.1, 0.0, 0.9)]
    means = summaries(people)
    assert means["lid_closing"].n_people == 1 and means["smile_lift"].n_people == 2
    assert means["face_mesh_rate_extreme"].value == pytest.approx(0.95)


def test_brows_of_anybody_rise():
    assert min(brow_travel(sample_person(seed).betas) for seed in (9000, 9003)) > 0.08


def test_a_drawn_blink_leaves_nothing_of_the_eyes():
    person = expressive(sample_person(9005), {"neutral": {}, "blink": DRAWN["blink"]})
    open_, closed = (np.sum(frame.face.truth.parts == PART_IDS["eye"]) for frame in person.frames)
    assert open_ > 200 and closed < 0.02 * open_
