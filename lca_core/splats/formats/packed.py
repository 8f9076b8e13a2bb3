"""Gaussians in the small formats of the web: .compressed.ply and .sog (PlayCanvas), .spz (Niantic), by gaussforge.

They are a quarter of a PLY's size and less, and what they keep is rounded (tests/splats/formats/test_packed.py says how
far). gaussforge packs a PLY as it finds it and turns nothing. A .compressed.ply and a .sog have the axes of a PLY (-Y
up, `turn_over`), which their viewers turn back; an .spz has, by its specification, +Y up and +Z to the back: ours. Each
has a tag of its own for what `ply` writes as `SplatRenderMode: mip`, which gaussforge does not know.
"""

import gzip
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from lca_core.errors import InputError
from lca_core.paths import atomic_path
from lca_core.splats.formats.ply import MIP, checked, ply_bytes, turn_over
from lca_core.splats.gaussians import Gaussians

_UPRIGHT = ("spz",)  # formats whose axes are ours
_SPZ_FLAGS = 14  # the byte of an .spz's header whose first bit is the tag


def write_packed(path: Path | str, gaussians: Gaussians, kind: str) -> None:
    """Write N Gaussians (no batch dimensions, colours RGB in [0, 1], +Y up) as one of PACKED, whole or not at all.

    ValueError for another kind; errors of `ply.checked`; InputError where nothing can be packed.
    """
    if kind not in PACKED:
        raise ValueError(f"{kind!r} is no packed format; choose one of {', '.join(PACKED)}")
    from gaussforge import GaussForge  # a compiled library, for those who want these files

    found = checked(path, gaussians)
    plain = ply_bytes(found if kind in _UPRIGHT else turn_over(found), harmonics=False)
    packed = GaussForge().convert(plain, "ply", kind)
    if "error" in packed:
        raise InputError(f"{path}: {len(found)} Gaussians cannot be packed ({packed['error']}); write a .ply instead")
    data = PACKED[kind](packed["data"])
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def _tagged_ply(data: bytes) -> bytes:
    return data.replace(b"1.0\n", b"1.0\n" + MIP.encode(), 1)


def _tagged_spz(data: bytes) -> bytes:
    plain = bytearray(gzip.decompress(data))
    plain[_SPZ_FLAGS] |= 1
    return gzip.compress(plain, mtime=0)


def _tagged_sog(data: bytes) -> bytes:
    tagged = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(tagged, "w", ZIP_STORED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "meta.json":  # the key of the format's first readers, and that of today's
                content = json.dumps(json.loads(content) | {"antialias": True, "model": "antialiased"}).encode()
            target.writestr(entry, content)
    return tagged.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "compressed.ply": _tagged_ply,
    "spz": _tagged_spz,
    "sog": _tagged_sog,
}
