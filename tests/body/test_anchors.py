"""Anchors: equal groups of surface points that everything else hangs on."""

import copy

import numpy as np
import pytest
import torch

from lca_core.body import JOINT_NAMES, Anchors, sample_anchors
from lca_core.body.coverage import fineness
from tests.body.bodies import free_body, full_body

ANCHORS, PER_ANCHOR = 128, 4


@pytest.fixture
def anchors(tmp_path, monkeypatch):
    body = free_body()  # made once a machine: from the real cache
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    return sample_anchors(body, ANCHORS, PER_ANCHOR)


def test_every_anchor_has_equally_many_points(anchors):
    assert anchors.points.shape == (ANCHORS, PER_ANCHOR, 3)
    assert len(anchors.points.flatten(0, 1).unique(dim=0)) == ANCHORS * PER_ANCHOR


def test_sampling_again_gives_the_same_anchors(anchors, tmp_path, monkeypatch):
    """From the cache and afresh."""
    cached = sample_anchors(free_body(), ANCHORS, PER_ANCHOR)
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "elsewhere"))
    afresh = sample_anchors(free_body(), ANCHORS, PER_ANCHOR)
    for name in ("points", "shapedirs", "normals", "weights", "spacing"):
        assert torch.equal(getattr(anchors, name), getattr(cached, name)), name
        assert torch.equal(getattr(anchors, name), getattr(afresh, name)), name


def test_the_signs_of_eigenvectors_do_not_matter(anchors, tmp_path, monkeypatch):
    """Every library of linear algebra may choose its own."""
    rng, eigh = np.random.default_rng(0), np.linalg.eigh

    def whimsical(matrix):
        values, vectors = eigh(matrix)
        return values, vectors * rng.choice([-1, 1], vectors.shape[1])

    monkeypatch.setattr(np.linalg, "eigh", whimsical)
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "elsewhere"))
    afresh = sample_anchors(free_body(), ANCHORS, PER_ANCHOR)
    assert torch.equal(anchors.face, afresh.face) and torch.equal(anchors.barycentric, afresh.barycentric)


def test_anchors_on_triangles_the_body_lacks_are_refused(anchors):
    body = free_body()
    with pytest.raises(ValueError, match=f"the body has {len(body.faces)}"):
        Anchors.on(body, anchors.face + len(body.faces), anchors.barycentric, anchors.spacing)


def test_the_points_lie_on_the_surface(anchors):
    """Each point is a mean, with weights of at least 0, of the corners of some triangle."""
    body = free_body()
    a, b, c = body.template.double()[body.faces].unbind(1)
    edges = torch.stack([b - a, c - a], -1)  # [F, 3, 2]
    inverse = torch.linalg.pinv(edges)
    for point in anchors.points.double().flatten(0, 1)[::16]:
        uv = (inverse @ (point - a)[..., None])[..., 0]
        inside = (uv > -1e-3).all(-1) & (uv.sum(-1) < 1 + 1e-3)
        distance = ((edges @ uv[..., None])[..., 0] + a - point).norm(dim=-1)
        assert distance[inside].min() < 1e-5


def test_skinning_weights_sum_to_one(anchors):
    torch.testing.assert_close(anchors.weights.sum(-1), torch.ones(ANCHORS, PER_ANCHOR), rtol=0, atol=1e-5)
    assert anchors.weights.min() >= 0


def test_normals_are_unit_and_point_outwards(anchors):
    torch.testing.assert_close(anchors.normals.norm(dim=-1), torch.ones(ANCHORS, PER_ANCHOR))
    body = free_body()
    inner = anchors.weights @ body.J_template  # a point within the limb
    outwards = ((anchors.points - inner) * anchors.normals).sum(-1) > 0
    assert outwards.float().mean() > 0.8


def test_groups_are_compact(anchors):
    """A group's points lie near to each other, and hardly a group has points of both legs."""
    spread = (anchors.points - anchors.centers[:, None]).norm(dim=-1).mean()
    assert spread < 0.1 * torch.cdist(anchors.centers, anchors.centers).mean()
    legs = (anchors.points[..., 1] < -0.3).all(1)
    mixed = legs & (anchors.points[..., 0].sign().sum(1).abs() < PER_ANCHOR)
    assert legs.sum() > 20
    assert mixed.sum() <= 0.1 * legs.sum()


def test_shaped_anchors_follow_the_shaped_skin(anchors):
    """They are linear in the betas, and the shaped points lie within the bounds of the shaped body."""
    body = free_body()
    betas = torch.randn(2, 300, generator=torch.Generator().manual_seed(0))
    shaped, skin = anchors.shaped(betas), body.rest(betas)
    assert shaped.shape == (2, ANCHORS, PER_ANCHOR, 3)
    nearest = torch.cdist(shaped.flatten(1, 2), skin).min(-1).values
    assert nearest.max() < 0.04
    middle = anchors.shaped(betas.mean(0, keepdim=True))
    torch.testing.assert_close(shaped.mean(0, keepdim=True), middle, rtol=0, atol=1e-5)


def test_faces_and_hands_have_finer_spacing(anchors):
    owner = anchors.weights.argmax(-1)
    head = owner == JOINT_NAMES.index("head")
    trunk = (owner == JOINT_NAMES.index("spine2")) | (owner == JOINT_NAMES.index("left_hip"))
    assert anchors.spacing[head].mean() < 0.8 * anchors.spacing[trunk].mean()


def test_a_number_of_anchors_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="power of two"):
        sample_anchors(free_body(), 100, 4)


def test_covering_the_whole_lays_points_where_people_look_and_off_the_skin():
    """Lips and lids are finer than the rest, mouth and eyes are covered, and there are shells."""
    body = full_body()
    anchors = sample_anchors(body, 512, 8, "whole")
    group = body.extra["f_group"][anchors.face.numpy()]
    for name in ("helper-upper-teeth", "helper-lower-teeth", "helper-tongue", "helper-l-eye", "helper-r-eye"):
        assert (group == name).sum() >= 5, name
    assert not np.char.startswith(group.astype(str), ("helper-tights",)).any()
    shells = np.isin(group, ("helper-hair", "helper-skirt"))
    assert 100 < shells.sum() < 0.3 * group.size
    assert (anchors.shell.numpy() == shells).all()
    fine = fineness(body, "whole")[anchors.face.numpy()]
    spacing = anchors.spacing.numpy()
    lips, trunk = spacing[fine > 4.5].mean(), np.median(spacing[(fine == 1) & (group == "body")])
    assert lips < 0.35 * trunk
    assert anchors.seen_behind.numpy()[group == "helper-tongue"].max() < 0.01 < anchors.seen_behind.max()


def test_a_body_without_the_free_ones_groups_is_covered_too():
    body = free_body()
    plain = copy.copy(body)
    plain.extra = {}
    anchors = sample_anchors(plain, 128, 4, "whole")
    assert not anchors.shell.any()
    with pytest.raises(ValueError, match="choose one of skin, whole"):
        fineness(body, "hull")
