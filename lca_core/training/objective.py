"""The paper's loss on a batch: the model forward, both branches drawn, every term by its name."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from lca_core.body import Driving, Head
from lca_core.judges.identity import identity_distance
from lca_core.judges.perceptual import lpips
from lca_core.model import LCA
from lca_core.model.lca import Canonical
from lca_core.model.parts import FACE, LIGHT
from lca_core.model.posing import Posed, drive
from lca_core.model.raw import SCALE, offsets
from lca_core.model.shading import eyes_of
from lca_core.splats import Gaussians, draw_each, skin
from lca_core.training.batches import KINDS, Batch, Views
from lca_core.training.face_chip import face_chip
from lca_core.training.losses import as_close_as_possible, as_spherical_as_possible, l1_loss, too_large
from lca_core.training.settings import Settings


def render(gaussians: Gaussians, views: Views, which: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """(colours [P, H, W, 3], alphas [P, H, W, 1]) of one Gaussian set a picture, over the views' backgrounds.

    which: the number of each picture's set among those of `gaussians`; None: the first picture's is the first.
    Where something hides the person, the background shows: nothing is to be learnt there.
    """
    height, width = views.pixels.shape[1:3]
    which = torch.arange(len(views.pixels), device=views.pixels.device) if which is None else which
    colors, alphas = draw_each(gaussians, which, views.viewmats, views.Ks, width, height, views.background)
    shown, behind = 1 - views.pixels[..., 4:], views.background[:, None, None]
    return behind + shown * (colors - behind), shown * alphas


def select(values: Tensor, which: tuple[Tensor, Tensor]) -> Tensor:
    """The entries (person, view) of a tensor [B, V, ...], one a picture."""
    return values[which]


def forward(model: LCA, batch: Batch, autocast: bool, lit: bool = False, told: bool = False) -> Posed:
    """The whole model on a batch, differentiably. lit: driven Gaussians are seen under the lights of their views; told:
    faces are driven by their true actions, not by codes read from their pictures."""
    device = batch.theta.device.type
    with torch.autocast(device, torch.bfloat16) if autocast else nullcontext():
        tokens, first = model(batch.inputs)
        raw = looked_again(model, batch, model.settled(Canonical(tokens, first), batch.inputs))
        raw = model.finished(Canonical(tokens, raw)).raw
        if told:
            codes = model.action_map(batch.actions.nan_to_num()).to(batch.theta)
        else:
            codes = model.expression(batch.chips.flatten(0, 1)).to(batch.theta).unflatten(0, batch.has_face.shape)
        driving = Driving(batch.theta, codes * batch.has_face[..., None], batch.gaze, batch.root)
        rig = model.rig(batch.inputs.betas).for_views()
        driven, weights = drive(model.drivers, raw[:, None], rig.skinning, tokens[:, None], driving)
    transforms = rig.transforms(driving)
    canonical, rest = rig.pose(first[:, None], transforms), rig.canonical(driven)
    moved = skin(rest, weights, transforms)
    material = None
    if lit:
        relighting = model.parts[LIGHT]
        material = relighting.material(raw, tokens, model.frames)
        eyes = eyes_of(batch.viewmats)
        moved = relighting.under(moved, material.for_views(), weights, transforms, batch.lamps, eyes)
    return Posed(raw, driven, canonical, moved, weights, tokens, rig.heads(transforms), material, rest)


def looked_again(model: LCA, batch: Batch, canonical: Canonical) -> Tensor:
    """The numbers [B, G, k, 14] after the model has looked at the photographs again, where it does."""
    if batch.shown is None:
        return canonical.raw
    with torch.no_grad():
        codes = model.expression(batch.shown.chips.flatten(0, 1)).to(batch.theta)
    photographs = batch.shown.photographs(codes.unflatten(0, batch.shown.has_face.shape))
    return model.look_again(canonical, batch.inputs.betas, photographs, batch.shown.steps).raw


def loss_of(model: LCA, batch: Batch, settings: Settings) -> tuple[Tensor, dict[str, float]]:
    """The paper's loss on a batch, and its terms as numbers. All randomness is in the batch.

    Where light is what is trained, pictures are compared under theirs; of a part that alone is trained, by the driven
    branch alone.
    """
    lit = settings.part == LIGHT
    posed = forward(model, batch, settings.autocast, lit, settings.part == FACE)
    branches = {"cano": posed.canonical, "driven": posed.driven}
    branches = {name: gaussians.map(lambda t: t.flatten(0, 1)) for name, gaussians in branches.items()}
    of_view = torch.arange(batch.has_face.numel(), device=batch.theta.device).reshape(batch.has_face.shape)
    if settings.part or not model.profile.canonical_alone:
        del branches["cano"]
    terms: dict[str, Tensor] = {}
    weights = dict(zip(KINDS, (settings.body_weight, settings.face_weight, settings.hand_weight)))
    for name, weight in weights.items():
        views: Views = getattr(batch, name)
        if not len(views.pixels) or not weight:
            continue
        alpha = views.pixels[..., 3:4]
        truth = views.pixels[..., :3] * alpha + views.background[:, None, None] * (1 - alpha)
        for branch, gaussians in branches.items():
            colors, alphas = render(gaussians, views, of_view[views.which[:2]])
            terms[f"l1_{name}_{branch}"] = weight * views.share * l1_loss(colors, truth, alphas, alpha)
            if branch == "driven" and name != "hand" and settings.lpips_weight and views.judged.any():
                distance = lpips(colors[views.judged], truth[views.judged]).mean()
                terms[f"lpips_{name}_{branch}"] = settings.lpips_weight * weight * views.judged_share * distance
            if branch == "driven" and name == "face" and settings.identity_weight and views.judged.any():
                distance = identity_loss(colors, truth, views, posed.heads)
                terms["identity"] = settings.identity_weight * views.judged_share * distance
    moved = torch.cat([offsets(numbers).reshape(-1, 3) for numbers in (posed.raw, posed.driven_raw)])
    scales = posed.raw[..., SCALE]
    terms["acap"] = settings.regularizer * as_close_as_possible(moved)
    terms["asap"] = settings.regularizer * 0.02 * as_spherical_as_possible(scales)
    terms["size"] = settings.regularizer * 0.1 * too_large(scales)
    for name, part in model.parts.items():
        terms |= {f"{name}_{term}": value for term, value in part.losses(posed, batch).items()}
    terms["loss"] = sum(terms.values())
    numbers = torch.stack([value.detach() for value in terms.values()]).tolist()  # together: one wait for a device
    return terms["loss"], dict(zip(terms, numbers))


class Objective(nn.Module):
    """The loss as a module, so that several processes can share its gradients."""

    def __init__(self, model: LCA, settings: Settings):
        super().__init__()
        self.model, self.settings = model, settings

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return loss_of(self.model, batch, self.settings)


def identity_loss(colors: Tensor, truth: Tensor, views: Views, heads: Head) -> Tensor:
    """Mean distance of dlib's 128 numbers of the judged faces from those of the truth, aligned by the eyes."""
    judged = views.judged.nonzero()[:, 0]
    where = tuple(index[judged] for index in views.which[:2])
    cameras = zip(views.viewmats[judged], views.Ks[judged], heads.eyes[where], heads.up[where])
    chips = [
        torch.stack([face_chip(images[i], *camera) for images in (colors, truth)]) for i, camera in zip(judged, cameras)
    ]
    made, true = torch.stack(chips, 1)
    return identity_distance(made, true.detach()).mean()
