"""Verify names whatever does not hold: altered numbers, altered files, and what nothing can measure."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from lca_core import __main__ as command_line
from lca_core.errors import InputError
from lca_core.evaluation import measurers
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.measurers import MEASURERS, Measurer, by_script, measurer_of
from lca_core.evaluation.records import Record, provenance, record_of, write_record
from lca_core.evaluation.report import evaluate_folder, recording_command, verification_text
from lca_core.evaluation.tolerances import TIMING, TOLERANCE, Tolerance, tolerance_of, within_of_some
from lca_core.evaluation.verify import verify
from lca_core.judges.summaries import summarise
from lca_core.release import RELEASE
from tests.evaluation.houses import COMMAND, WEIGHTS, commit

ID = "release/wild/psnr"


def people_of(n: int = 8) -> dict[str, list[float]]:
    return {str(10_000 + i): [20.0 + 0.7 * i % 3, 21.0] for i in range(n)}


def made(house, id=ID, kind="live", values=None, files=None, **more) -> Record:
    files = {"checkpoint": house / WEIGHTS} if files is None else files
    values = values or people_of()
    source = provenance(COMMAND, files, sorted(int(person) for person in values), drawn=drawn(["wild"], "laptop"))
    summary = summarise(values, np.random.default_rng(0))
    return record_of(id, summary, "laptop", {}, source, kind=kind, **more)


def measured_as(*records: Record, ids=("release/*/*", "speed/*"), sample=2, asked=None) -> Measurer:
    """A measurer that finds these numbers, of as many people as it is asked for."""

    def measure(wanted, people):
        if asked is not None:
            asked.append(([record.id for record in wanted], people))
        return {record.id: of_some(record, people) for record in records}

    def of_some(record, people):
        kept = [*record.per_person.items()][:people]
        if not kept:
            return replace(record, n_people=people or record.n_people)
        summary = summarise({k: [v] for k, v in kept}, np.random.default_rng(0))
        provenance = record.provenance | {"per_person": dict(kept)}
        return replace(record, value=summary.value, ci95=summary.ci95, n_people=len(kept), provenance=provenance)

    return Measurer(tuple(ids), measure, sample, (1, 1), any_people=True)


@pytest.fixture
def record(house) -> Record:
    record = made(house)
    write_record(record)
    return record


def altered(house, id: str, change) -> None:
    """Change the stored JSON of a record, as an editor might."""
    path = house / f"results/records/{id}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def verdict_on(house, *measurers: Measurer, **how):
    return verify(folder=house / "results/records", measurers=measurers, **how)


# --- Good and bad ----------------------------------------------------------------------------------------------


def test_a_good_record_holds_in_a_sample_and_in_full(house, record):
    asked = []
    for how, people in (({}, 2), ({"people": 1}, 1), ({"full": True}, None)):
        verdict = verdict_on(house, measured_as(record, asked=asked), **how)
        assert verdict.holds and not verdict.debts and not verdict.unmeasured
        assert asked[-1] == ([ID], people)
        assert [(c.id, c.people) for c in verdict.checks] == [(ID, people or 8)]
        assert "FAILED" not in verification_text(verdict)


ALTERED = {
    "its value is 20.8": lambda c: c.update(value=20.8),
    "its people's values give": lambda c: c["provenance"]["per_person"].update({"10003": 25.0}),
    "its interval is": lambda c: c.update(ci95=[19.0, 23.0]),
    "8 people and keeps values of 7": lambda c: c["provenance"]["per_person"].pop("10003"),
    "its people's values are no numbers": lambda c: c["provenance"]["per_person"].update({"10003": None}),
    "its kind is 'dead'": lambda c: c.update(kind="dead"),
    "its kind is ''": lambda c: c.pop("kind"),
    "it has no tolerance": lambda c: c.update(tolerance=None),
    "it names no commit": lambda c: c["provenance"].update(commit="a48a821"),
    "its command does not run": lambda c: c["provenance"].update(command="python benchmarks/gone.py --record"),
    "is another file": lambda c: c["provenance"].update(checkpoint_sha256="0" * 64),
    "drawn otherwise now (wild-laptop)": lambda c: c["provenance"].update(drawn={"wild-laptop": "0" * 16}),
    "it holds the record release/wild/iou": lambda c: c.update(id="release/wild/iou"),
    "is not a record": lambda c: c.pop("value"),
    "are no shipped weights": lambda c: c["provenance"].update(checkpoint="/etc/hosts"),
    "would hold of anything": lambda c: c["tolerance"].update(within=100.0),
    "its unit is 'x'": lambda c: c.update(unit="x"),
    "its provenance is None": lambda c: c.update(provenance=None),
    "it is no record": lambda c: c["provenance"].update(command=None),
}


@pytest.mark.parametrize("words", ALTERED)
def test_an_altered_record_fails_by_name(house, record, words, capsys, monkeypatch):
    altered(house, ID, ALTERED[words])
    verdict = verdict_on(house, measured_as(record))
    assert not verdict.holds and any(words in fault for fault in verdict.faults[ID]), verdict.faults
    monkeypatch.setattr("lca_core.evaluation.verify.verify", lambda *_: verdict)
    with pytest.raises(SystemExit, match="1"):
        command_line.verify()
    assert f"FAILED {ID}: " in capsys.readouterr().out


def test_altered_weights_fail_every_record_of_them(house, record):
    write_record(made(house, "release/wild/iou"))
    (house / WEIGHTS).write_bytes(b"trained otherwise")
    verdict = verdict_on(house, measured_as(record))
    assert set(verdict.faults) == {ID, "release/wild/iou"} and WEIGHTS in verdict.faults[ID][0]
    (house / WEIGHTS).unlink()
    assert verdict_on(house, measured_as(record)).faults[ID] == [f"{WEIGHTS} is not there"]


def test_what_nobody_can_measure_fails_by_name(house, record):
    verdict = verdict_on(house, measured_as(record, ids=("control/*",)))
    assert not verdict.holds and "no measurer knows it" in verdict.faults[ID][0]
    part = made(house, values={k: v for k, v in people_of().items() if k != "10003"})
    assert "only 7 of its 8 people" in verdict_on(house, measured_as(part), full=True).faults[ID][0]
    silent = replace(measured_as(), sample=0)
    assert "gives no such number" in verdict_on(house, silent).faults[ID][0]

    def broken(records, people):
        raise InputError("benchmarks/gone.py is not here")

    verdict = verdict_on(house, replace(measured_as(), measure=broken))
    assert "could not be measured: benchmarks/gone.py" in verdict.faults[ID][0]


def test_what_is_measured_otherwise_than_recorded_fails(house, record):
    far = made(house, values={k: [x - 0.4 for x in v] for k, v in people_of().items()})
    verdict = verdict_on(house, measured_as(far), full=True)
    assert "recorded 21.16" in verdict.faults[ID][0] and "over 8 people: not within 0.07" in verdict.faults[ID][0]
    assert "NO" in verification_text(verdict)
    near = made(house, values={k: [x - 0.06 for x in v] for k, v in people_of().items()})
    assert verdict_on(house, measured_as(near), full=True).holds


def test_no_records_at_all_do_not_hold(house):
    verdict = verdict_on(house, measured_as())
    assert not verdict.holds and "there are no records" in verification_text(verdict)


# --- Samples, debts, kinds -------------------------------------------------------------------------------------


def test_what_a_sample_cannot_tell_is_left_to_the_full_run_and_said(house, record):
    pooled = replace(made(house, "release/wild/iou"), protocol={"pooled": "all pictures"})
    source = {k: v for k, v in pooled.provenance.items() if k != "per_person"}
    write_record(pooled := replace(pooled, provenance=source))
    verdict = verdict_on(house, measured_as(record, pooled))
    assert verdict.holds and verdict.unmeasured == ["release/wild/iou"] and len(verdict.checks) == 1
    assert "not measured this time (1;" in verification_text(verdict)
    everybody = replace(measured_as(record, pooled), whole=("*/psnr",))
    assert verdict_on(house, everybody).unmeasured == ["release/wild/iou", ID]
    assert {c.id for c in verdict_on(house, everybody, full=True).checks} == {ID, "release/wild/iou"}
    few = replace(measured_as(record, pooled), sample=None)
    assert not verdict_on(house, few).checks and verdict_on(house, few).holds
    some = replace(measured_as(record), any_people=False)
    assert not verdict_on(house, some, people=2).checks, "it takes no number that is asked for"


def test_what_an_old_record_lacks_is_told_and_does_not_fail(house, record):
    def age(content):
        content["provenance"] |= {"clean": False, "lacks": ["people"]}
        del content["provenance"]["per_person"]

    altered(house, ID, age)
    verdict = verdict_on(house, measured_as(record))
    assert verdict.holds and len(verdict.debts[ID]) == 2
    text = verification_text(verdict)
    assert "to be recorded again, not from a clean commit (1):" in text and ID in text


def test_a_frozen_record_is_of_its_commit_whatever_becomes_of_the_files(house):
    write_record(made(house, "table1/pre/wild/psnr", "frozen"))
    (house / WEIGHTS).write_bytes(b"trained otherwise")
    commit(house)
    assert verdict_on(house).holds
    altered(house, "table1/pre/wild/psnr", lambda c: c["provenance"].update(checkpoint_sha256="0" * 64))
    assert "is another file at" in verdict_on(house).faults["table1/pre/wild/psnr"][0]
    altered(house, "table1/pre/wild/psnr", lambda c: c["provenance"].update(commit="0" * 40))
    assert "its commit 0000000 is not in the history" in verdict_on(house).faults["table1/pre/wild/psnr"]


def timing_in(house):
    def speed(id, unit, value, yard):
        yardstick = {"yardstick": {"what": "a product", "value": yard, "unit": "s"}}
        source = provenance(COMMAND, {"checkpoint": house / WEIGHTS})
        return Record(id, value, unit, None, 1, 0, "", kind="timing", tolerance=TIMING, protocol=yardstick,
                      provenance=source)  # fmt: skip

    return speed


def test_a_timing_is_held_to_its_ratio_to_the_yardstick(house):
    speed = timing_in(house)
    write_record(speed("speed/encode_s", "s", 0.1, 0.01))
    write_record(speed("speed/drive_fps", "frames/s", 100.0, 0.01))
    slower = (speed("speed/encode_s", "s", 0.5, 0.04), speed("speed/drive_fps", "frames/s", 20.0, 0.04))
    assert verdict_on(house, measured_as(*slower, sample=0)).holds, "a machine four times as slow"
    for id in ("speed/encode_s", "speed/drive_fps"):  # recorded before there was a yardstick: measured, not judged
        altered(house, id, lambda c: (c["protocol"].pop("yardstick"), c["provenance"].update(lacks=["yardstick"])))
    verdict = verdict_on(house, measured_as(*slower, sample=0))
    assert verdict.holds and verdict.unmeasured == ["speed/drive_fps", "speed/encode_s"] and len(verdict.debts) == 2


def test_a_timing_that_became_worse_fails(house):
    speed = timing_in(house)
    write_record(speed("speed/encode_s", "s", 0.1, 0.01))
    write_record(speed("speed/drive_fps", "frames/s", 100.0, 0.01))
    worse = (speed("speed/encode_s", "s", 0.3, 0.01), speed("speed/drive_fps", "frames/s", 40.0, 0.01))
    verdict = verdict_on(house, measured_as(*worse, sample=0))
    assert set(verdict.faults) == {"speed/encode_s", "speed/drive_fps"}
    assert "not within a factor of 2" in verdict.faults["speed/encode_s"][0]


def test_shipped_records_hold_as_far_as_can_be_told_without_measuring():
    unmeasuring = [replace(m, measure=lambda records, people: {}, sample=None) for m in MEASURERS]
    verdict = verify(measurers=unmeasuring)
    assert verdict.faults == {} and len(verdict.read) > 100


# --- Tolerances and measurers ----------------------------------------------------------------------------------


def test_fitted_people_may_differ_three_times_as_much():
    assert tolerance_of("release/studio/lpips", 1) == TOLERANCE["lpips"]
    assert tolerance_of("baseline/template/wild/psnr", 1) == TOLERANCE["psnr"]
    assert tolerance_of("baseline/per_person/wild/lpips", 1) == pytest.approx(3 * TOLERANCE["lpips"])


def test_means_of_more_people_may_differ_less():
    one, four, many, all_ = (tolerance_of("release/wild/psnr", people) for people in (1, 4, 16, 64))
    assert four == pytest.approx(one / 2)
    assert many == all_ == pytest.approx(one / 4)
    assert within_of_some(Tolerance(all_, ""), 64, 4) == pytest.approx(four)


@pytest.mark.parametrize(
    ("id", "sample"),
    [("release/wild/psnr", 4), ("baseline/per_person/wild/lpips", 4), ("refined/wild/identity_rank1", 8),
     ("inputs/4/psnr", 8), ("control/labelled_actions", None),
     ("speed/drive_fps", 0), ("curation/hostile_handled", 0), ("curation/found", None), ("people/pose_rate", None)],
)  # fmt: skip
def test_every_kind_of_record_has_its_measurer(id, sample):
    assert measurer_of(id).sample == sample


def test_no_measurer_is_found_for_an_unknown_id():
    assert measurer_of("release/psnr") is None and measurer_of("table9/x/wild/psnr") is None


def test_the_sample_takes_a_quarter_of_an_hour():
    assert sum(measurer.minutes[0] for measurer in MEASURERS) <= 15


def test_a_script_measures_into_a_file_and_its_failure_is_told(house, tmp_path, monkeypatch):
    monkeypatch.setattr("lca_core.evaluation.measurers.REPOSITORY", house)
    script = house / "benchmarks/fake.py"
    with pytest.raises(InputError, match="benchmarks/fake.py is not here"):
        by_script("benchmarks/fake.py")((), None)
    script.parent.mkdir()
    script.write_text("import sys; sys.exit(3)")
    with pytest.raises(InputError, match="fake.py --people 8 ended with code 3"):
        by_script("benchmarks/fake.py", "--people", "{people}")((), 8)
    record = made(house)
    (tmp_path / "made.json").write_text(json.dumps([asdict(record)]))
    script.write_text(f"import shutil, sys; shutil.copy({str(tmp_path / 'made.json')!r}, sys.argv[2])")
    assert by_script("benchmarks/fake.py")((), None) == {ID: record}


def test_the_recorded_command_draws_the_people_it_evaluates():
    class Someone:
        def __init__(self, seed, domain="wild"):
            self.seed, self.domain = seed, domain

    command = recording_command([Someone(10_000), Someone(10_001)], "somewhere/shards", "laptop", 4, True)
    folder = "build/recorded/wild-laptop"
    draw = f"python -m lca_core people --domain wild --profile laptop --first 10000 --count 2 --out {folder}"
    assert command == f"{draw} && python -m lca_core evaluate --data {folder} --inputs 4 --baselines --record"
    assert "--seeds 10000 10002" in recording_command([Someone(10_002), Someone(10_000)], "x", "laptop", 1, False)
    real = recording_command([Someone(None, "photo")], "somewhere/curated", "laptop", 1, False)
    assert real == "python -m lca_core evaluate --data curated --inputs 1 --record"


def test_other_weights_are_refused_before_they_are_evaluated(house, monkeypatch, tmp_path):
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other")
    assert RELEASE.exists()
    with pytest.raises(InputError, match="other.safetensors is not the release"):
        evaluate_folder(tmp_path, other, write=True)
    (house / "lca_core/code.py").write_bytes(b"2")
    with pytest.raises(InputError, match="commit first"):
        evaluate_folder(tmp_path, other, write=True)


def test_people_are_measured_by_the_methods_and_on_the_clips_that_their_records_are_of(monkeypatch):
    """Optimising somebody takes minutes: only where a record asks for it; and the wild's second clips likewise."""
    asked = []

    def evaluate(people, model, encoder, template, total, seconds, methods):
        asked.append((sorted(p.id for p in people), template is not None, sorted(seconds), list(methods)))
        return {}

    def drawn(seeds, domain, profile):
        return [SimpleNamespace(id=f"{domain}-{seed}", seed=seed) for seed in seeds]

    monkeypatch.setattr(
        measurers, "load_release", lambda: (SimpleNamespace(profile=SimpleNamespace(name="laptop")), {})
    )
    monkeypatch.setattr(measurers, "encoder_of", lambda meta: None)
    monkeypatch.setattr(measurers, "load_template", lambda path, model: "mean")
    monkeypatch.setattr(measurers, "cached_people", drawn)
    monkeypatch.setattr(measurers, "read_people", lambda people: people)
    monkeypatch.setattr(measurers, "evaluate_people", evaluate)

    def record(id: str, second: str = ""):
        views = f"of another clip ({second})" if second else "unseen"
        return SimpleNamespace(id=id, protocol={"views": views}, per_person={"10000": 1.0, "10001": 2.0})

    measurers.evaluated([record("release/wild/psnr", "wild2"), record("refined/wild/lpips", "wild2")], 1)
    measurers.evaluated([record("release/wild/psnr"), record("baseline/template/studio/psnr")], None)
    assert asked == [
        (["wild-10000"], False, [10000], ["refined", "release"]),
        (["studio-10000", "studio-10001"], True, [], ["baseline/template"]),
        (["wild-10000", "wild-10001"], False, [], ["release"]),
    ]
