"""Training: examples in memory or streamed, losses, schedules, the loop, checkpoints."""

from lca_core.training.checkpoints import (
    load_model,
    load_template,
    load_weights,
    read_header,
    save_model,
    save_template,
)
from lca_core.training.datasets import Dataset, Mixed, Streamed
from lca_core.training.examples import Example, example, examples
from lca_core.training.loop import Paused, build_model, train
from lca_core.training.settings import Settings

__all__ = [
    "Dataset", "Example", "Mixed", "Paused", "Settings", "Streamed", "build_model", "example", "examples", "load_model",
    "load_template", "load_weights", "read_header", "save_model", "save_template", "train",
]  # fmt: skip
