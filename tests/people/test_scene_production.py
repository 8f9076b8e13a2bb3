"""Making many people: whole shards, picking up after an interruption, processes that die, and the command."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest

from lca_core import __main__ as commands
from lca_core.data import read_people, shard_paths
from lca_core.errors import InputError
from lca_core.people import processes, production
from lca_core.people.domains import render_person
from lca_core.people.production import cached_people, pictures_of, render_people
from lca_core.profiles import PROFILES
from tests.data.people import random_person

SMOKE = PROFILES["smoke"]
SEED = 9_000


@pytest.fixture(scope="module")
def made_up():
    """Random pixels in place of a digital human."""
    return replace(random_person(0), domain="wild", meta={})


class _Pool:
    """Stands in for the process pool, so that nobody need be drawn."""

    person = None

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, draw, seeds):
        for seed in seeds:
            yield replace(self.person, id=f"{draw.keywords['domain']}-{seed:06d}", seed=seed)


class _CrashingPool(_Pool):
    """Processes die over the second person, `crashes` times."""

    crashes = 0

    def map(self, draw, seeds):
        for seed, person in zip(seeds, super().map(draw, seeds)):
            if seed == SEED + 1 and _CrashingPool.crashes:
                _CrashingPool.crashes -= 1
                raise BrokenProcessPool("a process died")
            yield person


@pytest.fixture
def pool(monkeypatch, made_up):
    monkeypatch.setattr(production, "pool", _CrashingPool)
    monkeypatch.setattr(production, "PEOPLE_A_SHARD", 1)
    _Pool.person, _CrashingPool.crashes = made_up, 0
    return _CrashingPool


def test_production_writes_whole_shards_and_resumes(tmp_path, pool, made_up):
    paths = render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert [p.name for p in paths] == ["wild-00000.tar", "wild-00001.tar"]
    read = list(read_people(paths[0]))[0]
    np.testing.assert_array_equal(read.frames[0].theta, made_up.frames[0].theta)
    kept, _ = paths[0].stat().st_mtime_ns, paths[1].unlink()
    again = render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert again == paths and paths[1].exists() and paths[0].stat().st_mtime_ns == kept


@pytest.mark.parametrize("other", [{"seeds": [SEED + 1]}, {"truth": True}, {"profile": PROFILES["laptop"]}])
def test_production_refuses_to_mix_two_sets(tmp_path, pool, other):
    arguments = {"seeds": [SEED], "domain": "wild", "profile": SMOKE, "out": tmp_path, "progress": False}
    render_people(**arguments)
    with pytest.raises(InputError, match="another folder"):
        render_people(**arguments | other)


def test_a_process_that_dies_is_replaced_and_nobody_is_lost_or_drawn_twice(tmp_path, pool):
    pool.crashes, seeds = 1, [SEED, SEED + 1, SEED + 2]
    paths = render_people(seeds, "wild", SMOKE, tmp_path, progress=False)
    assert [p.seed for path in paths for p in read_people(path)] == seeds


def test_a_person_who_kills_every_process_is_named(tmp_path, pool):
    pool.crashes = 5
    with pytest.raises(RuntimeError, match=f"wild person {SEED + 1}"):
        render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert [path.name for path in tmp_path.glob("*.tar")] == ["wild-00000.tar"]


class _DrawingPool(_Pool):
    """Draws in this process."""

    def map(self, draw, seeds, paths):
        for seed, path in zip(seeds, paths):
            if seed == SEED + 1 and _CrashingPool.crashes:
                _CrashingPool.crashes -= 1
                raise BrokenProcessPool("a process died")
            yield draw(seed, path)


@pytest.fixture
def drawn(monkeypatch, made_up, tmp_path):
    """Seeds whom the cache drew."""
    drawn = []

    def draw(seed, domain, profile, truth):
        drawn.append(seed)
        return replace(made_up, id=f"{domain}-{seed:06d}", seed=seed)

    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    monkeypatch.setattr(processes, "pool", _DrawingPool)
    monkeypatch.setattr(production, "render_person", draw)
    _CrashingPool.crashes = 0
    return drawn


def test_the_cache_draws_each_person_once_whoever_asks_and_in_the_order_asked(drawn):
    first = cached_people([SEED + 2, SEED], "wild", SMOKE, progress=False)
    both = cached_people([SEED, SEED + 1, SEED + 2], "wild", "smoke", progress=False)
    assert drawn == [SEED + 2, SEED, SEED + 1]
    assert [p.seed for p in read_people(first)] == [SEED + 2, SEED]
    assert [p.seed for p in read_people(both)] == [SEED, SEED + 1, SEED + 2]
    assert set(first) < set(both)


@pytest.mark.parametrize("other", [{"truth": True}, {"profile": replace(SMOKE, body_px=42)}])
def test_pictures_of_another_size_or_with_truth_are_cached_apart(drawn, other):
    arguments = {"seeds": [SEED], "domain": "wild", "profile": SMOKE, "progress": False}
    assert cached_people(**arguments) != cached_people(**arguments | other)
    assert drawn == [SEED, SEED]


def test_other_training_does_not_ask_for_other_pictures(drawn):
    first = cached_people([SEED], "wild", SMOKE, progress=False)
    assert cached_people([SEED], "wild", replace(SMOKE, pretrain_steps=1), progress=False) == first


def test_the_cache_outlives_processes_that_die_but_not_for_ever(drawn):
    _CrashingPool.crashes = 2
    paths = cached_people([SEED, SEED + 1], "wild", SMOKE, progress=False)
    assert [p.seed for p in read_people(paths)] == [SEED, SEED + 1] and drawn == [SEED, SEED + 1]
    _CrashingPool.crashes = 9
    with pytest.raises(RuntimeError, match=f"studio person {SEED + 1}"):
        cached_people([SEED, SEED + 1], "studio", SMOKE, progress=False)


# --- The command, in processes of its own ----------------------------------------------------------------------

# `python -m lca_core` with pictures of a few pixels and one person a shard.
COMMAND = """
from dataclasses import replace
from lca_core import __main__, profiles
from lca_core.people import processes, production
production.PEOPLE_A_SHARD = 1
small = {"body_px": 42, "face_px": 42, "studio_poses": 1, "studio_cameras": 1}
profiles.PROFILES["smoke"] = replace(profiles.PROFILES["smoke"], **small, samples_per_pixel=1)
__main__.main()
"""
WAIT = 60.0  # seconds until a first shard is missed


def command(out, seeds, workers: int = 1) -> list[str]:
    arguments = ["people", "--out", out, "--domain", "studio", "--seeds", *seeds, "--workers", workers]
    return [sys.executable, "-c", COMMAND, *map(str, arguments)]


def processes_of(group: int) -> list[int]:
    """Living processes of a process group."""
    listed = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, its_group, state in rows if int(its_group) == group and not state.startswith("Z")]


def test_after_kill_9_the_command_goes_on_where_it_stopped_and_leaves_no_process(tmp_path):
    """Slow: three people in two runs of the command. The first is killed when it has written the first of them."""
    seeds = [SEED, SEED + 1, SEED + 2]
    first = subprocess.Popen(command(tmp_path, seeds), start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT
        while not (tmp_path / "studio-00000.tar").exists():
            assert first.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        kept = {path.name: path.read_bytes() for path in shard_paths(tmp_path)}
        assert 1 <= len(kept) < 3
        cut_short = tmp_path / ".partial-killed.tar"  # as a write that is killed leaves it
        cut_short.write_bytes(kept["studio-00000.tar"][:2000])
        while processes_of(first.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not processes_of(first.pid)
    finally:
        if processes_of(first.pid):
            os.killpg(first.pid, signal.SIGKILL)
    subprocess.run(command(tmp_path, seeds), check=True, timeout=WAIT, stdout=subprocess.DEVNULL)
    paths = shard_paths(tmp_path)
    assert [path.name for path in paths] == [f"studio-{i:05d}.tar" for i in range(3)]
    assert all((tmp_path / name).read_bytes() == data for name, data in kept.items())
    people = list(read_people(tmp_path, truth=True))
    assert [person.seed for person in people] == seeds
    manifest = json.loads((tmp_path / "studio-croissant.json").read_text())
    assert [file["name"] for file in manifest["distribution"][:-1]] == [path.name for path in paths]
    assert "9002" in (tmp_path / "studio-datasheet.md").read_text()
    profile = replace(SMOKE, body_px=42, face_px=42, studio_poses=1, studio_cameras=1, samples_per_pixel=1)
    alone = render_person(seeds[-1], "studio", profile, truth=True)  # without an interruption
    assert people[-1].meta == json.loads(json.dumps(alone.meta)) and pictures_of(people[-1]) == pictures_of(alone)
    for a, b in zip(people[-1].frames, alone.frames, strict=True):
        assert (a.instant, a.light, a.cloth) == (b.instant, b.light, b.cloth)
        for name in ("theta", "root", "gaze", "actions", "environment"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_array_equal(a.body.image, b.body.image)
        np.testing.assert_array_equal(a.body.matte, b.body.matte)
        np.testing.assert_array_equal(a.body.truth.parts, b.body.truth.parts)


def test_the_command_refuses_to_stylise_people_who_are_not_for_tests(tmp_path):
    with pytest.raises(InputError, match="not a test person"):
        commands.people(tmp_path / "out", "stylised", seeds=(10_000, SEED))
    assert not (tmp_path / "out").exists()
