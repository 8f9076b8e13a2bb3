"""People beside what several models make of them: results of both stages (the paper's Figure 3), scale (4), side by
side with the baselines (5), other paradigms (S2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from lca_core.data import Frame, Person, Picture, pixels
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.baselines.nearest import copied
from lca_core.evaluation.baselines.per_person import fit_person
from lca_core.evaluation.baselines.template import template_avatar
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.figures.style import Tile, as_image, framed, resized, styled, tiles
from lca_core.evaluation.protocols import Target, split_frames
from lca_core.evaluation.views import joints_of
from lca_core.judges.metrics import over_white, psnr_fg
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, target_driving
from lca_core.splats import skin

# A person and the photographs shown give what draws them: of a target, in one of its pictures, colours over white.
Drawing = Callable[[Target, Picture], Tensor]
Maker = Callable[[Person, Sequence[Frame]], Drawing]


def by_model(model: LCA, encoder: ImageEncoder, change: Callable[..., Avatar] | None = None) -> Maker:
    """What a model makes of people; change: of the avatar before it is drawn, given it, the photographs and the person
    (refinement)."""

    def maker(person: Person, frames: Sequence[Frame]) -> Drawing:
        frames = at_sizes(replace(person, frames=tuple(frames)), model.profile).frames
        avatar = encode_person(model, encoder, person, frames)
        if change is not None:
            avatar = change(avatar, frames, person)

        def draw(target: Target, picture: Picture) -> Tensor:
            posed = avatar.drive(target_driving(model, target.frame, target.betas)).map(lambda t: t[0])
            return draw_like(posed, picture)[0]

        return draw

    return maker


def per_person(model: LCA, template: Float[Tensor, "G k 14"]) -> Maker:
    """What optimisation on the person alone makes of them, from the mean template."""

    def maker(person: Person, frames: Sequence[Frame]) -> Drawing:
        mean = template_avatar(model, template, person)
        own = fit_person(mean, frames)

        def draw(target: Target, picture: Picture) -> Tensor:
            transforms = mean.transforms(target_driving(model, target.frame, target.betas))[0]
            return draw_like(skin(own, mean.weights, transforms), picture)[0]

        return draw

    return maker


def nearest(model: LCA) -> Maker:
    """The photograph taken from the nearest side, moved into place; of bodies alone."""

    def maker(person: Person, frames: Sequence[Frame]) -> Drawing:
        shown = [(frame, joints_of(model, frame, person.betas)) for frame in frames if frame.tracked]
        return lambda target, _: copied(shown, (target.frame, joints_of(model, target.frame, target.betas)))[0]

    return maker


def beside(
    people: Sequence[Person],
    makers: Mapping[str, Maker],
    n_inputs: int = 4,
    seconds: Mapping[int, Person] | None = None,
    faces: bool = True,
    photographs: int = 2,
) -> Figure:
    """A row of bodies a person, and one of faces: the first photographs shown, the truth, and what each maker draws.

    The target is the one whose pictures the makers differ in most: chosen by numbers, not by taste. seconds: second
    clips by seed, as for evaluation. Under each drawing stands its psnr_fg.
    """
    rows, labels, captions = [], [], []
    for person in people:
        inputs, targets = split_frames(person, n_inputs, (seconds or {}).get(person.seed))
        drawings = [maker(person, inputs) for maker in makers.values()]
        target = _most_apart(targets, drawings, faces)
        for kind in ("body", "face")[: 1 + (faces and target.frame.face is not None)]:
            picture = getattr(target.frame, kind)
            shown = [_shown(frame, kind) for frame in inputs[:photographs]]
            drawn = [drawing(target, picture) for drawing in drawings]
            truth = _tile(as_image(over_white(*pixels(picture))), picture, kind)
            rows.append(
                [*shown, *[None] * (photographs - len(shown)), truth]
                + [_tile(as_image(image), picture, kind) for image in drawn]
            )
            labels.append(f"{person.domain}, {kind}")
            scores = [f"{float(psnr_fg(image, *pixels(picture))):.1f} dB" for image in drawn]
            captions.append([""] * (photographs + 1) + scores)
    columns = [f"photograph {i + 1}" for i in range(photographs)] + ["truth", *makers]
    with styled():
        return tiles(rows, columns, labels, captions)


def _most_apart(targets: Sequence[Target], drawings: Sequence[Drawing], faces: bool) -> Target:
    """Of at most six targets, evenly spread, those with a face first where faces are shown."""
    with_face = [target for target in targets if target.frame.face is not None] if faces else []
    among = with_face or list(targets)
    among = [among[i] for i in np.unique(np.linspace(0, len(among) - 1, 6).round().astype(int))]
    if len(drawings) < 2:
        return among[len(among) // 2]

    def apart(target: Target) -> float:
        picture = target.frame.body
        scores = [float(psnr_fg(drawing(target, picture), *pixels(picture))) for drawing in drawings]
        return max(scores) - min(scores)

    return max(among, key=apart)


def _shown(frame: Frame, kind: str) -> Tile:
    picture = getattr(frame, kind)
    return None if picture is None else _tile(picture.image, picture, kind)


def _tile(image: np.ndarray, picture: Picture, kind: str) -> Tile:
    """Of a body the square about the person, of a face all of its crop."""
    return framed(image, picture) if kind == "body" else resized(image)


def alt_of(people: Sequence[Person], makers: Mapping[str, Maker], what: str) -> str:
    """The sentences for who cannot see such a figure."""
    names = ", ".join(makers)
    return (
        f"{what} Rows are bodies and faces of {len(people)} digital humans that training never saw "
        f"({', '.join(person.id for person in people)}); columns are photographs that went in, the truth in a picture "
        f"that did not, and the same picture drawn by: {names}. Under each drawing stands its PSNR on the person."
    )
