"""What Gaussians show under a light: their material, the sum over the light's lamps, and the way into linear light.

A Gaussian's colour is its albedo times what falls on it from all lamps, and a highlight. How much of a lamp's light
falls on it is its transfer, a function on the sphere, cut off at zero: to begin with the cosine to the normal, which it
is exactly; what learning adds says what else of the body stands in the way. After precomputed radiance transfer (Sloan
et al. 2002, https://doi.org/10.1145/566654.566612), for Gaussians as in Relightable Gaussian Codec Avatars (Saito et
al. 2024, arXiv 2312.03704). Transfers are told in the T-pose and carried along by the skeleton.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.model.harmonics import NORMAL, harmonics, turning

_TOE = 0.0031308  # linear light below which sRGB is a straight line
_SHINING = 12  # lamps, the brightest, that make highlights: the others' would hardly be seen, and take as long again
_OVER = 0.05  # of what is brighter than a picture can show: a little, so that it still has a gradient


@dataclass(frozen=True)
class Material:
    """What light makes of G anchors with k Gaussians each.

    ratio: albedo over the Gaussian's own colour in linear light; normals: unit vectors in the axes of the T-pose;
    transfer: harmonics of how much of a lamp's light falls on it, by the lamp's direction, in the same axes; fill:
    share of all light that comes round by other surfaces; gloss: strength of the highlight; sharpness: of its lobe, the
    larger the narrower.
    """

    ratio: Float[Tensor, "*B G k 3"]
    normals: Float[Tensor, "*B G k 3"]
    transfer: Float[Tensor, "*B G k 16"]
    fill: Float[Tensor, "*B G k"]
    gloss: Float[Tensor, "*B G k"]
    sharpness: Float[Tensor, "*B G k"]

    def for_views(self) -> "Material":
        """Of B people, each in several views: an axis for the views after the people's."""
        return Material(*(value[:, None] for value in vars(self).values()))


def shade(
    colors: Float[Tensor, "*#F N 3"],
    means: Float[Tensor, "*#F N 3"],
    material: Material,
    turns: Float[Tensor, "*#F G 16 16"],
    lamps: Float[Tensor, "*#F M 6"],
    eye: Float[Tensor, "*#F 3"] | None = None,
) -> Float[Tensor, "*#F N 3"]:
    """sRGB colours of posed Gaussians under lamps (`data.lamps.lamps_of`), N = G k.

    colors: sRGB, as they are without light; means: metres, in the world; turns: of each anchor, from the T-pose to the
    world (`anchor_turns`); eye: where they are looked at from, metres; without, they have no highlights.
    """
    brightest = lamps[..., 3:].sum(-1).argsort(dim=-1, descending=True, stable=True)
    lamps = lamps.take_along_dim(brightest[..., None], -2)
    toward, shown = lamps[..., :3], lamps[..., 3:]
    transfer = (material.transfer @ turns.mT).flatten(-3, -2)  # [*F, N, 16]
    falls = (transfer @ harmonics(toward).mT).relu()  # [*F, N, M]
    light = falls @ shown + material.fill.flatten(-2)[..., None] * shown.sum(-2, keepdim=True)
    linear = to_linear(colors) * material.ratio.flatten(-3, -2) * light
    if eye is not None:
        normals = F.normalize((material.normals @ turns[..., NORMAL, NORMAL].mT).flatten(-3, -2), dim=-1)
        view = F.normalize(eye[..., None, :] - means, dim=-1)
        mirrored = 2 * (normals * view).sum(-1, keepdim=True) * normals - view
        lobe = (material.sharpness.flatten(-2)[..., None] * (mirrored @ toward[..., :_SHINING, :].mT - 1)).exp()
        shine = (lobe * falls[..., :_SHINING]) @ shown[..., :_SHINING, :]
        linear = linear + material.gloss.flatten(-2)[..., None] * shine
    return to_srgb(linear)


def anchor_turns(
    weights: Float[Tensor, "*W N 55"], transforms: Float[Tensor, "*F 55 4 4"], anchors: int
) -> Float[Tensor, "*F G 16 16"]:
    """How harmonics of each of G anchors turn from the T-pose to the world: those of the joints, blended by the mean
    skinning weights of the anchor's Gaussians."""
    mean = weights.unflatten(-2, (anchors, -1)).mean(-2)
    return (mean @ turning(transforms[..., :3, :3]).flatten(-2)).unflatten(-1, (16, 16))


def eyes_of(viewmats: Float[Tensor, "*B 4 4"]) -> Float[Tensor, "*B 3"]:
    """Where cameras are, metres."""
    return -(viewmats[..., :3, :3].mT @ viewmats[..., :3, 3:])[..., 0]


def to_linear(srgb: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """sRGB in [0, 1] to linear light."""
    return torch.where(srgb <= 12.92 * _TOE, srgb / 12.92, ((srgb.clamp(min=12.92 * _TOE) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """Linear light to sRGB; of what is over 1, which a picture cannot show, a twentieth of the rest is left on top."""
    linear = torch.where(linear > 1, 1 + _OVER * (linear - 1), linear)
    return torch.where(linear <= _TOE, 12.92 * linear, 1.055 * linear.clamp(min=_TOE) ** (1 / 2.4) - 0.055)
