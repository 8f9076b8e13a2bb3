"""Facial actions and gaze from a face mesh: a linear map on the mesh, freed of the head's place and turn."""

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import ACTIONS
from lca_core.body.driving import GAZE
from lca_core.curation.landmarks import Calibration, calibration


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


def features(meshes: Float[Tensor, "B 478 3"], known: Calibration) -> Float[Tensor, "B P1"]:
    """Coordinates of aligned meshes along the calibration's axes, and a one."""
    off = (aligned(meshes, known.mesh_mean) - known.mesh_mean).flatten(1)
    return torch.cat([off @ known.mesh_axes, torch.ones(len(off), 1)], 1)


def read_face(mesh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(facial actions float32 [52] in [0, 1], gaze [4] radians) of a face mesh [478, 3] in pixels."""
    known = calibration()
    found = (features(torch.from_numpy(mesh).float()[None], known) @ known.mesh_read)[0].numpy()
    assert len(found) == len(ACTIONS) + GAZE
    return found[: len(ACTIONS)].clip(0, 1), found[len(ACTIONS) :]
