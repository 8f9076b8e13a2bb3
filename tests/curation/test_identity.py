"""Who is who, and what is a copy of what."""

import numpy as np
import pytest
from PIL import Image

from lca_core.curation.decode import read_clip
from lca_core.curation.detect import find_people
from lca_core.curation.duplicates import SAME_BITS, bits_apart, find_duplicates, fingerprint
from lca_core.curation.identity import (
    SAME_PERSON,
    SPLITS,
    chip,
    face_of,
    group,
    near_pairs,
    pairwise_f1,
    split_of_person,
)
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


@pytest.mark.parametrize("dense", [4096, 1])
@pytest.mark.parametrize("spread", [1 / 16, 1 / 30])
def test_large_parts_are_linked_as_small_ones(rng, monkeypatch, dense, spread):
    """Near 1/30 everybody is like everybody, and one part holds all; the two ways of linking agree with scipy's."""
    from scipy.cluster.hierarchy import fcluster, linkage

    monkeypatch.setattr("lca_core.curation.identity._DENSE", dense)
    faces = np.repeat(rng.normal(size=(40, 128)) * spread, 4, 0) + rng.normal(size=(160, 128)) / 45
    plain = fcluster(linkage(faces, "average"), SAME_PERSON, "distance")
    assert pairwise_f1(group(faces), plain)[0] == 1


def test_near_pairs_are_all_pairs_that_are_near(rng, monkeypatch):
    monkeypatch.setattr("lca_core.curation.identity._BLOCK", 16)
    faces = rng.normal(size=(90, 128)) / 30
    apart = np.linalg.norm(faces[:, None] - faces[None], axis=-1)
    wanted = {(i, j) for i, j in np.argwhere(apart <= 0.5).tolist() if i < j}
    found = near_pairs(faces, 0.5).tolist()
    assert 10 < len(wanted) < 4000 and sorted(map(tuple, found)) == sorted(wanted)


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


@pytest.mark.parametrize("bands", [(4, 16), (5, 12), (3, 11)])
def test_every_copy_is_found_that_comparing_all_would_find(rng, monkeypatch, bands):
    """Clips of 1 to 9 pictures, the first one black, and others with some bits of each picture changed."""
    monkeypatch.setattr("lca_core.curation.duplicates._FEW_BANDS", bands)
    originals = [rng.integers(0, 2**63, rng.integers(0, 9)).astype(np.uint64) for _ in range(20)]
    black = np.zeros(1, np.uint64)
    prints = [np.concatenate([black, own]) for own in originals]
    for i in range(60):
        noise = (rng.random((len(prints[i % 20]), 64)) < rng.choice([0.02, 0.15, 0.25])).astype(np.uint8)
        prints.append(prints[i % 20] ^ np.packbits(noise, axis=1).view(np.uint64)[:, 0])
    quality = rng.integers(0, 4, len(prints)).tolist()
    kept, copies = [], {}
    for i in sorted(range(len(prints)), key=lambda i: quality[i], reverse=True):
        same = next((j for j in kept if bits_apart(prints[i], prints[j]) <= SAME_BITS), None)
        if same is None:
            kept.append(i)
        else:
            copies[i] = same
    assert 20 < len(copies) < 70 and find_duplicates(prints, quality) == copies
