"""An avatar: what is left of the photographs after encoding, and all it takes to drive it."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lca_core.body import Driving
from lca_core.body.driving import EPSILON, GAZE, THETA
from lca_core.data.lamps import lamps_of
from lca_core.data.sphere import Light
from lca_core.errors import InputError
from lca_core.model.decoders import DrivenDecoder
from lca_core.model.expression import ActionMap
from lca_core.model.face import FaceShapes
from lca_core.model.lca import LCA, Inputs
from lca_core.model.part import Part
from lca_core.model.parts import LIGHT, parts_named
from lca_core.model.photographs import Photographs
from lca_core.model.posing import Driver, Rig, drive
from lca_core.model.raw import CANONICAL, DRIVEN
from lca_core.model.relighting import Relighting
from lca_core.model.shading import Material
from lca_core.splats import Gaussians
from lca_core.tensor_files import load_tensors, save_tensors

FORMAT = "lca_core avatar 5"
_TENSORS = ("raw", "surface", "frames", "tokens", "weights", "rest_joints")
_PARTS = ("driven", "action_map")
_REMEDY = "make one with `avatar`"


@dataclass(frozen=True)
class Avatar:
    """One person, ready to be driven; self-contained (the driven branch comes along).

    raw [G, k, 14]: canonical numbers; surface [G, k, 3]: shaped T-pose points, metres; frames [G, k, 4]: surface
    frames; tokens [G, D]; weights [N, 55]; rest_joints [55, 3]; driven and action_map: small networks; face: the body's
    facial blendshapes at the Gaussians they move; parts: optional decoders, by their names in `parts.PARTS`.
    """

    raw: Float[Tensor, "G k 14"]
    surface: Float[Tensor, "G k 3"]
    frames: Float[Tensor, "G k 4"]
    tokens: Float[Tensor, "G D"]
    weights: Float[Tensor, "N 55"]
    rest_joints: Float[Tensor, "55 3"]
    driven: DrivenDecoder
    action_map: ActionMap
    face: FaceShapes
    meta: dict
    parts: dict[str, Part] = field(default_factory=dict)

    @classmethod
    @torch.no_grad()
    def encode(
        cls, model: LCA, inputs: Inputs, meta: dict | None = None, photographs: Photographs | None = None
    ) -> "Avatar":
        """Encode one person (inputs with B = 1): the canonical branch runs here, once.

        photographs: the same as pictures, for a model that looks again (`LCA.look_again`).
        """
        canonical, rig = model.settled(model(inputs), inputs), model.rig(inputs.betas).person(0)
        if photographs is not None:
            canonical = model.look_again(canonical, inputs.betas, photographs)
        tokens, raw = model.finished(canonical)
        return cls(
            raw[0], rig.surface, rig.frames, tokens[0], rig.skinning, rig.rest_joints, model.driven, model.action_map,
            model.face_shapes, meta or {}, dict(model.parts),
        )  # fmt: skip

    def __len__(self) -> int:
        return self.weights.shape[0]

    @property
    def rig(self) -> Rig:
        """What poses the Gaussians."""
        return Rig(self.surface, self.frames, self.weights, self.rest_joints)

    @property
    def drivers(self) -> list[Driver]:
        """What takes part in driving: the driven branch, the face's blendshapes, optional decoders."""
        return [self.driven, self.face, *self.parts.values()]

    @property
    @torch.no_grad()
    def skinning(self) -> Float[Tensor, "N 55"]:
        """The weights as drivers correct them when nobody moves."""
        still = Driving.neutral()
        return drive(self.drivers, self.raw, self.weights, self.tokens, still)[1].reshape(self.weights.shape)

    def canonical(self) -> Gaussians:
        """The canonical Gaussians [N], T-pose."""
        return self.rig.canonical(self.raw)

    @torch.no_grad()
    def drive(
        self,
        driving: Driving,
        light: Light | None = None,
        eye: Float[Tensor, "3"] | Float[Tensor, "frames 3"] | None = None,
    ) -> Gaussians:
        """Gaussians in world space, [frames, N], for a driving signal of any number of frames.

        light: which they are seen under; without, it is that of the photographs. eye: where they are looked at from,
        metres (`shading.eyes_of` a camera); without, they have no highlights. InputError for an avatar that knows
        nothing of light.
        """
        raw, weights = drive(self.drivers, self.raw, self.weights, self.tokens, driving)
        transforms = self.transforms(driving)
        posed = self.rig.pose(raw, transforms, weights)
        if light is None:
            return posed
        eye = None if eye is None else eye.to(self.raw).expand(len(driving), -1)
        lamps = lamps_of(light.environment).to(self.raw)
        return self._relighting.under(posed, self.material, weights, transforms, lamps, eye)

    @cached_property
    def material(self) -> Material:
        """What light makes of the Gaussians, decoded when it is first asked for; InputError as `drive`."""
        with torch.no_grad():
            return self._relighting.material(self.raw, self.tokens, self.frames)

    @property
    def _relighting(self) -> Relighting:
        if LIGHT not in self.parts:
            raise InputError(
                "this avatar knows nothing of light: the weights that made it have no such part; train one with "
                "`python -m lca_core train --stage relight` and make the avatar anew"
            )
        return self.parts[LIGHT]

    def transforms(self, driving: Driving) -> Float[Tensor, "frames 55 4 4"]:
        """Joint transforms from the T-pose to the world."""
        return self.rig.transforms(driving)

    def save(self, path: Path | str) -> None:
        """Write one safetensors file, atomically; InputError for an avatar of a single branch: no file holds one."""
        if not isinstance(self.driven, DrivenDecoder):
            raise InputError("an avatar of a single branch is not kept in a file; make it with weights of two branches")
        tensors = {name: getattr(self, name).float() for name in _TENSORS}
        named = {name: getattr(self, name) for name in _PARTS} | {f"parts.{k}": v for k, v in self.parts.items()}
        for name, part in named.items():
            kind = getattr(part, "stored", torch.float32)
            state = part.state_dict().items()
            tensors |= {f"{name}.{k}": v.to(kind) if v.is_floating_point() else v for k, v in state}
        tensors |= {f"face.{field.name}": getattr(self.face, field.name) for field in fields(FaceShapes)}
        save_tensors(path, FORMAT, tensors, {"meta": self.meta, "parts": list(self.parts)})

    @classmethod
    def load(cls, path: Path | str) -> "Avatar":
        """Read an avatar file; InputError when it is not one. No code in the file is ever run: it holds none."""
        header, tensors = load_tensors(path, FORMAT, _REMEDY)
        try:
            plain = {name: tensors[name] for name in _TENSORS}
            dim, k = plain["tokens"].shape[1], plain["raw"].shape[1]
            parts = {"driven": DrivenDecoder(dim, k, THETA + EPSILON + GAZE), "action_map": ActionMap()}
            others = dict(parts_named(header.get("parts", []), dim, k))
            for name, part in (parts | {f"parts.{name}": part for name, part in others.items()}).items():
                _fill(part, tensors, name)
            for part in others.values():
                part.check(len(plain["tokens"]))
            face = FaceShapes(**{field.name: tensors[f"face.{field.name}"] for field in fields(FaceShapes)})
            avatar = cls(**plain, **parts, face=face, meta=header["meta"], parts=others)
        except (KeyError, IndexError, RuntimeError) as error:
            raise InputError(f"{path} lacks a part of an avatar ({error}); {_REMEDY}") from error
        G, k = avatar.raw.shape[:2]
        shapes = {"raw": (G, k, CANONICAL), "surface": (G, k, 3), "frames": (G, k, 4), "tokens": (G, dim),
                  "weights": (G * k, 55), "rest_joints": (55, 3)}  # fmt: skip
        for name, shape in shapes.items():
            found = getattr(avatar, name)
            if tuple(found.shape) != shape or not found.isfinite().all():
                raise InputError(
                    f"{path}: {name} is not {list(shape)} finite numbers but {list(found.shape)}; {_REMEDY}"
                )
        M, index = face.dirs.shape[0], face.index
        if index.shape != (M,) or face.dirs.ndim != 3 or face.dirs.shape[1] != 3 or face.dirs.shape[2] > EPSILON:
            raise InputError(f"{path}: the face's blendshapes are not [M] and [M, 3, E] numbers; {_REMEDY}")
        rank = face.mix.shape[0] if face.mix.ndim == 2 else -1
        if face.learned.shape != (M, DRIVEN, rank) or face.mix.shape != (rank, EPSILON):
            raise InputError(f"{path}: the face's directions are not [M, {DRIVEN}, R] and [R, {EPSILON}]; {_REMEDY}")
        whole_numbers = not index.is_floating_point() and bool(((index >= 0) & (index < G * k)).all())
        if not (whole_numbers and all(each.isfinite().all() for each in (face.dirs, face.learned, face.mix))):
            raise InputError(f"{path}: the face's blendshapes move Gaussians there are not, or not finitely; {_REMEDY}")
        return avatar


def _fill(part: nn.Module, tensors: dict[str, Tensor], name: str) -> None:
    """Give a small network its numbers out of a file's, and train it no further."""
    part.load_state_dict({n[len(name) + 1 :]: t for n, t in tensors.items() if n.startswith(name + ".")})
    part.requires_grad_(False)
