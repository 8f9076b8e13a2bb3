"""Processes that train one model together, started by torchrun; alone, all of this is a formality."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from lca_core.model.transformer import Layer
from lca_core.training.batches import Part

_ALONE = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0}


@dataclass(frozen=True)
class Team:
    """This process among those that train together, and the device it computes on."""

    part: Part
    device: torch.device

    @classmethod
    def join(cls) -> "Team":
        """As torchrun's environment says (RANK, WORLD_SIZE, LOCAL_RANK): gloo between CPUs, nccl between GPUs."""
        rank, size, local = (int(os.environ.get(name, alone)) for name, alone in _ALONE.items())
        device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
        if device.type == "cuda":
            torch.cuda.set_device(device)
        if size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(Part(rank, size), device)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.part.rank == 0

    def wrap(self, module: nn.Module, shard: bool = False) -> nn.Module:
        """A module whose gradients are the means over all processes. All of them start from the leader's weights.

        shard: each process keeps a part of every parameter (FSDP2), for models larger than one GPU; parameters become
        DTensors, so that optimisers are made afterwards (see `whole` and `part_like`).
        """
        module.to(self.device)
        if self.part.size == 1:
            return module
        if shard:
            for parameter in module.parameters():
                dist.broadcast(parameter.data, 0)
            mesh = init_device_mesh(self.device.type, (self.part.size,))
            for layer in (m for m in module.modules() if isinstance(m, Layer)):
                fully_shard(layer, mesh=mesh)
            return fully_shard(module, mesh=mesh)
        # Steps without a face or a hand leave parts without gradients.
        return DistributedDataParallel(module, find_unused_parameters=True)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Means over all processes; a name that a process lacks counts as zero there."""
        if self.part.size == 1:
            return values
        every: list = [None] * self.part.size
        dist.all_gather_object(every, values)
        names = list(dict.fromkeys(name for one in every for name in one))
        return {name: sum(one.get(name, 0.0) for one in every) / self.part.size for name in names}

    def any(self, told: bool) -> bool:
        """Whether it is so in any process."""
        return bool(self.mean({"": float(told)})[""]) if self.part.size > 1 else told

    def wait(self) -> None:
        """Until all processes are here."""
        if self.part.size > 1:
            dist.barrier()


def whole(tensor: Tensor) -> Tensor:
    """A tensor gathered from all processes (which must all call this), where each has a part; else the tensor."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def part_like(tensor: Tensor, other: Tensor) -> Tensor:
    """This process's part of a whole tensor, if `other` is one; else the tensor."""
    if not isinstance(other, DTensor) or tensor.shape != other.shape:
        return tensor
    return distribute_tensor(tensor.to(other.device), other.device_mesh, other.placements)
