"""Figures about digital humans: who they are, how well they are told apart, and what they look like."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lca_core.data import Person, Picture

_SAME, _DIFFERENT = "tab:green", "tab:red"
_SKIN = dict(zip(("very light", "light", "intermediate", "tan", "brown", "dark"),
                 ("#f3dccd", "#e8c0a3", "#d09f78", "#b07d52", "#7d5234", "#40291d")))  # fmt: skip


def identity_figure(histogram: Mapping[str, Sequence[float]], equal_error_rate: float, threshold: float) -> Figure:
    """Distances between pictures of one person and of two (`Pairs.histogram`), as densities, with the threshold of
    equal error."""
    figure, axis = plt.subplots(figsize=(6, 2.6))
    edges = np.asarray(histogram["edges"])
    for name, label, color in (("same", "same person", _SAME), ("different", "different people", _DIFFERENT)):
        counts = np.asarray(histogram[name], float)
        density = counts / counts.sum() / np.diff(edges)
        label = f"{label}, {counts.sum():,.0f} pairs"
        axis.stairs(density, edges, fill=True, alpha=0.6, color=color, label=label)
    rate = f"equal error {100 * equal_error_rate:.1f} %"
    axis.axvline(threshold, color="black", lw=1, ls="--", label=f"{rate} at {threshold:.2f}")
    axis.set(xlabel="distance of dlib's 128 numbers", yticks=[], xlim=(0, edges[-1]))
    axis.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1)
    axis.spines[["top", "left", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def shares_figure(shares: Mapping[str, Mapping[str, float]], columns: int = 5, least: float = 0.02) -> Figure:
    """Bars of `class_shares`, one panel a trait; a dashed line at `least`, and what is below it in red."""
    rows = -(-len(shares) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.7 * columns, 2.4 * rows), squeeze=False)
    for axis in axes.ravel()[len(shares) :]:
        axis.axis("off")
    for axis, (trait, classes) in zip(axes.ravel(), shares.items()):
        names, percent = list(classes)[::-1], [100 * share for share in classes.values()][::-1]
        colors = [_SKIN.get(name, "tab:blue") if trait == "skin" else "tab:blue" for name in names]
        colors = ["tab:red" if value < 100 * least else color for value, color in zip(percent, colors)]
        axis.barh([name.replace("_", " ") for name in names], percent, color=colors)
        axis.axvline(100 * least, color="black", lw=0.8, ls="--")
        axis.set_title(trait, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.set_xlabel("%", fontsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def contact_sheet(
    people: Sequence[Person], captions: Mapping[str, str] | None = None, columns: int = 8, px: int = 150,
    faces: bool = True,
) -> Figure:  # fmt: skip
    """One picture a person, labelled: the first face crop (or the first whole picture where `faces` is not set).

    captions: by seed (or id) as text, instead of what `label` says; people without a face show their whole picture.
    """
    names = [str(person.id if person.seed is None else person.seed) for person in people]
    told = [_wrapped((captions or {}).get(name) or label(person)) for name, person in zip(names, people)]
    rows, lines = -(-len(people) // columns), max((text.count("\n") + 1 for text in told), default=1)
    size = (columns * px / 100, rows * (px / 100 + 0.1 + 0.11 * lines))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axis in axes.ravel():
        axis.axis("off")
    for axis, person, text in zip(axes.ravel(), people, told):
        axis.imshow(_resized(_first(person, faces), px))
        axis.set_anchor("S")  # under its label, however tall
        axis.set_title(text, fontsize=0.035 * px, pad=2)
    figure.tight_layout(pad=0.3)
    return figure


def _wrapped(text: str, width: int = 36) -> str:
    """Lines short enough to stand over one picture."""
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def label(person: Person) -> str:
    """Seed, age, sex, hair and clothes in two lines; the id where the record says no more."""
    looks = person.meta.get("looks")
    if not looks:
        return person.id
    sex = "female" if looks["build"]["sex"] < 0.5 else "male"
    clothes = [worn["kind"] for worn in (looks["top"], looks["bottom"]) if worn]
    hair = looks["hair"]["style"].replace("_", " ")
    return f"{person.seed}  {sex} {looks['build']['age']:.0f}, {hair}\n{' and '.join(clothes).replace('_', ' ')}"


def _first(person: Person, faces: bool) -> Picture:
    crops = (frame.face for frame in person.frames if faces and frame.face is not None)
    return next(crops, person.frames[0].body)


def _resized(picture: Picture, px: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture.image).resize((2 * px, 2 * px), Image.Resampling.LANCZOS))
