"""glTF 2.0 in one binary file (.glb): a JSON document, and the numbers that its accessors point into.

Specification: Khronos, glTF 2.0 (ISO/IEC 12113:2022), sections 3.6 (buffers and accessors) and 4.4 (the binary file).
Axes are those of this library: +Y up, a person faces +Z, metres.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from lca_core import __version__
from lca_core.paths import atomic_path

POINTS, TRIANGLES = 0, 4  # modes of a primitive
VERTICES, INDICES = 34962, 34963  # what a buffer view is for
_COMPONENTS = {"float32": 5126, "uint8": 5121, "uint16": 5123, "uint32": 5125}
_KINDS = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_ALIGNED = 4  # bytes at which views and chunks begin


class Numbers:
    """The numbers of a .glb while they are gathered: one run of bytes, views of it, accessors of these."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict] = []
        self.accessors: list[dict] = []

    def view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes; the number of their view. target: VERTICES, INDICES or neither."""
        self.data += bytes(-len(self.data) % _ALIGNED)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        self.data += data
        return len(self.views) - 1

    def add(self, values: np.ndarray, target: int | None = None, bounds: bool = False) -> int:
        """Append an array [N, ...] of float32, uint8, uint16 or uint32; the number of its accessor.

        Matrices [N, 4, 4] are given row by row, as NumPy has them. bounds: also its least and greatest numbers, which
        positions and the times of an animation must tell.
        """
        accessor = _described(values) | {"bufferView": self.view(_packed(values), target)}
        self.accessors.append(accessor | (_bounds(values) if bounds else {}))
        return len(self.accessors) - 1

    def add_sparse(self, values: np.ndarray) -> int:
        """Append a float32 array [N, ...] most of whose rows are zero: only the others are kept."""
        rows = np.flatnonzero(values.reshape(len(values), -1).any(1)).astype(np.uint32)
        accessor = _described(values) | _bounds(values)
        if len(rows):
            kept = {"count": len(rows), "indices": {"bufferView": self.view(rows.tobytes()), "componentType": 5125}}
            accessor["sparse"] = kept | {"values": {"bufferView": self.view(_packed(values[rows]))}}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(path: Path | str, document: dict[str, Any], numbers: Numbers) -> None:
    """Write a document (scenes, nodes, meshes, materials ...) and its numbers, atomically.

    What describes the file and the numbers is added: asset, buffers, bufferViews and accessors.
    """
    document = {
        "asset": {"version": "2.0", "generator": f"lca_core {__version__}"},
        **document,
        "buffers": [{"byteLength": len(numbers.data)}],
        "bufferViews": numbers.views,
        "accessors": numbers.accessors,
    }
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    data = bytes(numbers.data) + bytes(-len(numbers.data) % _ALIGNED)
    length = 12 + 8 + len(text) + 8 + len(data)
    with atomic_path(path) as partial, open(partial, "wb") as file:
        file.write(b"glTF" + struct.pack("<II", 2, length))
        file.write(struct.pack("<I", len(text)) + b"JSON" + text)
        file.write(struct.pack("<I", len(data)) + b"BIN\0" + data)


def _described(values: np.ndarray) -> dict[str, Any]:
    return {
        "componentType": _COMPONENTS[str(values.dtype)],
        "count": len(values),
        "type": _KINDS[values.shape[1:]],
    }


def _packed(values: np.ndarray) -> bytes:
    """Little-endian, matrices column by column."""
    values = values.swapaxes(1, 2) if values.ndim == 3 else values
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _bounds(values: np.ndarray) -> dict[str, list[float]]:
    flat = values.reshape(len(values), -1)
    return {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
