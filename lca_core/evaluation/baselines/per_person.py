"""Per-person optimisation: the field's older way, fitting one person's Gaussians to their pictures.

As 3D Gaussian avatars are fitted to a video (GaussianAvatar, arXiv 2312.02134; ExAvatar, arXiv 2407.21686), but of the
few photographs that all methods here are shown, without networks, and held to the mean template.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import Driving
from lca_core.body.driving import EPSILON
from lca_core.data import Frame, camera_tensors, hidden_of, pixels, signal_tensors
from lca_core.judges.metrics import over_white
from lca_core.model import Avatar
from lca_core.splats import Gaussians, draw, skin

_EDGE = 1e-3  # opacities and colours are kept this far from 0 and 1, where a logit is infinite


@dataclass(frozen=True)
class PosedPicture:
    """One input picture (full body or face crop) with the pose and the camera it was taken in.

    image: sRGB in [0, 1], already over white; transforms: rest -> posed, of the body in this picture's pose; hidden:
    share of each pixel that something before the person hides (None: nothing).
    """

    image: Float[Tensor, "H W 3"]
    transforms: Float[Tensor, "J 4 4"]
    viewmat: Float[Tensor, "4 4"]
    K: Float[Tensor, "3 3"]
    hidden: Float[Tensor, "H W"] | None = None


def fit_person(mean: Avatar, frames: Iterable[Frame]) -> Gaussians:
    """Canonical Gaussians optimised on the body pictures and face crops of these frames, from the mean template."""
    bodies, faces, device = [], [], mean.raw.device
    for frame in frames:
        theta, root, gaze = signal_tensors([frame], device)
        still = torch.zeros(1, EPSILON, device=device)  # skinning needs no expression
        transforms = mean.transforms(Driving(theta, still, gaze, root))[0]
        for picture, into in ((frame.body, bodies), (frame.face, faces)):
            if picture is not None:
                image, hidden = over_white(*pixels(picture, device)), hidden_of(picture, device)
                into.append(PosedPicture(image, transforms, *camera_tensors(picture.camera, device), hidden))
    return optimise_person(mean.canonical(), mean.weights, bodies + faces)


def optimise_person(
    start: Gaussians,
    weights: Float[Tensor, "N J"],
    pictures: Sequence[PosedPicture],
    steps: int = 150,
    learning_rate: float = 0.02,
    regularisation: float = 0.02,
    pictures_per_step: int = 4,
    backend: str = "auto",
) -> Gaussians:
    """Fit canonical Gaussians [N, .] to one person's pictures; returns them detached, in canonical space.

    start: Gaussians on the template body in rest pose (e.g. the mean template), also what the result is held
    to; weights: their skinning weights, rows summing to 1. Adam on all five tensors, each step against at most
    `pictures_per_step` pictures taken in turn: L1 over the whole frame over white, plus `regularisation` x the
    mean squared distance from the start (a unit is 2 cm for positions, a factor e for scales, one quaternion
    unit for rotations). Without that term, what no picture sees drifts. Opacities and colours are free: nothing
    but pictures tells them.
    Deterministic. A step of 4 pictures of 128 px takes 25 ms for 4,096 Gaussians on one core, 50 ms for 8,192.

    ValueError when there is no picture or none a step.
    """
    if not pictures:
        raise ValueError("per-person optimisation needs at least one picture")
    if pictures_per_step < 1:
        raise ValueError(f"pictures_per_step must be at least 1, not {pictures_per_step}")
    start = start.map(lambda tensor: tensor.detach().float())
    parameters = {
        "means": torch.zeros_like(start.means),  # in units of 2 cm
        "quats": torch.zeros_like(start.quats),
        "scales": torch.zeros_like(start.scales),  # log of the factor
        "opacities": start.opacities.clamp(_EDGE, 1 - _EDGE).logit(),
        "colors": start.colors.clamp(_EDGE, 1 - _EDGE).logit(),
    }
    for tensor in parameters.values():
        tensor.requires_grad_()
    # Colours and opacities are logits and have far to go; shape must not run away before they have settled.
    rates = {"means": 1.0, "quats": 1.0, "scales": 1.0, "opacities": 2.0, "colors": 4.0}
    adam = torch.optim.Adam(
        [{"params": [tensor], "lr": learning_rate * rates[name]} for name, tensor in parameters.items()]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(steps, 1), eta_min=learning_rate / 10)
    turns = -(-len(pictures) // pictures_per_step)
    # Every turn-th picture: body pictures and face crops, listed one kind after the other, share each step.
    batches = [_same_size(pictures[turn::turns]) for turn in range(turns)]
    white = start.colors.new_ones(3)
    for step in range(steps):
        adam.zero_grad(set_to_none=True)
        current = _apply(start, parameters)
        loss = current.means.new_zeros(())
        batch = batches[step % turns]
        shown = sum(len(images) for images, *_ in batch)
        for images, hidden, transforms, viewmats, Ks in batch:
            posed = skin(current, weights, transforms)
            height, width = images.shape[1:3]
            drawn, _ = draw(posed, viewmats[:, None], Ks[:, None], width, height, white, backend)
            off = (drawn[:, 0] - images) * (1 - hidden[..., None])
            loss = loss + off.abs().mean((1, 2, 3)).sum() / shown
        for name in ("means", "quats", "scales"):
            loss = loss + regularisation * parameters[name].square().mean()
        loss.backward()
        adam.step()
        schedule.step()
    return _apply(start, parameters).map(torch.Tensor.detach)


def _apply(start: Gaussians, parameters: dict[str, Tensor]) -> Gaussians:
    return replace(
        start,
        means=start.means + 0.02 * parameters["means"],
        quats=torch.nn.functional.normalize(start.quats, dim=-1) + parameters["quats"],
        scales=start.scales * parameters["scales"].exp(),
        opacities=parameters["opacities"].sigmoid(),
        colors=parameters["colors"].sigmoid(),
    )


def _same_size(pictures: Sequence[PosedPicture]) -> list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Pictures stacked by size (images, hidden, transforms, viewmats, Ks), so that each size is drawn in one call."""
    groups: dict[torch.Size, list[PosedPicture]] = {}
    for picture in pictures:
        if picture.hidden is None:
            picture = replace(picture, hidden=torch.zeros_like(picture.image[..., 0]))
        groups.setdefault(picture.image.shape, []).append(picture)
    names = ("image", "hidden", "transforms", "viewmat", "K")
    return [
        tuple(torch.stack([getattr(picture, name).float() for picture in group]) for name in names)
        for group in groups.values()
    ]
