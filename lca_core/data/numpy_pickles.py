"""Arrays out of a pickle that a stranger made, without running it.

A pickle is a small program: it names functions, and loading it calls them. Here each name that numpy (or joblib, for
its arrays) writes into a pickle stands for a plain record of our own, every other name is refused, and the arrays
are built afterwards from the bytes that the records hold. No code outside this file sees anything from the pickle
before that, numpy's own `__setstate__` included: it trusts what it is given.
"""

import pickle
import struct
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from lca_core.errors import InputError

KINDS = "biufcSU"  # numbers, booleans and text; arrays of objects may hold these, and containers of them
_BROKEN = (pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError,
           SyntaxError, AssertionError, RecursionError, OverflowError, MemoryError, struct.error,
           tokenize.TokenError)  # fmt: skip


def read_numpy_pickle(path: Path | str) -> Any:
    """What a pickle of numpy arrays holds: arrays, numbers and text in dicts, lists and tuples.

    The file is a pickle (of Python 2 too), a `.npy` of objects (as `numpy.save` writes a dict) or an uncompressed
    joblib dump. Nothing in it is run. InputError, which names the file, where it holds anything else or is damaged.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
                file.seek(0)
            elif not _npy_of_objects(file):
                return np.load(path, allow_pickle=False)
            return _built(_Unpickler(file).load())
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except _Refused as refused:
        raise InputError(
            f"{path}: it asks for {refused}, which is no array of numbers; such a file can run code and is not read"
        ) from None
    except _BROKEN as error:
        raise InputError(f"{path}: not a whole pickle of numpy arrays ({error!r}); download it again") from None


def _npy_of_objects(file: BinaryIO) -> bool:
    """Reads the rest of a .npy's header; whether a pickle follows it."""
    major, _ = file.read(2)
    read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    return read_header(file)[2].hasobject


class _Refused(Exception):
    """A pickle wants something that is not on the list."""


class _Record:
    """What stands for one of numpy's objects until everything is read: the arguments it was made with, its state."""

    arguments: tuple = ()
    state: Any = None

    def __init__(self, *arguments):
        self.arguments = arguments

    def build(self) -> Any:
        """The object."""
        raise _Refused("an object that is not made of numbers")


class _Class(_Record):
    """numpy.ndarray itself, which pickles name but never call."""


class _Number(_Record):
    """numpy.dtype(name, ...), state (version, byte order, ...)."""

    def build(self) -> np.dtype:
        dtype = np.dtype(str(self.arguments[0]))
        if self.state is not None:
            version, order, subarray, names, fields = self.state[:5]
            if subarray is not None or names or fields:
                raise _Refused("numbers with fields")
            dtype = dtype.newbyteorder(order) if order in ("<", ">") else dtype
        if dtype.kind not in KINDS + "O":
            raise _Refused(f"numbers of type {dtype}")
        return dtype


class _Array(_Record):
    """_reconstruct(ndarray, (0,), b"b"), state (version, shape, dtype, whether columns come first, bytes or list)."""

    def build(self) -> np.ndarray:
        _, shape, dtype, columns_first, content = self.state
        return _filled(content, dtype, shape, "F" if columns_first else "C")


class _Buffer(_Record):
    """_frombuffer(bytes, dtype, shape, order): arrays in pickles of protocol 5."""

    def build(self) -> np.ndarray:
        return _filled(*self.arguments)


class _Scalar(_Record):
    """scalar(dtype, bytes): a number of numpy's."""

    def build(self) -> np.generic:
        dtype, content = self.arguments
        return _filled(content, dtype, (1,), "C")[0]


class _Bytes(_Record):
    """encode(text, "latin1"), or bytes(): bytes in old pickles."""

    def build(self) -> bytes:
        return str(self.arguments[0]).encode("latin1") if self.arguments else b""


class _Stored(_Record):
    """joblib's wrapper; its state is a dict, and the array's bytes follow it in the file."""

    content = b""

    def build(self) -> np.ndarray:
        return _filled(self.content, self.state["dtype"], self.state["shape"], self.state["order"])


_NAMES = {("numpy", "ndarray"): _Class, ("numpy", "dtype"): _Number, ("_codecs", "encode"): _Bytes,
          ("__builtin__", "bytes"): _Bytes, ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Stored}  # fmt: skip
for _core in ("numpy.core", "numpy._core"):
    _NAMES |= {(f"{_core}.multiarray", "_reconstruct"): _Array, (f"{_core}.multiarray", "scalar"): _Scalar,
               (f"{_core}.numeric", "_frombuffer"): _Buffer}  # fmt: skip


class _Unpickler(pickle._Unpickler):  # the one in Python: the one in C cannot be told of bytes between the pickle's own
    """Makes records where a pickle makes objects."""

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="latin1")
        self.file = file

    def find_class(self, module: str, name: str) -> type[_Record]:
        if (module, name) not in _NAMES:
            raise _Refused(f"{module}.{name}")
        return _NAMES[module, name]

    def load_build(self) -> None:
        state = self.stack.pop()
        record = self.stack[-1]
        if not isinstance(record, _Record) or record.state is not None:
            raise _Refused("an object with a state of its own")
        record.state = state
        if isinstance(record, _Stored):
            if record.state.get("numpy_array_alignment_bytes") is not None:
                self.file.read(self.file.read(1)[0])
            size = _number(record.state["dtype"]).itemsize * int(np.prod([int(n) for n in record.state["shape"]]))
            record.content = self.file.read(size)

    dispatch = pickle._Unpickler.dispatch | {pickle.BUILD[0]: load_build}


def _built(value: Any) -> Any:
    """A value with the arrays in the place of their records."""
    if isinstance(value, _Record):
        return value.build()
    if isinstance(value, dict):
        return {_built(key): _built(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_built(item) for item in value)
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | bytearray):
        return value
    raise _Refused(f"a {type(value).__name__}")


def _number(dtype: Any) -> np.dtype:
    """A plain type of numbers; arrays in files of joblib's may not be of objects, whose bytes are a second pickle."""
    if not isinstance(dtype, _Number) or (built := dtype.build()).kind == "O":
        raise _Refused("an array of objects inside an array")
    return built


def _filled(content: Any, dtype: Any, shape: Sequence[int], order: str) -> np.ndarray:
    """The array of this shape with these contents: bytes (or text, from Python 2), or a list of objects."""
    shape = tuple(int(n) for n in shape)
    if isinstance(dtype, _Number) and dtype.build().kind == "O":
        if not isinstance(content, list):
            raise _Refused("an array of objects made from bytes")
        array = np.empty(len(content), object)
        for i, item in enumerate(content):
            array[i] = _built(item)
        return array.reshape(shape, order=order)
    content = _built(content)
    content = content.encode("latin1") if isinstance(content, str) else bytes(content)
    return np.frombuffer(content, _number(dtype)).reshape(shape, order=order).copy()
