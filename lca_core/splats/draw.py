"""`draw`: Gaussians as this project's avatars are drawn, with the variance of a pixel and nothing more.

Splatting customarily adds 0.3 px^2 to the covariance of every projected Gaussian, which blurs what is drawn beyond
anything a camera does. A pixel sees the world through its own square, whose variance is 1/12: avatars are trained and
drawn with that. `rasterize` leaves the choice open, as gsplat does; whoever draws an avatar calls `draw`.
"""

from jaxtyping import Float
from torch import Tensor

from lca_core.splats.gaussians import Gaussians
from lca_core.splats.rasterize import rasterize

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
        eps2d=SHARP_EPS2D,
    )  # fmt: skip
