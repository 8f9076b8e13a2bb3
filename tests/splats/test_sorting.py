"""The order of drawing: by depth to the last bit, equal depths by number."""

import numpy as np
import pytest

from lca_core.splats.binning import _sort_by_depth


@pytest.mark.parametrize("kind", ["spread", "a wall", "equal", "far apart", "one", "none"])
def test_splats_are_sorted_by_exact_depth_and_then_by_number(kind):
    rng = np.random.default_rng(0)
    count = {"one": 1, "none": 0}.get(kind, 3000)
    depths = {
        "spread": rng.uniform(2, 4, count),
        "a wall": 3 + 1e-8 * rng.permutation(count),  # all but equal in float32
        "equal": np.full(count, 2.5),
        "far apart": 10 ** rng.uniform(-2, 6, count),
    }.get(kind, rng.uniform(2, 4, count))
    first = 7
    padded = np.concatenate([np.zeros(first), depths])
    visible = np.sort(rng.permutation(count)[: count - count // 4]).astype(np.int32)
    found = _sort_by_depth(visible.copy(), padded, first)
    np.testing.assert_array_equal(found, visible[np.lexsort((visible, depths[visible]))])
