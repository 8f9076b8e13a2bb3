"""The Gaussians type: what avatars are made of and what the rasteriser draws."""

from dataclasses import dataclass, fields, replace

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Gaussians:
    """N 3D Gaussians, with any leading batch dimensions.

    means: metres; quats: wxyz, need not be unit length; scales: standard deviations in metres along the
    Gaussian's own axes; opacities in [0, 1]; colors: any D channels, sRGB in [0, 1] when D = 3.
    """

    means: Float[Tensor, "*#batch N 3"]
    quats: Float[Tensor, "*#batch N 4"]
    scales: Float[Tensor, "*#batch N 3"]
    opacities: Float[Tensor, "*#batch N"]
    colors: Float[Tensor, "*#batch N D"]

    def __len__(self) -> int:
        return self.means.shape[-2]

    def map(self, function) -> "Gaussians":
        """Apply `function` to every tensor, e.g. `g.map(lambda t: t.detach().cpu())`."""
        return replace(self, **{f.name: function(getattr(self, f.name)) for f in fields(self)})
