import importlib
import importlib.util

import numpy as np
import pytest
import torch
from skimage.data import astronaut, lfw_subset

from lca_core.errors import InputError
from lca_core.judges.face_network import _network, face_embedding, load_face_network
from lca_core.judges.identity import identity_distance


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


def test_a_wrong_shape_is_refused(any_shape):
    with pytest.raises(ValueError, match="150"):
        face_embedding(torch.zeros(1, 3, 112, 112))


def test_a_damaged_file_is_refused_by_name(tmp_path):
    file = tmp_path / "faces.dat"
    for content in (b"", b"\x01\x15input_rgb_image_sized\x03\x62", b"\x00" * 1000):
        file.write_bytes(content)
        with pytest.raises(InputError, match="faces.dat"):
            load_face_network(file)
