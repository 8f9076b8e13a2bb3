import importlib
import importlib.util

import numpy as np
import pytest
import torch
from skimage.data import astronaut, lfw_subset

from lca_core.curation.face_network import _network, load_face_network
from lca_core.errors import InputError
from lca_core.evaluation import face_embedding, identity_distance
from lca_core.training.identity import face_chip


@pytest.fixture(scope="module")
def chip():
    return np.ascontiguousarray(astronaut()[55:205, 150:300])


def as_batch(chip):
    return torch.from_numpy(chip.copy()).float().movedim(-1, 0)[None] / 255


def test_the_embedding_is_dlibs(chip):
    # By name: dlib-bin does not tell which modules it brings, so an import statement cannot be traced to it.
    dlib = importlib.import_module("dlib")
    folder = importlib.util.find_spec("face_recognition_models").submodule_search_locations[0]
    network = dlib.face_recognition_model_v1(f"{folder}/models/dlib_face_recognition_resnet_model_v1.dat")
    for picture in (chip, chip[:, ::-1], chip.transpose(1, 0, 2)):
        picture = np.ascontiguousarray(picture)
        theirs = np.array(network.compute_face_descriptor(picture))
        assert np.abs(face_embedding(as_batch(picture))[0].numpy() - theirs).max() < 2e-6


def test_it_has_the_parameters_the_file_has():
    assert sum(p.numel() for p in _network(torch.device("cpu")).parameters()) == 5_607_488


def test_the_same_face_is_nearer_than_another(chip):
    face = torch.from_numpy(chip).float() / 255
    darker, smaller = face * 0.8, face[::2, ::2]
    stranger = torch.from_numpy(lfw_subset()[0]).float()[..., None].expand(-1, -1, 3)
    assert identity_distance(face, darker) < 0.3
    assert identity_distance(face, smaller) < 0.4
    assert identity_distance(face, stranger) > 0.6


def test_the_distance_is_differentiable_and_zero_for_equal_crops(chip):
    a = (torch.from_numpy(chip).float() / 255)[None].requires_grad_()
    distance = identity_distance(a, a.detach())
    distance.sum().backward()
    assert distance.shape == (1,) and distance.item() < 1e-5
    assert a.grad.isfinite().all()


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="150"):
        face_embedding(torch.zeros(1, 3, 112, 112))


def test_a_damaged_file_is_refused_by_name(tmp_path):
    file = tmp_path / "faces.dat"
    for content in (b"", b"\x01\x15input_rgb_image_sized\x03\x62", b"\x00" * 1000):
        file.write_bytes(content)
        with pytest.raises(InputError, match="faces.dat"):
            load_face_network(file)


@pytest.mark.parametrize("tilt", [0.0, 0.5, -1.2])
def test_a_chip_has_the_eyes_where_dlib_wants_them(tilt):
    """A red and a green dot where a head tilted before the camera has its eyes come to lie level in the chip."""
    turn = torch.tensor([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]).float()
    eyes = torch.tensor([[0.03, 0.0, 0.0], [-0.03, 0.0, 0.0]]) @ turn.T  # the person's left is +x
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    viewmat[2, 3] = 2.0
    K = torch.tensor([[600.0, 0, 56], [0, 600, 60], [0, 0, 1]])
    u, v = 300 * eyes[:, 0] + 56, 60 - 300 * eyes[:, 1]
    row, column = torch.meshgrid(torch.arange(112) + 0.5, torch.arange(112) + 0.5, indexing="ij")
    dots = torch.stack([torch.exp(-0.5 * ((column - u[i]) ** 2 + (row - v[i]) ** 2)) for i in range(2)], -1)
    chip = face_chip(torch.cat([dots, torch.zeros(112, 112, 1)], -1), viewmat, K, eyes, turn[:, 1])
    assert chip.shape == (150, 150, 3)
    for channel, x in ((0, 74 + 26.25), (1, 74 - 26.25)):  # the left eye is on the right of the picture
        weight = chip[..., channel] / chip[..., channel].sum()
        assert (weight.sum(0) * (torch.arange(150) + 0.5)).sum().item() == pytest.approx(x, abs=0.3)
        assert (weight.sum(1) * (torch.arange(150) + 0.5)).sum().item() == pytest.approx(47.1, abs=0.3)
    assert chip[..., 2].abs().max() == 0


def test_a_face_from_the_side_keeps_its_size():
    """A quarter turn brings the eyes' pictures together and must not blow the face up: the scale stays."""
    viewmat = torch.eye(4)
    viewmat[2, 3] = 2.0
    K = torch.tensor([[600.0, 0, 56], [0, 600, 56], [0, 0, 1]])
    ramp = (torch.arange(112) + 0.5)[None, :, None].expand(112, 112, 3)
    across = [
        face_chip(ramp, viewmat, K, torch.tensor(eyes), torch.tensor([0.0, -1.0, 0.0]))[0, :, 0].diff()[20:100].mean()
        for eyes in ([[0.03, 0.0, 0.0], [-0.03, 0.0, 0.0]], [[0.0, 0.0, 0.03], [0.0, 0.0, -0.03]])
    ]
    assert across[0].item() == pytest.approx(300 * 0.06 / 52.5, rel=1e-4)
    assert across[1].item() == pytest.approx(across[0].item(), rel=1e-4)
