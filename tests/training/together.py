"""A short training in double precision, by one process or, started by torchrun, by several.

In double precision, because Adam divides gradients by their own size, so that what float32 rounds where a gradient
vanishes would move weights as far as a true gradient does. And without Muon, which computes in bfloat16.
"""

import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import torch

from lca_core.training import Paused, Settings, loop, train
from tests.training.subjects import painted_examples, tiny_model

drawing = import_module("lca_core.splats.draw")  # the package calls a function by the module's name
STEPS = 6
_SETTINGS = Settings(
    "posttrain", steps=STEPS, lr=1e-3, warmup=1, lpips_weight=0, template_steps=2, precision="float32", accumulate=2,
    muon=False,
)  # fmt: skip


def doubled(thing):
    """Its floating-point tensors as float64."""
    if torch.is_tensor(thing):
        return thing.double() if thing.is_floating_point() else thing
    if hasattr(thing, "__dataclass_fields__"):
        return replace(thing, **{name: doubled(getattr(thing, name)) for name in thing.__dataclass_fields__})
    return thing


def trained(out: Path, shard: bool = False) -> None:
    """Train into a folder; shard: each process has a part of the parameters, pauses after a step and goes on."""
    sample, people = loop.sample, painted_examples(2)
    with (
        patch.object(loop, "sample", lambda *arguments: doubled(sample(*arguments))),
        patch.object(drawing, "draw", partial(drawing.draw, backend="reference")),  # what is not float32 goes there
    ):
        model = tiny_model().double()
        if not shard:
            train(model, people, _SETTINGS, out)
            return
        try:
            train(model, people, _SETTINGS, out, shard=True, minutes=1e-9)
        except Paused:
            train(tiny_model(seed=9).double(), people, _SETTINGS, out, shard=True, resume=True)


if __name__ == "__main__":
    trained(Path(sys.argv[1], "two"))
    trained(Path(sys.argv[1], "parts"), shard=True)
