"""Where cloth lies on a garment's texture.

A texture is EXTENT metres of cloth wide and high, v upwards, and repeats. A garment's body, unrolled about its axis,
has its front middle at u = 0.8 and its seam at the back; angles about the axis become metres by RADIUS:

    chart     u                                 v
    "top"     0.8 + angle * RADIUS["top"]       TORSO_V + height above (hip - 0.06)
    "coat"    0.8 + angle * RADIUS["coat"]      COAT_V + height above (hip - 0.06), so that it can reach the knees
    sleeves   SLEEVE_U + length from shoulder   SLEEVE_AXIS_V + angle * RADIUS["sleeve"]   (of both charts)
    "bottom"  0.8 + angle * RADIUS["bottom"]    WAIST_V + height above the waist; angle about a leg, outwards
    "skirt"   0.8 + angle * RADIUS["skirt"]     WAIST_V + height above the waist

All in metres; divide by EXTENT for texture coordinates. Rows above SLEEVE_V belong to the sleeves.
"""

from dataclasses import dataclass

import numpy as np

EXTENT = 1.6
FRONT_U = EXTENT / 2
TORSO_V, COAT_V, WAIST_V = 0.05, 0.36, 1.3
SLEEVE_V, SLEEVE_AXIS_V, SLEEVE_U = 1.02, 1.27, 0.28
RADIUS = {"top": 0.155, "coat": 0.155, "sleeve": 0.055, "bottom": 0.09, "skirt": 0.19}
CHARTS = ("top", "bottom", "skirt", "coat")


@dataclass(frozen=True)
class Edges:
    """Where a garment ends on its chart, metres; None leaves out what is sewn there.

    hem: v of the lower end (of torso, leg or skirt); cuff: u of the sleeves' ends; neck: v of the base of the neck;
    front: half the width of a coat's opening.
    """

    hem: float | None = None
    cuff: float | None = None
    neck: float = TORSO_V + 0.57
    front: float | None = None


@dataclass(frozen=True)
class Panel:
    """Rows of a texture that are one piece of cloth. around: 0 at the front middle, and along: metres, one of shape
    [h, 1] and the other [1, w]; end: where it ends on `along`, and the direction of the cloth from there."""

    rows: slice
    around: np.ndarray
    along: np.ndarray
    radius: float
    texel: float
    end: float | None
    inward: float

    @property
    def shape(self) -> tuple[int, int]:
        return np.broadcast_shapes(self.around.shape, self.along.shape)

    def window(self, around: tuple[float, float], along: tuple[float, float]):
        """(rows and columns of the panel, around, along) within these bounds."""
        spans = []
        for axis, (low, high) in ((self.around, around), (self.along, along)):
            inside = np.flatnonzero((axis.ravel() >= low) & (axis.ravel() <= high))
            spans.append(slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0))
        if self.around.shape[0] == 1:
            return (spans[1], spans[0]), self.around[:, spans[0]], self.along[spans[1]]
        return (spans[0], spans[1]), self.around[spans[0]], self.along[:, spans[1]]


def panels(chart: str, px: int, edges: Edges) -> list[Panel]:
    """The pieces of cloth that a chart is cut into, from the texture's rows of px texels."""
    texel = EXTENT / px
    axis = (np.arange(px, dtype=np.float32) + 0.5) * texel
    u, v = axis[None, :] - FRONT_U, axis[::-1, None]
    radius = RADIUS[chart]
    if chart in ("bottom", "skirt"):
        return [Panel(slice(0, px), u, v, radius, texel, edges.hem, 1.0)]
    split = int((v > SLEEVE_V).sum())
    sleeve = Panel(slice(0, split), v[:split] - SLEEVE_AXIS_V, axis[None, :], RADIUS["sleeve"], texel, edges.cuff, -1.0)
    return [Panel(slice(split, px), u, v[split:], radius, texel, edges.hem, 1.0), sleeve]
