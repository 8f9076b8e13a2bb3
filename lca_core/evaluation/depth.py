"""How far the surface that an avatar draws lies from the true one."""

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.data import Picture, camera_tensors, hidden_of, pixels
from lca_core.errors import InputError
from lca_core.judges.metrics import FOREGROUND
from lca_core.splats import Gaussians, rasterize
from lca_core.splats.draw import SHARP_EPS2D


@torch.no_grad()
def drawn_depth(gaussians: Gaussians, picture: Picture) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """(camera z of what is seen, metres, 0 where nothing is; alpha) of Gaussians [N] seen by a picture's camera."""
    camera, device = picture.camera, gaussians.means.device
    viewmat, K = (x[None] for x in camera_tensors(camera, device))
    g = gaussians
    depth, alphas = rasterize(
        g.means, g.quats, g.scales, g.opacities, g.colors, viewmat, K, camera.width, camera.height, render_mode="ED",
        eps2d=SHARP_EPS2D,
    )  # fmt: skip
    return depth[0, ..., 0], alphas[0, ..., 0]


def depth_error_mm(posed: Gaussians, picture: Picture) -> float | None:
    """Mean absolute difference to the truth's depth in millimetres, over the pixels that both have the person in, of
    which nothing hides any; None where there are none. InputError where the picture was recorded without truth."""
    if picture.truth is None:
        raise InputError("depth is compared with the truth's; draw the people with their truth (--truth)")
    depth, alpha = drawn_depth(posed, picture)
    truth = torch.from_numpy(picture.truth.depth).to(depth)
    _, matte = pixels(picture, depth.device)
    both = (matte > FOREGROUND) & (truth > 0) & (alpha > FOREGROUND) & (hidden_of(picture, depth.device) == 0)
    return 1000 * float((depth - truth)[both].abs().mean()) if both.any() else None
