"""A sparse graph of nodes over what of a body may carry loose cloth, on two levels.

Trunk, arms, legs and the shells off the skin hang on some 256 nodes, and those on some 64 of them: what moves cloth is
decided at nodes and spread to points with fixed shares, as in embedded deformation (Sumner et al. 2007,
https://doi.org/10.1145/1276377.1276478). Near is what is near on the T-pose. Skin counts as further from skin the more
their joints differ, and from a shell: a leg has nodes of its own beside those of the skirt round it, which the two legs
share.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lca_core.body.anchors import Anchors
from lca_core.body.layout import JOINT_NAMES

_LIMBS = ("hip", "knee", "collar", "shoulder", "elbow")
_SIDED = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _LIMBS)
CARRIERS = ("pelvis", "spine1", "spine2", "spine3", *_SIDED)  # joints that cloth hangs on
NODES, COARSE = 256, 64
NEAREST, NEIGHBOURS = 4, 6  # nodes that a point hangs on; that a node has edges to
_FAR = 1.6  # of the median distance of near nodes: from there on they are none
_POINTS_PER_NODE = 4  # at least: small bodies have fewer nodes
_APART = 0.3  # metres that skin of one joint is from skin of another beside their distance, over the root of 2
_DIFFUSION = (0.06, 0.12, 0.24)  # metres: widths over which skinning weights are spread in space, each a third


def carriers() -> list[int]:
    """The numbers of CARRIERS among the 55 joints."""
    return [JOINT_NAMES.index(name) for name in CARRIERS]


@dataclass(frozen=True)
class NodeGraph:
    """V nodes, the first U of which are the coarse ones; P of the N = G k surface points hang on them.

    points [P]: numbers of those among all, in order; near, share [P, n]: the nodes each hangs on and how much, rows
    summing to 1; nodes [V]: numbers of the surface points where the nodes lie; places [V, 3]: there, metres of the
    T-pose; shell [V]: whether off the skin; parents, parent_share [V, n]: the coarse nodes each node hangs on;
    edges [E, 2]: pairs of near nodes, and of coarse ones that are near among these; diffused [V, C]: shares of CARRIERS
    as weights spread in space have them, rows summing to 1.
    """

    points: Int[Tensor, " P"]
    near: Int[Tensor, "P n"]
    share: Float[Tensor, "P n"]
    nodes: Int[Tensor, " V"]
    places: Float[Tensor, "V 3"]
    shell: Bool[Tensor, " V"]
    parents: Int[Tensor, "V m"]
    parent_share: Float[Tensor, "V m"]
    edges: Int[Tensor, "E 2"]
    diffused: Float[Tensor, "V C"]

    @classmethod
    def of(cls, anchors: Anchors) -> "NodeGraph":
        """The graph over these anchors' points; ValueError where too few of them can carry cloth."""
        held = anchors.weights.flatten(0, 1)[:, carriers()].float()
        points = (held.sum(-1) > 0.5).nonzero()[:, 0]
        count = min(NODES, len(points) // _POINTS_PER_NODE)
        if count < 2:
            raise ValueError(f"{len(points)} points of trunk and limbs are too few for nodes; lay more anchors")
        places, shell = anchors.points.flatten(0, 1)[points].float(), anchors.shell.flatten()[points]
        held = held[points] / held[points].sum(-1, keepdim=True)
        apart = torch.cat([places, torch.where(shell[:, None], 0.0, _APART) * held], -1)
        chosen = _spread(apart, count)
        coarse = max(2, count * COARSE // NODES)
        near, share = _hang(apart, apart[chosen])
        parents, parent_share = _hang(apart[chosen], apart[chosen[:coarse]])
        edges = torch.cat([_edges(apart[chosen]), _edges(apart[chosen[:coarse]])]).unique(dim=0)
        diffused = _diffused(places[chosen], places, held)
        return cls(
            points, near, share, points[chosen], places[chosen], shell[chosen], parents, parent_share, edges, diffused
        )  # fmt: skip


def _spread(x: Float[Tensor, "P D"], count: int) -> Int[Tensor, " V"]:
    """Numbers of `count` points, each the farthest from those before: any first few of them are well spread, too."""
    chosen, nearest = [0], torch.full((len(x),), torch.inf)
    while len(chosen) < count:
        nearest = torch.minimum(nearest, (x - x[chosen[-1]]).square().sum(-1))
        chosen.append(int(nearest.argmax()))
    return torch.tensor(chosen)


def _hang(x: Float[Tensor, "P D"], nodes: Float[Tensor, "V D"]) -> tuple[Int[Tensor, "P n"], Float[Tensor, "P n"]]:
    """(the nearest nodes, their shares) of points: a share falls to nothing where the next node begins to count."""
    most = min(NEAREST + 1, len(nodes))
    distance, near = torch.cdist(x, nodes).topk(most, largest=False)
    reach = distance[:, -1:].clamp(min=1e-6)
    share = (1 - distance[:, : most - 1] / reach).clamp(min=1e-6).square()
    return near[:, : most - 1], share / share.sum(-1, keepdim=True)


def _edges(x: Float[Tensor, "V D"]) -> Int[Tensor, "E 2"]:
    """Pairs of nodes, smaller number first, one of which is among the other's nearest; the nearest of all, and others
    unless they are far apart for such a pair."""
    most = min(NEIGHBOURS + 1, len(x))
    distance, near = (values[:, 1:] for values in torch.cdist(x, x).topk(most, largest=False))
    kept = distance < _FAR * distance.median()
    kept[:, 0] = True
    pairs = torch.stack([torch.arange(len(x))[:, None].expand_as(near), near], -1)[kept]
    return pairs.sort(dim=-1).values.unique(dim=0)


def _diffused(
    at: Float[Tensor, "V 3"], points: Float[Tensor, "P 3"], held: Float[Tensor, "P C"]
) -> Float[Tensor, "V C"]:
    """Shares of joints in the surroundings of places, as far as a body is near in space, on whichever limb."""
    square = torch.cdist(at, points).square()
    kernels = [(-square / (2 * width**2)).exp() for width in _DIFFUSION]
    return sum(kernel @ held / kernel.sum(-1, keepdim=True) for kernel in kernels) / len(kernels)
