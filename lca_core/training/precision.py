"""In which numbers a run computes its network: found out once, by a step of each, and kept.

bfloat16 halves what a processor with units for it has to move and multiply. On one without (AVX2, or AVX-512 without
the extension) it is emulated, and a step takes several times longer. No table of processors says which (threads and
sizes matter, too), so a step is timed.
"""

import time
from collections.abc import Callable
from typing import Literal

from lca_core.errors import InputError

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS = ("auto", "float32", "bfloat16")
_HOPELESS = 2.0  # times slower even with what a first step has to set up


def check_precision(name: str) -> None:
    """InputError for a precision there is not."""
    if name not in PRECISIONS:
        raise InputError(f"no precision is called {name!r}; choose one of {', '.join(PRECISIONS)}")


def time_precisions(step: Callable[[str], None], clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Seconds of a step by precision, each after a step that warms up.

    step: computes one in the precision of this name, forward and backward, and leaves no trace. A bfloat16 that is
    hopelessly slow is not tried twice.
    """

    def seconds(name: str) -> float:
        start = clock()
        step(name)
        return clock() - start

    step("float32")
    found = {"float32": seconds("float32"), "bfloat16": seconds("bfloat16")}
    if found["bfloat16"] < _HOPELESS * found["float32"]:
        found["bfloat16"] = seconds("bfloat16")
    return found


def quicker(seconds: dict[str, float]) -> str:
    """The precision whose step is shorter; float32, which loses nothing, where they are equal."""
    return "bfloat16" if seconds["bfloat16"] < seconds["float32"] else "float32"
