"""One style for all figures: tiles in which people are large, labelled rows and columns, two sizes of letters, and no
meaning carried by a colour alone; a sentence for who cannot see a figure is kept beside its file."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from lca_core.data import Picture
from lca_core.judges.metrics import FOREGROUND
from lca_core.paths import atomic_path

PX = 220  # side of a tile
LARGE, SMALL = 10, 8  # points: labels of rows and columns; captions, ticks and legends
DPI = 100
INK, GREY, LIGHT = "#111111", "#777777", "#dddddd"
# Lines and marks are told apart by what they are, not by their tone: (mark, line, tone).
KINDS = (("o", "-", INK), ("s", "--", "#555555"), ("^", ":", "#888888"), ("D", "-.", "#333333"), ("v", "-", "#aaaaaa"))
_MARGIN = 0.04  # of the person's longer side, about them in a tile

Tile = UInt8[np.ndarray, "H W 3"] | None  # None: an empty place


def styled() -> AbstractContextManager:
    """Matplotlib's settings of all figures."""
    plain = {"font.size": SMALL, "axes.labelsize": LARGE, "axes.titlesize": LARGE, "axes.edgecolor": GREY,
             "axes.spines.top": False, "axes.spines.right": False, "legend.fontsize": SMALL, "legend.frameon": False,
             "text.color": INK, "axes.labelcolor": INK, "figure.facecolor": "white"}  # fmt: skip
    return plt.rc_context(plain)


def framed(image: UInt8[np.ndarray, "H W 3"], picture: Picture, px: int = PX) -> UInt8[np.ndarray, "px px 3"]:
    """The square about the person whom a picture shows, of an image as large as that picture: the same part of what was
    drawn and of the truth. The whole image where nobody is."""
    rows, columns = np.nonzero(picture.matte > 255 * FOREGROUND)
    height, width = picture.matte.shape
    if not len(rows):
        return resized(image, px)
    side = (1 + 2 * _MARGIN) * (max(np.ptp(rows), np.ptp(columns)) + 1)
    left, top = ((ends.min() + ends.max() + 1 - side) / 2 for ends in (columns, rows))
    canvas = Image.fromarray(image)
    box = (left, top, left + side, top + side)
    if left < 0 or top < 0 or left + side > width or top + side > height:  # white beyond the edge
        beyond = int(np.ceil(side))
        larger = Image.new("RGB", (width + 2 * beyond, height + 2 * beyond), "white")
        larger.paste(canvas, (beyond, beyond))
        canvas, box = larger, tuple(edge + beyond for edge in box)
    return np.asarray(canvas.resize((px, px), Image.Resampling.LANCZOS, box=box))


def resized(image: UInt8[np.ndarray, "H W 3"], px: int = PX) -> UInt8[np.ndarray, "px px 3"]:
    """A square image at a tile's size."""
    return np.asarray(Image.fromarray(image).resize((px, px), Image.Resampling.LANCZOS))


def as_image(colors: torch.Tensor) -> UInt8[np.ndarray, "H W 3"]:
    """Colours [H, W, 3] in [0, 1] as pixels."""
    return (255 * colors.clamp(0, 1)).round().byte().cpu().numpy()


def tiles(
    rows: Sequence[Sequence[Tile]],
    columns: Sequence[str] = (),
    labels: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
    px: int = PX,
) -> Figure:
    """Rows of tiles under labelled columns, each row with its label at the left; captions go under single tiles."""
    count = max(len(row) for row in rows)
    left, top, under = (
        0.28 if any(labels) else 0.05,
        0.3 if any(columns) else 0.05,
        0.22 if captions else 0.05,
    )  # inches
    width, height = left + count * (px / DPI + 0.05), top + len(rows) * (px / DPI + under)
    figure = plt.figure(figsize=(width, height), dpi=DPI)
    for r, row in enumerate(rows):
        for c, tile in enumerate(row):
            x, y = left + c * (px / DPI + 0.05), height - top - r * (px / DPI + under) - px / DPI
            axis = figure.add_axes((x / width, y / height, px / DPI / width, px / DPI / height))
            axis.set_axis_off()
            if tile is not None:
                axis.imshow(tile, interpolation="nearest" if tile.shape[0] == px else "antialiased")
            if r < len(captions) and c < len(captions[r]):
                axis.text(0.5, -0.02, captions[r][c], transform=axis.transAxes, ha="center", va="top", fontsize=SMALL)
        if r < len(labels):
            middle = (height - top - r * (px / DPI + under) - px / DPI / 2) / height
            figure.text(0.1 / width, middle, labels[r], rotation=90, ha="center", va="center", fontsize=LARGE)
    for c, name in enumerate(columns):
        x = left + c * (px / DPI + 0.05) + px / DPI / 2
        figure.text(x / width, 1 - 0.22 / height, name, ha="center", va="bottom", fontsize=LARGE)
    return figure


def keep(figure: Figure, path: Path | str, alt: str, dpi: int = DPI) -> Path:
    """Write a figure as PNG without a date in it, and beside it, as <name>.txt, the sentences for who cannot see it;
    closes the figure."""
    path = Path(path)
    with atomic_path(path) as partial:
        figure.savefig(partial, dpi=dpi, format="png", metadata={"Software": None})
    with atomic_path(path.with_suffix(".txt")) as partial:
        partial.write_text(" ".join(alt.split()) + "\n", encoding="utf-8")
    plt.close(figure)
    return path
