"""Posing the body: against the smplx package, at rest, and its derivatives."""

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel, body_file, joint_transforms
from lca_core.body.layout import PARENTS
from lca_core.errors import InputError
from tests.body.bodies import free_body

PEOPLE = 3
LEFT_FINGERS = tuple(f"left_{f}" for f in ("index", "middle", "pinky", "ring", "thumb"))


@pytest.fixture(scope="module")
def smplx_body(tmp_path_factory):
    """The same file in the smplx package, placed and named as a user's official one would be."""
    import smplx

    folder = tmp_path_factory.mktemp("models") / "smplx"
    folder.mkdir()
    (folder / "SMPLX_NEUTRAL.npz").symlink_to(body_file())
    return smplx.create(
        folder.parent, model_type="smplx", gender="neutral", ext="npz", num_betas=100, num_expression_coeffs=100,
        use_pca=False, flat_hand_mean=True, batch_size=PEOPLE,
    )  # fmt: skip


def random_people(seed: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(PEOPLE, *shape, generator=generator, dtype=torch.float64).to(dtype)

    actions = torch.zeros(PEOPLE, 100, dtype=dtype)
    actions[:, : len(ACTIONS)] = torch.rand(PEOPLE, len(ACTIONS), generator=generator, dtype=torch.float64).to(dtype)
    return {"betas": normal(100), "expression": actions, "full_pose": 0.5 * normal(55, 3), "translation": normal(3)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", [0, 1])
def test_posing_agrees_with_the_smplx_package(smplx_body, dtype, seed):
    people = random_people(seed, dtype)
    pose = people["full_pose"].flatten(1)
    with torch.no_grad():
        theirs = smplx_body.to(dtype)(
            betas=people["betas"], expression=people["expression"], transl=people["translation"],
            global_orient=pose[:, :3], body_pose=pose[:, 3:66], jaw_pose=pose[:, 66:69], leye_pose=pose[:, 69:72],
            reye_pose=pose[:, 72:75], left_hand_pose=pose[:, 75:120], right_hand_pose=pose[:, 120:165],
        )  # fmt: skip
    ours = BodyModel.load(body_file(), dtype=dtype)(**people)
    assert ours.vertices.dtype == dtype
    torch.testing.assert_close(ours.vertices, theirs.vertices, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.joints, theirs.joints[:, :55], rtol=0, atol=1e-5)


def test_facial_actions_do_not_move_the_joints():
    """SMPL-X regresses joints from the face with its expression: a smile must not shift the skull."""
    with np.load(body_file()) as file:
        moved = np.einsum("jv,vie->jie", file["J_regressor"], file["shapedirs"][..., 300:].astype(np.float64))
    assert np.abs(moved).max() < 1e-5


def test_a_pose_of_zeros_is_the_rest_pose():
    body = free_body()
    people = random_people(0, torch.float32)
    rest = body.rest(people["betas"], people["expression"])
    posed = body(people["betas"], people["expression"], torch.zeros(PEOPLE, 55, 3))
    torch.testing.assert_close(posed.vertices, rest, rtol=0, atol=1e-6)
    torch.testing.assert_close(posed.transforms, torch.eye(4).expand(PEOPLE, 55, 4, 4), rtol=0, atol=1e-6)
    assert (rest - body.template).abs().max() > 0.01


def test_betas_beyond_those_the_file_uses_do_nothing():
    body = free_body()
    used = random_people(0, torch.float32)["betas"]
    padded = torch.cat([used, torch.ones(PEOPLE, 200)], 1)
    torch.testing.assert_close(body.rest(padded), body.rest(used), rtol=0, atol=1e-6)
    torch.testing.assert_close(body.rest(used[:, :10]), body.rest(used * (torch.arange(100) < 10)), rtol=0, atol=1e-6)


def test_the_transforms_carry_rest_joints_to_posed_joints():
    body = free_body()
    people = random_people(2, torch.float32)
    posed = body(**people)
    rest = torch.nn.functional.pad(body.rest_joints(people["betas"]), (0, 1), value=1.0)
    moved = (posed.transforms @ rest[..., None])[..., :3, 0]
    torch.testing.assert_close(moved, posed.joints, rtol=0, atol=1e-5)


def test_a_bent_elbow_moves_the_forearm_and_nothing_else():
    """A quarter turn about Y carries the left hand from beside the elbow (+X) to behind it (-Z)."""
    body = free_body()
    pose = torch.zeros(1, 55, 3)
    pose[0, JOINT_NAMES.index("left_elbow"), 1] = torch.pi / 2
    rest = body.rest_joints(torch.zeros(1, 1))[0]
    posed = body(torch.zeros(1, 1), None, pose).joints[0]
    elbow, wrist = (JOINT_NAMES.index(n) for n in ("left_elbow", "left_wrist"))
    x, y, z = (rest[wrist] - rest[elbow]).tolist()
    torch.testing.assert_close(posed[wrist] - rest[elbow], torch.tensor([z, y, -x]), rtol=0, atol=1e-5)
    assert x > 0.15
    still = [i for i, n in enumerate(JOINT_NAMES) if not n.startswith(("left_wrist", *LEFT_FINGERS))]
    torch.testing.assert_close(posed[still], rest[still], rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-5, 1.0])
def test_joint_transforms_have_true_derivatives(scale):
    """At zero, across the switch to the series near zero, and anywhere."""
    generator = torch.Generator().manual_seed(0)
    joints, pose = torch.randn(2, 1, 55, 3, generator=generator, dtype=torch.float64)
    shift = torch.randn(1, 3, generator=generator, dtype=torch.float64)
    inputs = tuple(t.requires_grad_() for t in (joints, scale * pose, shift))
    assert torch.autograd.gradcheck(joint_transforms, inputs, fast_mode=True)


def test_the_person_faces_z_with_their_left_at_x_and_y_up():
    joints = dict(zip(JOINT_NAMES, free_body().J_template.tolist(), strict=True))
    for name in JOINT_NAMES:
        if name.startswith("left_"):
            assert joints[name][0] > 0 > joints["right_" + name.removeprefix("left_")][0], name
    assert joints["head"][1] > joints["spine3"][1] > joints["left_knee"][1] > joints["left_ankle"][1]
    assert joints["left_foot"][2] > joints["left_ankle"][2]
    assert joints["left_eye_smplhf"][2] > joints["head"][2]


def test_eye_look_actions_leave_the_eyeballs_to_the_eye_joints():
    body = free_body()
    eyeballs = [np.char.endswith(body.extra["f_group"].astype(str), f"{s}-eye") for s in "lr"]
    vertices = body.faces[torch.from_numpy(eyeballs[0] | eyeballs[1])].unique()
    looks = [i for i, a in enumerate(ACTIONS) if a.startswith("eyeLook")]
    assert len(vertices) > 100 and len(looks) == 8
    assert not body.exprdirs[vertices][..., looks].any()
    assert body.exprdirs[..., looks].any()


def small_file(path, **changes):
    """A body file of four vertices; a change to None leaves a key out."""
    rng = np.random.default_rng(0)
    arrays = {
        "v_template": rng.random((4, 3)), "f": np.array([[0, 1, 2], [0, 2, 3]]), "shapedirs": rng.random((4, 3, 10)),
        "weights": np.eye(4, 55), "J_regressor": rng.random((55, 4)),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(55)], np.uint32),
    } | changes  # fmt: skip
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_the_setting_names_another_body_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LCA_BODY", str(small_file(tmp_path / "mine.npz")))
    body = BodyModel.load()
    assert body.template.shape == (4, 3)
    assert body.shapedirs.shape == (4, 3, 10)
    assert body.parents[:3] == [-1, 0, 0]  # official files hold 2^32 - 1 for "none"


def broken(kind: str, path):
    if kind == "text":
        path.write_text("not a body")
    elif kind == "empty":
        path.touch()
    elif kind == "cut short":
        data = small_file(path).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif kind == "one array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "a folder":
        path.mkdir()
    elif kind == "pickled":
        small_file(path, v_template=np.array([{"code": "could run"}], object))
    elif kind == "other joints":
        small_file(path, weights=np.eye(4, 24))
    elif kind == "lacks weights":
        small_file(path, weights=None)
    return path  # "missing": nothing is written


BROKEN = ("text", "empty", "cut short", "one array", "a folder", "pickled", "other joints", "lacks weights", "missing")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_body_is_refused_by_name(tmp_path, kind):
    with pytest.raises(InputError, match="body.npz"):
        BodyModel.load(broken(kind, tmp_path / "body.npz"))
