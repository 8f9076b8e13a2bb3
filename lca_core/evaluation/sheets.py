"""Sheets of evaluated people: what went in, the truth, and what came out."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8

from lca_core.data import Frame, Person, Picture
from lca_core.evaluation.evaluate import draw, encode_person, pixels, target_driving
from lca_core.evaluation.metrics import over_white
from lca_core.evaluation.protocols import split_frames
from lca_core.model import LCA, Avatar, ImageEncoder


def people_sheet(
    people: Sequence[Person], model: LCA, encoder: ImageEncoder, targets: int = 4, n_inputs: int = 4, px: int = 168
) -> UInt8[np.ndarray, "H W 3"]:
    """One band a person: the first photograph and face that went in, then pairs of truth (above) and avatar (below).

    Targets are spread evenly over the person's unseen pictures, bodies first, then the faces of those that have one.
    """
    bands = []
    for person in people:
        inputs, unseen = split_frames(person, n_inputs)
        avatar = encode_person(model, encoder, person, inputs)
        frames = [unseen[i].frame for i in np.linspace(0, len(unseen) - 1, targets).round().astype(int)]
        faces = [t.frame for t in unseen if t.frame.face is not None]
        faces = (
            [faces[i] for i in np.linspace(0, len(faces) - 1, min(2, len(faces))).round().astype(int)] if faces else []
        )
        shown = [inputs[0].body.image, next((f.face.image for f in inputs if f.face is not None), None)]
        column = np.concatenate([_square(s, px) for s in shown])
        pairs = [_pair(avatar, model, f, f.body, px) for f in frames] + [
            _pair(avatar, model, f, f.face, px) for f in faces
        ]
        pairs += [np.full_like(column, 255)] * (targets + 2 - len(pairs))
        bands.append(np.concatenate([column, np.full_like(column[:, :6], 255), *pairs], 1))
    return np.concatenate(bands)


def _pair(avatar: Avatar, model: LCA, frame: Frame, picture: Picture, px: int) -> np.ndarray:
    posed = avatar.drive(target_driving(model, frame)).map(lambda t: t[0])
    truth, drawn = over_white(*pixels(picture)), draw(posed, picture)[0]
    return np.concatenate([_square((255 * x.clamp(0, 1)).round().byte().numpy(), px) for x in (truth, drawn)])


def _square(image: np.ndarray | None, px: int) -> np.ndarray:
    if image is None:
        return np.full((px, px, 3), 255, np.uint8)
    chw = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    resized = torch.nn.functional.interpolate(chw, size=(px, px), mode="bilinear", antialias=True)[0]
    return resized.permute(1, 2, 0).round().byte().numpy()
