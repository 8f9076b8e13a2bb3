"""Refinement: a few steps of optimisation of an avatar on the photographs it was made from (ours, optional).

One forward pass knows people in general, optimisation knows this one. Begun where the forward pass ends, some dozens of
steps bring back what of the photographs the network has smoothed away, in seconds. The paper's avatars go without.

What no photograph shows keeps to what the network said: a Gaussian is the freer the more the photographs see of it, and
the others follow their neighbours. It ends after a fixed number of steps, for nothing in the photographs tells when the
steps that follow are painting: pixels kept out of sight, in squares of a dozen, say so at once, while views from other
sides still gain (by 0.7 dB with weights that look once).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import Driving
from lca_core.data import Frame, Picture, camera_tensors, hidden_of, pixels
from lca_core.errors import InputError
from lca_core.model.avatar import Avatar
from lca_core.model.gradient_steps import neighbourhood, unit_steps
from lca_core.model.posing import drive
from lca_core.splats import draw
from lca_core.threads import torch_on_one_thread

STEPS = 20  # views from other sides gain nothing by more
LEARNING_RATE = 0.02
HOLD = 0.1  # how much Gaussians that are seen well are held to where they began
_BODIES, _FACES = 2, 1  # pictures a step
_FACE_WEIGHT = 0.25
_UNSEEN = 5.0  # times as much are held those that no photograph shows
_FULLY = 0.1  # pixels of the photographs that a Gaussian makes, from which on it counts as seen
_LATEST = 0.2  # weight of a step's numbers in the mean that is looked at
# Standard deviations of what fitted poses are taken to be off by: joints and the pelvis' turn, radians; its place,
# metres; the logarithm of the focal length.
POSE_RATE = 0.1  # of poses, in their standard deviations
_POSE = {"theta": 0.06, "root": 0.03, "focal": 0.02}


@dataclass(frozen=True)
class _Shot:
    """A picture to come nearer to: which frame's, sRGB, matte and weight of every pixel (0: hidden), in [0, 1]; its
    camera."""

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
        return cls(frame, colors, matte[..., None], (1 - hidden)[..., None], *camera)


class _Poses:
    """What the poses of the photographs are off by, each photograph's own: pose, place and focal length."""

    def __init__(self, driving: Driving, learn: bool):
        self.driving, self.learn = driving, learn
        sizes = {"theta": driving.theta.shape[1], "root": driving.root.shape[1], "focal": 1}
        self.off = {
            name: torch.zeros(len(driving), size, device=driving.theta.device, requires_grad=learn)
            for name, size in sizes.items()
        }

    def corrected(self) -> Driving:
        off = {name: sd * self.off[name] for name, sd in _POSE.items() if name != "focal"}
        return replace(self.driving, theta=self.driving.theta + off["theta"], root=self.driving.root + off["root"])

    def K(self, shot: _Shot) -> Tensor:
        """A picture's camera with the focal length corrected, about the middle of its view."""
        zoom = (_POSE["focal"] * self.off["focal"][shot.frame]).exp()
        return shot.K * torch.cat([zoom, zoom, torch.ones_like(zoom)])[:, None].where(_FOCAL.to(shot.K.device), 1.0)

    def improbable(self) -> Tensor:
        return sum(off.square().sum() for off in self.off.values())


_FOCAL = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=torch.bool)


@torch_on_one_thread()
@torch.enable_grad()
def refine(
    avatar: Avatar, frames: Sequence[Frame], driving: Driving, steps: int = STEPS, poses: bool = False
) -> Avatar:
    """The avatar, nearer to the body pictures and face crops of these frames; the one given stays as it is.

    driving: what each frame shows, one entry a frame, epsilon included. The driven branch and the blendshapes are left
    alone and take part in every picture, so that no expression is baked into the canonical face.
    poses: whether poses, places and focal lengths of the photographs are corrected along the way, as where they were
    fitted; what is found is used for nothing else.
    Two bodies and a face a step; L1 over a new background each time, so that what is transparent cannot pass for white;
    what hides the person counts for nothing. Adam on the canonical numbers: on each Gaussian's own, held to where they
    began, and on what those of an anchor have in common, so that unseen ones follow their seen neighbours. The numbers
    returned are the mean of the last steps' (meta: refined_steps).
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
    device, rng = avatar.raw.device, np.random.default_rng(0)
    task = _Task(avatar, frames, known, _Poses(driving, poses), rng)
    own, common = (torch.zeros_like(start, requires_grad=True) for start in (avatar.raw, avatar.raw[:, :1]))
    groups = [{"params": [own, common], "lr": LEARNING_RATE}]
    if poses:
        groups.append({"params": list(task.poses.off.values()), "lr": POSE_RATE})
    adam = torch.optim.Adam(groups, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(steps, 1), eta_min=LEARNING_RATE / 20)
    units = unit_steps(avatar.raw)

    mean = avatar.raw.clone()  # of the steps' numbers, the last ones weighing most: single ones jump
    for step in range(1, steps + 1):
        behind = torch.from_numpy(rng.random((_BODIES + _FACES, 3), np.float32)).to(device)
        numbers = avatar.raw + units * (own + common)
        loss = task.loss(numbers, behind) + HOLD * (task.hold * own.square()).mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        schedule.step()
        with torch.no_grad():
            mean.lerp_(avatar.raw + units * (own + common), max(_LATEST, 1 / step))
    return replace(avatar, raw=mean, meta=avatar.meta | {"refined_steps": steps})


class _Task:
    """What an avatar is refined towards."""

    def __init__(
        self, avatar: Avatar, frames: Sequence[Frame], known: Sequence[int], poses: _Poses, rng: np.random.Generator
    ):
        self.avatar, self.poses, device = avatar, poses, avatar.raw.device
        with torch.no_grad():
            driving = poses.driving
            driven, weights = drive(avatar.drivers, avatar.raw, avatar.weights, avatar.tokens, driving)
            self.moved, self.weights = driven - avatar.raw, weights.expand(len(driving), -1, -1)
            self._fixed = avatar.transforms(driving)
        bodies = [_Shot.of(i, frames[i].body, device) for i in known]
        faces = [_Shot.of(i, face, device) for i in known if (face := frames[i].face) is not None]
        self.kinds = ((bodies, _BODIES, 1.0), (faces, _FACES, _FACE_WEIGHT))
        self._turns = [_in_turn(shots, rng) for shots, *_ in self.kinds]
        self.hold = 1 + (_UNSEEN - 1) * (1 - self._seen())

    def loss(self, raw: Float[Tensor, "G k 14"], behind: Float[Tensor, "P 3"]) -> Tensor:
        """Of the next pictures in turn, over these backgrounds."""
        loss, number = raw.new_zeros(()), 0
        transforms = self.avatar.transforms(self.poses.corrected()) if self.poses.learn else self._fixed
        for (shots, count, weight), turn in zip(self.kinds, self._turns):
            for _ in range(count if shots else 0):
                shot = next(turn)
                wrong = self._wrong(raw, shot, behind[number], transforms)
                loss = loss + weight / count * (shot.shown * wrong).mean()
                number += 1
        return loss + 1e-4 * self.poses.improbable() if self.poses.learn else loss

    def _wrong(self, raw: Tensor, shot: _Shot, behind: Tensor, transforms: Tensor) -> Float[Tensor, "H W 3"]:
        i = shot.frame
        g = self.avatar.rig.pose(raw + self.moved[i], transforms[i], self.weights[i])
        K = self.poses.K(shot) if self.poses.learn else shot.K
        drawn, _ = draw(g, shot.viewmat, K, *shot.matte.shape[1::-1], behind)
        return (drawn[0] - (behind + shot.matte * (shot.colors - behind))).abs()

    def _seen(self) -> Float[Tensor, "G k 1"]:
        """How well the photographs see each Gaussian, 0 to 1: how much of it shows through to the pictures, as its
        share of the pixels it makes. The neighbours of what is seen are seen by half."""
        colors = torch.zeros(len(self.avatar), 1, device=self.avatar.raw.device, requires_grad=True)
        with torch.enable_grad():
            shown = colors.sum() * 0
            for shots, *_ in self.kinds:
                for shot in shots:
                    i = shot.frame
                    g = self.avatar.rig.pose(self.avatar.raw + self.moved[i], self._fixed[i], self.weights[i])
                    g = replace(g, colors=colors.expand(-1, 3))
                    drawn, _ = draw(g, shot.viewmat, shot.K, *shot.matte.shape[1::-1])
                    shown = shown + (shot.shown * shot.matte * drawn[0, ..., :1]).sum()
            (pixels_made,) = torch.autograd.grad(shown, colors)
        seen = (pixels_made / _FULLY).clamp(max=1).reshape(*self.avatar.raw.shape[:2], 1)
        near, _ = neighbourhood(self.avatar.surface.mean(1))
        around = seen.mean(1, keepdim=True)[near, 0].mean(1, keepdim=True)
        return torch.maximum(seen, 0.5 * around.expand_as(seen)).detach()


def _in_turn(shots: list[_Shot], rng: np.random.Generator):
    """All of them again and again, shuffled each time; nothing where there is none."""
    while shots:
        yield from (shots[i] for i in rng.permutation(len(shots)))
