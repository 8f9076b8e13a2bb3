"""Drawn people as a sheet: a row a look, what went in, the avatar all round and moving, and a picture held out."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from lca_core.body import Driving
from lca_core.data import pixels
from lca_core.evaluation.drawn_people import Looks, held_out_of, photographs_of
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.stylised import held_out_moments
from lca_core.judges.metrics import over_white
from lca_core.model import LCA, Avatar
from lca_core.viewer.figures import sheet
from lca_core.viewer.stage import body_camera, examples, head_camera, show

COLUMNS = ("photograph", "its face", "held out", "avatar there", "front", "back", "head", "a step", "open mouth")
_PX = 192
_HELD_OUT = 0  # which of the pictures held out


def stylised_figure(
    model: LCA, people: Sequence[Looks], avatars: Sequence[Mapping[str, Avatar]], px: int = _PX
) -> Figure:
    """A band a person, a row a look, columns as `COLUMNS`; avatars: of each person, by look."""
    rows = []
    for person, made in zip(people, avatars, strict=True):
        rows += [(look, looks_row(model, avatar, person, look, px)) for look, avatar in made.items()]
    return sheet(rows, px, captions=[[]] * (len(rows) - 1) + [COLUMNS])


@torch.no_grad()
def looks_row(model: LCA, avatar: Avatar, person: Looks, look: str, px: int = _PX) -> list[np.ndarray]:
    """Pictures uint8 of one person in one look, as `COLUMNS`."""
    photographs, target = photographs_of(person[look]), held_out_of(person[look])[_HELD_OUT]
    face = next(frame.face.image for frame in photographs if frame.face is not None)
    there = draw_like(held_out_moments(model, avatar, person)[_HELD_OUT], target.body)[0]
    still, moving = Driving.neutral(), examples(avatar)
    head, wide = head_camera(avatar, 0.3, px), body_camera(avatar, 0.3, px, reach=0.25)
    return [
        photographs[0].body.image, face, _bytes(over_white(*pixels(target.body))), _bytes(there),
        show(avatar, still, body_camera(avatar, 0.0, px)), show(avatar, still, body_camera(avatar, np.pi, px)),
        show(avatar, still, head), show(avatar, moving["step"], wide), show(avatar, moving["open mouth"], head),
    ]  # fmt: skip


def _bytes(image: torch.Tensor) -> np.ndarray:
    return (255 * image.clamp(0, 1)).round().byte().cpu().numpy()
