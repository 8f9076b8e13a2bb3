"""Muon for the hidden matrices, AdamW for everything else, as one optimizer.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; `torch.optim.Muon`) turns the momentum of a matrix
into the nearest orthogonal one, so that all its directions learn alike. Rates are adjusted to AdamW's size of step
(Liu et al. 2025, arXiv 2502.16982), so that both follow one schedule. Inputs, outputs, biases and the template, where
single numbers mean something, stay with AdamW.
"""

from collections.abc import Sequence

import torch

BETAS = (0.9, 0.98)  # of AdamW


class MuonAndAdamW:
    """To a training loop, one optimizer: groups as of `schedules.parameter_groups`, those marked "hidden" for Muon.

    muon: False leaves all to AdamW.
    """

    def __init__(self, groups: Sequence[dict], muon: bool = True):
        hidden = [g for g in groups if muon and g["hidden"]]
        others = [g for g in groups if not (muon and g["hidden"])]
        self._all: list[torch.optim.Optimizer] = []
        if others:
            self._all.append(torch.optim.AdamW(others, betas=BETAS))
        if hidden:
            self._all.append(torch.optim.Muon(hidden, adjust_lr_fn="match_rms_adamw"))

    @property
    def param_groups(self) -> list[dict]:
        """All groups, to be changed in place."""
        return [group for optimizer in self._all for group in optimizer.param_groups]

    def step(self) -> None:
        """One step of every parameter that has a gradient."""
        for optimizer in self._all:
            optimizer.step()

    def state(self) -> dict[int, dict[str, torch.Tensor]]:
        """Every parameter's state, by its number in the order of `param_groups`."""
        result: dict[int, dict] = {}
        for first, optimizer in self._numbered():
            result |= {first + i: state for i, state in optimizer.state_dict()["state"].items()}
        return result

    def load(self, state: dict[int, dict[str, torch.Tensor]]) -> None:
        """Restore what `state` gave."""
        for first, optimizer in self._numbered():
            count = sum(len(group["params"]) for group in optimizer.param_groups)
            own = {i - first: value for i, value in state.items() if first <= i < first + count}
            optimizer.load_state_dict(optimizer.state_dict() | {"state": own})

    def _numbered(self) -> list[tuple[int, torch.optim.Optimizer]]:
        """Each optimizer after the number of its first parameter."""
        numbered, first = [], 0
        for optimizer in self._all:
            numbered.append((first, optimizer))
            first += sum(len(group["params"]) for group in optimizer.param_groups)
        return numbered
