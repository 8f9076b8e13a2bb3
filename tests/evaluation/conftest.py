"""What tests of records share: a small repository in the place of ours."""

from pathlib import Path

import pytest

from lca_core.evaluation import checks, records, sources
from tests.evaluation.houses import WEIGHTS, commit, git


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """A committed tree with code, two weights and nothing recorded, that evaluation takes for the repository."""
    folder = tmp_path / "house"
    for name, content in {WEIGHTS: b"trained", "results/checkpoints/pretrained.safetensors": b"begun",
                          "lca_core/code.py": b"1", ".gitignore": b"/runs/\n"}.items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git(folder, "init", "-q")
    commit(folder)
    for module in (checks, records, sources):
        monkeypatch.setattr(module, "REPOSITORY", folder)
    monkeypatch.setattr(records, "CHECKPOINTS", folder / "results/checkpoints")
    monkeypatch.setattr(records, "RECORDS", folder / "results/records")
    return folder
