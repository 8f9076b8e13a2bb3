"""Relighting: a second decoder, from the same tokens to what light makes of the Gaussians (the paper's extension).

Colours hold the light that the photographs were taken in. What is decoded beside them says what would be left without
it, as a ratio, so that every detail of a colour stays; a normal; what of the light reaches it; a highlight: a
`Material`. To divide a light out one has to know it: colours of all anchors over their normals tell it, as far as the
person is of one colour, and a mean over all anchors of what was read of each says the rest. It is learned from people
in the studio under known lights, with everything else left as it is, and used on anybody.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.model.claims import Claim
from lca_core.model.harmonics import HARMONICS, NORMAL, harmonics
from lca_core.model.part import Part
from lca_core.model.posing import Posed
from lca_core.model.precision import full_precision
from lca_core.model.raw import COLOR, OPACITY
from lca_core.model.shading import Material, anchor_turns, shade, to_linear
from lca_core.splats import Gaussians

_HIDDEN = 128
_BANDS = 9  # harmonics of degrees 0 to 2: what an even surface shows of any light
_EVEN = 1e-3  # ridge of the fit of light to the anchors' colours
_DARK = 0.02  # linear light added before logarithms: under it nothing is told from noise
_RATIO, _FILL, _GLOSS, _SHARPNESS = 0.2, -5.0, -4.0, 2.0  # logarithms that a material starts with
_SHARPEST = 64.0
_OWN = 0.2  # of what is said of a Gaussian beside what is said of its anchor: light is smoother than colour
_BEHIND, _ROUGH = 0.3, 0.1  # weights of the penalties
_OUTPUTS = (3, 3, HARMONICS, 1, 1, 1)  # ratio, normal, transfer, fill, gloss, sharpness
_UNITS = (1.0, 0.5, 0.5, 1.0, 1.0, 0.5)  # of an output of 1


class Relighting(Part):
    """Tokens and canonical colours to materials, and posed Gaussians under a light."""

    claim = Claim("decoders", hidden=("pooled", "mixed"))
    stored = torch.float16

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        self.read = nn.Linear(width + 4 * 3, _HIDDEN)
        self.pooled = nn.Linear(_HIDDEN, _HIDDEN)
        self.mixed = nn.Linear(_HIDDEN, _HIDDEN)
        self.shared = nn.Linear(_HIDDEN, sum(_OUTPUTS))
        self.own = nn.Linear(_HIDDEN, per_anchor * sum(_OUTPUTS))
        for last in (self.shared, self.own):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def material(
        self, raw: Float[Tensor, "*B G k 14"], tokens: Float[Tensor, "*B G D"], frames: Float[Tensor, "G k 4"]
    ) -> Material:
        """Of canonical numbers; frames: quaternions wxyz of the skin's frames in the T-pose, whose third axis is its
        normal."""
        with full_precision(raw):
            skin = third_axes(frames)
            colors = to_linear(raw[..., COLOR].sigmoid())
            opacities = raw[..., OPACITY].sigmoid()
            mean = (opacities * colors).sum(-2) / opacities.sum(-2).clamp(min=1e-3)
            normals = F.normalize(skin.mean(-2), dim=-1)
            light = light_on(mean, opacities.sum((-2, -1)), normals)
            overall = mean.mean(-2, keepdim=True).expand_as(mean)
            brightness = [(x.clamp(min=0) + _DARK).log() for x in (mean, light, overall)]
            x = torch.cat([tokens.to(raw), *brightness, normals.expand_as(mean)], -1)
            x = F.gelu(self.read(x))
            x = x + F.gelu(self.pooled(x).mean(-2, keepdim=True) + self.mixed(x))
            own = self.own(x).unflatten(-1, (self.per_anchor, -1))
            return self._material(self.shared(x)[..., None, :] + _OWN * own, skin)

    def _material(self, out: Float[Tensor, "*B G k O"], skin: Float[Tensor, "G k 3"]) -> Material:
        scaled = [unit * values for unit, values in zip(_UNITS, out.split(_OUTPUTS, -1))]
        ratio, bent, transfer, fill, gloss, sharpness = scaled
        normals = F.normalize(skin + bent, dim=-1)
        transfer = transfer + F.pad(normals, (NORMAL.start, HARMONICS - NORMAL.stop))
        return Material(
            ratio=(_RATIO + ratio).exp(), normals=normals, transfer=transfer, fill=(_FILL + fill[..., 0]).exp(),
            gloss=(_GLOSS + gloss[..., 0]).exp(), sharpness=(_SHARPNESS + sharpness[..., 0]).exp().clamp(max=_SHARPEST),
        )  # fmt: skip

    def losses(self, posed: Posed, batch) -> dict[str, Tensor]:
        """Where light was asked for: what lamps throw on surfaces from behind, and how far neighbours differ."""
        if posed.material is None:
            return {}
        return {"behind": _BEHIND * behind(posed.material), "rough": _ROUGH * rough(posed.material)}

    def under(
        self,
        posed: Gaussians,
        material: Material,
        weights: Float[Tensor, "*W N 55"],
        transforms: Float[Tensor, "*#F 55 4 4"],
        lamps: Float[Tensor, "*#F M 6"],
        eye: Float[Tensor, "*#F 3"] | None = None,
    ) -> Gaussians:
        """Posed Gaussians [*F, N] as they look under lamps; weights and transforms: those that posed them."""
        with full_precision(posed.colors):
            turns = anchor_turns(weights, transforms, material.fill.shape[-2])
            colors = shade(posed.colors, posed.means, material, turns, lamps, eye)
        return Gaussians(posed.means, posed.quats, posed.scales, posed.opacities, colors)


def third_axes(quats: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B 3"]:
    """Where unit quaternions wxyz turn the z axis."""
    w, x, y, z = quats.unbind(-1)
    return torch.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], -1)


def light_on(
    colors: Float[Tensor, "*B G 3"], weights: Float[Tensor, "*B G"], normals: Float[Tensor, "G 3"]
) -> Float[Tensor, "*B G 3"]:
    """What surfaces of one mean colour would show where the anchors are, if the difference between colours in linear
    light is the light's alone: the fit of harmonics of degree 2 over the normals (Ramamoorthi and Hanrahan 2001,
    https://doi.org/10.1145/383259.383317)."""
    basis = harmonics(normals)[..., :_BANDS]
    weighted = weights[..., None] / weights.sum(-1).clamp(min=1e-6)[..., None, None] * basis
    ridge = _EVEN * torch.eye(_BANDS, dtype=colors.dtype, device=colors.device)
    return basis @ torch.linalg.solve(weighted.mT @ basis + ridge, weighted.mT @ colors)


def behind(material: Material) -> Float[Tensor, ""]:
    """Mean square of what a lamp behind a surface throws on it: a penalty, where few lights are known."""
    toward = F.normalize(material.normals.new_tensor(_ASKED), dim=-1)
    falls = (material.transfer @ harmonics(toward).mT).relu()
    away = (-(material.normals @ toward.mT)).clamp(min=0)
    return (away * falls).square().mean()


def rough(material: Material) -> Float[Tensor, ""]:
    """Mean square by which the Gaussians of an anchor differ in the logarithm of their ratio, and in what transfer has
    beside the cosine: few pictures cannot tell them apart."""
    ratio = material.ratio.log()
    beside = material.transfer - F.pad(material.normals, (NORMAL.start, HARMONICS - NORMAL.stop))
    return sum((x - x.mean(-2, keepdim=True)).square().sum(-1).mean() for x in (ratio, beside))


_ASKED = [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)]
