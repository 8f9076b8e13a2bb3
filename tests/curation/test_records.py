"""Photographs and clips become records, or say why not."""

import numpy as np
import pytest

from lca_core.curation.clips import curate_clip, find_shots
from lca_core.curation.decode import read_clip
from lca_core.curation.filters import LIMITS, histogram_distance
from lca_core.curation.photos import plain_name, prepare_photos
from lca_core.curation.samples import CLIPS, PHOTOS, path_of, real_clips, real_photos
from lca_core.errors import InputError
from lca_core.profiles import profile

SMOKE = profile("smoke")


def test_the_astronaut_becomes_a_record_that_says_what_is_not_fitted(astronaut, save):
    mirrored = save(astronaut[:, ::-1].copy(), "mirrored.2.png")
    person = prepare_photos([path_of(PHOTOS["astronaut"]), mirrored], SMOKE)
    assert person.domain == "photo" and person.seed is None and person.id == "photo-astronaut"
    assert person.betas.shape == (300,) and not person.betas.any()
    assert [frame.instant for frame in person.frames] == [0, 1]
    assert person.frames[0].theta.shape == (138,) and person.frames[0].actions is None
    assert person.meta["fitted"] is False and person.meta["photos"][1]["file"] == "mirrored.2.png"
    assert person.meta["photos"][0]["shows"] == "upper body"
    assert plain_name(mirrored) == "mirrored-2", "a dot would split a shard's key"


def test_one_bad_photograph_among_good_ones_is_named(save, astronaut):
    good = save(astronaut, "good.png")
    tiny = save(astronaut[:40, :40].copy(), "tiny.png")
    with pytest.raises(InputError, match="tiny.png.*too small"):
        prepare_photos([good, tiny], SMOKE)


def test_an_empty_list_is_refused():
    with pytest.raises(InputError, match="no photograph"):
        prepare_photos([], SMOKE)


def test_a_wall_is_nobody(save):
    with pytest.raises(InputError, match="wall.png: no person"):
        prepare_photos([save(np.full((200, 200, 3), 90, np.uint8), "wall.png")], SMOKE)


def test_a_clip_of_a_face_becomes_a_wild_record():
    clip = curate_clip(path_of(CLIPS["carphone"]), SMOKE, max_frames=4, stride=8)
    assert clip.verdict.keep, clip.verdict.reasons
    assert clip.person.domain == "wild" and len(clip.person.frames) == 4
    assert [frame.instant for frame in clip.person.frames] == [0, 1, 2, 3]
    assert clip.person.frames[0].face.image.shape == (112, 112, 3)


def test_a_cartoon_is_refused_with_a_reason():
    clip = curate_clip(path_of(CLIPS["title"]), SMOKE, max_frames=4, stride=8)
    assert not clip.verdict.keep and clip.person is None
    assert "Nobody was found" in clip.verdict.reasons[0]


def test_the_cuts_of_the_street_scenes_are_found_and_none_in_a_talking_head():
    bikes, talking = (
        read_clip(path_of(CLIPS[name]), max_frames=5, stride=60).thumbnails for name in ("bikes", "carphone")
    )
    distances = [[histogram_distance(a, b) for a, b in zip(c, c[1:], strict=False)] for c in (bikes, talking)]
    assert [end for _, end in find_shots(distances[0], LIMITS.shot_cut)] == [30, 76, 137, 187, 242, 250]
    assert len(find_shots(distances[1], LIMITS.shot_cut)) == 1


def test_every_sample_is_on_this_machine():
    assert all(path.is_file() for path in [*real_clips().values(), *real_photos().values()])
