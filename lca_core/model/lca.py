"""LCA: pictures of a person to an avatar, in one forward pass (arXiv 2604.02320)."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from lca_core.body import Anchors, BodyModel, joint_transforms, sample_anchors
from lca_core.body.driving import EPSILON, GAZE, THETA
from lca_core.model.alignment import SHELL, ColorCopy, PixelAlignment, Placement, SecondLook, View
from lca_core.model.claims import Claim
from lca_core.model.colors import READ, ColorReading, patch_colors
from lca_core.model.counterparts import counterparts
from lca_core.model.decoders import CanonicalDecoder, DrivenDecoder, SingleDecoder, Template
from lca_core.model.encoders import Pixels
from lca_core.model.expression import ActionMap, ExpressionEncoder
from lca_core.model.face import FaceDirections, FaceShapes, unlearned
from lca_core.model.gradient_steps import GradientSteps, neighbourhood
from lca_core.model.parts import parts_named
from lca_core.model.photographs import Comparison, Photographs
from lca_core.model.posing import Driver, Rig
from lca_core.model.precision import full_precision
from lca_core.model.raw import CANONICAL, frames_of_normals
from lca_core.model.rows import PATCH, mattes_of
from lca_core.model.transformer import Encoder, fourier
from lca_core.profiles import Profile
from lca_core.splats import Gaussians

_BANDS = 6
_PLACES = ("face", "barycentric", "spacing")  # of the anchors: all else about them follows from the body


@dataclass(frozen=True)
class Inputs:
    """What the encoder sees of B people: N photographs each, a body picture and a face crop.

    body, face: rows of patch numbers (frozen features beside the patch's own RGB and matte) [B, N, patches, F];
    seen: [B, N, 2], False where a body picture or a face crop is missing; betas: [B, S] shape of the body;
    placement: cameras and poses of the photographs, where they are known (None: nowhere).
    """

    body: Float[Tensor, "B N P F"]
    face: Float[Tensor, "B N Q F"]
    seen: Bool[Tensor, "B N 2"]
    betas: Float[Tensor, "B S"]
    placement: Placement | None = None

    def to(self, device) -> "Inputs":
        """A copy on another device."""
        place = None if self.placement is None else self.placement.map(lambda t: t.to(device))
        return Inputs(
            self.body.to(device), self.face.to(device), self.seen.to(device), self.betas.to(device), place
        )  # fmt: skip


class Canonical(NamedTuple):
    """What encoding leaves of B people: geometry tokens with what they have read, and the canonical numbers."""

    tokens: Float[Tensor, "B G W"]
    raw: Float[Tensor, "B G k 14"]


class PatchEncoder(nn.Sequential):
    """Rows of patch numbers [..., F] to image tokens [..., D]: what is learnt of pictures before attention."""

    claim = Claim(0)

    def __init__(self, features: int, dim: int, hidden: int = 256):
        super().__init__(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, dim))


class _Streams(NamedTuple):
    """image: tokens of the patches kept [B, M, D]; geometry: tokens [B, G, D]; kept [B, M]: False at padding; order
    [B, M]: the patches' numbers among all."""

    image: Tensor
    geometry: Tensor
    kept: Tensor
    order: Tensor


class LCA(nn.Module):
    """The model at any profile's sizes.

    features: length of a row of patch numbers; image_encoder: name of the encoder that made them, which is the one the
    model knows; body: the body file the anchors lie on. What is learned is learned of
    these anchors: their places go into the state dict, and are laid anew on the body when one is loaded.
    """

    claim = Claim(0, hidden=("geometry_tokens",), names=("kind", "place", "geometry_tokens"))

    def __init__(
        self,
        profile: Profile,
        features: int,
        body: BodyModel,
        anchors: Anchors | None = None,
        image_encoder: str = Pixels.name,
    ):
        super().__init__()
        self.profile, self.features, self.image_encoder = profile, features, image_encoder
        dim, k = profile.dim, profile.gaussians_per_anchor
        self.body = body
        anchors = anchors or sample_anchors(body, profile.anchors, k, profile.coverage)
        for name in _PLACES:
            self.register_buffer(f"anchor_{name}", getattr(anchors, name))
        self._follow(anchors)
        self.register_load_state_dict_post_hook(LCA._lay_anchors)
        self.register_buffer("joint_template", body.J_template, persistent=False)
        self.register_buffer("joint_shapedirs", body.J_shapedirs, persistent=False)

        self.template = Template(anchors)
        self.image_tokens = PatchEncoder(features, dim)
        self.kind = nn.Parameter(0.02 * torch.randn(2, dim))  # body picture or face crop
        self.place = nn.ParameterList(  # where in the picture a patch is
            [nn.Parameter(0.02 * torch.randn((px // PATCH) ** 2, dim)) for px in (profile.body_px, profile.face_px)]
        )
        position = 3 * (1 + 2 * _BANDS)
        self.geometry_tokens = nn.Sequential(nn.Linear(position, dim), nn.GELU(), nn.Linear(dim, dim))
        self.encoder = Encoder(dim, profile.depth, profile.heads)
        self.color_reading = ColorReading(dim) if profile.color_reading else None
        self.alignment = PixelAlignment(dim, k) if profile.pixel_alignment else None
        read = READ if profile.color_reading else 0
        self.width = width = dim + read  # of a geometry token with what it has read
        condition = THETA + EPSILON + GAZE
        self.canonical = CanonicalDecoder(width, k, read) if profile.dual_branch else None
        self.second_look = SecondLook(width, k, CANONICAL) if profile.pixel_alignment else None
        self.color_copy = ColorCopy(width, k, profile.counterparts) if profile.pixel_alignment else None
        self.driven = (
            DrivenDecoder(width, k, condition) if profile.dual_branch else SingleDecoder(width, k, condition, read)
        )
        self.driven.requires_grad_(profile.driven_branch)  # without it, nothing: it starts at zero
        self.expression = ExpressionEncoder(profile.chip_px)
        self.action_map = ActionMap()
        rank = profile.face_rank if len(self.face_index) else 0
        steps = profile.gradient_steps
        self.gradient_steps = GradientSteps(width, profile.anchors, k, steps) if steps else None
        self.face_directions = FaceDirections(len(self.face_index), rank) if rank else None
        self.parts = parts_named(profile.parts, width, k)
        self._lay_parts(anchors)

    def _follow(self, anchors: Anchors) -> None:
        """Take over what follows from the anchors' places, in the model's precision and on its device."""
        shapes = FaceShapes.of(anchors) if self.profile.face_shapes else FaceShapes.none()
        numbers = {f"anchor_{name}": getattr(anchors, name) for name in ("points", "shapedirs", "normals")}
        numbers |= {"seen_behind": anchors.seen_behind.flatten()}
        numbers |= {"skinning_weights": anchors.weights.flatten(0, 1), "face_dirs": shapes.dirs}
        numbers |= {"frames": frames_of_normals(anchors.normals)}
        for name, values in numbers.items():
            self.register_buffer(name, values.to(self.anchor_spacing), persistent=False)
        indices = {"face_index": shapes.index}
        if self.profile.gradient_steps:
            indices |= dict(zip(("anchor_near", "anchor_twin"), neighbourhood(anchors.centers)))
        if self.profile.counterparts:
            kinds = anchors.seen_behind + anchors.shell  # skin, eyes, mouths, shells
            places = (t.flatten(0, 1) for t in (anchors.points, anchors.normals, kinds))
            indices |= {"counterparts": counterparts(*places)}
        for name, values in indices.items():
            self.register_buffer(name, values.to(self.anchor_spacing.device), persistent=False)

    def _lay_anchors(self, _) -> None:
        """After loading: the anchors are those of the file, wherever they were sampled."""
        anchors = Anchors.on(self.body, *(getattr(self, f"anchor_{name}").cpu() for name in _PLACES))
        self._follow(anchors)
        self._lay_parts(anchors)

    def _lay_parts(self, anchors: Anchors) -> None:
        for part in self.parts.values():
            part.lay(anchors)

    def forward(self, inputs: Inputs) -> Canonical:
        """All that is done once per person: tokens and canonical numbers, from one `view` of the photographs."""
        view = self.view(inputs)
        tokens = self.encode(inputs, view)
        return Canonical(tokens, self.canonical_raw(tokens, inputs, view))

    def encode(self, inputs: Inputs, view: View | None) -> Float[Tensor, "B G W"]:
        """Geometry tokens T_gs of B people, with the colours they have read beside them (`ColorReading`).

        The order of the photographs does not matter. view: `view` of the same inputs.

        Patches without a pixel of the person are left out: they are most of a full-body picture, and averaged with
        the others they drown what the geometry tokens have to read at the start of training.
        """
        streams = self._streams(inputs, view)
        geometry = self.encoder(streams.image, streams.geometry, streams.kept)
        if not self.profile.color_reading:
            return geometry
        colors = torch.cat([patch_colors(x).flatten(1, 2) for x in (inputs.body, inputs.face)], 1)
        read = self.color_reading(geometry, streams.image, pick(colors, streams.order), streams.kept)
        return torch.cat([geometry, read], -1)

    @torch.no_grad()
    def attention(
        self, inputs: Inputs, anchors: Int[Tensor, " A"], layer: int = -1
    ) -> tuple[Float[Tensor, "B heads A N P"], Float[Tensor, "B heads A N Q"]]:
        """How much the geometry tokens of some anchors read from every patch in a layer (Fig. 6), head by head.

        Patches of the body pictures, then of the face crops, row by row; all of an anchor's numbers sum to 1.
        """
        image, geometry, kept, order = self._streams(inputs, self.view(inputs))
        maps = self.encoder.attention(image, geometry, kept, anchors, layer)
        bodies, faces = (x.shape[1:3] for x in (inputs.body, inputs.face))
        count = bodies.numel() + faces.numel()
        every = maps.new_zeros(*maps.shape[:3], count)
        every.scatter_(3, order[:, None, None].expand_as(maps), maps)
        body, face = every.split([bodies.numel(), faces.numel()], -1)
        return body.unflatten(-1, bodies), face.unflatten(-1, faces)

    def _streams(self, inputs: Inputs, view: View | None) -> "_Streams":
        """What the encoder starts from."""
        embedded, seen = [], []
        for i, x in enumerate((inputs.body, inputs.face)):
            embedded.append(self.image_tokens(x) + self.kind[i] + self.place[i])
            on_person = mattes_of(x).amax(-1) > 0
            seen.append((on_person & inputs.seen[..., i, None]).flatten(1))
        kept, order = foreground_first(torch.cat(seen, 1))
        image = pick(torch.cat([x.flatten(1, 2) for x in embedded], 1), order)
        centers = self.anchor_points.mean(1)
        geometry = self.geometry_tokens(fourier(centers, _BANDS)).expand(len(image), -1, -1)
        if view:
            drawn, normals = self._gaussians(self.template.raw, inputs), self.anchor_normals.flatten(0, 1)
            samples, hull = view.samples(drawn.means, normals, self._solid(drawn)), view.hull(drawn.means, normals)
            geometry = geometry + self.alignment(samples, hull, *embedded)
        return _Streams(image, geometry, kept, order)

    def surface(self, betas: Float[Tensor, "B S"]) -> Float[Tensor, "B G k 3"]:
        """Points of the shaped T-pose that Gaussians are placed relative to, metres."""
        n = min(betas.shape[-1], self.anchor_shapedirs.shape[-1])
        return self.anchor_points + torch.einsum("gkis,bs->bgki", self.anchor_shapedirs[..., :n], betas[:, :n])

    def rest_joints(self, betas: Float[Tensor, "B S"]) -> Float[Tensor, "B 55 3"]:
        """Joints of the shaped T-pose, metres."""
        n = min(betas.shape[-1], self.joint_shapedirs.shape[-1])
        return self.joint_template + torch.einsum("jis,bs->bji", self.joint_shapedirs[..., :n], betas[:, :n])

    def canonical_raw(
        self, tokens: Float[Tensor, "B G W"], inputs: Inputs, view: View | None
    ) -> Float[Tensor, "B G k 14"]:
        """H_cano(T_gs) on the template: the raw numbers of the canonical Gaussians; of a single branch, its numbers at
        rest.

        The inputs are looked at once more where the Gaussians have come to lie, if the poses are known (`ColorCopy`).
        view: `view` of the same inputs.
        """
        branch = self.canonical if self.profile.dual_branch else self.driven
        raw = self.template.raw + branch(tokens).to(self.template.raw)
        if view:
            normals = self.anchor_normals.flatten(0, 1)
            drawn = self._gaussians(raw, inputs)
            seen = view.samples(drawn.means, normals, self._solid(drawn))
            shell = view.hull(drawn.means, normals, SHELL)
            missing = view.look_up(view.missing(drawn), drawn.means, normals, seen)
            raw = raw + self.second_look(raw, tokens, seen, shell, missing)
            drawn = self._gaussians(raw, inputs)
            samples = view.samples(drawn.means, normals, self._solid(drawn))
            raw = self.color_copy(raw, tokens, samples, self.counterparts if self.profile.counterparts else None)
        return raw

    def settled(self, canonical: Canonical, inputs: Inputs) -> Canonical:
        """The same people after optional decoders have changed what they change once a person (`Part.settle`); as they
        are where no photograph's pose is known. inputs: those that the people were made of."""
        place = inputs.placement
        if not self.parts or place is None or not place.known.any():
            return canonical
        with full_precision(inputs.betas):
            rig, raw = self.rig(inputs.betas), canonical.raw
            joints = rig.rest_joints[:, None].expand_as(place.pose).flatten(0, 1)
            transforms = joint_transforms(joints, place.pose.flatten(0, 1), place.translation.flatten(0, 1))[0]
            for part in self.parts.values():
                raw = part.settle(raw, canonical.tokens, rig, transforms.unflatten(0, place.known.shape), place.known)
        return Canonical(canonical.tokens, raw)

    def look_again(
        self,
        canonical: Canonical,
        betas: Float[Tensor, "B S"],
        photographs: Photographs,
        steps: int | None = None,
    ) -> Canonical:
        """The same people after a few steps towards what their photographs show (`GradientSteps`; default: all that
        were learned); as they are where the model has learned none, or no photograph's pose is known."""
        if self.gradient_steps is None or not photographs.shots:
            return canonical
        tokens, raw = canonical
        with full_precision(betas):
            full = tokens.to(raw)  # bfloat16 where the network computed in it
            comparison = Comparison(photographs, self.rig(betas), self.drivers, raw.detach(), full.detach())
            raw = self.gradient_steps(raw, full, comparison, self.anchor_near, self.anchor_twin, steps)
        return Canonical(tokens, raw)

    def finished(self, canonical: Canonical) -> Canonical:
        """The same people after optional decoders have had the last word on them (`Part.finish`)."""
        raw = canonical.raw
        for part in self.parts.values():
            raw = part.finish(raw, canonical.tokens)
        return Canonical(canonical.tokens, raw)

    def view(self, inputs: Inputs) -> View | None:
        """The photographs, ready to be looked at by points of the body; None for a model that does not look at them,
        or where no pose is known. Made once for the same inputs: it poses everybody's skeleton."""
        if self.alignment is None or inputs.placement is None:
            return None
        with full_precision(inputs.betas):
            joints = self.rest_joints(inputs.betas)
            behind = None if self.profile.coverage == "skin" else self.seen_behind
            pictures = inputs.body, inputs.face, inputs.seen
            return View(*pictures, inputs.placement, joints, self.skinning_weights, behind)

    @torch.no_grad()
    def _gaussians(self, raw: Float[Tensor, "*B G k 14"], inputs: Inputs) -> Gaussians:
        with full_precision(inputs.betas):
            return self.rig(inputs.betas).canonical(raw)

    def _solid(self, gaussians: Gaussians) -> Bool[Tensor, "B M"] | None:
        """Which hide what lies behind them: off the skin mostly nothing is. None: all, as where nothing is off it."""
        if self.profile.coverage == "skin":
            return None
        return gaussians.opacities.expand(gaussians.means.shape[:-1]) > 0.5

    def rig(self, betas: Float[Tensor, "B S"]) -> Rig:
        """What poses the Gaussians of B people of these shapes."""
        return Rig(self.surface(betas), self.frames, self.skinning_weights, self.rest_joints(betas))

    @property
    def drivers(self) -> list[Driver]:
        """What takes part in driving, in this order: the driven branch, the face's blendshapes, optional decoders."""
        return [self.driven, self.face_shapes, *self.parts.values()]

    @property
    def face_shapes(self) -> FaceShapes:
        """The body's facial blendshapes and what is learned beside them; none where the profile does without."""
        shapes = FaceShapes(self.face_index, self.face_dirs, *unlearned(len(self.face_index)))
        if self.face_directions is None:
            return shapes.to(self.face_dirs.device)
        return replace(shapes, learned=self.face_directions.learned, mix=self.face_directions.mix)


def foreground_first(seen: Bool[Tensor, "B K"]) -> tuple[Bool[Tensor, "B M"], Int[Tensor, "B M"]]:
    """Which tokens to keep, those seen first, M being the most that anybody has: (is it seen, its number)."""
    most = max(1, int(seen.sum(1).max()))
    order = seen.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :most]
    kept = seen.gather(1, order)
    kept[:, 0] |= ~kept.any(1)  # attention needs something to look at
    return kept, order


def pick(values: Float[Tensor, "B K D"], order: Int[Tensor, "B M"]) -> Float[Tensor, "B M D"]:
    """The rows of these numbers."""
    return values.gather(1, order[..., None].expand(-1, -1, values.shape[-1]))
