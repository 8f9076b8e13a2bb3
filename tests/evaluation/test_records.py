import json
from dataclasses import replace

import pytest

from lca_core.errors import InputError
from lca_core.evaluation.paper import PAPER, paper_value
from lca_core.evaluation.records import METRICS, Record, provenance, read_record, read_records, record_of, write_record
from lca_core.evaluation.results_page import results_readme, write_results_readme
from lca_core.evaluation.sources import require_clean_tree, sha256
from lca_core.evaluation.tables import comparison_markdown, comparison_text, metrics_markdown
from lca_core.evaluation.tolerances import Tolerance
from lca_core.judges.summaries import Summary
from tests.evaluation.houses import COMMAND, WEIGHTS, commit


@pytest.fixture
def record():
    summary = Summary(24.5, (23.0, 26.0), 2, 6, {"10000": 23.1234567, "10001": 25.9})
    return record_of("release/wild/psnr", summary, "laptop", {"mask": "white"}, {"command": "evaluate"}, 28.175)


def test_a_record_comes_back_as_it_was_written(record, tmp_path):
    path = write_record(record, tmp_path)
    assert path == tmp_path / "release/wild/psnr.json"
    assert read_records(tmp_path) == {"release/wild/psnr": record}
    assert record.unit == "dB" and record.per_person == {"10000": 23.123457, "10001": 25.9}
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["psnr.json"]


def test_a_number_that_is_not_finite_never_becomes_a_record(record, tmp_path):
    with pytest.raises(ValueError, match="not finite"):
        replace(record, value=float("inf"))


@pytest.mark.parametrize("id", ["", "../psnr", "/etc/psnr", "Release/psnr", "a//psnr", "a b/psnr"])
def test_an_id_cannot_leave_the_folder(record, id):
    with pytest.raises(ValueError, match="slashes"):
        replace(record, id=id)


def test_a_metric_needs_a_known_name():
    with pytest.raises(ValueError, match="psnr_fg"):
        record_of("release/wild/snr", Summary(1.0, None, 1, 1, {}), "smoke", {}, {})


def test_a_broken_or_misplaced_file_is_named(record, tmp_path):
    path = write_record(record, tmp_path)
    path.write_text(path.read_text().replace('"unit"', '"units"'))
    with pytest.raises(InputError, match="psnr.json is not a record"):
        read_record(path)
    path.write_text("{")
    with pytest.raises(InputError, match="psnr.json"):
        read_records(tmp_path)
    write_record(record, tmp_path)
    path.rename(tmp_path / "elsewhere.json")
    with pytest.raises(InputError, match="elsewhere.json holds"):
        read_records(tmp_path)


def test_provenance_names_files_by_content_and_never_by_this_machines_path(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(b"abc")
    entry = provenance(["python", "-m", "lca_core", "verify"], {"checkpoint": file}, seeds=[10000])
    assert entry["command"] == "python -m lca_core verify"
    assert entry["checkpoint"] == "checkpoint.safetensors"
    assert entry["checkpoint_sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert str(tmp_path) not in json.dumps(entry)
    with pytest.raises(InputError, match="nothing.here"):
        sha256(tmp_path / "nothing.here")


def test_a_metric_brings_its_tolerance_and_any_other_its_own(record):
    assert 0 < record.tolerance.within < 0.2 and record.tolerance.why
    other = record_of("control/gaze_deg", Summary(9.0, None, 1, 1, {"10000": 9.0}), "smoke", {}, {"command": ""},
                      tolerance=Tolerance(0.5, "why"), unit="deg")  # fmt: skip
    assert other.unit == "deg" and other.tolerance == Tolerance(0.5, "why") and other.per_person == {"10000": 9.0}


def test_a_file_that_says_no_kind_is_read_so_that_it_can_be_named(record, tmp_path):
    path = write_record(record, tmp_path)
    content = json.loads(path.read_text())
    del content["kind"], content["tolerance"]
    path.write_text(json.dumps(content))
    assert read_record(path) == replace(record, kind="", tolerance=None)


# --- What results/records/ admits ------------------------------------------------------------------------------


def made(house, weights=WEIGHTS, id="release/wild/psnr", kind="live"):
    summary = Summary(24.5, (23.0, 26.0), 2, 6, {"10000": 23.0, "10001": 26.0})
    source = provenance(COMMAND, {"checkpoint": house / weights}, [10000, 10001])
    return record_of(id, summary, "laptop", {}, source, kind=kind)


def test_a_record_names_its_commit_and_is_admitted_from_a_clean_tree(house):
    record = made(house)
    assert record.provenance["clean"] and len(record.provenance["commit"]) == 40
    assert record.files["checkpoint"] == (WEIGHTS, sha256(house / WEIGHTS))
    write_record(record)
    require_clean_tree()
    write_record(made(house))  # what recording itself has written does not make the tree dirty
    assert read_records() == {record.id: record}


@pytest.mark.parametrize("changed", ["lca_core/code.py", "lca_core/new.py", "results/checkpoints/release.safetensors"])
def test_nothing_is_recorded_from_a_dirty_tree(house, changed):
    (house / changed).write_bytes(b"2")
    with pytest.raises(InputError, match=f"{changed}.*commit first"):
        require_clean_tree()
    with pytest.raises(InputError, match="release/wild/psnr.*commit first"):
        write_record(made(house))
    assert not (house / "results/records").exists()


def test_weights_that_are_not_shipped_do_not_become_the_releases_records(house):
    (house / "runs").mkdir()
    (house / "runs/weights.safetensors").write_bytes(b"others")
    with pytest.raises(InputError, match="runs/weights.safetensors, which is not shipped"):
        write_record(made(house, "runs/weights.safetensors"))
    (house / "runs/weights.safetensors").write_bytes(b"trained")
    with pytest.raises(InputError, match="not shipped"):  # nor by the same bytes from a place that no clone has
        write_record(made(house, "runs/weights.safetensors"))


def test_a_record_is_overwritten_by_the_shipped_weights_of_its_id_only(house):
    before = made(house)
    write_record(before)
    with pytest.raises(InputError, match="pretrained.safetensors would overwrite it"):
        write_record(made(house, "results/checkpoints/pretrained.safetensors"))
    assert read_records()[before.id] == before
    (house / WEIGHTS).write_bytes(b"trained longer")
    commit(house)
    write_record(made(house))
    assert read_records()[before.id].files["checkpoint"] == (WEIGHTS, sha256(house / WEIGHTS))


def test_weights_that_a_command_trains_make_a_frozen_record(house):
    (house / "runs").mkdir()
    (house / "runs/weights.safetensors").write_bytes(b"others")
    record = made(house, "runs/weights.safetensors", "table1/pre/wild/psnr", "frozen")
    assert record.provenance["not_kept"] == ["checkpoint"]
    begins = f"git worktree add --detach build/at-{record.provenance['commit'][:7]} "
    assert record.provenance["command"].startswith(begins)
    assert record.provenance["command"].endswith(".venv/bin/python -m lca_core evaluate --data people --record")
    write_record(record)
    (house / "runs/weights.safetensors").write_bytes(b"trained anew")
    write_record(made(house, "runs/weights.safetensors", "table1/pre/wild/psnr", "frozen"))


def test_a_record_that_verify_could_not_hold_is_not_admitted(house):
    good = made(house)
    source = {k: v for k, v in good.provenance.items() if k != "per_person"}
    bad = {
        "no tolerance": replace(good, tolerance=None),
        "its kind is 'old'": replace(good, kind="old"),
        "keeps no values": replace(good, provenance=source),
        "does not run": replace(good, provenance=good.provenance | {"command": "python -m lca_core evaluate DATA"}),
        "are not stored": replace(good, provenance=source | {"lacks": ["people"]}),
        "without a yardstick": Record("speed/x", 1.0, "s", None, 1, 0, "", kind="timing", tolerance=good.tolerance,
                                      provenance=source),
    }  # fmt: skip
    for words, record in bad.items():
        with pytest.raises(InputError, match=f"{record.id} .*{words}"):
            write_record(record)


def test_the_results_page_shows_every_record(record, tmp_path):
    speed = Record("speed/encode", 1.25, "s", None, 0, 8, "smoke", kind="timing")
    for one in (record, speed):
        write_record(one, tmp_path / "records")
    text = write_results_readme(tmp_path).read_text()
    assert text == results_readme(read_records(tmp_path / "records"))
    expected = "| 24.50 dB | 23.00 dB to 26.00 dB | 2 | 6 | laptop | 28.18 dB | live |"
    assert f"[release/wild/psnr](records/release/wild/psnr.json) {expected}" in text
    assert "| 1.25 s |  |  | 8 | smoke |  | timing |" in text
    assert "| live | 1 |" in text and "| frozen | 0 |" in text and "| timing | 1 |" in text
    assert "- not from a clean commit (2): release/wild/psnr, speed/encode" in text


def test_the_papers_numbers_have_unique_ids_in_the_record_layout():
    ids = [entry.id for entry in PAPER]
    assert len(set(ids)) == len(ids)
    assert all(id.rsplit("/", 1)[-1] in METRICS for id in ids)
    assert paper_value("table1/pre_post/studio/psnr") == 30.514
    assert paper_value("table2/single/lhm/wild/psnr") == 18.322
    assert paper_value("release/studio/psnr") is None


def test_the_comparison_prefers_the_exact_record_and_says_when_it_is_another(record):
    for table in (comparison_text, comparison_markdown):
        text = table({record.id: record})
        row = next(line for line in text.splitlines() if "pretrain, then post-train" in line)
        assert "28.175" in row and "24.50" in row and "release/wild/psnr (laptop): the shipped checkpoint" in row
        assert "ExAvatar" not in text and "digital humans" in text
        exact = replace(record, id="table1/pre_post/wild/psnr", value=25.25)
        row = next(
            line
            for line in table({record.id: record, exact.id: exact}).splitlines()
            if "pretrain, then post-train" in line
        )
        assert "25.25" in row and "shipped" not in row


def test_the_comparison_can_show_what_is_not_measured_yet():
    rows = comparison_text({}, all_rows=True).splitlines()
    assert sum("not measured yet" in row for row in rows) == len(PAPER)


def test_the_metrics_table_has_a_row_a_method_and_a_column_a_metric(record):
    other = replace(record, id="release/wild/iou", value=0.9, unit="", ci95=None)
    chosen_by = replace(record, id="ablation/full/wild/psnr", protocol={"people": "validation"})
    trained = replace(record, id="table1/mixed/wild/psnr", protocol={"stages": "mixed 600"})
    lines = metrics_markdown({r.id: r for r in (record, other, chosen_by, trained)}).splitlines()
    assert lines[0] == "| what | psnr up | iou up | people | of |"
    assert lines[2:] == ["| release/wild | 24.50 dB | 0.9 | 2 | today |"]
    old = replace(record, id="before/wild/psnr", kind="frozen", provenance={"commit": "787665a" + 33 * "0"})
    assert metrics_markdown({old.id: old}).splitlines()[2] == "| before/wild | 24.50 dB | 2 | commit 787665a |"
