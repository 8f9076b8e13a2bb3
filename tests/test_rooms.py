"""The library is a house: a room imports only from rooms on the floors below it, and a module no more than it needs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import lca_core

HOUSE = Path(lca_core.__file__).parent
FLOORS = {
    "errors": 0,
    "compiled": 0,
    "glb_files": 0,
    "paths": 0,
    "profiles": 0,
    "release": 0,
    "npz_files": 0,
    "tensor_files": 0,
    "threads": 0,
    "torchvision_ops": 0,
    "workers": 0,
    "engines": 0,
    "body": 1,
    "splats": 1,
    "data": 2,
    "motion": 3,
    "judges": 3,
    "people": 4,
    "curation": 4,
    "model": 4,
    "training": 5,
    "viewer": 5,
    "making": 6,
    "evaluation": 7,
    "experiments": 8,
    "__main__": 9,
}
GROUND = {room for room, floor in FLOORS.items() if floor == 0}  # single files: they may ask each other

# Rooms within a room, ground floor first: each imports only from those before it.
ROOMS_OF_PEOPLE = ("who", "body", "hair", "clothes", "worn", "styles", "stage", "domains")

# Packages that hand nothing on: whoever wants something of them names the file, and loads no more.
SILENT = ("curation", "evaluation", "judges", "making", "motion", "people", "viewer")

# Importing one of these loads at most so many lines of the library. What lies above a room is never among them.
MOST_LINES = {
    "errors": 200,
    "people.domains.rendering": 250,
    "people.body.parts": 300,
    "viewer.video": 250,
    "judges.summaries": 300,
    "judges.face_network": 400,
    "curation.decode": 700,
    "evaluation.records": 800,
    "evaluation.checks": 1_200,
    "data.records": 1_300,
    "body": 1_300,
    "data.shards": 1_300,
    "judges.perceptual": 1_600,
    "data.light": 1_700,
    "judges.metrics": 1_900,
    "people.who.spec": 2_300,
    "motion.motions": 2_400,
    "splats": 2_500,
    "people.stage.render": 3_700,
    "curation.stages": 5_800,
    "model": 9_050,
    "viewer.stage": 10_050,
    "training.loop": 11_850,
    "making.photos": 12_150,
    "evaluation.evaluate": 15_950,
    "people.domains.production": 14_500,
    "evaluation.verify": 27_200,  # it draws people and makes avatars of them
}


@cache
def modules() -> dict[str, Path]:
    """Name -> file of every module; a package has the name of its folder."""
    found = {}
    for path in HOUSE.rglob("*.py"):
        parts = path.relative_to(HOUSE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def nodes(tree: ast.AST, functions: bool) -> Iterator[ast.AST]:
    """What runs when a module is imported; functions: also what runs when they are called."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from nodes(node, functions)


@cache
def imported(module: str, functions: bool = False) -> frozenset[str]:
    """Modules of the library that one names in its imports."""
    found = set()
    for node in nodes(ast.parse(modules()[module].read_text(encoding="utf-8")), functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: say lca_core in full instead of dots"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found & set(modules()))


def packages(module: str) -> set[str]:
    """The packages that a module is in: importing it runs them first."""
    parts = module.split(".")
    return {".".join(parts[:depth]) for depth in range(1, len(parts))}


def closure(module: str) -> set[str]:
    """All modules of the library that importing one loads, itself among them."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imported(name) | packages(name)
    return found


def room_of(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_neither_upward_nor_sideways(room):
    for module in (name for name in modules() if name != "lca_core" and room_of(name) == room):
        for other in imported(module, functions=True) - {"lca_core"}:
            allowed = (
                room_of(other) == room or FLOORS[room_of(other)] < FLOORS[room] or {room, room_of(other)} <= GROUND
            )
            assert allowed, f"{module} imports {other}, which is not on a floor below"


def test_a_room_of_people_imports_only_from_those_before_it():
    found = [name for name in modules() if name.startswith("lca_core.people.")]
    assert {name.split(".")[2] for name in found} == set(ROOMS_OF_PEOPLE)
    for module in found:
        room = ROOMS_OF_PEOPLE.index(module.split(".")[2])
        for other in imported(module, functions=True):
            if other.startswith("lca_core.people."):
                assert ROOMS_OF_PEOPLE.index(other.split(".")[2]) <= room, f"{module} imports {other}"


@pytest.mark.parametrize("room", SILENT)
def test_a_package_that_hands_nothing_on_is_a_docstring(room):
    for name, path in modules().items():
        if path.name == "__init__.py" and room_of(f"{name}.") == room:
            assert len(ast.parse(path.read_text(encoding="utf-8")).body) == 1, f"{name} is to be named by its files"


def test_every_room_has_its_floor():
    assert {room_of(module) for module in modules() if module != "lca_core"} == set(FLOORS)


def test_the_files_of_the_ground_floor_ask_each_other_in_no_circle():
    ground = {f"lca_core.{room}" for room in GROUND}
    TopologicalSorter({module: imported(module, functions=True) & ground for module in ground}).prepare()


@pytest.mark.parametrize("name", MOST_LINES)
def test_importing_a_module_loads_no_more_than_it_needs(name):
    loaded = {
        module: len(modules()[module].read_text(encoding="utf-8").splitlines())
        for module in closure(f"lca_core.{name}")
    }
    rooms = sorted({room_of(module) for module in loaded if module != "lca_core"})
    assert sum(loaded.values()) <= MOST_LINES[name], f"{sum(loaded.values())} lines of {', '.join(rooms)}"


def test_the_closures_are_those_that_python_loads():
    """Held to the truth once: what is in sys.modules after an import, in a process of its own."""
    for name in ("lca_core.viewer.video", "lca_core.evaluation.records"):
        code = f"import sys, {name}; print(*[m for m in sys.modules if m.startswith('lca_core')])"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOUSE.parent
        )
        assert set(done.stdout.split()) == closure(name)
