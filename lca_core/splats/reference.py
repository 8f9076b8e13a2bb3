"""The definition of a correct picture: EWA splatting in plain, differentiable PyTorch, any float type.

Every other backend is held to this one. It follows gsplat 1.5.3's conventions to the letter: perspective
projection with the Jacobian's direction clamped 30 % outside the image, `eps2d` px^2 added to the projected
covariance, Gaussians nearer than `near_plane` or beyond `far_plane` dropped, alpha = min(0.999, opacity *
exp(-sigma)) ignored below 1/255, compositing front to back until the next splat would leave a transmittance
<= 1e-4 (that splat is not drawn), pixel centres at +0.5. Draw order is camera z, equal z by index.

gsplat's bounding boxes are not repeated here: for opacities in [0, 1] they hold every pixel with
alpha >= 1/255, so they save time and change nothing. Cost is pixels x Gaussians: for tests and small scenes.
Method: Zwicker et al., EWA Volume Splatting, 2001; Kerbl et al., 3D Gaussian Splatting, 2023.
"""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

EPS2D = 0.3  # px^2, added to the projected covariance unless told otherwise: no splat is narrower than about a pixel
# The kernels compile these numbers in, and their cache does not notice changes of this file: after one, delete
# __pycache__/*.nb[ci] (or NUMBA_CACHE_DIR).
ALPHA_MAX = 0.999
ALPHA_MIN = 1.0 / 255.0
TRANSMITTANCE_MIN = 1e-4
FOV_MARGIN = 0.3  # of half the image, beyond which the projection's Jacobian no longer follows the mean
_PAIRS_AT_ONCE = 4_000_000  # pixel-Gaussian pairs held in memory together


def quats_to_rotations(quats: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation matrices of wxyz quaternions, which are normalised first."""
    import roma  # slow to import (torch's compiler comes along), and the kernels do without

    unit = torch.nn.functional.normalize(quats, dim=-1)
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(unit))


def _project(means, quats, scales, viewmat, K, width, height, eps2d):
    """Pixel means [N, 2] and conics (a, b, c) [N, 3] of Gaussians in front of one camera."""
    rotation, translation = viewmat[:3, :3], viewmat[:3, 3]
    x, y, z = (means @ rotation.T + translation).unbind(-1)
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    margin_x, margin_y = FOV_MARGIN * 0.5 * width / fx, FOV_MARGIN * 0.5 * height / fy
    tx = z * torch.clamp(x / z, min=-(cx / fx + margin_x), max=(width - cx) / fx + margin_x)
    ty = z * torch.clamp(y / z, min=-(cy / fy + margin_y), max=(height - cy) / fy + margin_y)
    zero = torch.zeros_like(z)
    jacobian = torch.stack([fx / z, zero, -fx * tx / z**2, zero, fy / z, -fy * ty / z**2], dim=-1).unflatten(-1, (2, 3))
    spread = jacobian @ rotation @ (quats_to_rotations(quats) * scales[:, None, :])  # [N, 2, 3]
    covariance = spread @ spread.transpose(-1, -2)
    a, b, c = covariance[:, 0, 0] + eps2d, covariance[:, 0, 1], covariance[:, 1, 1] + eps2d
    determinant = a * c - b * b
    conics = torch.stack([c, -b, a], dim=-1) / determinant[:, None]
    return torch.stack([fx * x / z + cx, fy * y / z + cy], dim=-1), conics


def _composite(pixels, means2d, conics, opacities, colors, background):
    """Colours [P, D] and alphas [P, 1] at pixel centres [P, 2]; Gaussians in drawing order."""
    dx, dy = (pixels[:, None] - means2d[None]).unbind(-1)  # [P, N]
    sigma = 0.5 * (conics[:, 0] * dx * dx + conics[:, 2] * dy * dy) + conics[:, 1] * dx * dy
    alpha = torch.clamp(opacities * torch.exp(-sigma), max=ALPHA_MAX)
    alpha = alpha * (alpha >= ALPHA_MIN)
    after = torch.cumprod(1 - alpha, dim=1)
    alpha = alpha * (after > TRANSMITTANCE_MIN)  # `after` only falls, so this is the early stop
    transmittance = torch.cat([pixels.new_ones(len(pixels), 1), torch.cumprod(1 - alpha, dim=1)], dim=1)
    left = transmittance[:, -1:]
    return (alpha * transmittance[:, :-1]) @ colors + left * background, 1 - left


def render_reference(
    means: Float[Tensor, "batch N 3"],
    quats: Float[Tensor, "batch N 4"],
    scales: Float[Tensor, "batch N 3"],
    opacities: Float[Tensor, "batch N"],
    colors: Float[Tensor, "batch N D"] | Float[Tensor, "batch C N D"],
    viewmats: Float[Tensor, "batch C 4 4"],
    Ks: Float[Tensor, "batch C 3 3"],
    background: Float[Tensor, "batch C D"],
    width: int,
    height: int,
    near_plane: float,
    far_plane: float,
    eps2d: float,
) -> tuple[Float[Tensor, "batch C H W D"], Float[Tensor, "batch C H W 1"]]:
    """Colours and alphas of every camera of every batch element, in the type of `means`; N >= 1."""
    u, v = (0.5 + torch.arange(size, dtype=means.dtype, device=means.device) for size in (width, height))
    pixels = torch.stack(torch.meshgrid(v, u, indexing="ij")[::-1], dim=-1).reshape(-1, 2)
    images, coverages = [], []
    for item, camera in product(range(len(means)), range(viewmats.shape[1])):
        viewmat, back = viewmats[item, camera], background[item, camera]
        z = (means[item] @ viewmat[2, :3] + viewmat[2, 3]).detach()
        order = torch.argsort(z, stable=True)
        order = order[(z[order] >= near_plane) & (z[order] <= far_plane)]
        splats = _project(
            means[item][order], quats[item][order], scales[item][order], viewmat, Ks[item, camera], width, height, eps2d
        )
        mine = colors[item] if colors.ndim == 3 else colors[item, camera]
        splats = (*splats, opacities[item][order], mine[order])
        parts = pixels.split(max(1, _PAIRS_AT_ONCE // max(1, len(order))))
        image, alpha = map(torch.cat, zip(*(_composite(part, *splats, back) for part in parts)))
        images.append(image.reshape(height, width, -1))
        coverages.append(alpha.reshape(height, width, 1))
    shape = (len(means), viewmats.shape[1])
    return torch.stack(images).unflatten(0, shape), torch.stack(coverages).unflatten(0, shape)
