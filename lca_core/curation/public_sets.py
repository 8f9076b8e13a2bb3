"""Public sets of people that a user may own: what each is, on which terms, how it looks on disk, what reads it.

data_manifests/public/ holds one JSON file a set, written by hand from what its owners say; nothing is downloaded.
`python -m lca_core.curation.public_sets data_manifests/public` writes the README beside them, a table of them all.
"""

import json
import sys
from pathlib import Path

from lca_core.errors import InputError
from lca_core.paths import atomic_path

# What every manifest says, and what each part of it does. `reader` alone may be null: nothing here reads the set.
FIELDS: dict[str, type | tuple[str, ...]] = {
    "name": str,
    "what": str,
    "people": str,
    "captures": str,
    "licence": ("short", "terms", "url", "commercial_use", "redistribution"),
    "consent": str,
    "how_to_get": ("url", "registration"),
    "expected_tree": list,
    "body_parameters": ("model", "meaning"),
    "reader": str,
    "citation": str,
    "checked": ("date", "how", "verified", "not_verified"),
}
_HEAD = """# Public sets

Sets of real (and one of generated) people that others have collected. None is part of this project, none is needed
for anything in it, and nothing here downloads them. If you own one, its terms are yours to keep: read them at the
source, for a manifest is a summary, and says at its end what was looked up, when, and what could not be verified.

`read_neuman` and `read_xhumans` (`lca_core.curation`) make records of two of them; what they read and how far the
makers' body parameters carry over is said there and in `lca_core/curation/sequences.py`. Pickled files in them are
read without running them.

This page is written from the manifests by `python -m lca_core.curation.public_sets data_manifests/public`.

| set | people | commercial use | redistribution | bodies | reader |
|---|---|---|---|---|---|
"""


def read_manifests(folder: Path | str) -> dict[str, dict]:
    """File name without ending -> manifest, sorted; InputError names a file that is not whole."""
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise InputError(f"{folder}: no manifests (*.json) are in it; give data_manifests/public")
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> dict:
    try:
        manifest = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not JSON ({error})") from None
    if not isinstance(manifest, dict) or set(manifest) != set(FIELDS):
        wrong = sorted(set(manifest) ^ set(FIELDS)) if isinstance(manifest, dict) else sorted(FIELDS)
        raise InputError(f"{path}: missing or unknown: {', '.join(wrong)}; a manifest has {', '.join(FIELDS)}")
    for name, kind in FIELDS.items():
        value = manifest[name]
        if isinstance(kind, tuple):
            if not isinstance(value, dict) or not set(kind) <= set(value):
                raise InputError(f"{path}: {name} must say {', '.join(kind)}")
        elif not (isinstance(value, kind) and value) and not (name == "reader" and value is None):
            raise InputError(f"{path}: {name} must be a {kind.__name__}, not {value!r}")
    return manifest


def readme(manifests: dict[str, dict]) -> str:
    """The page: a table of all sets, one row each, and of each the licence in a sentence."""
    rows = [
        f"| [{m['name']}]({stem}.json) | {m['people']} | {m['licence']['commercial_use']} "
        f"| {m['licence']['redistribution']} | {m['body_parameters']['model']} | {_reader(m['reader'])} |"
        for stem, m in manifests.items()
    ]
    licences = [f"- {m['name']}: {m['licence']['short']} ({m['licence']['url']})." for m in manifests.values()]
    return _HEAD + "\n".join(rows) + "\n\n## Licences, in a sentence each\n\n" + "\n".join(licences) + "\n"


def _reader(path: str | None) -> str:
    return f"`{path.rsplit('.', 1)[1]}`" if path else "none"


def write_readme(folder: Path | str) -> Path:
    """Write README.md beside the manifests, atomically; returns its path."""
    page, path = readme(read_manifests(folder)), Path(folder) / "README.md"
    with atomic_path(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write_readme(*sys.argv[1:2] or ["data_manifests/public"]))
