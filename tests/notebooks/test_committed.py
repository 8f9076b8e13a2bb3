"""The committed notebooks: each is its source, run to the end, with nothing of the machine that ran it."""

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from lca_core.paths import REPOSITORY

SOURCES = sorted((REPOSITORY / "notebooks").glob("[0-9][0-9]_*.py"))
pytestmark = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def committed(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def test_it_has_the_cells_of_its_source(source):
    cells = [(cell.cell_type, cell.source.strip()) for cell in committed(source).cells]
    assert cells == [(cell.cell_type, cell.source.strip()) for cell in jupytext.read(source).cells], (
        "the source has changed since: make commit-notebooks"
    )


def test_it_was_run_to_the_end(source):
    code = [cell for cell in committed(source).cells if cell.cell_type == "code" and cell.source.strip()]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_it_takes_the_profile_as_a_parameter(source):
    tagged = [cell for cell in jupytext.read(source).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for name in ("profile", "seed", "out"):
        assert re.search(rf"^{name}\b.*=", tagged[0].source, re.MULTILINE), f"{name} is not in the parameters cell"


def test_it_holds_nothing_of_the_machine_that_ran_it(source):
    notebook = committed(source)
    assert not {"papermill", "widgets"} & set(notebook.metadata)
    for cell in notebook.cells:
        assert not {"papermill", "execution"} & set(cell.metadata)
        assert not re.search(r"/(home|root|work|tmp|Users)/", json.dumps(cell.get("outputs", [])))
    assert source.with_suffix(".ipynb").stat().st_size < 4_000_000, "too large to read on GitHub"
