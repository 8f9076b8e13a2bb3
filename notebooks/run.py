"""Run the notebooks from their sources: into a folder at some profile, or to renew the committed ones.

    python notebooks/run.py [--profile smoke] [--out build/notebooks] [00_quickstart ...]
    python notebooks/run.py --commit [00_quickstart ...]

The reviewed source of a notebook is NN_name.py (py:percent). The first form makes notebooks out of the
sources and has papermill run them with the parameters `profile` and `out` (a folder of the notebook's own);
OUT/seconds.json says how long each took, and a run that stopped goes on where it stopped. The second form
renews their exercises (handout.py) and runs them as they stand, in place of the committed NN_name.ipynb; it takes off
what belongs to one run on one machine, so that a committed notebook changes only when its source or its results do.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import handout
import jupytext
import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY, atomic_path

NOTEBOOKS = Path(__file__).resolve().parent
# papermill's widget state makes GitHub refuse to show a notebook; the rest is paths and times.
RUN_METADATA = "metadata.papermill cell.metadata.papermill cell.metadata.execution metadata.widgets"


def find_sources(names: list[str], folder: Path = NOTEBOOKS) -> list[Path]:
    """The sources `folder`/NN_*.py in order, or those that `names` lists (with or without an ending)."""
    sources = sorted(folder.glob("[0-9][0-9]_*.py"))
    if not names:
        return sources
    by_name = {source.stem: source for source in sources}
    unknown = [name for name in names if Path(name).stem not in by_name]
    if unknown:
        raise InputError(f"no notebook is called {', '.join(unknown)}; there are: {', '.join(by_name)}")
    return [by_name[Path(name).stem] for name in names]


def make_notebook(source: Path) -> nbformat.NotebookNode:
    """The notebook of a py:percent source, not run; cells keep their source's tags and the ids of a paired .ipynb."""
    paired = source.with_suffix(".ipynb")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, paired.name)
        update = []
        if paired.exists():
            made.write_bytes(paired.read_bytes())
            update = ["--update"]
        command = [sys.executable, "-m", "jupytext", "--quiet", "--to", "ipynb", *update, "--output", made, source]
        subprocess.run(command, check=True)
        notebook = nbformat.read(made, as_version=4)
    for cell, written in zip(notebook.cells, jupytext.read(source).cells, strict=True):
        cell.metadata = written.metadata
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def execute(source: Path, target: Path, parameters: dict[str, str]) -> None:
    """Run `source` from its own folder, as JupyterLab would, and write the run notebook to `target`.

    Raises PapermillExecutionError, with the cell and its traceback, when a cell fails; `target` then holds
    the notebook up to that cell.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        make_notebook(source),
        str(target),
        parameters=parameters,
        kernel_name="python3",
        cwd=str(source.parent),
        progress_bar=sys.stderr.isatty(),
    )


def of_the_run(output: nbformat.NotebookNode) -> bool:
    """Whether an output is a warning or a progress bar (or another widget, which shows nothing without its kernel)."""
    return output.get("name") == "stderr" or "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def clean(path: Path) -> None:
    """Take off a run notebook what belongs to the run: times, widget state, progress bars and warnings.

    Raises InputError when an output still names a folder of this machine.
    """
    command = [sys.executable, "-m", "nbstripout", "--keep-output", "--keep-count", "--keep-id"]
    subprocess.run([*command, "--extra-keys", RUN_METADATA, path], check=True)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not of_the_run(output)]
    # The minor version of the Python that happened to run it is not a change of the notebook.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for number, cell in enumerate(notebook.cells):
        outputs = json.dumps(cell.get("outputs", []))
        for folder in (str(REPOSITORY), str(Path.home()), tempfile.gettempdir()):
            if folder + "/" in outputs:
                raise InputError(f"{path.name}, cell {number}: its output names {folder}; print relative paths")
    nbformat.write(notebook, path)


def run(sources: list[Path], profile: str, out: Path) -> dict[str, float]:
    """Run every source at `profile` into `out`/NN_name.ipynb; returns, and keeps in seconds.json, the times.

    A run that was interrupted, or in which a cell failed, goes on with the notebook it stopped in, where neither that
    nor any before it, nor the library, nor the profile has changed since. One that came to its end begins anew.
    """
    done_file = out / ".done.json"
    done = _read_done(done_file)
    state, kept = hashlib.sha256(profile.encode() + _library()), {}
    seconds: dict[str, float] = {}
    for source in progress(sources):
        state.update(source.read_bytes())
        target, mark = out / f"{source.stem}.ipynb", state.hexdigest()
        if source.stem in done and done[source.stem][0] == mark and target.exists():
            seconds[source.stem] = done[source.stem][1]
            kept[source.stem] = done[source.stem]
            print(f"{source.stem} is done", file=sys.stderr)
            continue
        started = time.perf_counter()
        own = out.resolve() / source.stem
        own.mkdir(parents=True, exist_ok=True)
        execute(source, target, {"profile": profile, "out": str(own)})
        seconds[source.stem] = round(time.perf_counter() - started, 1)
        kept[source.stem] = (mark, seconds[source.stem])
        for path, content in ((out / "seconds.json", seconds), (done_file, kept)):
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(content, indent=2) + "\n")
    done_file.unlink(missing_ok=True)
    return seconds


def _read_done(path: Path) -> dict[str, tuple[str, float]]:
    """Notebook -> (what it was run from, seconds) of a run that was interrupted; nothing where there was none."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def _library() -> bytes:
    """What tells one state of the library from another."""
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "lca_core").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def commit(sources: list[Path]) -> None:
    """Run every source, its exercises renewed, and put the cleaned notebook beside it, whole or not at all."""
    for source in progress(sources):
        handout.renew(source)
        with atomic_path(source.with_suffix(".ipynb")) as temporary:
            execute(source, temporary, {})
            clean(temporary)


def progress(sources: list[Path]):
    """The sources, under a bar that names the one being run."""
    bar = tqdm(sources, unit="notebook")
    for source in bar:
        bar.set_description(source.stem)
        yield source


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="notebooks to run, e.g. 00_quickstart (default: all)")
    parser.add_argument("--profile", default="smoke", help="size of everything (default: smoke)")
    parser.add_argument("--out", type=Path, default=Path("build/notebooks"), help="folder for the run notebooks")
    parser.add_argument("--commit", action="store_true", help="renew the committed notebooks instead")
    arguments = parser.parse_args()
    try:
        sources = find_sources(arguments.names)
        if arguments.commit:
            commit(sources)
        else:
            for name, seconds in run(sources, arguments.profile, arguments.out).items():
                print(f"{name:24s} {seconds:7.1f} s")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except PapermillExecutionError as error:
        print(f"\nA cell failed:\n\n{error.source}\n\n" + "\n".join(error.traceback), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
