"""What is in a folder: clips, folders of photographs, and what is left out, with the reason."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lca_core.errors import InputError

CLIPS = {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".wmv", ".asf", ".flv", ".3gp", ".3g2",
         ".ts", ".mts", ".m2ts", ".ogv"}  # fmt: skip
PHOTOS = {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif"}
_SAVE = {
    **dict.fromkeys((".heic", ".heif"), "HEIC photographs are not read; save them as JPEG"),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
                    "raw photographs are not read; save them as JPEG"),
}  # fmt: skip
_NEITHER, _HIDDEN, _CLOSED = "neither a clip nor a photograph, by its name", "hidden", "the folder may not be read"


@dataclass(frozen=True)
class Found:
    """items: clips, and folders with photographs directly in them, by name; left_out: path -> why, by name."""

    items: tuple[Path, ...]
    left_out: dict[Path, str]


def search(root: Path | str) -> Found:
    """What is below a folder; a clip alone is its own item.

    InputError where there is nothing, and for a photograph alone: it is its folder that is an item.
    """
    root = Path(root)
    if root.is_file():
        if root.suffix.lower() in PHOTOS - CLIPS:
            raise InputError(
                f"{root} is a photograph; give the folder it is in: photographs in one folder are of one person"
            )
        return Found((root,), {})
    if not root.is_dir():
        raise InputError(f"{root}: there is no such file or folder; give a clip or a folder of clips and photographs")
    items: set[Path] = set()
    left_out: dict[Path, str] = {}
    for folder, folders, names in os.walk(root, onerror=lambda error: left_out.update({Path(error.filename): _CLOSED})):
        left_out.update({Path(folder, name): _HIDDEN for name in folders if name.startswith(".")})
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(folder, name) for name in names):
            ending = path.suffix.lower()
            if path.name.startswith("."):
                left_out[path] = _HIDDEN
            elif ending in CLIPS:
                items.add(path)
            elif ending in PHOTOS:
                items.add(path.parent)
            else:
                left_out[path] = _SAVE.get(ending, _NEITHER)
    if not items:
        endings = " ".join(sorted(CLIPS | PHOTOS))
        raise InputError(
            f"{root}: no clip and no photograph was found in it; their names must end in one of {endings}"
            + (f" (left out: {'; '.join(summary(left_out))})" if left_out else "")
        )
    return Found(tuple(sorted(items)), dict(sorted(left_out.items())))


def photos_in(folder: Path) -> list[Path]:
    """The photographs directly in a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTOS and not p.name.startswith("."))


def summary(left_out: Mapping[Path, str]) -> list[str]:
    """A line for every kind of what was left out: how many, with which endings, why, and the first by name."""
    kinds: dict[str, list[Path]] = {}
    for path, why in left_out.items():
        kinds.setdefault(why, []).append(path)
    lines = []
    for why, paths in sorted(kinds.items(), key=lambda kind: -len(kind[1])):
        endings = sorted({path.suffix or "no ending" for path in paths})
        more = f" and {len(endings) - 4} more" if len(endings) > 4 else ""
        count = f"{len(paths):,} {'files' if len(paths) > 1 else 'file'} ({', '.join(endings[:4])}{more})"
        lines.append(f"{count}: {why}; for instance {paths[0].name}")
    return lines
