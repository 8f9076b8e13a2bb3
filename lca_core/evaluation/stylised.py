"""Drawn people: what becomes of an avatar whose photographs are drawings, beside the same person photographed.

Nobody was trained on a drawing. Every person stands in the same moments before the same cameras in all looks
(`drawn_people`), so what differs between a style and "plain" is the style. An avatar is made of the four photographs in
a look and compared with the pictures held out in the same look: another moment, other sides.

iou: do the silhouettes agree? Exaggerated proportions are told by it: the model is given the shape of the ordinary body
and sees another, and `told_iou` is what an avatar covers that heeds the body alone (the plain one's).
color_likeness, feature_likeness: does the avatar keep what the style paints with, and what its pieces look like
(`judges.resemblance`)? Not pixel by pixel: no two drawings put a line in the same place.

Three more numbers say what those are worth. "input_": the drawing held out beside the plain picture of the same view,
how far the style itself goes. "plain_": the avatar beside that plain picture; an avatar that were pulled back to
photographs would be more like it than its drawings are. "others_": the avatar beside the same style's pictures of
somebody else, the floor under every likeness.

Everybody is driven by the plain record of a moment, so that no expression is read from a drawing.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.data import Picture, pixels
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.drawn_people import LOOKS, PLAIN, Looks, held_out_of, photographs_of
from lca_core.evaluation.evaluate import draw_like
from lca_core.judges.metrics import iou, over_white
from lca_core.judges.resemblance import color_likeness, feature_likeness, person_features
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, target_driving
from lca_core.people.styles.stylise import EXAGGERATED, STYLES
from lca_core.splats import Gaussians

METRICS = ("iou", "color_likeness", "feature_likeness")
BESIDE = ("input", "plain", "others")  # what the last two are also measured for
Values = dict[str, list[float]]  # "<look>/<metric>", "<look>/<beside>_<metric>" -> one number a picture held out


class Seen(NamedTuple):
    """A person in a picture: colours over white, what belongs to the person, and AlexNet's features of it."""

    colors: Float[Tensor, "H W 3"]
    alpha: Float[Tensor, "H W"]
    features: Float[Tensor, " 896"]


def seen_in(picture: Picture, device: torch.device) -> Seen:
    """A recorded picture."""
    image, matte = pixels(picture, device)
    colors = over_white(image, matte)
    return Seen(colors, matte, person_features(colors, matte))


def seen_as(posed: Gaussians, picture: Picture) -> Seen:
    """Gaussians [N] as a picture's camera sees them."""
    colors, alpha = draw_like(posed, picture)
    return Seen(colors, alpha, person_features(colors, alpha))


def likenesses(a: Seen, b: Seen) -> dict[str, float]:
    """color_likeness and feature_likeness; the pictures may be of different sides."""
    return {
        "color_likeness": color_likeness(a.colors, a.alpha, b.colors, b.alpha),
        "feature_likeness": feature_likeness(a.features, b.features),
    }


def avatars_of(model: LCA, encoder: ImageEncoder, looks: Looks) -> dict[str, Avatar]:
    """An avatar a look, of its photographs; InputError where they are smaller than the model's."""
    small = {look: at_sizes(person, model.profile) for look, person in looks.items()}
    return {look: encode_person(model, encoder, person, photographs_of(person)) for look, person in small.items()}


@torch.no_grad()
def held_out_moments(model: LCA, avatar: Avatar, looks: Looks) -> list[Gaussians]:
    """The avatar's Gaussians [N] in the moment of each picture held out, as the plain record tells it."""
    person = looks[PLAIN]
    driving = [target_driving(model, frame, person.betas) for frame in held_out_of(person)]
    return [avatar.drive(moment).map(lambda values: values[0]) for moment in driving]


@torch.no_grad()
def try_looks(model: LCA, avatars: Mapping[str, Avatar], looks: Looks, others: Looks) -> Values:
    """Everything that is measured of a person's avatars in all looks; others: somebody else's pictures."""
    device = model.template.raw.device
    posed = {look: held_out_moments(model, avatar, looks) for look, avatar in avatars.items()}
    values: Values = {}
    plain = [seen_in(frame.body, device) for frame in held_out_of(looks[PLAIN])]
    for look in looks:
        for number, (frame, other) in enumerate(zip(held_out_of(looks[look]), held_out_of(others[look]))):
            made, true = seen_as(posed[look][number], frame.body), seen_in(frame.body, device)
            found = {"iou": float(iou(made.alpha, true.alpha))} | likenesses(made, true)
            found |= _named("others", likenesses(made, seen_in(other.body, device)))
            if look != PLAIN:
                found |= _named("input", likenesses(true, plain[number]))
                found |= _named("plain", likenesses(made, plain[number]))
            if look == EXAGGERATED:
                found["told_iou"] = float(iou(draw_like(posed[PLAIN][number], frame.body)[1], true.alpha))
            for name, value in found.items():
                values.setdefault(f"{look}/{name}", []).append(value)
    return values


def _named(beside: str, found: Mapping[str, float]) -> dict[str, float]:
    return {f"{beside}_{name}": value for name, value in found.items()}


@torch.no_grad()
def style_kept(model: LCA, encoder: ImageEncoder, looks: Looks) -> float:
    """One number a person, of any weights: feature_likeness of avatars made of drawings to drawings held out, mean over
    all styles and pictures. What a study of many models compares."""
    found = []
    for style in STYLES:
        (avatar,) = avatars_of(model, encoder, {style: looks[style]}).values()
        for posed, frame in zip(held_out_moments(model, avatar, looks), held_out_of(looks[style])):
            made, true = seen_as(posed, frame.body), seen_in(frame.body, posed.means.device)
            found.append(feature_likeness(made.features, true.features))
    return float(np.mean(found))


def over_styles(values: Values, metric: str) -> list[float]:
    """A metric of all styles' pictures together, without the plain ones."""
    return [number for style in STYLES for number in values[f"{style}/{metric}"]]


def followed(values: Values) -> float:
    """How far an avatar has gone from the proportions it was told to those it was shown: 0 where its silhouette covers
    exaggerated people no better than the ordinary one does, 1 where it does as well as on plain ones. NaN where the
    proportions are hardly exaggerated."""
    told, shown, plain = (
        float(np.mean(values[name])) for name in (f"{EXAGGERATED}/told_iou", f"{EXAGGERATED}/iou", f"{PLAIN}/iou")
    )
    return (shown - told) / (plain - told) if plain - told > 0.01 else float("nan")


def looks_in(values: Values) -> tuple[str, ...]:
    """The looks that were measured, in the order of `LOOKS`."""
    return tuple(look for look in LOOKS if f"{look}/iou" in values)
