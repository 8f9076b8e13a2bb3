"""An avatar's colours on the skin of its body: Gaussians drawn from all sides, read where the skin is seen.

A point of the skin has the colours of the pictures that see it, those that look at it squarely and from near counting
most. Cloth and hair lie before the skin: it counts as seen a little behind what is drawn (`coverage.seen_behind`). What
no picture sees, as the inside of a mouth, has the colours of the nearest Gaussians.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from lca_core.data import Camera
from lca_core.making.sights import sights
from lca_core.splats import Gaussians

_SQUARE = 8  # power of the cosine between a picture's direction and the skin's normal: views that blur mix little
_NEAREST, _BLUR = 8, 0.002  # Gaussians a point has its colour of where no picture sees it; metres
_UNSEEN = 1e-3  # what these count beside one picture that looks squarely


@torch.no_grad()
def bake(
    gaussians: Gaussians,
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    behind: Float[Tensor, " n"],
    unseen: Float[Tensor, "n 3"],
    cameras: Iterable[Camera],
) -> Float[Tensor, "n 3"]:
    """Colours (sRGB in [0, 1]) of points of a surface near Gaussians [N].

    behind: how far behind what is drawn a point may lie and count as seen, metres; unseen: colours for those that no
    camera sees.
    """
    total, weight = _UNSEEN * unseen, torch.full((len(points), 1), _UNSEEN)
    for sight in sights(gaussians, points, normals, cameras):
        seen = sight.behind < behind[sight.which]
        share = torch.where(seen, sight.fineness * sight.cosine**_SQUARE, 0)[:, None]
        total[sight.which] += share * sight.colors
        weight[sight.which] += share
    return (total / weight).clamp(0, 1)


def nearest_colors(gaussians: Gaussians, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Colours of the nearest Gaussians [N], opaque and near ones counting most."""
    count = min(_NEAREST, len(gaussians))
    distance, which = cKDTree(gaussians.means.numpy()).query(points.numpy(), k=range(1, count + 1))
    which = torch.from_numpy(which)
    share = (gaussians.opacities[which] + 1e-6) / (torch.from_numpy(distance).float() ** 2 + _BLUR**2)
    return ((share[..., None] * gaussians.colors[which]).sum(1) / share.sum(1, keepdim=True)).clamp(0, 1)
