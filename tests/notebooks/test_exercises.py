"""Exercises: unsolved they say so, solved they are right, a likely mistake is refused; notebooks hold them."""

from pathlib import Path

import handout
import jupytext
import pytest

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY

NOTEBOOKS = REPOSITORY / "notebooks"
SOURCES = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py"))

TINY = """# %%
from lca_core.viewer.exercises import attempt

# %% [markdown]
# ### Twice (1 minute)
#
# Expected: 4 of 2.


# %% tags=["solution"]
def twice(x):
    \"\"\"Twice x.\"\"\"
    return 2 * x  # a comment


# %% tags=["check"]
def check_twice(twice):
    assert twice(3) == 6, "six of three"


attempt(check_twice, twice)


# %% tags=["mistake"]
def mistake_twice(x):
    return x**2


# %% [markdown] tags=["remark"]
# Of 2 a square is as good.
"""
NOTEBOOK = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A notebook

# %% [markdown]
# ## Exercises

# %% [markdown]
# **Next**
"""


EXERCISES = [
    pytest.param(imports, exercise, id=f"{source.stem}-{exercise.name}")
    for source in SOURCES
    if handout.exercises_of(source).exists()
    for imports, exercises in [handout.read_exercises(handout.exercises_of(source))]
    for exercise in exercises
]


def run(*cells: str) -> dict:
    """What the cells define, one after the other."""
    place: dict = {}
    for cell in cells:
        exec(compile(cell, "exercise", "exec"), place)
    return place


@pytest.mark.parametrize(("imports", "exercise"), EXERCISES)
def test_the_student_s_cells_run_and_say_that_the_answer_is_to_be_written(imports, exercise, capsys):
    given = run(imports, exercise.student, exercise.check)
    assert capsys.readouterr().out == f"{exercise.name}: yours to write\n"
    answer = given[exercise.name]
    assert answer.__doc__ == run(imports, exercise.solution)[exercise.name].__doc__
    with pytest.raises(NotImplementedError):
        given[f"check_{exercise.name}"](answer)


@pytest.mark.parametrize(("imports", "exercise"), EXERCISES)
def test_the_solution_is_right(imports, exercise, capsys):
    run(imports, exercise.solution, exercise.check)
    assert capsys.readouterr().out == f"{exercise.name}: right\n"


@pytest.mark.parametrize(("imports", "exercise"), EXERCISES)
def test_a_likely_mistake_is_refused_in_words(imports, exercise):
    given = run(imports, exercise.student, exercise.check, exercise.mistake)
    with pytest.raises(AssertionError, match=r"\w+ \w+"):
        given[f"check_{exercise.name}"](given[f"mistake_{exercise.name}"])


@pytest.mark.parametrize(("imports", "exercise"), EXERCISES)
def test_the_task_says_how_long_it_takes_and_what_to_expect(imports, exercise):
    assert exercise.task.splitlines()[0].endswith("minutes)")
    assert "Expected" in exercise.task


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_notebook_has_two_or_three_and_holds_them_as_their_source_has_them(source):
    _, exercises = handout.read_exercises(handout.exercises_of(source))
    assert len(exercises) in (2, 3)
    cells = [
        (cell.cell_type, cell.source) for cell in jupytext.reads(handout.with_exercises(source), "py:percent").cells
    ]
    assert cells == [(cell.cell_type, cell.source) for cell in jupytext.read(source).cells], (
        "an exercise has changed since: python notebooks/handout.py"
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    source = tmp_path / "00_tiny.py"
    source.write_text(NOTEBOOK)
    handout.exercises_of(source).parent.mkdir()
    handout.exercises_of(source).write_text(TINY)
    return source


def test_the_notebook_gets_task_and_empty_function_and_the_answer_folded(tiny):
    assert handout.renew(tiny)
    title, marker, imports, task, student, check, folded, end = jupytext.read(tiny).cells
    assert (marker.source, end.source) == ("## Exercises", "**Next**")
    assert task.source.startswith("### 1 · Twice (1 minute)")
    assert student.source.endswith('"""Twice x."""\n    raise NotImplementedError("yours to write")')
    assert folded.source.startswith("<details>") and "2 * x  # a comment" in folded.source
    assert "2 * x" not in student.source + check.source
    assert not handout.renew(tiny), "a second time changes nothing"


def test_an_exercise_that_has_changed_takes_the_place_of_the_older_one(tiny):
    handout.renew(tiny)
    handout.exercises_of(tiny).write_text(TINY.replace("Twice (1 minute)", "Double (2 minutes)"))
    assert handout.renew(tiny)
    text = tiny.read_text()
    assert "Double" in text and "Twice (" not in text
    assert text.count("def check_twice") == 1


@pytest.mark.parametrize(
    ("wrong", "right", "match"),
    [
        ('tags=["mistake"]', 'tags=["check"]', "cells are"),
        ("mistake_twice", "mistaken", "mistake_twice"),
        ("attempt(check_twice, twice)", "check_twice(twice)", "attempt"),
        ('    """Twice x."""\n', "", "docstring"),
        ("# %%\nfrom", "# %% [markdown]\n# from", "imports"),
    ],
)
def test_a_source_that_is_not_as_it_should_be_is_refused_by_what_is_wrong(tiny, wrong, right, match):
    handout.exercises_of(tiny).write_text(TINY.replace(wrong, right))
    with pytest.raises(InputError, match=match):
        handout.with_exercises(tiny)


def test_a_notebook_without_the_marker_is_refused(tiny):
    tiny.write_text(NOTEBOOK.replace("## Exercises", "## Exercise"))
    with pytest.raises(InputError, match="## Exercises"):
        handout.renew(tiny)
