"""What is written is glTF: lengths, alignment and numbers as the specification has them."""

import numpy as np
import pytest

from lca_core.glb_files import INDICES, VERTICES, Numbers, write_glb
from tests.glb import accessor, read_glb

POINTS = np.array([[0, 1, 2], [3, -4, 5], [6, 7, -8]], np.float32)


def test_numbers_of_every_kind_come_back(tmp_path):
    numbers = Numbers()
    matrices = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    given = [np.array([1, 2, 255], np.uint8), POINTS, np.array([0, 2, 70_000], np.uint32), matrices]
    places = [numbers.add(values, target) for values, target in zip(given, (VERTICES, VERTICES, INDICES, None))]
    write_glb(tmp_path / "a.glb", {"scene": 0}, numbers)
    document, data = read_glb(tmp_path / "a.glb")
    assert document["asset"]["version"] == "2.0" and document["scene"] == 0
    for place, values in zip(places, given):
        np.testing.assert_array_equal(accessor(document, data, place), values)


def test_bounds_are_told_where_they_are_asked_for(tmp_path):
    numbers = Numbers()
    numbers.add(POINTS, bounds=True), numbers.add(POINTS)
    assert numbers.accessors[0]["min"] == [0, -4, -8] and numbers.accessors[0]["max"] == [6, 7, 5]
    assert "min" not in numbers.accessors[1]


def test_rows_of_zeros_take_no_place(tmp_path):
    numbers, values = Numbers(), np.zeros((1000, 3), np.float32)
    values[[3, 700]] = [[1, 2, 3], [0, -1, 0]]
    places = [numbers.add_sparse(values), numbers.add_sparse(np.zeros((4, 3), np.float32))]
    assert len(numbers.data) == 2 * (4 + 12)
    write_glb(tmp_path / "a.glb", {}, numbers)
    document, data = read_glb(tmp_path / "a.glb")
    np.testing.assert_array_equal(accessor(document, data, places[0]), values)
    np.testing.assert_array_equal(accessor(document, data, places[1]), np.zeros((4, 3)))


def test_what_json_cannot_say_is_not_written(tmp_path):
    with pytest.raises(ValueError):
        write_glb(tmp_path / "a.glb", {"extras": float("nan")}, Numbers())
    assert list(tmp_path.iterdir()) == []
