"""What a page knows of an avatar, in the few bits it is written with, and what its JavaScript makes of that.

`PageAvatar.drive` is the definition of what body.js does; tests hold the one to the other.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8, UInt32
from torch import Tensor

from lca_core.body import full_pose, joint_transforms
from lca_core.model import Avatar
from lca_core.model.raw import COLOR, OPACITY, POSITION, POSITION_UNIT, ROTATION, SCALE, offsets
from lca_core.motion.motions import Motion
from lca_core.splats import Gaussians, skin
from lca_core.splats.skinning import multiply_quats
from lca_core.viewer.page.distil import Distilled, changes, distil
from lca_core.viewer.page.packing import Planes
from lca_core.viewer.signals import rest

MOST_JOINTS = 8  # that carry one Gaussian
_LEAST_SCALE, _MOST_SCALE = -9.0, -2.0  # log metres, as in model/raw.py


@dataclass(frozen=True)
class PageAvatar:
    """base [14, N]: colour (logit), position (T-pose, metres), rotation (wxyz), scale (log metres), opacity, at rest.

    driven [R, 13, N]: directions, with steps as `distilled` says; face: index [M], dirs [52, 3, M] metres for a whole
    action, learned [L, 13, M] with steps mix [L, 52] times the actions; joints and weights [N, K]: heaviest first, a
    weight of 255 being one; rest_joints [55, 3].
    """

    base: Planes
    driven: Planes
    distilled: Distilled
    index: UInt32[np.ndarray, " M"]
    dirs: Planes
    learned: Planes
    mix: Float[np.ndarray, "L 52"]
    joints: UInt8[np.ndarray, "N K"]
    weights: UInt8[np.ndarray, "N K"]
    rest_joints: Float[Tensor, "55 3"]

    @classmethod
    @torch.no_grad()
    def of(cls, avatar: Avatar) -> "PageAvatar":
        """Distilled and rounded; some seconds of work."""
        distilled, face = distil(avatar), avatar.face
        still = avatar.raw.flatten(0, 1).clone()
        still[:, : OPACITY.start] += changes(avatar, rest())[0]
        action_map = avatar.action_map
        still = face.move(still.reshape(avatar.raw.shape), action_map.bias).flatten(0, 1)
        frames, lengths = avatar.frames.flatten(0, 1), still[:, ROTATION].norm(dim=1, keepdim=True).clamp(min=1e-6)

        def turned(change: Float[Tensor, "*B n 13"], these: Tensor | slice = slice(None)) -> Float[Tensor, "*B n 13"]:
            """Changes of raw numbers as changes of the page's: metres, and rotations in the axes of the T-pose."""
            rotation = multiply_quats(frames[these].expand_as(change[..., ROTATION]), change[..., ROTATION])
            rotation = rotation / lengths[these]
            return torch.cat(
                [change[..., COLOR], POSITION_UNIT * change[..., POSITION], rotation, change[..., SCALE]], -1
            )

        base = turned(still[:, : OPACITY.start])
        base[:, POSITION] = avatar.surface.flatten(0, 1) + offsets(still)
        base = torch.cat([base, still[:, OPACITY].sigmoid()], -1)
        dirs = torch.einsum("mie,ea->aim", face.dirs, action_map.weight[: face.dirs.shape[2]])
        learned = turned(face.learned.permute(2, 0, 1), face.index)
        joints, weights = heaviest(avatar.skinning)
        return cls(
            base=Planes.of(base.T.numpy(), np.int16),
            driven=Planes.of(turned(distilled.directions).mT.numpy(), np.int8, centred=True),
            distilled=distilled,
            index=face.index.numpy().astype(np.uint32),
            dirs=Planes.of(dirs.numpy(), np.int8, centred=True),
            learned=Planes.of(learned.mT.numpy(), np.int8, centred=True),
            mix=(face.mix @ action_map.weight).numpy(),
            joints=joints,
            weights=weights,
            rest_joints=avatar.rest_joints,
        )

    def __len__(self) -> int:
        return len(self.joints)

    @torch.no_grad()
    def drive(self, signal: Motion) -> Gaussians:
        """Gaussians in world space, [T, N], as the page draws them."""
        theta, root, gaze, actions = map(torch.from_numpy, signal)
        base, driven, dirs, learned = (
            torch.from_numpy(planes.values) for planes in (self.base, self.driven, self.dirs, self.learned)
        )
        numbers = base.repeat(len(theta), 1, 1)
        numbers[:, : OPACITY.start] += torch.einsum("tr,rcn->tcn", self.distilled.steps(signal), driven)
        index = torch.from_numpy(self.index.astype(np.int64))
        numbers[:, POSITION, index] += torch.einsum("ta,aim->tim", actions, dirs)
        learned = torch.einsum("tl,lcm->tcm", actions @ torch.from_numpy(self.mix).T, learned)
        numbers[:, : OPACITY.start, index] += learned
        numbers = numbers.mT
        still = Gaussians(
            means=numbers[..., POSITION].contiguous(),
            quats=torch.nn.functional.normalize(numbers[..., ROTATION], dim=-1),
            scales=numbers[..., SCALE].clamp(_LEAST_SCALE, _MOST_SCALE).exp(),
            opacities=numbers[..., OPACITY.start],
            colors=numbers[..., COLOR].sigmoid(),
        )
        pose, joints = full_pose(theta, root, gaze), self.rest_joints.expand(len(theta), -1, -1)
        weights = torch.zeros(len(self), len(self.rest_joints))
        weights.scatter_add_(1, torch.from_numpy(self.joints.astype(np.int64)), torch.from_numpy(self.weights) / 255)
        return skin(still, weights, joint_transforms(joints, pose, root[:, 3:])[0])


def heaviest(weights: Float[Tensor, "N 55"]) -> tuple[UInt8[np.ndarray, "N K"], UInt8[np.ndarray, "N K"]]:
    """(joints, weights) that carry each Gaussian, heaviest first, uint8; a Gaussian's weights add up to 255."""
    values, joints = weights.topk(min(MOST_JOINTS, weights.shape[1]), 1)
    values = values / values.sum(1, keepdim=True)
    whole = (255 * values).round()
    whole[:, 0] += 255 - whole.sum(1)
    most = int((whole > 0).sum(1).max())
    return joints[:, :most].numpy().astype(np.uint8), whole[:, :most].numpy().astype(np.uint8)
