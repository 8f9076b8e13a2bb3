"""`draw`: Gaussians as this project's avatars are drawn, with the variance of a pixel and nothing more.

Splatting customarily adds 0.3 px^2 to the covariance of every projected Gaussian, which blurs what is drawn beyond
anything a camera does. A pixel sees the world through its own square, whose variance is 1/12: avatars are trained and
drawn with that. `rasterize` leaves the choice open, as gsplat does; whoever draws an avatar calls `draw`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lca_core.splats.arguments import check_values
from lca_core.splats.cpu import render_cpu
from lca_core.splats.gaussians import Gaussians
from lca_core.splats.rasterize import rasterize

NEAR, FAR = 0.01, 1e10  # metres between which is drawn
SHARP_EPS2D = 1 / 12  # px^2: the variance of a pixel


def draw(
    gaussians: Gaussians,
    viewmats: Float[Tensor, "*batch C 4 4"],
    Ks: Float[Tensor, "*batch C 3 3"],
    width: int,
    height: int,
    background: Float[Tensor, " D"] | Float[Tensor, "*batch C D"] | None = None,
    backend: str = "auto",
) -> tuple[Float[Tensor, "*batch C H W D"], Float[Tensor, "*batch C H W 1"]]:
    """Colours over the background, and alphas, of Gaussians [*batch, N] seen by C cameras.

    Arguments, errors and gradients are those of `rasterize`; only the variance is settled.
    """
    g = gaussians
    return rasterize(
        g.means, g.quats, g.scales, g.opacities, g.colors, viewmats, Ks, width, height, background, backend,
        NEAR, FAR, eps2d=SHARP_EPS2D,
    )  # fmt: skip


def draw_each(
    gaussians: Gaussians,
    which: Int[Tensor, " P"],
    viewmats: Float[Tensor, "P 4 4"],
    Ks: Float[Tensor, "P 3 3"],
    width: int,
    height: int,
    background: Float[Tensor, "P D"] | None = None,
) -> tuple[Float[Tensor, "P H W D"], Float[Tensor, "P H W 1"]]:
    """P pictures of S sets of Gaussians [S, N], each with a camera of its own and of the set that `which` names.

    As `draw` of `gaussians.map(lambda t: t[which])`; on a CPU nothing is copied for that, and gradients add up in the
    set they belong to. Errors as of `rasterize`.
    """
    tensors = vars(gaussians) | {"viewmats": viewmats, "Ks": Ks}
    everything = (*tensors.values(), *([] if background is None else [background]))
    if not len(which) or not all(t.dtype == torch.float32 and t.device.type == "cpu" for t in everything):
        behind = None if background is None else background[:, None]
        picked = gaussians.map(lambda t: t[which])
        return tuple(t[:, 0] for t in draw(picked, viewmats[:, None], Ks[:, None], width, height, behind))
    check_values(tensors, background)
    return render_cpu(
        **tensors, background=background, width=width, height=height, near_plane=NEAR, far_plane=FAR,
        eps2d=SHARP_EPS2D, owners=which,
    )  # fmt: skip
