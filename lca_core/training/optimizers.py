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

    groups: each has its parameters' names under "names"; muon: False leaves all to AdamW.
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


def _names(optimizer: torch.optim.Optimizer) -> list[str]:
    """Of the parameters, in the optimizer's order."""
    return [name for group in optimizer.param_groups for name in group["names"]]
