"""Muon for the hidden matrices, AdamW for everything else, as one optimizer.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; `torch.optim.Muon`) turns the momentum of a matrix
into the nearest orthogonal one, so that all its directions learn alike. Rates are adjusted to AdamW's size of step
(Liu et al. 2025, arXiv 2502.16982), so that both follow one schedule. Inputs, outputs, biases and the template, where
single numbers mean something, stay with AdamW.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.98)  # of AdamW


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` adjusted to AdamW's rates, all matrices of one shape orthogonalised together: the same numbers
    from a tenth of the operations. On a processor without units for bfloat16 the iteration computes in float32."""

    def __init__(self, groups: Sequence[dict]):
        super().__init__(groups, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self) -> None:
        """One step of every matrix that has a gradient."""
        alike: dict[tuple, list[tuple[Tensor, Tensor, dict]]] = {}
        for group in self.param_groups:
            matrices, gradients, momenta = [], [], []
            self._init_group(group, matrices, gradients, momenta)
            if matrices:
                torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                for matrix, update in zip(matrices, torch._foreach_lerp(gradients, momenta, group["momentum"])):
                    tall = matrix.shape[0] > matrix.shape[1]
                    wide = update.T if tall else update
                    alike.setdefault((*wide.shape, wide.device), []).append((matrix, wide, group))
        for same in alike.values():
            group = same[0][2]
            turned = orthogonal(torch.stack([wide for _, wide, _ in same]), group["ns_coefficients"], group["ns_steps"])
            for (matrix, _, group), update in zip(same, turned):
                update = update.T if matrix.shape[0] > matrix.shape[1] else update
                matrix.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape)))


def orthogonal(matrices: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """Matrices [M, rows, columns], no taller than wide, with singular values near 1: Muon's Newton-Schulz iteration."""
    a, b, c = coefficients
    narrow = matrices.device.type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    x = matrices.bfloat16() if narrow else matrices
    x = x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


class MuonAndAdamW:
    """To a training loop, one optimizer: groups as of `schedules.parameter_groups`, those marked "hidden" for Muon.

    groups: each has its parameters' names under "names"; muon: False leaves all to AdamW.
    """

    def __init__(self, groups: Sequence[dict], muon: bool = True):
        hidden = [g for g in groups if muon and g["hidden"]]
        others = [g for g in groups if not (muon and g["hidden"])]
        self._all: list[torch.optim.Optimizer] = []
        if others:
            self._all.append(torch.optim.AdamW(others, betas=BETAS, fused=_can_fuse(others)))
        if hidden:
            self._all.append(Muon(hidden))

    @property
    def param_groups(self) -> list[dict]:
        """All groups, to be changed in place."""
        return [group for optimizer in self._all for group in optimizer.param_groups]

    def step(self) -> None:
        """One step of every parameter that has a gradient."""
        for optimizer in self._all:
            optimizer.step()

    def state(self) -> dict[str, dict[str, torch.Tensor]]:
        """Every parameter's state, by its name."""
        result: dict[str, dict] = {}
        for optimizer in self._all:
            state, names = optimizer.state_dict()["state"], _names(optimizer)
            result |= {names[i]: values for i, values in state.items()}
        return result

    def load(self, state: dict[str, dict[str, torch.Tensor]]) -> None:
        """Restore what `state` gave."""
        for optimizer in self._all:
            own = {i: state[name] for i, name in enumerate(_names(optimizer)) if name in state}
            optimizer.load_state_dict(optimizer.state_dict() | {"state": own})


def _can_fuse(groups: Sequence[dict]) -> bool:
    """Whether AdamW can update all of these in one pass: plain tensors, shared with no other process."""
    return all(type(p.data) is Tensor for group in groups for p in group["params"])


def _names(optimizer: torch.optim.Optimizer) -> list[str]:
    """Of the parameters, in the optimizer's order."""
    return [name for group in optimizer.param_groups for name in group["names"]]
