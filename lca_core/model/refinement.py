"""Refinement: a few steps of optimisation of an avatar on the photographs it was made from (ours, optional).

One forward pass knows people in general, optimisation knows this one. Begun where the forward pass ends, half a hundred
steps bring back what of the photographs the network has smoothed away, in seconds. The paper's avatars go without.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import Driving
from lca_core.data import Frame, Picture, camera_tensors, hidden_of, pixels
from lca_core.errors import InputError
from lca_core.model.avatar import Avatar
from lca_core.model.gradient_steps import unit_steps
from lca_core.model.posing import drive
from lca_core.splats import draw

STEPS = 50
LEARNING_RATE = 0.02
HOLD = 0.1
_BODIES, _FACES = 2, 1  # pictures a step
_FACE_WEIGHT = 0.25


@dataclass(frozen=True)
class _Shot:
    """A picture to come nearer to: which frame's, sRGB and what is not hidden, matte, in [0, 1]; its camera."""

    frame: int
    colors: Float[Tensor, "H W 3"]
    matte: Float[Tensor, "H W 1"]
    shown: Float[Tensor, "H W 1"]
    viewmat: Float[Tensor, "1 4 4"]
    K: Float[Tensor, "1 3 3"]

    @classmethod
    def of(cls, frame: int, picture: Picture, device: torch.device) -> "_Shot":
        (colors, matte), hidden = pixels(picture, device), hidden_of(picture, device)
        camera = (x[None] for x in camera_tensors(picture.camera, device))
        return cls(frame, colors, matte[..., None], 1 - hidden[..., None], *camera)


@torch.enable_grad()
def refine(avatar: Avatar, frames: Sequence[Frame], driving: Driving, steps: int = STEPS) -> Avatar:
    """The avatar, nearer to the body pictures and face crops of these frames; the one given stays as it is.

    driving: what each frame shows, one entry a frame, epsilon included. The driven branch and the blendshapes are left
    alone and take part in every picture, so that no expression is baked into the canonical face.
    Two bodies and a face a step; L1 over a new background each time, so that what is transparent cannot pass for white;
    what hides the person counts for nothing. Adam on the canonical numbers: on each Gaussian's own, held to where they
    began, and on what those of an anchor have in common, so that unseen ones follow their seen neighbours.
    Deterministic on a CPU. InputError when no frame's pose is known (`Frame.tracked`), ValueError where frames and
    driving are not as many.
    """
    if len(frames) != len(driving):
        raise ValueError(f"{len(driving)} driving signals do not belong to {len(frames)} frames")
    known = [i for i, frame in enumerate(frames) if frame.tracked]
    if not known:
        raise InputError(
            "an avatar is refined in the poses of its photographs, and none of them is known; leave refinement out"
        )
    with torch.no_grad():
        driven, weights = drive(avatar.drivers, avatar.raw, avatar.weights, avatar.tokens, driving)
        moved, weights = driven - avatar.raw, weights.expand(len(driving), -1, -1)
        transforms = avatar.transforms(driving)
    device, rng = avatar.raw.device, np.random.default_rng(0)
    bodies = _in_turn([_Shot.of(i, frames[i].body, device) for i in known], rng)
    faces = _in_turn([_Shot.of(i, face, device) for i in known if (face := frames[i].face) is not None], rng)
    rig, units = avatar.rig, unit_steps(avatar.raw)
    own, common = (torch.zeros_like(start, requires_grad=True) for start in (avatar.raw, avatar.raw[:, :1]))
    adam = torch.optim.Adam([own, common], lr=LEARNING_RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(steps, 1), eta_min=LEARNING_RATE / 20)
    for _ in range(steps):
        raw = avatar.raw + units * (own + common)
        loss = HOLD * own.square().mean()
        for shots, count, weight in ((bodies, _BODIES, 1.0), (faces, _FACES, _FACE_WEIGHT)):
            for shot in islice(shots, count):
                i, behind = shot.frame, torch.from_numpy(rng.random(3, np.float32)).to(device)
                g = rig.pose(raw + moved[i], transforms[i], weights[i])
                drawn, _ = draw(g, shot.viewmat, shot.K, *shot.matte.shape[1::-1], behind)
                truth = behind + shot.matte * (shot.colors - behind)
                loss = loss + weight / count * (shot.shown * (drawn[0] - truth)).abs().mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        schedule.step()
    raw = (avatar.raw + units * (own + common)).detach()
    return replace(avatar, raw=raw, meta=avatar.meta | {"refined_steps": steps})


def _in_turn(shots: list[_Shot], rng: np.random.Generator) -> Iterable[_Shot]:
    """All of them again and again, shuffled each time; nothing where there is none."""
    while shots:
        yield from (shots[i] for i in rng.permutation(len(shots)))
