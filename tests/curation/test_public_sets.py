"""Readers of public sets: a known body, written in their formats, is found again where its pictures show it."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lca_core.body import JOINT_NAMES, full_pose, joint_transforms, theta_of
from lca_core.curation.colmap import read_colmap
from lca_core.curation.neuman import read_neuman
from lca_core.curation.xhumans import read_xhumans
from lca_core.data import Person, read_people, write_shard
from lca_core.data.records import Frame
from lca_core.errors import InputError
from lca_core.profiles import profile
from tests.curation import public_trees as trees

PROFILE = replace(profile("smoke"), body_px=280)  # joints' spots are 8 px wide


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """The trees, by kind; no test may change them."""
    folder = tmp_path_factory.mktemp("sets")
    return {
        "hugs": trees.write_neuman(folder / "hugs" / "seattle", trees.sequence()),
        "neuman": trees.write_neuman(folder / "neuman" / "seattle", trees.sequence(), "neuman", binary=True),
        "xhumans": trees.write_xhumans(folder / "X_Humans", trees.sequence(hands=True)),
    }


@pytest.fixture(scope="module")
def people(written) -> dict[str, Person]:
    read = {"hugs": read_neuman, "neuman": read_neuman, "xhumans": read_xhumans}
    return {kind: read[kind](root, PROFILE, body=trees.body()) for kind, root in written.items()}


@pytest.fixture
def copied(written, tmp_path):
    """copied(kind) -> a tree of one's own, to spoil."""

    def copy(kind: str) -> Path:
        shutil.copytree(written[kind], tmp_path / kind)
        return tmp_path / kind

    return copy


def joints_of(frame: Frame) -> np.ndarray:
    theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
    rest = trees.body().J_template[None]
    return joint_transforms(rest, full_pose(theta, root, gaze), root[:, 3:])[1][0].numpy()


def spot(image: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """The middle of what has this colour, x and y."""
    rows, columns = np.nonzero(np.abs(image.astype(int) - color).sum(-1) < 200)
    return np.array([columns.mean(), rows.mean()]) + 0.5


@pytest.mark.parametrize("kind", ["neuman", "xhumans"])
def test_a_body_that_is_given_is_the_one_that_is_used(tmp_path, kind, monkeypatch):
    body = trees.body()
    monkeypatch.setattr("lca_core.body.BodyModel.load", lambda *given: pytest.fail("another body was loaded"))
    shown = trees.sequence(2, hands=kind == "xhumans")
    read, write = {"neuman": (read_neuman, trees.write_neuman), "xhumans": (read_xhumans, trees.write_xhumans)}[kind]
    assert len(read(write(tmp_path / "set", shown), PROFILE, body=body).frames) == 2


@pytest.mark.parametrize("kind", ["hugs", "neuman", "xhumans"])
def test_joints_are_where_the_crops_show_them(people, kind):
    for frame in people[kind].frames:
        joints, camera = joints_of(frame), frame.body.camera
        for name, color in trees.MARKS.items():
            pixel = trees.project(camera.viewmat, camera.K, joints[None, JOINT_NAMES.index(name)])[0]
            np.testing.assert_allclose(pixel, spot(frame.body.image, color), atol=1.5)


@pytest.mark.parametrize(("kind", "height"), [("hugs", -0.22), ("neuman", -0.22), ("xhumans", -0.35)])
def test_the_pelvis_height_over_the_makers_origin_is_read_off_the_mattes(people, kind, height):
    assert people[kind].meta["pelvis_height"] == pytest.approx(height, abs=0.01)
    assert people[kind].meta["size"] == pytest.approx(1.0, abs=0.03), "they show the mean body"


@pytest.mark.parametrize("kind", ["hugs", "neuman", "xhumans"])
def test_poses_are_the_makers_and_the_body_is_in_metres(people, kind):
    shown = trees.sequence(hands=kind == "xhumans")
    assert len(people[kind].frames) == len(shown) and not people[kind].betas.any()
    for i, (frame, truth) in enumerate(zip(people[kind].frames, shown)):
        assert frame.instant == i and frame.actions is None
        np.testing.assert_allclose(frame.theta, theta_of(torch.from_numpy(truth.pose)), atol=1e-5)
        eye = truth.viewmat[:3, :3] @ truth.pelvis + truth.viewmat[:3, 3]
        ours = frame.body.camera.viewmat @ [*joints_of(frame)[0], 1]
        np.testing.assert_allclose(ours[:3], eye, atol=0.02)


def test_xhumans_keeps_world_and_gaze(people):
    for frame, truth in zip(people["xhumans"].frames, trees.sequence(hands=True)):
        np.testing.assert_allclose(frame.body.camera.viewmat, truth.viewmat, atol=1e-5)
        np.testing.assert_allclose(frame.root[3:], truth.pelvis - trees.body().J_template[0].numpy(), atol=0.02)
        np.testing.assert_allclose(frame.gaze, [0.1, -0.05, 0.2, 0.15], atol=1e-6)


def test_neumans_world_stands_upright_in_metres_and_both_releases_agree(people):
    frames, truths = people["hugs"].frames, trees.sequence()
    for frame, other in zip(frames, people["neuman"].frames):
        np.testing.assert_allclose(frame.theta, other.theta, atol=1e-5)
        np.testing.assert_allclose(frame.root, other.root, atol=0.02)
        joints = joints_of(frame)
        assert joints[JOINT_NAMES.index("head"), 1] - joints[0, 1] > 0.5, "Y is up"
    centres = [-f.body.camera.viewmat[:3, :3].T @ f.body.camera.viewmat[:3, 3] for f in frames]
    true = [-t.viewmat[:3, :3].T @ t.viewmat[:3, 3] for t in truths]
    scale = trees.UNIT / np.median(trees.SCALES[: len(frames)])  # one unit for the clip, though the fits disagree
    for i in range(1, len(frames)):
        apart = np.linalg.norm(true[i] - true[0]) * scale
        np.testing.assert_allclose(np.linalg.norm(centres[i] - centres[0]), apart, rtol=1e-4)


@pytest.mark.parametrize("kind", ["hugs", "neuman", "xhumans"])
def test_mattes_are_white_on_the_person(people, kind):
    for frame in people[kind].frames:
        matte, image = frame.body.matte, frame.body.image.astype(int)
        assert matte.shape == (280, 280) and image.shape == (280, 280, 3)
        person = np.abs(image - [150, 130, 120]).sum(-1) < 12
        ground = np.abs(image - [90, 100, 90]).sum(-1) < 12
        assert (matte[person] > 127).mean() > 0.99 and (matte[ground] < 127).mean() > 0.99


def test_faces_are_cropped_where_the_camera_sees_them(people, tmp_path):
    for frame in people["xhumans"].frames:
        face, joints = frame.face, joints_of(frame)
        assert face.image.shape == (112, 112, 3)
        pixels = trees.project(face.camera.viewmat, face.camera.K, joints)
        np.testing.assert_allclose(pixels[JOINT_NAMES.index("head")], spot(face.image, trees.MARKS["head"]), atol=2.5)
        eyes = pixels[[JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]].mean(0)
        np.testing.assert_allclose(eyes, [56, 56], atol=8, err_msg="the eyes are in the crop's middle")
    away = read_xhumans(trees.write_xhumans(tmp_path, trees.sequence(2, turned=np.pi)), PROFILE, body=trees.body())
    assert [frame.face for frame in away.frames] == [None, None]


def test_frames_are_spread_over_the_sequence(written):
    person = read_neuman(written["hugs"], PROFILE, 2, trees.body())
    assert [frame["file"] for frame in person.meta["frames"]] == ["00000.png", "00003.png"]
    with pytest.raises(InputError, match="max_frames"):
        read_neuman(written["hugs"], PROFILE, 0)


def test_a_record_says_where_it_is_from_and_goes_through_a_shard(people, tmp_path):
    assert people["hugs"].id == "neuman-seattle" and people["xhumans"].id == "xhumans-00036-train-Take1"
    assert people["xhumans"].domain == "wild" and people["xhumans"].seed is None
    assert "non-commercial" in people["xhumans"].meta["licence"] and "mean hand" in people["xhumans"].meta["hands"]
    kept = [people["hugs"], people["xhumans"]]
    write_shard(tmp_path / "a.tar", kept)
    for back, person in zip(read_people(tmp_path / "a.tar"), kept, strict=True):
        assert back.meta == person.meta
        np.testing.assert_array_equal(back.frames[1].body.image, person.frames[1].body.image)
        np.testing.assert_array_equal(back.frames[1].root, person.frames[1].root)


def test_colmaps_text_and_binary_say_the_same(written):
    text, binary = (read_colmap(written[kind] / "sparse") for kind in ("hugs", "neuman"))
    assert set(text) == set(binary) == {f"{i:05d}.png" for i in range(4)}
    for name, camera in text.items():
        np.testing.assert_allclose(camera.viewmat, binary[name].viewmat, atol=1e-6)
        np.testing.assert_allclose(camera.K, trees.K)
        assert (camera.width, camera.height) == (binary[name].width, binary[name].height) == (300, 400)


class Evil:
    """What a pickle may ask for: here, a file in `witness`."""

    def __init__(self, witness: Path):
        self.witness = witness

    def __reduce__(self):
        return Path.touch, (self.witness,)


@pytest.mark.parametrize(
    ("kind", "file"),
    [("xhumans", "SMPLX/mesh-f00001_smplx.pkl"), ("neuman", "smpl_output_optimized.pkl"), ("neuman", "alignments.npy")],
)
def test_a_pickle_that_would_run_code_is_refused_and_not_run(copied, tmp_path, kind, file):
    root, evil = copied(kind), Evil(tmp_path / "witness")
    if file.endswith(".npy"):
        np.save(root / file, {"00000.png": evil})
    else:
        (root / file).write_bytes(pickle.dumps({"transl": np.zeros(3), "global_orient": evil, 1: evil}))
    with pytest.raises(InputError, match=f"{Path(file).name}.*can run code"):
        (read_xhumans if kind == "xhumans" else read_neuman)(root, PROFILE, body=trees.body())
    assert not (tmp_path / "witness").exists()


def _replace_pickle(root: Path, **changed) -> None:
    path = root / "SMPLX" / "mesh-f00002_smplx.pkl"
    held = pickle.loads(path.read_bytes()) | changed
    path.write_bytes(pickle.dumps({key: value for key, value in held.items() if value is not None}))


def _replace_fits(root: Path, **changed) -> None:
    path = root / "4d_humans" / "smpl_optimized_aligned_scale.npz"
    held = dict(np.load(path)) | changed
    np.savez(path, **held)


def _replace_lens(root: Path, lens: str) -> None:
    (root / "sparse" / "cameras.txt").write_text(f"1 {lens}\n")


def _white(path: Path) -> None:
    Image.new("L", (300, 400), 255).save(path)


SPOILED = {
    "no pictures": ("xhumans", lambda r: shutil.rmtree(r / "render/image"), "give one, e.g. 00036"),
    "no cameras": ("xhumans", lambda r: (r / "render/cameras.npz").unlink(), "cameras.npz.*intrinsic"),
    "cameras cut short": ("xhumans", lambda r: (r / "render/cameras.npz").write_bytes(b"PK\3\4x"), "cameras.npz"),
    "one picture gone": ("xhumans", lambda r: (r / "render/image/color_000004.png").unlink(), "4 cameras for 3"),
    "no depth": ("xhumans", lambda r: (r / "render/depth/depth_000003.tiff").unlink(), "depth_000003.tiff"),
    "no parameters": ("xhumans", lambda r: (r / "SMPLX/mesh-f00003_smplx.pkl").unlink(), "f00003_smplx.pkl.*no such"),
    "half the parameters": ("xhumans", lambda r: _replace_pickle(r, body_pose=None), "f00002.*lacks body_pose"),
    "a short pose": ("xhumans", lambda r: _replace_pickle(r, body_pose=np.zeros(60)), "f00002.*of one frame"),
    "not finite": ("xhumans", lambda r: _replace_pickle(r, transl=np.full(3, np.nan)), "color_000002.*not finite"),
    "no sparse": ("hugs", lambda r: shutil.rmtree(r / "sparse"), "give one, e.g. .../seattle"),
    "no cameras.txt": ("hugs", lambda r: (r / "sparse/cameras.txt").unlink(), "sparse.*cameras.txt"),
    "a distorted lens": ("hugs", lambda r: _replace_lens(r, "SIMPLE_RADIAL 300 400 520 150 200 0.1"), "undistorter"),
    "an odd lens": ("hugs", lambda r: _replace_lens(r, "FISH 300 400 520"), "cameras.txt.*FISH"),
    "a broken line": ("hugs", lambda r: _replace_lens(r, "PINHOLE 300"), "cameras.txt.*not a whole"),
    "another size": ("hugs", lambda r: _replace_lens(r, "PINHOLE 600 800 9 9 9 9"), "00000.png.*600 x 800"),
    "a picture gone": ("hugs", lambda r: (r / "images/00002.png").unlink(), "images.*00002.png"),
    "a mask gone": ("hugs", lambda r: (r / "4d_humans/sam_segmentations/mask_0002.png").unlink(), "00002.png.*mask"),
    "no masks": ("hugs", lambda r: shutil.rmtree(r / "4d_humans/sam_segmentations"), "no masks"),
    "no fits": ("hugs", lambda r: (r / "4d_humans/smpl_optimized_aligned_scale.npz").unlink(), "no fitted body"),
    "fits of 3": ("hugs", lambda r: _replace_fits(r, transl=np.zeros((3, 3))), r"npz.*transl.*\[4, 3\]"),
    "a scale of 0": ("hugs", lambda r: _replace_fits(r, scale=np.zeros(4)), "npz.*positive"),
    "no alignment": ("neuman", lambda r: np.save(r / "alignments.npy", {"00000.png": 1}), "alignments.npy.*4 pictures"),
    "nobody": ("neuman", lambda r: _white(r / "segmentations/00001.png"), "00001.*nobody"),
    "binary cut": ("neuman", lambda r: (r / "sparse/images.bin").write_bytes(b"\x04" + 9 * b"\0"), "images.bin"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_wrong_with_a_tree_is_named(copied, how):
    kind, spoil, message = SPOILED[how]
    root = copied(kind)
    spoil(root)
    with pytest.raises(InputError, match=message):
        (read_xhumans if kind == "xhumans" else read_neuman)(root, PROFILE, body=trees.body())
