"""The notebook runner, on notebooks of two or three cells."""

import importlib.util
import json
from pathlib import Path

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY

TINY = """# %% [markdown]
# # A notebook

# %% tags=["parameters"]
profile = "laptop"
out = "nowhere"

# %%
import sys

print(profile, 6 * 7)
print("a " + "warning", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("notebook_runner", REPOSITORY / "notebooks" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    source = tmp_path / "notebooks" / "00_tiny.py"
    source.parent.mkdir()
    source.write_text(TINY)
    return source


def printed(notebook: Path) -> list[str]:
    cells = nbformat.read(notebook, as_version=4).cells
    return [output["text"] for cell in cells for output in cell.get("outputs", []) if output.get("name") == "stdout"]


def test_a_run_takes_the_profile_and_leaves_the_committed_notebook_alone(runner, tiny, tmp_path):
    seconds = runner.run([tiny], "smoke", tmp_path / "out")
    assert printed(tmp_path / "out" / "00_tiny.ipynb") == ["smoke 42\n"]
    assert json.loads((tmp_path / "out" / "seconds.json").read_text()) == seconds
    assert list(seconds) == ["00_tiny"]
    assert not tiny.with_suffix(".ipynb").exists()


def test_a_failing_cell_stops_the_run_with_its_error(runner, tiny, tmp_path):
    tiny.write_text(TINY + "\n# %%\nraise ValueError('the hat is missing')\n")
    with pytest.raises(PapermillExecutionError, match="the hat is missing") as failure:
        runner.run([tiny], "smoke", tmp_path / "out")
    assert "raise ValueError" in failure.value.source


def test_a_run_that_stopped_goes_on_with_the_notebook_it_stopped_in(runner, tiny, tmp_path, monkeypatch):
    second, ran = tiny.with_name("01_second.py"), []
    second.write_text(TINY)
    broken = {second.stem}

    def execute(source, target, parameters):
        if source.stem in broken:
            raise KeyboardInterrupt
        ran.append(source.stem)
        target.write_text("run")

    monkeypatch.setattr(runner, "execute", execute)
    with pytest.raises(KeyboardInterrupt):
        runner.run([tiny, second], "smoke", tmp_path)
    broken.clear()
    assert list(runner.run([tiny, second], "smoke", tmp_path)) == ["00_tiny", "01_second"]
    assert ran == ["00_tiny", "01_second"], "the first was not run again"
    runner.run([tiny, second], "smoke", tmp_path)
    assert ran == 2 * ["00_tiny", "01_second"], "a run that came to its end begins anew"
    broken.add(second.stem)
    for profile, source in (("smoke", TINY + "\n"), ("laptop", TINY + "\n")):
        tiny.write_text(source)
        with pytest.raises(KeyboardInterrupt):
            runner.run([tiny, second], profile, tmp_path)
    assert ran[4:] == ["00_tiny", "00_tiny"], "what changed is run again"


@pytest.fixture(scope="module")
def committed(runner, tmp_path_factory) -> Path:
    """The source of a notebook that was committed once; whoever changes it takes a copy."""
    source = tmp_path_factory.mktemp("committed") / "00_tiny.py"
    source.write_text(TINY)
    runner.commit([source])
    return source


def test_a_committed_notebook_holds_results_and_nothing_of_the_run(runner, committed):
    notebook = committed.with_suffix(".ipynb")
    first = notebook.read_text()
    assert printed(notebook) == ["laptop 42\n"]
    for trace in ("papermill", "a warning", 'execution"', str(committed.parent)):
        assert trace not in first
    runner.commit([committed])
    assert notebook.read_text() == first  # cell ids are kept, so that only changes show


def test_a_tag_that_is_new_in_the_source_comes_into_the_notebook(runner, committed, tiny):
    notebook = tiny.with_suffix(".ipynb")
    notebook.write_bytes(committed.with_suffix(".ipynb").read_bytes())
    tiny.write_text(TINY.replace("# %%\nimport sys", '# %% tags=["hide-input"]\nimport sys'))
    runner.commit([tiny])
    tags = [cell.metadata.get("tags") for cell in nbformat.read(notebook, as_version=4).cells]
    assert tags[1:] == [["parameters"], ["hide-input"]]


def test_what_is_committed_has_its_exercises_as_their_source_has_them(runner, tiny, monkeypatch):
    done = []
    monkeypatch.setattr(runner.handout, "renew", lambda source: done.append(("renewed", source)))
    monkeypatch.setattr(runner, "execute", lambda source, target, parameters: done.append(("run", source)))
    monkeypatch.setattr(runner, "clean", lambda path: None)
    runner.commit([tiny])
    assert done == [("renewed", tiny), ("run", tiny)]


def test_a_notebook_that_prints_a_folder_of_this_machine_is_not_committed(runner, tiny):
    tiny.write_text(TINY + "\n# %%\nimport pathlib\n\nprint(pathlib.Path.home() / 'secret')\n")
    with pytest.raises(InputError, match="cell 3"):
        runner.commit([tiny])
    assert [path.name for path in tiny.parent.iterdir()] == ["00_tiny.py"]


def test_an_unknown_notebook_is_refused_with_the_names_there_are(runner, tiny):
    assert runner.find_sources(["00_tiny"], tiny.parent) == [tiny]
    with pytest.raises(InputError, match="00_tiny"):
        runner.find_sources(["07_nothing"], tiny.parent)
