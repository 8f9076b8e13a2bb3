"""The posed body: shape, expression and pose to vertices, by linear blend skinning."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lca_core.body.build import body_file
from lca_core.body.files import read_body_file, split_directions
from lca_core.body.layout import JOINT_NAMES, PARENTS


@dataclass(frozen=True)
class Posed:
    """A posed body. transforms take points of the shaped T-pose into the world, one per joint."""

    vertices: Float[Tensor, "B V 3"]
    joints: Float[Tensor, "B 55 3"]
    transforms: Float[Tensor, "B 55 4 4"]


class BodyModel:
    """A body file in SMPL-X's layout, in memory.

    template [V, 3] metres; faces [F, 3]; shapedirs [V, 3, S]; exprdirs [V, 3, E]; posedirs [V, 3, 486] or None;
    weights [V, 55]; J_template [55, 3]; J_shapedirs [55, 3, S]; parents: 55 ints, -1 for the pelvis.
    """

    def __init__(self, arrays: dict[str, np.ndarray], dtype: torch.dtype = torch.float32):
        def tensor(value):
            return torch.as_tensor(np.ascontiguousarray(value)).to(dtype)

        shape, expression = split_directions(arrays["shapedirs"])
        self.template = tensor(arrays["v_template"])
        self.faces: Int[Tensor, "F 3"] = torch.as_tensor(arrays["f"].astype(np.int64))
        self.shapedirs = tensor(shape[..., : _used(shape)])
        self.exprdirs = tensor(expression[..., : _used(expression)])
        posedirs = arrays.get("posedirs")
        self.posedirs = None if posedirs is None or not posedirs.any() else tensor(posedirs)
        self.weights = tensor(arrays["weights"])
        regressor = torch.as_tensor(arrays["J_regressor"], dtype=torch.float64)
        self.J_template = (regressor @ torch.as_tensor(arrays["v_template"], dtype=torch.float64)).to(dtype)
        self.J_shapedirs = torch.einsum("jv,vis->jis", regressor, self.shapedirs.double()).to(dtype)
        self.J_exprdirs = torch.einsum("jv,vis->jis", regressor, self.exprdirs.double()).to(dtype)
        self.parents = list(PARENTS)  # the file's own, as it was checked
        self.extra = {k: arrays[k] for k in ("uv", "f_uv", "f_group", "quads", "base_index") if k in arrays}

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        part: str = "body",
        dtype: torch.dtype = torch.float32,
        sculpted: bool = False,
    ):
        """Read a body file.

        path: an .npz in SMPL-X's layout, e.g. the official SMPLX_NEUTRAL.npz (v1.0 or v1.1); by default the free body
        made by `body_file(part, sculpted)`, or what the environment variable LCA_BODY names. InputError as
        `read_body_file`.
        """
        if path is None and part == "body":
            path = os.environ.get("LCA_BODY")
        return cls(read_body_file(Path(path) if path else body_file(part, sculpted)), dtype)

    def rest(
        self, betas: Float[Tensor, "B S"], expression: Float[Tensor, "B E"] | None = None
    ) -> Float[Tensor, "B V 3"]:
        """Shaped vertices in the T-pose, metres. betas and expression may be shorter or longer than the file's."""
        n = min(betas.shape[-1], self.shapedirs.shape[-1])
        v = self.template + torch.einsum("vis,bs->bvi", self.shapedirs[..., :n], betas[:, :n])
        if expression is not None and self.exprdirs.shape[-1]:
            n = min(expression.shape[-1], self.exprdirs.shape[-1])
            v = v + torch.einsum("vis,bs->bvi", self.exprdirs[..., :n], expression[:, :n])
        return v

    def rest_joints(
        self, betas: Float[Tensor, "B S"], expression: Float[Tensor, "B E"] | None = None
    ) -> Float[Tensor, "B 55 3"]:
        """Joint positions of the shaped T-pose, metres.

        SMPL-X regresses the joints from the face as expressed; in the free body expressions leave them where they are.
        """
        n = min(betas.shape[-1], self.J_shapedirs.shape[-1])
        joints = self.J_template + torch.einsum("jis,bs->bji", self.J_shapedirs[..., :n], betas[:, :n])
        if expression is not None and self.J_exprdirs.shape[-1]:
            n = min(expression.shape[-1], self.J_exprdirs.shape[-1])
            joints = joints + torch.einsum("jis,bs->bji", self.J_exprdirs[..., :n], expression[:, :n])
        return joints

    def __call__(
        self,
        betas: Float[Tensor, "B S"],
        expression: Float[Tensor, "B E"] | None,
        full_pose: Float[Tensor, "B 55 3"],
        translation: Float[Tensor, "B 3"] | None = None,
    ) -> Posed:
        """Pose the body (Loper et al. 2015, eq. 1-4; SMPL-X's joints and order)."""
        v = self.rest(betas, expression)
        transforms, joints = joint_transforms(self.rest_joints(betas, expression), full_pose, translation, self.parents)
        if self.posedirs is not None:
            eye = torch.eye(3, dtype=v.dtype, device=v.device)
            feature = (axis_angle_to_matrix(full_pose[:, 1:]) - eye).flatten(1)
            v = v + torch.einsum("vip,bp->bvi", self.posedirs, feature)
        return Posed(blend(self.weights, transforms, v), joints, transforms)

    @cached_property
    def joint_index(self) -> dict[str, int]:
        """Joint name -> number."""
        return {name: i for i, name in enumerate(JOINT_NAMES)}


def blend(
    weights: Float[Tensor, "V J"], transforms: Float[Tensor, "B J 4 4"], points: Float[Tensor, "#B V 3"]
) -> Float[Tensor, "B V 3"]:
    """Linear blend skinning: each point moved by the weighted sum of the joints' transforms."""
    T = torch.einsum("vj,bjk->bvk", weights, transforms[:, :, :3].flatten(2)).unflatten(-1, (3, 4))
    return (T[..., :3] @ points[..., None])[..., 0] + T[..., 3]


def joint_transforms(
    joints: Float[Tensor, "B 55 3"],
    full_pose: Float[Tensor, "B 55 3"],
    translation: Float[Tensor, "B 3"] | None = None,
    parents: Sequence[int] = PARENTS,
) -> tuple[Float[Tensor, "B 55 4 4"], Float[Tensor, "B 55 3"]]:
    """(transforms from the T-pose to the world, posed joints) of rest joints under axis-angle rotations."""
    generations = _generations(tuple(parents))
    above = torch.cat([joints, torch.zeros_like(joints[:, :1])], 1)[:, list(parents)]  # the root's parent, -1: zero
    local = _rigid(axis_angle_to_matrix(full_pose), joints - above)
    levels = []
    for mine, parent in generations:
        levels.append(levels[-1][:, parent] @ local[:, mine] if levels else local[:, mine])
    order = np.argsort([j for mine, _ in generations for j in mine])
    world = torch.cat(levels, 1)[:, order]
    R, p = world[..., :3, :3], world[..., :3, 3]
    if translation is not None:
        p = p + translation[:, None]
    return _rigid(R, p - (R @ joints[..., None])[..., 0]), p


@lru_cache
def _generations(parents: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Joints by their depth in the skeleton, and the place of each one's parent in the generation before."""
    generations, before = [], [-1]
    while before:
        mine = [j for j, parent in enumerate(parents) if parent in before]
        generations.append((mine, [before.index(parents[j]) for j in mine]))
        before = mine
    return generations[:-1]


def _rigid(R: Float[Tensor, "*batch 3 3"], t: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4 4"]:
    last = torch.cat([torch.zeros_like(t), torch.ones_like(t[..., :1])], -1)[..., None, :]
    return torch.cat([torch.cat([R, t[..., None]], -1), last], -2)


def axis_angle_to_matrix(vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rodrigues' formula, smooth at zero."""
    square = (vector * vector).sum(-1)
    small = square < 1e-8
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    s = torch.where(small, 1 - square / 6, angle.sin() / angle)[..., None, None]
    c = torch.where(small, 0.5 - square / 24, (1 - angle.cos()) / (angle * angle))[..., None, None]
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    K = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    return torch.eye(3, dtype=vector.dtype, device=vector.device) + s * K + c * (K @ K)


def _used(dirs: np.ndarray) -> int:
    """Number of leading columns up to the last one that is not all zero."""
    nonzero = np.flatnonzero(np.abs(dirs).max((0, 1)) > 0) if dirs.size else np.array([], int)
    return int(nonzero[-1]) + 1 if len(nonzero) else 0
