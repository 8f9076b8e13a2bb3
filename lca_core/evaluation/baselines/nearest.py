"""The nearest photograph, copied: no model of anybody, all the detail that there is.

Of the photographs the one taken from the side nearest to the target's, as image-based rendering chooses cameras
(Buehler et al. 2001, https://doi.org/10.1145/383259.383309), moved, turned and scaled so that the joints of trunk, head
and legs come to lie on those of the target as nearly as one similarity can (Umeyama 1991,
https://doi.org/10.1109/34.88573). It knows the target's pose and camera as all methods do, and nothing of its pixels.
"""

from collections.abc import Sequence

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.body import JOINT_NAMES
from lca_core.data import Frame, Picture, pixels
from lca_core.data.cameras import project
from lca_core.evaluation.views import nearest_view, viewing_direction
from lca_core.judges.metrics import over_white

# Joints that say where a person is, whatever the arms do: trunk, head and legs.
_KINDS = ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "hip", "shoulder", "knee", "ankle")
_STEADY = [number for number, name in enumerate(JOINT_NAMES) if name.endswith(_KINDS)]

Posed = tuple[Frame, Float[np.ndarray, "J 3"]]  # a frame, and where its joints are in the world


def copied(photographs: Sequence[Posed], target: Posed) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W"]]:
    """(colours over white, alpha) of the photograph nearest to the target's view, moved to where the target has it."""
    directions = [viewing_direction(frame, joints[0]) for frame, joints in photographs]
    number, _ = nearest_view(directions, viewing_direction(target[0], target[1][0]))
    picture, into = photographs[number][0].body, target[0].body
    here, there = photographs[number][1][_STEADY], target[1][_STEADY]
    points, places = project(picture.camera, here), project(into.camera, there)
    return moved(picture, points, into, places)


def moved(
    picture: Picture, points: Float[np.ndarray, "J 2"], into: Picture, places: Float[np.ndarray, "J 2"]
) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W"]]:
    """(colours over white, alpha) of a picture moved so that points of it, in pixels, come to lie on places of another
    one, as large as that one."""
    there, here = (torch.from_numpy(np.asarray(x, np.float32)) for x in (places, points))
    turn, shift, scale = roma.rigid_points_registration(there, here, compute_scaling=True)
    height, width = into.matte.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    source = scale * torch.stack([x, y], -1) @ turn.T + shift  # where each pixel comes from
    size = source.new_tensor(picture.matte.shape[::-1])
    image, matte = pixels(picture)
    shown = torch.cat([image * matte[..., None], matte[..., None]], -1).movedim(-1, 0)
    found = F.grid_sample(shown[None], (2 * source / size - 1)[None], align_corners=False)[0]  # nothing outside
    alpha = found[3].clamp(0, 1)
    colors = found[:3].movedim(0, -1) / alpha[..., None].clamp(min=1e-6)
    return over_white(colors.clamp(0, 1), alpha), alpha
