"""Loose cloth: it hangs, keeps its lengths, stays off body and floor, and is the same on every run."""

import numba
import numpy as np
import pytest
import torch

from lca_core.body import basemesh
from lca_core.body.driving import full_pose
from lca_core.body.model import blend, joint_transforms
from lca_core.motion.motions import motion
from lca_core.people.clothes import cloth, cloth_measures
from lca_core.people.stage.human import full_body

STILL = np.broadcast_to(np.eye(3, 4, dtype=np.float32), (55, 3, 4))
FAR = cloth.Collider(
    np.array([[0.0, -50, 0]]), np.zeros((1, 1), int), np.ones((1, 1)), np.zeros((0, 3), int), (np.array([0]),)
)


def sheet(columns: int = 16, rows: int = 16, spacing: float = 0.02, height: float = 1.0):
    """A level sheet (vertices, faces, weights of the pelvis, free) that the row at z = 0 holds."""
    z, x = np.mgrid[:rows, :columns]
    vertices = np.stack([(x - (columns - 1) / 2) * spacing, np.full(x.shape, height), z * spacing], -1).reshape(-1, 3)
    return vertices, lattice(rows, columns), pelvis_weights(len(vertices)), (z > 0).ravel().astype(np.float32)


def lattice(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])


def pelvis_weights(count: int, joint: int = 0) -> np.ndarray:
    return np.eye(55, dtype=np.float32)[np.full(count, joint)]


def moved(shifts: np.ndarray, joint: int | None = None) -> np.ndarray:
    """Transforms [T, 55, 3, 4] that shift all joints, or one, by [T, 3]."""
    transforms = np.repeat(STILL[None], len(shifts), 0)
    transforms[:, slice(None) if joint is None else joint, :, 3] = shifts[:, None] if joint is None else shifts
    return transforms


def tube(radius: float, low: float, high: float, rows: int = 12, columns: int = 40):
    y, angle = np.linspace(high, low, rows)[:, None], np.arange(columns) * 2 * np.pi / columns
    points = np.stack(np.broadcast_arrays(radius * np.sin(angle), y, radius * np.cos(angle)), -1).reshape(-1, 3)
    return points, lattice(rows, columns, closed=True)


def edge_ratio(simulated: np.ndarray, rest: np.ndarray, faces: np.ndarray) -> np.ndarray:
    length = lambda x: np.linalg.norm(x[..., faces, :] - x[..., np.roll(faces, -1, 1), :], axis=-1)  # noqa: E731
    return length(simulated) / length(rest)


@pytest.fixture(scope="module")
def fallen() -> tuple:
    rest, faces, weights, free = sheet()
    return rest, faces, free, cloth.simulate(rest, faces, weights, free, np.repeat(STILL[None], 210, 0), FAR)


def test_a_level_sheet_held_by_one_edge_swings_and_comes_to_rest_hanging(fallen):
    rest, _, _, simulated = fallen
    lowest = simulated[:, rest[:, 2] > 0.29].mean(1)
    assert lowest[:, 2].min() < -0.02, "it never swung past the vertical"
    assert np.abs(lowest[-1] - [0, 1 - 0.3, 0]).max() < 0.02
    assert np.abs(np.diff(simulated[-10:], axis=0)).max() < 1e-3


def test_threads_keep_their_length_within_five_percent(fallen):
    rest, faces, _, simulated = fallen
    assert np.percentile(edge_ratio(simulated, rest, faces), 99.9) < 1.05
    assert edge_ratio(simulated[-1], rest, faces).min() > 0.9


def test_pinned_vertices_are_skinned_exactly_and_half_free_ones_stay_near():
    rest, faces, _, free = sheet()
    rng = np.random.default_rng(0)
    free[rest[:, 2] < 0.05] = 0.5
    free[rest[:, 2] < 0.03] = 0
    weights = rng.dirichlet(np.ones(55), len(rest)).astype(np.float32)
    poses = torch.as_tensor(rng.normal(0, 0.2, (1, 55, 3)) * np.linspace(0, 1, 10)[:, None, None]).float()
    joints = torch.as_tensor(rng.normal(0, 0.3, (1, 55, 3))).float().expand(10, -1, -1)
    transforms = joint_transforms(joints, poses)[0]
    truth = blend(torch.as_tensor(weights), transforms, torch.as_tensor(rest).float()[None]).numpy()
    simulated = cloth.simulate(rest, faces, weights, free, transforms[:, :, :3].numpy(), FAR, ground=-9.0)
    away = np.linalg.norm(simulated - truth, axis=2)
    assert away[:, free == 0].max() < 1e-5
    assert 1e-3 < away[:, free == 0.5].max() < cloth.LEASH + 1e-5


def test_a_garment_of_which_nothing_hangs_is_skinned():
    rest, faces, weights, free = sheet()
    shifts = np.linspace(0, 0.3, 4)[:, None] * [1, 0, 0]
    simulated = cloth.simulate(rest, faces, weights, 0 * free, moved(shifts), FAR)
    np.testing.assert_allclose(simulated, rest + shifts[:, None], atol=1e-6)


def test_cloth_never_sinks_below_the_floor():
    rest, faces, weights, free = sheet(height=0.15)
    simulated = cloth.simulate(rest, faces, weights, free, np.repeat(STILL[None], 60, 0), FAR)
    assert simulated[..., 1].min() >= 0
    assert (simulated[-1, :, 1] < 1e-3).sum() > 20


@pytest.mark.parametrize("speed", [0.0, 2.0])
def test_a_limb_that_sweeps_into_hanging_cloth_pushes_it_and_is_not_entered(speed):
    rest, faces, weights, free = sheet(24, 24)
    rest = rest[:, [0, 2, 1]] * [1, -1, 1] + [0, 1.0, -1.0]
    limb, limb_faces = tube(0.06, 0.3, 0.85)
    limb[:, 2] -= 0.25
    body = cloth.Collider.of(limb, pelvis_weights(len(limb), joint=1), limb_faces)
    travel = np.stack([np.zeros(30), np.zeros(30), (np.arange(30) * speed / 30).clip(0, 0.45)], 1)
    simulated = cloth.simulate(rest, faces, weights, free, moved(travel, joint=1), body)
    hanging = simulated[:, free == 1] - travel[:, None] + [0, 0, 0.25]
    distance = np.hypot(hanging[..., 0], hanging[..., 2])[hanging[..., 1] < 0.83]
    assert distance.min() > 0.06
    assert (np.linalg.norm(simulated - rest, axis=2).max() > 0.15) == (speed > 0)


def test_an_outer_garment_stays_outside_the_one_beneath():
    inner, inner_faces = tube(0.15, 0.3, 1.0, rows=30)
    outer, faces = tube(0.17, 0.4, 1.0, rows=25, columns=60)
    free = (outer[:, 1] < 0.99).astype(np.float32)
    shifts = np.linspace(0, 0.6, 30)[:, None] * [1, 0, 0]
    below = (inner + shifts[:, None]).astype(np.float32)
    layers = {"apart": (), "together": ((below, inner_faces),)}
    nearest = {}
    for name, under in layers.items():
        simulated = cloth.simulate(outer, faces, pelvis_weights(len(outer)), free, moved(shifts), FAR, under=under)
        nearest[name] = np.linalg.norm((simulated - shifts[:, None])[..., ::2], axis=-1).min()
    assert nearest["apart"] < 0.14 and nearest["together"] > 0.15


def test_the_same_bits_on_one_thread_and_two():
    rest, faces, weights, free = sheet()
    transforms = moved(np.random.default_rng(1).normal(0, 0.03, (20, 3)).cumsum(0))
    threads, results = numba.get_num_threads(), []
    for count in (1, min(2, threads)):
        numba.set_num_threads(count)
        results.append(cloth.simulate(rest, faces, weights, free, transforms, FAR))
    numba.set_num_threads(threads)
    assert np.array_equal(*results)


def test_violent_motion_neither_explodes_nor_makes_nan():
    rest, faces, weights, free = sheet()
    transforms = moved(np.random.default_rng(2).normal(0, 0.5, (40, 3)))
    simulated = cloth.simulate(rest, faces, weights, free, transforms, FAR, ground=-9.0)
    assert np.isfinite(simulated).all()
    assert np.linalg.norm(simulated - simulated[:, :1], axis=2).max() < 1.5


def test_the_lead_in_goes_from_the_t_pose_to_the_first_pose_and_stands_still():
    poses = np.random.default_rng(3).normal(0, 0.3, (4, 55, 3)).astype(np.float32)
    led = cloth.lead_in(poses)
    assert len(led) == cloth.LEAD + 4 and led.dtype == np.float32
    assert np.array_equal(led[cloth.LEAD :], poses)
    assert not led[0, 1:].any() and np.array_equal(led[: cloth.LEAD, 0], np.repeat(poses[:1, 0], cloth.LEAD, 0))
    assert np.array_equal(led[cloth.POSE_FRAMES : cloth.LEAD], np.repeat(poses[:1], cloth.REST_FRAMES, 0))


def test_poke_through_counts_covered_skin_before_the_cloths_outer_side_only():
    skin, skin_faces = tube(0.10, 0.0, 1.0, rows=60)
    skirt, skirt_faces = tube(0.12, 0.4, 0.9, rows=30)
    covered = cloth_measures.covered_at_rest(skin, skirt, skirt_faces)
    height = skin[:, 1]
    assert covered[(height > 0.45) & (height < 0.85)].all() and not covered[(height < 0.38) | (height > 0.92)].any()
    measure = lambda x: cloth_measures.poke_through(skirt, skirt_faces, x, skin_faces, covered)  # noqa: E731
    assert measure(skin) == 0
    wide = skin * [1.25, 1, 1.25]
    band = skin + (wide - skin) * ((height > 0.55) & (height < 0.65))[:, None]
    assert 0.15 < measure(band) < 0.3
    shin_out = skin + (wide - skin) * (height < 0.35)[:, None]
    assert measure(shin_out) == 0


@pytest.fixture(scope="module")
def walker() -> tuple:
    """(MakeHuman's skirt [T, V, 3] simulated and by skinning, faces, free, skin [T, S, 3], its faces, covered)."""
    body, mesh = full_body(), basemesh.load()
    rest = body.rest(torch.zeros(1, 10))[0].numpy()
    quads = mesh.quads[mesh.select("helper-skirt")]
    used, local = np.unique(quads, return_inverse=True)
    matrix, fine = basemesh.catmull_clark(local.reshape(-1, 4).astype(np.int32), len(used))
    faces = np.concatenate([fine[:, [0, 1, 2]], fine[:, [0, 2, 3]]])
    weights = body.weights.numpy()
    skirt, skirt_weights = matrix @ rest[used], matrix @ weights[used]
    joints = body.rest_joints(torch.zeros(1, 10))
    top = joints[0, 1, 1].item()
    free = np.clip((top - skirt[:, 1]) / 0.08, 0, 1).astype(np.float32)
    clip = motion("walk", np.random.default_rng(9000), 30, cloth.FPS)
    poses = cloth.lead_in(full_pose(*(torch.as_tensor(clip[i]) for i in (0, 1, 2))).numpy())
    transforms = joint_transforms(joints.expand(len(poses), -1, -1), torch.as_tensor(poses).float())[0]
    skin_faces = mesh.triangles(mesh.select("body"))[0]
    floor = rest[skin_faces, 1].min() - 0.05
    simulated = cloth.simulate(
        skirt, faces, skirt_weights, free, transforms[:, :, :3].numpy(), cloth.Collider.of(rest, weights, skin_faces),
        ground=floor,
    )[cloth.LEAD :]  # fmt: skip
    skinned = blend(torch.as_tensor(skirt_weights), transforms[cloth.LEAD :], torch.as_tensor(skirt)[None]).numpy()
    skin = blend(body.weights, transforms[cloth.LEAD :], torch.as_tensor(rest)[None]).numpy()
    covered = cloth_measures.covered_at_rest(rest, skirt, faces)
    return simulated, skinned, faces, free, skin, skin_faces, covered


def test_a_walking_skirt_leaves_skinning_and_hides_the_legs(walker):
    simulated, skinned, faces, free, skin, skin_faces, covered = walker
    assert cloth_measures.deviation_mm(simulated, skinned, free) > 20
    shares = [
        cloth_measures.poke_through(simulated[t], faces, skin[t], skin_faces, covered)
        for t in range(0, len(simulated), 6)
    ]
    assert max(shares) <= 0.005


def test_a_walking_skirt_starts_at_rest_and_moves_smoothly(walker):
    simulated, _, _, free, *_ = walker
    assert np.linalg.norm(simulated[1] - simulated[0], axis=1).max() < 0.12
    jerk = np.linalg.norm(np.diff(simulated[:, free == 1], n=3, axis=0), axis=2)
    assert np.median(jerk) < 0.01
