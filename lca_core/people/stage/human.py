"""A digital human: geometry and appearance put together, posed by the body's own joints.

Every part carries weights over the body's 55 joints, so the body's linear blend skinning is the exact truth of
how a digital human moves.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.body.face_pulls import Face
from lca_core.body.face_regions import LOWER_TEETH, SKIN, UPPER_TEETH
from lca_core.body.layout import JOINT_NAMES
from lca_core.body.model import BodyModel, joint_transforms
from lca_core.body.sculpted import calm, jaw_directions, sculpted_directions
from lca_core.body.sculpted_file import full_regions
from lca_core.people.body import eyes, skin, teeth
from lca_core.people.body.parts import Strands, Surface
from lca_core.people.clothes import cloth, clothes
from lca_core.people.hair import hair
from lca_core.people.styles.exaggerate import Proportions, exaggerated, wide_eyed
from lca_core.people.who.spec import PersonSpec
from lca_core.people.worn import accessories, shoes


@dataclass(frozen=True)
class _BodyPart:
    """A surface on the body's own vertices: it follows facial actions. index: [V] vertices of the body."""

    index: np.ndarray
    look: Surface


@dataclass(frozen=True)
class _Worn:
    """A surface or strands of their own: rest [..., 3], weights [n, 55] of the flattened points; free [n]: 1 where
    cloth hangs freely, 0 where it follows the body, None for what never hangs; directions [n, 3, 52]: what facial
    actions add to the flattened points, None for what they leave alone."""

    weights: np.ndarray
    look: Surface | Strands
    free: np.ndarray | None = None
    directions: np.ndarray | None = None

    @property
    def hangs(self) -> bool:
        """Whether any of it is loose cloth."""
        return self.free is not None and bool((self.free > 0).any())


@lru_cache(maxsize=1)
def full_body() -> BodyModel:
    """The body with every vertex of the base mesh, loaded once a process."""
    return BodyModel.load(part="full")


class DigitalHuman:
    """One person, ready to be posed. Make it by `DigitalHuman.build`."""

    def __init__(
        self,
        spec: PersonSpec,
        parts: list[_BodyPart | _Worn],
        rest: np.ndarray,
        directions: np.ndarray,
        proportions: Proportions | None,
    ):
        """rest: [V, 3] of the body, calm; directions: [V, 3, 52] of its facial actions."""
        self.spec = spec
        mesh = basemesh.load()
        self._skin_faces = mesh.triangles(mesh.select("body"))[0]  # of the whole body, what clothes hide included
        self._proportions = proportions
        self._body = full_body()
        self._betas = torch.as_tensor(spec.betas, dtype=torch.float32)[None]
        self._joints = self._body.rest_joints(self._betas)
        self._shaped = rest
        self._parts = [part if isinstance(part, _BodyPart) else self._widened(part) for part in parts]
        self._used = np.unique(np.concatenate([part.index for part in parts if isinstance(part, _BodyPart)]))
        self._place = np.zeros(len(self._shaped), np.int64)
        self._place[self._used] = np.arange(len(self._used))
        self._directions = directions[self._used]
        self._weights = self._body.weights[self._used].numpy()

    @classmethod
    def build(cls, spec: PersonSpec, texture_px: int = 1024, proportions: Proportions | None = None) -> "DigitalHuman":
        """Make a person's geometry and textures (about a second; textures are texture_px wide).

        proportions: other than the body's own, as a cartoonist would draw the person.
        """
        body = full_body()
        betas = torch.as_tensor(spec.betas, dtype=torch.float32)[None]
        regions = full_regions()
        rest = calm(body.rest(betas)[0].numpy(), regions).astype(np.float32)
        directions = sculpted_directions(rest, regions, body.exprdirs.numpy())
        joints = body.rest_joints(betas)[0].numpy()
        weights = body.weights.numpy()
        template = body.template.numpy().astype(np.float32)
        skin_atlas = skin.atlas(template.tobytes(), texture_px)

        cloths = clothes.dress(spec, rest, joints, weights, texture_px)
        footwear, shod = shoes.shoes(spec, rest, joints, weights, texture_px // 4)
        hidden = np.any([shod, *(c.hides for c in cloths)], 0)
        parts: list[_BodyPart | _Worn] = [_skin_part(hidden, skin.paint(spec, skin_atlas), skin.bump(spec, skin_atlas))]
        parts += _mouth(spec, rest, weights)
        parts += _eyes(spec, rest, weights, texture_px)
        parts += [_Worn(w, look) for w, look in footwear]
        parts += [
            _Worn(
                c.weights, Surface(c.part, c.vertices, c.faces, c.uv, c.albedo, None, c.roughness, c.specular), c.free
            )
            for c in cloths
        ]
        under = np.concatenate([c.vertices for c in cloths])  # what long hair lies on
        for w, look in hair.grow(spec, rest, template, joints, under):
            moved = _followed(rest, directions, look) if isinstance(look, Strands) else None  # beards move with faces
            parts.append(_Worn(w, look, directions=moved))
        parts += [_Worn(w, look) for w, look in accessories.wear(spec, rest, joints)]
        return cls(spec, parts, rest, directions, proportions)

    def transforms(self, full_pose: np.ndarray, translation: np.ndarray | None = None) -> np.ndarray:
        """Joint transforms from the T-pose to the world, float32 [55, 3, 4]; arguments as `pose`'s."""
        moved = torch.as_tensor(np.asarray(full_pose), dtype=torch.float32)[None]
        shift = None if translation is None else torch.as_tensor(np.asarray(translation), dtype=torch.float32)[None]
        transforms = joint_transforms(self._joints, moved, shift, self._body.parents)[0][0, :, :3].numpy()
        if self._proportions is None:
            return transforms
        return exaggerated(transforms, self._joints[0].numpy(), self._proportions, float(self._shaped[:, 1].min()))

    @property
    def loose(self) -> dict[int, tuple[Surface, np.ndarray]]:
        """Garments with loose cloth: their place in `pose`'s list -> the garment at rest, and `free` [V]."""
        parts = ((number, part) for number, part in enumerate(self._parts) if isinstance(part, _Worn) and part.hangs)
        return {number: (part.look, part.free) for number, part in parts}

    def hang(self, full_pose: np.ndarray, translation: np.ndarray, fps: float) -> list[dict[int, np.ndarray]]:
        """Loose cloth simulated over a clip: for each frame what `pose` takes as `hanging`.

        full_pose: [T, 55, 3]; translation: [T, 3]; fps: 30 or so, see `cloth.FPS`. Empty dicts for people whose clothes
        all follow the body.
        """
        worn = [(number, part) for number, part in enumerate(self._parts) if isinstance(part, _Worn)]
        cloths = [(number, part) for number, part in worn if part.free is not None]  # from the inside out
        if not any(part.hangs for _, part in cloths):
            return [{} for _ in full_pose]
        poses = cloth.lead_in(full_pose)
        shifts = np.concatenate([np.repeat(translation[:1], cloth.LEAD, 0), translation])
        shifts[: cloth.LEAD, 1] = [self._height(pose) for pose in poses[: cloth.LEAD]]
        transforms = np.stack([self.transforms(*moment) for moment in zip(poses, shifts)])
        body = cloth.Collider.of(self._shaped, self._body.weights.numpy(), self._skin_faces)
        under, hanging = [], {}
        for number, part in cloths:
            rest, faces = part.look.vertices, part.look.faces
            if part.hangs:
                moved = cloth.simulate(rest, faces, part.weights, part.free, transforms, body, fps, under=list(under))
                hanging[number] = moved[cloth.LEAD :]
            else:
                moved = np.stack([_skin_points(rest, part.weights, t) for t in transforms])
            under.append((moved, faces))
        return [{number: vertices[i] for number, vertices in hanging.items()} for i in range(len(full_pose))]

    def _height(self, pose: np.ndarray) -> float:
        """How high the pelvis is above its rest when the lowest point of the body is on the floor."""
        points = _skin_points(self._shaped[self._used], self._weights, self.transforms(pose, np.zeros(3)))
        return -float(points[:, 1].min())

    def _widened(self, part: "_Worn") -> "_Worn":
        if self._proportions is None:
            return part
        name = "vertices" if isinstance(part.look, Surface) else "points"
        points = wide_eyed(getattr(part.look, name), self._joints[0].numpy(), self._proportions)
        return replace(part, look=_with(part.look, **{name: points}))

    def pose(
        self,
        full_pose: np.ndarray,
        translation: np.ndarray | None = None,
        actions: np.ndarray | None = None,
        hanging: dict[int, np.ndarray] | None = None,
    ) -> list[Surface | Strands]:
        """The person in a pose, in world space.

        full_pose: [55, 3] axis-angle; translation: [3] metres of the pelvis; actions: [52] facial actions, 0 the
        neutral face; hanging: loose cloth of this moment, as `hang` gives it. The list's order, faces and textures
        stay the same from call to call.
        """
        transforms = self.transforms(full_pose, translation)
        shaped = self._shaped[self._used]
        actions = np.zeros(0, np.float32) if actions is None else np.asarray(actions, np.float32)
        active = np.flatnonzero(actions)
        if active.size:
            shaped = shaped + self._directions[:, :, active] @ actions[active]
        if self._proportions is not None:
            shaped = wide_eyed(shaped, self._joints[0].numpy(), self._proportions)
        posed = _skin_points(shaped, self._weights, transforms)
        result: list[Surface | Strands] = []
        for number, part in enumerate(self._parts):
            if isinstance(part, _BodyPart):
                result.append(_with(part.look, vertices=posed[self._place[part.index]]))
            elif hanging and number in hanging:
                result.append(_with(part.look, vertices=hanging[number]))
            else:
                name = "vertices" if isinstance(part.look, Surface) else "points"
                points = getattr(part.look, name)
                flat = points.reshape(-1, 3)
                if active.size and part.directions is not None:
                    flat = flat + part.directions[:, :, active] @ actions[active]
                moved = _skin_points(flat, part.weights, transforms).reshape(points.shape)
                result.append(_with(part.look, **{name: moved}))
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


def _skin_part(hidden: np.ndarray, albedo: np.ndarray, bump: np.ndarray) -> _BodyPart:
    mesh = basemesh.load()
    rows = mesh.select("body")
    rows = rows[~hidden[mesh.quads[rows]].all(1)]
    return _body_part("skin", rows, albedo, bump=bump, roughness=0.55, specular=0.35)


def _mouth(spec: PersonSpec, rest: np.ndarray, weights: np.ndarray) -> list[_BodyPart | _Worn]:
    face = Face(rest, full_regions())
    vertices, faces, uv, lower = teeth.teeth(rest, face)
    joint = np.where(lower[:, None], weights[LOWER_TEETH].mean(0), weights[UPPER_TEETH].mean(0)).astype(np.float32)
    directions = jaw_directions(face, vertices) * lower[:, None, None]
    look = Surface("teeth", vertices, faces, uv, teeth.paint_teeth(spec), None, 0.3, 0.5)
    tongue = np.full((4, 4, 3), (176, 92, 92), np.uint8)
    rows = basemesh.load().select("helper-tongue")
    return [
        _Worn(joint, look, directions=directions),
        _body_part("tongue", rows, tongue, roughness=0.4, specular=0.4),
    ]


def _followed(rest: np.ndarray, directions: np.ndarray, look: Strands) -> np.ndarray:
    """[S * K, 3, 52]: strands move with the vertex of the face nearest to their roots."""
    nearest = cKDTree(rest[: SKIN.stop]).query(look.points[:, 0])[1]
    return np.repeat(directions[nearest], look.points.shape[1], 0)


def _eyes(spec: PersonSpec, rest: np.ndarray, weights: np.ndarray, texture_px: int) -> list[_BodyPart | _Worn]:
    mesh = basemesh.load()
    albedo = eyes.paint_eye(spec, max(64, texture_px // 4))
    opacity = eyes.paint_lashes()
    lash = np.full((4, 4, 3), 22, np.uint8)
    parts: list[_BodyPart | _Worn] = []
    for side in "lr":
        ball = eyes.eyeball(rest, side)
        joint = np.zeros((len(ball.vertices), weights.shape[1]), np.float32)
        joint[:, JOINT_NAMES.index("left_eye_smplhf" if side == "l" else "right_eye_smplhf")] = 1
        look = Surface("eye", ball.vertices, ball.faces, ball.uv, albedo, None, 0.06, 0.4)
        parts.append(_Worn(joint, look))
        for lid in "12":
            rows = mesh.select(f"helper-{side}-eyelashes-{lid}")
            uv = eyes.lash_uv(mesh.quads[rows], rest)
            parts.append(_body_part("lash", rows, lash, uv, opacity=opacity, roughness=0.8, specular=0.0))
    return parts
