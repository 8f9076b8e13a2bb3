"""Files of tensors: safetensors with a kind and a JSON header. Reading one never runs code from it.

Weights, templates, training states and avatars are all kept so. The header is one entry of JSON with sorted keys,
so the same content gives the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lca_core.errors import InputError
from lca_core.paths import atomic_path

_ENTRY = "lca_core"


def save_tensors(path: Path | str, kind: str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors (copied to the CPU) and a header of plain JSON, atomically. kind: e.g. "lca_core model 1"."""
    plain = {name: torch.as_tensor(t).detach().cpu().contiguous().clone() for name, t in tensors.items()}
    text = json.dumps({"kind": kind, **header}, sort_keys=True)
    with atomic_path(path) as partial:
        save_file(plain, partial, metadata={_ENTRY: text})


def read_header(path: Path | str, kind: str, remedy: str) -> dict[str, Any]:
    """The header alone; InputError, which ends in `remedy`, when the file is missing, damaged or of another kind."""
    return _read(path, kind, remedy, tensors=False)[0]


def load_tensors(path: Path | str, kind: str, remedy: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(header, tensors) of a file; InputError as `read_header`."""
    return _read(path, kind, remedy, tensors=True)


def _read(path: Path | str, kind: str, remedy: str, tensors: bool) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_ENTRY, "{}")
            found = {name: file.get_tensor(name) for name in file.keys()} if tensors else {}
        header = json.loads(text)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); {remedy}") from error
    if not isinstance(header, dict) or header.get("kind") != kind:
        raise InputError(f"{path} is no file of kind {kind!r}; {remedy}")
    return header, found
