"""Figures: sheets of pictures and curves of a training run."""

import csv
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lca_core.data import Person
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.paths import atomic_path
from lca_core.viewer.stage import body_camera, examples, head_camera, show, turntable


def sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray]]], px: int = 192, captions: Sequence[Sequence[str]] = ()
) -> Figure:
    """A figure of rows of square pictures: (label, pictures) each; captions go under the pictures of a row."""
    columns = max(len(pictures) for _, pictures in rows)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(columns * px / 100, len(rows) * px / 100 + 0.3), squeeze=False
    )
    for r, (label, pictures) in enumerate(rows):
        for c in range(columns):
            axis = axes[r, c]
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_frame_on(False)
            if c < len(pictures):
                axis.imshow(pictures[c])
            if r < len(captions) and c < len(captions[r]):
                axis.set_xlabel(captions[r][c], fontsize=8)
        axes[r, 0].set_ylabel(label, fontsize=9)
    figure.tight_layout(pad=0.4)
    return figure


def avatar_figure(person: Person, avatar: Avatar, px: int = 192) -> Figure:
    """What went in, the avatar all round, and the avatar driven: body above, face below."""
    inputs = [
        p for f in person.frames[:3] for p in (f.body.image, None if f.face is None else f.face.image) if p is not None
    ]
    driven = examples(avatar)
    body = body_camera(avatar, 0.0, px, reach=0.25)
    names = list(driven)
    return sheet(
        [
            ("photographs", inputs),
            ("all round", turntable(avatar, 6, px)),
            ("driven", [show(avatar, d, body) for d in driven.values()]),
            ("driven, head", [show(avatar, d, head_camera(avatar, 0.0, px)) for d in driven.values()]),
        ],
        px, captions=[[], [f"{60 * i} degrees" for i in range(6)], names, names],
    )  # fmt: skip


def save_figure(figure: Figure, path: Path | str, dpi: int = 100) -> Path:
    """Write a figure as PNG, atomically, without a date in it; closes the figure."""
    with atomic_path(path) as partial:
        figure.savefig(partial, dpi=dpi, format="png", metadata={"Software": None})
    plt.close(figure)
    return Path(path)


def save_picture(image: np.ndarray, path: Path | str) -> Path:
    """Write uint8 [H, W, 3] as PNG or JPEG, as the name ends, atomically; ValueError for another ending."""
    with atomic_path(path) as partial:
        Image.fromarray(image).save(partial, quality=90)
    return Path(path)


def training_figure(folder: Path | str, rows: int = 5) -> Figure:
    """What `training.progress.Pictures` wrote into a folder: `rows` of the steps, evenly, then the truth.

    InputError when it holds none.
    """
    steps = sorted(Path(folder).glob("[0-9]*.png"))
    if not steps:
        raise InputError(f"{folder} holds no pictures of a training run; `train` writes them")
    chosen = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, rows).round().astype(int))]
    strips = [(f"{int(path.stem):,}", path) for path in chosen] + [("truth", Path(folder, "truth.png"))]
    images = [np.asarray(Image.open(path).convert("RGB")) for _, path in strips]
    figure, axes = plt.subplots(
        len(strips), 1, figsize=(10, len(strips) * 10 * images[0].shape[0] / images[0].shape[1])
    )
    for axis, image, (label, _) in zip(axes, images, strips):
        axis.imshow(image)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_frame_on(False)
        axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    figure.subplots_adjust(left=0.06, right=1, bottom=0, top=1, hspace=0)
    return figure


def read_log(path: Path | str) -> dict[str, np.ndarray]:
    """log.csv of a run as columns; InputError when there is none."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} is not there; `python -m lca_core train` writes it into its --out folder")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {k: np.array([float(r[k]) if r[k] else np.nan for r in rows]) for k in (rows[0] if rows else {})}


def loss_curves(logs: dict[str, Path | str], smooth: int = 25) -> Figure:
    """Loss terms over steps for named runs, as running means over `smooth` steps."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for name, path in logs.items():
        columns = read_log(path)
        for axis, keys in zip(axes, (("loss",), ("l1_body_driven", "l1_face_driven")), strict=True):
            for key in keys:
                values = columns[key]
                width = max(1, min(smooth, len(values) // 4))
                kernel = np.ones(width) / width
                seen = np.isfinite(values)
                top = np.convolve(np.where(seen, values, 0), kernel, "valid")
                bottom = np.convolve(seen.astype(float), kernel, "valid")
                mean = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
                axis.plot(columns["step"][width - 1 :], mean, label=f"{name}: {key}")
    for axis in axes:
        axis.set_xlabel("step")
        axis.set_yscale("log")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[0].set_ylabel("loss (no unit)")
    figure.tight_layout()
    return figure
