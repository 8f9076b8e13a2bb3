"""Training: examples, losses, schedules, the loop, checkpoints."""

from lca_core.training.checkpoints import (
    load_model,
    load_template,
    load_weights,
    read_header,
    save_model,
    save_template,
)
from lca_core.training.examples import Example, example, examples
from lca_core.training.loop import Paused, Settings, build_model, train

__all__ = [
    "Example", "Paused", "Settings", "build_model", "example", "examples", "load_model", "load_template",
    "load_weights", "read_header", "save_model", "save_template", "train",
]  # fmt: skip
