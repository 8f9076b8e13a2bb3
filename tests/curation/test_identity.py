"""Who is who, and what is a copy of what."""

import numpy as np
import pytest
from PIL import Image

from lca_core.curation.decode import read_clip
from lca_core.curation.detect import find_people
from lca_core.curation.duplicates import SAME_BITS, bits_apart, find_duplicates, fingerprint
from lca_core.curation.identity import SAME_PERSON, SPLITS, chip, face_of, group, pairwise_f1, split_of_person
from lca_core.curation.samples import CLIPS, path_of


def test_the_chip_has_the_eyes_level_and_in_their_place(astronaut, curated):
    again = (
        find_people(np.asarray(Image.fromarray(chip(astronaut, curated.person.mesh)).resize((450, 450))))[0].mesh / 3
    )
    right, left = (again[list(corners), :2].mean(0) for corners in ((33, 133), (362, 263)))
    assert abs(left[1] - right[1]) < 3 and left[0] - right[0] == pytest.approx(52, abs=6)
    np.testing.assert_allclose((left + right) / 2, [74, 47], atol=4)


def test_one_person_is_nearer_to_herself_than_to_another(astronaut, curated):
    mirrored = astronaut[:, ::-1].copy()
    man = read_clip(path_of(CLIPS["single_face"]), max_frames=1).images[0]
    own, same, other = (face_of([image], [find_people(image)[0].mesh]) for image in (astronaut, mirrored, man))
    assert np.linalg.norm(own - same) < SAME_PERSON < np.linalg.norm(own - other)
    assert face_of([astronaut], [None]) is None


def test_grouping_is_average_linkage_whatever_the_blocks(rng, monkeypatch):
    from scipy.cluster.hierarchy import fcluster, linkage

    people = rng.normal(size=(12, 128)) / 16
    faces = np.repeat(people, 5, 0) + rng.normal(size=(60, 128)) / 60
    plain = fcluster(linkage(faces, "average"), SAME_PERSON, "distance")
    monkeypatch.setattr("lca_core.curation.identity._BLOCK", 7)
    numbers = group(faces)
    assert pairwise_f1(numbers, plain)[0] == 1 and numbers[0] == 0 and len(set(numbers)) == 12
    assert group(np.empty((0, 128))).shape == (0,)


def test_pairwise_f1_by_hand():
    f1, precision, recall = pairwise_f1([0, 0, 0, 1], [0, 0, 1, 1])  # together 3 pairs, of which 1 true; true 2
    assert (precision, recall) == pytest.approx((1 / 3, 1 / 2)) and f1 == pytest.approx(0.4)


def test_splits_have_their_shares():
    drawn = [split_of_person(f"{i}") for i in range(4000)]
    for name, share in SPLITS.items():
        assert drawn.count(name) / 4000 == pytest.approx(share, abs=0.02)


def test_a_copy_is_known_by_its_fingerprint_and_another_picture_is_not(astronaut):
    small = np.asarray(Image.fromarray(astronaut).resize((200, 200)))
    darker = np.uint8(astronaut * 0.8)
    prints = [fingerprint([image]) for image in (astronaut, small, darker, astronaut[:, ::-1].copy())]
    assert [bits_apart(prints[0], p) <= SAME_BITS for p in prints] == [True, True, True, False]
    assert find_duplicates(prints, [1, 2, 1, 5]) == {0: 1, 2: 1}
