"""Photographs and clips become records, or say why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.curation.bodies import fit_frames
from lca_core.curation.decode import read_clip
from lca_core.curation.filters import LIMITS, histogram_distance
from lca_core.curation.photos import plain_name, prepare_photos
from lca_core.curation.samples import CLIPS, PHOTOS, path_of, real_clips, real_photos
from lca_core.curation.stages import Settings, curate_clip, curate_picture, find_shots
from lca_core.data import Person
from lca_core.errors import InputError
from lca_core.profiles import profile

SMOKE = profile("smoke")


@pytest.fixture(scope="module")
def mirrored(astronaut, tmp_path_factory) -> Path:
    """The astronaut, left and right exchanged."""
    path = tmp_path_factory.mktemp("photos") / "mirrored.2.png"
    Image.fromarray(astronaut[:, ::-1]).save(path)
    return path


@pytest.fixture(scope="module")
def person(mirrored) -> Person:
    """The record of both photographs."""
    return prepare_photos([path_of(PHOTOS["astronaut"]), mirrored], SMOKE)


def test_the_astronaut_becomes_a_record_with_a_body(person, mirrored):
    assert person.domain == "photo" and person.seed is None and person.id == "photo-astronaut"
    assert person.betas.shape == (300,) and person.betas[:10].any()
    assert [frame.instant for frame in person.frames] == [0, 1] and all(frame.tracked for frame in person.frames)
    first, second = person.meta["photos"]
    assert (first["shows"], second["file"]) == ("upper body", "mirrored.2.png")
    assert max(first["fit_error"], second["fit_error"]) < 0.03
    assert person.frames[0].actions[ACTIONS.index("mouthSmileLeft")] > 0.3, "she smiles"
    assert set(person.meta["missing"]) == {"left side", "right side", "back"}
    assert plain_name(mirrored) == "mirrored-2", "a dot would split a shard's key"


def test_the_fitted_body_stands_where_the_picture_has_it(person):
    frame = person.frames[0]
    body = BodyModel.load()
    theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
    joints = joint_transforms(
        body.rest_joints(torch.zeros(1, 300)), full_pose(theta, root, gaze), root[:, 3:], body.parents
    )[1]
    camera = frame.body.camera
    places = joints[0].numpy() @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    pixels = places[:, :2] / places[:, 2:] * camera.K[0, 0] + camera.K[:2, 2]
    assert frame.body.matte[tuple(pixels[JOINT_NAMES.index("neck")].astype(int)[::-1])] > 200
    shoulders = pixels[[JOINT_NAMES.index("left_shoulder"), JOINT_NAMES.index("right_shoulder")]]
    assert shoulders[0, 0] - shoulders[1, 0] > 0.25 * SMOKE.body_px, "her left is on the picture's right"


def test_a_picture_without_a_pose_is_kept_not_tracked(astronaut, curated):
    head = replace(curated.person, pose=None, world=None, body=None)
    fitted = fit_frames([astronaut] * 2, [curated.person, head], [curated.matte] * 2, SMOKE)
    assert [frame.tracked for frame in fitted.frames] == [True, False]
    assert not fitted.frames[1].theta.any() and fitted.frames[1].face is not None
    assert np.isnan(fitted.errors).tolist() == [False, True]


def test_a_stranger_among_photographs_is_named(astronaut, save):
    man = read_clip(path_of(CLIPS["single_face"]), max_frames=1).images[0]
    paths = [path_of(PHOTOS["astronaut"]), save(astronaut[:, ::-1].copy(), "again.png"), save(man, "man.png")]
    with pytest.raises(InputError, match="man.png: this is somebody else than in (astronaut|again).png"):
        prepare_photos(paths, SMOKE)
    with pytest.raises(InputError, match="man.png: this is somebody else"):
        prepare_photos([paths[0], paths[2]], SMOKE)


def test_one_bad_photograph_among_good_ones_is_named(save, astronaut):
    good = save(astronaut, "good.png")
    tiny = save(astronaut[:40, :40].copy(), "tiny.png")
    with pytest.raises(InputError, match="tiny.png.*too small"):
        prepare_photos([good, tiny], SMOKE)


def test_an_empty_list_is_refused():
    with pytest.raises(InputError, match="no photograph"):
        prepare_photos([], SMOKE)


@pytest.mark.parametrize("row", [60, 100, 130])
def test_a_head_cut_off_at_any_height_is_called_so(astronaut, curated, row):
    assert curated.verdict.keep
    assert curate_picture(astronaut[row:]).verdict.kinds == ("head_cut_off",)


def test_a_wall_is_nobody(save):
    with pytest.raises(InputError, match="wall.png: no person"):
        prepare_photos([save(np.full((200, 200, 3), 90, np.uint8), "wall.png")], SMOKE)


def test_a_clip_of_a_face_becomes_a_wild_record():
    clip = curate_clip(path_of(CLIPS["carphone"]), Settings(SMOKE, most=4))
    assert clip.verdict.keep, clip.verdict.text
    assert clip.person.domain == "wild" and len(clip.person.frames) == 4
    assert [frame.instant for frame in clip.person.frames] == [0, 1, 2, 3]
    assert all(frame.tracked for frame in clip.person.frames) and clip.measures.fit_error < 0.03
    assert clip.person.frames[0].face.image.shape == (112, 112, 3)
    assert clip.face.shape == (128,) and clip.fingerprint.shape == (4,)


def test_a_cartoon_is_refused_with_a_reason():
    clip = curate_clip(path_of(CLIPS["title"]), Settings(SMOKE, most=4))
    assert "nobody" in clip.verdict.kinds and clip.person is None


def test_a_file_that_is_no_video_is_dropped_and_nothing_is_raised(tmp_path):
    (tmp_path / "letter.mp4").write_text("Dear reader")
    clip = curate_clip(tmp_path / "letter.mp4", Settings(SMOKE))
    assert clip.verdict.kinds == ("unreadable",) and "letter.mp4" in clip.verdict.text


def test_the_cuts_of_the_street_scenes_are_found_and_none_in_a_talking_head():
    bikes, talking = (
        read_clip(path_of(CLIPS[name]), max_frames=6, rate=0.4).thumbnails for name in ("bikes", "carphone")
    )
    distances = [[histogram_distance(a, b) for a, b in zip(c, c[1:], strict=False)] for c in (bikes, talking)]
    assert [end for _, end in find_shots(distances[0], LIMITS.shot_cut)] == [30, 76, 137, 187, 242, 250]
    assert len(find_shots(distances[1], LIMITS.shot_cut)) == 1


def test_every_sample_is_on_this_machine():
    assert all(path.is_file() for path in [*real_clips().values(), *real_photos().values()])
