"""A folder of clips and photographs to shards: what is kept, what resumes, and both engines alike, killed or not."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from lca_core.curation.collection import Collection, curate, settle
from lca_core.curation.engines import entry_of, local, on_ray
from lca_core.curation.filters import Reason
from lca_core.curation.items import Entry, Job, curate_item, find_items, key_of
from lca_core.curation.samples import CLIPS, PHOTOS, path_of
from lca_core.data import read_people
from lca_core.engines import attempt
from lca_core.errors import InputError
from lca_core.workers import Worker


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two clips of two men, a copy, a text, and a folder with a woman's photograph."""
    root = tmp_path_factory.mktemp("input")
    shutil.copy(path_of(CLIPS["single_face"]), root / "man.mp4")
    shutil.copy(path_of(CLIPS["single_face"]), root / "same man.mp4")
    shutil.copy(path_of(CLIPS["carphone"]), root / "driver.mp4")
    (root / "letter.mp4").write_text("Dear reader, this is no video.")
    (root / "eileen").mkdir()
    shutil.copy(path_of(PHOTOS["astronaut"]), root / "eileen")
    (root / ".hidden.mp4").write_text("not looked at")
    return root


def job_of(root: Path, out: Path) -> Job:
    return Job(root, out, "smoke", most=4, licence="CC0-1.0", consent="none needed")


@pytest.fixture(scope="module")
def curated(folder, tmp_path_factory) -> tuple[Job, Collection]:
    job = job_of(folder, tmp_path_factory.mktemp("out") / "curated")
    return job, curate(job, local, progress=False)


def by_file(entries) -> dict[str, Entry]:
    return {entry.file: entry for entry in entries}


def test_each_item_is_kept_or_says_why_not(curated):
    _, made = curated
    entries = by_file(made.entries)
    assert set(entries) == {"man.mp4", "same man.mp4", "driver.mp4", "letter.mp4", "eileen"}
    assert {entry.file for entry in made.kept} == {"man.mp4", "driver.mp4", "eileen"}
    assert entries["letter.mp4"].reasons[0].kind == "unreadable"
    assert "letter.mp4" in entries["letter.mp4"].reasons[0].text and "/" not in entries["letter.mp4"].reasons[0].text
    copy = entries["same man.mp4"]
    assert copy.reasons[-1].kind == "duplicate" and copy.original == entries["man.mp4"].key
    assert len({entry.identity for entry in made.kept}) == 3


def test_shards_hold_the_records_with_licence_and_identity(curated):
    job, made = curated
    people = [p for path in made.files if path.suffix == ".tar" for p in read_people(path)]
    assert sorted(p.id for p in people) == sorted(entry.key for entry in made.kept)
    for person in people:
        assert person.meta["licence"] == "CC0-1.0" and person.meta["consent"] == "none needed"
        entry = next(e for e in made.kept if e.key == person.id)
        assert (person.meta["identity"], person.meta["split"]) == (entry.identity, entry.split)
        assert all(frame.tracked for frame in person.frames) and person.betas[:10].any()
    assert {path.name for path in job.out.iterdir()} >= {"croissant.json", "DATASHEET.md", "report.html", "work"}


def test_faces_stay_in_the_work_folder(curated):
    job, _ = curated
    public = (job.out / "entries.jsonl").read_text()
    assert all("face" not in json.loads(line) for line in public.splitlines())
    assert len(json.loads(next(job.work.glob("man*.json")).read_text())["face"]) == 128


def test_what_is_through_is_not_done_again(curated):
    job, made = curated

    def engine(items, job):
        raise AssertionError(f"asked to do {items} again")

    assert curate(job, engine, progress=False) == made


def test_other_options_and_a_folder_in_the_input_are_refused(curated, folder):
    job, _ = curated
    with pytest.raises(InputError, match=r"curated otherwise.*settings\.json"):
        curate(replace(job, rate=5.0), local, progress=False)
    with pytest.raises(InputError, match="lies in the input"):
        curate(replace(job, out=folder / "out"), local, progress=False)
    with pytest.raises(InputError, match="no clip and no photograph"):
        find_items(job.out / "train" if (job.out / "train").is_dir() else job.out / "validation")
    with pytest.raises(InputError, match="no such file or folder"):
        find_items(folder / "nowhere")


def test_people_go_to_one_split_whole_and_copies_to_none():
    faces = np.eye(2, 128).tolist()
    entries = [
        Entry(f"k{n}", f"{n}.mp4", "clip", f"{n}" * 64, True, face=tuple(faces[n % 2]), fingerprint=(f"{n:x}" * 16,))
        for n in range(6)
    ]  # fmt: skip
    settled = settle(entries)
    assert [e.identity for e in settled] == [0, 1, 0, 1, 0, 1]
    assert len({e.split for e in settled if e.identity == 0}) == 1
    copies = settle([entries[0], replace(entries[0], key="again", file="again.mp4", pixels=1)])
    assert [e.keep for e in copies] == [False, True], "the larger one is kept"


def test_a_dropped_copy_is_told_of_its_kept_original_and_never_kept_for_it():
    kept = Entry("a", "a.mp4", "clip", "a" * 64, True, pixels=4, fingerprint=("f" * 16,))
    small = Reason("small_face", "The face is 12 px high.")
    dropped = replace(kept, key="b", file="b.mp4", keep=False, reasons=(small,), pixels=9)
    first, copy = settle([kept, dropped])
    assert first == replace(kept, identity=0, split=first.split)
    assert copy.reasons == (small, Reason("duplicate", "The same as a.mp4, which is kept.")) and copy.original == "a"
    frozen = replace(dropped, reasons=(Reason("frozen", "The picture is frozen."),))
    assert settle([kept, frozen])[1] == frozen
    assert settle([dropped, replace(dropped, key="c")])[1].reasons == (small,), (
        "of what is dropped there is no original"
    )


def test_a_death_becomes_an_entry(folder, tmp_path):
    job = job_of(folder, tmp_path)
    entry = entry_of(attempt(Worker(partial(_die, job=job)), folder / "man.mp4"), job)
    assert entry.reasons[0].kind == "failed" and Entry.read(job.work / f"{entry.key}.json") == entry


def _die(item: Path, job: Job) -> Entry:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_fault_of_ours_is_told_and_stops_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("lca_core.curation.items.curate_clip", lambda path, settings: 1 / 0)
    entry = curate_item(folder / "man.mp4", job_of(folder, tmp_path))
    assert entry.reasons[0] == ("failed", "A stage failed (ZeroDivisionError: division by zero).")


def test_ray_loses_and_doubles_nothing_when_a_worker_is_killed(curated, folder, tmp_path):
    job, made = curated
    other = replace(job, out=tmp_path / "ray")
    killed = []

    def engine(items, job):
        for entry in on_ray(items, job, workers=2, seconds=120):
            if not killed:  # the other actor is at work on its item
                killed.extend(p.pid for p in psutil.process_iter(["cmdline"]) if _is_curator(p))
                os.kill(killed[0], signal.SIGKILL)
            yield entry

    again = curate(other, engine, progress=False)
    assert killed and [e.file for e in again.entries] == [e.file for e in made.entries]
    assert [(e.keep, e.identity, e.split, e.original) for e in again.entries] == [
        (e.keep, e.identity, e.split, e.original) for e in made.entries
    ]
    for name in ("croissant.json", *(f"{path.parent.name}/{path.name}" for path in job.out.glob("*/*-000000.tar"))):
        assert (job.out / name).read_bytes() == (other.out / name).read_bytes(), name


def _is_curator(process: psutil.Process) -> bool:
    return any("RayWorker" in part for part in process.info["cmdline"] or ())


def test_the_command_says_what_is_wrong(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "lca_core", "curate", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 2 and "no such file or folder" in run.stderr and not (tmp_path / "out").exists()


def test_names_that_differ_only_in_signs_do_not_meet(tmp_path):
    assert key_of(tmp_path / "a b.mp4", tmp_path) != key_of(tmp_path / "a-b.mp4", tmp_path)
