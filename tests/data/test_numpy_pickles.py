"""Pickled arrays come out as they went in, and nothing in a pickle is ever run."""

import base64
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from lca_core.data.numpy_pickles import read_numpy_pickle
from lca_core.errors import InputError

HELD = {
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "text": np.array(["ab", "c"]),
    "none": np.zeros((0, 3)),
    "one": np.float64(3.5),
    "objects": np.array([{"inside": np.arange(3)}, [1, "x"]], object),
    1: [(1, 2.5, None, True), "text", b"bytes"],
}


def assert_same(ours, theirs) -> None:
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for key in ours:
            assert_same(ours[key], theirs[key])
    elif isinstance(ours, list | tuple) or (isinstance(ours, np.ndarray) and ours.dtype.hasobject):
        assert len(ours) == len(theirs)
        for pair in zip(ours, theirs):
            assert_same(*pair)
    else:
        np.testing.assert_array_equal(ours, theirs)
        assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read(tmp_path, protocol):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(HELD, protocol))
    assert_same(read_numpy_pickle(tmp_path / "a.pkl"), HELD)


def test_npy_files_with_and_without_objects_are_read(tmp_path):
    np.save(tmp_path / "objects.npy", HELD)
    assert_same(read_numpy_pickle(tmp_path / "objects.npy").item(), HELD)
    np.save(tmp_path / "numbers.npy", HELD["floats"])
    assert_same(read_numpy_pickle(tmp_path / "numbers.npy"), HELD["floats"])


def test_python_2_pickles_are_read(tmp_path):
    head = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x03\x85"
    dtype = b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x18"
    (tmp_path / "a.pkl").write_bytes(head + dtype + np.array([1.0, -2.0, np.pi]).tobytes() + b"tb.")
    assert_same(read_numpy_pickle(tmp_path / "a.pkl"), np.array([1.0, -2.0, np.pi]))


# joblib.dump({1: {"pose": [arange(3) as float32, arange(2) as float64], "n": 7}}), by two versions of joblib
JOBLIB = {
    "1.1.1": (
        "gASVwgAAAAAAAAB9lEsBfZQojARwb3NllF2UKIwTam9ibGliLm51bXB5X3BpY2tsZZSMEU51bXB5QXJyYXlXcmFwcGVylJOUKYGUfZQo"
        "jAhzdWJjbGFzc5SMBW51bXB5lIwHbmRhcnJheZSTlIwFc2hhcGWUSwOFlIwFb3JkZXKUjAFDlIwFZHR5cGWUaAqMBWR0eXBllJOUjAJm"
        "NJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRijAphbGxvd19tbWFwlIh1YgAAAAAAAIA/AAAAQJVBAAAAAAAAAGgGKYGUfZQo"
        "aAloDGgNSwKFlGgPaBBoEWgTjAJmOJSJiIeUUpQoSwNoF05OTkr/////Sv////9LAHSUYmgZiHViAAAAAAAAAAAAAAAAAADwP5UKAAAA"
        "AAAAAGWMAW6USwd1cy4="
    ),
    "1.4.2": (
        "gASV4gAAAAAAAAB9lEsBfZQojARwb3NllF2UKIwTam9ibGliLm51bXB5X3BpY2tsZZSMEU51bXB5QXJyYXlXcmFwcGVylJOUKYGUfZQo"
        "jAhzdWJjbGFzc5SMBW51bXB5lIwHbmRhcnJheZSTlIwFc2hhcGWUSwOFlIwFb3JkZXKUjAFDlIwFZHR5cGWUaAqMBWR0eXBllJOUjAJm"
        "NJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRijAphbGxvd19tbWFwlIiMG251bXB5X2FycmF5X2FsaWdubWVudF9ieXRlc5RL"
        "EHViAv//AAAAAAAAgD8AAABAlUUAAAAAAAAAaAYpgZR9lChoCWgMaA1LAoWUaA9oEGgRaBOMAmY4lImIh5RSlChLA2gXTk5OSv////9K"
        "/////0sAdJRiaBmIaBpLEHViBf//////AAAAAAAAAAAAAAAAAADwP5UKAAAAAAAAAGWMAW6USwd1cy4="
    ),
}


@pytest.mark.parametrize("version", JOBLIB)
def test_joblibs_dumps_are_read(tmp_path, version):
    (tmp_path / "a.pkl").write_bytes(base64.b64decode(JOBLIB[version]))
    held = {1: {"pose": [np.arange(3, dtype=np.float32), np.arange(2.0)], "n": 7}}
    assert_same(read_numpy_pickle(tmp_path / "a.pkl"), held)


class Touch:
    """A pickle of this makes a file when it is loaded."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_run(tmp_path):
    witness = Touch(tmp_path / "witness")
    for evil in (witness, [witness], {"a": np.array([witness], object)}, OrderedDict(a=1), {1, 2}, Path("x"), print):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(evil))
        with pytest.raises(InputError, match="a.pkl.*can run code and is not read"):
            read_numpy_pickle(tmp_path / "a.pkl")
    np.save(tmp_path / "a.npy", {"a": witness})
    with pytest.raises(InputError, match="a.npy.*can run code"):
        read_numpy_pickle(tmp_path / "a.npy")
    assert not (tmp_path / "witness").exists()
    pickle.loads(pickle.dumps(witness))
    assert (tmp_path / "witness").exists(), "it would have been made"


def test_our_own_records_cannot_be_changed_by_a_pickle(tmp_path):
    # A class on the stack, and a state for it: pickle would set attributes on the class.
    (tmp_path / "a.pkl").write_bytes(b"cnumpy\nndarray\n(dS'build'\nI1\nsb.")
    with pytest.raises(InputError, match="can run code"):
        read_numpy_pickle(tmp_path / "a.pkl")


def test_an_array_that_is_made_by_calling_its_class_is_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"cnumpy\nndarray\n)R.")
    with pytest.raises(InputError, match="can run code"):
        read_numpy_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize("where", [0, 1, 10, 60, 150, -1])
def test_a_damaged_file_is_named(tmp_path, where):
    data = pickle.dumps(HELD)
    (tmp_path / "a.pkl").write_bytes(data[:where])
    with pytest.raises(InputError, match="a.pkl"):
        read_numpy_pickle(tmp_path / "a.pkl")


def test_noise_is_refused_and_nothing_else_is_raised(tmp_path, rng):
    data = bytearray(pickle.dumps(HELD))
    for _ in range(300):
        spoiled = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            spoiled[at] = rng.integers(0, 256)
        (tmp_path / "a.pkl").write_bytes(spoiled)
        try:
            read_numpy_pickle(tmp_path / "a.pkl")
        except InputError:
            pass


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="a.pkl: there is no such file"):
        read_numpy_pickle(tmp_path / "a.pkl")
