"""What garments are made of: weave, prints, seams and stitching painted into a garment's texture.

See `charts` for where cloth lies on a texture.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from lca_core.people.clothes.charts import (
    CHARTS,
    COAT_V,
    EXTENT,
    FRONT_U,
    RADIUS,
    SLEEVE_AXIS_V,
    SLEEVE_U,
    SLEEVE_V,
    TORSO_V,
    WAIST_V,
    Edges,
    Panel,
    panels,
)
from lca_core.people.clothes.figure import GOWNS
from lca_core.people.clothes.prints import cloud, logo_ink, mix, pattern_ink, wave
from lca_core.people.clothes.sewing import sew
from lca_core.people.who.spec import Garment

__all__ = [
    "CHARTS",
    "COAT_V",
    "EXTENT",
    "FRONT_U",
    "RADIUS",
    "SLEEVE_AXIS_V",
    "SLEEVE_U",
    "SLEEVE_V",
    "TORSO_V",
    "WAIST_V",
    "Edges",
    "Fabric",
    "paint",
]

_STREAM = 30
_WALES = (0.0055, 0.0075, 0.010)  # metres, the widths of knitted ribs
_SHEEN = {"cotton": (0.9, 0.03), "denim": (0.85, 0.04), "knit": (0.95, 0.02), "leather": (0.40, 0.45),
          "satin": (0.32, 0.45)}  # fmt: skip


@dataclass(frozen=True)
class Fabric:
    """albedo: uint8 [px, px, 3] sRGB; roughness and specular as a Surface has them."""

    albedo: np.ndarray
    roughness: float
    specular: float


def paint(garment: Garment, chart: str, px: int, seed: int, edges: Edges | None = None) -> Fabric:
    """The garment's fabric laid out as a chart of CHARTS, in a texture of px by px texels (0.2 s at 1024).

    edges: where hems and cuffs are to be sewn. The design depends on the seed alone, whatever px. ValueError for a
    chart that there is not.
    """
    if chart not in CHARTS:
        raise ValueError(f"cloth is painted for one of the charts {CHARTS}, not {chart!r}")
    edges = edges or Edges()
    picture = np.empty((px, px, 3), np.uint8)
    palette = [np.asarray(color, np.float32) for color in garment.colors]
    if garment.fabric == "denim":
        palette = [_indigo(color) for color in palette]
    bolt = CHARTS.index("skirt" if garment.kind in GOWNS else chart)  # of cloth: a dress is all of one
    for panel in panels(chart, px, edges):
        # Made anew for each panel: sleeves are cut of the torso's cloth.
        design, grain = (np.random.default_rng([seed, _STREAM + bolt, k]) for k in range(2))
        wale = design.choice(_WALES)
        color = _dye(garment, palette, panel, design)
        color *= _weave(garment, chart, panel, wale, grain)[..., None]
        sew(garment, palette, chart, panel, edges, color, design)
        picture[panel.rows] = (color.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return Fabric(picture, *_SHEEN[garment.fabric])


def _indigo(color: np.ndarray) -> np.ndarray:
    """The blue that denim of about this colour has."""
    luma = 0.05 + 0.70 * float(color @ [0.299, 0.587, 0.114])
    blue = [np.interp(luma, [0, 0.3, 0.7, 1], ramp) for ramp in
            ([0.06, 0.21, 0.60, 0.90], [0.07, 0.30, 0.69, 0.90], [0.10, 0.46, 0.79, 0.88])]  # fmt: skip
    return (0.15 * color + 0.85 * np.array(blue)).astype(np.float32)


def _dye(garment: Garment, palette: list, panel: Panel, rng: np.random.Generator) -> np.ndarray:
    """Colour [h, w, 3] before weave and seams."""
    color = np.empty((*panel.shape, 3), np.float32)
    color[:] = palette[0]
    period = EXTENT / (2 * round(EXTENT / garment.scale / 2))  # whole periods, so that the texture repeats
    if garment.pattern == "logo":
        if panel.inward > 0:
            _print_logo(garment, palette, panel, color, rng)
        return color
    inks = pattern_ink(garment.pattern, panel.around, panel.along, period, panel.texel, rng)
    for ink, dye in zip(inks, palette[1:], strict=True):
        if np.ndim(ink):
            mix(color, dye, ink)
    return color


def _print_logo(garment: Garment, palette: list, panel: Panel, color: np.ndarray, rng: np.random.Generator) -> None:
    radius = 0.04 + 0.7 * garment.scale
    small = rng.random() < 0.25  # on the left breast
    if small:
        radius *= 0.4
    across = 0.075 if small else 0.0
    height = TORSO_V + 0.40 + 0.02 * rng.uniform(-1, 1)
    bounds = 1.1 * radius
    place, around, along = panel.window((across - bounds, across + bounds), (height - bounds, height + bounds))
    inks = logo_ink((around - across) / radius, (along - height) / radius, panel.texel / radius, rng)
    for ink, dye in zip(inks, palette[1:], strict=True):
        mix(color[place], dye, ink)


def _weave(garment: Garment, chart: str, panel: Panel, wale: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness [h, w] about 1: threads, ribs or grain, and how evenly the cloth has worn. wale: metres of a rib."""
    shape, texel = panel.shape, panel.texel
    across = panel.around.shape.index(max(panel.around.shape))
    noise = rng.standard_normal(shape, dtype=np.float32)
    threads = uniform_filter1d(noise, 9, axis=1 - across, mode="wrap")  # runs along the garment
    large = 0.6 * cloud(rng, shape, 0.13 / texel) + 0.4 * cloud(rng, shape, 0.05 / texel)
    if garment.fabric == "denim":
        shade = 1 + 0.06 * noise + 0.13 * threads + 0.04 * large
        shade += 0.05 * wave(panel.around + panel.along, 0.0024, texel)
        fresh = 1.2 * (1 - float(_indigo(np.asarray(garment.colors[0])).mean()))  # how much there is to wash out
        return shade * (1 + fresh * _wash(chart, panel, large))
    if garment.fabric == "knit":
        lean = np.abs(panel.around / wale % 1 - 0.5) * wale
        stitch = wave(panel.along + 0.8 * lean, 0.8 * wale, texel)
        shade = 0.97 + 0.11 * wave(panel.around, wale, texel) + 0.07 * stitch
        return shade + 0.03 * noise + 0.03 * large
    if garment.fabric == "leather":
        grain = uniform_filter1d(uniform_filter1d(noise, 3, axis=0, mode="wrap"), 3, axis=1, mode="wrap")
        middle = cloud(rng, shape, 0.022 / texel)
        return 1 + 0.09 * grain + 0.05 * middle + 0.09 * large
    if garment.fabric == "satin":
        return 1 + 0.05 * threads + 0.04 * large
    weft = uniform_filter1d(noise, 9, axis=across, mode="wrap")
    weave = wave(panel.around, 0.0012, texel) * wave(panel.along, 0.0012, texel)
    return 1 + 0.016 * noise + 0.045 * threads + 0.035 * weft + 0.05 * weave + 0.04 * large


def _wash(chart: str, panel: Panel, large: np.ndarray) -> np.ndarray:
    """How much lighter washing has made denim: thighs, knees and seat; elsewhere here and there."""
    if chart != "bottom":
        return 0.06 * large

    def spot(u, v, wide, high):
        return np.exp(-np.square((panel.around - u) / wide) - np.square((panel.along - v) / high))

    seat = np.pi * panel.radius - 0.05
    worn = 0.40 * spot(0.0, 0.93, 0.055, 0.14) + 0.16 * spot(0.0, 0.68, 0.05, 0.06)
    worn += 0.16 * (spot(seat, 1.05, 0.06, 0.08) + spot(-seat, 1.05, 0.06, 0.08))
    return worn * (1 + 0.35 * large) + 0.04 * large
