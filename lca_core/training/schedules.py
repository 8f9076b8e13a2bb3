"""Learning rates: warm-up and cosine over steps, and layer-wise decay over the model's depth."""

import math

from torch import nn

_DECODING = (
    "canonical.", "driven.", "expression.", "color_reading.", "color_copy.", "second_look.", "encoder.norm",
)  # fmt: skip
_HIDDEN = ("encoder.layers.", "geometry_tokens.", "canonical.net.0.", "second_look.net.0.", "driven.net.0.")


def cosine(step: int, steps: int, warmup: int, floor: float = 0.02) -> float:
    """Factor on the learning rate at `step` (0 ... steps): linear warm-up, then a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def layer_of(name: str, depth: int) -> int:
    """The layer l of a parameter: 0 for tokens and the template, 1 ... L for the encoder, L for the decoders."""
    if name.startswith("encoder.layers."):
        return int(name.split(".")[2]) + 1
    if name.startswith(_DECODING):
        return depth
    return 0


def parameter_groups(model: nn.Module, depth: int, lr: float, gamma: float) -> list[dict]:
    """Optimiser groups with lr(l) = lr * gamma^(L - l), the paper's layer-wise decay.

    gamma = 1 is no decay, gamma = 0 trains the decoders (and the last layer) alone. Only matrices have
    weight decay; those between hidden numbers, neither at an input nor at an output, are marked "hidden".
    """
    groups: dict[tuple[int, bool, bool], list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            matrix = parameter.ndim == 2
            kind = (layer_of(name, depth), matrix, matrix and name.startswith(_HIDDEN))
            groups.setdefault(kind, []).append(parameter)
    result = []
    for (layer, matrix, hidden), parameters in sorted(groups.items()):
        rate, decay = lr * gamma ** (depth - layer), 0.01 if matrix else 0.0
        if rate > 0:
            group = {"params": parameters, "lr": rate, "base_lr": rate, "weight_decay": decay, "hidden": hidden}
            result.append(group)
    return result
