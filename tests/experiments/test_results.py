"""Records of rows: means over seeds, differences person by person, and what agrees with the records there are."""

from dataclasses import replace

import pytest

from lca_core.evaluation.records import read_records
from lca_core.experiments import TABLE, held_to_records, report
from lca_core.experiments.results import recorded_values, records_of, values_of, write_changed
from lca_core.experiments.runs import Outcome

FULL, PLAIN = TABLE["ablation/full"], TABLE["ablation/plain"]


@pytest.fixture
def outcome(tmp_path):
    """outcome(values): a run whose every metric has these values by person."""
    weights = tmp_path / "weights.safetensors"
    weights.touch()

    def outcome(values: dict[str, list[float]], row=FULL) -> Outcome:
        scores = {domain: dict.fromkeys(row.metrics, values) for domain in ("studio", "wild")}
        return Outcome(scores, {"cpu": 9.0, "wall": 6.0}, {"code": "0"}, weights)

    return outcome


def test_rows_are_compared_person_by_person(outcome):
    full = [outcome({"9000": [20.0, 22.0], "9001": [30.0]})]
    plain = {0: outcome({"9000": [19.0, 21.0], "9001": [29.0]})}
    records = {r.id: r for r in records_of(PLAIN, plain, values_of(FULL, full))}
    record = records["ablation/plain/wild/psnr"]
    assert record.value == 24.5 and record.profile == "laptop" and (record.n_people, record.n_frames) == (2, 3)
    less = record.protocol["difference"]
    assert less["to"] == "ablation/full" and (less["value"], *less["ci95"]) == pytest.approx((-1, -1, -1))
    assert record.protocol["people"] == "validation" and record.protocol["steps"] == 400
    assert record.protocol["trained_on"] == "wild people 0-119" and record.protocol["precision"] == "float32"
    assert "wild2" in record.protocol["views"] and record.protocol["method"] == "release"
    assert record.kind == "frozen" and record.provenance["command"].startswith("git worktree add --detach")
    assert record.provenance["command"].endswith("python -m lca_core experiments --only ablation/plain")
    assert "ablation/plain/studio/lpips" in records and "-1.000 to -1.000  ablation/full" in report(records.values())


def test_seeds_are_averaged_before_people_are_drawn(outcome):
    row = replace(FULL, seeds=(0, 1))
    runs = {0: outcome({"9000": [20.0], "9001": [30.0]}), 1: outcome({"9000": [22.0], "9001": [30.0]})}
    record = records_of(row, runs)[0]
    assert record.per_person == {"9000": 21.0, "9001": 30.0} and record.n_people == 2
    assert "mean over seeds" in record.protocol["aggregation"] and record.provenance["training_seeds"] == [0, 1]


def test_a_row_run_alone_is_compared_with_the_other_ones_records(outcome, tmp_path):
    folder = tmp_path / "records"
    assert recorded_values(FULL, folder) == {}
    full = outcome({"9000": [20.0, 22.0], "9001": [30.0]})
    write_changed(records_of(FULL, {0: full}), folder)
    values = recorded_values(FULL, folder)
    assert values["wild/psnr"] == {"9000": [21.0], "9001": [30.0]}
    records = records_of(PLAIN, {0: outcome({"9000": [20.0, 21.0], "9001": [31.0]})}, values)
    assert records[0].protocol["difference"]["value"] == pytest.approx(0.25)
    others = records_of(PLAIN, {0: outcome({"9002": [20.0]})}, values)
    assert "difference" not in others[0].protocol, "of other people"


def test_records_are_written_again_only_when_they_say_something_else(outcome, tmp_path):
    folder = tmp_path / "records"
    records = records_of(FULL, {0: outcome({"9000": [20.0], "9001": [30.0]})})
    assert len(write_changed(records, folder)) == len(records) == 6
    assert write_changed(records, folder) == []
    other = records_of(FULL, {0: outcome({"9000": [20.5], "9001": [30.0]})})
    assert len(write_changed(other, folder)) == 6
    assert read_records(folder)["ablation/full/wild/psnr"].value == 25.25
    full, plain = [outcome({"9000": [20.0], "9001": [30.0]})], {0: outcome({"9000": [19.0], "9001": [29.0]})}
    assert len(write_changed(records_of(PLAIN, plain), folder)) == 6
    compared = records_of(PLAIN, plain, values_of(FULL, full))
    assert len(write_changed(compared, folder)) == 6, "what it is compared with came later"
    assert write_changed(compared, folder) == []


def test_what_is_measured_is_held_to_the_records_there_are(outcome, tmp_path):
    folder = tmp_path / "records"
    write_changed(records_of(FULL, {0: outcome({"9000": [20.0], "9001": [30.0]})}), folder)
    near = records_of(FULL, {0: outcome({"9000": [20.005], "9001": [30.0]})})
    far = records_of(FULL, {0: outcome({"9000": [21.0], "9001": [30.0]})})
    assert held_to_records(near, folder)[1]
    text, holds = held_to_records(far, folder)
    assert not holds and "NO" in text
    assert not held_to_records(near, tmp_path / "none")[1]
