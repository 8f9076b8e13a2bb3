"""Which pixels of a picture no photograph of the person shows, by the truth's depth and the body under it.

People move between pictures, so a pixel is followed by the body: each pixel of the person belongs to the body's vertex
nearest to the point that the depth says, and a vertex is seen in a photograph where its depth there is the picture's.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from lca_core.body import BodyModel, full_pose
from lca_core.data import Camera, Frame, Picture, signal_tensors
from lca_core.errors import InputError

_NEAR = 0.06  # metres between a vertex and what is seen at its pixel: cloth and hair lie over it


def unseen_pixels(
    body: BodyModel, betas: np.ndarray, photographs: Sequence[Frame], targets: Sequence[Frame]
) -> list[Bool[np.ndarray, "H W"]]:
    """For each target's body picture: pixels of the person (matte over 0.5) that no photograph shows.

    body: one of skin alone; of one with shells of cloth and hair, nobody knows which of them are worn. Face crops of
    the photographs count as well. InputError where a picture was recorded without truth.
    """
    seen = np.zeros(len(body.template), bool)
    for frame, vertices in zip(photographs, _vertices(body, betas, photographs)):
        for picture in (frame.body, frame.face):
            if picture is not None:
                seen |= _seen(picture, vertices)
    result = []
    for frame, vertices in zip(targets, _vertices(body, betas, targets)):
        picture, depth = frame.body, _depth(frame.body)
        row, column = there = np.nonzero((picture.matte > 127) & (depth > 0))
        points = _lifted(picture.camera, column + 0.5, row + 0.5, depth[there])
        unseen = np.zeros(picture.matte.shape, bool)
        unseen[there] = ~seen[cKDTree(vertices).query(points)[1]]
        result.append(unseen)
    return result


def _vertices(body: BodyModel, betas: np.ndarray, frames: Sequence[Frame]) -> Float[np.ndarray, "F V 3"]:
    theta, root, gaze = signal_tensors(frames)
    shape = torch.from_numpy(betas)[None].expand(len(frames), -1)
    return body(shape, None, full_pose(theta, root, gaze), root[:, 3:]).vertices.numpy()


def _seen(picture: Picture, vertices: Float[np.ndarray, "V 3"]) -> Bool[np.ndarray, " V"]:
    camera, depth = picture.camera, _depth(picture)
    inside_camera = vertices @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    z = inside_camera[:, 2]
    pixels = (inside_camera @ camera.K.T)[:, :2] / np.maximum(z, 1e-6)[:, None]
    column, row = np.floor(pixels).astype(int).T
    inside = (z > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    found = depth[row.clip(0, camera.height - 1), column.clip(0, camera.width - 1)]
    return inside & (found > 0) & (np.abs(found - z) < _NEAR)


def _lifted(camera: Camera, x: np.ndarray, y: np.ndarray, depth: np.ndarray) -> Float[np.ndarray, "N 3"]:
    """World points of pixels at these depths along the camera's axis."""
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(camera.K).T
    return (rays * depth[:, None] - camera.viewmat[:3, 3]) @ camera.viewmat[:3, :3]


def _depth(picture: Picture) -> np.ndarray:
    if picture.truth is None:
        raise InputError("this needs the truth's depth; draw the people with --truth")
    return picture.truth.depth.astype(np.float32)
