"""What decoders have in common that decide at the nodes of a sparse graph over the body (`lca_core.body.nodes`)."""

import weakref
from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import Anchors
from lca_core.body.nodes import NodeGraph
from lca_core.model.part import Part

_POOLED = 4  # anchors whose tokens a node reads
_READ = ("read", "read_share")
_HUNG = ("points", "near", "share")
Made = TypeVar("Made")


class Graphed(Part):
    """A decoder that reads tokens at nodes and spreads what it says over the points that hang on them.

    Beside what a subclass names in `kept` of `NodeGraph`, it keeps which anchors a node reads (read, read_share [V, 4])
    and what hangs on the nodes (points [P], near and share [P, n]).
    """

    stored = torch.float16
    kept: tuple[str, ...] = ()  # fields of the graph

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        for name in self._tables():
            self.register_buffer(name, torch.zeros(0))
        self._known: tuple = ((), (), None)
        self.register_load_state_dict_pre_hook(Graphed._make_room)

    @classmethod
    def _tables(cls) -> tuple[str, ...]:
        return (*_HUNG, *(name for name in cls.kept if name not in _HUNG), *_READ)

    def lay(self, anchors: Anchors) -> None:
        """Lay the graph over these anchors, whose tokens will be read."""
        graph = NodeGraph.of(anchors)
        numbers = {name: getattr(graph, name) for name in self._tables() if name not in _READ}
        anchor_of = (graph.points // self.per_anchor)[:, None].expand_as(graph.near)
        held = torch.zeros(len(graph.nodes), len(anchors.points))
        held.index_put_((graph.near.flatten(), anchor_of.flatten()), graph.share.flatten(), accumulate=True)
        share, read = held.topk(min(_POOLED, held.shape[1]))
        numbers |= {"read": read, "read_share": share / share.sum(-1, keepdim=True)}
        device = next(self.parameters()).device
        for name, values in numbers.items():
            kind = values.dtype if values.dtype in (torch.bool, torch.float32) else torch.int32
            self.register_buffer(name, values.to(device, kind))

    def once(self, make: Callable[[], Made], *of: Tensor) -> Made:
        """What `make` makes of these tensors: remembered while they and all that was learned stay as they are, for an
        avatar is driven again and again. Made anew where gradients are wanted."""
        if torch.is_grad_enabled() or any(tensor.is_inference() for tensor in of):
            return make()
        now = tuple(tensor._version for tensor in (*of, *self.parameters(), *self.buffers()))
        of_then, then, made = self._known
        if len(of_then) != len(of) or any(then_() is not tensor for then_, tensor in zip(of_then, of)) or then != now:
            made = make()
            self._known = tuple(map(weakref.ref, of)), now, made
        return made

    def check(self, anchors: int) -> None:
        """RuntimeError where numbers of the graph name what is not there, among so many anchors."""
        nodes, points = len(self.places), anchors * self.per_anchor
        limits = {"points": points, "near": nodes, "parents": nodes, "read": anchors, "nodes": points, "edges": nodes}
        for name in self._tables():
            numbers, limit = getattr(self, name), limits.get(name)
            if limit is None:
                continue
            whole = bool(numbers.numel()) and not numbers.is_floating_point()
            if not (whole and int(numbers.min()) >= 0 and int(numbers.max()) < limit):
                raise RuntimeError(f"{name} of the graph of nodes are no numbers below {limit}")
        shapes = (self.share.shape, self.near.shape), (self.read_share.shape, self.read.shape)
        if any(a != b for a, b in shapes) or len(self.near) != len(self.points) or len(self.read) != nodes:
            raise RuntimeError("shares of the graph of nodes are not as many as what they are shares of")

    def _make_room(self, tensors: dict[str, Tensor], prefix: str, *_) -> None:
        """Before loading: buffers of the file's sizes, whatever graph it brings."""
        device = next(self.parameters()).device
        for name in self._tables():
            if (brought := tensors.get(prefix + name)) is not None:
                kind = torch.float32 if brought.is_floating_point() else brought.dtype
                self.register_buffer(name, brought.new_zeros(brought.shape, dtype=kind, device=device))


def spread(values: Float[Tensor, "*B V C"], near: Tensor, share: Float[Tensor, "P n"]) -> Float[Tensor, "*B P C"]:
    """What is said at nodes, at what hangs on them; near: their numbers [P, n]."""
    picked = values[..., near.long(), :]
    return torch.einsum("...pnc,pn->...pc", picked, share.to(values))
