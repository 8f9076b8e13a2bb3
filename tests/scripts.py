"""Scripts of benchmarks/ as modules: they are no package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def loaded(name: str) -> ModuleType:
    """A benchmark as a module, found as when it is run as a script: with its own folder first on the path."""
    found = importlib.util.spec_from_file_location(f"benchmark_of_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        found.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module
