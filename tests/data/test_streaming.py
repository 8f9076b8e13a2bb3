"""People in shards by number: the index tells who is where, and anybody can be read alone."""

import os
from dataclasses import replace

import numpy as np
import pytest

from lca_core.data import Truth, read_people, streaming, write_shard
from lca_core.data.streaming import drawn_by, index, read_entry
from lca_core.errors import InputError
from tests.data.people import random_person


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "cache"))


def two_shards(folder) -> list:
    folder.mkdir(exist_ok=True)
    write_shard(folder / "studio-00000.tar", [random_person(seed) for seed in (0, 1, 2)])
    write_shard(folder / "studio-00001.tar", [random_person(3, frames=5)])
    return index(folder)


def test_the_index_tells_of_everybody_without_pictures(tmp_path):
    entries = two_shards(tmp_path / "data")
    assert [e.id for e in entries] == [f"studio-{seed:06d}" for seed in range(4)]
    assert [e.seed for e in entries] == [0, 1, 2, 3] and {e.domain for e in entries} == {"studio"}
    assert [e.shard.name for e in entries] == 3 * ["studio-00000.tar"] + ["studio-00001.tar"]
    assert entries[3].has_face == (False, True, True, True, True) and entries[3].px == 28
    assert entries[3].has_hand == 5 * ((False, False),)


def test_anybody_is_read_alone_as_in_order(tmp_path):
    entries = two_shards(tmp_path / "data")
    people = list(read_people(tmp_path / "data"))
    for i in (3, 1, 0, 2):
        alone = read_entry(entries[i])
        assert alone.id == people[i].id and len(alone.frames) == len(people[i].frames)
        for a, b in zip(alone.frames, people[i].frames, strict=True):
            assert np.array_equal(a.body.image, b.body.image) and np.array_equal(a.theta, b.theta)


def test_a_shard_is_looked_through_once_and_again_when_it_changed(tmp_path, monkeypatch):
    before = two_shards(tmp_path / "data")
    looked = []
    samples = streaming.samples
    monkeypatch.setattr(streaming, "samples", lambda path, file: looked.append(path.name) or samples(path, file))
    assert index(tmp_path / "data") == before and not looked
    write_shard(tmp_path / "data" / "studio-00001.tar", [replace(random_person(3, frames=5), betas=np.zeros(300))])
    after = index(tmp_path / "data")
    assert looked == ["studio-00001.tar"]
    assert [a.digest == b.digest for a, b in zip(before, after, strict=True)] == [True, True, True, False]


def test_truth_does_not_change_who_somebody_is(tmp_path):
    person = random_person(0, frames=1)
    numbers = np.ones((28, 28), np.float32)
    truth = Truth(numbers, np.zeros((28, 28, 3), np.float32), numbers.astype(np.uint8))
    frame = person.frames[0]
    told = replace(person, frames=(replace(frame, body=replace(frame.body, truth=truth)),))
    write_shard(tmp_path / "plain.tar", [person])
    write_shard(tmp_path / "told.tar", [told])
    plain, other = index([tmp_path / "plain.tar", tmp_path / "told.tar"])
    assert plain.digest == other.digest
    assert read_entry(other).frames[0].body.truth is None


def test_folders_and_shards_can_be_mixed_and_named(tmp_path):
    two_shards(tmp_path / "a")
    (tmp_path / "b").mkdir()
    write_shard(tmp_path / "b" / "x.tar", [random_person(7, "wild")])
    expected = [f"studio-{seed:06d}" for seed in range(4)] + ["wild-000007"]
    for data in ({"studio": tmp_path / "a", "wild": tmp_path / "b"}, [tmp_path / "a", tmp_path / "b" / "x.tar"]):
        assert [e.id for e in index(data)] == expected


@pytest.mark.parametrize("how", ["cut short", "no tar", "missing", "no person"])
def test_a_broken_shard_is_named(tmp_path, how):
    path = tmp_path / "bad.tar"
    write_shard(path, [random_person(0)])
    if how == "cut short":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "no tar":
        path.write_bytes(b"no tar" * 500)
    elif how == "no person":
        path.write_bytes(path.read_bytes().replace(b"person.json", b"nobody.json"))
    else:
        path.unlink()
    with pytest.raises(InputError, match=r"bad\.tar"):
        index([path])


def test_a_shard_that_holds_somebody_else_by_now_is_refused(tmp_path):
    entry = two_shards(tmp_path / "data")[3]
    write_shard(entry.shard, [random_person(4, frames=5)])
    with pytest.raises(InputError, match=r"studio-00001\.tar was changed"):
        read_entry(entry)


def test_what_drew_the_people_is_read_from_the_note_beside_them(tmp_path):
    entries = two_shards(tmp_path / "data")
    assert drawn_by(entries) == {}
    (tmp_path / "data" / "studio.json").write_text('{"domain": "studio", "rendering": 6}')
    assert drawn_by(entries) == {"studio": 6}


def test_an_index_survives_a_copy_of_the_time_of_change(tmp_path):
    """Size and time of change are what is compared: the same of both, and the index of before holds."""
    entry = two_shards(tmp_path / "data")[3]
    status = entry.shard.stat()
    entry.shard.write_bytes(entry.shard.read_bytes())
    os.utime(entry.shard, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert index(tmp_path / "data")[3] == entry
