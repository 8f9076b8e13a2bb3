"""The container that editors make of this repository: it parses, and what it names is there."""

import json
import re

from lca_core.paths import REPOSITORY

CONTAINER = json.loads((REPOSITORY / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def test_its_python_is_the_one_that_the_library_wants():
    wanted = re.search(r'requires-python = ">=([\d.]+)', (REPOSITORY / "pyproject.toml").read_text())[1]
    assert re.search(rf":{re.escape(wanted)}\b", CONTAINER["image"])


def test_what_it_runs_is_there_to_be_run():
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert CONTAINER["postCreateCommand"].split() == ["make", "venv"] and "venv" in targets
    packages = CONTAINER["onCreateCommand"].split("--no-install-recommends")[1].split()
    assert "chromium" in packages and "chromium" in (REPOSITORY / ".ci" / "run").read_text()
    assert {"libgl1", "libglib2.0-0"} <= set(packages), "what opencv links to, as the Makefile says"


def test_files_that_it_names_exist():
    for file in CONTAINER["customizations"]["codespaces"]["openFiles"]:
        assert (REPOSITORY / file).is_file(), file
    interpreter = CONTAINER["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter.removeprefix("${containerWorkspaceFolder}/") == ".venv/bin/python"
