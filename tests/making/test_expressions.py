"""A face mesh that is moved as a face moves is read so, and a face at rest as one."""

import numpy as np
import pytest

from lca_core.body import ACTIONS
from lca_core.curation.landmarks import calibration
from lca_core.making import expressions
from lca_core.making.expressions import faces_followed, faces_in_clip, head_turns

FRAMES, HALF = 20, 10  # at rest in the first half
_SPAN = (33, 263)


@pytest.fixture
def still() -> np.ndarray:
    """The mean mesh, lips closed, as a clip of one who does nothing [F, 478, 3]."""
    mesh = calibration().mesh_mean.numpy().copy()
    mesh[[13, 14]] = mesh[[13, 14]].mean(0)
    return np.repeat(mesh[None], FRAMES, 0)


@pytest.fixture
def span(still) -> float:
    return float(np.linalg.norm(still[0, _SPAN[0]] - still[0, _SPAN[1]]))


def read(meshes: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    actions, gaze = faces_in_clip(meshes)
    assert actions.shape == (len(meshes), len(ACTIONS)) and actions.min() >= 0 and actions.max() <= 1
    return dict(zip(ACTIONS, actions.T)), gaze


def test_who_does_nothing_rests(still):
    actions, gaze = read(still)
    assert max(values.max() for values in actions.values()) < 0.05 and np.abs(gaze).max() < 0.01


def test_lips_that_part_are_a_jaw_that_opens(still, span):
    still[HALF:, 14, 1] += 0.31 * span
    actions, _ = read(still)
    assert actions["jawOpen"][:HALF].max() < 0.05 and actions["jawOpen"][HALF:].min() > 0.8


@pytest.mark.parametrize("side, pairs", [
    ("Left", ((386, 374), (385, 380), (387, 373))), ("Right", ((159, 145), (158, 153), (160, 144)))
])  # fmt: skip
def test_lids_that_meet_are_a_blink_of_that_eye(still, side, pairs):
    for upper, lower in pairs:
        still[-3:, upper] = 0.1 * still[-3:, upper] + 0.9 * still[-3:, lower]
    actions, _ = read(still)
    other = "Right" if side == "Left" else "Left"
    assert actions[f"eyeBlink{side}"][-3:].min() > 0.9 and actions[f"eyeBlink{side}"][:-3].max() < 0.05
    assert actions[f"eyeBlink{other}"].max() < 0.05


@pytest.mark.parametrize("wider, name, other", [(0.07, "mouthSmileLeft", "mouthPucker"),
                                                (-0.07, "mouthPucker", "mouthSmileLeft")])  # fmt: skip
def test_a_mouth_that_widens_smiles_and_one_that_narrows_is_a_kiss(still, span, wider, name, other):
    moved = slice(-1, None)
    still[moved, 291, 0] += wider * span
    still[moved, 61, 0] -= wider * span
    actions, _ = read(still)
    assert actions[name][moved].min() > 0.5 and actions[name][:-1].max() < 0.05
    assert actions[other].max() < 0.05


@pytest.mark.parametrize("shift, column, sign", [((0.15, 0.0), 0, 1), ((-0.15, 0.0), 0, -1), ((0.0, -0.1), 1, 1)])
def test_eyes_look_where_their_irises_go(still, shift, column, sign):
    """The person's left is the picture's right; both eyes go together, and lids follow."""
    for inner, outer, iris in ((362, 263, 473), (133, 33, 468)):
        slit = np.linalg.norm(still[0, inner] - still[0, outer])
        still[-5:, iris, :2] += slit * np.array(shift, np.float32)
    _, gaze = read(still)
    assert np.abs(gaze[:-5]).max() < 0.02
    assert (sign * gaze[-5:, column] > 0.15).all() and (sign * gaze[-5:, column + 2] > 0.15).all()


def test_pictures_say_what_a_face_does_and_the_clip_when_eyes_close(still, monkeypatch):
    read, seen = np.zeros((FRAMES, 52), np.float32), np.full((FRAMES, 4), 0.2, np.float32)
    read[:, ACTIONS.index("cheekSquintLeft")], read[0, ACTIONS.index("eyeBlinkRight")] = 0.6, 0.8
    monkeypatch.setattr(expressions, "read_faces", lambda images, meshes: (read, seen))
    for upper, lower in ((386, 374), (385, 380), (387, 373)):
        still[-3:, upper] = 0.1 * still[-3:, upper] + 0.9 * still[-3:, lower]
    actions, gaze = faces_followed([np.zeros((8, 8, 3), np.uint8)] * FRAMES, still)
    found = dict(zip(ACTIONS, actions.T))
    np.testing.assert_allclose(found["cheekSquintLeft"], 0.6, atol=1e-6)
    assert found["eyeBlinkRight"][0] == pytest.approx(0.8) and found["eyeBlinkRight"][1:].max() < 0.05
    assert found["eyeBlinkLeft"][-3:].min() > 0.9 and found["eyeBlinkLeft"][:-3].max() < 0.05
    np.testing.assert_allclose(gaze, 0.1, atol=0.01)
    assert found["eyeLookUpLeft"][:-3].min() > 0.1, "lids go with the gaze"


def test_a_head_is_turned_as_its_mesh_is(still):
    from scipy.spatial.transform import Rotation

    in_picture = Rotation.from_rotvec([0.0, 0.4, 0.0])  # about the picture's y, which points down
    mesh = still[:1] @ in_picture.as_matrix().T
    np.testing.assert_allclose(head_turns(mesh)[0], [0, -0.4, 0], atol=0.02)
    np.testing.assert_allclose(head_turns(still[:1] * 3 + 100)[0], 0, atol=0.02)
