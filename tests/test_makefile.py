"""The Makefile: each target once, all of them told, and the two commands of the README doing what they say."""

import os
import re
import subprocess
from collections import Counter

import pytest

from lca_core.paths import REPOSITORY

TEXT = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def made(*arguments: str) -> str:
    """What make would run for a target, line by line, without running it; nothing may be said on standard error."""
    command = ["make", "--no-print-directory", "--assume-old=venv", *arguments]
    set_by_who_tests = ("MAKE", "NBVAL", "PROFILE", "OUT", "PY", "VENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(set_by_who_tests)}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_no_target_has_two_recipes_and_all_are_told():
    told = re.findall(r"^([a-z-]+):.*##", TEXT, re.MULTILINE)
    assert [name for name, count in Counter(told).items() if count > 1] == []
    (phony,) = re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)
    assert sorted(told) == sorted(phony.split())


def test_the_list_of_targets_is_printed_without_a_warning():
    listed = made("help")
    assert "make test " in listed and "make reproduce " in listed and "make commit-notebooks " in listed


@pytest.mark.parametrize(
    ("target", "runs", "never"),
    [
        ("notebooks", "notebooks/run.py --profile smoke --out build/notebooks", "--commit"),
        ("commit-notebooks", "notebooks/run.py --commit", "--profile"),
        ("book", "docs/book.py", "notebooks/run.py"),
        ("test", "tests notebooks/00_quickstart.ipynb", "--quick"),
        ("quick", "pytest --quick", "--nbval"),
    ],
)
def test_a_target_runs_what_it_says(target, runs, never):
    recipe = "\n".join(line for line in made("-n", target).splitlines() if "pip" not in line)
    assert runs in recipe and never not in recipe


def test_reproducing_leaves_the_committed_notebooks_alone():
    assert "$(MAKE) --no-print-directory notebooks\n" in TEXT and "--commit" not in made("-n", "notebooks")
