"""Photographs as something an avatar is compared with: drawn over in their own poses, and what is wrong with it there.

The encoder reads photographs as patches (`Inputs`); this is the same photographs as pictures, with what the person did
in each of them, expression included, so that no smile is taken for a feature of the calm face.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lca_core.body import Driving
from lca_core.data import Frame, Picture, camera_tensors, hidden_of, pixels
from lca_core.model.posing import Driver, Rig, drive
from lca_core.splats import draw_each

FACE_WEIGHT = 0.5  # of a face crop beside a body picture
_LEAST_SHARE = 0.05  # of the picture that a person is taken to fill at least
_GOLDEN = (0.7548777, 0.5698403, 0.4301597)  # what sequence of backgrounds fills the cube of colours evenly


@dataclass(frozen=True)
class Shots:
    """P pictures of one size: sRGB, matte and what is hidden, in [0, 1]; their cameras; whose they are and which of
    that person's photographs; weight: of each beside others."""

    pixels: Float[Tensor, "P H W 5"]
    viewmats: Float[Tensor, "P 4 4"]
    Ks: Float[Tensor, "P 3 3"]
    person: Int[Tensor, " P"]
    frame: Int[Tensor, " P"]
    weight: float

    @classmethod
    def of(cls, pictures: Sequence[tuple[int, Picture]], weight: float, device: torch.device) -> "Shots":
        """One person's pictures, each beside the number of its photograph; at least one."""
        values = []
        for _, picture in pictures:
            image, matte = pixels(picture, device)
            values.append(torch.cat([image, matte[..., None], hidden_of(picture, device)[..., None]], -1))
        viewmats, Ks = (torch.stack(each) for each in zip(*(camera_tensors(p.camera, device) for _, p in pictures)))
        frame = torch.tensor([number for number, _ in pictures], device=device)
        return cls(torch.stack(values), viewmats, Ks, torch.zeros_like(frame), frame, weight)

    def to(self, device: torch.device | str) -> "Shots":
        """A copy on another device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "weight"}
        return Shots(**moved, weight=self.weight)


@dataclass(frozen=True)
class Photographs:
    """N photographs of each of B people whose poses are known. driving: [B, N], codes included."""

    driving: Driving
    shots: tuple[Shots, ...]

    @classmethod
    def of(cls, frames: Sequence[Frame], driving: Driving) -> "Photographs":
        """One person's (B = 1); driving: what each frame shows, one entry a frame. Frames whose pose is unknown take no
        part; ValueError where frames and driving are not as many."""
        if len(frames) != len(driving):
            raise ValueError(f"{len(driving)} driving signals do not belong to {len(frames)} frames")
        known = [(i, frame) for i, frame in enumerate(frames) if frame.tracked]
        bodies = [(i, frame.body) for i, frame in known]
        faces = [(i, frame.face) for i, frame in known if frame.face is not None]
        device = driving.theta.device
        kinds = ((bodies, 1.0), (faces, FACE_WEIGHT))
        one = Driving(**{f.name: getattr(driving, f.name)[None] for f in fields(Driving)})
        return cls(one, tuple(Shots.of(each, weight, device) for each, weight in kinds if each))

    def to(self, device: torch.device | str) -> "Photographs":
        """A copy on another device."""
        driving = Driving(**{f.name: getattr(self.driving, f.name).to(device) for f in fields(Driving)})
        return Photographs(driving, tuple(shots.to(device) for shots in self.shots))


class Comparison:
    """Avatars of B people beside their photographs.

    raw: the numbers that the drivers start from; what they add is taken once and kept, however raw is changed later.
    """

    @torch.no_grad()
    def __init__(
        self,
        photographs: Photographs,
        rig: Rig,
        drivers: Iterable[Driver],
        raw: Float[Tensor, "B G k 14"],
        tokens: Float[Tensor, "B G D"],
    ):
        self._photographs, self._rig, driving = photographs, rig.for_views(), photographs.driving
        driven, weights = drive(drivers, raw[:, None], self._rig.skinning, tokens[:, None], driving)
        self._moved, self._weights = driven - raw[:, None], weights
        self._transforms = self._rig.transforms(driving)
        self._count = raw.new_zeros(len(raw))
        for shots in photographs.shots:
            self._count.index_add_(0, shots.person, torch.full_like(shots.weight * self._share(shots), shots.weight))

    @staticmethod
    def _share(shots: Shots) -> Float[Tensor, " P"]:
        return shots.pixels[..., 3].mean((1, 2)).clamp(min=_LEAST_SHARE)

    def loss(self, raw: Float[Tensor, "B G k 14"], turn: int = 0) -> Float[Tensor, " B"]:
        """Each person's mean absolute error over the pictures, by how large the person is in them; 0 without any.

        turn: chooses the backgrounds that both lie over; another one each time, so that what is transparent cannot
        pass for a colour.
        """
        posed = self._rig.pose(raw[:, None] + self._moved, self._transforms, self._weights)
        frames, posed = posed.means.shape[1], posed.map(lambda values: values.flatten(0, 1))
        total = raw.new_zeros(len(raw))
        for shots in self._photographs.shots:
            height, width = shots.pixels.shape[1:3]
            numbers = torch.arange(len(shots.pixels), device=raw.device)[:, None] + 1 + turn * len(shots.pixels)
            behind = (numbers * numbers.new_tensor(_GOLDEN, dtype=raw.dtype)) % 1
            which = shots.person * frames + shots.frame
            drawn, _ = draw_each(posed, which, shots.viewmats, shots.Ks, width, height, behind)
            matte, shown, behind = shots.pixels[..., 3:4], 1 - shots.pixels[..., 4:], behind[:, None, None]
            truth = behind + matte * (shots.pixels[..., :3] - behind)
            wrong = (shown * (drawn - truth)).abs().mean((1, 2, 3)) / self._share(shots)
            total = total.index_add(0, shots.person, shots.weight * wrong)
        return total / self._count.clamp(min=1e-6)

    @torch.enable_grad()
    def gradient(
        self, raw: Float[Tensor, "B G k 14"], turn: int = 0
    ) -> tuple[Float[Tensor, "B G k 14"], Float[Tensor, " B"]]:
        """(gradient of each person's loss with respect to their numbers, the losses)."""
        numbers = raw.detach().requires_grad_()
        loss = self.loss(numbers, turn)
        if not loss.requires_grad:
            return torch.zeros_like(numbers), loss
        return torch.autograd.grad(loss.sum(), numbers)[0], loss.detach()
