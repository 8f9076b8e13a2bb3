"""A folder of clips and photographs to shards: what is kept, what resumes, and both engines alike, killed or not."""

import json
import os
import shutil
import signal
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PureWindowsPath

import numpy as np
import psutil
import pytest
from PIL import Image

from lca_core.curation.collection import Collection, curate, settle
from lca_core.curation.decode import read_clip
from lca_core.curation.engines import entry_of, local, on_ray
from lca_core.curation.filters import Reason
from lca_core.curation.finding import search, summary
from lca_core.curation.identity import split_of_person
from lca_core.curation.items import Entry, Job, curate_item, key_of, unknown_entry
from lca_core.curation.samples import CLIPS, PHOTOS, path_of
from lca_core.data import read_people, write_shard
from lca_core.engines import attempt
from lca_core.errors import InputError
from lca_core.workers import Worker, WorkerNotStarted
from tests import errands
from tests.data.people import random_person


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
    return job, curate(job, partial(local, workers=1), progress=False)


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
        search(job.out / "train" if (job.out / "train").is_dir() else job.out / "validation")
    with pytest.raises(InputError, match="no such file or folder"):
        search(folder / "nowhere")


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


def test_a_process_that_dies_while_it_starts_is_blamed_on_no_item(folder, tmp_path):
    job = job_of(folder, tmp_path)
    with pytest.raises(WorkerNotStarted, match="ended while it started .exit code 3.*nothing is wrong with the input"):
        attempt(Worker(errands.Deadly()), folder / "man.mp4")
    assert not job.work.exists()


def test_a_death_becomes_an_entry(folder, tmp_path):
    job = job_of(folder, tmp_path)
    entry = entry_of(attempt(Worker(errands.die), folder / "man.mp4"), job)
    assert entry.reasons[0].kind == "failed" and Entry.read(job.work / f"{entry.key}.json") == entry


def quick(items, job) -> Iterator[Entry]:
    """An engine that looks at nothing: clips that hold "no" are dropped, those that hold "slow" take 100 s."""
    for item in items:
        text = item.read_text()
        entry = unknown_entry(item, job)
        if "slow" in text and job.seconds <= 100:
            entry = replace(entry, reasons=(Reason("slow", "It took long."),), given=job.seconds)
        elif "dies" in text:
            entry = replace(entry, reasons=(Reason("failed", "It died."),))
        elif "no" in text:
            entry = replace(entry, reasons=(Reason("nobody", "Nobody is there."),))
        else:
            entry = replace(entry, keep=True, fingerprint=(f"{zlib.crc32(text.encode()):08x}" * 2,))
            write_shard(job.work / f"{entry.key}.tar", [replace(random_person(0, "wild"), id=entry.key, seed=None)])
        entry.write(job.work / f"{entry.key}.json")
        yield entry


def done_again(job: Job) -> list[str]:
    """The files that another run of the same command curates."""
    asked = []

    def engine(items, job):
        asked.extend(item.name for item in items)
        return quick(items, job)

    curate(job, engine, progress=False)
    return asked


@pytest.fixture
def small(tmp_path) -> Job:
    root = tmp_path / "in"
    root.mkdir()
    for name, text in (("a.mp4", "kept"), ("b.mp4", "no"), ("c.mp4", "slow"), ("d.mp4", "dies")):
        (root / name).write_text(text)
    job = Job(root, tmp_path / "out", "smoke", seconds=50)
    assert done_again(job) == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    return job


def test_what_failed_for_no_fault_of_its_own_is_tried_again_and_what_was_judged_is_not(small):
    assert done_again(small) == ["d.mp4"]
    assert done_again(replace(small, seconds=90)) == ["c.mp4", "d.mp4"], "a raised limit"
    assert done_again(replace(small, seconds=60)) == ["d.mp4"], "a limit it was given before"
    (made,) = [e for e in curate(replace(small, seconds=200), quick, progress=False).entries if e.file == "c.mp4"]
    assert made.keep


def test_a_replaced_file_is_curated_again_and_a_touched_one_is_not(small):
    (small.root / "b.mp4").write_text("yes")
    os.utime(small.root / "a.mp4", (1, 1))
    assert done_again(small) == ["b.mp4", "d.mp4"]
    entries = by_file(curate(small, quick, progress=False).entries)
    assert entries["b.mp4"].keep and entries["b.mp4"].reasons == ()


def test_a_lost_record_and_a_damaged_entry_are_made_again(small):
    (small.work / f"{key_of(small.root / 'a.mp4', small.root)}.tar").unlink()
    (small.work / f"{key_of(small.root / 'b.mp4', small.root)}.json").write_text('{"key"')
    assert done_again(small) == ["a.mp4", "b.mp4", "d.mp4"]


def test_what_is_left_out_is_said(small):
    for name in ("IMG_1.HEIC", "notes.txt", "take.mts", ".hidden.mp4"):
        (small.root / name).write_text(name)
    made = curate(small, quick, progress=False)
    assert {path.name for path in made.left_out} == {"IMG_1.HEIC", "notes.txt", ".hidden.mp4"}
    lines = summary(made.left_out)
    assert any("HEIC photographs are not read; save them as JPEG" in line for line in lines) and len(lines) == 3
    for name in ("report.html", "DATASHEET.md"):
        assert "HEIC" in (small.out / name).read_text(), name
    assert "take.mts" in by_file(made.entries)


def test_a_photograph_alone_is_told_to_give_its_folder(tmp_path):
    (tmp_path / "me.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="me.jpg is a photograph; give the folder"):
        search(tmp_path / "me.jpg")


def test_one_bad_photograph_costs_itself_only(folder, tmp_path, monkeypatch):
    root = tmp_path / "in" / "eileen"
    root.mkdir(parents=True)
    good = path_of(PHOTOS["astronaut"])
    for name in ("1.png", "2.png"):
        shutil.copy(good, root / name)
    (root / "3.png").write_bytes(good.read_bytes()[:5000])
    shutil.copy(path_of(PHOTOS["coffee"]), root / "4.png")
    man = read_clip(path_of(CLIPS["single_face"]), max_frames=1).images[0]
    Image.fromarray(man).save(root / "5.png")
    job = Job(root.parent, tmp_path / "out", "smoke")
    entry = curate_item(root, job)
    assert entry.keep and (entry.kept, entry.frames) == (2, 5)
    assert [reason.kind for reason in entry.left_out] == ["unreadable", "nobody", "stranger"]
    assert all(name in reason.text for name, reason in zip(("3.png", "4.png", "5.png"), entry.left_out))
    assert Entry.read(job.work / f"{entry.key}.json") == entry
    (person,) = read_people(job.work / f"{entry.key}.tar")
    assert person.domain == "wild" and len(person.frames) == 2


def entry_named(name: str, person: int, sha256: str) -> Entry:
    face = np.eye(8, 128)[person].tolist()
    bits = zlib.crc32(name.encode())
    return Entry(name, f"{name}.mp4", "clip", sha256, True, face=tuple(face), fingerprint=(f"{bits:08x}" * 2,))


def hash_dealt_to(split: str, start: int) -> str:
    """A hash, larger than `start`'s, by which a person is dealt to this split."""
    return next(h for n in range(start, 10**6) if split_of_person(h := f"{n:064d}") == split)


def test_a_new_clip_moves_nobody_who_was_held_out(tmp_path):
    tested, trains = hash_dealt_to("test", 1000), hash_dealt_to("train", 0)
    assert settle([entry_named("a", 0, tested)])[0].split == "test"
    assert trains < tested, "without a memory, the new clip's hash would decide"
    both = [entry_named("a", 0, tested), entry_named("b", 0, trains)]
    assert [e.split for e in settle(both)] == ["train", "train"]
    assert [e.split for e in settle(both, {tested: "test"})] == ["test", "test"]
    joined = settle([*both, entry_named("c", 0, "f" * 64)], {tested: "test", trains: "train"})
    assert {e.split for e in joined} == {"test"}, "who turns out to be two people's one is held out"


def test_splits_are_kept_beside_the_shards(small):
    first = curate(small, quick, progress=False)
    (kept,) = first.kept
    splits = json.loads((small.out / "splits.json").read_text())
    assert splits == {kept.sha256: kept.split}
    (small.out / "splits.json").write_text(json.dumps({kept.sha256: "test"}))
    assert curate(small, quick, progress=False).kept[0].split == "test"
    (small.out / "splits.json").write_text("[1")
    with pytest.raises(InputError, match="splits.json says who is held out"):
        curate(small, quick, progress=False)


def test_a_fault_of_ours_is_told_and_stops_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("lca_core.curation.items.curate_clip", lambda path, settings: 1 / 0)
    entry = curate_item(folder / "man.mp4", job_of(folder, tmp_path))
    assert entry.reasons[0] == ("failed", "A stage failed (ZeroDivisionError: division by zero).")


def test_ray_loses_and_doubles_nothing_when_a_worker_is_killed(curated, folder, tmp_path):
    job, made = curated
    other = replace(job, out=tmp_path / "ray")
    other.work.mkdir(parents=True)
    shutil.copy(job.out / "settings.json", other.out)
    for name in ("driver.mp4", "same man.mp4"):  # are through, which saves half a minute: the others are left
        for path in job.work.glob(f"{key_of(folder / name, folder)}*"):
            shutil.copy(path, other.work)
    asked, killed = [], []

    def engine(items, job):
        asked.extend(item.name for item in items)
        for entry in on_ray(items, job, workers=2):
            if not killed:  # the other actor is at work on its item
                killed.extend(_curators())
                os.kill(killed[0], signal.SIGKILL)
            yield entry

    again = curate(other, engine, progress=False)
    assert sorted(asked) == ["eileen", "letter.mp4", "man.mp4"]
    assert killed and [e.file for e in again.entries] == [e.file for e in made.entries]
    assert [(e.keep, e.identity, e.split, e.original) for e in again.entries] == [
        (e.keep, e.identity, e.split, e.original) for e in made.entries
    ]
    for name in ("croissant.json", *(f"{path.parent.name}/{path.name}" for path in job.out.glob("*/*-000000.tar"))):
        assert (job.out / name).read_bytes() == (other.out / name).read_bytes(), name


def _curators() -> list[int]:
    """Ray's workers of this process, and nobody else's."""
    mine = {process.pid for process in psutil.Process().children(recursive=True)}
    found = (process for process in psutil.process_iter(["cmdline"]) if process.pid in mine)
    return [process.pid for process in found if any("RayWorker" in part for part in process.info["cmdline"] or ())]


def test_names_that_differ_only_in_signs_do_not_meet(tmp_path):
    assert key_of(tmp_path / "a b.mp4", tmp_path) != key_of(tmp_path / "a-b.mp4", tmp_path)
    windows = PureWindowsPath("c:/clips")
    assert key_of(windows / "ann" / "a.mp4", windows) == key_of(tmp_path / "ann" / "a.mp4", tmp_path)
