"""Motions in files of SMPL-X's layout: ours come back, others' are understood, what is none is refused."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lca_core.body import ACTIONS, JOINT_NAMES
from lca_core.errors import InputError
from lca_core.motion.files import read_motion, write_motion
from lca_core.motion.motions import motion


@pytest.fixture
def dance():
    return motion("dance", np.random.default_rng(3), 12, 10.0)


def smplx_arrays(path, **changed) -> dict:
    """The arrays of a file, read by NumPy alone, without what is None."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files} | changed
    return {name: values for name, values in arrays.items() if values is not None}


def test_a_motion_comes_back_from_its_file(dance, tmp_path):
    write_motion(tmp_path / "a.npz", dance, 10.0)
    again, fps = read_motion(tmp_path / "a.npz")
    assert fps == 10
    for name, values in dance._asdict().items():
        np.testing.assert_allclose(getattr(again, name), values, atol=1e-6, err_msg=name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_others_find_smplx_poses_in_it(dance, tmp_path):
    write_motion(tmp_path / "a.npz", dance, 10.0, betas=np.array([1.5, -1.0]))
    arrays = smplx_arrays(tmp_path / "a.npz")
    poses = arrays["poses"].reshape(12, 55, 3)
    np.testing.assert_allclose(poses[:, 0], dance.root[:, :3], atol=1e-6)
    np.testing.assert_array_equal(poses[:, JOINT_NAMES.index("spine1")], poses[:, JOINT_NAMES.index("spine3")])
    np.testing.assert_allclose(arrays["trans"], dance.root[:, 3:])
    assert arrays["mocap_frame_rate"] == 10 and str(arrays["gender"]) == "neutral"
    assert arrays["betas"].tolist() == [1.5, -1.0] and tuple(arrays["expression_names"]) == ACTIONS


def test_a_world_with_z_up_is_turned_and_set_down(dance, tmp_path):
    """As AMASS has it: the same dance in a room whose third axis points up, somewhere in it, on another floor."""
    write_motion(tmp_path / "ours.npz", dance, 10.0)
    arrays = smplx_arrays(tmp_path / "ours.npz", up=None)
    turn, poses = Rotation.from_euler("x", 90, degrees=True), arrays["poses"].copy()
    poses[:, :3] = (turn * Rotation.from_rotvec(poses[:, :3])).as_rotvec()
    arrays |= {"poses": poses, "trans": turn.apply(arrays["trans"]) + [3.0, -2.0, 0.9]}
    np.savez(tmp_path / "amass.npz", **arrays)
    again, _ = read_motion(tmp_path / "amass.npz")
    np.testing.assert_allclose(again.theta, dance.theta, atol=1e-5)
    np.testing.assert_allclose(again.root[:, :3], dance.root[:, :3], atol=1e-5)
    moved = dance.root[:, 3:] - dance.root[0, 3:]
    np.testing.assert_allclose(again.root[:, 3:] - again.root[0, 3:], moved, atol=1e-5)
    assert again.root[0, 3] == again.root[0, 5] == 0
    np.testing.assert_allclose(again.root[:, 4], dance.root[:, 4], atol=1e-5, err_msg="feet on the floor")


def test_poses_of_smplh_have_a_face_at_rest(dance, tmp_path):
    write_motion(tmp_path / "ours.npz", dance, 10.0)
    poses = smplx_arrays(tmp_path / "ours.npz")["poses"].reshape(12, 55, 3)
    kept = np.delete(poses, [22, 23, 24], axis=1).reshape(12, 156)
    trans = dance.root[:, 3:]
    np.savez(tmp_path / "a.npz", poses=kept, trans=trans, mocap_framerate=120.0, up="y", dmpls=np.zeros((12, 8)))
    again, fps = read_motion(tmp_path / "a.npz")
    assert fps == 120 and not again.gaze.any() and not again.actions.any()
    np.testing.assert_allclose(again.theta, dance.theta, atol=1e-5)


def test_expressions_that_name_no_actions_are_left_out(dance, tmp_path):
    write_motion(tmp_path / "ours.npz", dance, 10.0)
    np.savez(tmp_path / "a.npz", **smplx_arrays(tmp_path / "ours.npz", expression_names=None))
    assert dance.actions.any() and not read_motion(tmp_path / "a.npz")[0].actions.any()


@pytest.mark.parametrize(
    "changed, word",
    [
        ({"poses": None}, "holds no poses"),
        ({"poses": np.zeros((12, 72))}, "poses is"),
        ({"poses": np.zeros((12, 160))}, "160 columns"),
        ({"poses": np.full((12, 165), np.nan)}, "not a finite number"),
        ({"trans": np.zeros((11, 3))}, "trans"),
        ({"mocap_frame_rate": None}, "frames a second"),
        ({"mocap_frame_rate": np.array(0.0)}, "frames a second"),
        ({"expression": np.zeros((3, 52))}, "expression is"),
        ({"poses": np.zeros((0, 165)), "trans": np.zeros((0, 3))}, "poses is"),
    ],
)
def test_what_is_no_motion_is_refused_by_name(changed, word, dance, tmp_path):
    write_motion(tmp_path / "ours.npz", dance, 10.0)
    np.savez(tmp_path / "a.npz", **smplx_arrays(tmp_path / "ours.npz", **changed))
    with pytest.raises(InputError, match=rf"a\.npz.*{word}"):
        read_motion(tmp_path / "a.npz")


def test_objects_and_other_files_are_not_opened(dance, tmp_path):
    write_motion(tmp_path / "ours.npz", dance, 10.0)
    np.savez(tmp_path / "a.npz", **smplx_arrays(tmp_path / "ours.npz", poses=np.array([print], object)))
    (tmp_path / "b.npz").write_bytes(b"no zip")
    for name in ("a.npz", "b.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            read_motion(tmp_path / name)
