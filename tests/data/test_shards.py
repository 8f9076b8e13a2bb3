"""Shards: what is written comes back exactly, whole or not at all."""

import dataclasses
import json

import numpy as np
import pytest

from lca_core.data import Person, Truth, join_shards, read_people, shard_paths, write_shard
from lca_core.errors import InputError
from tests.data.people import random_person


def assert_same(ours, theirs, where: str = "person") -> None:
    """Equal in type and in every bit, all the way down."""
    assert type(ours) is type(theirs), where
    if dataclasses.is_dataclass(ours):
        for field in dataclasses.fields(ours):
            assert_same(getattr(ours, field.name), getattr(theirs, field.name), f"{where}.{field.name}")
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, where
        assert ours.tobytes() == theirs.tobytes(), where
    elif isinstance(ours, tuple):
        assert len(ours) == len(theirs), where
        for i, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    else:
        assert ours == theirs, where


def awkward_person() -> Person:
    """Numbers that a careless text format loses, and a picture of one hand alone, partly hidden."""
    person = random_person(1)
    hand = person.frames[1].face
    hand = dataclasses.replace(hand, hidden=hand.matte[::-1].copy())
    person = dataclasses.replace(
        person, frames=(dataclasses.replace(person.frames[0], hands=(None, hand)), *person.frames[1:])
    )
    betas = person.betas.copy()
    betas[:8] = [0, -0.0, 1e-38, -3.4e38, 1 / 3, np.float32(0.1), 1e-45, 16777217]
    return dataclasses.replace(person, betas=betas)


def test_people_come_back_exactly(tmp_path):
    people = [random_person(0), awkward_person(), dataclasses.replace(random_person(2), seed=None, domain="photo")]
    assert write_shard(tmp_path / "a.tar", people) == 3
    read = list(read_people(tmp_path / "a.tar"))
    assert len(read) == 3
    for person, again in zip(people, read, strict=True):
        assert_same(person, again)


def test_a_folder_of_shards_is_read_in_order(tmp_path):
    write_shard(tmp_path / "b.tar", [random_person(2)])
    write_shard(tmp_path / "a.tar", [random_person(1), random_person(0)])
    (tmp_path / "notes.txt").write_text("not a shard")
    assert [p.seed for p in read_people(tmp_path)] == [1, 0, 2]
    assert [p.name for p in shard_paths(tmp_path)] == ["a.tar", "b.tar"]


def test_the_same_people_give_the_same_bytes(tmp_path):
    for name in ("a.tar", "b.tar"):
        write_shard(tmp_path / name, [random_person(0), random_person(1)])
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_compressed_pictures_stay_near(tmp_path):
    """Pictures taken with compression are stored as JPEG; their mattes and everything else stay exact."""
    person = random_person(3, "wild", meta={"compressed": True})
    smooth = np.linspace(0, 255, 28).astype(np.uint8)[:, None, None].repeat(28, 1).repeat(3, 2)
    body = dataclasses.replace(person.frames[0].body, image=smooth)
    person = dataclasses.replace(person, frames=(dataclasses.replace(person.frames[0], body=body), *person.frames[1:]))
    write_shard(tmp_path / "a.tar", [person])
    read = next(read_people(tmp_path))
    assert np.abs(read.frames[0].body.image.astype(int) - smooth).max() < 10
    assert_same(person.frames[1].face.matte, read.frames[1].face.matte)
    assert_same(person.frames[1].theta, read.frames[1].theta)


def known_picture(picture, rng: np.random.Generator):
    """The picture with truth on part of it: what the shard's precision keeps exactly, and unit normals."""
    parts = rng.integers(0, 3, picture.matte.shape).astype(np.uint8)
    depth = (rng.integers(8, 60_000, parts.shape) / 8000).astype(np.float32) * (parts > 0)
    normals = rng.normal(0, 1, (*parts.shape, 3))
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True) * (parts > 0)[..., None]
    return dataclasses.replace(picture, truth=Truth(depth, normals.astype(np.float32), parts))


def test_truth_and_light_come_back_when_asked_for(tmp_path):
    rng, person = np.random.default_rng(0), random_person(3)
    environment = rng.random((16, 32, 3)).astype(np.float16)
    pictures = {name: known_picture(getattr(person.frames[1], name), rng) for name in ("body", "face")}
    known = dataclasses.replace(person.frames[1], **pictures, light="sunset", environment=environment, cloth=True)
    write_shard(tmp_path / "a.tar", [dataclasses.replace(person, frames=(person.frames[0], known))])
    plain, full = (next(read_people(tmp_path, truth)) for truth in (False, True))
    assert plain.frames[1].body.truth is None and plain.frames[1].environment is None
    assert plain.frames[1].light == "sunset" and plain.frames[1].cloth and not plain.frames[0].cloth
    assert full.frames[0].body.truth is None and full.frames[0].light == ""
    assert_same(full.frames[1].environment, environment)
    for name in ("body", "face"):
        wrote, read = getattr(known, name).truth, getattr(full.frames[1], name).truth
        assert_same(wrote.parts, read.parts)
        np.testing.assert_allclose(read.depth, wrote.depth, atol=1e-6)
        cosine = (read.normals * wrote.normals).sum(-1)[wrote.parts > 0]
        assert cosine.min() > np.cos(np.radians(0.6)) and not read.normals[wrote.parts == 0].any()


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def people():
        yield random_person(0)
        raise RuntimeError("the renderer fell over")

    with pytest.raises(RuntimeError, match="fell over"):
        write_shard(tmp_path / "a.tar", people())
    assert not list(tmp_path.iterdir())


def test_a_failure_while_writing_keeps_the_old_shard(tmp_path):
    write_shard(tmp_path / "a.tar", [random_person(0)])
    before = (tmp_path / "a.tar").read_bytes()

    def people():
        yield random_person(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path / "a.tar", people())
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]
    assert (tmp_path / "a.tar").read_bytes() == before


def broken(path, how: str) -> None:
    write_shard(path, [random_person(0), random_person(1)])
    data = path.read_bytes()
    if how == "text":
        path.write_text("not a tar")
    elif how == "cut within a picture":
        path.write_bytes(data[: data.rindex(b"\x89PNG") + 100])
    elif how == "cut within the numbers":
        path.write_bytes(data[:2000])
    elif how == "a picture is damaged":
        path.write_bytes(data.replace(b"\x89PNG", b"\x00\x00\x00\x00", 1))
    elif how == "the numbers are damaged":
        path.write_bytes(data.replace(b'{"id"', b"\xff\xfe\xfd\xfc\xfb", 1))
    elif how == "a number is missing":
        path.write_bytes(data.replace(b'"gaze"', b'"gazE"', 1))


HOW = ("text", "cut within a picture", "cut within the numbers", "a picture is damaged", "the numbers are damaged",
       "a number is missing")  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_a_broken_shard_is_named(tmp_path, how):
    broken(tmp_path / "broken.tar", how)
    with pytest.raises(InputError, match="broken.tar"):
        list(read_people(tmp_path))


@pytest.mark.parametrize("where", ["", "missing"])
def test_a_folder_without_shards_says_how_to_make_some(tmp_path, where):
    with pytest.raises(InputError, match="people --out"):
        list(read_people(tmp_path / where))


def test_the_webdataset_package_reads_the_shards(tmp_path):
    import webdataset

    people = [random_person(0), random_person(1)]
    write_shard(tmp_path / "a.tar", people)
    samples = list(webdataset.WebDataset(str(tmp_path / "a.tar"), shardshuffle=False))
    assert [s["__key__"] for s in samples] == [p.id for p in people]
    for sample, person in zip(samples, people, strict=True):
        assert json.loads(sample["person.json"])["seed"] == person.seed
        pictures = {name for name in sample if name.endswith(".png")}
        assert len(pictures) == 2 * 5  # of each picture the pixels and the matte; three bodies and two faces


def test_shards_of_one_person_join_to_the_bytes_of_a_shard_of_all(tmp_path):
    people = [random_person(seed, "wild", meta={"compressed": True}) for seed in range(3)]
    parts = [tmp_path / f"{person.seed}.tar" for person in people]
    for part, person in zip(parts, people):
        write_shard(part, [person])
    write_shard(tmp_path / "all.tar", people)
    join_shards(tmp_path / "joined.tar", parts)
    assert (tmp_path / "joined.tar").read_bytes() == (tmp_path / "all.tar").read_bytes()
