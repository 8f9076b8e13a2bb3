"""The model that makes avatars: shipped weights, or others of your own."""

from pathlib import Path

from lca_core.errors import InputError
from lca_core.model import LCA
from lca_core.release import RELEASE
from lca_core.training.checkpoints import load_model


def load_release(checkpoint: Path | str = RELEASE) -> tuple[LCA, dict]:
    """The shipped model; InputError that says what to do when it is not there."""
    if not Path(checkpoint).exists():
        raise InputError(f"{checkpoint} is not there; train one with `python -m lca_core train`, or give --checkpoint")
    return load_model(checkpoint)
