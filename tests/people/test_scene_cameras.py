"""Cameras frame what they should, in OpenCV's convention."""

import numpy as np

from lca_core.data.cameras import around, face_crop, look_at, project, sees_face, studio_ring, wild_path

BODY = np.random.default_rng(0).uniform([-0.6, 0, -0.2], [0.6, 1.8, 0.2], (400, 3))
HEAD = np.array([0.0, 1.65, 0.05])


def test_a_camera_in_front_sees_the_persons_left_on_its_right_and_up_as_up():
    viewmat = look_at(np.array([0.0, 1, 3]), np.array([0.0, 1, 0]))
    left, up = (viewmat @ [*p, 1] for p in ([1, 1, 0], [0, 2, 0]))
    np.testing.assert_allclose(left[:3], [1, 0, 3], atol=1e-6)
    np.testing.assert_allclose(up[:3], [0, -1, 3], atol=1e-6)


def test_every_studio_camera_frames_the_whole_body_to_nine_tenths():
    for camera in studio_ring(BODY, 6, 140, np.random.default_rng(1)):
        pixels = project(camera, BODY)
        assert pixels.min() >= 0 and pixels.max() <= 140
        assert 0.85 <= np.ptp(pixels, 0).max() / 140 <= 0.905


def test_the_studio_ring_goes_all_round():
    ring = studio_ring(BODY, 6, 140, np.random.default_rng(1))
    azimuths = np.sort([np.arctan2(*(-c.viewmat[:3, :3].T @ c.viewmat[:3, 3])[[0, 2]]) for c in ring])
    assert np.diff(azimuths).max() < np.radians(80)


def test_a_wild_path_keeps_the_moving_body_in_view_and_moves_smoothly():
    points = [BODY + [0.1 * i, 0, 0] for i in range(6)]
    path = wild_path(points, 140, np.random.default_rng(2))
    for camera, p in zip(path, points, strict=True):
        pixels = project(camera, p)
        assert pixels.min() >= 0 and pixels.max() <= 140
    eyes = np.array([-c.viewmat[:3, :3].T @ c.viewmat[:3, 3] for c in path])
    assert np.linalg.norm(np.diff(eyes, axis=0), axis=1).max() < 1.9  # a quick walk round them


def test_a_face_crop_is_the_same_view_centred_on_the_head():
    camera = around(BODY, 0.4, 0.1, 3.0, 140)
    crop = face_crop(camera, HEAD, 112)
    np.testing.assert_array_equal(crop.viewmat, camera.viewmat)
    np.testing.assert_allclose(project(crop, HEAD[None])[0], [56, 56], atol=1e-2)
    right = camera.viewmat[0, :3]
    edge = project(crop, (HEAD + 0.18 * right)[None])[0]
    np.testing.assert_allclose(edge, [112, 56], atol=0.1)


def test_a_face_is_seen_from_the_front_and_not_from_behind():
    forward = np.array([0.0, 0, 1])
    assert sees_face(around(BODY, 0.5, 0, 3, 140), HEAD, forward)
    assert not sees_face(around(BODY, np.pi, 0, 3, 140), HEAD, forward)
    assert not sees_face(around(BODY, np.radians(100), 0, 3, 140), HEAD, forward)


def test_some_wild_arcs_are_wide_and_most_are_not():
    arcs = []
    for seed in range(120):
        path = wild_path([BODY] * 8, 140, np.random.default_rng(seed))
        eyes = np.array([-c.viewmat[:3, :3].T @ c.viewmat[:3, 3] for c in path])
        arcs.append(np.degrees(np.ptp(np.unwrap(np.arctan2(eyes[:, 0], eyes[:, 2])))))
    assert 0.1 < np.mean(np.array(arcs) > 110) < 0.3 and np.median(arcs) < 60
