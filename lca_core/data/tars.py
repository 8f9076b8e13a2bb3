"""Plain tar files, member by member: where each lies, without reading it, and nothing a header says is believed.

Formats beyond plain ustar let a few bytes claim any size: sparse members, extended headers, compression. They are
refused. A member's size is bounded by the file's own, and memory by one header.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lca_core.errors import InputError

BLOCK = 512
REMEDY = "delete it and make it again, or pack it anew with `tar --format=ustar`"
_KINDS = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe", b"S": "a sparse file",
          b"x": "an extended header", b"g": "an extended header", b"L": "a long name", b"K": "a long name"}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A file in a tar: its name, where its bytes begin, and how many there are."""

    name: str
    start: int
    size: int

    def read(self, file: BinaryIO) -> bytes:
        """Its bytes, from the open tar."""
        file.seek(self.start)
        return file.read(self.size)


def members(path: Path | str, file: BinaryIO, start: int = 0) -> Iterator[Member]:
    """The files in an open tar in their order, from the one whose header is at byte `start`; folders are passed over.

    InputError, naming the tar, where it is cut short, damaged, compressed or not plain.
    """
    length, at = file.seek(0, 2), start
    while True:
        file.seek(at)
        header = file.read(BLOCK)
        if len(header) < BLOCK:
            raise InputError(f"{path} is not a whole tar: it ends without an end marker; {REMEDY}")
        if not any(header):
            return
        name, kind, size = _parsed(path, header)
        at += BLOCK
        if at + size > length:
            raise InputError(f"{path} is cut short, or {name} claims {size:,} bytes that are not there; {REMEDY}")
        if kind == b"0":
            yield Member(name, at, size)
        at += -(-size // BLOCK) * BLOCK


def _parsed(path: Path | str, header: bytes) -> tuple[str, bytes, int]:
    """(name, b"0" for a file or b"5" for a folder, size) of a member's header."""
    try:
        told, plain = _octal(header[148:156]), header[:148] + b" " * 8 + header[156:]
        size, kind = _octal(header[124:136]), header[156:157].replace(b"\0", b"0")
        name, prefix = (part.split(b"\0", 1)[0].decode() for part in (header[:100], header[345:500]))
    except ValueError:  # not octal, not UTF-8; or a size in base 256, which plain tars do not have
        told, plain = -1, b""
    if told != sum(plain):
        raise InputError(f"{path} is not a plain tar, or is damaged; {REMEDY}")
    if header[257:262] != b"ustar":
        raise InputError(f"{path} is a tar of before 1988; {REMEDY}")
    if kind not in (b"0", b"5"):
        raise InputError(f"{path}: {name!a} is {_KINDS.get(kind, 'of an unknown kind')}, not a plain file; {REMEDY}")
    return (f"{prefix}/{name}" if prefix and header[262:263] != b" " else name), kind, size


def _octal(field: bytes) -> int:
    return int(field.strip(b" \0") or b"0", 8)
