"""The one way from a person's numbers and a driving signal to posed Gaussians.

Training, avatars, refinement and baselines all go through here: drivers change the canonical numbers and, where they
have something to say of it, the skinning weights; a `Rig` turns numbers into Gaussians and poses them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import Driving, Head, head_of, joint_transforms
from lca_core.model.raw import to_gaussians
from lca_core.model.shading import Material
from lca_core.splats import Gaussians, skin


class Driver:
    """Something that takes part when an avatar is driven. Its parts do nothing here; a driver says what it changes."""

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """The raw numbers under this signal; tokens: the person's geometry tokens, with or without the frames' axes."""
        return raw

    def weights(
        self, weights: Float[Tensor, "*#F N 55"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F N 55"]:
        """The skinning weights under this signal, rows summing to 1."""
        return weights


def drive(
    drivers: Iterable[Driver],
    raw: Float[Tensor, "*#F G k 14"],
    weights: Float[Tensor, "*#F N 55"],
    tokens: Float[Tensor, "*#F G D"],
    driving: Driving,
) -> tuple[Float[Tensor, "*#F G k 14"], Float[Tensor, "*#F N 55"]]:
    """(raw numbers, skinning weights) after all drivers, in their order."""
    for driver in drivers:
        raw, weights = driver.numbers(raw, tokens, driving), driver.weights(weights, tokens, driving)
    return raw, weights


@dataclass(frozen=True)
class Rig:
    """What of people poses their Gaussians, N = G k.

    surface: points of the shaped T-pose that Gaussians are placed relative to, metres; frames: quaternions wxyz of the
    skin's frames there; skinning: weights, rows summing to 1; rest_joints: joints of the shaped T-pose, metres.
    """

    surface: Float[Tensor, "*#B G k 3"]
    frames: Float[Tensor, "G k 4"]
    skinning: Float[Tensor, "*#B N 55"]
    rest_joints: Float[Tensor, "*#B 55 3"]

    def for_views(self) -> "Rig":
        """Of B people, each in several views: an axis for the views after the people's."""
        return Rig(self.surface[:, None], self.frames, self.skinning, self.rest_joints[:, None])

    def person(self, number: int) -> "Rig":
        """One of B people's."""
        return Rig(self.surface[number], self.frames, self.skinning, self.rest_joints[number])

    def to(self, device: torch.device | str) -> "Rig":
        """A copy on another device."""
        return Rig(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def transforms(self, driving: Driving) -> Float[Tensor, "*F 55 4 4"]:
        """Joint transforms from the T-pose to the world."""
        shape = torch.broadcast_shapes(driving.root.shape[:-1], self.rest_joints.shape[:-2])
        joints = self.rest_joints.expand(*shape, -1, -1).reshape(-1, *self.rest_joints.shape[-2:])
        pose = driving.full_pose.to(joints).expand(*shape, -1, -1).reshape(joints.shape)
        shift = driving.root[..., 3:].to(joints).expand(*shape, -1).reshape(-1, 3)
        return joint_transforms(joints, pose, shift)[0].reshape(*shape, -1, 4, 4)

    def canonical(self, raw: Float[Tensor, "*B G k 14"]) -> Gaussians:
        """Gaussians [*B, N] of the T-pose."""
        return to_gaussians(raw, self.surface, self.frames)

    def pose(
        self,
        raw: Float[Tensor, "*#F G k 14"],
        transforms: Float[Tensor, "*#F 55 4 4"],
        weights: Float[Tensor, "*#F N 55"] | None = None,
    ) -> Gaussians:
        """Gaussians [*F, N] in the world; weights: other than the rig's own."""
        return skin(self.canonical(raw), self.skinning if weights is None else weights, transforms)

    def heads(self, transforms: Float[Tensor, "*F 55 4 4"]) -> Head:
        """Where the heads are then."""
        return head_of(self.rest_joints, transforms)


class Posed(NamedTuple):
    """What a model makes of B people in V views each.

    raw [B, G, k, 14] and driven_raw [B, V, G, k, 14]: numbers of both branches; canonical and driven: their Gaussians
    [B, V, N] in the poses of the views; weights: the skinning weights the driven ones were posed with; tokens
    [B, G, D]; heads [B, V]; material: of the canonical ones, where the driven ones are seen under a light; rest: the
    driven ones in the T-pose.
    """

    raw: Float[Tensor, "B G k 14"]
    driven_raw: Float[Tensor, "B V G k 14"]
    canonical: Gaussians
    driven: Gaussians
    weights: Float[Tensor, "*V N 55"]
    tokens: Float[Tensor, "B G D"]
    heads: Head
    material: Material | None = None
    rest: Gaussians | None = None
