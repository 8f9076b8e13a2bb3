"""A reader of .glb files, after the glTF 2.0 specification alone: no line of the library's is in it."""

import json
import struct
from pathlib import Path

import numpy as np

TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def read_glb(path: Path) -> tuple[dict, bytes]:
    """(document, binary chunk), the file's lengths checked."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    (text_length, kind), start = struct.unpack_from("<I4s", data, 12), 20
    assert kind == b"JSON" and text_length % 4 == 0
    binary_length, kind = struct.unpack_from("<I4s", data, start + text_length)
    binary = data[start + text_length + 8 :]
    assert kind == b"BIN\0" and len(binary) == binary_length and binary_length % 4 == 0
    return json.loads(data[start : start + text_length]), binary


def view(document: dict, data: bytes, number: int) -> bytes:
    """The bytes of a buffer view."""
    found = document["bufferViews"][number]
    assert found["byteOffset"] % 4 == 0
    return data[found["byteOffset"] : found["byteOffset"] + found["byteLength"]]


def accessor(document: dict, data: bytes, number: int) -> np.ndarray:
    """The numbers [N, width] or [N] of an accessor; matrices [N, 4, 4] row by row."""
    found = document["accessors"][number]
    width, count, kind = WIDTHS[found["type"]], found["count"], TYPES[found["componentType"]]
    values = np.zeros((count, width), kind)
    if "bufferView" in found:
        values = np.frombuffer(view(document, data, found["bufferView"]), kind).reshape(count, width).copy()
    if sparse := found.get("sparse"):
        indices = sparse["indices"]
        rows = np.frombuffer(view(document, data, indices["bufferView"]), TYPES[indices["componentType"]])
        values[rows] = np.frombuffer(view(document, data, sparse["values"]["bufferView"]), kind).reshape(-1, width)
        assert len(rows) == sparse["count"]
    if "min" in found:
        np.testing.assert_allclose(values.min(0), found["min"], atol=1e-6)
        np.testing.assert_allclose(values.max(0), found["max"], atol=1e-6)
    if width == 16:
        return values.reshape(count, 4, 4).swapaxes(1, 2)
    return values[:, 0] if width == 1 else values
