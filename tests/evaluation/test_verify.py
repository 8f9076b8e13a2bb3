"""Tolerances of a record on another machine."""

import pytest

from lca_core.evaluation.verify import TOLERANCE, tolerance_of


def test_fitted_people_may_differ_five_times_as_much():
    assert tolerance_of("release/studio/lpips") == TOLERANCE["lpips"]
    assert tolerance_of("baseline/template/wild/psnr") == TOLERANCE["psnr"]
    assert tolerance_of("baseline/per_person/wild/psnr") == pytest.approx(0.5)
    assert tolerance_of("baseline/per_person/wild/lpips") == pytest.approx(5 * TOLERANCE["lpips"])
