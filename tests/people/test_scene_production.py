"""Making many people: whole shards, picking up after an interruption, processes that die, and the command."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from lca_core import __main__ as commands
from lca_core.data import read_people, shard_paths, write_shard
from lca_core.engines import ENGINES, Done
from lca_core.errors import InputError
from lca_core.people.domains import processes, production
from lca_core.people.domains.domains import render_person
from lca_core.people.domains.production import cached_people, pictures_of, render_people
from lca_core.profiles import PROFILES
from tests.people.noise import draw_noise, noisy, nothing

SMOKE = PROFILES["smoke"]
SEED = 9_001  # and the next: in clothes that follow the body, for simulating cloth takes as long as all the rest


@pytest.fixture
def noise(monkeypatch):
    monkeypatch.setattr(production, "_draw", draw_noise)
    monkeypatch.setattr(production, "PEOPLE_A_SHARD", 2)
    monkeypatch.setattr(processes, "prepare", nothing)


def bytes_of(paths):
    return [(path.name, path.read_bytes()) for path in paths]


def test_both_engines_write_the_same_shards_as_one_after_the_other(tmp_path, noise):
    """Slow, for Ray's start."""
    seeds = [SEED, SEED + 1, SEED + 2]
    alone = [noisy(seed) for seed in seeds]
    for name, people in (("wild-00000.tar", alone[:2]), ("wild-00001.tar", alone[2:])):
        write_shard(tmp_path / "alone" / name, people)
    expected = bytes_of(shard_paths(tmp_path / "alone"))
    for name, engine in ENGINES.items():
        paths = render_people(seeds, "wild", SMOKE, tmp_path / name, progress=False, engine=engine)
        assert bytes_of(paths) == expected, name
        assert {path.name for path in (tmp_path / name).iterdir()} == {"wild.json", *(path.name for path in paths)}


class InThisProcess:
    """An engine that draws here; `deaths` of its processes are over the second person, each time it is called."""

    def __init__(self, deaths: int = 0):
        self.deaths, self.asked = deaths, []

    def __call__(self, work, items, workers):
        for item in items:
            if item == SEED + 1 and self.deaths:
                self.deaths -= 1
                yield Done(item, "", "ended its process (exit code -11), 2 times", 0.0)
            else:
                self.asked.append(item)
                yield Done(item, work.task(item), "", 0.0)


@pytest.fixture
def here():
    return InThisProcess()


def test_production_writes_whole_shards_and_resumes(tmp_path, noise, here):
    seeds = [SEED, SEED + 1, SEED + 2]
    paths = render_people(seeds, "wild", SMOKE, tmp_path, progress=False, engine=here)
    assert [p.name for p in paths] == ["wild-00000.tar", "wild-00001.tar"]
    assert [p.seed for path in paths for p in read_people(path)] == seeds
    kept, _ = paths[0].stat().st_mtime_ns, paths[1].unlink()
    assert render_people(seeds, "wild", SMOKE, tmp_path, progress=False, engine=here) == paths
    assert paths[1].exists() and paths[0].stat().st_mtime_ns == kept and here.asked == [*seeds, SEED + 2]


def test_pictures_made_are_counted_and_told(tmp_path, noise, here, capsys):
    render_people([SEED], "wild", SMOKE, tmp_path, progress=False, engine=here)
    assert f"wild: {pictures_of(noisy(SEED))} pictures of 1 people" in capsys.readouterr().out


@pytest.mark.parametrize("other", [{"seeds": [SEED + 1]}, {"truth": True}, {"profile": PROFILES["laptop"]}])
def test_production_refuses_to_mix_two_sets(tmp_path, noise, here, other):
    arguments = {"seeds": [SEED], "domain": "wild", "profile": SMOKE, "out": tmp_path, "progress": False}
    render_people(**arguments, engine=here)
    with pytest.raises(InputError, match="another folder"):
        render_people(**arguments | other, engine=here)


def test_a_person_asked_for_twice_is_refused(tmp_path, noise, here):
    with pytest.raises(InputError, match="twice"):
        render_people([SEED, SEED], "wild", SMOKE, tmp_path, engine=here)


def test_a_person_who_kills_every_process_is_named_and_the_others_are_kept(tmp_path, noise):
    seeds, engine = [SEED, SEED + 1, SEED + 2], InThisProcess(deaths=1)
    with pytest.raises(RuntimeError, match=f"wild person {SEED + 1} ended its process"):
        render_people(seeds, "wild", SMOKE, tmp_path, progress=False, engine=engine)
    paths = render_people(seeds, "wild", SMOKE, tmp_path, progress=False, engine=engine)
    assert [p.seed for path in paths for p in read_people(path)] == seeds
    assert sorted(engine.asked) == seeds, "nobody is drawn twice"


@pytest.fixture
def drawn(monkeypatch, tmp_path, noise, here):
    """Seeds whom the cache drew."""
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    monkeypatch.setattr(production, "cached_people", partial(cached_people, progress=False, engine=here))
    return here.asked


def test_the_cache_draws_each_person_once_whoever_asks_and_in_the_order_asked(drawn):
    first = production.cached_people([SEED + 2, SEED], "wild", SMOKE)
    both = production.cached_people([SEED, SEED + 1, SEED + 2], "wild", "smoke")
    assert drawn == [SEED + 2, SEED, SEED + 1]
    assert [p.seed for p in read_people(first)] == [SEED + 2, SEED]
    assert [p.seed for p in read_people(both)] == [SEED, SEED + 1, SEED + 2]
    assert set(first) < set(both)


@pytest.mark.parametrize("other", [{"truth": True}, {"profile": replace(SMOKE, body_px=42)}])
def test_pictures_of_another_size_or_with_truth_are_cached_apart(drawn, other):
    arguments = {"seeds": [SEED], "domain": "wild", "profile": SMOKE}
    assert production.cached_people(**arguments) != production.cached_people(**arguments | other)
    assert drawn == [SEED, SEED]


def test_other_training_does_not_ask_for_other_pictures(drawn):
    first = production.cached_people([SEED], "wild", SMOKE)
    assert production.cached_people([SEED], "wild", replace(SMOKE, pretrain_steps=1)) == first


# --- The command, in processes of its own ----------------------------------------------------------------------

# `python -m lca_core` with pictures of a few pixels and one person a shard.
COMMAND = """
from dataclasses import replace
from lca_core import __main__, profiles
from lca_core.people.domains import processes, production
production.PEOPLE_A_SHARD = 1
small = {"body_px": 42, "face_px": 42, "studio_poses": 1, "studio_cameras": 1}
profiles.PROFILES["smoke"] = replace(profiles.PROFILES["smoke"], **small, samples_per_pixel=1)
__main__.main()
"""
WAIT = 600  # seconds: a busy machine is given time, a hang is not


def command(out, seeds, workers: int = 1) -> list[str]:
    arguments = ["people", "--out", out, "--domain", "studio", "--seeds", *seeds, "--workers", workers]
    return [sys.executable, "-c", COMMAND, *map(str, arguments)]


def processes_of(group: int) -> list[int]:
    """Living processes of a process group."""
    listed = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, its_group, state in rows if int(its_group) == group and not state.startswith("Z")]


def test_after_kill_9_the_command_goes_on_where_it_stopped_and_leaves_no_process(tmp_path):
    """Slow: two people in two runs of the command. The first is killed when it has written the first of them."""
    seeds = [SEED, SEED + 1]
    first = subprocess.Popen(command(tmp_path, seeds), start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT
        while not (tmp_path / "studio-00000.tar").exists():
            assert first.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        kept = {path.name: path.read_bytes() for path in shard_paths(tmp_path)}
        assert len(kept) == 1
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
    assert [path.name for path in paths] == [f"studio-{i:05d}.tar" for i in range(2)]
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
