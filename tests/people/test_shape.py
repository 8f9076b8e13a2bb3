"""The shapes of digital humans: who is sampled, and whether betas and numbers agree."""

import numpy as np
import pytest
import torch

from lca_core.body import basemesh, build
from lca_core.people.stage.human import full_body
from lca_core.people.who.shape import AGE_CLASSES, BETAS, sample_shape

PEOPLE = 500


@pytest.fixture(scope="module")
def people():
    return [sample_shape(np.random.default_rng([seed, 0])) for seed in range(PEOPLE)]


def rest(betas: np.ndarray) -> np.ndarray:
    return full_body().rest(torch.as_tensor(betas)[None])[0].numpy()


def skin_faces() -> np.ndarray:
    mesh = basemesh.load()
    return mesh.triangles(mesh.select("body"))[0]


def test_the_same_draws_give_the_same_shape(people):
    betas, who = sample_shape(np.random.default_rng([7, 0]))
    assert betas.dtype == np.float32 and betas.shape == (BETAS,)
    assert np.array_equal(betas, people[7][0]) and who == people[7][1]
    assert not np.array_equal(betas, people[8][0])


def test_every_age_class_and_both_sexes_appear(people):
    ages, sexes = (np.array([getattr(who, name) for _, who in people]) for name in ("age", "sex"))
    assert ages.min() >= 5 and ages.max() <= 85
    for low, high in AGE_CLASSES.values():
        assert ((ages >= low) & (ages < high)).mean() > 0.05
    assert (ages >= 20).mean() > 0.7
    assert 0.4 < sexes.mean() < 0.6 and set(sexes) == {0.0, 1.0}


def test_statures_and_weights_are_those_of_people(people):
    age, sex, height, bmi = (np.array([getattr(w, n) for _, w in people]) for n in ("age", "sex", "height", "bmi"))
    adult = age >= 20
    assert height[adult].min() > 1.44 and height[adult].max() < 2.02
    assert 0.08 < height[adult & (sex == 1)].mean() - height[adult & (sex == 0)].mean() < 0.16
    assert height[age < 8].max() < 1.45 and height[age < 8].mean() < 1.25
    assert bmi.min() > 14.5 and bmi.max() < 40.5
    assert 22 < bmi[adult].mean() < 27 and bmi[adult].std() > 2.5


def test_build_says_what_the_body_measures(people):
    faces = skin_faces()
    for betas, who in people[:40]:
        vertices = rest(betas)
        stature = np.ptp(vertices[np.unique(faces), 1])
        assert who.height == pytest.approx(stature, abs=0.01)
        a, b, c = (vertices[faces[:, corner]].astype(float) for corner in range(3))
        volume = np.einsum("fi,fi->", a, np.cross(b, c)) / 6
        assert who.bmi == pytest.approx(985 * volume / stature**2, rel=0.03)


def test_faces_differ_by_more_than_their_build(people):
    """Centred heads of one stature still differ by millimetres in the face."""
    adults = [betas for betas, who in people[:120] if who.age > 20]
    mesh = basemesh.load()
    used = np.unique(mesh.quads[mesh.select("body")])
    template = full_body().template.numpy()
    front = used[(template[used, 1] > template[used, 1].max() - 0.2) & (template[used, 2] > 0.09)]
    only_face = np.zeros((len(adults), BETAS), np.float32)
    only_face[:, build.FACE] = np.array(adults)[:, build.FACE]
    faces = np.stack([rest(betas)[front] for betas in only_face])
    faces -= faces.mean(1, keepdims=True)
    apart = np.linalg.norm(faces[:-1] - faces[1:], axis=-1).mean(1)
    assert np.median(apart) > 0.0025 and apart.min() > 0.001
    assert np.percentile(np.linalg.norm(faces - faces.mean(0), axis=-1).max(1), 90) < 0.04
