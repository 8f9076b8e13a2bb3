"""Loose cloth: what hangs between the limbs follows neither of them alone (the paper's extension).

The template's skinning weights make trousers of a skirt. A decoder reads the geometry tokens at the nodes of a sparse
graph over the body and corrects the weights of all that hangs on them, W' = W + H_skin(T_node). A row of weights is
first mixed, by a gate, with weights spread in space (as LHM spreads them, arXiv 2503.10625), so that joints of the
surroundings, for which it has no weight, can be reached at all; then every joint's weight is changed by a factor, and
the row made to sum to what it did. Gates that are shut and factors of one leave it as it is, which is how training
begins. Cloth is asked to stretch as little as it can (as rigid as possible), and corrections to be few (sparse).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import Driving
from lca_core.body.nodes import CARRIERS, carriers
from lca_core.model.claims import Claim
from lca_core.model.graphed import Graphed, spread
from lca_core.model.posing import Posed
from lca_core.model.precision import full_precision
from lca_core.model.raw import ROTATION, from_offsets
from lca_core.model.settling import settled
from lca_core.model.transformer import fourier
from lca_core.splats.skinning import multiply_quats

_HIDDEN, _BANDS = 64, 3
_MOST = 3.0  # logarithm of the largest factor on a joint's weight
_RIGID, _SPARSE = 0.1, 0.001  # weights of the losses


class LooseCloth(Graphed):
    """Geometry tokens to skinning weights of what may be loose cloth."""

    claim = Claim("decoders", hidden=("around", "mixed"))
    kept = ("places", "shell", "parents", "parent_share", "edges", "nodes", "diffused")

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        self.token = nn.Linear(width + 3 * (1 + 2 * _BANDS) + 1, _HIDDEN)
        self.around = nn.Linear(_HIDDEN, _HIDDEN)
        self.mixed = nn.Linear(_HIDDEN, _HIDDEN)
        self.say = nn.Linear(_HIDDEN, 1 + len(CARRIERS))
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def correction(self, tokens: Float[Tensor, "*B G D"]) -> tuple[Float[Tensor, "*B V 1"], Float[Tensor, "*B V C"]]:
        """H_skin at the nodes: (gates from 0 to 1, logarithms of factors on the weights of CARRIERS)."""
        place = torch.cat([fourier(self.places, _BANDS), self.shell[:, None].float()], -1)
        read = spread(tokens.float(), self.read, self.read_share)
        x = torch.cat([read, place.expand(*read.shape[:-1], -1)], -1)
        x = F.gelu(self.token(x))
        coarse = self._gathered(x)
        coarse = F.gelu(self.around(coarse) + self.mixed(coarse.mean(-2, keepdim=True)))
        gate, change = self.say(x + spread(coarse, self.parents, self.parent_share)).split([1, len(CARRIERS)], -1)
        within = gate + (gate.clamp(0, 1) - gate).detach()  # a gate that is shut keeps its gradient
        return within, _MOST * (change / _MOST).tanh()

    def _gathered(self, x: Float[Tensor, "*B V H"]) -> Float[Tensor, "*B U H"]:
        """Means over what hangs on each coarse node."""
        count = int(self.parents.max()) + 1
        held = x.new_zeros(count, len(self.places))
        columns = torch.arange(len(self.places), device=x.device)[:, None].expand_as(self.parents)
        held.index_put_((self.parents.flatten().long(), columns.flatten()), self.parent_share.flatten())
        return held / held.sum(-1, keepdim=True).clamp(min=1e-6) @ x

    def weights(self, weights, tokens, driving):
        """The corrected weights: the same for every driving signal, and so computed once for the same tokens."""
        return self.once(lambda: self.hung(weights, tokens), weights, tokens)

    def hung(self, weights: Float[Tensor, "*#B N 55"], tokens: Float[Tensor, "*#B G D"]) -> Float[Tensor, "*B N 55"]:
        """Weights [N, 55] as corrected for each person."""
        with full_precision(weights):
            gate, change = self.correction(tokens)
            at_nodes = torch.cat([gate, change, self.diffused.expand(*change.shape)], -1)
            gate, change, diffused = spread(at_nodes, self.near, self.share).split([1, *2 * [len(CARRIERS)]], -1)
            places = self.points[:, None].long(), torch.tensor(carriers(), device=weights.device)
            held = weights[(..., *places)]
            whole = held.sum(-1, keepdim=True)
            mixed = (held + gate * (whole * diffused - held)) * change.exp()
            corrected = whole * mixed / mixed.sum(-1, keepdim=True).clamp(min=1e-9)
            every = weights.expand(*corrected.shape[:-2], *weights.shape[-2:]).clone()
            every[(..., *places)] = corrected
            return every

    def settle(self, raw, tokens, rig, transforms, known):
        """The numbers with which corrected weights leave the photographs as they are (`settling`)."""
        points, weights = self.points.long(), rig.skinning[self.points.long()]
        hung = self.weights(rig.skinning, tokens, Driving.neutral())[:, points]
        rest = rig.canonical(raw)
        means, turns = settled(rest.means[:, points], weights, hung, transforms, known)
        kept = raw.flatten(1, 2)[:, points]
        kept = kept + from_offsets(means - rest.means[:, points])
        frames = rig.frames.flatten(0, 1)[points]
        rotation = multiply_quats(_conjugate(frames), multiply_quats(turns, rest.quats[:, points]))
        rotation = rotation * kept[..., ROTATION].norm(dim=-1, keepdim=True)  # the driven branch adds to it
        kept = torch.cat([kept[..., : ROTATION.start], rotation, kept[..., ROTATION.stop :]], -1)
        return raw.flatten(1, 2).index_copy(1, points, kept).reshape(raw.shape)

    def losses(self, posed: Posed, batch) -> dict[str, Tensor]:
        """How far cloth is from moving rigidly between near nodes, and how much is corrected at all."""
        if posed.rest is None:
            return {}
        gate, change = self.correction(posed.tokens)
        sparse = gate.abs().mean() + 0.1 * change.abs().mean()
        return {"rigid": _RIGID * self.rigid(posed), "sparse": _SPARSE * sparse}

    def rigid(self, posed: Posed) -> Float[Tensor, ""]:
        """As rigid as possible (Sorkine and Alexa 2007): squared difference of posed edges from those of the T-pose
        turned as their first ends are, by the length of these, over edges whose ends are both to be seen."""
        near, far = self.nodes.long()[self.edges.long()].unbind(-1)
        rest, moved = posed.rest, posed.driven
        turned = multiply_quats(moved.quats[..., near, :], _conjugate(rest.quats[..., near, :]))
        before = rest.means[..., far, :] - rest.means[..., near, :]
        now = moved.means[..., far, :] - moved.means[..., near, :]
        strain = (now - _rotate(turned, before)).square().sum(-1) / before.square().sum(-1).clamp(min=1e-4)
        seen = rest.opacities[..., near] * rest.opacities[..., far]
        return (seen * strain).sum() / seen.sum().clamp(min=1e-6)

    def check(self, anchors: int) -> None:
        """RuntimeError as `Graphed.check`, or where shares of the carriers are not one a node."""
        super().check(anchors)
        if self.diffused.shape != (len(self.places), len(CARRIERS)):
            raise RuntimeError("shares of the graph of nodes are not as many as what they are shares of")


def _conjugate(quats: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B 4"]:
    """The opposite rotations of unit quaternions wxyz."""
    return torch.cat([quats[..., :1], -quats[..., 1:]], -1)


def _rotate(quats: Float[Tensor, "*B 4"], vectors: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """Vectors turned by unit quaternions wxyz."""
    axis = quats[..., 1:]
    across = 2 * torch.linalg.cross(axis, vectors)
    return vectors + quats[..., :1] * across + torch.linalg.cross(axis, across)
