"""Tolerances of a record on another machine."""

import pytest

from lca_core.evaluation.verify import TOLERANCE, tolerance_of


def test_fitted_people_may_differ_three_times_as_much():
    assert tolerance_of("release/studio/lpips", 1) == TOLERANCE["lpips"]
    assert tolerance_of("baseline/template/wild/psnr", 1) == TOLERANCE["psnr"]
    assert tolerance_of("baseline/per_person/wild/lpips", 1) == pytest.approx(3 * TOLERANCE["lpips"])


def test_means_of_more_people_may_differ_less():
    one, four, many, all_ = (tolerance_of("release/wild/psnr", people) for people in (1, 4, 16, 64))
    assert four == pytest.approx(one / 2)
    assert many == all_ == pytest.approx(one / 4)
