"""What pictures of an avatar tell of points near it: which face a camera, and what is drawn there, how far off."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from lca_core.body.layout import JOINT_NAMES
from lca_core.data import Camera, camera_tensors
from lca_core.data.cameras import around
from lca_core.splats import SHARP_EPS2D, Gaussians, rasterize

_AZIMUTHS, _DISTANCE = 8, 3.2  # pictures round the person, metres they are taken from
_BODY_ELEVATIONS, _HEAD_ELEVATIONS, _POLE = (-0.5, 0.5), (-0.25, 0.35), 1.45  # radians
_HEAD = [JOINT_NAMES.index(name) for name in ("head", "jaw")]
_LEAST_COSINE, _LEAST_ALPHA = 0.2, 0.6  # of a point that faces a camera; of a place where something is drawn


class Sight(NamedTuple):
    """Of the m points that face a camera, and that something is drawn before or behind.

    which [m]: their numbers; cosine [m]: between their normals and the direction to the camera; colors [m, 3]: drawn
    there; behind [m]: how far the points lie behind what is drawn, metres, negative before it; fineness [m]: squared
    pixels a metre there, as a share of the picture.
    """

    which: Int[Tensor, " m"]
    cosine: Float[Tensor, " m"]
    colors: Float[Tensor, "m 3"]
    behind: Float[Tensor, " m"]
    fineness: Float[Tensor, " m"]


def views(vertices: Float[np.ndarray, "V 3"], weights: Float[np.ndarray, "V 55"], px: int) -> list[Camera]:
    """Cameras all round a body in the T-pose and, nearer, round its head. px: side of the pictures."""
    head = vertices[weights[:, _HEAD].sum(1) > 0.5]
    azimuths = 2 * np.pi * np.arange(_AZIMUTHS) / _AZIMUTHS
    cameras = [
        around(points, float(azimuth), elevation, _DISTANCE, px)
        for points, elevations in ((vertices, _BODY_ELEVATIONS), (head, _HEAD_ELEVATIONS))
        for elevation in elevations
        for azimuth in azimuths
    ]
    return cameras + [around(vertices, 0.0, sign * _POLE, _DISTANCE, px) for sign in (-1, 1)]


@torch.no_grad()
def sights(
    gaussians: Gaussians, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"], cameras: Iterable[Camera]
) -> Iterator[Sight]:
    """What each camera's picture of Gaussians [N] tells of points of a surface."""
    for camera in cameras:
        viewmat, K = camera_tensors(camera, "cpu")
        eye = -viewmat[:3, :3].T @ viewmat[:3, 3]
        cosine = (F.normalize(eye - points, dim=-1) * normals).sum(-1)
        which = torch.nonzero(cosine > _LEAST_COSINE)[:, 0]
        placed = points[which] @ viewmat[:3, :3].T + viewmat[:3, 3]
        depth, pixel = placed[:, 2], placed @ K.T
        grid = 2 * pixel[:, :2] / pixel[:, 2:] / torch.tensor([camera.width, camera.height]) - 1
        found = F.grid_sample(_drawn(gaussians, camera, viewmat, K), grid[None, None], align_corners=False)[0, :, 0].T
        kept = (found[:, 4] > _LEAST_ALPHA) & (grid.abs() < 1).all(1)
        straight = found[kept, :4] / found[kept, 4:]
        fineness = (K[0, 0] / depth[kept] / camera.width) ** 2
        yield Sight(which[kept], cosine[which[kept]], straight[:, :3], depth[kept] - straight[:, 3], fineness)


def _drawn(
    gaussians: Gaussians, camera: Camera, viewmat: Float[Tensor, "4 4"], K: Float[Tensor, "3 3"]
) -> Float[Tensor, "1 5 H W"]:
    """Colours and depth, both times alpha, and alpha, as avatars are drawn."""
    g = gaussians
    picture, alpha = rasterize(
        g.means, g.quats, g.scales, g.opacities, g.colors, viewmat[None], K[None], camera.width, camera.height,
        render_mode="RGB+D", eps2d=SHARP_EPS2D,
    )  # fmt: skip
    return torch.cat([picture, alpha], -1).permute(0, 3, 1, 2)
