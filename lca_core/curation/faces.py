"""Face meshes brought onto each other: freed of the head's place, turn and size."""

import roma
from jaxtyping import Float
from torch import Tensor


def aligned(meshes: Float[Tensor, "B 478 3"], mean: Float[Tensor, "478 3"]) -> Float[Tensor, "B 478 3"]:
    """Meshes moved, turned and scaled onto a mean one (Procrustes)."""
    centred = meshes - meshes.mean(1, keepdim=True)
    target = (mean - mean.mean(0)).expand_as(centred)
    rotation, _, scale = roma.rigid_points_registration(centred, target, compute_scaling=True)
    return scale[:, None, None] * centred @ rotation.mT + mean.mean(0)


def mean_mesh(meshes: Float[Tensor, "B 478 3"], rounds: int = 3) -> Float[Tensor, "478 3"]:
    """The mean of meshes brought onto each other."""
    mean = meshes[0]
    for _ in range(rounds):
        mean = aligned(meshes, mean).mean(0)
    return mean
