"""People from behind, made of one photograph from the front: what no photograph showed, beside the truth."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lca_core.curation.bodies import facing
from lca_core.data import Frame, Person, pixels
from lca_core.evaluation.figures.beside import Maker
from lca_core.evaluation.figures.style import Tile, as_image, framed, styled, tiles
from lca_core.evaluation.protocols import Target
from lca_core.judges.metrics import over_white, psnr_fg

A_ROW = 2  # people
COLUMNS = ("photograph", "truth", "avatar")


def front_and_back(person: Person) -> tuple[Frame, Frame]:
    """The frame that sees a person most from the front, and of the same moment the one most from behind."""
    first = min(frame.instant for frame in person.frames)
    frames = [frame for frame in person.frames if frame.instant == first]
    angles = [abs(facing(frame)) for frame in frames]
    return frames[int(np.argmin(angles))], frames[int(np.argmax(angles))]


def backs(people: Sequence[Person], maker: Maker) -> Figure:
    """`A_ROW` people a row: the one photograph shown, the truth from behind, and the avatar there with its psnr_fg."""
    made, captions = [], []
    for person in people:
        front, back = front_and_back(person)
        drawn = maker(person, [front])(Target(back, "unseen", person.betas), back.body)
        truth = as_image(over_white(*pixels(back.body)))
        made.append([framed(front.body.image, front.body), framed(truth, back.body),
                     framed(as_image(drawn), back.body)])  # fmt: skip
        captions.append(["", "", f"{float(psnr_fg(drawn, *pixels(back.body))):.1f} dB"])
    with styled():
        return tiles(_in_rows(made, None), COLUMNS * A_ROW, captions=_in_rows(captions, ""))


def _in_rows(people: list[list], nothing: Tile | str) -> list[list]:
    """The tiles of people beside each other, the last row filled up."""
    empty = [[nothing] * len(COLUMNS)] * (-len(people) % A_ROW)
    people = people + empty
    return [sum(people[i : i + A_ROW], []) for i in range(0, len(people), A_ROW)]


def alt_of(people: Sequence[Person]) -> str:
    """The sentences for who cannot see the figure."""
    return (
        f"{len(people)} digital humans that training never saw, {people[0].id} to {people[-1].id}, {A_ROW} a row: a "
        "photograph from the front, the only one shown; the truth from behind; the avatar from behind, with its PSNR "
        "on the person under it."
    )
