"""The one place for folders: the repository's own, and the cache for things made once."""

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lca_core.errors import InputError

REPOSITORY = Path(__file__).resolve().parent.parent
RUNS = REPOSITORY / "runs"
RESULTS = REPOSITORY / "results"
RECORDS = RESULTS / "records"
CHECKPOINTS = RESULTS / "checkpoints"
FIGURES = RESULTS / "figures"
_LEAST = 1 << 16  # bytes that must fit where something is to be written
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def cache_dir(*parts: str) -> Path:
    """Folder (created) for things made once and kept: body files, tokens, compiled kernels.

    `LCA_CACHE` names the root; without it, `$XDG_CACHE_HOME/lca_core` or `~/.cache/lca_core`. InputError where it
    cannot be made.
    """
    root = os.environ.get("LCA_CACHE")
    if not root:
        root = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lca_core")
    folder = Path(root, *parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made ({error.strerror}); set LCA_CACHE to a folder that can be written"
        ) from error
    return folder


def output_folder(out: Path | str) -> Path:
    """A folder for what a notebook writes (created): below the repository, wherever it runs from, or as given whole."""
    folder = writable_folder(REPOSITORY / out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def writable(path: Path | str) -> Path:
    """`path`, of a file or folder that is to be written; InputError, before any work is done, where it cannot be.

    Something small is written beside it and removed, which finds permissions, read-only disks and full ones.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: {folder} is a file; give another path")
    try:
        with tempfile.TemporaryFile(prefix=".partial-", dir=folder) as file:
            file.write(b"0" * _LEAST)
            file.flush()
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


def writable_folder(path: Path | str) -> Path:
    """`writable` of a folder, which may be missing; InputError for a file."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder")
    return writable(path)


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({error.strerror or error}); give another path, or make room there")


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there only if the block succeeds.

    The file at `path` is therefore always whole: the old one or the new one, never half of one. Who may read it, the
    umask says. InputError where the folder cannot be written or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, mode = _new_file(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        os.chmod(temporary, mode)  # safetensors makes files for the owner alone
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _cannot_write(path, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _new_file(path: Path) -> tuple[Path, int]:
    """(a new empty file beside `path`, its permissions, as the umask has them)."""
    while True:
        temporary = path.with_name(f".partial-{secrets.token_hex(6)}{path.suffix}")
        try:
            handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            continue
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.close(handle)
        return temporary, mode
