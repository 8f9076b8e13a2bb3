"""Weights out of an ONNX file, without an ONNX runtime: the protobuf fields we need, read directly.

ModelProto.graph = field 7; GraphProto.node = 1, .initializer = 5; TensorProto.dims = 1, .data_type = 2,
.name = 8, .raw_data = 9; NodeProto.input = 1, .output = 2, .op_type = 4 (onnx.proto3).
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_FLOAT = 1


def read_initializers(path: Path | str) -> tuple[dict[str, np.ndarray], list[tuple[str, list[str]]]]:
    """(float32 tensors by name, nodes as (operation, input names)) of an ONNX model."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        tensors, nodes = {}, []
        for number, graph in _fields(data, 0, len(data)):
            if number != 7:
                continue
            for number, span in _fields(data, *graph):
                if number == 5:
                    name, tensor = _tensor(data, span)
                    if tensor is not None:
                        tensors[name] = tensor
                elif number == 1:
                    nodes.append(_node(data, span))
        return tensors, nodes


def _tensor(data, span) -> tuple[str, np.ndarray | None]:
    dims, kind, name, raw = [], 0, "", b""
    for number, value in _fields(data, *span):
        if number == 1:
            dims.extend(_packed(data, value) if isinstance(value, tuple) else [value])
        elif number == 2:
            kind = value
        elif number == 8:
            name = data[slice(*value)].decode()
        elif number == 9:
            raw = data[slice(*value)]
    return name, np.frombuffer(raw, np.float32).reshape(dims).copy() if kind == _FLOAT and raw else None


def _node(data, span) -> tuple[str, list[str]]:
    operation, inputs = "", []
    for number, value in _fields(data, *span):
        if number == 1:
            inputs.append(data[slice(*value)].decode())
        elif number == 4:
            operation = data[slice(*value)].decode()
    return operation, inputs


def _fields(data, position: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """(field number, value): an int for varints, (start, end) for bytes and messages."""
    while position < end:
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield number, value
        elif kind == 2:
            length, position = _varint(data, position)
            yield number, (position, position + length)
            position += length
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            yield number, (position, position + size)
            position += size
        else:
            raise ValueError(f"not a protobuf: wire type {kind} at byte {position}")


def _packed(data, span) -> list[int]:
    values, position = [], span[0]
    while position < span[1]:
        value, position = _varint(data, position)
        values.append(value)
    return values


def _varint(data, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
