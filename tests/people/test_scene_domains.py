"""A person in both domains: what each records, exactly or not, and the same every time."""

from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import BodyModel, full_pose
from lca_core.data.shards import read_people
from lca_core.errors import InputError
from lca_core.people import production
from lca_core.people.cameras import project
from lca_core.people.domains import render_person, tracker_errors
from lca_core.people.motion import motion
from lca_core.people.production import render_people
from lca_core.profiles import PROFILES

SMOKE = PROFILES["smoke"]
SEED = 9_000


@pytest.fixture(scope="module")
def studio():
    return render_person(SEED, "studio", SMOKE)


@pytest.fixture(scope="module")
def wild():
    return render_person(SEED, "wild", "smoke")


def test_the_studio_has_every_camera_at_every_instant(studio):
    assert studio.id == "studio-009000" and studio.seed == SEED
    assert [f.instant for f in studio.frames] == [i for i in range(SMOKE.studio_poses) for _ in range(4)]
    for frame in studio.frames:
        assert frame.body.image.shape == (112, 112, 3) and frame.body.image.dtype == np.uint8
        assert frame.body.matte.shape == (112, 112) and frame.body.matte.max() == 255
        assert frame.theta.shape == (138,) and frame.root.shape == (6,) and frame.gaze.shape == (4,)
        assert frame.actions.shape == (52,)
    assert not studio.frames[0].actions.any() and not studio.frames[0].gaze.any()


def test_face_crops_are_there_in_front_and_missing_behind(studio):
    first = [f for f in studio.frames if f.instant == 0]
    assert first[0].face is not None and first[2].face is None
    assert first[0].face.image.shape == (112, 112, 3)
    assert (first[0].face.matte > 127).mean() > 0.25


def test_recorded_parameters_reproduce_the_silhouette_and_the_floor(studio):
    body = BodyModel.load()
    for frame in studio.frames[:: SMOKE.studio_cameras]:
        theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
        posed = body(torch.from_numpy(studio.betas)[None], None, full_pose(theta, root, gaze), root[:, 3:])
        vertices = posed.vertices[0].numpy()
        assert abs(vertices[:, 1].min()) < 2e-3
        pixels = np.floor(project(frame.body.camera, vertices)).astype(int).clip(0, 111)
        assert (frame.body.matte[pixels[:, 1], pixels[:, 0]] > 0).mean() > 0.98


def test_a_wild_clip_has_one_picture_an_instant_with_a_background(wild):
    assert [f.instant for f in wild.frames] == list(range(SMOKE.wild_frames))
    behind = wild.frames[0].body.image[wild.frames[0].body.matte == 0]
    assert behind.std() > 2
    assert wild.meta["motion"] and wild.meta["light"] and wild.meta["actions"] == "truth"


def test_both_domains_show_the_same_person_and_only_the_wild_ones_shape_is_off(studio, wild):
    assert studio.meta["looks"] == wild.meta["looks"]
    off = wild.betas - studio.betas
    assert 0 < np.abs(off).max() < 0.12 and not off[10:].any()


def test_the_same_seed_gives_the_same_pixels(wild):
    again = render_person(SEED, "wild", SMOKE)
    for a, b in zip(wild.frames, again.frames, strict=True):
        np.testing.assert_array_equal(a.body.image, b.body.image)
        np.testing.assert_array_equal(a.body.matte, b.body.matte)
        np.testing.assert_array_equal(a.theta, b.theta)


def test_tracker_errors_have_the_stated_size():
    clip = motion("walk", np.random.default_rng(0), 60)
    tracked = [tracker_errors(clip, np.random.default_rng(i)) for i in range(20)]
    error = np.degrees(np.stack([t.theta - clip.theta for t in tracked]))
    assert 0.43 < error[..., :48].std() < 0.57
    assert 2.7 < error[..., 48:].std() < 3.3
    assert 0.0016 < np.stack([t.root - clip.root for t in tracked])[..., 3:].std() < 0.0024
    np.testing.assert_array_equal(tracked[0].actions, clip.actions)


def test_an_unknown_domain_is_an_input_error():
    with pytest.raises(InputError, match="studio, wild"):
        render_person(SEED, "moon", SMOKE)


class _Pool:
    """Stands in for the process pool, so that the fixtures' people need not be drawn again in new processes."""

    people: dict = {}

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, _, seeds, domains, profiles, truths):
        return iter([self.people[d] for _, d, _ in zip(seeds, domains, profiles, strict=True)])


def test_production_writes_whole_shards_and_resumes(tmp_path, monkeypatch, studio, wild):
    monkeypatch.setattr(production, "ProcessPoolExecutor", _Pool)
    monkeypatch.setattr(production, "PEOPLE_A_SHARD", 1)
    _Pool.people = {"studio": studio, "wild": wild}
    paths = render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert [p.name for p in paths] == ["wild-00000.tar", "wild-00001.tar"]
    read = list(read_people(paths[0]))[0]
    np.testing.assert_array_equal(read.frames[0].theta, wild.frames[0].theta)
    kept, _ = paths[0].stat().st_mtime_ns, paths[1].unlink()
    again = render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert again == paths and paths[1].exists() and paths[0].stat().st_mtime_ns == kept


def test_production_refuses_to_mix_two_sets(tmp_path, monkeypatch, wild):
    monkeypatch.setattr(production, "ProcessPoolExecutor", _Pool)
    _Pool.people = {"wild": wild}
    render_people([SEED], "wild", SMOKE, tmp_path, progress=False)
    with pytest.raises(InputError, match="another folder"):
        render_people([SEED + 1], "wild", SMOKE, tmp_path, progress=False)


class _CrashingPool(_Pool):
    """Processes die over the second person, `crashes` times."""

    crashes = 0

    def map(self, _, seeds, domains, profiles):
        for seed in seeds:
            if seed == SEED + 1 and _CrashingPool.crashes:
                _CrashingPool.crashes -= 1
                raise BrokenProcessPool("a process died")
            yield replace(self.people["wild"], id=f"wild-{seed:06d}", seed=seed)


def test_a_process_that_dies_is_replaced_and_nobody_is_lost_or_drawn_twice(tmp_path, monkeypatch, wild):
    monkeypatch.setattr(production, "ProcessPoolExecutor", _CrashingPool)
    _Pool.people, _CrashingPool.crashes = {"wild": wild}, 1
    seeds = [SEED, SEED + 1, SEED + 2]
    paths = render_people(seeds, "wild", SMOKE, tmp_path, progress=False)
    assert [p.seed for path in paths for p in read_people(path)] == seeds


def test_a_person_who_kills_every_process_is_named(tmp_path, monkeypatch, wild):
    monkeypatch.setattr(production, "ProcessPoolExecutor", _CrashingPool)
    _Pool.people, _CrashingPool.crashes = {"wild": wild}, 5
    with pytest.raises(RuntimeError, match=f"wild person {SEED + 1}"):
        render_people([SEED, SEED + 1], "wild", SMOKE, tmp_path, progress=False)
    assert not list(tmp_path.glob("*.tar"))
