"""Files of tensors: what is written comes back; what claims more than it holds is refused before memory is taken."""

import json
import os
import struct
from pathlib import Path

import pytest
import torch

from lca_core.errors import InputError
from lca_core.tensor_files import load_tensors, read_header, save_tensors
from tests.memory import peak_of

KIND, REMEDY = "lca_core test 1", "make another"


def claiming(path: Path, header: object, length: int | None = None, size: int = 0) -> Path:
    """A file with this header, that says it is `length` long, stretched by a hole of `size` bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text)
    os.truncate(path, path.stat().st_size + size)
    return path


def one(count: int, **more) -> dict:
    return {"a": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}, **more}


def test_tensors_and_header_come_back(tmp_path):
    tensors = {"a": torch.rand(3, 2), "b": torch.arange(4), "empty": torch.zeros(0, 5)}
    save_tensors(tmp_path / "a.safetensors", KIND, tensors, {"meta": {"x": 1}})
    header, again = load_tensors(tmp_path / "a.safetensors", KIND, REMEDY)
    assert header["meta"] == {"x": 1} and all(torch.equal(again[name], t) for name, t in tensors.items())
    assert read_header(tmp_path / "a.safetensors", KIND, REMEDY) == header


HOSTILE = {
    "tensors that are not there": lambda path: claiming(path, one(10**9)),
    "a hole of 4 GB": lambda path: claiming(path, one(10**9), size=4 * 10**9),
    "more numbers than bytes": lambda path: claiming(path, one(10**18)),
    "a header of a terabyte": lambda path: claiming(path, {}, length=2**40),
    "a header of 80 MB": lambda path: claiming(path, {}, length=80 * 2**20, size=90 * 2**20),
    "brackets": lambda path: claiming(path, b"[" * 100_000),
    "brackets in our entry": lambda path: claiming(path, {"__metadata__": {"lca_core": "[" * 100_000}}),
    "another kind": lambda path: claiming(path, {"__metadata__": {"lca_core": '{"kind": "a letter"}'}}),
    "nothing": lambda path: path.touch(),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_file_is_refused_by_name_and_takes_no_memory(tmp_path, how):
    HOSTILE[how](tmp_path / "bad.safetensors")

    def refuse() -> None:
        with pytest.raises(InputError, match=r"bad\.safetensors.*make another"):
            load_tensors(tmp_path / "bad.safetensors", KIND, REMEDY)

    assert peak_of(refuse) < 100e6


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_neither_written_nor_read(tmp_path, value):
    path = tmp_path / "a.safetensors"
    with pytest.raises(InputError, match="a.safetensors is not written: weight holds"):
        save_tensors(path, KIND, {"weight": torch.tensor([1.0, value])}, {})
    assert not list(tmp_path.iterdir())
    save_tensors(path, KIND, {"weight": torch.tensor([1.0, 123.5])}, {})
    path.write_bytes(path.read_bytes().replace(struct.pack("<f", 123.5), struct.pack("<f", value)))
    with pytest.raises(InputError, match="weight holds numbers that are not finite; make another"):
        load_tensors(path, KIND, REMEDY)
