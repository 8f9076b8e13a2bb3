"""The model built in a notebook: short, made of nothing of ours, and each block held against the library's."""

import ast

import jupytext
import pytest

from lca_core.paths import REPOSITORY

SOURCE = REPOSITORY / "notebooks" / "04_model_from_scratch.py"
OWN = {"body", "data", "paths", "people", "profiles", "splats"}  # body, records and drawing; folders and sizes
FRAME = {"viewer"}  # where we are, and what an exercise answers
COMPARED, BLOCK = "# Compared:", ast.FunctionDef | ast.ClassDef
LINES = range(120, 181)  # "some 150"


@pytest.fixture(scope="module")
def cells() -> list:
    return [cell for cell in jupytext.read(SOURCE).cells if cell.cell_type == "code"]


def tree_of(cell) -> ast.Module:
    return ast.parse("\n".join(line for line in cell.source.splitlines() if not line.startswith("%")))


def imported(tree: ast.Module) -> dict[str, str]:
    """Names imported of the library -> the room they are from."""
    return {
        alias.asname or alias.name: node.module.split(".")[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lca_core.")
        for alias in node.names
    }


def names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def is_model(cell) -> bool:
    return "model" in cell.metadata.get("tags", [])


def lines_of(tree: ast.Module) -> int:
    """Lines of code of the functions and classes, without docstrings and empty ones."""
    text = ast.unparse(ast.Module([without_docstrings(node) for node in tree.body if isinstance(node, BLOCK)], []))
    return sum(bool(line.strip()) for line in text.splitlines())


def without_docstrings(block: ast.AST) -> ast.AST:
    for node in ast.walk(block):
        if isinstance(node, BLOCK) and ast.get_docstring(node):
            node.body = node.body[1:]
    return block


def test_the_model_is_written_in_some_150_lines(cells):
    assert sum(lines_of(tree_of(cell)) for cell in cells if is_model(cell)) in LINES


def test_only_cells_that_compare_take_a_block_of_the_library(cells):
    borrowed = set()
    for cell in cells:
        names = imported(tree_of(cell))
        if cell.source.startswith(COMPARED):
            borrowed |= {name for name, room in names.items() if room not in OWN}
        else:
            assert set(names.values()) <= OWN | FRAME, cell.source
    assert borrowed
    for cell in cells:
        assert cell.source.startswith(COMPARED) or not names_in(tree_of(cell)) & borrowed, cell.source


def test_every_block_stands_beside_the_library_s(cells):
    """Named in a cell that compares, or a part of one that is."""
    parts, compared = {}, set()
    for cell in cells:
        tree = tree_of(cell)
        if cell.source.startswith(COMPARED):
            compared |= names_in(tree)
        elif is_model(cell):
            parts |= {node.name: names_in(node) for node in tree.body if isinstance(node, BLOCK)}
    while more := {part for name in compared for part in parts.get(name, ())} - compared:
        compared |= more
    assert parts.keys() <= compared


def test_every_comparison_shows_that_it_agrees(cells):
    for cell in cells:
        if cell.source.startswith(COMPARED):
            assert "same(" in cell.source or "load_state_dict(" in cell.source, cell.source
