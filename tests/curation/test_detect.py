"""Nobody, one, two: what counts as a person."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lca_core.curation.decode import read_photo
from lca_core.curation.detect import beheaded, find_people, only_person
from lca_core.curation.samples import PHOTOS, path_of
from lca_core.errors import InputError


def test_the_astronaut_is_one_person_with_face_mesh_and_pose(curated):
    person = curated.person
    left, top, right, bottom = person.face
    assert 150 < left < 200 and 250 < right < 300 and 50 < top < 90 and 160 < bottom < 200
    assert person.mesh.shape == (478, 3) and person.pose.shape == (33, 4)
    assert person.body.shape == (512, 512)
    assert person.pose[11, 0] > person.pose[12, 0], "her left shoulder is on the picture's right"


def test_a_cat_is_nobody():
    with pytest.raises(InputError, match="chelsea.*no person"):
        only_person(read_photo(path_of(PHOTOS["cat"])), "chelsea.png")


def test_a_body_whose_head_the_upper_edge_cuts_off_is_not_taken_for_nobody(astronaut):
    assert not find_people(astronaut[130:]) and beheaded(astronaut[130:])
    assert not beheaded(astronaut), "her head is in the picture"
    assert not beheaded(read_photo(path_of(PHOTOS["cat"]))), "cats have heads of their own"


def test_two_astronauts_side_by_side_are_two(astronaut):
    twins = np.hstack([astronaut, astronaut])
    with pytest.raises(InputError, match="twins.jpg: 2 people"):
        only_person(twins, "twins.jpg")


def test_a_passer_by_in_the_distance_does_not_count(astronaut):
    scene = np.full((700, 1000, 3), 200, np.uint8)
    scene[100:612, 50:562] = astronaut
    scene[400:528, 800:928] = np.asarray(Image.fromarray(astronaut).resize((128, 128)))
    people = find_people(scene)
    assert len(people) == 1 and people[0].face[0] < 500


def test_a_small_person_in_a_large_picture_is_found(astronaut):
    scene = np.full((900, 1200, 3), 200, np.uint8)
    scene[500:628, 700:828] = np.asarray(Image.fromarray(astronaut).resize((128, 128)))
    (person,) = find_people(scene)
    assert 700 < person.face[0] < 828 and 500 < person.face[1] < 628
    assert person.pose is not None, "the pose is found in a crop where the whole picture is too coarse"


def test_mediapipe_says_nothing_on_standard_error_from_its_first_load_on():
    code = (
        "from lca_core.curation.decode import read_photo\n"
        "from lca_core.curation.detect import find_people\n"
        "from lca_core.curation.matte import person_matte\n"
        "from lca_core.curation.samples import real_photos\n"
        "image = read_photo(real_photos()['astronaut'])\n"
        "person_matte(image, find_people(image)[0])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
