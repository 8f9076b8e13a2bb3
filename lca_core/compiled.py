"""What compiled code needs before it is loaded: a folder for Numba's kernels, and torch's threads made polite."""

import os
import sys
import tempfile
from pathlib import Path

from lca_core.errors import InputError
from lca_core.paths import cache_dir


def keep_kernels(package: Path) -> None:
    """Tell Numba, before it compiles anything, of a folder it can write; nothing where it has one already.

    It keeps kernels beside their sources, and else in the home folder; where neither can be written (containers,
    modules on clusters) it refuses to compile at all. They then go with everything else that is made once.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(package, os.W_OK):
        return
    try:
        folder = cache_dir("kernels")
        if not os.access(folder, os.W_OK):
            raise InputError(f"{folder} may not be written")
    except InputError:  # nothing may be kept: compile for this process alone
        folder = Path(tempfile.mkdtemp(prefix="lca_core-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # it has read its settings
        sys.modules["numba"].config.CACHE_DIR = str(folder)


def let_others_in() -> None:
    """Have torch's threads sleep soon after their work; a user's own setting stays, and once torch is loaded it is too
    late to say so.

    For five milliseconds after each operation they wait in a loop for the next, on the very core that our own drawing
    (`splats/sharing.py`) could use: on two cores a drawing with gradients then takes a fifth longer.
    """
    if not os.environ.keys() & {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}:
        os.environ["GOMP_SPINCOUNT"] = "10000"
