"""Shoes, hats and glasses: they fit every person, cover what they should and stay where they belong."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from lca_core.body import JOINT_NAMES, BodyModel, basemesh
from lca_core.people.body import eyes
from lca_core.people.body.skin import Landmarks
from lca_core.people.hair.hair import hat_line
from lca_core.people.who.spec import GLASSES, HATS, SHOES, Accessory, sample_person
from lca_core.people.worn.accessories import wear
from lca_core.people.worn.shoes import shoes
from lca_core.people.worn.tube import tube

SEEDS = (9000, 9038, 9117, 9021)  # a young woman or man, a small child, a heavy person, an elder
HEAD = JOINT_NAMES.index("head")


@lru_cache(maxsize=1)
def body() -> BodyModel:
    return BodyModel.load(part="full")


@lru_cache(maxsize=8)
def person(seed: int):
    """(spec, rest [V, 3], joints [55, 3], vertices of the visible body)."""
    spec = sample_person(seed)
    betas = torch.as_tensor(spec.betas)[None]
    mesh = basemesh.load()
    skin = np.unique(mesh.quads[mesh.select("body")])
    return spec, body().rest(betas)[0].numpy(), body().rest_joints(betas)[0].numpy(), skin


def shod(seed: int, kind: str, px: int = 64):
    spec, rest, joints, _ = person(seed)
    return shoes(replace(spec, shoes=replace(spec.shoes, kind=kind)), rest, joints, body().weights.numpy(), px)


def hatted(seed: int, kind: str, size: float = 0.5):
    spec, rest, joints, _ = person(seed)
    return wear(replace(spec, hat=Accessory(kind, (0.5, 0.3, 0.2), size), glasses=None), rest, joints)


def spectacled(seed: int, kind: str, size: float = 0.5):
    spec, rest, joints, _ = person(seed)
    return wear(replace(spec, hat=None, glasses=Accessory(kind, (0.1, 0.1, 0.1), size)), rest, joints)


def assert_well_made(pieces, part: str):
    for weights, look in pieces:
        assert look.part == part
        assert look.vertices.dtype == np.float32 and np.isfinite(look.vertices).all()
        assert look.faces.dtype == np.int32 and look.faces.min() >= 0 and look.faces.max() < len(look.vertices)
        assert look.uv.shape == (len(look.faces), 3, 2) and look.uv.dtype == np.float32
        assert look.albedo.dtype == np.uint8 and 0 < look.roughness <= 1
        assert weights.shape == (len(look.vertices), 55) and weights.dtype == np.float32
        assert np.abs(weights.sum(1) - 1).max() < 1e-5 and weights.min() >= 0


@pytest.mark.parametrize("kind", SHOES)
def test_shoes_are_well_made_and_the_same_each_time(kind):
    pieces, hides = shod(9000, kind)
    assert_well_made(pieces, "shoe")
    assert hides.shape == (len(person(9000)[1]),) and hides.dtype == bool
    again, _ = shod(9000, kind)
    for (_, a), (_, b) in zip(pieces, again, strict=True):
        assert np.array_equal(a.vertices, b.vertices) and np.array_equal(a.albedo, b.albedo)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", SHOES)
def test_soles_are_flat_and_level(seed, kind):
    _, rest, _, skin = person(seed)
    pieces, _ = shod(seed, kind)
    points = np.concatenate([look.vertices for _, look in pieces])
    low = points[:, 1].min()
    ground = rest[skin, 1].min()
    assert 0.006 < ground - low < 0.030
    for side in (-1, 1):
        foot = points[points[:, 0] * side > 0]
        on_ground = foot[foot[:, 1] < low + 1e-4]
        assert len(on_ground) > 60
        assert np.ptp(on_ground[:, 2]) > 0.75 * np.ptp(foot[foot[:, 1] < low + 0.03, 2])


def test_shoes_move_with_the_feet_and_the_shaft_with_the_leg():
    pieces, _ = shod(9000, "boots")
    moved_by = np.unique(np.concatenate([np.flatnonzero(weights.any(0)) for weights, _ in pieces]))
    allowed = {JOINT_NAMES.index(f"{side}_{bone}") for side in ("left", "right") for bone in ("knee", "ankle", "foot")}
    assert set(moved_by) <= allowed


def test_closed_shoes_hide_the_toes_and_sandals_show_them():
    _, rest, joints, skin = person(9000)
    toes = skin[rest[skin, 2] > joints[JOINT_NAMES.index("left_foot"), 2] + 0.02]
    toes = toes[rest[toes, 1] < joints[JOINT_NAMES.index("left_ankle"), 1]]
    for kind in ("sneakers", "boots", "flats"):
        assert shod(9000, kind)[1][toes].mean() > 0.95
    assert not shod(9000, "sandals")[1].any()
    assert shod(9000, "boots")[1].sum() > shod(9000, "sneakers")[1].sum() > shod(9000, "flats")[1].sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_skin_is_hidden_above_the_shoe(seed):
    _, rest, joints, _ = person(seed)
    top = max(joints[JOINT_NAMES.index(f"{side}_ankle"), 1] for side in ("left", "right"))
    for kind in ("sneakers", "flats"):
        assert rest[shod(seed, kind)[1], 1].max() < top + 0.02


@pytest.mark.parametrize("kind", HATS)
def test_hats_are_well_made_and_ride_on_the_head(kind):
    pieces = hatted(9000, kind)
    assert_well_made(pieces, "hat")
    assert all((weights[:, HEAD] == 1).all() for weights, _ in pieces)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", HATS)
def test_hats_contain_the_crown_with_room_for_flat_hair(seed, kind):
    _, rest, _, skin = person(seed)
    marks = Landmarks.of(rest)
    shell = hatted(seed, kind, 0.0)[0][1].vertices
    crown = rest[skin][rest[skin, 1] > hat_line(marks, rest[skin]) + 0.008]
    crown = crown[np.hypot(crown[:, 0], crown[:, 2] - marks.center[2]) < 0.13] - marks.center
    shell = (shell - marks.center)[3 * 72 :]  # without the lining, which lies on the skin
    near = cKDTree(shell / np.linalg.norm(shell, axis=1, keepdims=True))
    _, beside = near.query(crown / np.linalg.norm(crown, axis=1, keepdims=True), k=3)
    room = np.linalg.norm(shell, axis=1)[beside].min(1) - np.linalg.norm(crown, axis=1)
    assert len(crown) > 80 and room.min() > 0.007


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", HATS)
def test_hats_leave_the_eyes_free(seed, kind):
    marks = Landmarks.of(person(seed)[1])
    shell = hatted(seed, kind)[0][1].vertices
    front = shell[(shell[:, 2] > marks.center[2] + 0.05) & (np.abs(shell[:, 0]) < 0.03)]
    assert front[:, 1].min() > marks.eye[1] + 0.035


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", GLASSES)
def test_glasses_stand_before_the_eyes_and_reach_the_ears(seed, kind):
    _, rest, _, _ = person(seed)
    marks = Landmarks.of(rest)
    pieces = spectacled(seed, kind)
    assert_well_made(pieces, "accessory")
    points = np.concatenate([look.vertices for _, look in pieces])
    for side, name in ((1, "l"), (-1, "r")):
        ball = eyes.eyeball(rest, name).vertices
        pupil = ball[ball[:, 2].argmax()]
        before = points[np.abs(points[:, 0] - pupil[0]) < 0.010]
        before = before[(before[:, 2] > marks.center[2]) & (np.abs(before[:, 1] - pupil[1]) < 0.03)]
        assert before[:, 1].min() < pupil[1] - 0.01 and before[:, 1].max() > pupil[1] + 0.01
        assert before[:, 2].min() > pupil[2] + 0.0125 and before[:, 2].max() < pupil[2] + 0.030
        over_ear = points[(points[:, 0] * side > 0) & (np.abs(points[:, 2] - marks.ear[2]) < 0.02)]
        assert len(over_ear) and abs(over_ear[:, 1].max() - marks.eye[1]) < 0.04


def test_only_sunglasses_have_lenses():
    assert len(spectacled(9000, "round")) == len(spectacled(9000, "square")) == 1
    frame, lenses = (look for _, look in spectacled(9000, "sunglasses"))
    assert lenses.albedo.max() < 30 and lenses.roughness < 0.2 and lenses.specular > 0.5
    assert np.abs(lenses.vertices[:, 0]).min() > 0.005


def test_who_wears_neither_wears_nothing():
    spec, rest, joints, _ = person(9000)
    assert wear(replace(spec, hat=None, glasses=None), rest, joints) == []


def test_tubes_keep_their_radius_around_bends():
    turn = np.linspace(0, np.pi, 40)
    path = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    vertices, faces = tube(path, 0.05, 8)
    away = np.linalg.norm(vertices.reshape(40, 8, 3) - path[:, None], axis=-1)
    assert np.allclose(away, 0.05) and faces.max() == len(vertices) - 1
    closed, rim = tube(path[:-1], 0.05, 8, closed=True)
    assert len(rim) == 2 * len(closed)
