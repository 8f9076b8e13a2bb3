"""Garments: every kind on every body, clean hems, nothing pokes through, covered skin lies under cloth."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.people.body.parts import PART_IDS
from lca_core.people.clothes.clothes import Cloth, dress
from lca_core.people.clothes.figure import GOWNS, JOINT, Fitting, arm_share
from lca_core.people.clothes.garments import lower_end, sleeve_end, upper_cut
from lca_core.people.clothes.uppers import covered
from lca_core.people.stage.human import full_body
from lca_core.people.who.shape import sample_shape
from lca_core.people.who.spec import BOTTOMS, COATS, SKIRTS, TOPS, Garment, PersonSpec, sample_person

SEED = 9000
RED = ((0.7, 0.2, 0.2), (0.9, 0.9, 0.9), (0.1, 0.1, 0.4))
OUTFITS = (
    ("tshirt", "jeans", "jacket"), ("hoodie", "joggers"), ("shirt", "trousers", "coat"), ("tank", "shorts"),
    ("blouse", "pleated_skirt"), ("sweater", "skirt"), ("polo", "leggings"), ("long_sleeve", "jeans"),
    ("dress",), ("long_dress",),
)  # fmt: skip
PX = 64


def _figures() -> dict[str, np.ndarray]:
    """betas [300] of the mean person, and of the first child, elder, heavy and thin person to be sampled."""
    wanted = {
        "child": lambda build: build.age < 8,
        "elder": lambda build: build.age > 70,
        "heavy": lambda build: build.bmi > 32,
        "thin": lambda build: build.bmi < 19 and build.age > 18,
    }
    found = {"mean": np.zeros(300, np.float32)}
    for number in range(300):
        betas, build = sample_shape(np.random.default_rng([SEED, number]))
        found |= {name: betas for name, fits in wanted.items() if name not in found and fits(build)}
        if len(found) == 5:
            break
    return found


@lru_cache(maxsize=1)
def _people() -> dict[str, tuple]:
    body, people = full_body(), {}
    for name, betas in _figures().items():
        betas = torch.as_tensor(betas, dtype=torch.float32)[None]
        people[name] = (body.rest(betas)[0].numpy(), body.rest_joints(betas)[0].numpy(), body.weights.numpy())
    return people


def _garment(kind: str, **changes) -> Garment:
    values = dict(fabric="cotton", pattern="plain", colors=RED, scale=0.05, length=0.5, neck=0.4, loose=0.5)
    return Garment(kind=kind, **(values | changes))


def _spec(*kinds: str, **changes) -> PersonSpec:
    top, bottom, coat = _garment("tshirt"), _garment("trousers"), None
    for kind in kinds:
        garment = _garment(kind, **changes)
        top = garment if kind in TOPS else top
        bottom = garment if kind in BOTTOMS + SKIRTS else bottom
        coat = garment if kind in COATS else coat
    top = None if bottom.kind in GOWNS else top
    return replace(sample_person(SEED), top=top, bottom=bottom, coat=coat)


@lru_cache(maxsize=64)
def _dressed(person: str, *kinds: str) -> tuple[Cloth, ...]:
    return tuple(dress(_spec(*kinds), *_people()[person], PX))


def _layers(person: str, *kinds: str) -> tuple[Cloth, ...]:
    """Bottom, top and coat, or skirt and bodice of a dress."""
    cloths = _dressed(person, *kinds)
    return cloths[1:] if kinds[-1] in GOWNS or kinds[1] in SKIRTS else cloths


def _worn(kind: str, person: str) -> list[Cloth]:
    """The pieces of a garment of this kind, as worn in one of OUTFITS, without the briefs under a skirt."""
    kinds = next(kinds for kinds in OUTFITS if kind in kinds)
    cloths = _layers(person, *kinds)
    if kind in GOWNS:
        return list(cloths)
    return [cloths[1 if kind in TOPS else 2 if kind in COATS else 0]]


def _surface(vertices: np.ndarray, faces: np.ndarray) -> tuple[cKDTree, np.ndarray]:
    """Points all over triangles, and the normals [n, 3] there."""
    steps = [(a / 3, b / 3, 1 - (a + b) / 3) for a in range(4) for b in range(4 - a)]
    corner = vertices[faces]
    smooth = basemesh.vertex_normals(vertices, faces)[faces]
    points = np.concatenate([np.tensordot(step, corner, (0, 1)) for step in steps])
    normals = np.concatenate([np.tensordot(step, smooth, (0, 1)) for step in steps])
    return cKDTree(points), normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


@lru_cache(maxsize=8)
def _skin_surface(person: str) -> tuple[cKDTree, np.ndarray]:
    rest, _, weights = _people()[person]
    trunk_and_limbs = weights[:, JOINT["head"]] < 0.5
    return _surface(rest, _skin()[trunk_and_limbs[_skin()].all(1)])


def _height(points: np.ndarray, surface: tuple[cKDTree, np.ndarray]) -> np.ndarray:
    """Height [n] of points over the nearest place of a surface, negative inside."""
    places, normals = surface
    nearest = places.query(points)[1]
    return ((points - places.data[nearest]) * normals[nearest]).sum(1)


def _skin() -> np.ndarray:
    mesh = basemesh.load()
    return mesh.triangles(mesh.select("body"))[0]


@pytest.mark.parametrize(
    "person, kinds",
    [("mean", kinds) for kinds in OUTFITS]
    + [("child", OUTFITS[number]) for number in (0, 1, 3, 8)]
    + [("heavy", OUTFITS[number]) for number in (1, 2, 4, 6, 9)],
)
def test_every_kind_fits_every_body(person, kinds):
    for cloth in _dressed(person, *kinds):
        assert cloth.part in PART_IDS
        assert len(cloth.faces) > 300 and np.isfinite(cloth.vertices).all()
        assert cloth.faces.min() >= 0 and cloth.faces.max() < len(cloth.vertices)
        assert np.allclose(cloth.weights.sum(1), 1, atol=1e-3) and cloth.weights.min() >= -1e-6
        assert cloth.uv.shape == (len(cloth.faces), 3, 2) and cloth.uv.min() >= 0 and cloth.uv.max() <= 1
        assert cloth.free.shape == (len(cloth.vertices),) and 0 <= cloth.free.min() and cloth.free.max() <= 1
        assert cloth.albedo.shape == (PX, PX, 3) and cloth.albedo.dtype == np.uint8


@pytest.mark.parametrize(
    "person, kinds",
    [("mean", kinds) for kinds in OUTFITS]
    + [
        ("child", OUTFITS[0]),
        ("heavy", OUTFITS[1]),
        ("heavy", OUTFITS[4]),
        ("elder", OUTFITS[2]),
        ("thin", OUTFITS[3]),
    ],
)
def test_cloth_lies_a_millimetre_outside_the_skin(person, kinds):
    for cloth in _dressed(person, *kinds):
        points = cloth.vertices[np.unique(cloth.faces)]
        apart = np.abs(points[:, 0]) > 0.005  # thighs that touch leave cloth no room
        height = _height(points[apart], _skin_surface(person))
        assert (height < 0.001).mean() < 0.015 and height.min() > -0.004


@pytest.mark.parametrize(
    "person, kinds", [("mean", OUTFITS[0]), ("mean", OUTFITS[4]), ("child", OUTFITS[1]), ("heavy", OUTFITS[2])]
)
def test_what_is_worn_over_lies_outside_what_is_under(person, kinds):
    figure, cloths = Fitting(*_people()[person]).figure, _layers(person, *kinds)
    for layer, kind in enumerate([kinds[0], *kinds[2:]]):
        p = cloths[layer].vertices
        hidden = covered(_garment(kind), figure, p) & (p[:, 1] < figure.armpit_y - 0.05 * figure.size)
        sample = np.random.default_rng(0).choice(p[hidden], 60)
        outwards = (sample - [0, 0, figure.axis_z]) * [1, 0, 1]
        outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
        corners = np.concatenate([over.vertices[over.faces] for over in cloths[layer + 1 :]])
        assert np.mean([_hits(point, way, corners) for point, way in zip(sample, outwards)]) > 0.98


@pytest.mark.parametrize("kind", [*BOTTOMS, *SKIRTS, "tshirt", "coat", "sweater"])
@pytest.mark.parametrize("person", ["mean", "heavy"])
def test_hems_are_where_they_were_asked(kind, person):
    figure = Fitting(*_people()[person]).figure
    garment = _garment(kind)
    wanted = upper_cut(garment, figure).hem if kind in TOPS + COATS else lower_end(garment, figure)
    assert min(c.vertices[np.unique(c.faces), 1].min() for c in _worn(kind, person)) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("kind", ["tshirt", "long_sleeve", "polo", "coat"])
def test_sleeves_end_where_they_were_asked(kind):
    figure = Fitting(*_people()["mean"]).figure
    wanted = figure.shoulder[0] + upper_cut(_garment(kind), figure).reach * figure.arm
    assert np.abs(_worn(kind, "mean")[0].vertices[:, 0]).max() == pytest.approx(wanted, abs=0.01)
    on_cuff = np.array([[wanted, figure.shoulder[1], figure.shoulder[2]]])
    assert sleeve_end(upper_cut(_garment(kind), figure), figure)(on_cuff) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "person, kinds", [("mean", kinds) for kinds in OUTFITS[:6]] + [("child", OUTFITS[8]), ("heavy", OUTFITS[1])]
)
def test_covered_skin_lies_under_cloth(person, kinds):
    rest, joints, weights = _people()[person]
    cloths = _dressed(person, *kinds)
    hidden = np.flatnonzero(np.any([cloth.hides for cloth in cloths], 0))
    hidden = np.intersect1d(hidden, _skin())
    assert len(hidden) > 500
    sample = np.random.default_rng(0).choice(hidden, 80, replace=False)
    normals = basemesh.vertex_normals(rest, _skin())[sample]
    corners = np.concatenate([cloth.vertices[cloth.faces] for cloth in cloths])
    under = [_hits(p, n, corners) for p, n in zip(rest[sample], normals)]
    assert np.mean(under) > 0.97


def _hits(origin: np.ndarray, direction: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a ray meets one of the triangles [F, 3, 3] within 0.4 m (Moeller & Trumbore 1997)."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    h = np.cross(direction, ac)
    determinant = (ab * h).sum(1)
    inverse = 1 / np.where(np.abs(determinant) < 1e-12, np.inf, determinant)
    s = origin - a
    u = inverse * (s * h).sum(1)
    q = np.cross(s, ab)
    v, t = inverse * (q @ direction), inverse * (q * ac).sum(1)
    return bool(((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < 0.4) & (inverse != 0)).any())


@pytest.mark.parametrize("kind", [*SKIRTS, *COATS])
def test_only_what_hangs_is_free_and_the_waist_is_not(kind):
    figure = Fitting(*_people()["mean"]).figure
    loose = [cloth for cloth in _worn(kind, "mean") if cloth.free.any()]
    assert len(loose) == 1
    y = loose[0].vertices[:, 1]
    assert not loose[0].free[y > figure.waist_y].any()
    if y.min() < figure.hip_y - 0.1:
        assert np.all(loose[0].free[y < figure.hip_y - 0.1] == 1)


def test_other_garments_follow_the_body_everywhere():
    assert not any(cloth.free.any() for cloth in _dressed("mean", "hoodie", "joggers"))


@pytest.mark.parametrize("kind", COATS)
def test_a_coat_is_open_in_front_and_the_top_shows(kind):
    figure = Fitting(*_people()["mean"]).figure
    cloths = _layers("mean", *next(kinds for kinds in OUTFITS if kind in kinds))
    height = 0.5 * (figure.waist_y + figure.armpit_y)
    ray = np.array([0.0, height, 1.0]), np.array([0.0, 0.0, -1.0])
    front = lambda cloth: _hits(ray[0] - [0, 0, 0.6], ray[1], cloth.vertices[cloth.faces])  # noqa: E731
    assert front(cloths[1]) and not front(cloths[2])


def test_collars_and_hoods_stand_above_the_neckline():
    plain = _worn("tshirt", "mean")[0].vertices
    for kind in ("shirt", "polo", "hoodie", "coat"):
        assert _worn(kind, "mean")[0].vertices[:, 1].max() > plain[:, 1].max() + 0.005
    hood = _worn("hoodie", "mean")[0].vertices
    figure = Fitting(*_people()["mean"]).figure
    behind = lambda p: p[np.abs(p[:, 1] - figure.neck[1] + 0.06) < 0.02, 2].min()  # noqa: E731
    assert behind(hood) < behind(plain) - 0.012


def test_loose_means_wider_and_long_means_longer():
    rest = _people()["mean"]
    size = lambda **changes: dress(_spec("tshirt", **changes), *rest, PX)[1].vertices  # noqa: E731
    waist = lambda p: np.ptp(p[(np.abs(p[:, 1] - 0.1) < 0.02), 2])  # noqa: E731
    assert waist(size(loose=1.0)) > waist(size(loose=0.0)) + 0.02
    assert size(length=1.0)[:, 1].min() < size(length=0.0)[:, 1].min() - 0.05


def test_the_same_seed_sews_the_same_bits():
    first = dress(_spec("shirt", "jeans", "coat"), *_people()["mean"], PX)
    again = dress(_spec("shirt", "jeans", "coat"), *_people()["mean"], PX)
    for a, b in zip(first, again, strict=True):
        for name in ("vertices", "weights", "faces", "uv", "albedo", "hides", "free"):
            assert np.array_equal(getattr(a, name), getattr(b, name))


def test_arms_are_no_part_of_the_hull_about_the_trunk():
    rest, joints, weights = _people()["mean"]
    fit = Fitting(rest, joints, weights)
    height = fit.figure.armpit_y + 0.03
    side = fit.hull.radius(np.array([np.pi / 2]), np.array([height]))
    assert 0.1 < side[0] < 0.25 and arm_share(weights).max() > 0.99
