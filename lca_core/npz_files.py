"""Arrays of a stranger's .npz file: bounded before anything is unpacked, and never by running what a pickle says."""

from collections.abc import Collection
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from lca_core.errors import InputError

_UNREADABLE = (OSError, ValueError, EOFError, TypeError, BadZipFile, MemoryError, NotImplementedError)


def read_npz(path: Path | str, names: Collection[str], most: int, kind: str, remedy: str) -> dict[str, np.ndarray]:
    """The arrays of these names that the file has.

    most: bytes that they may take together; kind: what the file is to be, in words ("a body file").
    InputError, which ends in `remedy`, when it cannot be read or claims more.
    """
    try:
        with ZipFile(path) as packed:
            claimed = sum(info.file_size for info in packed.infolist() if info.filename.removesuffix(".npy") in names)
        if claimed > most:
            raise InputError(f"{path} claims {claimed / 1e9:.1f} GB of arrays, more than {kind} takes: {remedy}")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name in names}
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as {kind} ({error}); {remedy}") from error
