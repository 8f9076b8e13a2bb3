"""One function for all formats: a file's ending says how Gaussians are written."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from lca_core.errors import InputError
from lca_core.splats.formats.gltf import write_splat_glb
from lca_core.splats.formats.packed import PACKED, write_packed
from lca_core.splats.formats.ply import write_ply
from lca_core.splats.gaussians import Gaussians

WRITERS: dict[str, Callable[[Path | str, Gaussians], None]] = {
    "ply": write_ply,
    "glb": write_splat_glb,
    **{kind: partial(write_packed, kind=kind) for kind in PACKED},
}


def write_gaussians(path: Path | str, gaussians: Gaussians) -> None:
    """Write N Gaussians (no batch dimensions, colours RGB in [0, 1], +Y up) in the format that `path` ends in.

    InputError for an ending that is none of WRITERS, and errors of the format's own writer; nothing is then written.
    """
    kind = max((kind for kind in WRITERS if str(path).endswith(f".{kind}")), key=len, default=None)
    if kind is None:
        endings = ", ".join(f".{kind}" for kind in WRITERS)
        raise InputError(f"{path}: in no format Gaussians are written in; let it end in one of {endings}")
    WRITERS[kind](path, gaussians)
