"""Learning rates: warm-up and cosine over steps, and layer-wise decay over the model's depth."""

import math

from torch import nn

_DECODING = (
    "canonical.", "driven.", "expression.", "color_reading.", "color_copy.", "second_look.", "encoder.norm",
)  # fmt: skip


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
    weight decay.
    """
    groups: dict[tuple[int, bool], list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((layer_of(name, depth), parameter.ndim == 2), []).append(parameter)
    result = []
    for (layer, matrix), parameters in sorted(groups.items()):
        rate = lr * gamma ** (depth - layer)
        if rate > 0:
            result.append({"params": parameters, "lr": rate, "base_lr": rate, "weight_decay": 0.01 if matrix else 0.0})
    return result
