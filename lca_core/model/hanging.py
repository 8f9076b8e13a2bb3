"""Hanging cloth: where a skirt goes when the legs under it move.

Weights that blend joints, corrected or not (`loose`), carry a point of cloth along with the legs. A skirt is not
carried, it is pushed: a thigh that comes forward takes the front along and lets the back hang. So a decoder says, pose
by pose, how far from its skinned place cloth hangs, in the axes of the T-pose: at the nodes of the graph over the body,
for what of them is loose cloth (a gate, read from the tokens). It is learned from simulated cloth, whose places are
known (`lca_core.training.hanging`). Where the photographs' poses are known, Gaussians are laid so that they hang in
these, on average, as they were placed. The last moments of the motion are no input: tried on unseen people, they told
nothing that the pose does not.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import JOINT_NAMES, Driving
from lca_core.body.model import axis_angle_to_matrix
from lca_core.model.claims import Claim
from lca_core.model.graphed import Graphed, spread
from lca_core.model.posing import Rig
from lca_core.model.precision import full_precision
from lca_core.model.raw import POSITION, POSITION_UNIT
from lca_core.model.transformer import fourier

_HIDDEN, _BANDS = 96, 3
_FARTHEST = 0.3  # metres: nothing hangs farther from its skinned place
_SHUT = 0.1  # gates below this are shut
_PELVIS, _SPINE = JOINT_NAMES.index("pelvis"), JOINT_NAMES.index("spine1")
_HIPS = [JOINT_NAMES.index(f"{side}_hip") for side in ("left", "right")]
_KNEES = [JOINT_NAMES.index(f"{side}_knee") for side in ("left", "right")]
SIGNAL = 9 * (1 + len(_HIPS) + len(_KNEES)) + 3  # numbers that say how cloth is pushed


class Hangs(NamedTuple):
    """What of people may hang loose. opened: at the nodes, from 0 to 1; cloth: what it is like; points: of which
    Gaussians, with their nodes and shares."""

    opened: Float[Tensor, "*B V 1"]
    cloth: Float[Tensor, "*B V H"]
    points: Int[Tensor, " P"]
    near: Int[Tensor, "P n"]
    share: Float[Tensor, "P n"]


class HangingCloth(Graphed):
    """Geometry tokens and a pose to how far loose cloth hangs from where skinning carries it."""

    claim = Claim("decoders", hidden=("around", "cloth", "pose.2", "pushed"))
    kept = ("places", "shell")

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        self.token = nn.Linear(width + 3 * (1 + 2 * _BANDS) + 1, _HIDDEN)
        self.around = nn.Linear(_HIDDEN, _HIDDEN)
        self.gate = nn.Linear(_HIDDEN, 1)
        self.cloth = nn.Linear(_HIDDEN, _HIDDEN)
        self.pose = nn.Sequential(nn.Linear(SIGNAL, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, _HIDDEN))
        self.pushed = nn.Linear(_HIDDEN, _HIDDEN)
        self.say = nn.Linear(_HIDDEN, 3)
        for layer in (self.gate, self.say):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def worn(self, tokens: Float[Tensor, "*B G D"]) -> tuple[Float[Tensor, "*B V 1"], Float[Tensor, "*B V H"]]:
        """What is told of a person's clothes at the nodes, whatever their pose: (how sure it is that what is there
        hangs loose, as a logit, what the cloth is like)."""
        place = torch.cat([fourier(self.places, _BANDS), self.shell[:, None].float()], -1)
        read = spread(tokens.float(), self.read, self.read_share)
        x = F.gelu(self.token(torch.cat([read, place.expand(*read.shape[:-1], -1)], -1)))
        x = F.gelu(x + self.around(x.mean(-2, keepdim=True)))
        return self.gate(x), self.cloth(x)

    def hangs(self, tokens: Float[Tensor, "*#F G D"]) -> Hangs:
        """Who wears what, once for all their poses; of a single person only what is loose at all."""
        sure, cloth = self.worn(tokens)
        opened, points, near, share = self.opened(sure), self.points.long(), self.near.long(), self.share
        if opened.ndim == 2:
            some = (opened[..., 0][near] * share).sum(-1) > 0
            points, near, share = points[some], near[some], share[some]
        return Hangs(opened, cloth, points, near, share)

    def offsets(self, worn: Hangs, signal: Float[Tensor, "*#F S"]) -> Float[Tensor, "*F P 3"]:
        """Metres, in the axes of the T-pose, of what hangs at `worn.points`; signal: `pushes`."""
        return spread(worn.opened * self.hung(worn.cloth, signal), worn.near, worn.share)

    def opened(self, sure: Float[Tensor, "*B V 1"]) -> Float[Tensor, "*B V 1"]:
        """How loose what is at the nodes may hang, from 0, not at all, to 1."""
        return (sure.sigmoid() - _SHUT).clamp(min=0) / (1 - _SHUT)

    def hung(self, cloth: Float[Tensor, "*#F V H"], signal: Float[Tensor, "*#F S"]) -> Float[Tensor, "*F V 3"]:
        """How far the cloth at the nodes hangs from where skinning carries it, metres, if it is loose."""
        x = F.gelu(self.pushed(F.gelu(cloth + self.pose(signal)[..., None, :])))
        return _FARTHEST * self.say(x).tanh()

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """The numbers of cloth that hangs as the pose pushes it."""
        with full_precision(raw):
            worn = self.once(lambda: self.hangs(tokens), tokens)
            if not len(worn.points):
                return raw
            return _moved(raw, worn.points, self.offsets(worn, pushes_of(driving).to(self.places)))

    def settle(
        self,
        raw: Float[Tensor, "B G k 14"],
        tokens: Float[Tensor, "B G D"],
        rig: Rig,
        transforms: Float[Tensor, "B N 55 4 4"],
        known: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "B G k 14"]:
        """The numbers with which cloth hangs in the photographs' poses, on average, where it was placed."""
        worn = self.hangs(tokens[:, None])
        counted = known.to(raw)[..., None, None]
        offsets = counted * self.offsets(worn, pushes(transforms[..., :3, :3]))
        return _moved(raw, worn.points, -offsets.sum(1) / counted.sum(1).clamp(min=1))


def _moved(
    raw: Float[Tensor, "*#F G k 14"], points: Int[Tensor, " P"], metres: Float[Tensor, "*F P 3"]
) -> Float[Tensor, "*F G k 14"]:
    flat = raw.expand(*metres.shape[:-2], *raw.shape[-3:]).flatten(-3, -2).clone()
    flat[..., points, POSITION] += (metres / POSITION_UNIT).to(raw)
    return flat.unflatten(-2, raw.shape[-3:-1])


def pushes_of(driving: Driving) -> Float[Tensor, "*F S"]:
    """`pushes` of a driving signal."""
    turns = axis_angle_to_matrix(driving.full_pose[..., [_PELVIS, _SPINE, *_HIPS, *_KNEES], :])
    pelvis, spine, left, right, left_knee, right_knee = turns.unbind(-3)
    return _signal(pelvis, torch.stack([spine, left, right, left @ left_knee, right @ right_knee], -3))


def pushes(turns: Float[Tensor, "*F 55 3 3"]) -> Float[Tensor, "*F S"]:
    """What pushes cloth about, from rotations of all joints in the world: how trunk, thighs and shins are turned from
    the pelvis, and where up is for it; zeros for who stands upright in the T-pose."""
    pelvis = turns[..., _PELVIS, :, :]
    return _signal(pelvis, pelvis[..., None, :, :].mT @ turns[..., [_SPINE, *_HIPS, *_KNEES], :, :])


def _signal(pelvis: Float[Tensor, "*F 3 3"], limbs: Float[Tensor, "*F 5 3 3"]) -> Float[Tensor, "*F S"]:
    up = pelvis[..., 1, :] - pelvis.new_tensor([0, 1, 0])
    return torch.cat([(limbs - torch.eye(3).to(limbs)).flatten(-3), up], -1)
