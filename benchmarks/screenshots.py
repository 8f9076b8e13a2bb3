"""Screenshots for who has not installed anything yet: the quickstart in JupyterLab, its live viewer, an avatar's page.

All of the person who ships, by the release, in headless Chromium: results/figures/quickstart.jpg, live.jpg, page.jpg.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jupytext
import lab
import nbformat
import page as page_benchmark
from playwright.sync_api import Page, sync_playwright
from reporting import run

from lca_core.making.demo import TITLE, demo_avatar
from lca_core.paths import FIGURES, REPOSITORY, atomic_path, writable_folder
from lca_core.viewer.page.write import write_page

NOTEBOOK, PAGE = (1280, 1040), (1280, 860)  # pixels of the windows
_QUALITY = 80  # of the JPEG files
_MOTION, _MEANWHILE = "Wave", 1_500  # and the milliseconds after which it is looked at
_PICTURE = "img.turned-picture"
# The page stops in the middle of a dance.
_DANCING = """() => {
  const { controls } = page;
  controls.play("Dance");
  const held = controls.signal(controls.began + 2200);
  controls.signal = () => held;
  controls.motion = null;
  page.draw();
}"""


def quickstart_with_words(out: Path) -> nbformat.NotebookNode:
    """The quickstart as it stands, words and code, up to its live viewer."""
    notebook = jupytext.read(REPOSITORY / "notebooks" / "00_quickstart.py")
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    last = next(i for i in code if "LiveViewer(" in notebook.cells[i].source)
    notebook.cells = notebook.cells[: last + 1]
    for i in code[: code.index(last)]:
        cell = notebook.cells[i]
        cell.source = cell.source.replace('out = "build/00_quickstart"', f"out = {str(out)!r}")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def of_the_notebook(folder: Path) -> None:
    """quickstart.jpg, from the person's photographs to their avatar; live.jpg, the avatar waving."""
    with tempfile.TemporaryDirectory() as home:
        notebook = quickstart_with_words(Path(home, "out"))
        with lab.lab(notebook, Path(home)) as address, lab.looked_at(address, *NOTEBOOK) as (window, _):
            window.evaluate(lab.RUN_ALL)
            window.wait_for_selector(_PICTURE)
            window.wait_for_function(lab.READY)
            window.evaluate("document.querySelector('.jp-Cell img').scrollIntoView({ block: 'start' })")
            _keep(folder / "quickstart.jpg", window)
            window.locator("select").filter(has_text=_MOTION).select_option(_MOTION)
            window.wait_for_timeout(_MEANWHILE)
            window.evaluate(f"document.querySelector({_PICTURE!r}).scrollIntoView()")
            viewer = window.locator(".jp-OutputArea-output").filter(has=window.locator(_PICTURE))
            _keep(folder / "live.jpg", viewer)


def of_the_page(folder: Path) -> None:
    """page.jpg, dancing."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, "viewer.html")
        write_page(demo_avatar(), path, TITLE)
        with _browser() as window:
            window.goto(path.as_uri())
            window.evaluate("ready.then(() => null)")
            window.evaluate(_DANCING)
            _keep(folder / "page.jpg", window)


@contextmanager
def _browser() -> Iterator[Page]:
    """A window that draws with WebGL, in software."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=lab.browser_path(), args=page_benchmark.SOFTWARE)
        window = browser.new_page(viewport=dict(zip(("width", "height"), PAGE)))
        window.set_default_timeout(lab.PATIENCE)
        yield window
        browser.close()


def _keep(path: Path, seen) -> None:
    """What is seen, a window or a part of one, as a JPEG file."""
    with atomic_path(path) as partial:
        partial.write_bytes(seen.screenshot(type="jpeg", quality=_QUALITY))


def main(out: Path = FIGURES, only: tuple[str, ...] = ("notebook", "page")) -> None:
    """Take the screenshots of the README (some minutes; needs chromium).

    Args:
        out: Folder for them.
        only: notebook (quickstart.jpg and live.jpg), page (page.jpg).
    """
    writable_folder(out)
    if "notebook" in only:
        of_the_notebook(out)
    if "page" in only:
        of_the_page(out)


if __name__ == "__main__":
    run(main)
