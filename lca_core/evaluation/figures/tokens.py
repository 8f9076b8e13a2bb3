"""Principal components of the geometry tokens of studio and wild people, training scheme by scheme (the paper's Figure
S1): does a model take the same people in two domains for two kinds of people?"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure

from lca_core.data import Person
from lca_core.evaluation.evaluate import frames_for
from lca_core.evaluation.figures.style import GREY, INK, LARGE, LIGHT, styled
from lca_core.model import LCA, ImageEncoder, person_inputs

_MARKS = {"studio": ("o", INK, INK), "wild": ("^", "white", INK)}  # mark, fill, edge


@torch.no_grad()
def token_of(model: LCA, encoder: ImageEncoder, person: Person, n_inputs: int = 4) -> Float[np.ndarray, " D"]:
    """The mean of a person's geometry tokens, without the colours that they have read beside them."""
    frames = frames_for(model, person, n_inputs)[0]
    inputs = person_inputs(frames, person.betas, encoder, model.profile.face_px)
    tokens = model.encode(inputs, model.view(inputs))[0]
    return tokens[:, : model.profile.dim].mean(0).numpy()


def components(tokens: Float[np.ndarray, "P D"], count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(places [P, count] along the first principal components, shares of the variance that these hold)."""
    centred = tokens - tokens.mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    shares = values**2 / max((values**2).sum(), 1e-12)
    return (left * values)[:, :count], shares[:count]


def apart(studio: Float[np.ndarray, "P D"], wild: Float[np.ndarray, "P D"]) -> float:
    """How far the domains lie apart, in spreads of people within a domain, less what as many people of one kind would
    show by chance; 0 is not at all."""
    within = np.mean([one.var(0, ddof=1).sum() for one in (studio, wild)])
    between = np.square(studio.mean(0) - wild.mean(0)).sum() - within * (1 / len(studio) + 1 / len(wild))
    return float(np.sqrt(max(between, 0.0) / max(within, 1e-12)))


def token_figure(
    people: Mapping[str, Sequence[Person]], models: Mapping[str, tuple[LCA, ImageEncoder]], n_inputs: int = 4
) -> tuple[Figure, dict[str, float]]:
    """A panel a scheme: every person's mean token along the first two components, studio filled, wild hollow, the same
    person in both joined by a line. people: by "studio" and "wild", the same seeds in both.

    Returns the figure, and how far the domains lie `apart` by scheme.
    """
    found = {}
    with styled():
        figure, axes = plt.subplots(1, len(models), figsize=(2.6 * len(models), 2.9), squeeze=False)
        for axis, (name, (model, encoder)) in zip(axes[0], models.items()):
            tokens = {d: np.stack([token_of(model, encoder, p, n_inputs) for p in people[d]]) for d in _MARKS}
            found[name] = apart(tokens["studio"], tokens["wild"])
            places, shares = components(np.concatenate(list(tokens.values())))
            halves = dict(zip(_MARKS, np.split(places, [len(tokens["studio"])])))
            for a, b in zip(*halves.values()):
                axis.plot(*zip(a, b), color=LIGHT, lw=0.8, zorder=0)
            for domain, (mark, fill, edge) in _MARKS.items():
                axis.scatter(*halves[domain].T, marker=mark, s=28, facecolor=fill, edgecolor=edge, label=domain)
            axis.set_title(f"{name}\ndomains {found[name]:.2f} apart", fontsize=LARGE)
            axis.set(xticks=[], yticks=[], xlabel=f"{100 * shares[0]:.0f} % of variance")
            axis.set_ylabel(f"{100 * shares[1]:.0f} %", color=GREY)
        axes[0, 0].legend(loc="best")
        figure.tight_layout()
    return figure, found


def alt_of(people: Mapping[str, Sequence[Person]], found: Mapping[str, float]) -> str:
    """The sentences for who cannot see the figure."""
    told = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    return (
        f"Scatter plots of the mean geometry tokens of {len(people['studio'])} people, recorded in the studio (filled "
        f"circles) and in the wild (hollow triangles), along their first two principal components, a panel for each "
        f"training scheme. How far the domains lie apart, in spreads within a domain: {told}."
    )
