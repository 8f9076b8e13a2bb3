"""log.csv takes whatever numbers a step has."""

import csv

from lca_core.training.log import append_row, cut_log


def test_a_number_that_is_new_becomes_a_column(tmp_path):
    path = tmp_path / "log.csv"
    append_row(path, {"step": 0, "loss": 0.5})
    append_row(path, {"step": 1, "loss": 0.25, "wrinkles": 2.0})
    append_row(path, {"step": 2, "wrinkles": 3.0})
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "loss", "wrinkles"]
    assert [row["loss"] for row in rows] == ["0.5", "0.25", ""]
    assert [row["wrinkles"] for row in rows] == ["", "2", "3"]
    assert [p.name for p in tmp_path.iterdir()] == ["log.csv"]


def test_rows_past_the_checkpoint_are_dropped_half_ones_too(tmp_path):
    path = tmp_path / "log.csv"
    for step in range(4):
        append_row(path, {"step": step, "loss": 1.0})
    path.write_text(path.read_text() + "4,0.")
    cut_log(path, 2)
    assert path.read_text().split() == ["step,loss", "0,1", "1,1"]
    cut_log(tmp_path / "none.csv", 2)
    assert not (tmp_path / "none.csv").exists()
