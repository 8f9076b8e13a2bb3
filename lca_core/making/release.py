"""The model that makes avatars: shipped weights, or others of your own."""

from collections.abc import Sequence
from pathlib import Path

from lca_core.errors import InputError
from lca_core.model import LCA
from lca_core.release import ADDITIONS, RELEASE
from lca_core.training.checkpoints import load_model


def load_release(checkpoint: Path | str = RELEASE, additions: Sequence[Path | str] = ()) -> tuple[LCA, dict]:
    """The shipped model, as it is measured: its two branches, without optional decoders but those given as additions.
    InputError that says what to do when it is not there."""
    for path in (checkpoint, *additions):
        if not Path(path).exists():
            raise InputError(f"{path} is not there; train one with `python -m lca_core train`, or give --checkpoint")
    return load_model(checkpoint, additions=additions)


def load_complete(checkpoint: Path | str = RELEASE) -> tuple[LCA, dict]:
    """The shipped model with the decoders that avatars gain by, facial features and light: what they are made by. Other
    weights are taken as they are."""
    return load_release(checkpoint, ADDITIONS if Path(checkpoint) == RELEASE else ())
