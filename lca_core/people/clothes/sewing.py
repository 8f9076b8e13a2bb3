"""Seams, stitches, hems, pockets, buttons and zips, drawn into painted cloth."""

import numpy as np

from lca_core.people.clothes.charts import COAT_V, TORSO_V, WAIST_V, Edges, Panel
from lca_core.people.clothes.prints import cover, mix, stripes, wave
from lca_core.people.who.spec import Color, Garment

_ORANGE = (0.80, 0.50, 0.20)
_METAL = (0.62, 0.62, 0.64)
_RIBBED = ("sweater", "hoodie", "joggers")
_BUTTONED = ("shirt", "polo", "blouse")


class _Needle:
    """Draws seams and stitches into the colour of one panel."""

    def __init__(self, panel: Panel, color: np.ndarray, thread: np.ndarray | Color, depth: float):
        self.panel, self.color, self.thread, self.depth = panel, color, thread, depth

    def seam(self, distance: np.ndarray, place, strength: float = 0.5) -> None:
        """A crease where distance is 0, with a lighter ridge on either side; `depth` scales how dark it is."""
        texel = self.panel.texel
        crease = cover(distance, 0.0009, texel)
        ridge = cover(np.abs(distance) - 0.0035, 0.0016, texel)
        strength = strength * self.depth
        self.color[place] *= (1 - strength * crease + 0.25 * strength * ridge)[..., None].astype(np.float32)

    def stitch(self, distance: np.ndarray, progress: np.ndarray, place) -> None:
        """A dashed thread where distance is 0."""
        texel, step = self.panel.texel, 0.0042
        dash = 0.7 + 0.5 * wave(progress, step, texel)
        mix(self.color[place], self.thread, np.minimum(cover(distance, 0.0008, texel) * dash, 1))

    def along(self, at: float, stitches: tuple[float, ...] = ()) -> None:
        """A seam that runs along the garment at `at` metres around it, stitched beside."""
        bound = 0.008 + max((abs(s) for s in stitches), default=0.0)
        place, around, along = self.panel.window((at - bound, at + bound), (-np.inf, np.inf))
        self.seam(np.abs(around - at) + 0 * along, place)
        for offset in stitches:
            self.stitch(np.abs(around - at - offset) + 0 * along, along + 0 * around, place)

    def across(self, at: float, seam: bool = True) -> None:
        """A stitched line around the garment; with or without a crease."""
        place, around, along = self.panel.window((-np.inf, np.inf), (at - 0.01, at + 0.01))
        if seam:
            self.seam(np.abs(along - at) + 0 * around, place)
        self.stitch(np.abs(along - at - 0.0035) + 0 * around, around + 0 * along, place)

    def pocket(self, middle: tuple[float, float], half: tuple[float, float], flap: float = 0.0) -> None:
        """A patch with rounded corners sewn on at `middle` (around, along), `half` its width and height."""
        (x, y), (w, h) = middle, half
        place, around, along = self.panel.window((x - w - 0.01, x + w + 0.01), (y - h - 0.01, y + h + 0.01))
        corner = 0.012
        a, b = np.abs(around - x) - w + corner, np.abs(along - y) - h + corner
        depth = np.hypot(a.clip(0), b.clip(0)) + np.minimum(np.maximum(a, b), 0) - corner
        self.seam(np.abs(depth), place)
        self.stitch(np.abs(depth + 0.004), around + along, place)
        if flap:
            line = np.where(depth < 0, np.abs(along - (y + h - flap)), 1.0)
            self.seam(line, place, 0.5)
            self.stitch(np.abs(line - 0.004), around + 0 * along, place)

    def button(self, around_at: float, along_at: float, color: np.ndarray, radius: float = 0.0055) -> None:
        span = 1.6 * radius
        place, around, along = self.panel.window(
            (around_at - span, around_at + span), (along_at - span, along_at + span)
        )
        distance, texel = np.hypot(around - around_at, along - along_at), self.panel.texel
        self.color[place] *= (1 - 0.35 * cover(distance, 1.35 * radius, texel))[..., None]
        mix(self.color[place], color, ((radius - distance) / texel + 0.5).clip(0, 1))
        mix(self.color[place], 0.55 * np.asarray(color), cover(np.abs(distance - 0.0022), 0.0008, texel))


def sew(
    garment: Garment,
    palette: list[np.ndarray],
    chart: str,
    panel: Panel,
    edges: Edges,
    color: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Draw seams, hems, ribbing and what is sewn on into the panel's colour [h, w, 3], in place.

    palette: three sRGB colours [3] as dyed.
    """
    denim, body = garment.fabric == "denim", panel.inward > 0
    bright = float(palette[0].mean())
    thread = palette[0] * np.interp(bright, [0.5, 0.9], [0.72, 0.86]) if bright > 0.25 else palette[0] * 1.5 + 0.05
    thread = np.asarray(_ORANGE if denim else thread, np.float32)
    # White cloth lets light through, so its creases are faint; drawn dark they come out as rows of specks.
    needle = _Needle(panel, color, thread, float(np.interp(bright, [0.5, 0.9], [1.0, 0.4])))
    double = (0.004, 0.009) if denim else ()
    quarter = np.pi / 2 * panel.radius
    for side in (-1, 1) if body else (-1,):  # a sleeve has one seam, below
        if chart != "bottom" or side == 1 or denim:
            needle.along(side * quarter, double)
    if panel.end is not None:
        if garment.fabric == "knit" or garment.kind in _RIBBED:
            _rib(panel, color, 0.055)
        else:
            needle.across(panel.end + panel.inward * (0.022 if body else 0.016), seam=False)
    if not body:
        return
    if chart in ("bottom", "skirt"):
        _sew_bottom(garment, palette, chart, needle, rng)
    elif chart == "coat":
        _sew_coat(garment, palette, needle, edges)
    else:
        _sew_top(garment, palette, needle, edges, rng)


def _rib(panel: Panel, color: np.ndarray, depth: float) -> None:
    """Ribs that hold the cloth's end together, `depth` metres wide."""
    inner = panel.end + panel.inward * depth
    low, high = sorted((panel.end - 0.02 * panel.inward, inner))
    place, around, along = panel.window((-np.inf, np.inf), (low, high))
    shade = 0.94 + 0.14 * wave(around, 0.0085, panel.texel) - 0.25 * cover(np.abs(along - inner), 0.002, panel.texel)
    color[place] *= shade[..., None].astype(np.float32)


def _sew_bottom(garment, palette, chart, needle, rng) -> None:
    panel = needle.panel
    if garment.kind in ("dress", "long_dress"):
        return
    band = WAIST_V - 0.032
    if garment.kind in ("joggers", "leggings"):
        _rib(Panel(panel.rows, panel.around, panel.along, panel.radius, panel.texel, WAIST_V + 0.02, -1.0),
             needle.color, 0.055)  # fmt: skip
        if garment.kind == "joggers" and rng.random() < 0.4:
            place, around, along = panel.window((0.115, 0.17), (-np.inf, band))
            stripe = stripes(around - 0.1215, 0.02, 0.55, panel.texel) + 0 * along
            mix(needle.color[place], palette[1], stripe)
        return
    needle.across(band)
    if chart == "skirt":
        return
    quarter, half_turn = np.pi / 2 * panel.radius, np.pi * panel.radius
    if garment.fabric == "denim":
        place, around, along = panel.window((0.03, quarter), (band - 0.12, band))
        curve = np.abs(np.hypot((around - quarter) / 0.10, (along - band) / 0.075) - 1) * 0.085
        needle.seam(curve, place, 0.5)
        needle.stitch(np.abs(curve - 0.004), around + along, place)
        for middle in (half_turn - 0.045, -half_turn - 0.045):  # one back pocket, on both sides of the seam
            needle.pocket((middle, band - 0.13), (0.062, 0.068))
        return
    place, around, along = panel.window((quarter - 0.05, quarter), (band - 0.15, band))  # slanted pockets
    slant = np.abs((around - quarter + 0.045) - 0.28 * (band - along)) * 0.96
    needle.seam(slant, place, 0.5)
    if garment.kind == "trousers":  # ironed creases
        place, around, along = panel.window((-0.02, 0.02), (-np.inf, band - 0.1))
        ridge = cover(np.abs(around) + 0 * along, 0.0015, panel.texel)
        needle.color[place] *= (1 + 0.10 * ridge)[..., None].astype(np.float32)


def _sew_top(garment, palette, needle, edges, rng) -> None:
    panel = needle.panel
    low = TORSO_V - 0.04 if edges.hem is None else edges.hem
    if garment.kind in _BUTTONED:
        bottom = edges.neck - 0.17 if garment.kind == "polo" else low
        place, around, along = panel.window((-0.03, 0.03), (bottom, edges.neck + 0.1))
        needle.seam(np.abs(around + 0.016) + 0 * along, place)
        needle.stitch(np.abs(np.abs(around) - 0.012) + 0 * along, along + 0 * around, place)
        button = palette[2] if rng.random() < 0.3 else np.array([0.88, 0.86, 0.82], np.float32)
        spacing = 0.055 if garment.kind == "polo" else 0.085
        for height in np.arange(edges.neck - 0.02, bottom + 0.02, -spacing):
            needle.button(0.0, height, button)
        if garment.kind == "shirt":
            needle.pocket((0.085, edges.neck - 0.17), (0.045, 0.052))
    elif garment.kind == "hoodie":
        zipped = garment.pattern == "plain" and rng.random() < 0.6
        needle.pocket((0.0, low + 0.15), (0.15, 0.085))
        if zipped:
            _zip(needle, 0.0, low, edges.neck + 0.05)
        for side in (-1, 1):
            place, around, along = panel.window((-0.1, 0.1), (edges.neck - 0.19, edges.neck))
            cord = np.abs(around - side * (0.035 + 0.06 * (along - edges.neck + 0.19)))
            mix(needle.color[place], palette[1], cover(cord, 0.0028, panel.texel))
            needle.button(side * 0.035, edges.neck - 0.19, np.asarray(_METAL), 0.004)


def _zip(needle: _Needle, at: float, low: float, high: float) -> None:
    """A metal zip on its band."""
    place, around, along = needle.panel.window((at - 0.02, at + 0.02), (low, high))
    texel = needle.panel.texel
    needle.color[place] *= (1 - 0.5 * cover(np.abs(around - at) + 0 * along, 0.008, texel))[..., None]
    teeth = cover(np.abs(around - at), 0.003, texel) * (0.75 + 0.25 * wave(along, 0.005, texel))
    mix(needle.color[place], _METAL, teeth)


def _sew_coat(garment, palette, needle, edges) -> None:
    for side in (-1, 1):
        height = COAT_V + (0.10 if garment.kind == "jacket" else 0.02)
        needle.pocket((side * 0.15, height), (0.07, 0.075), flap=0.045)
        if edges.front is not None:
            needle.along(side * (edges.front + 0.012))
    if edges.front is not None and garment.kind == "jacket":
        _zip(needle, edges.front + 0.004, -np.inf, np.inf)
    elif edges.front is not None:
        button = palette[0] * 0.35
        for height in np.arange(edges.neck - 0.22, edges.neck - 0.70, -0.11):
            needle.button(edges.front + 0.03, height, button, 0.011)
