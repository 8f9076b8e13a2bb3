"""The renderer puts things where the camera says, in the colours they have."""

import drjit as dr
import numpy as np
import pytest

from lca_core.body.basemesh import vertex_normals
from lca_core.data.cameras import around, face_crop, look_at, project
from lca_core.data.environments import directions
from lca_core.data.light import Light, directional_light, studio_light
from lca_core.data.records import Camera
from lca_core.data.srgb import to_linear, to_srgb8
from lca_core.people.body.parts import PART_IDS, Strands, Surface
from lca_core.people.stage.backend import find_llvm
from lca_core.people.stage.backgrounds import background, behind
from lca_core.people.stage.render import Stage, render, without_specks

WHITE = np.full((2, 2, 3), 255, np.uint8)


def ball(centre, radius, albedo=WHITE, n=20, specular=0.0):
    """A sphere with longitude-latitude texture coordinates."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, n), np.linspace(0, 2 * np.pi, 2 * n), indexing="ij")
    d = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], -1)
    uv = np.stack([phi / (2 * np.pi), 1 - theta / np.pi], -1).reshape(-1, 2)
    i = np.arange(n * 2 * n).reshape(n, 2 * n)
    a, b, c, e = i[:-1, :-1].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel(), i[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, e], -1)]).astype(np.int32)
    vertices = (np.asarray(centre) + radius * d.reshape(-1, 3)).astype(np.float32)
    return Surface("skin", vertices, faces, uv[faces].astype(np.float32), albedo, None, 0.6, specular)


def panel(albedo, opacity=None):
    """A square of one metre facing +Z, its texture upright."""
    vertices = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0.5, 1, 0], [-0.5, 1, 0]], np.float32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Surface("top", vertices, faces, uv[faces], albedo, opacity, 0.8, 0.0)


def camera_at(eye, target, focal=150.0, px=96, principal=(48.0, 48.0)):
    K = np.array([[focal, 0, principal[0]], [0, focal, principal[1]], [0, 0, 1]], np.float32)
    return Camera(look_at(np.array(eye, float), np.array(target, float)), K, px, px)


def centroid(matte):
    y, x = np.nonzero(matte > 127)
    return np.array([x.mean() + 0.5, y.mean() + 0.5])


def test_a_ball_appears_where_its_centre_projects_for_any_principal_point():
    part = ball((0.2, 1.1, 0.1), 0.12)
    cameras = [
        camera_at((0, 1, 3), (0, 1, 0)),
        camera_at((2, 1.8, 1.5), (0, 1, 0), 130, principal=(30.0, 62.0)),
        camera_at((-2, 0.5, -2), (0, 1, 0), 170, principal=(60.0, 40.0)),
    ]
    cameras.append(face_crop(cameras[1], np.array([0.25, 1.12, 0.1]), 64, side=0.5))
    for camera, (_, matte, *_) in zip(cameras, render([part], cameras, studio_light(), 4), strict=True):
        expected = project(camera, np.array([[0.2, 1.1, 0.1]]))[0]
        np.testing.assert_allclose(centroid(matte), expected, atol=0.6)


def test_textures_are_upright_and_keep_their_colours():
    albedo = np.zeros((4, 4, 3), np.uint8)
    albedo[:2, :2], albedo[:2, 2:], albedo[2:, :2], albedo[2:, 2:] = (
        (200, 0, 0),
        (0, 200, 0),
        (0, 0, 200),
        (200, 200, 0),
    )
    camera = camera_at((0, 0.5, 3), (0, 0.5, 0), 200)
    even = Light("even", np.ones((8, 16, 3), np.float32))
    image, *_ = render([panel(albedo)], [camera], even, 16)[0]
    corners = [image[y, x].astype(int) for y in (28, 68) for x in (28, 68)]  # seen from the front: left is -X
    for seen, painted in zip(corners, ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)), strict=True):
        np.testing.assert_allclose(seen, painted, atol=25)


def test_transparent_texels_leave_the_matte_empty():
    opacity = np.zeros((4, 4), np.uint8)
    opacity[:, 2:] = 255
    camera = camera_at((0, 0.5, 3), (0, 0.5, 0), 200)
    _, matte, *_ = render([panel(WHITE, opacity)], [camera], studio_light(), 8)[0]
    assert matte[48, 68] == 255 and matte[48, 28] == 0


def test_light_comes_from_where_the_environment_says():
    d = directions()
    part, camera = ball((0, 0, 0), 0.5), camera_at((0, 0, 3), (0, 0, 0), 200)
    for axis, brighter, darker in ((0, (48, 72), (48, 24)), (1, (24, 48), (72, 48))):
        env = np.repeat(np.clip(d[..., axis : axis + 1], 0, None), 3, -1).astype(np.float32)
        image, *_ = render([part], [camera], Light("side", env), 8)[0]
        assert image[brighter].mean() > image[darker].mean() + 60


def test_each_strand_has_its_own_colour():
    x = np.linspace(-0.4, 0.4, 5)
    points = np.stack([np.stack([np.full(6, v), np.linspace(0, 1, 6), np.zeros(6)], -1) for v in x]).astype(np.float32)
    colors = np.array([[0.6, 0, 0], [0, 0.6, 0], [0, 0, 0.6], [0.6, 0.6, 0], [0, 0.6, 0.6]], np.float32)
    camera = camera_at((0, 0.5, 3), (0, 0.5, 0), 200)
    image, matte, *_ = render(
        [Strands("hair", points, np.full((5, 6), 0.03, np.float32), colors)], [camera], studio_light(), 8
    )[0]
    for v, color in zip(x, colors, strict=True):
        u = int(project(camera, np.array([[v, 0.5, 0]]))[0, 0])
        pixel = image[48, u].astype(int)
        assert matte[48, u] == 255
        assert pixel[color > 0].min() > pixel[color == 0].max() + 40


def test_moving_a_stage_draws_what_a_new_stage_draws():
    before, after = ball((0, 1, 0), 0.3), ball((0.3, 1.2, 0.1), 0.25)
    camera = camera_at((0, 1, 3), (0, 1, 0))
    stage = Stage([before], studio_light())
    stage.shoot([camera], 4)
    stage.move([after])
    moved, fresh = stage.shoot([camera], 4)[0], render([after], [camera], studio_light(), 4)[0]
    np.testing.assert_array_equal(moved[1], fresh[1])
    assert np.abs(moved[0].astype(int) - fresh[0]).max() <= 2


def test_the_same_seed_gives_the_same_pixels():
    part, camera = ball((0, 1, 0), 0.3, specular=0.5), camera_at((0, 1, 3), (0, 1, 0))
    one, two = (render([part], [camera], studio_light(), 4, seed=3)[0] for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_backgrounds_fill_only_what_the_person_leaves():
    part, camera = ball((0, 1, 0), 0.3), camera_at((0, 1, 3), (0, 1, 0))
    green = np.zeros((96, 96, 3), np.uint8)
    green[..., 1] = 180
    (image, matte, *_), (plain, *_) = (
        render([part], [camera], studio_light(), 4, b)[0] for b in ([green], (0, 180, 0))
    )
    np.testing.assert_array_equal(image, plain)
    np.testing.assert_array_equal(image[matte == 0], green[matte == 0])
    assert image[48, 48, 0] > 150


def test_a_person_has_no_dark_rim_against_a_bright_background():
    camera = camera_at((0, 1, 3), (0, 1, 0))
    even = Light("even", np.full((8, 16, 3), 0.9, np.float32))
    image, matte, *_ = render([ball((0, 1, 0), 0.4, n=60)], [camera], even, 16, (243, 243, 243))[0]
    rim = (matte > 0) & (matte < 255)
    assert image[rim].min() > 190


def test_a_face_crops_background_is_the_same_place_enlarged():
    picture = background(np.random.default_rng(4))
    points = np.array([[-0.5, 0, 0], [0.5, 1.8, 0.2]])
    camera = around(points, 0.2, 0, 3, 140)
    crop = face_crop(camera, np.array([0.1, 1.5, 0.0]), 140, side=0.5)
    left, top = project(camera, np.linalg.inv(crop.viewmat)[:3, 3][None] + _ray(crop, 0, 0)[None])[0]
    size = 140 * camera.K[0, 0] / crop.K[0, 0]
    whole, part = behind(picture, 0.4, camera, camera), behind(picture, 0.4, camera, crop)
    expected = whole[round(top) : round(top + size), round(left) : round(left + size)].mean((0, 1))
    np.testing.assert_allclose(part.mean((0, 1)), expected, atol=6)


def _ray(camera, x, y):
    """World direction through a pixel."""
    return camera.viewmat[:3, :3].T @ np.linalg.inv(camera.K) @ [x, y, 1]


def test_srgb_round_trip_is_exact():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_srgb8(to_linear(values)), values)


def test_vertex_normals_of_a_ball_point_outwards():
    part = ball((0, 0, 0), 1.0)
    inner = np.abs(part.vertices[:, 1]) < 0.99  # the poles' seam vertices have one-sided triangles
    normals = vertex_normals(part.vertices, part.faces)
    seam = np.abs(part.vertices[:, 0]) < 1e-5
    keep = inner & ~seam
    assert (normals[keep] * part.vertices[keep]).sum(-1).min() > 0.98


def test_focal_lengths_that_differ_are_refused():
    camera = camera_at((0, 1, 3), (0, 1, 0))
    camera.K[1, 1] *= 1.2
    with pytest.raises(ValueError, match="square pixels"):
        render([ball((0, 1, 0), 0.3)], [camera], studio_light(), 4)


def test_an_llvm_named_by_hand_wins(monkeypatch):
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "somewhere/libLLVM.so.19")
    assert find_llvm() == "somewhere/libLLVM.so.19"


def test_truth_gives_depth_normals_and_parts_at_the_pixels_centres():
    camera = camera_at((0, 0.5, 3), (0, 0.5, 0))
    half = np.array([[255, 0]], np.uint8).repeat(2, 0)  # the right half of the panel is not there
    wall = panel(WHITE)
    wall = Surface("bottom", wall.vertices - [0, 0, 1], wall.faces, wall.uv, WHITE)
    front = Surface("lash", panel(WHITE).vertices, wall.faces, wall.uv, WHITE, half)
    stage = Stage([wall, ball((0.4, 0.5, 0.2), 0.1)], studio_light())
    truth = stage.truth(camera)
    assert set(np.unique(truth.parts)) == {0, PART_IDS["skin"], PART_IDS["bottom"]}
    flat = truth.parts == PART_IDS["bottom"]
    np.testing.assert_allclose(truth.depth[flat], 4.0, atol=1e-4)
    np.testing.assert_allclose(truth.normals[flat], np.broadcast_to([0, 0, 1], (flat.sum(), 3)), atol=1e-5)
    y, x = np.nonzero(truth.parts == PART_IDS["skin"])
    rays = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], -1) @ np.linalg.inv(camera.K).T
    points = rays * truth.depth[y, x, None]
    centre = camera.viewmat[:3, :3] @ [0.4, 0.5, 0.2] + camera.viewmat[:3, 3]
    np.testing.assert_allclose(np.linalg.norm(points - centre, axis=1), 0.1, atol=2e-3)
    assert not truth.depth[truth.parts == 0].any() and not truth.normals[truth.parts == 0].any()
    masked = Stage([front], studio_light()).truth(camera).parts
    names, pixels = np.unique(masked, return_counts=True)
    assert set(names) == {0, PART_IDS["lash"], PART_IDS["skin"]}  # where it is clear, what is behind lashes counts
    assert abs(pixels[1] - pixels[2]) < 0.05 * pixels[1:].sum()


def test_shots_have_truth_only_where_it_is_asked_for():
    stage, camera = Stage([ball((0, 1, 0), 0.3)], studio_light()), camera_at((0, 1, 3), (0, 1, 0))
    assert stage.shoot([camera], 2)[0].truth is None
    shot = stage.shoot([camera], 2, truth=True)[0]
    assert ((shot.truth.parts > 0) == (shot.matte > 127)).mean() > 0.99


def test_a_relit_stage_draws_what_a_new_stage_draws():
    part, camera = ball((0, 1, 0), 0.3), camera_at((0, 1, 3), (0, 1, 0))
    lamp = directional_light((1.0, 0.2, 0.5))
    stage = Stage([part], studio_light())
    before = stage.shoot([camera], 4)[0].image
    stage.relight(lamp)
    after = stage.shoot([camera], 4)[0].image
    np.testing.assert_array_equal(after, Stage([part], lamp).shoot([camera], 4)[0].image)
    assert np.abs(after.astype(int) - before).max() > 50


def strands(count: int, points: int, part: str = "hair", seed: int = 0) -> Strands:
    """Upright strands of half a metre in a row, each its own colour."""
    rng = np.random.default_rng(seed)
    place = np.zeros((count, points, 3), np.float32)
    place[..., 0] = np.linspace(-0.4, 0.4, count)[:, None]
    place[..., 1] = np.linspace(0.75, 1.25, points)
    return Strands(part, place, np.full((count, points), 0.02, np.float32), rng.random((count, 3), np.float32))


def test_people_of_other_parts_and_other_hair_share_their_kernels():
    """Names of the kernels that trace a picture's samples, for scenes of two to twenty shapes."""
    if not find_llvm():
        pytest.skip("without LLVM mitsuba's scalar mode draws, which has no kernels to share")
    camera, light = camera_at((0, 1, 3), (0, 1, 0)), studio_light()
    shoes = [panel(np.full((8, 8, 3), 50, np.uint8)), panel(WHITE, np.full((4, 4), 99, np.uint8))]
    balls = [ball((0, 1, 0.1 * i), 0.2, specular=0.1 * i) for i in range(9)]
    people = (
        [balls[0], strands(50, 5)],
        [*shoes, balls[1], strands(3000, 9), strands(20, 4)],
        [*balls, *shoes, strands(7, 22)],
    )  # fmt: skip
    kernels = []
    dr.set_flag(dr.JitFlag.KernelHistory, True)
    try:
        for parts in people:
            dr.kernel_history_clear()
            render(parts, [camera], light, 4)
            history = dr.kernel_history([dr.KernelType.JIT])
            kernels.append([kernel["hash"] for kernel in history if kernel["size"] == 4 * 96 * 96])
    finally:
        dr.set_flag(dr.JitFlag.KernelHistory, False)
    assert len(kernels[0]) > 1 and kernels[1] == kernels[0] and kernels[2] == kernels[0]


@pytest.mark.parametrize("count", [5, 9000])
def test_every_strand_keeps_its_own_colour_however_many_there_are(count):
    """Few strands in one bundle and many in several: what a camera sees from left to right is the colours in order."""
    hair = strands(count, 3)
    colors = np.where(np.arange(count)[:, None] < count / 2, [[0.7, 0.05, 0.05]], [[0.05, 0.05, 0.7]]).astype(
        np.float32
    )
    camera = camera_at((0, 1, 3), (0, 1, 0))
    ((image, matte, *_),) = render([Strands("hair", hair.points, hair.radii, colors)], [camera], studio_light(), 16)
    red = image[..., 0].astype(int) - image[..., 2]
    seen = (matte > 200).nonzero()
    left = seen[1] < np.median(seen[1]) - 2
    right = seen[1] > np.median(seen[1]) + 2
    assert (red[seen][left] > 30).mean() > 0.95 and (red[seen][right] < -30).mean() > 0.95


def test_specks_on_the_outlines_of_white_things_go_and_shadows_within_them_stay():
    albedo, facing, alpha = np.full((20, 20, 3), 0.8, np.float32), np.ones((20, 20)), np.ones((20, 20, 1))
    facing[:, 10], color = 0.1, 0.8 * np.ones((20, 20, 3), np.float32)
    color[5, 10] = color[5, 4] = 0.02  # on an outline, and within
    clean = without_specks(color, albedo, facing, alpha)
    assert clean[5, 10].min() > 0.6 and clean[5, 4].max() < 0.03
    rest = np.ones((20, 20), bool)
    rest[5, 10] = False
    np.testing.assert_allclose(clean[rest], color[rest], rtol=1e-5)
    black = without_specks(color, np.full_like(albedo, 0.1), facing, alpha)
    np.testing.assert_allclose(black, color, rtol=1e-5)
