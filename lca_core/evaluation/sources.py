"""Where a number comes from: files by their hash, the commit of the code."""

import hashlib
import subprocess
from functools import lru_cache
from pathlib import Path

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY

# What recording writes changes nothing that is measured: several commands may record, one after the other.
_WRITTEN = ("results/records", "results/README.md", "results/figures")
_CODE = ("lca_core", "benchmarks")


def sha256(path: Path | str) -> str:
    """The file's SHA-256 as 64 hexadecimal digits; InputError where there is no such file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def git(*arguments: str) -> bytes | None:
    """What git says of the repository; None where it fails, there is no git or no history."""
    try:
        done = subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def commit_here() -> str | None:
    """The 40 digits of the commit that is checked out; None without a history."""
    found = git("rev-parse", "HEAD")
    return None if found is None else found.decode().strip()


def uncommitted() -> list[str]:
    """Files that differ from the commit, and new files of code; what recording itself writes does not count."""
    changed = git("diff", "HEAD", "--name-only", "--", ".", *(f":(exclude){path}" for path in _WRITTEN)) or b""
    new = git("ls-files", "--others", "--exclude-standard", "--", *_CODE) or b""
    return sorted({*changed.decode().splitlines(), *new.decode().splitlines()})


def require_clean_tree() -> None:
    """InputError unless the code that measures is a commit: asked before anything is measured for the records."""
    if commit_here() is None:
        raise InputError("there is no git history here, and a record names its commit; record from a clone")
    if files := uncommitted():
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise InputError(f"{', '.join(files[:3])}{more}: not committed, and a record names its commit; commit first")


@lru_cache
def has_commit(commit: str) -> bool:
    """Whether the history here holds a commit (shallow clones do not hold them all)."""
    return git("cat-file", "-e", f"{commit}^{{commit}}") is not None


@lru_cache
def sha256_at(commit: str, path: str) -> str | None:
    """SHA-256 of a file, named from the repository, as it was at a commit; None where the commit has none."""
    content = git("cat-file", "blob", f"{commit}:{path}")
    return None if content is None else hashlib.sha256(content).hexdigest()


def tracked(path: Path) -> bool:
    """Whether git keeps the file: what it does not, such as weights under runs/, no clone brings along."""
    return git("ls-files", "--error-unmatch", "--", str(path)) is not None
