"""Loose cloth: how much nearer to the truth skirts, dresses and coats come when a decoder moves them, not legs alone.

People of `garment` move in simulated cloth: the first moments of a clip are photographs, the later ones are compared
(the paper's Table S3). "without" are weights of which the driven branch was trained on the same people, and everything
that moves cloth stayed (stage "loose_without"); in "weights" as many steps from the same start trained the decoder that
corrects skinning weights, the paper's, alone ("loose"); "with" is the decoder that says, pose by pose, how cloth hangs
("hanging"). Skin of legs seen where a skirt should be is a fault that psnr hardly notices:
`holes` says how much of a skirt nothing is drawn for, `spill` what is drawn where nobody is, without which holes are
easily closed, and `cloth_mm` how far the truth's cloth is from the nearest surface that is drawn.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree
from torch import nn
from tqdm.auto import tqdm

from lca_core.data import Camera, Frame, Person, Picture, camera_tensors, pixels
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like, frames_for
from lca_core.judges.metrics import MOST_DB, l1_fg, lpips_crop, over_white, psnr, psnr_fg
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, target_driving
from lca_core.people.body.parts import PART_IDS
from lca_core.splats import Gaussians, rasterize
from lca_core.splats.draw import SHARP_EPS2D

METHODS = ("without", "weights", "with")
TABLE = ("psnr", "psnr_fg", "psnr_cloth", "l1_fg", "lpips")
SKIRT, CLOTH = ("skirt",), ("skirt", "coat")
_LEAST = 30  # pixels of cloth under which a picture says nothing of it
_THERE = 0.5  # alpha from which something is drawn
_TAKEN = 4  # every so manieth pixel of cloth is looked for, in both directions of a picture together
Values = dict[str, dict[int | str, list[float]]]  # metric -> person -> one number a picture


def cloth_pixels(picture: Picture, names: tuple[str, ...] = CLOTH) -> Bool[np.ndarray, "H W"]:
    """Where a picture shows parts of these names; InputError where it was recorded without truth."""
    if picture.truth is None:
        raise InputError("cloth is told by the truth's parts; draw the people with --truth")
    return np.isin(picture.truth.parts, [PART_IDS[name] for name in names])


@torch.no_grad()
def compare_cloth(posed: Gaussians, frame: Frame) -> dict[str, float]:
    """Metrics of Gaussians [N] against a frame: psnr, psnr_fg, l1_fg, lpips, and spill: alpha summed outside the
    person, over the person's pixels. Where cloth is seen, psnr_cloth on its pixels and cloth_mm; where a skirt is,
    holes: the share of its pixels for which nothing is drawn."""
    picture, device = frame.body, posed.means.device
    colors, alpha = draw_like(posed, picture)
    truth, matte = pixels(picture, device)
    found = {
        "psnr": psnr(colors, truth, matte), "psnr_fg": psnr_fg(colors, truth, matte),
        "l1_fg": l1_fg(colors, truth, matte), "lpips": lpips_crop(colors, truth, matte),
        "spill": (alpha * (matte == 0)).sum() / (matte > 0.5).sum(),
    }  # fmt: skip
    cloth, skirt = (cloth_pixels(picture, names) for names in (CLOTH, SKIRT))
    if cloth.sum() >= _LEAST:
        error = (colors - over_white(truth, matte)).square()[torch.from_numpy(cloth).to(device)].mean()
        found["psnr_cloth"] = (-10 * error.clamp(min=1e-12).log10()).clamp(max=MOST_DB)
        found["cloth_mm"] = cloth_mm(posed, picture, cloth)
    if skirt.sum() >= _LEAST:
        found["holes"] = (alpha[torch.from_numpy(skirt).to(device)] < _THERE).float().mean()
    return {name: float(value) for name, value in found.items()}


def cloth_mm(posed: Gaussians, picture: Picture, cloth: Bool[np.ndarray, "H W"]) -> float:
    """Mean distance in millimetres from points of the truth's cloth to the nearest of the surface that is drawn, both
    as far as the picture's camera sees them. NaN where nothing is drawn."""
    camera = picture.camera
    viewmat, K = (x[None] for x in camera_tensors(camera, posed.means.device))
    depth, alpha = rasterize(
        posed.means, posed.quats, posed.scales, posed.opacities, posed.colors, viewmat, K, camera.width, camera.height,
        render_mode="ED", eps2d=SHARP_EPS2D,
    )  # fmt: skip
    drawn = (alpha[0, ..., 0] > _THERE).cpu().numpy()
    if not drawn.any():
        return float("nan")
    surface = seen_points(camera, depth[0, ..., 0].cpu().numpy(), drawn)
    return 1000 * float(cKDTree(surface).query(seen_points(camera, picture.truth.depth, cloth)[::_TAKEN])[0].mean())


def seen_points(
    camera: Camera, depth: Float[np.ndarray, "H W"], where: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "n 3"]:
    """Points in the camera's axes, metres, of the pixels of a picture of camera z."""
    row, column = np.nonzero(where)
    rays = np.stack([column + 0.5, row + 0.5, np.ones(len(row))], -1) @ np.linalg.inv(camera.K.astype(float)).T
    return rays * depth[row, column, None]


@torch.no_grad()
def evaluate_cloth(
    people: Iterable[Person],
    model: LCA,
    encoder: ImageEncoder,
    total: int | None = None,
    shown: Mapping[int, Person] | None = None,
) -> Values:
    """metric -> person -> values of `compare_cloth`, of later frames of a clip by an avatar of its first ones, or of
    the photographs of the same person in another domain, by seed (`shown`)."""
    values: Values = {}
    for person in tqdm(people, desc="loose cloth", total=total, unit="person"):
        photographs, targets = frames_for(model, person)
        if shown is not None:
            photographs = frames_for(model, shown[person.seed])[0]
        avatar = encode_person(model, encoder, person if shown is None else shown[person.seed], photographs)
        for target in targets:
            for metric, value in compare_cloth(driven(model, avatar, person, target.frame), target.frame).items():
                values.setdefault(metric, {}).setdefault(_key(person), []).append(value)
    return values


@torch.no_grad()
def tight_change(people: Iterable[Person], model: LCA, encoder: ImageEncoder) -> dict[int | str, list[float]]:
    """person -> psnr with the decoder of loose cloth less that of the same avatar without it, dB, of frames in which no
    cloth moves on its own; InputError where there are none."""
    changes: dict[int | str, list[float]] = {}
    for person in people:
        photographs, targets = frames_for(model, person)
        if not (tight := [target.frame for target in targets if not target.frame.cloth]):
            continue
        avatar = encode_person(model, encoder, person, photographs)
        with without_parts(model):
            plain = encode_person(model, encoder, person, photographs)
        for frame in tight:
            truth, matte = pixels(frame.body, avatar.raw.device)
            drawn = (draw_like(driven(model, one, person, frame), frame.body)[0] for one in (avatar, plain))
            with_it, without = (float(psnr(colors, truth, matte)) for colors in drawn)
            changes.setdefault(_key(person), []).append(with_it - without)
    if not changes:
        raise InputError("everybody is in loose clothes; give people of the studio, of whom many are not")
    return changes


@contextmanager
def without_parts(model: LCA) -> Iterator[None]:
    """As long as this lasts, a model has no optional decoders."""
    parts, model.parts = model.parts, nn.ModuleDict()
    try:
        yield
    finally:
        model.parts = parts


def driven(model: LCA, avatar: Avatar, person: Person, frame: Frame) -> Gaussians:
    """An avatar's Gaussians [N] in the pose of a frame."""
    return avatar.drive(target_driving(model, frame, person.betas)).map(lambda values: values[0])


def split_reduction(values: Mapping[str, Values]) -> tuple[float, float, float]:
    """(share of the holes in skirts that hanging cloth closes, holes without, holes with), means over people;
    values: method -> `evaluate_cloth`. NaN for the first where there are no holes, InputError without a skirt."""
    holes = {}
    for method in ("without", "with"):
        people = values[method].get("holes", {})
        if not people:
            raise InputError("nobody wears a skirt: holes in skirts cannot be counted; give people of domain garment")
        holes[method] = float(np.mean([np.mean(one) for one in people.values()]))
    without, with_it = holes["without"], holes["with"]
    return (1 - with_it / without if without else float("nan")), without, with_it


def _key(person: Person) -> int | str:
    return person.id if person.seed is None else person.seed
