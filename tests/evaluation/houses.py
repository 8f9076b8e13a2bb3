"""A small repository's names and history, for tests of records."""

import subprocess
from pathlib import Path

WEIGHTS = "results/checkpoints/release.safetensors"
COMMAND = "python -m lca_core evaluate --data people --record"


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Commit all there is, and say which commit that is."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "as it stands")
    return git(folder, "rev-parse", "HEAD")
