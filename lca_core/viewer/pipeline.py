"""The pipeline as a drawing, with the stages lit that one is at: the head of every notebook."""

from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lca_core.errors import InputError


class Stage(NamedTuple):
    """A box: its middle, in columns and rows of the drawing, and the notebook that is about it ("" for none)."""

    x: float
    y: float
    notebook: str = ""


# Above, what makes the weights, once; below, what makes and moves an avatar.
STAGES = {
    "digital humans": Stage(0, 2, "02"),
    "curation": Stage(0, 1, "03"),
    "records": Stage(1, 1.5),
    "pretraining": Stage(2, 1.5, "05"),
    "post-training": Stage(3, 1.5, "06"),
    "weights": Stage(4, 1.5),
    "evaluation": Stage(6, 1.5, "07"),
    "scaling": Stage(5, 1.5, "08"),
    "photographs": Stage(1, 0, "00"),
    "model": Stage(2.5, 0, "04"),
    "avatar": Stage(4, 0),
    "driving": Stage(5, 0, "13"),
    "drawing": Stage(6, 0, "01"),
    "light": Stage(5, -0.8, "10"),
    "loose garments": Stage(4, -0.8, "11"),
    "attention": Stage(2.5, -0.8, "09"),
    "style": Stage(1, -0.8, "12"),
}
ARROWS = (
    ("digital humans", "records"), ("curation", "records"), ("records", "pretraining"),
    ("pretraining", "post-training"), ("post-training", "weights"), ("weights", "model"), ("photographs", "model"),
    ("model", "avatar"), ("avatar", "driving"), ("driving", "drawing"), ("drawing", "evaluation"),
    ("style", "photographs"), ("light", "driving"), ("loose garments", "driving"),
    ("evaluation", "scaling"), ("model", "attention"),
)  # fmt: skip
_HALF = (0.42, 0.26)  # of a box's width and height
_LIT, _DARK = "gold", "white"


def pipeline(*lit: str) -> Figure:
    """The pipeline with some of its `STAGES` lit; InputError for a name that is none.

    The numbers are those of the notebooks. `save_figure` writes it as PNG.
    """
    unknown = [name for name in lit if name not in STAGES]
    if unknown:
        raise InputError(f"no stage is called {', '.join(unknown)}; there are {', '.join(STAGES)}")
    figure, axis = plt.subplots(figsize=(10.5, 2.6), layout="tight")
    for start, end in ARROWS:
        tail, head = _ends(STAGES[start], STAGES[end])
        axis.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": "dimgray", "shrinkA": 0, "shrinkB": 0})
    for name, stage in STAGES.items():
        _box(axis, name, stage, _LIT if name in lit else _DARK)
    axis.set(xlim=(-0.5, 6.5), ylim=(-1.15, 2.35))
    axis.set_axis_off()
    return figure


def _box(axis: plt.Axes, name: str, stage: Stage, color: str) -> None:
    width, height = _HALF
    corner = (stage.x - width, stage.y - height)
    axis.add_patch(plt.Rectangle(corner, 2 * width, 2 * height, facecolor=color, edgecolor="black", lw=0.9))
    axis.text(stage.x, stage.y, name, ha="center", va="center", fontsize=9)
    if stage.notebook:
        corner = (stage.x + width - 0.03, stage.y - height + 0.04)
        axis.text(*corner, stage.notebook, ha="right", va="bottom", fontsize=6, color="dimgray")


def _ends(start: Stage, end: Stage) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow from box to box leaves the one and meets the other: on the line between their middles."""
    dx, dy = end.x - start.x, end.y - start.y
    share = min(half / abs(d) for half, d in zip(_HALF, (dx, dy)) if d)
    return (start.x + share * dx, start.y + share * dy), (end.x - share * dx, end.y - share * dy)
