"""Clips of swinging cloth: the first is what `garment` records, and files are read back or refused."""

from functools import partial

import numpy as np
import pytest

from lca_core.errors import InputError
from lca_core.people.domains import loose, swinging
from lca_core.people.domains.domains import cast, stream
from lca_core.people.domains.performing import perform
from lca_core.people.domains.recording import Actor
from lca_core.people.domains.swinging import EVERY, Swinging, cached_swinging, read_swinging

SEED = 5003  # in a dress, walking


def test_the_first_clip_is_the_one_that_garment_records(monkeypatch):
    monkeypatch.setattr(swinging, "CLIPS", 1)
    monkeypatch.setattr(swinging, "_MOMENTS", EVERY + 1)
    poses, shifts, cloth = swinging.swinging(SEED)
    actor = Actor(cast(SEED, "garment"))
    _, clip, hanging = perform(actor, partial(loose.acted, stream(SEED, "garment")), 2)
    free = {
        n: np.flatnonzero(np.asarray(free) > 0.5)[:: swinging._THINNED] for n, (_, free) in actor.human.loose.items()
    }
    for i, worn in enumerate(hanging):
        np.testing.assert_array_equal(shifts[0, i * EVERY], clip.root[i, 3:])
        recorded = np.concatenate([worn[number][kept] for number, kept in free.items()])
        np.testing.assert_array_equal(cloth[0, i * EVERY], recorded.astype(np.float32))
    assert poses.shape == (1, EVERY + 1, 55, 3) and cloth.shape[2] > 100
    assert np.abs(cloth[0, 0] - cloth[0, -1]).max() > 0.02, "it swings"


def test_a_persons_other_clips_are_other_motions():
    clips = [swinging._acted(SEED, number).theta for number in range(swinging.CLIPS)]
    assert all(np.abs(a - b).max() > 0.1 for a, b in zip(clips, clips[1:]))
    np.testing.assert_array_equal(clips[1], swinging._acted(SEED, 1).theta)


def test_files_are_made_once_read_back_and_others_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    some = Swinging(np.zeros((1, 2, 55, 3)), np.ones((1, 2, 3)), np.full((1, 2, 5, 3), 3.0))
    times = []
    monkeypatch.setattr(swinging, "swinging", lambda seed: times.append(seed) or some)

    def here(work, items, workers):
        from lca_core.engines import Done

        yield from (Done(item, work.task(item), "", 0.0) for item in items)

    paths = cached_swinging([5000, 5001], engine=here)
    assert cached_swinging([5001, 5000], engine=here) == paths[::-1] and times == [5000, 5001]
    assert [path.name for path in paths] == ["swinging-005000.npz", "swinging-005001.npz"]
    np.testing.assert_array_equal(read_swinging(paths[0]).cloth, some.cloth)
    np.savez(tmp_path / "other.npz", poses=np.zeros(3))
    with pytest.raises(InputError, match="no clips of swinging cloth"):
        read_swinging(tmp_path / "other.npz")
