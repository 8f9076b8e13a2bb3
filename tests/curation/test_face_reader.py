"""Faces are read from pictures: alike wherever and however large they are, a mirror image mirrored, a smile as one."""

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS
from lca_core.curation.face_parts import CHIP_PX, chip_of, parts_of, places_of
from lca_core.curation.face_reader import (
    FILE,
    READ,
    FaceReader,
    faces_of,
    mirror,
    mirrored_actions,
    mirrored_numbers,
    mirrored_points,
    read_faces,
)
from lca_core.errors import InputError
from lca_core.motion.faces import look_actions


@pytest.fixture(scope="module")
def mesh(curated) -> np.ndarray:
    return curated.person.mesh


def parts_in(image: np.ndarray, mesh: np.ndarray):
    chip, moved = chip_of(image, mesh)
    places = places_of(torch.from_numpy(moved)[None])
    return parts_of(torch.from_numpy(chip)[None], places), places


def likeness(a: torch.Tensor, b: torch.Tensor) -> float:
    """Correlation of two pictures that are evened out."""
    return float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt())


def test_the_chip_holds_the_face_and_its_mesh(astronaut, mesh):
    chip, moved = chip_of(astronaut, mesh)
    assert chip.shape == (CHIP_PX, CHIP_PX, 3) and chip.dtype == np.uint8
    assert moved[:, :2].min() > 0 and moved[:, :2].max() < CHIP_PX
    eyes = places_of(torch.from_numpy(moved)[None]).middles[0, :2]
    assert eyes[0, 0] > eyes[1, 0] + 30, "her left eye is on the picture's right"


@pytest.mark.parametrize("turns", (1, 2))
def test_a_picture_lying_on_its_side_gives_the_same_parts(astronaut, mesh, turns):
    turned, points = astronaut, mesh
    for _ in range(turns):
        turned = np.rot90(turned)
        points = np.stack([points[:, 1], turned.shape[0] - points[:, 0], points[:, 2]], 1)
    (parts, places), (other, lying) = parts_in(astronaut, mesh), parts_in(np.ascontiguousarray(turned), points)
    assert min(likeness(a, b) for a, b in zip(parts, other)) > 0.97
    torch.testing.assert_close(lying.ahead, places.ahead, rtol=0, atol=0.02)
    torch.testing.assert_close(lying.shape, places.shape, rtol=0, atol=0.01)


def test_light_and_contrast_are_evened_out(astronaut, mesh):
    darker = (0.4 * astronaut + 40).astype(np.uint8)
    assert min(likeness(a, b) for a, b in zip(parts_in(astronaut, mesh)[0], parts_in(darker, mesh)[0])) > 0.99


def test_every_action_but_those_of_the_eyes_has_its_mirror_image():
    names = [READ[i] for i in mirrored_actions()]
    assert len(READ) == 44 and set(names) == set(READ)
    pairs = dict(zip(READ, names))
    assert pairs["mouthSmileLeft"] == "mouthSmileRight" and pairs["jawRight"] == "jawLeft"
    assert pairs["jawOpen"] == "jawOpen" and pairs["mouthRollUpper"] == "mouthRollUpper"
    numbers = torch.randn(3, 48)
    torch.testing.assert_close(mirrored_numbers(mirrored_numbers(numbers)), numbers)


def test_the_parts_of_a_mirror_image_are_those_of_the_face_in_a_mirror(astronaut, mesh):
    points = (mesh * [-1, 1, 1] + [astronaut.shape[1], 0, 0])[mirrored_points().numpy()].astype(np.float32)
    found = parts_in(np.ascontiguousarray(astronaut[:, ::-1]), points)
    (parts, places), wanted = mirror(*parts_in(astronaut, mesh)), found[0]
    assert min(likeness(a, b) for a, b in zip(parts, wanted)) > 0.95
    torch.testing.assert_close(places.ahead, found[1].ahead, rtol=0, atol=0.05)


def test_a_smile_is_read_as_one_and_eyes_that_meet_the_camera(astronaut, mesh):
    actions, gaze = read_faces([astronaut], [mesh])
    assert actions.shape == (1, 52) and gaze.shape == (1, 4) and actions.min() >= 0 and actions.max() <= 1
    found = dict(zip(ACTIONS, actions[0]))
    assert min(found["mouthSmileLeft"], found["mouthSmileRight"]) > 0.3
    assert max(found["mouthPucker"], found["mouthFunnel"], found["eyeBlinkLeft"], found["eyeBlinkRight"]) < 0.3
    assert np.degrees(np.abs(gaze)).max() < 20


def test_no_pictures_give_no_faces():
    actions, gaze = read_faces([], [])
    assert actions.shape == (0, 52) and gaze.shape == (0, 4)


def test_eyes_look_where_the_gaze_goes_and_closed_ones_nowhere():
    numbers = np.zeros((2, 48), np.float32)
    numbers[:, len(READ) :] = 0.2
    numbers[1, [READ.index("eyeBlinkLeft"), READ.index("eyeBlinkRight")]] = 1
    actions, gaze = faces_of(numbers, FaceReader())
    np.testing.assert_allclose(actions[0], look_actions(gaze[0]), atol=1e-6)
    assert actions[1, ACTIONS.index("eyeLookUpLeft")] == 0 and actions[1, ACTIONS.index("eyeBlinkLeft")] == 1


def test_what_is_bounded_to_rest_stays_there():
    network = FaceReader()
    network.gain[READ.index("cheekPuff")], network.floor[READ.index("jawOpen")] = 0, 0.5
    actions = dict(zip(ACTIONS, faces_of(np.full((1, 48), 0.8, np.float32), network)[0][0]))
    assert actions["cheekPuff"] == 0 and actions["jawOpen"] == pytest.approx(0.3)


def test_the_file_is_small_and_comes_back_as_it_was(tmp_path):
    assert FILE.stat().st_size < 1.5e6
    FaceReader.load().save(tmp_path / "again.safetensors", trained_on="nobody")
    for name, t in FaceReader.load(tmp_path / "again.safetensors").state_dict().items():
        torch.testing.assert_close(t, FaceReader.load().state_dict()[name], rtol=0, atol=0)
    (tmp_path / "other.safetensors").write_bytes(b"0" * 100)
    with pytest.raises(InputError, match="other.safetensors"):
        FaceReader.load(tmp_path / "other.safetensors")
