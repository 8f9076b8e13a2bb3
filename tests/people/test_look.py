"""Digital humans' geometry and appearance: what a seed makes, and how it moves."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from lca_core.body import ACTIONS, JOINT_NAMES, basemesh, joint_transforms
from lca_core.body.model import blend
from lca_core.body.sculpted import calm, sculpted_directions
from lca_core.body.sculpted_file import full_regions
from lca_core.people.body import eyes
from lca_core.people.body.cut import Piece, clip
from lca_core.people.body.parts import PART_IDS, Strands, Surface
from lca_core.people.stage.human import DigitalHuman, _skin_part, full_body
from lca_core.people.who.spec import (
    BEARDS,
    BOTTOMS,
    COATS,
    FABRICS,
    GLASSES,
    HAIR_STYLES,
    HATS,
    PATTERNS,
    SHOES,
    SKIRTS,
    TOPS,
    PersonSpec,
    sample_person,
)
from lca_core.people.who.tones import typology_angle

SEED = 9000


@pytest.fixture(scope="module")
def person() -> DigitalHuman:
    return DigitalHuman.build(sample_person(SEED), texture_px=256)


def test_a_seed_always_gives_the_same_person_and_others_differ():
    assert sample_person(SEED).meta() == sample_person(SEED).meta()
    assert np.array_equal(sample_person(SEED).betas, sample_person(SEED).betas)
    assert sample_person(SEED).meta() != sample_person(SEED + 1).meta()
    json.dumps(sample_person(SEED).meta())


@pytest.fixture(scope="module")
def crowd() -> list[PersonSpec]:
    return [sample_person(seed) for seed in range(9000, 9300)]


def test_everything_there_is_to_wear_appears(crowd):
    kinds = lambda name: {getattr(p, name).kind for p in crowd if getattr(p, name)}  # noqa: E731
    assert kinds("top") == set(TOPS) and kinds("bottom") == {*BOTTOMS, *SKIRTS} and kinds("shoes") == set(SHOES)
    assert kinds("coat") == set(COATS) and kinds("hat") == set(HATS) and kinds("glasses") == set(GLASSES)
    worn = [garment for p in crowd for garment in (p.top, p.bottom, p.shoes, p.coat) if garment]
    assert {g.fabric for g in worn} == set(FABRICS) and {g.pattern for g in worn} == set(PATTERNS)
    for p in crowd:
        assert (p.top is None) == (p.bottom.kind in ("dress", "long_dress"))
    assert all(0.02 < np.mean([getattr(p, name) is None for p in crowd]) < 0.98 for name in ("coat", "hat", "glasses"))


def test_every_style_of_hair_and_beard_appears_and_skin_spans_the_range(crowd):
    assert {p.hair.style for p in crowd} == set(HAIR_STYLES) and {p.skin.beard for p in crowd} == set(BEARDS)
    assert all(p.skin.beard == "none" for p in crowd if p.build.age < 16 or p.build.sex < 0.5)
    angles = typology_angle(np.array([p.skin.color for p in crowd]))
    assert np.histogram(angles, 5, (-60, 60))[0].min() > 30


def test_parts_are_whole_and_named(person):
    for part in person.pose(np.zeros((55, 3))):
        assert part.part in PART_IDS
        if isinstance(part, Strands):
            assert part.points.dtype == np.float32 and np.isfinite(part.points).all()
            assert part.radii.shape == part.points.shape[:2] and len(part.colors) == len(part.points)
        else:
            assert part.faces.min() >= 0 and part.faces.max() < len(part.vertices)
            assert part.uv.shape == (len(part.faces), 3, 2)
            assert part.vertices.dtype == np.float32 and np.isfinite(part.vertices).all()


def test_skin_moves_exactly_as_the_body_does(person):
    import torch

    rng = np.random.default_rng(0)
    pose = rng.normal(0, 0.3, (55, 3)).astype(np.float32)
    actions, shift = rng.random(52).astype(np.float32), np.array([0.1, 0.2, 0.3], np.float32)
    skin = person.pose(pose, shift, actions)[0]
    betas = torch.as_tensor(person.spec.betas)[None]
    body, regions = full_body(), full_regions()
    rest = calm(body.rest(betas)[0].numpy(), regions)
    rest = rest + sculpted_directions(rest, regions, body.exprdirs.numpy()) @ actions
    transforms, _ = joint_transforms(body.rest_joints(betas), torch.as_tensor(pose)[None], torch.as_tensor(shift)[None])
    everything = blend(body.weights, transforms, torch.as_tensor(rest, dtype=torch.float32)[None])[0].numpy()
    nearest = np.abs(skin.vertices[::97, None] - everything[None]).max(-1).min(1)
    assert nearest.max() < 1e-5


def test_every_part_turns_rigidly_with_the_root(person):
    pose = np.zeros((55, 3))
    still = person.pose(pose)
    pose[0, 1] = np.pi / 2
    for before, after in zip(still, person.pose(pose), strict=True):
        a, b = (p.vertices if isinstance(p, Surface) else p.points.reshape(-1, 3) for p in (before, after))
        pelvis = full_body().rest_joints(person._betas)[0, 0].numpy()
        turned = (a - pelvis) @ np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]) + pelvis
        assert np.abs(turned - b).max() < 1e-4


def test_gaze_turns_the_eyes_and_leaves_the_skin(person):
    pose = np.zeros((55, 3))
    still = person.pose(pose)
    pose[23:25, 1] = 0.3
    moved = person.pose(pose)
    eye = [i for i, part in enumerate(still) if part.part == "eye"]
    assert len(eye) == 2
    for i in eye:
        front = np.argmax(still[i].vertices[:, 2])
        assert 0.002 < moved[i].vertices[front, 0] - still[i].vertices[front, 0] < 0.006
    assert np.abs(moved[0].vertices - still[0].vertices).max() < 0.004


def test_beards_move_with_the_face_and_hair_does_not():
    spec = sample_person(SEED)
    spec = replace(spec, hair=replace(spec.hair, style="short"), skin=replace(spec.skin, beard="full"), hat=None)
    human = DigitalHuman.build(spec, texture_px=64)
    actions = np.zeros(52, np.float32)
    actions[ACTIONS.index("jawOpen")] = 1
    still, open_ = (human.pose(np.zeros((55, 3)), None, a) for a in (None, actions))
    moved = [np.linalg.norm(b.points - a.points, axis=-1).max() for a, b in zip(still, open_) if isinstance(a, Strands)]
    assert moved[0] < 2e-3 and moved[-1] > 0.01


def test_upper_teeth_keep_to_the_skull_and_lower_ones_to_the_jaw(person):
    actions = np.zeros(52, np.float32)
    actions[ACTIONS.index("jawOpen")] = 1
    still, open_ = (
        next(part for part in person.pose(np.zeros((55, 3)), None, a) if part.part == "teeth") for a in (None, actions)
    )
    moved = np.linalg.norm(open_.vertices - still.vertices, axis=1)
    upper = moved < 1e-6
    assert 0.4 < upper.mean() < 0.6 and moved[~upper].min() > 0.003
    front = still.vertices[:, 2] > still.vertices[:, 2].max() - 0.01
    assert moved[~upper & front].min() > 0.015


def test_teeth_stay_under_the_skin_of_a_face_at_rest(person):
    parts = person.pose(np.zeros((55, 3)))
    skin, teeth = (next(part.vertices for part in parts if part.part == name) for name in ("skin", "teeth"))
    face = skin[skin[:, 2] > teeth[:, 2].max() - 0.03]
    nearest = cKDTree(face[:, :2]).query(teeth[:, :2], k=3)[1]
    assert (teeth[:, 2] < face[nearest, 2].max(1)).all()


def test_clothes_that_follow_the_body_do_not_hang(person):
    spec = replace(person.spec, coat=None, bottom=replace(person.spec.bottom, kind="jeans"))
    human = DigitalHuman.build(replace(spec, top=replace(spec.bottom, kind="tshirt")), texture_px=64)
    assert human.hang(np.zeros((3, 55, 3), np.float32), np.zeros((3, 3), np.float32), 30.0) == [{}, {}, {}]


def test_transforms_are_those_that_pose_the_parts(person):
    pose = np.random.default_rng(1).normal(0, 0.2, (55, 3))
    transforms = person.transforms(pose, np.array([0.0, 1, 0]))
    assert transforms.shape == (55, 3, 4) and transforms.dtype == np.float32
    eye = [part.part for part in person.pose(pose)].index("eye")
    before, after = (person.pose(*moment)[eye].vertices for moment in ((np.zeros((55, 3)),), (pose, [0.0, 1, 0])))
    turn, shift = np.split(transforms[JOINT_NAMES.index("left_eye_smplhf")], [3], axis=1)
    np.testing.assert_allclose(before @ turn.T + shift[:, 0], after, atol=1e-5)


def test_a_clip_is_exact_and_keeps_the_inside():
    grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0), indexing="ij"), -1).reshape(-1, 2)
    corner = np.array([i * 5 + j for i in range(4) for j in range(4)])
    ahead, diagonal, beside = corner + 5, corner + 6, corner + 1
    faces = np.concatenate([np.stack([corner, ahead, diagonal], -1), np.stack([corner, diagonal, beside], -1)])
    points = np.c_[grid, np.zeros(25)]
    piece = clip(Piece(points, np.ones((25, 1)), faces), 2.3 - points[:, 0])
    flat = piece.vertices[piece.faces]
    area = np.linalg.norm(np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(2.3 * 4) and piece.vertices[:, 0].max() == pytest.approx(2.3)
    assert np.allclose(piece.weights, 1)


def test_subdivision_keeps_constants_and_closes_every_quad():
    mesh = basemesh.load()
    used, quads = np.unique(mesh.quads[mesh.select("helper-tights")], return_inverse=True)
    matrix, fine = basemesh.catmull_clark(quads.reshape(-1, 4).astype(np.int32), len(used))
    assert np.allclose(matrix.sum(1), 1, atol=1e-5) and len(fine) == 4 * quads.size // 4


def test_an_eyeball_fills_its_socket():
    body = full_body()
    rest = body.template.numpy()
    ball = eyes.eyeball(rest, "l")
    radius = np.ptp(ball.vertices[:, 0]) / 2
    assert 0.010 < radius < 0.017
    joint = body.J_template[23].numpy()
    center = (ball.vertices[:, :2].min(0) + ball.vertices[:, :2].max(0)) / 2
    assert np.linalg.norm(center - joint[:2]) < 0.003


@pytest.mark.parametrize("seed", [2, 7, 13, 10000])
def test_clothes_never_hide_a_face(seed):
    body = full_body()
    head = body.weights[:, [JOINT_NAMES.index("head"), JOINT_NAMES.index("jaw")]].sum(1).numpy() > 0.5
    whole = _skin_part(np.zeros(len(head), bool), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))).index
    human = DigitalHuman.build(sample_person(seed), texture_px=64)
    worn = next(part for part in human._parts if part.look.part == "skin").index
    assert set(whole[head[whole]]) <= set(worn)
