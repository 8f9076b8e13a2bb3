"""Spherical harmonics: an addition theorem, and that coefficients turn as functions do."""

import torch
from torch.nn import functional as F

from lca_core.model.harmonics import HARMONICS, NORMAL, harmonics, turning

DEGREES = ((0, 1), (1, 4), (4, 9), (9, 16))


def directions(count: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), dim=1)


def rotations(count: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator, dtype=torch.float64))
    return q * q.det()[:, None, None]


def test_products_of_each_degree_depend_on_the_angle_alone():
    """The addition theorem: their sum is the Legendre polynomial of the cosine."""
    a, b = directions(50), directions(50, seed=2)
    x = (a * b).sum(-1)
    legendre = [torch.ones_like(x), x, (3 * x**2 - 1) / 2, (5 * x**3 - 3 * x) / 2]
    product = harmonics(a) * harmonics(b)
    for (first, last), expected in zip(DEGREES, legendre):
        torch.testing.assert_close(product[:, first:last].sum(-1), expected)


def test_degree_one_is_the_direction():
    a = directions(10)
    torch.testing.assert_close(harmonics(a)[:, NORMAL], a)


def test_coefficients_turn_as_the_function_does():
    R, a = rotations(5), directions(20)
    function = torch.randn(HARMONICS, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    carried = turning(R) @ function
    for rotation, coefficients in zip(R, carried):
        torch.testing.assert_close(harmonics(a @ rotation.T) @ coefficients, harmonics(a) @ function)


def test_turning_mixes_no_degrees_and_turns_normals_by_the_matrix():
    R = rotations(4)
    D = turning(R)
    torch.testing.assert_close(D[:, NORMAL, NORMAL], R)
    for first, last in DEGREES:
        block = D[:, first:last, first:last]
        torch.testing.assert_close(block @ block.mT, torch.eye(last - first, dtype=D.dtype).expand_as(block))
    torch.testing.assert_close(turning(R[0] @ R[1]), D[0] @ D[1])
