"""The one place for folders: the repository's own, and the cache for things made once."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RUNS = REPOSITORY / "runs"
RESULTS = REPOSITORY / "results"
RECORDS = RESULTS / "records"
CHECKPOINTS = RESULTS / "checkpoints"
FIGURES = RESULTS / "figures"


def cache_dir(*parts: str) -> Path:
    """Folder (created) for things made once and kept: body files, tokens, compiled kernels.

    `LCA_CACHE` names the root; without it, `$XDG_CACHE_HOME/lca_core` or `~/.cache/lca_core`.
    """
    root = os.environ.get("LCA_CACHE")
    if not root:
        root = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lca_core")
    folder = Path(root, *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there only if the block succeeds.

    The file at `path` is therefore always whole: the old one or the new one, never half of one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)  # mkstemp, and safetensors, make files for the owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
