"""Sheets of evaluated people: what went in, the truth, and what came out."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8

from lca_core.data import Frame, Person, Picture, pixels
from lca_core.evaluation.evaluate import draw_like, frames_for
from lca_core.judges.metrics import over_white
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, refine, target_driving


def people_sheet(
    people: Sequence[Person],
    model: LCA,
    encoder: ImageEncoder,
    targets: int = 4,
    n_inputs: int = 4,
    px: int = 168,
    refined: bool = False,
) -> UInt8[np.ndarray, "H W 3"]:
    """One band a person: the first photograph and face that went in, then truth (above) and avatar (below).

    refined: whether a third row shows the avatar refined on its photographs (`model.refine`).
    Targets are spread evenly over the person's unseen pictures, bodies first, then the faces of those that have one.
    """
    bands = []
    for person in people:
        inputs, unseen = frames_for(model, person, n_inputs)
        avatars = [encode_person(model, encoder, person, inputs)]
        if refined:
            avatars.append(refine(avatars[0], inputs, driving_of(model, inputs, person.betas)))
        frames = [unseen[i].frame for i in np.linspace(0, len(unseen) - 1, targets).round().astype(int)]
        faces = [t.frame for t in unseen if t.frame.face is not None]
        faces = (
            [faces[i] for i in np.linspace(0, len(faces) - 1, min(2, len(faces))).round().astype(int)] if faces else []
        )
        shown = [inputs[0].body.image, next((f.face.image for f in inputs if f.face is not None), None)]
        column = np.concatenate([_square(s, px) for s in (*shown, *[None] * (len(avatars) - 1))])
        columns = [_column(avatars, model, person, f, f.body, px) for f in frames]
        columns += [_column(avatars, model, person, f, f.face, px) for f in faces]
        columns += [np.full_like(column, 255)] * (targets + 2 - len(columns))
        bands.append(np.concatenate([column, np.full_like(column[:, :6], 255), *columns], 1))
    return np.concatenate(bands)


def _column(
    avatars: Sequence[Avatar], model: LCA, person: Person, frame: Frame, picture: Picture, px: int
) -> np.ndarray:
    driving = target_driving(model, frame, person.betas)
    drawn = [draw_like(avatar.drive(driving).map(lambda t: t[0]), picture)[0] for avatar in avatars]
    shown = [over_white(*pixels(picture)), *drawn]
    return np.concatenate([_square((255 * x.clamp(0, 1)).round().byte().numpy(), px) for x in shown])


def _square(image: np.ndarray | None, px: int) -> np.ndarray:
    if image is None:
        return np.full((px, px, 3), 255, np.uint8)
    chw = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    resized = torch.nn.functional.interpolate(chw, size=(px, px), mode="bilinear", antialias=True)[0]
    return resized.permute(1, 2, 0).round().byte().numpy()
