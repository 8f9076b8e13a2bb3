"""pyproject.toml, requirements.lock, environment.yml and what is installed say the same."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import lca_core

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
DECLARED = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
ASSETS = [Requirement(line) for line in PROJECT["dependency-groups"]["assets"]]
LOCKED = {
    canonicalize_name(pin.name): pin
    for pin in (Requirement(line.split("#")[0]) for line in LOCK.splitlines() if re.match(r"[A-Za-z0-9]", line))
}


def pinned_version(pin: Requirement) -> Version:
    (specifier,) = pin.specifier
    assert specifier.operator == "==", f"{pin} is not a pin"
    return Version(specifier.version)


def applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def test_every_dependency_is_locked_at_a_version_that_pyproject_allows():
    for requirement in DECLARED:
        pin = LOCKED.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is in pyproject.toml and not in requirements.lock: run make lock"
        assert pinned_version(pin) in requirement.specifier, f"{pin} is not what pyproject.toml asks: {requirement}"
        assert str(pin.marker) == str(requirement.marker)


def test_the_lock_holds_pins_of_public_versions_only():
    for pin in LOCKED.values():
        assert pinned_version(pin).local is None, f"{pin}: strip the local version, other machines lack it"
    assert not re.search(r"^-|://", LOCK, re.MULTILINE), "the lock names an index or a folder"
    assert Version("2.13.0") == pinned_version(LOCKED["torch"])


def test_packages_read_only_for_their_files_are_the_same_in_the_lock_and_in_pyproject():
    in_lock = re.findall(r"^# no-deps: (.*)$", LOCK, re.MULTILINE)
    assert in_lock == [str(requirement) for requirement in ASSETS]
    for requirement in ASSETS:
        pinned_version(requirement)
        assert canonicalize_name(requirement.name) not in LOCKED


def test_the_conda_environment_is_the_lock_on_the_same_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"] == ["python=3.11", "pip", {"pip": ["-r requirements.lock"]}]
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.12"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"


def test_the_locked_versions_are_the_installed_ones():
    pins = [*LOCKED.values(), *ASSETS]
    installed = {
        pin.name: Version(importlib.metadata.version(pin.name)).public for pin in pins if applies(pin)
    }  # torch calls itself 2.13.0+cpu
    assert installed == {pin.name: pinned_version(pin).public for pin in pins if applies(pin)}


def test_pip_finds_nothing_missing_but_what_was_left_out_on_purpose():
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assets = {canonicalize_name(requirement.name) for requirement in ASSETS}
    complaints = [line for line in check.stdout.splitlines() if " require" in line or " has requirement" in line]
    surprising = [line for line in complaints if canonicalize_name(line.split()[0]) not in assets]
    assert [line for line in surprising if not line.startswith("No broken")] == []


@lru_cache
def imported_by_the_project() -> dict[str, str]:
    """Top-level module -> a file that imports it, over the library, the notebooks and the tests."""
    imported = {}
    for source in [
        p for room in ("lca_core", "notebooks", "docs", "tests", "benchmarks") for p in (ROOT / room).rglob("*.py")
    ]:
        for node in ast.walk(ast.parse(source.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                imported[name.split(".")[0]] = str(source.relative_to(ROOT))
    return imported


def test_every_import_is_of_a_declared_package():
    declared = {canonicalize_name(requirement.name) for requirement in DECLARED}
    distributions = importlib.metadata.packages_distributions()
    for module, source in imported_by_the_project().items():
        if module in sys.stdlib_module_names or module in ("lca_core", "tests"):
            continue
        if any((ROOT / room / f"{module}.py").exists() for room in ("benchmarks", "notebooks")):
            continue  # scripts that stand side by side
        owners = {canonicalize_name(name) for name in distributions.get(module, [])}
        assert owners & declared, f"{source} imports {module}, of {owners or 'nowhere'}: declare it in pyproject.toml"


@pytest.mark.parametrize("requirement", ASSETS, ids=lambda requirement: requirement.name)
def test_packages_read_only_for_their_files_are_not_imported(requirement):
    distributions = importlib.metadata.packages_distributions()
    name = canonicalize_name(requirement.name)
    modules = {module for module, owners in distributions.items() if name in map(canonicalize_name, owners)}
    assert modules, f"{requirement.name} is not installed: run make venv"
    assert not modules & set(imported_by_the_project())


def test_the_citation_is_of_this_version_and_of_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == lca_core.__version__
    assert citation["license"] == PROJECT["project"]["license"] == "Apache-2.0"
    assert citation["references"][0]["url"].endswith("2604.02320")
