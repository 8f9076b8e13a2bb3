"""What the networks saw of one person, picture by picture, as the numbers a body is fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import grid_sample, normalize

from lca_core.curation.landmarks import FACE, FACE_POINTS, LEFT_HAND, NAMES, POSE, RIGHT_HAND

# Pairs of pose landmarks whose direction in space the network guesses: limbs, shoulders, hips, sides.
BONES = ((11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28), (11, 12), (23, 24), (11, 23),
         (12, 24))  # fmt: skip
_SEEN = 0.3  # landmarks of a lower visibility are not used
_FIELD_PX = 128


@dataclass(frozen=True)
class Seen:
    """What the networks saw in one picture of height x width pixels.

    pose float32 [33, 4] pixels and visibility; world [33, 3] metres, the camera's axes; hands: left and right [21, 3]
    pixels, None where unseen; mesh [478, 3] pixels or None; matte uint8 [H, W] or None.
    """

    height: int
    width: int
    pose: np.ndarray
    world: np.ndarray
    hands: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    mesh: np.ndarray | None = None
    matte: np.ndarray | None = None


@dataclass(frozen=True)
class Landmarks:
    """T pictures' landmarks (`landmarks.NAMES`), L of them, and bones (`BONES`), B of them.

    points: from the pictures' middles, in pictures' heights; weights: 0 where unseen; world: the pose landmarks in
    space, metres; bones: unit vectors in the camera's axes; bone_weights: how visible both ends are.
    """

    points: Float[Tensor, "T L 2"]
    weights: Float[Tensor, "T L"]
    world: Float[Tensor, "T 33 3"]
    bones: Float[Tensor, "T B 3"]
    bone_weights: Float[Tensor, "T B"]

    @classmethod
    def of(cls, frames: Sequence[Seen]) -> "Landmarks":
        """Those of some pictures."""
        points = np.zeros((len(frames), len(NAMES), 2))
        weights = np.zeros(points.shape[:2])
        for t, frame in enumerate(frames):
            parts = [(POSE, frame.pose, np.where(frame.pose[:, 3] > _SEEN, frame.pose[:, 3], 0))]
            parts += [(part, found, 1) for part, found in zip((LEFT_HAND, RIGHT_HAND), frame.hands)]
            parts += [(FACE, None if frame.mesh is None else frame.mesh[list(FACE_POINTS)], 1)]
            for part, found, weight in parts:
                if found is not None:
                    points[t, part] = (found[:, :2] - [frame.width / 2, frame.height / 2]) / frame.height
                    weights[t, part] = weight
        world = torch.from_numpy(np.stack([frame.world for frame in frames]).astype(float))
        visible = torch.from_numpy(np.stack([frame.pose[:, 3] for frame in frames]).astype(float))
        first, second = torch.tensor(BONES).T
        bones = normalize(world[:, second] - world[:, first], dim=-1)
        return cls(
            torch.from_numpy(points), torch.from_numpy(weights), world, bones,
            torch.minimum(visible[:, first], visible[:, second]),
        )  # fmt: skip


class Outside:
    """How far points lie outside the mattes of T pictures, in pictures' heights."""

    def __init__(self, frames: Sequence[Seen]):
        self._fields = torch.stack([_field(frame) for frame in frames])[:, None]
        scales = [[2 * frame.height / frame.width, 2.0] for frame in frames]
        self._scales = torch.tensor(scales, dtype=torch.float64)

    def __call__(self, points: Float[Tensor, "T N 2"]) -> Float[Tensor, "T N"]:
        """Of points from the pictures' middles, in heights; 0 beyond the pictures' edges, where nothing is known."""
        grid = points * self._scales[:, None]
        return grid_sample(self._fields, grid[:, None], align_corners=False)[:, 0, 0] * self.inside(points)

    def inside(self, points: Float[Tensor, "T N 2"]) -> Bool[Tensor, "T N"]:
        """Whether such points lie in the pictures."""
        return ((points * self._scales[:, None]).abs() < 1).all(-1)


def matte_points(frames: Sequence[Seen], count: int) -> tuple[Float[Tensor, "T P 2"], Float[Tensor, " T"]]:
    """(`count` points inside each matte, evenly, from the picture's middle and in its heights; 1 where it has one)."""
    points, there = np.zeros((len(frames), count, 2)), np.zeros(len(frames))
    for t, frame in enumerate(frames):
        inside = np.empty((0, 2)) if frame.matte is None else np.argwhere(frame.matte > 127)
        if len(inside) >= count:
            chosen = inside[np.linspace(0, len(inside) - 1, count).round().astype(int), ::-1] + 0.5
            points[t], there[t] = (chosen - [frame.width / 2, frame.height / 2]) / frame.height, 1
    return torch.from_numpy(points), torch.from_numpy(there)


def _field(frame: Seen) -> Float[Tensor, "n n"]:
    """Distance to the matte, in pictures' heights, on a square grid over the picture; 0 without a matte."""
    field = np.zeros((_FIELD_PX, _FIELD_PX))
    if frame.matte is not None:
        rows, columns = (((np.arange(_FIELD_PX) + 0.5) / _FIELD_PX * n).astype(int) for n in frame.matte.shape)
        person = frame.matte[np.ix_(rows, columns)] > 127
        if person.any():
            field = distance_transform_edt(~person, (1 / _FIELD_PX, frame.width / frame.height / _FIELD_PX))
    return torch.from_numpy(field.astype(float))
