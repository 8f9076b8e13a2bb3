"""Files of tensors: safetensors with a kind and a JSON header. Reading one never runs code from it.

Weights, templates, training states and avatars are all kept so. The header is one entry of JSON with sorted keys,
so the same content gives the same bytes. Numbers that are not finite are neither written nor read.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lca_core.errors import InputError
from lca_core.paths import atomic_path

MAX_HEADER = 16 * 2**20  # bytes; that of the largest training state takes a twentieth
_ENTRY = "lca_core"
_HOLLOW = 64  # times the disk it takes that a file may be long: one that is mostly holes fills memory, not disk


def save_tensors(path: Path | str, kind: str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors (copied to the CPU) and a header of plain JSON, atomically. kind: e.g. "lca_core model 1".

    InputError, and nothing written, where a number is not finite.
    """
    plain = {name: torch.as_tensor(t).detach().cpu().contiguous().clone() for name, t in tensors.items()}
    if wrong := _not_finite(plain):
        raise InputError(f"{path} is not written: {wrong} holds numbers that are not finite; what made it has failed")
    text = json.dumps({"kind": kind, **header}, sort_keys=True)
    try:
        with atomic_path(path) as partial:
            save_file(plain, partial, metadata={_ENTRY: text})
    except SafetensorError as error:  # it has its own words for a full disk
        raise InputError(f"{path} cannot be written ({error}); give another path, or make room there") from error


def read_header(path: Path | str, kind: str, remedy: str) -> dict[str, Any]:
    """The header alone; InputError, which ends in `remedy`, when the file is missing, damaged or of another kind."""
    return _read(path, kind, remedy, tensors=False)[0]


def load_tensors(path: Path | str, kind: str, remedy: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(header, tensors) of a file; InputError as `read_header`, and where a number is not finite."""
    return _read(path, kind, remedy, tensors=True)


def _read(path: Path | str, kind: str, remedy: str, tensors: bool) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        _bound(path)
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_ENTRY, "{}")
            found = {name: file.get_tensor(name) for name in file.keys()} if tensors else {}
        header = json.loads(text)
    except (SafetensorError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path} cannot be read ({error}); {remedy}") from error
    if not isinstance(header, dict) or header.get("kind") != kind:
        raise InputError(f"{path} is no file of kind {kind!r}; {remedy}")
    if wrong := _not_finite(found):
        raise InputError(f"{path}: {wrong} holds numbers that are not finite; {remedy}")
    return header, found


def _bound(path: Path | str) -> None:
    """ValueError for a header or a size out of proportion; what else a file claims, safetensors checks."""
    with open(path, "rb") as file:
        length, status = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno())
    if length > MAX_HEADER:
        raise ValueError(f"it claims a header of {length / 2**20:.0f} MB")
    on_disk = 512 * getattr(status, "st_blocks", status.st_size)  # Windows does not tell
    if status.st_size > max(_HOLLOW * on_disk, MAX_HEADER):
        raise ValueError(f"it claims {status.st_size / 1e9:.1f} GB and holds {on_disk / 1e3:.0f} kB")


def _not_finite(tensors: Mapping[str, Tensor]) -> str:
    """The name of a tensor that holds what is not finite; "" where there is none."""
    return next((name for name, t in tensors.items() if t.is_floating_point() and not t.isfinite().all()), "")
