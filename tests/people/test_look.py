"""Digital humans' geometry and appearance: what a seed makes, and how it moves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lca_core.body import JOINT_NAMES
from lca_core.people import basemesh, eyes, hair
from lca_core.people.cut import Piece, clip
from lca_core.people.human import DigitalHuman, _skin_part, full_body
from lca_core.people.parts import PART_IDS, Strands, Surface
from lca_core.people.spec import BOTTOMS, HAIR_STYLES, TOPS, sample_person

SEED = 9000


@pytest.fixture(scope="module")
def person() -> DigitalHuman:
    return DigitalHuman.build(sample_person(SEED), texture_px=256)


def test_a_seed_always_gives_the_same_person_and_others_differ():
    assert sample_person(SEED).meta() == sample_person(SEED).meta()
    assert np.array_equal(sample_person(SEED).betas, sample_person(SEED).betas)
    assert sample_person(SEED).meta() != sample_person(SEED + 1).meta()
    json.dumps(sample_person(SEED).meta())


def test_every_style_and_garment_appears_and_skin_spans_the_range():
    people = [sample_person(seed) for seed in range(9000, 9300)]
    assert {p.hair.style for p in people} == set(HAIR_STYLES)
    assert {p.top.kind for p in people} == set(TOPS) and {p.bottom.kind for p in people} == set(BOTTOMS)
    tones = np.array([p.skin.tone for p in people])
    assert np.histogram(tones, 5, (0, 1))[0].min() > 30


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
    body = full_body()(betas, torch.as_tensor(actions)[None], torch.as_tensor(pose)[None], torch.as_tensor(shift)[None])
    everything = body.vertices[0].numpy()
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


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_hair_of_every_style_stays_on_the_head_and_off_the_face(style):
    spec = sample_person(SEED)
    spec = replace(spec, hair=replace(spec.hair, style=style, part=0.0))
    body = full_body()
    betas = body.template.new_tensor(spec.betas)[None]
    rest, joints = body.rest(betas)[0].numpy(), body.rest_joints(betas)[0].numpy()
    parts = hair.grow(spec, rest, body.template.numpy(), joints, np.zeros((0, 3)))
    assert bool(parts) == (style != "bald")
    for weights, look in parts:
        assert np.allclose(weights.sum(1), 1, atol=1e-5)
        if isinstance(look, Strands):
            eye = rest[np.unique(basemesh.load().quads[basemesh.load().select("helper-l-eye")])].mean(0)
            x, y, z = np.moveaxis(look.points, -1, 0)
            assert ((np.abs(x) < 0.03) & (z > eye[2]) & (y < eye[1])).any(1).mean() < 0.01
            assert len(look.points) <= 5000


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
    whole = _skin_part(np.zeros(len(head), bool), np.zeros((4, 4, 3), np.uint8)).index
    human = DigitalHuman.build(sample_person(seed), texture_px=64)
    worn = next(part for part in human._parts if part.look.part == "skin").index
    assert set(whole[head[whole]]) <= set(worn)
