"""Solutions of exercises, which nobody runs: what they name is there, and what they call takes what they give."""

import ast
import builtins
import importlib
import inspect
import re
from pathlib import Path

import jupytext
import pytest

from lca_core.paths import REPOSITORY

SOURCES = sorted((REPOSITORY / "notebooks").glob("[0-9][0-9]_*.py"))


def code_of(source: Path) -> tuple[str, list[str]]:
    """(all code cells, the solutions in their order) of a notebook."""
    cells = jupytext.read(source).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    code = "\n".join(line for line in code.splitlines() if not line.startswith("%"))  # IPython's own
    return code, re.findall(r"```python\n(.*?)```", text[text.index("## Exercises") :], re.DOTALL)


def bound(tree: ast.AST) -> set[str]:
    """Names that some statement or expression gives a value."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def functions(tree: ast.Module) -> dict[str, inspect.Signature]:
    """Signatures of the library's functions that are imported and of those that are defined, by name."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lca_core"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                thing = getattr(module, alias.name, None)  # None: a module of a package
                if inspect.isfunction(thing):
                    found[alias.asname or alias.name] = inspect.signature(thing)
        elif isinstance(node, ast.FunctionDef):
            bare = ast.FunctionDef(node.name, _without_values(node.args), [ast.Pass()], [], lineno=1)
            place: dict = {}
            exec(compile(ast.fix_missing_locations(ast.Module([bare], [])), "notebook", "exec"), place)
            found[node.name] = inspect.signature(place[node.name])
    return found


def _without_values(arguments: ast.arguments) -> ast.arguments:
    """The same arguments, the defaults' values and the annotations gone."""
    kept = ast.parse(ast.unparse(ast.Lambda(arguments, ast.Constant(0)))).body[0].value.args
    kept.defaults = [ast.Constant(None) for _ in kept.defaults]
    kept.kw_defaults = [default and ast.Constant(None) for default in kept.kw_defaults]
    return kept


def misfits(code: str, solution: str) -> list[str]:
    """What is wrong with a solution that follows a notebook's code, in words."""
    before, tree = ast.parse(code), ast.parse(solution)
    known = bound(before) | bound(tree) | set(dir(builtins)) | {"display"}
    wrong = [
        f"{node.id} is not defined" for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in known
    ]
    signatures = functions(before) | functions(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        open_ended = any(isinstance(given, ast.Starred) for given in call.args) or None in [
            k.arg for k in call.keywords
        ]
        if name in signatures and not open_ended:
            try:
                signatures[name].bind(*call.args, **{keyword.arg: keyword.value for keyword in call.keywords})
            except TypeError as error:
                wrong.append(f"{ast.unparse(call)}: {error}")
    return wrong


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_solutions_name_what_is_there_and_call_it_rightly(source):
    code, solutions = code_of(source)
    assert len(solutions) >= 2
    for number, solution in enumerate(solutions, 1):
        assert misfits(code, solution) == [], f"code block {number} of the solutions"


def test_a_missing_name_and_a_missing_argument_are_found():
    code = "from lca_core.evaluation.evaluate import compare\nposed, frame = 1, 2\ndef drawn(avatar, who=posed): pass"
    assert misfits(code, "print(compare(posed, frame, None), drawn(posed))") == []
    assert misfits(code, "compare(posed, frame)") == ["compare(posed, frame): missing a required argument: 'head'"]
    assert misfits(code, "drawn(posed, frame, 1)") == ["drawn(posed, frame, 1): too many positional arguments"]
    assert misfits(code, "print(face)") == ["face is not defined"]
