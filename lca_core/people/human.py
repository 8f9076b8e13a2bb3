"""A digital human: geometry and appearance put together, posed by the body's own joints.

Every part carries weights over the body's 55 joints, so the body's linear blend skinning is the exact truth of
how a digital human moves.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from lca_core.body.model import BodyModel, joint_transforms
from lca_core.people import basemesh, clothes, eyes, hair, skin
from lca_core.people.parts import Strands, Surface
from lca_core.people.spec import PersonSpec


@dataclass(frozen=True)
class _BodyPart:
    """A surface on the body's own vertices: it follows facial actions. index: [V] vertices of the body."""

    index: np.ndarray
    look: Surface


@dataclass(frozen=True)
class _Worn:
    """A surface or strands of their own: rest [..., 3], weights [n, 55] of the flattened points."""

    weights: np.ndarray
    look: Surface | Strands


@lru_cache(maxsize=1)
def full_body() -> BodyModel:
    """The body with every vertex of the base mesh, loaded once a process."""
    return BodyModel.load(part="full")


class DigitalHuman:
    """One person, ready to be posed. Make it by `DigitalHuman.build`."""

    def __init__(self, spec: PersonSpec, parts: list[_BodyPart | _Worn]):
        self.spec = spec
        self._parts = parts
        self._body = full_body()
        self._betas = torch.as_tensor(spec.betas, dtype=torch.float32)[None]
        self._joints = self._body.rest_joints(self._betas)
        self._shaped = self._body.rest(self._betas)[0].numpy()
        self._used = np.unique(np.concatenate([part.index for part in parts if isinstance(part, _BodyPart)]))
        self._place = np.zeros(len(self._shaped), np.int64)
        self._place[self._used] = np.arange(len(self._used))
        self._directions = self._body.exprdirs[self._used].numpy()
        self._weights = self._body.weights[self._used].numpy()

    @classmethod
    def build(cls, spec: PersonSpec, texture_px: int = 1024) -> "DigitalHuman":
        """Make a person's geometry and textures (about a second; textures are texture_px wide)."""
        body = full_body()
        betas = torch.as_tensor(spec.betas, dtype=torch.float32)[None]
        rest = body.rest(betas)[0].numpy()
        joints = body.rest_joints(betas)[0].numpy()
        weights = body.weights.numpy()
        template = body.template.numpy().astype(np.float32)
        skin_atlas = skin.atlas(template.tobytes(), texture_px)

        cloths = clothes.dress(spec, rest, joints, weights, texture_px)
        hidden = np.any([cloth.hides for cloth in cloths], 0)
        parts: list[_BodyPart | _Worn] = [_skin_part(hidden, skin.paint(spec, skin_atlas))]
        parts += _mouth(spec)
        parts += _eyes(spec, rest, weights, texture_px)
        parts += [
            _Worn(c.weights, Surface(c.part, c.vertices, c.faces, c.uv, c.albedo, None, c.roughness, c.specular))
            for c in cloths
        ]
        parts += [_Worn(w, look) for w, look in hair.grow(spec, rest, template, joints, cloths[-1].vertices)]
        return cls(spec, parts)

    def pose(
        self, full_pose: np.ndarray, translation: np.ndarray | None = None, actions: np.ndarray | None = None
    ) -> list[Surface | Strands]:
        """The person in a pose, in world space.

        full_pose: [55, 3] axis-angle; translation: [3] metres of the pelvis; actions: [52] facial actions, 0 the
        neutral face. The list's order, faces and textures stay the same from call to call.
        """
        moved = torch.as_tensor(np.asarray(full_pose), dtype=torch.float32)[None]
        shift = None if translation is None else torch.as_tensor(np.asarray(translation), dtype=torch.float32)[None]
        transforms = joint_transforms(self._joints, moved, shift, self._body.parents)[0][0, :, :3].numpy()
        shaped = self._shaped[self._used]
        if actions is not None and np.any(actions):
            active = np.flatnonzero(actions)
            shaped = shaped + self._directions[:, :, active] @ np.asarray(actions, np.float32)[active]
        posed = _skin_points(shaped, self._weights, transforms)
        result: list[Surface | Strands] = []
        for part in self._parts:
            if isinstance(part, _BodyPart):
                result.append(_with(part.look, vertices=posed[self._place[part.index]]))
            elif isinstance(part.look, Surface):
                result.append(_with(part.look, vertices=_skin_points(part.look.vertices, part.weights, transforms)))
            else:
                points = _skin_points(part.look.points.reshape(-1, 3), part.weights, transforms)
                result.append(_with(part.look, points=points.reshape(part.look.points.shape)))
        return result


def _with(look, **changes):
    return type(look)(**{**look.__dict__, **changes})


def _skin_points(points: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Linear blend skinning of points [n, 3] with weights [n, 55] by transforms [55, 3, 4]."""
    joints = np.flatnonzero(weights.any(0))
    blended = (weights[:, joints] @ transforms[joints].reshape(-1, 12)).reshape(-1, 3, 4)
    return (np.einsum("nij,nj->ni", blended[:, :, :3], points) + blended[:, :, 3]).astype(np.float32)


def _body_part(part: str, rows: np.ndarray, albedo: np.ndarray, uv: np.ndarray | None = None, **look) -> _BodyPart:
    mesh = basemesh.load()
    faces, corner_uv = mesh.triangles(rows)
    if uv is not None:
        corner_uv = np.concatenate([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]])
    used, local = np.unique(faces, return_inverse=True)
    rest = np.zeros((len(used), 3), np.float32)
    return _BodyPart(used, Surface(part, rest, local.reshape(-1, 3).astype(np.int32), corner_uv, albedo, **look))


def _skin_part(hidden: np.ndarray, albedo: np.ndarray) -> _BodyPart:
    mesh = basemesh.load()
    rows = mesh.select("body")
    rows = rows[~hidden[mesh.quads[rows]].all(1)]
    return _body_part("skin", rows, albedo, roughness=0.55, specular=0.35)


def _mouth(spec: PersonSpec) -> list[_BodyPart]:
    mesh = basemesh.load()
    plain = lambda *rgb: np.full((4, 4, 3), rgb, np.uint8)  # noqa: E731
    return [
        _body_part(
            "teeth",
            mesh.select("helper-upper-teeth", "helper-lower-teeth"),
            plain(226, 216, 196),
            roughness=0.3,
            specular=0.5,
        ),  # fmt: skip
        _body_part("tongue", mesh.select("helper-tongue"), plain(176, 92, 92), roughness=0.4, specular=0.4),
    ]


def _eyes(spec: PersonSpec, rest: np.ndarray, weights: np.ndarray, texture_px: int) -> list[_BodyPart | _Worn]:
    mesh = basemesh.load()
    albedo = eyes.paint_eye(spec, max(64, texture_px // 4))
    opacity = eyes.paint_lashes()
    lash = np.full((4, 4, 3), 22, np.uint8)
    parts: list[_BodyPart | _Worn] = []
    for side in "lr":
        ball = eyes.eyeball(rest, side)
        joint = np.zeros((len(ball.vertices), weights.shape[1]), np.float32)
        joint[:, clothes._J["left_eye_smplhf" if side == "l" else "right_eye_smplhf"]] = 1
        look = Surface("eye", ball.vertices, ball.faces, ball.uv, albedo, None, 0.05, 1.0)
        parts.append(_Worn(joint, look))
        for lid in "12":
            rows = mesh.select(f"helper-{side}-eyelashes-{lid}")
            uv = eyes.lash_uv(mesh.quads[rows], rest)
            parts.append(_body_part("lash", rows, lash, uv, opacity=opacity, roughness=0.8, specular=0.0))
    return parts
