"""Numba compiles each kernel once a machine; whoever waits for it is told why."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DELAY = 2.0  # seconds of a first call without a word; from Numba's cache it takes less
_ready: set[str] = set()


@contextmanager
def first_call(kernel: str) -> Iterator[None]:
    """Around a call of a kernel: if the first one in this process takes long, a line on stderr says it compiles."""
    if kernel in _ready:
        yield
        return
    text = f"lca_core: compiling the CPU kernels for {kernel}; this happens once on a machine and takes up to a minute"
    timer = threading.Timer(DELAY, print, args=(text,), kwargs={"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    _ready.add(kernel)
