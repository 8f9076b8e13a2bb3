"""Pixel alignment: what a person's Gaussians see where they fall in the photographs. Ours, not the paper's; optional.

Where a photograph's camera and body pose are known (tracked video, studios), every Gaussian can be posed into it and
look at its own pixel. Three uses: the colours, and the patch tokens under them, go into the geometry tokens before
the encoder; so does a visual hull, the least matte met when one leaves the skin along its normal, which tells how far
cloth and hair stand out; and after the decoder every Gaussian may copy the colour it finds at its predicted place,
by a softmax over the photographs and "none of them". Photographs without a known pose (`Placement.known` False) take
no part; the attention of the paper's plain model reads those as before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import full_pose, joint_transforms
from lca_core.model import looking
from lca_core.model.claims import Claim
from lca_core.model.counterparts import COUNT
from lca_core.model.precision import full_precision
from lca_core.model.raw import COLOR, with_colors
from lca_core.model.reading import read_patches
from lca_core.model.rows import pixels_of
from lca_core.splats import Gaussians, draw_each, skin
from lca_core.splats.skinning import without_zeros

HULL = (0.0, 0.02, 0.05, 0.10)  # metres from the surface, along its normal, at which the hull is looked up
SHELL = (-0.04, -0.02, -0.01, 0.0, 0.01, 0.02, 0.04)  # the same, from where Gaussians have come to lie
LOOKED_UP = 3 + 2 * len(SHELL)  # numbers that a Gaussian is told of what is missing
_CELL = dict(zip(("body", "face"), looking.CELL))
_NEAR, _BEHIND, _OBLIQUE, _INSIDE = map(float, (looking.NEAR, looking.BEHIND, looking.OBLIQUE, looking.INSIDE))
# Weights, at first, of what describes a sample to the softmax: facing, face crop or not, log resolution, one. It starts
# by trusting what is seen squarely, and face crops most.
_TRUSTED = (8.0, 2.0, 0.5, -3.0)
# And of a counterpart's colour: how squarely it is seen, how far it is from what the decoder says, how squarely the
# Gaussian is seen itself, one.
_STANDING_IN = (1.0, -2.0, -8.0, 0.0)


@dataclass(frozen=True)
class Placement:
    """Cameras and body poses of N photographs of each of B people.

    pose: axis-angle of all joints, radians; translation: metres; viewmats, Ks as in `Camera`; known: False where a
    photograph's pose is unknown (its other numbers are then ignored).
    """

    pose: Float[Tensor, "B N 55 3"]
    translation: Float[Tensor, "B N 3"]
    viewmats: Float[Tensor, "B N 4 4"]
    body_Ks: Float[Tensor, "B N 3 3"]
    face_Ks: Float[Tensor, "B N 3 3"]
    known: Bool[Tensor, "B N"]

    @classmethod
    def of(
        cls,
        theta: Float[Tensor, "N 138"],
        root: Float[Tensor, "N 6"],
        gaze: Float[Tensor, "N 4"],
        viewmats: Float[Tensor, "N 4 4"],
        body_Ks: Float[Tensor, "N 3 3"],
        face_Ks: Float[Tensor, "N 3 3"],
    ) -> "Placement":
        """Of one person's photographs (B = 1) as they were recorded."""
        known = torch.ones(len(theta), dtype=torch.bool)
        numbers = (full_pose(theta, root, gaze), root[:, 3:], viewmats, body_Ks, face_Ks, known)
        return cls(*(tensor[None] for tensor in numbers))

    @classmethod
    def unknown(cls, people: int, photos: int) -> "Placement":
        """Of photographs about which nothing is known."""
        eye = torch.eye(4).expand(people, photos, 4, 4)
        pose, translation = torch.zeros(people, photos, 55, 3), torch.zeros(people, photos, 3)
        K = eye[..., :3, :3]
        return cls(pose, translation, eye, K, K, torch.zeros(people, photos, dtype=torch.bool))

    def map(self, function) -> "Placement":
        """The same function applied to every tensor."""
        return Placement(**{f.name: function(getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True)
class Samples:
    """What M points see in S = 2 N pictures of each person (body pictures first, then face crops).

    facing: cosine between surface and view, 0 where the point is not seen; colors: sRGB in [0, 1], and resolution:
    logarithm of pixels a centimetre, which mean nothing where the point is not seen; places: in the picture, [-1, 1] as
    `grid_sample` counts.
    """

    colors: Float[Tensor, "B S M 3"]
    facing: Float[Tensor, "B S M"]
    resolution: Float[Tensor, "B S M"]
    places: Float[Tensor, "B S M 2"]

    def mean(self) -> tuple[Float[Tensor, "B M 3"], Float[Tensor, "B M 1"]]:
        """(colour less mid-grey, mean over the pictures by how squarely they see the point; how well it is seen)."""
        if _on_cpu(self.colors, self.facing):
            means = looking.mean_of_samples(self.colors.numpy(), self.facing.numpy())
            return tuple(map(torch.from_numpy, means))
        weight = self.facing.square()[..., None]
        total = weight.sum(1)
        return (weight * (self.colors - 0.5)).sum(1) / total.clamp(min=1e-3), total / (1 + total)


class View:
    """N photographs of B people, ready to be looked at by points of their bodies.

    weights: [M, 55] skinning of the points; joints: [B, 55, 3] at rest; behind: [M] metres behind the nearest solid
    point at which a point is hidden (None: `looking.BEHIND`; teeth are hidden by lips sooner than skin by cloth, which
    leaves it). Nothing here is differentiable. On a CPU and in float32 kernels look (`looking`), many times faster than
    the tensors do.
    """

    @torch.no_grad()
    def __init__(
        self,
        body: Tensor,
        face: Tensor,
        seen: Tensor,
        placement: Placement,
        joints: Tensor,
        weights: Tensor,
        behind: Float[Tensor, " M"] | None = None,
    ):
        B, N = placement.known.shape
        self._behind = joints.new_full((len(weights),), _BEHIND) if behind is None else behind.to(joints)
        pose, shift = placement.pose.flatten(0, 1), placement.translation.flatten(0, 1)
        transforms = joint_transforms(joints.repeat_interleave(N, 0), pose, shift)[0]
        world = placement.viewmats.flatten(0, 1)[:, None] @ transforms  # [B N, 55, 4, 4], into camera space
        self._weights, self._transforms = weights, world.unflatten(0, (B, N))
        self._pictures = {"body": pixels_of(body), "face": pixels_of(face)}
        self._Ks = {"body": placement.body_Ks, "face": placement.face_Ks}
        known = placement.known[..., None] & seen
        self._known = {"body": known[..., 0], "face": known[..., 1]}
        self._on_cpu = _on_cpu(*self._pictures.values(), *self._Ks.values(), weights, world)
        if self._on_cpu:
            self._skinning, self._matrices = without_zeros(weights), _array(self._transforms[..., :3, :])
            self._cameras = *(_array(K) for K in self._Ks.values()), known.numpy()
            return
        rows = world[..., :3, :].unflatten(0, (B, N)).movedim(-2, 0)  # a row of the matrices for each coordinate
        self._rows = [(row.transpose(-1, -2) @ weights.T).unbind(-2) for row in rows]  # 3 x 4 of [B, N, M]

    @torch.no_grad()
    def samples(
        self, points: Float[Tensor, "B M 3"], normals: Float[Tensor, "M 3"], solid: Bool[Tensor, "B M"] | None = None
    ) -> Samples:
        """What points of the T-pose see, posed into every picture. solid: those that hide others (None: all)."""
        solid = points.new_ones(points.shape[:2], dtype=torch.bool) if solid is None else solid
        if self._on_cpu:
            pictures, hiding = map(_last, self._pictures.values()), (_array(self._behind), _array(solid))
            seen = looking.see(*self._points(points, normals), *hiding, *pictures, *self._cameras)
            return Samples(*map(torch.from_numpy, seen))
        posed, turned = self._posed(points), F.normalize(self._turned(normals), dim=-1)
        cosine = -(turned * F.normalize(posed, dim=-1)).sum(-1)
        parts = [self._sample(kind, posed, cosine, solid) for kind in ("body", "face")]
        return Samples(*(torch.cat(values, 1) for values in zip(*parts, strict=True)))

    @torch.no_grad()
    def hull(
        self, points: Float[Tensor, "B M 3"], normals: Float[Tensor, "M 3"], distances: Sequence[float] = HULL
    ) -> Float[Tensor, "B M H"]:
        """Least matte over the body pictures at these distances from the points, metres; 1 where no picture tells."""
        if self._on_cpu:
            (body_Ks, _, known), far = self._cameras, np.float32(distances)
            pictures = _last(self._pictures["body"])
            least = looking.least_mattes(*self._points(points, normals), pictures, body_Ks, known, far)
            return torch.from_numpy(least)
        least = []
        for places, inside in self._along(points, normals, distances):
            matte = _look(self._pictures["body"][:, :, 3:], places)[..., 0]
            told = inside & self._known["body"][..., None]
            least.append(torch.where(told, matte, 1.0).amin(1))
        return torch.stack(least, -1)

    @torch.no_grad()
    def missing(self, gaussians: Gaussians) -> dict[str, Float[Tensor, "B N 4 H W"]]:
        """What drawings of Gaussians [B, M] (in the T-pose) lack of the photographs, by kind: photograph less drawing,
        (rgb - 0.5) times alpha, and alpha; 0 where the pose is unknown."""
        result, count = {}, self._known["body"].shape[1]
        with full_precision(gaussians.means):
            posed = skin(gaussians.map(lambda t: t[:, None]), self._weights, self._transforms)
            posed = posed.map(lambda t: t.flatten(0, 1))
        for kind, pictures in self._pictures.items():
            people, photos = which = self._which(self._known[kind])
            lack = torch.zeros_like(pictures)
            if len(people):
                with full_precision(pictures):
                    cameras, size = torch.eye(4, device=pictures.device).expand(len(people), 4, 4), pictures.shape[-1]
                    Ks = self._Ks[kind][which]
                    colors, alphas = draw_each(posed, people * count + photos, cameras.to(Ks), Ks, size, size)
                drawn = torch.cat([colors - 0.5 * alphas, alphas], -1).movedim(-1, 1)
                lack[which] = pictures[which] - drawn.to(pictures)
            result[kind] = lack
        return result

    @torch.no_grad()
    def look_up(
        self,
        missing: dict[str, Tensor],
        points: Float[Tensor, "B M 3"],
        normals: Float[Tensor, "M 3"],
        samples: Samples,
    ) -> Float[Tensor, "B M L"]:
        """Where points lie: colour that is missing, in the mean over the pictures that see them; alpha that is missing
        and alpha that is too much at the distances `SHELL`, in the mean over the body pictures."""
        if self._on_cpu:
            (body_Ks, _, known), pictures = self._cameras, (_last(missing[kind]) for kind in ("body", "face"))
            seen = _array(samples.facing), _array(samples.places), np.float32(SHELL)
            told = looking.look_up(*self._points(points, normals), *pictures, body_Ks, known, *seen)
            return torch.from_numpy(told)
        count = samples.places.shape[1] // 2
        places = samples.places[:, :count], samples.places[:, count:]
        found = torch.cat([_look(missing[kind], at) for kind, at in zip(("body", "face"), places)], 1)
        weight = samples.facing.square()[..., None]
        told = [(weight * found[..., :3]).sum(1) / weight.sum(1).clamp(min=1e-3)]
        known = self._known["body"].sum(1).clamp(min=1)[:, None, None]
        for at, inside in self._along(points, normals, SHELL):
            alpha = torch.where(inside, _look(missing["body"][:, :, 3:], at)[..., 0], 0.0)
            told += [part.clamp(min=0).sum(1)[..., None] / known for part in (alpha, -alpha)]
        return torch.cat(told, -1)

    @staticmethod
    def _which(known: Bool[Tensor, "B N"]) -> tuple[Tensor, Tensor]:
        """(person, photograph) of each that is known."""
        return known.nonzero(as_tuple=True)

    def _points(self, points: Tensor, normals: Tensor) -> tuple:
        """Points, their normals, skinning and matrices, as the kernels take them."""
        return _array(points), _array(normals), self._skinning, self._matrices

    def _posed(self, points: Tensor) -> Float[Tensor, "B N M 3"]:
        x, y, z = points[:, None].unbind(-1)
        return torch.stack([t.addcmul(a, x).addcmul_(b, y).addcmul_(c, z) for a, b, c, t in self._rows], -1)

    def _turned(self, normals: Tensor) -> Float[Tensor, "B N M 3"]:
        x, y, z = normals.unbind(-1)
        return torch.stack([(a * x).addcmul_(b, y).addcmul_(c, z) for a, b, c, _ in self._rows], -1)

    def _along(self, points: Tensor, normals: Tensor, distances: Sequence[float]) -> Iterator[tuple[Tensor, Tensor]]:
        """`_places` in the body pictures of the points moved along their normals by each of the distances."""
        posed, turned = self._posed(points), self._turned(normals)
        return (self._places("body", posed + distance * turned) for distance in distances)

    def _places(self, kind: str, posed: Tensor) -> tuple[Float[Tensor, "B N M 2"], Bool[Tensor, "B N M"]]:
        """(places in the picture in [-1, 1], is it in the picture) of points in camera space."""
        size = self._pictures[kind].shape[-1]
        K = self._Ks[kind][:, :, None]
        focal, centre = torch.stack([K[..., 0, 0], K[..., 1, 1]], -1), K[..., :2, 2]
        places = (posed[..., :2] / posed[..., 2:].clamp(min=_NEAR) * focal + centre) * (2 / size) - 1
        return places, (places.abs().amax(-1) < 1) & (posed[..., 2] > _NEAR)

    def _sample(self, kind: str, posed: Tensor, cosine: Tensor, solid: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pictures, depth = self._pictures[kind], posed[..., 2]
        places, inside = self._places(kind, posed)
        size = pictures.shape[-1]
        cells = size // _CELL[kind]
        column, row = ((places + 1) * (cells / 2)).long().clamp(0, cells - 1).unbind(-1)
        cell = row * cells + column
        nearest = depth.new_full((*depth.shape[:2], cells * cells), torch.inf)
        nearest.scatter_reduce_(2, cell, torch.where(inside & solid[:, None], depth, torch.inf), "amin")
        rgba = _look(pictures, places)
        visible = inside & self._known[kind][..., None] & (cosine > _OBLIQUE) & (rgba[..., 3] > _INSIDE)
        visible &= depth < nearest.gather(2, cell) + self._behind
        colors = (rgba[..., :3] / rgba[..., 3:].clamp(min=_INSIDE) + 0.5).clamp(0, 1)
        resolution = (self._Ks[kind][..., None, 0, 0] / (100 * depth.clamp(min=_NEAR))).log()
        return colors, torch.where(visible, cosine, 0.0), resolution, places


class PixelAlignment(nn.Module):
    """Colours, hull and patch tokens of an anchor's k points, as an addition to its geometry token."""

    claim = Claim(0)

    def __init__(self, dim: int, per_anchor: int):
        super().__init__()
        self.k = per_anchor
        self.colors = nn.Linear(per_anchor * (3 + 1 + len(HULL)) + 1, dim)
        self.features = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim))

    def forward(
        self,
        samples: Samples,
        hull: Float[Tensor, "B M H"],
        body: Float[Tensor, "B N P D"],
        face: Float[Tensor, "B N Q D"],
    ) -> Float[Tensor, "B G D"]:
        """body, face: embedded patches. M = G k points, in the order of the anchors."""
        color, seen = samples.mean()
        numbers = torch.cat([4 * color, seen, hull - 0.5], -1).unflatten(1, (-1, self.k)).flatten(2)
        informed = (seen.sum(1, keepdim=True) > 0).to(numbers).expand(-1, numbers.shape[1], -1)
        return self.colors(torch.cat([numbers, informed], -1)) + self._patches(samples, body, face)

    def _patches(self, samples: Samples, body: Tensor, face: Tensor) -> Float[Tensor, "B G D"]:
        if _on_cpu(body, face, samples.places, samples.facing):
            return self.features(read_patches(body, face, samples.places, samples.facing, self.k))
        weight = samples.facing.square().unflatten(-1, (-1, self.k)).mean(-1)  # [B, S, G]
        places = samples.places.unflatten(2, (-1, self.k)).mean(3)
        N = body.shape[1]
        found = []
        for tokens, where in ((body, places[:, :N]), (face, places[:, N:])):
            side = round(tokens.shape[2] ** 0.5)
            found.append(_look(tokens.to(where).transpose(2, 3).unflatten(-1, (side, side)), where))
        found, weight = torch.cat(found, 1), weight[..., None]
        return self.features((weight * found).sum(1) / weight.sum(1).clamp(min=1e-3))


class SecondLook(nn.Module):
    """Corrections of Gaussians that see where they have come to lie: over which colour, how far inside the person's
    outline, and what the avatar so far, drawn into every photograph, lacks there."""

    claim = Claim("decoders", hidden=("net.0",))

    def __init__(self, width: int, per_anchor: int, numbers: int):
        super().__init__()
        self.k, hidden = per_anchor, 256
        self.net = nn.Sequential(
            nn.Linear(width + per_anchor * (numbers + 4 + len(SHELL) + LOOKED_UP), hidden), nn.GELU(),
            nn.Linear(hidden, per_anchor * numbers),
        )  # fmt: skip
        nn.init.normal_(self.net[-1].weight, std=1e-3)
        nn.init.zeros_(self.net[-1].bias)

    def forward(
        self,
        raw: Float[Tensor, "B G k C"],
        tokens: Float[Tensor, "B G W"],
        samples: Samples,
        shell: Float[Tensor, "B M S"],
        missing: Float[Tensor, "B M L"],
    ) -> Float[Tensor, "B G k C"]:
        """raw: the canonical numbers so far; shell: the hull about the Gaussians; missing: `View.look_up`. What to add
        to the numbers."""
        color, seen = samples.mean()
        told = torch.cat([4 * color, seen, 2 * shell - 1, 4 * missing], -1).unflatten(1, (-1, self.k))
        numbers = torch.cat([tokens.to(raw), torch.cat([raw, told], -1).flatten(2)], -1)
        return self.net(numbers).to(raw).unflatten(-1, (self.k, -1))


class ColorCopy(nn.Module):
    """Every Gaussian's colour: a softmax over what it sees in the photographs, what the decoder says, and, where there
    are counterparts, what those see that stand for it (`counterparts`)."""

    claim = Claim("decoders")

    def __init__(self, width: int, per_anchor: int, counterparts: bool = False):
        super().__init__()
        self.k = per_anchor
        self.score = _scores(width, per_anchor, _TRUSTED)
        self.stand_in = _scores(width, per_anchor * COUNT, _STANDING_IN) if counterparts else None

    def forward(
        self,
        raw: Float[Tensor, "B G k 14"],
        tokens: Float[Tensor, "B G W"],
        samples: Samples,
        others: Int[Tensor, "M c"] | None = None,
    ) -> Float[Tensor, "B G k 14"]:
        """raw: the decoder's numbers; others: counterparts of the M = G k Gaussians. The same with colours chosen."""
        count, facing = samples.facing.shape[1] // 2, samples.facing
        is_face = (torch.arange(2 * count, device=facing.device) >= count).to(facing)[None, :, None]
        traits = torch.stack([facing, is_face.expand_as(facing), samples.resolution, torch.ones_like(facing)], -1)
        trust = self.score(tokens).to(facing).unflatten(-1, (self.k, len(_TRUSTED))).flatten(1, 2)  # [B, M, T]
        scores = (traits * trust[:, None]).sum(-1).masked_fill(facing == 0, -torch.inf)
        seen = samples.colors.clamp(0.01, 0.99).logit()
        said = raw[..., COLOR].to(seen).flatten(1, 2)
        values = [said[:, None], seen]
        scores = [torch.zeros_like(scores[:, :1]), scores]  # first: what the decoder says
        if self.stand_in is not None and others is not None:
            candidates, theirs = self._stand_ins(tokens, said, seen, scores[1], facing, others)
            values, scores = [*values, candidates], [*scores, theirs]
        share = torch.cat(scores, 1).softmax(1)[..., None]
        return with_colors(raw, (share * torch.cat(values, 1)).sum(1).unflatten(1, raw.shape[1:3]))

    def _stand_ins(
        self, tokens: Tensor, said: Tensor, seen: Tensor, scores: Tensor, facing: Tensor, others: Tensor
    ) -> tuple[Float[Tensor, "B c M 3"], Float[Tensor, "B c M"]]:
        """(colours that counterparts see, logits; their scores): by how squarely they are seen, by how far that is from
        what the decoder says, and by how squarely the Gaussian is seen itself."""
        with torch.no_grad():
            squarely = facing.amax(1)  # [B, M]
            share = scores.softmax(1).nan_to_num()[..., None]
            candidates = (share * seen).sum(1)[:, others].transpose(1, 2)
            theirs, own = squarely[:, others].transpose(1, 2), squarely[:, None]
        away = (candidates.sigmoid() - said.sigmoid()[:, None]).abs().mean(-1)
        traits = torch.stack([theirs, away, own.expand_as(theirs), torch.ones_like(theirs)], -1)
        trust = self.stand_in(tokens).to(facing).unflatten(-1, (self.k, COUNT, len(_STANDING_IN)))
        trust = trust.flatten(1, 2).transpose(1, 2)
        return candidates, (traits * trust).sum(-1).masked_fill(theirs == 0, -torch.inf)


def _scores(width: int, count: int, first: Sequence[float]) -> nn.Linear:
    """From a token to weights of traits, `count` times; the same ones for every token at first."""
    scores = nn.Linear(width, count * len(first))
    nn.init.zeros_(scores.weight)
    with torch.no_grad():
        scores.bias.copy_(torch.tensor(first).repeat(count))
    return scores


def _on_cpu(*tensors: Tensor) -> bool:
    """Whether kernels can take them."""
    return all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors)


def _array(tensor: Tensor) -> np.ndarray:
    """The tensor's own memory, or a copy if it is not contiguous."""
    return tensor.detach().contiguous().numpy()


def _last(pictures: Float[Tensor, "B N C H W"]) -> np.ndarray:
    """The same, with the channels last, [B, N, H, W, C]."""
    return _array(pictures.movedim(2, -1))


def _look(pictures: Float[Tensor, "B N C H W"], places: Float[Tensor, "B N M 2"]) -> Float[Tensor, "B N M C"]:
    """Bilinear samples, the nearest edge outside."""
    B, N = pictures.shape[:2]
    found = F.grid_sample(
        pictures.flatten(0, 1), places.flatten(0, 1)[:, None], padding_mode="border", align_corners=False
    )
    return found[:, :, 0].transpose(1, 2).unflatten(0, (B, N))
