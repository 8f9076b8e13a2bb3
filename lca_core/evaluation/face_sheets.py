"""Sheets of faces that move: many people at rest, smiling and with an open mouth; one person through everything."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lca_core.body import ACTIONS
from lca_core.data import Person
from lca_core.evaluation.expressiveness import DRAWN, expressive
from lca_core.motion.faces import EMOTIONS, VISEMES
from lca_core.people.domains.processes import prepare
from lca_core.people.who.spec import sample_person
from lca_core.workers import ONE_THREAD, Worker, shared, started

MOODS = ("neutral", "smile", "jaw")
# What one person goes through. Lips close over an open jaw, so mouthClose is shown with one.
REPERTOIRE: dict[str, dict[str, float]] = (
    {"neutral": {}}
    | {name: {name: 1.0} for name in ACTIONS}
    | {"mouthClose": {"jawOpen": 1.0, "mouthClose": 1.0}}
    | {name: {name: 1.0} for name in (*EMOTIONS, *VISEMES)}
)


def moods_sheet(seeds: Sequence[int], workers: int = 2, columns: int = 12, px: int = 150) -> Figure:
    """Every person at rest, smiling and with an open mouth, side by side; drawn in processes of their own."""
    with started(workers, _moods, None, prepare, ONE_THREAD) as processes:
        people = dict(shared(processes, Worker.ask, list(seeds)))
    pictures = [(str(seed) if i == 0 else "", f) for seed in seeds for i, f in enumerate(people[seed].frames)]
    return _grid([(caption, frame.face.image) for caption, frame in pictures], columns, px)


def _moods(seed: int) -> tuple[int, Person]:
    return seed, expressive(sample_person(seed), {name: DRAWN[name] for name in MOODS})


def repertoire_sheet(
    seed: int, faces: Mapping[str, Mapping[str, float]] = REPERTOIRE, columns: int = 10, px: int = 150
) -> Figure:
    """One person through `faces`: by default rest, the 52 actions, the emotions and the visemes."""
    person = expressive(sample_person(seed), faces)
    return _grid([(name, frame.face.image) for name, frame in zip(faces, person.frames)], columns, px)


def _grid(pictures: Sequence[tuple[str, object]], columns: int, px: int) -> Figure:
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * px / 100, rows * (px / 100 + 0.16)), squeeze=False)
    for axis in axes.ravel():
        axis.axis("off")
    for axis, (caption, image) in zip(axes.ravel(), pictures):
        axis.imshow(image)
        axis.set_title(caption, fontsize=0.045 * px, pad=2)
    figure.tight_layout(pad=0.2)
    return figure
