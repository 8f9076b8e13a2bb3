"""The library is a house: a room imports only from rooms on the floors below it."""

import ast
from pathlib import Path

import pytest

import lca_core

HOUSE = Path(lca_core.__file__).parent
FLOORS = {
    "errors": 0,
    "paths": 0,
    "profiles": 0,
    "workers": 0,
    "compiled": 0,
    "tensor_files": 1,
    "engines": 1,
    "body": 1,
    "splats": 1,
    "data": 1,
    "people": 2,
    "curation": 2,
    "model": 2,
    "training": 3,
    "viewer": 3,
    "evaluation": 4,
    "experiments": 5,
    "__main__": 6,
}


def rooms_imported(source: Path) -> set[str]:
    """The rooms that a file imports, anywhere in it, functions included."""
    rooms = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: say lca_core in full instead of dots"
            modules = [node.module]
            if node.module == "lca_core":
                modules = [f"lca_core.{alias.name}" for alias in node.names]
        else:
            continue
        rooms |= {module.split(".")[1] for module in modules if module.startswith("lca_core.")}
    return rooms & set(FLOORS)


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_from_the_floors_below(room):
    sources = list((HOUSE / room).rglob("*.py")) or [HOUSE / f"{room}.py"]
    for source in (source for source in sources if source.exists()):
        for other in rooms_imported(source) - {room}:
            assert FLOORS[other] < FLOORS[room] or FLOORS[other] == FLOORS[room] == 0, (
                f"{source.relative_to(HOUSE)} imports {other}, which is not below {room}"
            )


def test_every_room_has_its_floor():
    found = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} <= set(FLOORS)
