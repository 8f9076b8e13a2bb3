"""Shapes that annotations name, checked while tests run (LCA_CHECK_SHAPES=0 leaves it out)."""

import jaxtyping
import pytest
import torch

from lca_core.splats import Gaussians
from lca_core.splats.skinning import multiply_quats
from tests.shapes import checked


def test_a_function_of_the_library_refuses_other_shapes():
    with pytest.raises(jaxtyping.TypeCheckError, match="second"):
        checked(multiply_quats)(torch.zeros(2, 4), torch.zeros(3, 4))


def test_what_is_returned_is_held_to_what_was_given():
    @checked
    def halves(x: jaxtyping.Float[torch.Tensor, "n 2"]) -> jaxtyping.Float[torch.Tensor, " n"]:
        return x.flatten()

    with pytest.raises(jaxtyping.TypeCheckError, match="return"):
        halves(torch.zeros(3, 2))


def test_stand_ins_for_what_is_no_array_are_let_through():
    @checked
    def scaled(x: jaxtyping.Float[torch.Tensor, " n"], person: Gaussians) -> str:
        return person

    assert scaled(torch.zeros(3), "somebody") == "somebody"
