"""The skin of an avatar's body as a mesh in the avatar's colours, pushed out to the cloth and hair on it."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from lca_core.body import BodyModel, Driving
from lca_core.body.basemesh import vertex_normals
from lca_core.body.build import BODY_GROUPS
from lca_core.body.coverage import COVERAGES, body_for, seen_behind
from lca_core.data import Camera
from lca_core.errors import InputError
from lca_core.making.baking import bake, nearest_colors
from lca_core.making.dressing import standing_off
from lca_core.making.sights import views
from lca_core.making.texels import texels
from lca_core.model import Avatar
from lca_core.splats import Gaussians

_SAME = 1e-3  # metres that the joints of one body may differ by
_MOST = 1e3  # of a beta; people have under ten
_LEAST_PX = 64  # side of the smallest pictures that colours are read from


class Skin(NamedTuple):
    """A mesh's vertices, of which those on a seam of the texture are there twice.

    vertices, normals [n, 3]: T-pose, metres; faces [F, 3]; source [n]: the body's vertex; uv [n, 2]: v up, or None.
    """

    vertices: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    faces: Int[np.ndarray, "F 3"]
    source: Int[np.ndarray, " n"]
    uv: Float[np.ndarray, "n 2"] | None


def body_of(avatar: Avatar) -> tuple[BodyModel, Float[torch.Tensor, "1 S"]]:
    """The body an avatar was made on, and its shape; InputError where the avatar does not say, or another is set up."""
    coverage, numbers = avatar.meta.get("body"), avatar.meta.get("betas")
    told = isinstance(numbers, list) and all(isinstance(number, float) and abs(number) < _MOST for number in numbers)
    if coverage not in COVERAGES or not told:
        raise InputError("this avatar does not say what shape its body has; make it again with `avatar`")
    body, betas = body_for(coverage), torch.tensor([numbers], dtype=torch.float32)
    if (body.rest_joints(betas)[0] - avatar.rest_joints).abs().max() > _SAME:
        raise InputError("this avatar was made on another body; set LCA_BODY as it was then")
    return body, betas


def painted_skin(
    avatar: Avatar, body: BodyModel, betas: Float[torch.Tensor, "1 S"], px: int, dressed: bool = True
) -> tuple[Skin, np.ndarray]:
    """(the skin of an avatar's body, its colours): uint8 sRGB, a texture [px, px, 3], or the vertices' colours [n, 3]
    where the body has no texture coordinates.

    dressed: pushed out to what is worn on it (`dressing`).
    """
    gaussians = avatar.drive(Driving.neutral(arms_down=False)).map(lambda t: t[0])
    kept, vertices = _seen_faces(body), body.rest(betas)[0].numpy()
    cameras = views(vertices, body.weights.numpy(), max(px // 3, _LEAST_PX))
    if dressed:
        corners = body.faces.numpy()[kept]
        normals = vertex_normals(vertices, corners)
        off = standing_off(gaussians, body, vertices, normals, corners, cameras)
        vertices = vertices + off[:, None] * normals
    skin = _mesh(body, vertices, kept)
    return skin, _colors(gaussians, skin, seen_behind(body).numpy()[kept], cameras, px)


def _seen_faces(body: BodyModel) -> Int[np.ndarray, " F"]:
    """Numbers of a body's triangles that are a person to be seen: skin, eyes, teeth and tongue."""
    group = body.extra.get("f_group")
    return np.arange(len(body.faces)) if group is None else np.flatnonzero(np.isin(group, BODY_GROUPS))


def _mesh(body: BodyModel, vertices: Float[np.ndarray, "V 3"], kept: Int[np.ndarray, " F"]) -> Skin:
    """The mesh of some of a body's triangles (their numbers), with its vertices where they are told."""
    corners = body.faces.numpy()[kept]
    normals = vertex_normals(vertices, corners)
    places = body.extra["f_uv"][kept] if "f_uv" in body.extra else np.zeros_like(corners)
    pairs, faces = np.unique(np.stack([corners, places], -1).reshape(-1, 2), axis=0, return_inverse=True)
    source, uv = pairs.T[0], body.extra["uv"][pairs.T[1]] if "uv" in body.extra else None
    return Skin(vertices[source], normals[source], faces.reshape(-1, 3), source, uv)


def _colors(
    gaussians: Gaussians, skin: Skin, behind: Float[np.ndarray, " F"], cameras: list[Camera], px: int
) -> np.ndarray:
    """uint8 sRGB: a texture [px, px, 3], or the vertices' colours [n, 3] where there are no texture coordinates."""
    nearest = nearest_colors(gaussians, torch.from_numpy(skin.vertices)).numpy()
    if skin.uv is None:
        at_vertex = np.zeros(len(skin.vertices), np.float32)
        at_vertex[skin.faces] = behind[:, None]
        columns = (skin.vertices, skin.normals, at_vertex, nearest)
        return _bytes(bake(gaussians, *map(torch.from_numpy, columns), cameras))
    found = texels(skin.uv[skin.faces], px)
    points, normals, unseen = (found.on(values[skin.faces]) for values in (skin.vertices, skin.normals, nearest))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-6)
    columns = (points, normals, behind[found.face], unseen)
    return found.picture(_bytes(bake(gaussians, *map(torch.from_numpy, columns), cameras)))


def _bytes(colors: Float[torch.Tensor, "n 3"]) -> np.ndarray:
    return (255 * colors).round().byte().numpy()
