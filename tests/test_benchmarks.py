"""The benchmarks run and say what they measured, at sizes too small to mean anything."""

import importlib.util
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numba
import numpy as np
import pytest
import torch

from lca_core.errors import InputError
from lca_core.evaluation import read_records, write_record

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def loaded(name: str):
    """A benchmark as a module, found as when it is run as a script: with its own folder first on the path."""
    found = importlib.util.spec_from_file_location(f"benchmark_of_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        found.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


@pytest.fixture(scope="module")
def splats():
    return loaded("splats")


@pytest.fixture(scope="module")
def measured(splats):
    sizes = {name: (300, 48) for name in splats.RECORDED}
    return splats.measure(sizes, ("numba", "torch"), splats.QUICK, numba.get_num_threads())


def test_it_measures_both_backends_and_finds_their_pictures_and_gradients_equal(splats, measured):
    for size in measured["forward_backward"].values():
        assert set(size["ms"]) == {"numba", "torch"} and min(ms["median"] for ms in size["ms"].values()) > 0
        assert 0 <= size["difference"]["torch"] < 1e-3
    assert 0 < measured["gradient_error"]["max"] < 1e-4
    assert measured["skin_rasterise"]["fps"] > 0
    text = splats.report(measured)
    assert "numba" in text and "torch" in text and "frames/s" in text


def test_verifying_shows_every_record_and_fails_once_gradients_are_less_exact_than_recorded(splats, measured, capsys):
    def hold(error):
        splats.hold_to_records(splats.measured_values(measured | {"gradient_error": {"max": error}}))

    hold(1e-9)
    text = capsys.readouterr().out
    assert all(id in text for id in ("splats/5k_128/forward_backward_ms", "splats/gradient_error_max"))
    with pytest.raises(SystemExit, match="1"):
        hold(1e-3)


@pytest.mark.parametrize("name", ["5k", "0_128", "5k_128px", "_64"])
def test_a_size_that_is_none_is_refused_by_name(splats, name):
    with pytest.raises(splats.InputError, match=name):
        splats.read_size(name)


# --- People ----------------------------------------------------------------------------------------------------


@pytest.fixture
def people(monkeypatch):
    module = loaded("people")
    records = {id: SimpleNamespace(value=value) for id, (value, _) in module.measured_values(RESULTS).items()}
    monkeypatch.setattr("lca_core.evaluation.read_records", lambda: records)
    return module


def rate(value: float) -> dict:
    return {"value": value, "ci95": (value - 0.01, value), "n_people": 2, "n_frames": 8, "per_person": {"10000": value}}


WORST = [{"person": "10001", "trouble": 0.5, "reasons": ["no face mesh in 1 of 4"], "frames": [2]}]
RESULTS = {
    "machine": {"cpu": "a processor", "cores": 2}, "seeds": [10000, 10001], "profile": "smoke", "domains": ["wild"],
    "portraits": {"px": 256, "shots": 4}, "face_mesh_rate": rate(0.99), "face_mesh_rate_of_records": None,
    "pose_rate": rate(0.95), "worst_portraits": WORST, "worst_records": WORST,
    "identity_eer": rate(0.03) | {"threshold": 0.5, "different_pairs": 12, "different_pairs_under_0.6": 0.1,
                                  "of_same_sex_and_age_class": None},
    "crowd": {"n_people": 2, "smallest": {"trait": "hat", "kind": "cap", "share": 0.04, "ci95": (0.02, 0.05)}},
    "speed": {"images_per_second": 6.0, "px": {"body": 112, "face": 112}, "people": 2, "pictures": 16, "workers": 2,
              "megabytes_per_1000_images": 30.0, "images_per_person": 8.0, "images_per_core_second": 3.0,
              "cores_used_by_others": 0.0},
    "cloth": {"people": 2, "deviation_mm": 80.0, "deviation_mm_by_motion": {"walk": 80.0}, "poke_through": 0.0,
              "poke_through_worst": 0.0, "skinned_poke_through": 0.1},
}  # fmt: skip
RESULTS["cluster"] = {"people": 10, "core_days": 4.0, "days_on_1000_cores": 0.004, "cores_for_7_days": 0.6,
                      "terabytes": 0.1}  # fmt: skip


def test_what_was_measured_of_people_is_told_with_the_worst_of_them(people):
    text = people.report(RESULTS)
    assert "face_mesh_rate" in text and "0.990" in text and "10001  0.50  no face mesh in 1 of 4" in text


def test_people_agree_with_their_records_whatever_the_speed_and_not_when_faces_are_lost(people, capsys):
    def hold(**changed):
        people.hold_to_records(people.measured_values(RESULTS | changed))

    hold(speed=RESULTS["speed"] | {"images_per_second": 1.0})
    text = capsys.readouterr().out
    assert "people/identity_eer" in text and "NO" not in text
    with pytest.raises(SystemExit, match="1"):
        hold(face_mesh_rate=rate(0.9))
    assert "NO" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="1"):
        hold(cloth=RESULTS["cloth"] | {"deviation_mm": 40.0})


def test_a_plan_for_a_cluster_grows_with_people_and_shrinks_with_speed(people):
    plan = people.cluster(RESULTS["speed"])
    assert plan["pictures"] == people.PLANNED * 8 and plan["core_days"] == pytest.approx(plan["pictures"] / 3 / 86_400)


# --- Ablation --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ablation():
    return loaded("ablation")


def scores(psnr: dict[int, list[float]]) -> dict:
    return {domain: {m: psnr for m in ("psnr", "psnr_fg", "lpips")} for domain in ("studio", "wild")}


def test_variants_are_compared_with_the_full_model_person_by_person(ablation):
    full, less = {9000: [20.0, 22.0], 9001: [30.0]}, {9000: [19.0, 21.0], 9001: [29.0]}
    found = ablation.summaries("plain", scores(less), scores(full))
    own, lost = found["ablation/plain/wild/psnr"]
    assert (
        own.value == pytest.approx(24.5) and lost.value == pytest.approx(-1.0) and lost.ci95 == pytest.approx((-1, -1))
    )
    assert ablation.summaries("full", scores(full), scores(full))["ablation/full/wild/psnr"][1].value == 0
    assert "ablation/plain/studio/lpips" in ablation.report(found)


def test_a_variant_measured_alone_is_compared_with_the_full_models_records(ablation, tmp_path, monkeypatch):
    full = {9000: [20.0, 22.0], 9001: [30.0]}
    monkeypatch.setattr(ablation, "write_record", partial(write_record, folder=tmp_path))
    monkeypatch.setattr(ablation, "write_results_readme", lambda: tmp_path / "README.md")
    monkeypatch.setattr(ablation, "read_records", partial(read_records, tmp_path))
    with pytest.raises(InputError, match="ablation/full/studio/psnr.*measure the variant `full`"):
        ablation.recorded_full()
    ablation.write_records(ablation.summaries("full", scores(full), scores(full)), ablation.Plan())
    means = {person: [float(np.mean(values))] for person, values in full.items()}
    assert ablation.recorded_full() == scores(means)
    assert get_args(ablation.Name) == tuple(ablation.VARIANTS)


def test_every_variant_lacks_the_part_it_is_named_after(ablation):
    def parts(name: str) -> set[str]:
        sizes = ablation.replace(ablation.PROFILES["smoke"], **ablation.VARIANTS[name].profile)
        model = ablation.build_model(sizes, ablation.rows_length(ablation.Pixels()))
        return {name for name, part in model.named_children() if sum(p.numel() for p in part.parameters())}

    full = parts("full")
    aligned = {"alignment", "second_look", "color_copy"}
    assert full - parts("no_pixel_alignment") == aligned
    assert full - parts("no_color_reading") == {"color_reading"}
    assert full - parts("plain") == aligned | {"color_reading"}
    assert ablation.PROFILES["smoke"].dual_branch and not ablation.VARIANTS["single_branch"].profile["dual_branch"]
    assert ablation.VARIANTS["adamw"].settings == {"muon": False}


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


@pytest.fixture(scope="module")
def readable():
    return loaded("readable")


def halves(n: int, seed: int):
    """Chips whose upper half is as bright as the first facial action says, and nothing else of the actions shows."""
    generator = torch.Generator().manual_seed(seed)
    actions = torch.rand(n, 52, generator=generator)
    upper = actions[:, 0, None, None].expand(n, 28, 56)
    return torch.cat([upper, 0.5 * torch.ones(n, 28, 56)], 1), actions


def test_a_network_told_the_actions_reads_on_others_those_that_show(readable):
    network = readable.taught([halves(64, 0), halves(64, 1)], steps=60)
    r2 = readable.read_by(network, [halves(32, 2), halves(32, 3)])
    shown, *hidden = r2.values()
    assert shown > 0.7 and max(hidden) < 0.3
    assert readable.counted(r2) == 1


def test_what_was_read_is_recorded_with_what_fewer_people_gave(readable, tmp_path, monkeypatch):
    monkeypatch.setattr(readable, "write_record", partial(write_record, folder=tmp_path))
    monkeypatch.setattr(readable, "write_results_readme", lambda: tmp_path / "README.md")
    readable.write_records({32: {"jawOpen": 0.2}, 128: {"jawOpen": 0.75, "cheekPuff": 0.1}}, readable.Plan())
    record = read_records(tmp_path)["control/labelled_actions"]
    assert record.value == 1 and record.protocol["of_a_quarter_of_the_people"] == {"jawOpen": 0.2}
    assert "75" in readable.report({32: {"jawOpen": 0.2}, 128: {"jawOpen": 0.75}})
