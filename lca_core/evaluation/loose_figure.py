"""Loose clothes as the paper's Figure 7 lays them out: truth, avatars of all kinds, their weights as colours."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lca_core.body import JOINT_NAMES
from lca_core.data import Frame, Person, Picture, pixels
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.loose import METHODS, driven
from lca_core.judges.metrics import over_white
from lca_core.model import LCA, Avatar
from lca_core.splats import Gaussians

_HUNG = ("without", "weights")  # "with" hangs on the same joints as "without"
COLUMNS = ("truth", "without", "corrected weights", "with", "its weights", "corrected ones")
_LEGS = ("hip", "knee", "ankle", "foot")
_LEFT, _RIGHT, _TRUNK, _OTHER = (0.9, 0.15, 0.1), (0.1, 0.25, 0.9), (0.2, 0.75, 0.2), (0.6, 0.6, 0.6)


def palette() -> Float[Tensor, "55 3"]:
    """A colour a joint: the left leg's red, the right leg's blue, the trunk's green, all others grey."""

    def color(name: str) -> tuple[float, float, float]:
        if name.endswith(_LEGS):
            return _LEFT if name.startswith("left") else _RIGHT
        return _TRUNK if name == "pelvis" or name.startswith("spine") else _OTHER

    return torch.tensor([color(name) for name in JOINT_NAMES])


def in_colors_of_weights(gaussians: Gaussians, weights: Float[Tensor, "N 55"]) -> Gaussians:
    """Gaussians [N] in the mean colour of the joints that they hang on: red and blue that meet are violet."""
    return replace(gaussians, colors=weights @ palette().to(weights))


@torch.no_grad()
def loose_figure(
    models: dict[str, LCA], avatars: dict[str, Avatar], person: Person, frames: Sequence[Frame]
) -> UInt8[np.ndarray, "height width 3"]:
    """A row a frame, its columns as COLUMNS; models, avatars: by METHODS, avatars being of this person."""
    rows = []
    for frame in frames:
        truth = over_white(*pixels(frame.body))
        shown = {method: driven(models[method], avatars[method], person, frame) for method in METHODS}
        hung = [in_colors_of_weights(shown[method], avatars[method].skinning) for method in _HUNG]
        row = [truth, *(_drawn(gaussians, frame.body) for gaussians in (*shown.values(), *hung))]
        rows.append(torch.cat(row, 1))
    return (255 * torch.cat(rows).clamp(0, 1)).round().byte().cpu().numpy()


def _drawn(gaussians: Gaussians, picture: Picture) -> Float[Tensor, "H W 3"]:
    return draw_like(gaussians, picture)[0].cpu()
