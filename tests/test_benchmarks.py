"""The benchmarks run and say what they measured, at sizes too small to mean anything."""

import re
from dataclasses import replace
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lca_core.data import write_shard
from lca_core.errors import InputError
from lca_core.evaluation import measurers
from lca_core.evaluation.breakdowns import by_group
from lca_core.evaluation.checks import shape_faults, value_faults
from lca_core.evaluation.likeness import Faces
from lca_core.evaluation.measurers import read_measured
from lca_core.evaluation.records import read_records
from lca_core.evaluation.trials import Trial
from lca_core.evaluation.verify import compared, ratio
from lca_core.judges.summaries import summarise
from lca_core.model import Pixels
from tests.data.people import random_person
from tests.making.examples import small_model
from tests.scripts import loaded

DOMAINS = ("studio", "wild")


@pytest.fixture(scope="module")
def splats():
    return loaded("splats")


@pytest.fixture(scope="module")
def measured(splats):
    sizes = {name: (300, 48) for name in splats.RECORDED}
    return splats.measured(sizes, ("numba", "torch"), splats.QUICK, torch.get_num_threads())


def test_it_measures_both_backends_and_finds_their_pictures_and_gradients_equal(splats, measured):
    for size in measured["forward_backward"].values():
        assert set(size["ms"]) == {"numba", "torch"} and min(ms["median"] for ms in size["ms"].values()) > 0
        assert 0 <= size["difference"]["torch"] < 1e-3
    assert 0 < measured["gradient_error"]["max"] < 1e-4
    assert measured["skin_rasterise"]["fps"] > 0
    assert len(measured["busy"]) == 2 and all(taken["ratio"]["median"] > 0 for taken in measured["busy"].values())
    text = splats.report(measured)
    assert "numba" in text and "torch" in text and "frames/s" in text


def by_id(records) -> dict:
    return {record.id: record for record in records}


def test_speeds_stand_beside_their_yardstick_and_gradients_may_not_become_less_exact(splats, measured):
    found = by_id(splats.records_of(measured))
    recorded = {id for id in read_records() if id.startswith("splats/")}
    busy = {"busy_ratio", "busy_ratio_forward"}  # here of another size, of which its id speaks
    assert {id for id in recorded if id.split("/")[-1] not in busy} == set(found) - {f"splats/1k_48/{b}" for b in busy}
    assert {id.split("/")[-1] for id in recorded ^ set(found)} == busy
    for id, record in found.items():
        assert record.kind == ("live" if id == "splats/gradient_error_max" else "timing")
        assert record.kind == "live" or ratio(record) > 0
        assert compared(record, record).holds and not shape_faults(record)
    exact = found["splats/gradient_error_max"]
    assert compared(exact, replace(exact, value=exact.value / 100)).holds
    assert not compared(exact, replace(exact, value=3 * exact.value)).holds


def test_what_was_measured_is_written_for_verify_and_nothing_else(splats, measured, tmp_path):
    records = splats.records_of(measured)
    splats.end(records, False, tmp_path / "measured.json")
    assert read_measured(tmp_path / "measured.json") == by_id(records)


def test_every_script_that_verify_runs_is_there_and_measures_into_a_file():
    scripts = re.findall(r'by_script\("benchmarks/(\w+).py"', Path(measurers.__file__).read_text())
    assert len(scripts) >= 7
    for name in scripts:
        assert "measure" in signature(loaded(name).main).parameters, name


def test_nothing_is_measured_for_the_records_from_a_dirty_tree(monkeypatch):
    monkeypatch.setattr("lca_core.evaluation.sources.uncommitted", lambda: ["lca_core/paths.py"])
    for name in ("hostile", "drive", "readable", "splats", "control"):
        with pytest.raises(InputError, match="lca_core/paths.py: not committed"):
            loaded(name).main(record=True)


def test_settling_twice_as_many_clips_finds_them_all_different_and_says_how_it_grew():
    settling = loaded("settling")
    rows = settling.measured((40, 80))
    assert [(row["clips"], row["people"]) for row in rows] == [(40, 40), (80, 80)]
    rows = [row | {"computing": seconds} for row, seconds in zip(rows, (0.5, 1.5))]
    (record,) = settling.records_of(rows)
    assert record.value == 3 and not shape_faults(record) and record.protocol["settled"] == rows
    assert "2 times as many clips take 3.0 times as long" in settling.report(rows)
    for wrong in ((), (0, 5), (9, 5)):
        with pytest.raises(InputError, match="fewest first"):
            settling.main(counts=wrong)


@pytest.mark.parametrize("name", ["5k", "0_128", "5k_128px", "_64"])
def test_a_size_that_is_none_is_refused_by_name(splats, name):
    with pytest.raises(splats.InputError, match=name):
        splats.read_size(name)


def test_records_of_light_hold_together(tmp_path, monkeypatch):
    relighting = loaded("relighting")
    for name in ("RELEASE", "LIGHT"):
        monkeypatch.setattr(relighting, name, tmp_path / name)
        (tmp_path / name).write_bytes(b"weights")
    relit = {10_000: {"lamp_02": 20.0, "beach": 19.0}, 10_001: {"lamp_03": 18.0, "street": 17.0}}
    judged = {
        method: {seed: {light: value - worse for light, value in lights.items()} for seed, lights in relit.items()}
        for method, worse in (("relit", 0.0), ("unrelit", 4.0), ("mean_light", 2.0), ("untrained", 1.0))
    }
    summaries = {name: summarise(values, np.random.default_rng(0)) for name, values in relighting.gains(judged).items()}
    ruler = {"what": "a product", "value": 0.02, "unit": "s"}
    speed = {"ms": {"unrelit": 9.0, "relit": 15.0}, "gaussians": 100, "px": 256, "ratio": 0.6, "yardstick": ruler}
    measured = relighting.Measured(summaries, relighting.means(judged), speed, "smoke", (10_000, 10_001))
    found = by_id(relighting.records_made(measured))
    values = {id.removeprefix("relight/"): record.value for id, record in found.items()}
    over = {"over_mean_light_db": 2, "over_untrained_db": 1}
    assert values == {"environment_gain_db": 4, "lamp_gain_db": 4, "fps_ratio": 0.6} | over
    for id, record in found.items():
        assert not shape_faults(record) and not value_faults(record), id
    assert "0.60 times as fast" in relighting.report(measured) and "relit 18.50 dB" in relighting.report(measured)


def test_records_of_mouths_and_eyes_hold_together(tmp_path, monkeypatch):
    script = loaded("mouths_eyes")
    for name in ("RELEASE", "FACE"):
        monkeypatch.setattr(script, name, tmp_path / name)
        (tmp_path / name).write_bytes(b"weights")
    people = {10_000: [20.0, 22.0], 10_001: [18.0]}
    summaries = {
        f"control/{box}_{name}": summarise(people, np.random.default_rng(0))
        for box in script.BOXES for name in script.DIFFERENCES
    }  # fmt: skip
    means = {box: {"without, told": 18.0, "with, told": 20.0} for box in script.BOXES}
    measured = script.Measured(summaries, means, "smoke", (10_000, 10_001))
    found = by_id(script.records_made(measured))
    assert set(found) == set(summaries) and len(found) == 6
    assert (
        "driven by the true actions, less with the face at rest" in found["control/mouth_told_gain_db"].protocol["what"]
    )
    assert found["control/eyes_rest_change_db"].protocol["box"].startswith("0.11 m")
    for id, record in found.items():
        assert not shape_faults(record) and not value_faults(record), id
    assert "mouth: without, told 18.00 dB" in script.report(measured)
    with pytest.raises(InputError, match="32 people"):
        script.main(people=4, record=True)


def test_records_of_loose_clothes_hold_together(tmp_path, monkeypatch):
    loose = loaded("loose")
    files = {name: tmp_path / name for name in ("release", "with", "weights", "without")}
    for path in files.values():
        path.write_bytes(b"weights")
    monkeypatch.setattr(loose, "RELEASE", files.pop("release"))
    monkeypatch.setattr(loose, "SHIPPED", files)
    gained = {"psnr": 1.0, "psnr_fg": 1.0, "psnr_cloth": 2.0, "l1_fg": -0.01, "lpips": -0.01, "cloth_mm": -9.0}
    seeds = (10_000, 10_001)
    without = {name: {seed: [20.0 + seed % 2, 22.0] for seed in seeds} for name in gained}
    without |= {"spill": {seed: [0.01] for seed in seeds}, "holes": {10_000: [0.04, 0.02]}}
    corrected = {name: {seed: [v + gained[name] for v in values] for seed, values in without[name].items()}
                 for name in gained}  # fmt: skip
    corrected |= {"spill": without["spill"], "holes": {10_000: [0.01, 0.02]}}
    speed = {"drives_a_second": {"with": 90.0, "without": 100.0}, "gaussians": 100, "threads": 1, "ratio": 0.9,
             "yardstick": {"what": "a product", "value": 0.02, "unit": "s"}}  # fmt: skip
    values = {"without": without, "weights": without, "with": corrected}
    measured = loose.Measured(values, {10_000: [0.01], 10_002: [-0.03]}, speed,
                              "smoke", seeds)  # fmt: skip
    found = by_id(loose.records_made(measured))
    assert {id for id in found if id.startswith("garment/")} == {
        "garment/split_reduction", "garment/tight_change_db", "garment/cloth_mm_without", "garment/cloth_mm_with",
        "garment/cloth_mm_weights", "garment/drive_ratio",
    }  # fmt: skip
    assert found["s3/with/psnr"].value - found["s3/without/psnr"].value == pytest.approx(1)
    assert (found["s3/without/psnr"].paper, found["s3/with/psnr"].paper) == (24.538, 26.013)
    assert found["garment/cloth_mm_with"].unit == "mm" and found["s3/with/lpips"].unit == ""
    assert found["garment/split_reduction"].value == pytest.approx(0.5)
    for id, record in found.items():
        assert not shape_faults(record) and not value_faults(record), id
    report = loose.report(measured)
    assert "50 % of it closed" in report and "too few" not in report and "90 drives a second with" in report
    few = replace(measured, values=values | {"without": without | {"holes": {10_000: [0.01]}}})
    assert "too few" in loose.report(few)


def test_records_of_views_depth_and_groups_hold_together():
    breakdown, seeds = loaded("breakdown"), range(10_000, 10_064)
    values = {seed: [20.0 + seed % 7, 21.0] for seed in seeds}
    views = {id: summarise(values, np.random.default_rng(0)) for id in ("views/wild/back/psnr_fg", "depth/studio/mm")}
    groups, told = by_group({"all/studio/psnr_fg": values})
    records = by_id(breakdown.records_made(views | groups, told, "laptop", seeds))
    assert records["depth/studio/mm"].unit == "mm" and records["views/wild/back/psnr_fg"].unit == "dB"
    assert {id.split("/")[0] for id in records} == {"views", "depth", "groups"}
    for id, record in records.items():
        assert not shape_faults(record) and not value_faults(record), id
        assert measurers.measurer_of(id) is not None
        assert ("groups_compared" in record.protocol) == id.startswith("groups/")


def test_every_figure_that_can_be_asked_for_is_drawn_by_something():
    figures = loaded("figures")
    assert all(callable(getattr(figures.Figures, name)) for name in figures.NAMES)
    with pytest.raises(InputError, match="'?nobody"):
        figures.main(only=("nobody",))
    with pytest.raises(InputError, match="--names"):
        figures.main(names=("one",))


# --- People ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people():
    return loaded("people")


def rate(value: float) -> dict:
    people = {"10000": value - 0.01, "10001": value + 0.01}
    return {"value": value, "ci95": (value - 0.01, value + 0.01), "n_people": 2, "n_frames": 8, "per_person": people}


WORST = [{"person": "10001", "trouble": 0.5, "reasons": ["no face mesh in 1 of 4"], "frames": [2]}]
RESULTS = {
    "machine": {"cpu": "a processor", "cores": 2}, "seeds": [10000, 10001], "profile": "smoke", "domains": ["wild"],
    "portraits": {"px": 256, "shots": 4}, "face_mesh_rate": rate(0.99), "face_mesh_rate_of_records": None,
    "pose_rate": rate(0.95), "worst_portraits": WORST, "worst_records": WORST,
    "identity_eer": rate(0.03) | {"threshold": 0.5, "different_pairs": 12, "different_pairs_under_0.6": 0.1,
                                  "of_same_sex_and_age_class": None, "same_pairs": 12, "histogram": []},
    "crowd": {"n_people": 2, "shares": {},
              "smallest": {"trait": "hat", "kind": "cap", "share": 0.04, "ci95": (0.02, 0.05)}},
    "speed": {"images_per_second": 6.0, "px": {"body": 112, "face": 112}, "people": 2, "pictures": 16, "workers": 2,
              "megabytes_per_1000_images": 30.0, "images_per_person": 8.0, "images_per_core_second": 3.0,
              "cores_used_by_others": 0.0, "samples_per_pixel": 4,
              "yardstick": {"what": "a product", "value": 0.01, "unit": "s"}},
    "faces": {"smile_widening": rate(0.2), "face_mesh_rate_extreme": rate(0.98)},
    "cloth": {"people": 2, "deviation_mm": 80.0, "deviation_mm_by_motion": {"walk": 80.0}, "poke_through": 0.0,
              "poke_through_worst": 0.0, "skinned_poke_through": 0.1},
}  # fmt: skip
RESULTS["wild_cloth"] = RESULTS["cloth"] | {"deviation_mm": 60.0}
RESULTS["parts"], RESULTS["px"] = ["speed", "crowd", "looks", "faces", "cloth"], {"body": 112, "face": 112}
RESULTS["cluster"] = {"people": 10, "core_days": 4.0, "days_on_1000_cores": 0.004, "cores_for_7_days": 0.6,
                      "terabytes": 0.1}  # fmt: skip


def test_what_was_measured_of_people_is_told_with_the_worst_of_them(people):
    text = people.report(RESULTS)
    assert "face_mesh_rate" in text and "0.990" in text and "10001  0.50  no face mesh in 1 of 4" in text


def test_people_agree_with_their_records_however_slow_the_machine_and_not_when_faces_are_lost(people):
    recorded = by_id(people.records_made(RESULTS))
    assert not any(shape_faults(record) for record in recorded.values())

    def disagree(**changed):
        found = by_id(people.records_made(RESULTS | changed))
        return {id for id, record in recorded.items() if not compared(record, found[id]).holds}

    slow = {"images_per_second": 1.0, "yardstick": {"what": "a product", "value": 0.06, "unit": "s"}}
    assert disagree(speed=RESULTS["speed"] | slow) == set()
    assert disagree(speed=RESULTS["speed"] | {"images_per_second": 1.0}) == {"people/images_per_second"}
    assert disagree(face_mesh_rate=rate(0.9)) == {"people/face_mesh_rate"}
    assert disagree(cloth=RESULTS["cloth"] | {"deviation_mm": 40.0}) == {"people/cloth_deviation_mm"}
    stiff = RESULTS["wild_cloth"] | {"deviation_mm": 5.0}
    assert disagree(wild_cloth=stiff) == {"people/wild_cloth_deviation_mm"}
    stiff = {"smile_widening": rate(0.1), "face_mesh_rate_extreme": rate(0.98)}
    assert disagree(faces=stiff) == {"people/smile_widening"}


def test_parts_of_the_measurement_are_told_and_recorded_by_themselves(people):
    some = RESULTS | {"parts": ["faces"]}
    assert {record.id for record in people.records_made(some)} == {
        "people/smile_widening",
        "people/face_mesh_rate_extreme",
    }
    assert all("--only faces --record" in record.provenance["command"] for record in people.records_made(some))
    assert "smile_widening" in people.report(some) and "images_per_second" not in people.report(some)


def test_a_plan_for_a_cluster_grows_with_people_and_shrinks_with_speed(people):
    plan = people.cluster(RESULTS["speed"])
    assert plan["pictures"] == people.PLANNED * 8 and plan["core_days"] == pytest.approx(plan["pictures"] / 3 / 86_400)


# --- Curation ---------------------------------------------------------------------------------------------------


def test_people_to_stream_are_copies_under_ids_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "cache"))
    streaming = loaded("streaming")
    write_shard(tmp_path / "drawn.tar", [random_person(seed, "wild") for seed in (3, 4)])
    (tmp_path / "copies").mkdir()
    streaming.copies([tmp_path / "drawn.tar"], 11, tmp_path / "copies")
    entries = streaming.index(tmp_path / "copies")
    assert [e.id for e in entries] == [f"wild-{n:06d}" for n in range(11)]
    assert len({e.shard for e in entries}) == 2 and len({e.digest for e in entries}) == 11
    copied = [streaming.read_entry(e).frames[1].body.image for e in (entries[0], entries[1], entries[10])]
    assert np.array_equal(copied[0], copied[2]) and not np.array_equal(copied[0], copied[1])
    assert 10 < streaming.peak_mb() < 1e6


def test_planted_faults_are_counted_by_what_was_planted():
    faults = loaded("faults")
    said = {"a.mp4": ("blurred",), "b.mp4": (), "c.mp4": ("blurred", "dark"), "d.mp4": ("dark",), "e.mp4": ()}
    entries = [
        SimpleNamespace(file=file, reasons=[SimpleNamespace(kind=k) for k in kinds]) for file, kinds in said.items()
    ]
    planted = {"a.mp4": "blur", "b.mp4": "blur", "c.mp4": "dark", "d.mp4": "dark", "e.mp4": ""}
    rows = {row.fault: row for row in faults.score(entries, planted)}
    assert (rows["blur"].precision, rows["blur"].recall) == (0.5, 0.5)
    assert rows["blur"].wrong == ("b.mp4 (blur): kept", "c.mp4 (dark): blurred, dark")
    assert (rows["dark"].precision, rows["dark"].recall) == (1, 1) and not rows["dark"].wrong


def test_aligned_errors_do_not_see_turns_scales_and_moves(rng):
    fitting = loaded("fitting")
    true = rng.normal(size=(22, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    assert fitting._aligned_error(1.3 * true @ turn + 5, true) < 1e-9
    bent = true.copy()
    bent[0] += 0.22
    assert 0.005 < fitting._aligned_error(bent, true) < 0.05
    assert fitting._aligned_error(true * [-1, 1, 1], true) > 0.2, "a mirror image is another pose"


def test_curation_is_recorded_of_all_test_people_only():
    with pytest.raises(InputError, match="need all test people"):
        loaded("curation").main(only=(), quick=True, record=True)


def summary_of(*values: float):
    return summarise({str(10_000 + n): [value] for n, value in enumerate(values)}, np.random.default_rng(0))


def test_records_of_curation_keep_their_peoples_values_or_say_what_is_pooled():
    curation = loaded("curation")
    summary, beside = summary_of(50.0, 52.0), {"what": "a product", "value": 0.01, "unit": "s"}
    found = {
        "mpjpe_mm": curation.Measured(51.0, "mm", 2, 2, {}, summary),
        "fault_recall_min": curation.Measured(0.95, "", 63, 0, {"pooled": "clips of one fault"}),
        "clips_per_second_ray": curation.Measured(0.2, "clips/s", 24, 0, {"yardstick": beside}),
    }
    records = by_id(curation.records_of(found, curation.Plan()))
    assert not any(shape_faults(record) or value_faults(record) for record in records.values())
    assert records["curation/mpjpe_mm"].per_person == {"10000": 50.0, "10001": 52.0}
    assert records["curation/clips_per_second_ray"].kind == "timing"


def trial_of(better: float, face: float) -> Trial:
    """What a walk finds of a person: an avatar better by so many dB, its face so far along the first of 128 axes."""
    numbers = {f"{m}/{name}": [20 + better, 22 + better] for m in ("release", "refined") for name in release.WHOLE}
    numbers |= {"unseen/release": [15.0], "region/hair": [18 + better], "inputs/1": [19.0]}
    faces = Faces(np.eye(1, 128, dtype=np.float32) * face, np.eye(1, 128, dtype=np.float32) * (face + 0.1))
    return Trial(numbers, {"release": faces, "refined": faces})


release = loaded("release")


def test_who_is_drawn_with_truth_is_read_with_truth(monkeypatch):
    """Depth and parts are what regions and unseen pixels are measured by; a reader leaves them out unless asked."""
    asked, breakdown = [], loaded("breakdown")
    for benchmark in (release, breakdown):
        monkeypatch.setattr(benchmark, "cached_people", lambda *people, truth=False, **rest: truth)
        monkeypatch.setattr(
            benchmark, "read_people", lambda drawn, truth=False: asked.append((drawn, truth)) or iter(())
        )
    list(release.people_of("wild", [10_000], 1))
    model = SimpleNamespace(profile=SimpleNamespace(name="smoke"))
    monkeypatch.setattr(breakdown, "load_release", lambda: (model, {}))
    monkeypatch.setattr(breakdown, "encoder_of", lambda meta: None)
    monkeypatch.setattr(breakdown, "by_view", lambda *rest: {})
    breakdown.measured(range(10_000, 10_001), 1)
    assert asked == [(True, True), (True, True), (False, False), (True, True), (False, False)]


def test_weights_of_before_are_a_file_or_the_release_of_a_commit(tmp_path, monkeypatch):
    file = tmp_path / "old.safetensors"
    file.write_bytes(b"old")
    monkeypatch.setattr(release, "FOLDER", tmp_path / "trials")
    assert release.weights_of(str(file)) == file
    asked = {"abc1234:results/checkpoints/release.safetensors": b"that commit's"}
    monkeypatch.setattr(release, "git", lambda *arguments: asked.get(arguments[-1]))
    assert release.weights_of("abc1234").read_bytes() == b"that commit's"
    with pytest.raises(InputError, match="neither a file nor a commit"):
        release.weights_of("def5678")


def test_records_of_the_release_say_how_far_it_is_from_the_one_before(tmp_path):
    weights, old = (tmp_path / f"{name}.safetensors" for name in ("new", "old"))
    for file in (weights, old):
        file.write_bytes(file.name.encode())
    now, before = (
        release.values_of({domain: {10_000 + i: trial_of(better * (i + 1), i) for i in range(3)} for domain in DOMAINS})
        for better in (1.0, 0.0)
    )
    found = by_id(release.records_of(now, before, weights, old, range(10_000, 10_003)))
    assert not any(shape_faults(record) for record in found.values()), "each says how far it may be off"
    assert found["release/wild/l1_fg"].tolerance.within < 0.005 < found["release/wild/psnr"].tolerance.within
    one = found["release/wild/psnr"]
    assert one.value == pytest.approx(23) and one.kind == "live" and one.unit == "dB"
    assert one.protocol["difference"]["to"] == "before/wild/psnr"
    assert one.protocol["difference"]["value"] == pytest.approx(2)
    assert found["before/refined/studio/psnr"].kind == found["before/wild/lpips_vgg"].kind == "frozen"
    assert found["region/hair/before_psnr"].value == pytest.approx(18) and found["region/hair/psnr"].n_people == 3
    assert found["identity/forward/rank1"].value == found["identity/forward/tar_at_far1"].value == 1
    assert found["before/inputs/1/psnr"].protocol["inputs"] == 1
    assert not any(value_faults(record) for record in found.values())
    assert {record.unit for record in found.values()} == {"dB", ""}
    assert "release/wild/psnr" in release.report(now, before) and "+2.000" in release.report(now, before)


def test_records_of_control_keep_their_peoples_values_or_say_what_is_pooled():
    control = loaded("control")
    gains = {
        id: summary_of(1.0, 2.0) for id in ("control/face_gain_db", "inputs/2/psnr", "release/wild/identity_rank1")
    }
    found = gains | {"control/probe_actions": summary_of(3.0)}
    details = {"seeds": [10_000, 10_001], "profile": "laptop", "steps": {}, "probe_r2": {}, "landmarks_r2": {},
               "gaze_deg_of_true_pictures": 5.0}  # fmt: skip
    records = by_id(control.records_made(found, details))
    assert set(records) == set(found)
    assert not any(shape_faults(record) or value_faults(record) for record in records.values())
    assert records["control/probe_actions"].n_people == 2 and not records["control/probe_actions"].per_person


def test_speeds_of_avatars_stand_beside_a_yardstick():
    times = {"median": 0.5}
    drive = loaded("drive")
    yardstick = drive.yardstick()
    assert 0 < yardstick["value"] < 10
    results = {"machine": {}, "yardstick": yardstick, "drive": {"fps": 100.0},
               "encode": {"seconds": times, "refine_seconds": times, "profile": "laptop"}}  # fmt: skip
    records = drive.records_of(results)
    assert {record.unit for record in records} == {"s", "frames/s"} and all(ratio(record) > 0 for record in records)
    assert not any(shape_faults(record) for record in records)


@pytest.fixture(scope="module")
def readable():
    return loaded("readable")


def halves(n: int, seed: int):
    """Chips whose upper half is as bright as the first facial action says, and nothing else of the actions shows."""
    generator = torch.Generator().manual_seed(seed)
    actions = torch.rand(n, 52, generator=generator)
    upper = actions[:, 0, None, None].expand(n, 28, 56)
    return torch.cat([upper, 0.5 * torch.ones(n, 28, 56)], 1), actions


def test_a_network_told_the_actions_reads_on_others_those_that_show(readable, monkeypatch):
    monkeypatch.setattr(readable, "BATCH", 32)
    network = readable.taught([halves(64, 0), halves(64, 1)], steps=60)
    r2 = readable.read_by(network, [halves(32, 2), halves(32, 3)])
    shown, *hidden = r2.values()
    assert shown > 0.7 and max(hidden) < 0.3
    assert readable.counted(r2) == 1


def test_what_was_read_is_recorded_with_what_fewer_people_gave(readable):
    record = readable.record_of({32: {"jawOpen": 0.2}, 128: {"jawOpen": 0.75, "cheekPuff": 0.1}}, readable.Plan())
    assert record.id == "control/labelled_actions" and not shape_faults(record)
    assert record.value == 1 and record.protocol["of_a_quarter_of_the_people"] == {"jawOpen": 0.2}
    assert "75" in readable.report({32: {"jawOpen": 0.2}, 128: {"jawOpen": 0.75}})


@pytest.fixture(scope="module")
def hands():
    return loaded("hands")


def in_hands(hands, **parts) -> dict:
    beside = {"what": "a product", "value": 0.01, "unit": "s"}
    like = {"like": summary_of(0.2, 0.4), "truth": summary_of(0.8, 1.0)}
    found = {
        "quickstart": {"seconds": 50.0, "yardstick": beside}, "like": like,
        "live": {"fps": 24.0, "longest_wait_s": 0.1, "pictures": 360, "yardstick": beside},
        "page": {"fps": 60.0, "megabytes": 5.0, "psnr": {"body": 50.0, "head": 50.0}, "yardstick": beside},
    }  # fmt: skip
    chosen = {name: found[name] for name in parts.get("only", hands.PARTS)}
    return chosen | {"machine": {"cpu": "a processor", "cores": 2}, "parts": tuple(chosen), "gaussians": 100,
                     "seeds": [10_000, 10_001]}  # fmt: skip


def test_what_an_avatar_is_in_peoples_hands_is_recorded_part_by_part(hands):
    results = in_hands(hands)
    records = by_id(hands.records_of(results))
    names = ("quickstart_s", "live_fps", "page_fps", "page_mb", "like_face_gain_db")
    assert set(records) == {f"hands/{name}" for name in names}
    for id, record in records.items():
        assert not shape_faults(record) and not value_faults(record) and measurers.measurer_of(id) is not None
        assert (record.kind == "timing") == (id.rsplit("_", 1)[-1] in ("s", "fps"))
    assert records["hands/like_face_gain_db"].protocol["of_the_true_actions"]["value"] == pytest.approx(0.9)
    some = hands.records_of(in_hands(hands, only=("page",)))
    assert {record.id for record in some} == {"hands/page_fps", "hands/page_mb"}
    assert "--only page --record" in some[0].provenance["command"]
    text = hands.report(results)
    assert "50.0 s" in text and "24.0 pictures" in text and "+0.30 dB" in text and "+0.90 dB" in text


def test_the_quickstart_is_pictured_with_its_words_up_to_the_live_viewer(tmp_path):
    cells = loaded("screenshots").quickstart_with_words(tmp_path).cells
    assert cells[0].cell_type == "markdown" and "LiveViewer(" in cells[-1].source
    assert any(f"out = {str(tmp_path)!r}" in cell.source for cell in cells)


def test_a_part_of_hands_that_is_none_and_a_record_of_a_few_people_are_refused(hands):
    with pytest.raises(InputError, match="feet"):
        hands.main(only=("feet",))
    with pytest.raises(InputError, match="64"):
        hands.main(people=8, record=True)


def test_faces_that_are_read_exactly_gain_what_the_truth_gains_and_clips_without_faces_say_nothing(
    monkeypatch, tmp_path
):
    like, model = loaded("like"), small_model()
    people = {domain: [random_person(seed, "wild") for seed in (3, 4)] for domain in like.DOMAINS}
    monkeypatch.setattr(like, "cached_people", lambda seeds, domain, *_, **__: domain)
    monkeypatch.setattr(like, "read_people", lambda domain: iter(people[domain]))
    exact = {
        id(frame): (frame.actions, frame.gaze) for person in people["wild2"] for frame in person.frames
    }  # fmt: skip

    def read(frames):
        return tuple(np.stack(part) for part in zip(*(exact[id(frame)] for frame in frames)))

    monkeypatch.setattr(like, "read_faces", read)
    found = like.gains(model, Pixels(), [3, 4])
    assert set(found["like"]) == {3, 4} and found["like"] == found["truth"]
    assert any(abs(gain) > 0 for gains in found["truth"].values() for gain in gains)
    monkeypatch.setattr(like, "read_faces", lambda frames: None)
    assert like.gains(model, Pixels(), [3, 4]) == {"like": {}, "truth": {}}


# --- Training ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def training_step():
    return loaded("training_step")


def turns_of(**seconds: float) -> dict:
    """A first turn and two others of two steps each, by code and precision; bfloat16's loss is a little another."""
    turns = {}
    for name, value in seconds.items():
        code, precision = name.split("_")
        losses = (0.4, 0.5) if precision == "float32" else (0.401, 0.502)
        turn = [(value, 2 * value, loss) for loss in losses]
        turns[code, precision] = [[(99.0, 99.0, loss) for loss in losses], turn, turn]
    return turns


SECONDS = dict(before_float32=2.0, before_bfloat16=3.0, now_float32=1.0, now_bfloat16=0.8)


def test_each_code_counts_in_its_quicker_precision(training_step):
    found = training_step.results_of(turns_of(**SECONDS))
    assert found["precision"] == {"before": "float32", "now": "bfloat16"}
    assert found["ratio"] == pytest.approx(2.5) and found["ratio_of_processor_seconds"] == pytest.approx(2.5)
    machine = {"cpu": "a processor", "cores": 2, "threads": 2, "other_processes": 0.0}
    assert "2.50 times" in training_step.report(found | {"machine": machine})
    (record,) = training_step.records_of(found | {"machine": machine})
    assert record.id == training_step.ID and ratio(record) == found["ratio"] and not shape_faults(record)


def test_codes_that_compute_other_losses_are_not_compared(training_step):
    turns = turns_of(**SECONDS)
    turns["now", "float32"][0][0] = (1.0, 1.0, 0.41)
    with pytest.raises(ValueError, match="losses"):
        training_step.results_of(turns)


def test_a_commit_that_is_not_in_the_history_is_named(training_step, monkeypatch, tmp_path):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    monkeypatch.setattr(training_step, "BEFORE", "0" * 40)
    with pytest.raises(InputError, match="0000000 is not in this clone"):
        training_step.code_before()
