"""Crops, mattes and cameras belong together."""

import numpy as np
import pytest
from scipy import ndimage

from lca_core.curation.crops import Square, assumed_camera, body_square, cut, cut_edges, face_square, paste, person_box
from lca_core.curation.frames import EYES, camera_of, frame_of, view_of
from lca_core.curation.matte import guided_filter
from lca_core.profiles import profile


def project(camera, points):
    seen = points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    pixels = seen @ camera.K.T
    return pixels[:, :2] / pixels[:, 2:]


@pytest.mark.parametrize("square", [Square(40, 30, 100), Square(-20, 60, 150)])
def test_a_point_projects_to_the_same_place_in_crop_and_picture(square):
    camera = assumed_camera(200, 300, np.array([140.0, 90.0]), 2.5, EYES)
    smaller = camera.crop(square.left, square.top, square.side, 56)
    points = np.array([[0.0, 0.6, 0.1], [0.2, 0.3, -0.1], [-0.3, 0.9, 0.2]], np.float32)
    expected = (project(camera, points) - [square.left, square.top]) * 56 / square.side
    np.testing.assert_allclose(project(smaller, points), expected, atol=1e-3)


def test_a_drawn_dot_is_where_the_cropped_camera_sees_it():
    camera = assumed_camera(200, 300, np.array([140.5, 90.5]), 2.0)
    image = np.zeros((200, 300, 3), np.uint8)
    image[88:93, 138:143] = 255  # five by five, its centre at the pixel where the origin is seen
    square = Square(100, 50, 80)
    crop = cut(image, square, 160).astype(float)[..., 0]
    rows, columns = np.mgrid[:160, :160] + 0.5
    centre = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
    seen = project(camera.crop(square.left, square.top, square.side, 160), np.zeros((1, 3), np.float32))[0]
    np.testing.assert_allclose(centre, seen, atol=0.1)


def test_the_assumed_camera_stands_upright_in_front():
    camera = assumed_camera(400, 300, np.array([150.0, 200.0]), 3.0)
    head, left_hand, nearer = project(camera, np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0.5]], np.float32))
    assert head[1] < 200, "up in the world is up in the picture"
    assert left_hand[0] > 150, "the person's left is on the picture's right"
    assert nearer[1] < head[1], "what is nearer to the camera (+Z) looks larger"
    top = 3.0 * np.tan(np.radians(25))
    np.testing.assert_allclose(project(camera, np.array([[0, top, 0]], np.float32))[0], [150, 0], atol=1e-3)


def test_the_eyes_of_the_mean_body_fall_on_the_eyes_in_the_photograph(astronaut, curated):
    camera = camera_of(astronaut, curated.person)
    irises = curated.person.mesh[[468, 473], :2].mean(0)
    np.testing.assert_allclose(project(camera, np.array([EYES], np.float32))[0], irises, atol=6)
    assert 0.8 < camera.viewmat[2, 3] < 3, "metres: a portrait"


def test_outside_the_picture_a_crop_is_grey_and_its_matte_empty():
    image, matte = np.full((50, 80, 3), 200, np.uint8), np.full((50, 80), 255, np.uint8)
    square = Square(-40, -25, 100)
    assert (cut(image, square, 50)[:10, :18] == 127).all()
    assert (cut(matte, square, 50, outside=0)[:10, :18] == 0).all()
    assert (cut(image, square, 50)[15:35, 22:48] == 200).all()


def test_paste_undoes_cut():
    values = np.zeros((100, 120), np.float32)
    values[30:60, 40:70] = 1
    square = Square(20, 10, 80)
    back = paste(cut(np.uint8(255 * values), square, 160, outside=0) / np.float32(255), square, 100, 120)
    assert np.abs(back - values).mean() < 0.01


def test_a_whole_body_gets_a_margin_and_a_cut_one_stays_inside():
    whole = body_square(np.array([100, 50, 180, 350]), 500, 400)
    assert whole.side == pytest.approx(300 * 1.14, abs=2) and whole.top == pytest.approx(29, abs=2)
    half = body_square(np.array([50, 100, 250, 400]), 400, 400)
    assert half.top + half.side == 400, "cut by the lower edge: nothing is added below it"
    assert cut_edges(np.array([50, 100, 250, 400]), 400, 400) == ("bottom",)


def test_the_astronauts_record_is_framed_and_matted(astronaut, curated):
    frame = frame_of(astronaut, curated.person, curated.matte, profile("smoke"))
    for picture, px in ((frame.body, 112), (frame.face, 112)):
        assert picture.image.shape == (px, px, 3) and picture.matte.shape == (px, px)
        assert picture.camera.width == px
    left, top, right, bottom = person_box(curated.matte)
    assert top < 30 and bottom == 512, "hair on top, cut at the waist"
    assert curated.matte[120, 228] == 255 and curated.matte[350, 200] == 255, "face and suit"
    assert curated.matte[100, 30] == 0 and curated.matte[100, 350] == 0, "flag and shuttle"
    assert view_of(astronaut, curated.person, curated.matte) == {
        "shows": "upper body", "face": True, "cut_by": ["bottom"]
    }  # fmt: skip


def test_the_face_crop_holds_hair_and_chin(curated):
    square, face = face_square(curated.person.face), curated.person.face
    assert square.top < face[1] - 0.5 * (face[3] - face[1]), "room for the hair"
    assert square.top + square.side > face[3] + 0.15 * (face[3] - face[1]), "room for the chin"


def test_the_guided_filter_moves_a_rough_border_to_the_pictures_edge():
    guide = np.zeros((64, 64, 3), np.uint8)
    guide[:, 32:] = [204, 153, 102]
    rough = np.zeros((64, 64), np.float32)
    rough[:, 35:] = 1  # three pixels late
    smooth = guided_filter(guide, rough, 8, 1e-4)
    assert smooth[32, 32] - smooth[32, 31] > 0.4, "the step is where the colours change"
    assert abs(smooth[32, 35] - smooth[32, 34]) < 0.1, "and not where it was"


def test_the_guided_filter_is_its_definition(astronaut):
    """He, Sun & Tang's equations in float64. OpenCV's filter gives something else for a guide in [0, 1]."""
    guide = astronaut[40:140, 170:270]
    rough = np.zeros((100, 100), np.float32)
    rough[20:, 30:80] = 1
    colour = guide.astype(float) / 255

    def mean(x: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(x, (17, 17) + (0,) * (x.ndim - 2), mode="reflect")

    middle, value = mean(colour), mean(rough.astype(float))
    covariance = mean(colour * rough[..., None]) - middle * value[..., None]
    spread = mean(colour[..., :, None] * colour[..., None, :]) - middle[..., :, None] * middle[..., None, :]
    slope = np.linalg.solve(spread + 1e-4 * np.eye(3), covariance[..., None])[..., 0]
    expected = (mean(slope) * colour).sum(-1) + mean(value - (slope * middle).sum(-1))
    assert np.abs(guided_filter(guide, rough, 8, 1e-4) - expected).max() < 0.01
