"""The method, drawn (the paper's Figure 2): photographs to an avatar, once per person; a signal to pictures, every
frame.

Boxes with a dashed edge are ours, not the paper's.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from lca_core.evaluation.figures.style import INK, LARGE, LIGHT, SMALL, styled

WIDTH, HEIGHT = 11.3, 4.7  # inches, which are also the units of the places below
PAPERS, OURS, GIVEN = "paper", "ours", "given"

# name -> (centre x, centre y, width, height, kind, text)
BOXES = {
    "photographs": (0.95, 3.85, 1.5, 0.8, GIVEN, "N photographs:\nbody and face crop"),
    "anchors": (0.95, 2.45, 1.5, 0.8, GIVEN, "G anchors on\nthe template body"),
    "image tokens": (2.85, 3.85, 1.6, 0.8, PAPERS, "image tokens:\nfeatures and pixels,\none linear layer"),
    "geometry tokens": (2.85, 2.45, 1.6, 0.8, PAPERS, "geometry tokens:\nencoded places, MLP"),
    "alignment": (2.85, 1.3, 1.6, 0.72, OURS, "pixel alignment:\nwhat anchors see"),
    "encoder": (4.9, 3.15, 1.7, 1.9, PAPERS, "encoder, L times\n\nattention: image,\ngeometry,\nmultimodal"),
    "colours": (4.9, 1.3, 1.7, 0.72, OURS, "colour reading:\npatches' own RGB"),
    "canonical": (6.95, 3.85, 1.6, 0.8, PAPERS, "canonical branch:\ncolour, place, rotation,\nscale, opacity"),
    "again": (6.95, 2.87, 1.6, 0.66, OURS, "looking again: second\nlook, gradient steps"),
    "driven": (6.95, 1.72, 1.6, 0.8, PAPERS, "driven branch:\nchanges of all\nbut opacity"),
    "signal": (6.95, 0.68, 1.9, 0.6, GIVEN, "body and hands $\\theta$, face $\\epsilon$,\ngaze $\\psi$"),
    "skinning": (8.85, 1.72, 1.4, 0.8, PAPERS, "skinning\n(loose garments:\nnode graph)"),
    "splatting": (10.35, 1.72, 1.1, 0.8, PAPERS, "splatting"),
    "pictures": (10.35, 0.68, 1.3, 0.6, GIVEN, "pictures, alpha,\ndepth"),
}  # fmt: skip
ARROWS = (
    ("photographs", "image tokens"), ("anchors", "geometry tokens"), ("image tokens", "encoder"),
    ("geometry tokens", "encoder"), ("alignment", "geometry tokens"), ("colours", "encoder"), ("encoder", "canonical"),
    ("encoder", "driven"), ("again", "canonical"), ("canonical", "skinning"), ("signal", "driven"),
    ("driven", "skinning"), ("skinning", "splatting"), ("splatting", "pictures"),
)  # fmt: skip
EVERY_FRAME = (5.9, 0.28, 5.25, 2.24)  # left, bottom, width, height of what is done every frame
_STYLE = {PAPERS: {"facecolor": "#f2f2f2", "linestyle": "-"}, OURS: {"facecolor": "white", "linestyle": "--"},
          GIVEN: {"facecolor": LIGHT, "linestyle": "-"}}  # fmt: skip
ALT = (
    "A diagram from left to right. N photographs become image tokens; anchors on the template body become geometry "
    "tokens; an encoder of L layers lets the geometry tokens read the image tokens. A canonical branch makes Gaussians "
    "of them once per person, a driven branch changes these every frame by body, hands, face and gaze; skinning and "
    "splatting draw pictures. Ours, with dashed edges: pixel alignment into the geometry tokens, colour reading beside "
    "the encoder, and looking again at the photographs after the canonical branch."
)


def method_figure() -> Figure:
    """The diagram; nothing in it is measured."""
    with styled():
        figure = plt.figure(figsize=(WIDTH, HEIGHT))
        axis = figure.add_axes((0, 0, 1, 1))
        axis.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        axis.set_axis_off()
        left, bottom, width, height = EVERY_FRAME
        axis.add_patch(FancyBboxPatch((left, bottom), width, height, "round,pad=0,rounding_size=0.1", lw=0,
                                      facecolor="#fafafa", zorder=0))  # fmt: skip
        axis.text(left + width - 0.12, bottom + height - 0.08, "every frame", ha="right", va="top", fontsize=LARGE)
        axis.text(0.2, HEIGHT - 0.1, "once per person", ha="left", va="top", fontsize=LARGE)
        for x, y, width, height, kind, text in BOXES.values():
            corner = (x - width / 2, y - height / 2)
            axis.add_patch(FancyBboxPatch(corner, width, height, "round,pad=0,rounding_size=0.06", edgecolor=INK,
                                          lw=1.0, **_STYLE[kind]))  # fmt: skip
            axis.text(x, y, text, ha="center", va="center", fontsize=SMALL, linespacing=1.25)
        for start, end in ARROWS:
            _arrow(axis, *_edges(BOXES[start], BOXES[end]))
        legend = ((PAPERS, "the paper's"), (OURS, "ours, optional"), (GIVEN, "given and made"))
        for number, (kind, text) in enumerate(legend):
            corner = (0.2 + 1.55 * number, 0.28)
            axis.add_patch(FancyBboxPatch(corner, 0.26, 0.18, "round,pad=0,rounding_size=0.04", edgecolor=INK, lw=1.0,
                                          **_STYLE[kind]))  # fmt: skip
            axis.text(corner[0] + 0.34, corner[1] + 0.09, text, va="center", fontsize=SMALL)
    return figure


def _edges(one: tuple, other: tuple) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves one box and enters another: from side to side; from top to bottom where they stand above
    each other; from the side onto the top of a box that lies far below."""
    (x, y, width, height, *_), (u, v, other_width, other_height, *_) = one, other
    if abs(x - u) < 0.1:
        sign = 1 if v > y else -1
        return (x, y + sign * height / 2), (u, v - sign * other_height / 2)
    if y - v > 2:
        return (x + width / 2, y), (u, v + other_height / 2)
    reach = min(max(y, v - other_height / 2 + 0.15), v + other_height / 2 - 0.15)
    return (x + width / 2, y), (u - other_width / 2, reach)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color=INK, lw=1.0, shrinkA=0,
                                   shrinkB=1))  # fmt: skip
