"""What runs where the tensors are: no piece of a step may make a tensor of its own on the CPU.

Tensors on the meta device have shapes but no numbers; one that meets a CPU tensor raises, as on a GPU.
"""

import pytest
import torch

from lca_core.model.crops import over_grey, upright_crop
from lca_core.training.face_chip import face_chip
from lca_core.training.losses import as_close_as_possible, as_spherical_as_possible, l1_loss, too_large


def meta(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, device="meta")


PIECES = {
    "a crop": lambda: upright_crop(meta(9, 9, 3), meta(4, 4), meta(3, 3), meta(3), meta(3), 0.1, 5),
    "a crop of measured size": lambda: upright_crop(meta(9, 9, 3), meta(4, 4), meta(3, 3), meta(3), meta(3), meta(), 5),
    "a face chip": lambda: face_chip(meta(9, 9, 3), meta(4, 4), meta(3, 3), meta(2, 3), meta(3)),
    "over grey": lambda: over_grey(meta(2, 9, 9, 3), meta(2, 9, 9)),
    "l1": lambda: l1_loss(meta(2, 9, 9, 3), meta(2, 9, 9, 3), meta(2, 9, 9, 1), meta(2, 9, 9, 1)),
    "acap": lambda: as_close_as_possible(meta(7, 3)),
    "asap": lambda: as_spherical_as_possible(meta(7, 3)),
    "size": lambda: too_large(meta(7, 3)),
}


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_of_the_loss_stays_on_its_device(piece):
    assert PIECES[piece]().device.type == "meta"
