"""Exercises: one source for what the student gets, the folded solution and the test.

    python notebooks/handout.py [01_gaussians_from_scratch ...]

exercises/NN_name.py belongs to the notebook NN_name.py. It is a py:percent source, too: a code cell of imports, then of
each exercise these cells, in this order:

    [markdown]               ### Title (minutes), what is asked and why, what to expect
    tags=["solution"]        one function, with a docstring
    tags=["check"]           `check_name(name)`: asserts what is right of whatever function it is given; then
                             `attempt(check_name, name)`
    tags=["mistake"]         `mistake_name`: a likely wrong answer, which the check must refuse
    [markdown] ["remark"]    what to take away; folded away with the solution

The student gets the task, the function with nothing but its docstring, which raises NotImplementedError, and the check;
then the solution, folded. Those cells, all tagged "exercise", stand in the notebook's source behind its cell "##
Exercises". This command writes them there anew, as `run.py --commit` does; tests/notebooks/test_exercises.py holds
both to be the same, and runs every exercise unsolved, solved and mistaken.
"""

import argparse
import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from lca_core.errors import InputError
from lca_core.paths import atomic_path

NOTEBOOKS = Path(__file__).resolve().parent
TAG, MARKER = "exercise", "## Exercises"
PARTS = ("task", "solution", "check", "mistake", "remark")


@dataclass(frozen=True)
class Exercise:
    """One exercise: the sources of its five cells (see the module), and its number in the notebook."""

    number: int
    task: str
    solution: str
    check: str
    mistake: str
    remark: str

    @property
    def name(self) -> str:
        """The function that is asked for."""
        return ast.parse(self.solution).body[0].name

    @property
    def student(self) -> str:
        """The function with its signature and docstring; its body is to be written."""
        function = ast.parse(self.solution).body[0]
        head = self.solution.splitlines()[: function.body[0].end_lineno]
        return "\n".join([*head, '    raise NotImplementedError("yours to write")'])

    @property
    def cells(self) -> list[NotebookNode]:
        """What stands in the notebook."""
        title, _, rest = self.task.partition("\n")
        task = f"### {self.number} · {title.removeprefix('### ')}\n{rest}"
        folded = (
            f"<details><summary>Solution</summary>\n\n```python\n{self.solution}\n```\n\n{self.remark}\n\n</details>"
        )
        return [
            _markdown(task),
            _code(self.student),
            _code(self.check),
            _markdown(folded),
        ]


def _markdown(source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": [TAG]})


def _code(source: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": [TAG]})


def read_exercises(path: Path) -> tuple[str, list[Exercise]]:
    """(imports, exercises) of a source. InputError where a cell is missing, out of order or not what it should be."""
    first, *rest = jupytext.read(path).cells
    if first.cell_type != "code":
        raise InputError(f"{path.name} begins with prose; its first cell holds the imports")
    if len(rest) % len(PARTS):
        raise InputError(f"{path.name} has {len(rest)} cells after the imports; an exercise is {len(PARTS)}: {PARTS}")
    exercises = []
    for start in range(0, len(rest), len(PARTS)):
        cells = rest[start : start + len(PARTS)]
        kinds = [(cell.metadata.get("tags") or ["task"])[0] for cell in cells]
        if kinds != list(PARTS):
            raise InputError(f"{path.name}, exercise {len(exercises) + 1}: cells are {kinds}, not {list(PARTS)}")
        exercise = Exercise(len(exercises) + 1, *(cell.source for cell in cells))
        _check_names(path, exercise)
        exercises.append(exercise)
    return first.source, exercises


def _check_names(path: Path, exercise: Exercise) -> None:
    """InputError unless the code cells are what they should be, by name, and the answer has a docstring."""
    where = f"{path.name}, exercise {exercise.number}"
    solution, check, mistake = (ast.parse(text).body for text in (exercise.solution, exercise.check, exercise.mistake))
    if len(solution) != 1 or not isinstance(solution[0], ast.FunctionDef) or not ast.get_docstring(solution[0]):
        raise InputError(f"{where}: the solution is one function with a docstring")
    name = exercise.name
    if getattr(check[0], "name", "") != f"check_{name}" or ast.unparse(check[1:]) != f"attempt(check_{name}, {name})":
        raise InputError(f"{where}: the check is check_{name} and then attempt(check_{name}, {name})")
    if len(mistake) != 1 or getattr(mistake[0], "name", "") != f"mistake_{name}":
        raise InputError(f"{where}: the mistake is one function, mistake_{name}")


def exercises_of(source: Path) -> Path:
    """Where the exercises of a notebook's source are."""
    return source.parent / "exercises" / source.name


def place(cells: Sequence[NotebookNode], imports: str, exercises: Sequence[Exercise]) -> list[NotebookNode]:
    """A notebook's cells with those of its exercises behind the cell "## Exercises", in place of older ones.

    InputError where there is no such cell.
    """
    kept = [cell for cell in cells if TAG not in cell.metadata.get("tags", [])]
    marks = [number for number, cell in enumerate(kept) if cell.source.splitlines()[:1] == [MARKER]]
    if len(marks) != 1:
        raise InputError(f"there are {len(marks)} cells that begin with {MARKER!r}; one is wanted")
    new = [_code(imports), *(cell for exercise in exercises for cell in exercise.cells)]
    return [*kept[: marks[0] + 1], *new, *kept[marks[0] + 1 :]]


def with_exercises(source: Path) -> str:
    """The text of a notebook's source, its exercises renewed; as it is where it has none."""
    text = source.read_text(encoding="utf-8")
    if not exercises_of(source).exists():
        return text
    notebook = jupytext.read(source)
    notebook.cells = place(notebook.cells, *read_exercises(exercises_of(source)))
    head, _, _ = text.partition("# %%")
    written = jupytext.writes(notebook, fmt="py:percent")
    return _tidy(head + written[written.index("# %%") :], source)  # jupytext's head would name its version


def _tidy(text: str, source: Path) -> str:
    """The text as ruff wants it: order of imports, empty lines."""
    for command in (["check", "--select", "I", "--fix-only"], ["format"]):
        asked = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", source, "-"]
        text = subprocess.run(asked, input=text, capture_output=True, text=True, check=True).stdout
    return text


def renew(source: Path) -> bool:
    """Write a notebook's exercises into its source; returns whether that changed anything."""
    text = with_exercises(source)
    if text == source.read_text(encoding="utf-8"):
        return False
    with atomic_path(source) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="notebooks, e.g. 01_gaussians_from_scratch (default: all)")
    names = {Path(name).stem for name in parser.parse_args().names}
    for source in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py")):
        if not names or source.stem in names:
            try:
                print(source.name, "renewed" if renew(source) else "as it was")
            except InputError as error:
                print(f"{source.name}: {error}", file=sys.stderr)
                return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
