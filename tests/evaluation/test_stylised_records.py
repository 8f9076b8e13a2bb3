"""Records of drawn people hold together, and say how far a style is from plain pictures of the same people."""

import numpy as np
import pytest

from lca_core.errors import InputError
from lca_core.evaluation.checks import shape_faults, value_faults
from lca_core.evaluation.drawn_people import LOOKS, PLAIN
from lca_core.evaluation.measurers import measurer_of
from lca_core.evaluation.stylised_door import Answer
from lca_core.people.styles.stylise import STYLES
from tests.test_benchmarks import by_id, loaded

SEEDS = (10_000, 10_001, 10_002)


@pytest.fixture(scope="module")
def stylised():
    return loaded("stylised")


@pytest.fixture
def measured(stylised):
    """Three people: every style is 0.1 less than plain; ink is not taken for a photograph."""
    values = {}
    for number, seed in enumerate(SEEDS):
        one = {f"{look}/{metric}": [0.9 - 0.1 * (look != PLAIN) + 0.01 * number] * 2
               for look in LOOKS for metric in stylised.METRICS}  # fmt: skip
        one |= {f"{look}/{beside}_{metric}": [0.5] * 2 for look in STYLES for beside in stylised.BESIDE
                for metric in stylised.METRICS[1:]}  # fmt: skip
        one |= {f"{PLAIN}/others_{metric}": [0.5] * 2 for metric in stylised.METRICS[1:]}
        values[seed] = one | {"exaggerate/told_iou": [0.7 + 0.01 * number] * 2}
    door = {
        seed: {look: Answer([0.0, 0.0], [], {"nobody": 2}) if look == "sketch" else Answer([1.0, 1.0], [0.02], {})
               for look in LOOKS}
        for seed in SEEDS
    }  # fmt: skip
    return stylised.Measured(values, door)


def test_records_say_how_far_each_style_is_from_plain(stylised, measured, tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"weights")
    found = by_id(stylised.records_made(measured, weights, SEEDS))
    assert len(found) == 3 * (1 + len(LOOKS)) + 1 + len(LOOKS)
    assert found["stylised/iou"].value == pytest.approx(0.81) and found["stylised/plain/iou"].value == pytest.approx(
        0.91
    )
    less = found["stylised/toon/color_likeness"].protocol["difference"]
    assert less["to"] == "stylised/plain/color_likeness" and less["value"] == pytest.approx(-0.1)
    assert found["stylised/clay/feature_likeness"].protocol["beside"] == dict.fromkeys(stylised.BESIDE, 0.5)
    assert found["stylised/exaggerate/followed"].value == pytest.approx(0.5)
    assert found["stylised/door/sketch"].value == 0 and found["stylised/door/sketch"].protocol["refused"] == {
        "nobody": 6
    }
    assert found["stylised/door/plain"].protocol["fit_error"] == pytest.approx(0.02)
    for id, record in found.items():
        assert not shape_faults(record) and not value_faults(record), id
        assert measurer_of(id) and measurer_of(id).ids == ("stylised/*",)


def test_the_report_has_a_row_a_style_and_the_door(stylised, measured):
    told = stylised.report(measured)
    assert "-0.100 (-0.100 to -0.100)" in told and "0.50 of the way" in told and "6 nobody" in told
    assert "door" not in stylised.report(stylised.Measured(measured.values, {}))


def test_what_was_measured_is_kept(stylised, tmp_path):
    asked = []
    for _ in range(2):
        assert stylised.kept(tmp_path / "1.json", lambda: asked.append(1) or {"plain/iou": [0.5]}) == {
            "plain/iou": [0.5]
        }
    assert asked == [1]


def test_few_people_and_other_weights_are_not_recorded(stylised, tmp_path):
    for wrong in ({"people": 4}, {"door": False}, {"weights": tmp_path / "mine.safetensors"}):
        with pytest.raises(InputError, match="--record"):
            stylised.main(record=True, **wrong)
    with pytest.raises(InputError, match="--people"):
        stylised.main(people=1)


def test_means_are_over_people(stylised):
    assert stylised.mean({1: [0.0, 1.0], 2: [1.0]}) == pytest.approx(np.mean([0.5, 1.0]))
