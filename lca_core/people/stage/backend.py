"""Starting mitsuba: which of its variants runs on this machine, decided once a process."""

import glob
import os
import sys
from functools import lru_cache

# Debian's libLLVM 15 and 16 abort inside drjit ("Cannot select fminimum") and 14 is refused, so only newer ones.
_LLVM_PATTERNS = (
    "/usr/lib/llvm-{v}/lib/libLLVM*.so*",
    "/usr/lib/*-linux-gnu/libLLVM-{v}.so*",
    "/usr/lib/*-linux-gnu/libLLVM.so.{v}*",
    "/usr/lib64/libLLVM*.so.{v}*",
    "/opt/homebrew/opt/llvm@{v}/lib/libLLVM.dylib",
)
_LLVM_VERSIONS = (19, 18, 20, 17)


def find_llvm() -> str | None:
    """Path of an LLVM library that drjit can use, or None. `DRJIT_LIBLLVM_PATH`, when set, wins."""
    if os.environ.get("DRJIT_LIBLLVM_PATH"):
        return os.environ["DRJIT_LIBLLVM_PATH"]
    for version in _LLVM_VERSIONS:
        for pattern in _LLVM_PATTERNS:
            found = sorted(glob.glob(pattern.format(v=version)))
            if found:
                return found[0]
    return None


@lru_cache(maxsize=1)
def mitsuba():
    """The mitsuba module with its variant set: `llvm_ad_rgb` (fast) or `scalar_rgb` where LLVM is absent.

    `LCA_MITSUBA_VARIANT` overrides the choice. One line on standard error says when it is the slow one.
    """
    library = find_llvm()
    if library:
        os.environ["DRJIT_LIBLLVM_PATH"] = library
    import mitsuba as mi

    variant = os.environ.get("LCA_MITSUBA_VARIANT") or ("llvm_ad_rgb" if library else "scalar_rgb")
    if variant.startswith("scalar"):
        print(
            "lca_core: drawing digital humans with mitsuba's scalar_rgb, which is slow; "
            "`apt-get install libllvm19` makes it many times faster",
            file=sys.stderr,
        )
    mi.set_variant(variant)
    mi.set_log_level(mi.LogLevel.Error)
    return mi
