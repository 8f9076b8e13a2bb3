"""The benchmarks run and say what they measured, at sizes too small to mean anything."""

import importlib.util
from pathlib import Path

import numba
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def splats():
    found = importlib.util.spec_from_file_location("benchmark_of_splats", BENCHMARKS / "splats.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measured(splats):
    sizes = {name: (300, 48) for name in splats.RECORDED}
    return splats.measure(sizes, ("numba", "torch"), splats.QUICK, numba.get_num_threads())


def test_it_measures_both_backends_and_finds_their_pictures_and_gradients_equal(splats, measured):
    for size in measured["forward_backward"].values():
        assert set(size["ms"]) == {"numba", "torch"} and min(ms["median"] for ms in size["ms"].values()) > 0
        assert 0 <= size["difference"]["torch"] < 1e-3
    assert 0 < measured["gradient_error"]["max"] < 1e-4
    assert measured["skin_rasterise"]["fps"] > 0
    text = splats.report(measured)
    assert "numba" in text and "torch" in text and "frames/s" in text


def test_verifying_shows_every_record_and_fails_once_gradients_are_less_exact_than_recorded(splats, measured):
    text, holds = splats.compare_records(measured)
    assert all(id in text for id in ("splats/5k_128/forward_backward_ms", "splats/gradient_error_max"))
    worse = measured | {"gradient_error": {"max": 1e-3}}
    assert splats.compare_records(worse)[1] is False
    better = measured | {"gradient_error": {"max": 1e-9}}
    assert splats.compare_records(better)[1] is True and isinstance(holds, bool)


@pytest.mark.parametrize("name", ["5k", "0_128", "5k_128px", "_64"])
def test_a_size_that_is_none_is_refused_by_name(splats, name):
    with pytest.raises(splats.InputError, match=name):
        splats.read_size(name)
