"""Learning rates: warm-up and cosine over steps, and layer-wise decay over the model's depth."""

import math

from torch import nn

from lca_core.model.claims import standings


def cosine(step: int, steps: int, warmup: int, floor: float = 0.02) -> float:
    """Factor on the learning rate at `step` (0 ... steps): linear warm-up, then a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def parameter_groups(model: nn.Module, depth: int, lr: float, gamma: float) -> list[dict]:
    """Optimiser groups with lr(l) = lr * gamma^(L - l), the paper's layer-wise decay, as the modules claim.

    gamma = 1 is no decay, gamma = 0 trains the decoders (and the last layer) alone. Only matrices have weight decay;
    those between hidden numbers, neither at an input nor at an output, are marked "hidden". "names" stand beside the
    parameters. ValueError for a parameter that no module claims (`model.claims`).
    """
    claimed = standings(model)
    groups: dict[tuple[int, bool, bool], list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            standing = claimed[name]
            kind = (standing.claim.depth(depth), parameter.ndim == 2, standing.hidden)
            groups.setdefault(kind, []).append((name, parameter))
    result = []
    for (layer, matrix, hidden), members in sorted(groups.items(), key=lambda group: group[0]):
        rate, decay = lr * gamma ** (depth - layer), 0.01 if matrix else 0.0
        if rate > 0:
            names, parameters = map(list, zip(*members))
            group = {"params": parameters, "names": names, "lr": rate, "base_lr": rate}
            result.append(group | {"weight_decay": decay, "hidden": hidden})
    return result
