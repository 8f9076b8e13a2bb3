"""How much memory something takes while it runs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest


def peak_of(function: Callable[[], object]) -> int:
    """Bytes by which this process' memory grew at most while `function` ran; skips where the system does not tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts from here
        before = _status("VmHWM")
        function()
        return _status("VmHWM") - before
    except (OSError, TypeError):
        pytest.skip("this system does not tell a process its peak of memory")


def _status(name: str) -> int:
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])
