"""What geometry tokens read of the photographs, before and after post-training (the paper's Figure 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from lca_core.body.layout import JOINT_NAMES
from lca_core.data import Person, Picture
from lca_core.evaluation.evaluate import frames_for
from lca_core.evaluation.figures.style import INK, PX, framed, styled, tiles
from lca_core.model import LCA, ImageEncoder, Inputs, person_inputs

PLACES = {"face": "head", "chest": "spine3", "left hand": "left_middle1", "right knee": "right_knee"}
_PALE = 0.3  # how much of a photograph's tones is left under the dots


def anchors_at(model: LCA, joints: Sequence[str]) -> list[int]:
    """The anchors before these joints: of the few nearest to each, the one farthest to the front of the T-pose."""
    centers = model.anchor_points.mean(1)
    rest = model.joint_template
    chosen, few = [], max(4, len(centers) // 32)
    for joint in joints:
        distances = (centers - rest[JOINT_NAMES.index(joint)]).norm(dim=-1)
        near = distances.topk(few, largest=False).indices
        chosen.append(int(near[centers[near, 2].argmax()]))
    return chosen


def maps_of(
    model: LCA, encoder: ImageEncoder, person: Person, n_inputs: int = 4, layer: int = -1
) -> Float[torch.Tensor, "A N p p"]:
    """How much the anchors at `PLACES` read of each patch of N body pictures in a layer, mean over heads: squares of
    patches. What they read of face crops counts where all adds up to one, and is not shown."""
    inputs = person_inputs(frames_for(model, person, n_inputs)[0], person.betas, encoder, model.profile.face_px)
    body, _ = model.attention(inputs, torch.tensor(anchors_at(model, PLACES.values())), layer)
    side = round(body.shape[-1] ** 0.5)
    return body[0].mean(0).unflatten(-1, (side, side))


def spread(maps: Float[torch.Tensor, "A N p p"]) -> list[float]:
    """Over how many patches each anchor's reading of the body pictures is spread: the exponential of its entropy."""
    share = maps.flatten(1)
    return effective_count(share / share.sum(1, keepdim=True)).tolist()


def effective_count(shares: Float[torch.Tensor, "*rows K"]) -> Float[torch.Tensor, "*rows"]:
    """Over how many of K things shares that sum to one are spread: the exponential of their entropy, from 1 to K."""
    return (-(shares * shares.clamp(min=1e-12).log()).sum(-1)).exp()


def all_shares(model: LCA, inputs: Inputs, layer: int) -> Float[torch.Tensor, "heads G K"]:
    """What every anchor reads of every patch of one person's pictures, head by head: body pictures first, then face
    crops; 0 where a patch is left out, as nobody is in it."""
    anchors = torch.arange(len(model.anchor_points), device=model.anchor_points.device)
    body, face = model.attention(inputs, anchors, layer)
    return torch.cat([body[0].flatten(2), face[0].flatten(2)], -1)


@torch.no_grad()
def own_patches(model: LCA, inputs: Inputs) -> Int[torch.Tensor, "G N"]:
    """The patch of each body picture of one person in which an anchor lies on the mean body, -1 where none of its
    points is seen; numbers as in `all_shares`. ValueError for inputs without poses, or a model that knows of none."""
    view = model.view(inputs)
    if view is None:
        raise ValueError("without the pictures' poses, or pixel alignment, nothing tells where an anchor lies in them")
    drawn = model.rig(inputs.betas).canonical(model.template.raw)
    solid = drawn.opacities.expand(drawn.means.shape[:-1]) > 0.5 if model.profile.coverage != "skin" else None
    samples = view.samples(drawn.means, model.anchor_normals.flatten(0, 1), solid)
    photos, patches = inputs.body.shape[1:3]
    side, points = round(patches**0.5), model.anchor_points.shape[:2]
    facing, where = (x[0, :photos].unflatten(1, points) for x in (samples.facing, samples.places))
    best = facing.argmax(-1, keepdim=True)  # the point that is seen most squarely
    where = where.gather(2, best[..., None].expand(*best.shape, 2))[:, :, 0]
    column, row = ((where + 1) / 2 * side).long().clamp(0, side - 1).unbind(-1)
    number = row * side + column + patches * torch.arange(photos, device=row.device)[:, None]
    return torch.where(facing.amax(-1) > 0, number, -1).T


def lift(shares: Float[torch.Tensor, "heads G K"], own: Int[torch.Tensor, "G N"]) -> Float[torch.Tensor, "heads G"]:
    """How many times as much an anchor reads of its own patch as if it read all patches evenly: the mean over the
    pictures that show it, NaN where none does. Patches that no one reads do not count."""
    there, seen = (shares > 0).any(0).any(0).sum(), own >= 0
    read = shares.gather(2, own.clamp(min=0).expand(len(shares), -1, -1))
    return there * (read * seen).sum(-1) / seen.sum(-1)


def attention_figure(
    person: Person, models: Mapping[str, tuple[LCA, ImageEncoder]], n_inputs: int = 4
) -> tuple[Figure, dict[str, list[float]]]:
    """A row a model, a column a place on the body: what its anchor reads, as dots on the photograph it reads most of.

    Returns the figure, and by model over how many patches each place's reading is spread, which stands under it too.
    """
    rows, captions, spreads = [], [], {}
    for name, (model, encoder) in models.items():
        frames, maps = frames_for(model, person, n_inputs)[0], maps_of(model, encoder, person, n_inputs)
        spreads[name] = spread(maps)
        most = maps.sum((2, 3)).argmax(1).tolist()
        rows.append([
            dotted(frames[n].body, maps[a, n].numpy()) for a, n in enumerate(most)
        ])  # fmt: skip
        captions.append([f"photograph {n + 1}; {s:.0f} patches" for n, s in zip(most, spreads[name])])
    with styled():
        return tiles(rows, list(PLACES), list(models), captions), spreads


def dotted(
    picture: Picture,
    share: Float[np.ndarray, "p p"],
    px: int = PX,
    most: float | None = None,
    own: int = -1,
) -> np.ndarray:
    """The tile of a photograph, pale, with a dot on every patch whose area is what is read of it, beside the most that
    is read of any patch of it; or beside `most`, to compare photographs. own: the number of a patch to be framed."""
    side, times = len(share), 4
    pale = 255 - _PALE * (255 - np.asarray(Image.fromarray(picture.image).convert("L"), np.float32))
    height, width = pale.shape
    canvas = Image.fromarray(pale.round().astype(np.uint8)).convert("RGB").resize((times * width, times * height))
    draw, patch = ImageDraw.Draw(canvas), times * width / side
    radii = 0.5 * patch * np.sqrt(share / max(share.max() if most is None else most, 1e-12))
    for (row, column), radius in np.ndenumerate(radii):
        x, y = (column + 0.5) * patch, (row + 0.5) * patch
        if radius > 0.5:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)
    if own >= 0:
        x, y = (own % side) * patch, (own // side) * patch
        draw.rectangle((x, y, x + patch, y + patch), outline=INK, width=times)
    larger = replace(picture, matte=picture.matte.repeat(times, 0).repeat(times, 1))
    return framed(np.asarray(canvas), larger, px)


def alt_of(person: Person, spreads: Mapping[str, list[float]]) -> str:
    """The sentences for who cannot see the figure."""
    told = "; ".join(
        f"{name}: " + ", ".join(f"{place} {value:.0f}" for place, value in zip(PLACES, values))
        for name, values in spreads.items()
    )
    return (
        f"Attention of four geometry tokens over the photographs of {person.id}: each tile is the photograph that a "
        "token reads most of, with a dot on each patch as large as what is read of it. Patches that its reading is "
        f"spread over, {told}."
    )
