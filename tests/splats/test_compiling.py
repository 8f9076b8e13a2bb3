"""The line that says a kernel is being compiled: on a slow first call, and on no other."""

import time

import pytest

from lca_core.splats import compiling
from lca_core.splats.compiling import first_call


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(compiling, "DELAY", 0.05)
    monkeypatch.setattr(compiling, "_ready", set())


def call(kernel: str, seconds: float) -> None:
    with first_call(kernel):
        time.sleep(seconds)


def test_a_slow_first_call_says_why_and_later_ones_do_not(capsys):
    call("drawing", 0.3)
    assert capsys.readouterr().err.count("compiling the CPU kernels for drawing") == 1
    call("drawing", 0.3)
    assert capsys.readouterr().err == ""


def test_a_quick_first_call_says_nothing(capsys):
    call("drawing", 0.0)
    time.sleep(0.15)
    assert capsys.readouterr().err == ""


def test_a_call_that_fails_is_not_taken_for_a_compiled_one(capsys):
    with pytest.raises(KeyError), first_call("drawing"):
        raise KeyError
    call("drawing", 0.3)
    assert "drawing" in capsys.readouterr().err
