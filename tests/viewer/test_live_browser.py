"""The quickstart in JupyterLab in a real browser: its viewer is there, a slider moves the person, no other is asked."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

from lca_core.paths import REPOSITORY

CHROMIUM = shutil.which("chromium")
PATIENCE = 600_000  # ms: everything is slow on a busy core
# The picture's bytes as a number; nought while there is none.
SHOWN = """() => {
  const image = document.querySelector("img.widget-image");
  if (!image || !image.complete || !image.naturalWidth) return 0;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.reduce((sum, value) => (31 * sum + value) % 4294967291, 1);
}"""

READY = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: `apt-get install chromium` gets the one these tests drive"
)


def until_its_viewer(out: Path) -> nbformat.NotebookNode:
    """The quickstart's code, up to the cell that shows the live viewer."""
    cells = [cell for cell in jupytext.read(REPOSITORY / "notebooks" / "00_quickstart.py").cells]
    last = next(i for i, cell in enumerate(cells) if cell.cell_type == "code" and "LiveViewer(" in cell.source)
    code = [cell.source for cell in cells[: last + 1] if cell.cell_type == "code"]
    code = [source.replace('out = "build/00_quickstart"', f"out = {str(out)!r}") for source in code]
    kernel = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    }  # or one is asked for
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in code], metadata=kernel)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Of a notebook in a JupyterLab of its own."""
    home = tmp_path_factory.mktemp("lab")
    (home / "files").mkdir()
    nbformat.write(until_its_viewer(home / "out"), home / "files" / "quickstart.ipynb")
    settings = home / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')  # cells out of sight are there all the same
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
              "IPYTHONDIR")  # fmt: skip
    environment = os.environ | {name: str(home / name) for name in places} | {"PYTHONPATH": str(REPOSITORY)}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={home / 'files'}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--ServerApp.port_retries=0",
    ]  # fmt: skip
    with open(home / "log", "w") as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server:
        try:
            _answers(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/lab/tree/quickstart.ipynb?token={token}"
        finally:
            server.terminate()  # it ends its kernels
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


def _answers(address: str, server: subprocess.Popen) -> None:
    for _ in range(PATIENCE // 500):
        assert server.poll() is None, "JupyterLab ended at once"
        try:
            with urllib.request.urlopen(address, timeout=60):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise TimeoutError("JupyterLab never answered")


@pytest.fixture(scope="module")
def page(address) -> Iterator[tuple[Page, list[str]]]:
    """(the notebook, run to its viewer; what was asked for elsewhere)."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page, elsewhere = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page(), []
        page.set_default_timeout(PATIENCE)
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("http://127.0.0.1:", "data:", "blob:")) or elsewhere.append(request.url)
            ),
        )
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_function(READY)
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(f"({SHOWN})() !== 0")
        yield page, elsewhere
        browser.close()


def changed(page: Page, before: int) -> int:
    page.wait_for_function(f"(before) => ![0, before].includes(({SHOWN})())", arg=before)
    return page.evaluate(SHOWN)


def test_the_viewer_is_there_laid_out_and_large(page, tmp_path):
    window, _ = page
    window.evaluate("document.querySelector('img.widget-image').scrollIntoView()")
    window.screenshot(path=tmp_path / "viewer.png")
    picture = window.locator("img.widget-image").bounding_box()
    panel = window.locator(".jupyter-widget-tab").bounding_box()
    assert picture["width"] > 400 and picture["height"] == pytest.approx(picture["width"], abs=2)
    assert panel["x"] >= picture["x"] + picture["width"], "the sliders stand beside the picture"
    assert panel["x"] + panel["width"] <= 1280 and abs(panel["y"] - picture["y"]) < 60


def test_a_slider_moves_the_person_and_a_preset_the_face(page, tmp_path):
    window, elsewhere = page
    still = window.evaluate(SHOWN)
    handle = window.locator(".jupyter-widget-tab .noUi-handle").first  # turns the person
    handle.focus()
    for _ in range(3):
        handle.press("PageUp")
    moved = changed(window, still)
    window.locator(".jupyter-widget-tab .lm-TabBar-tabLabel", has_text="Face").click()
    face = changed(window, moved)
    window.get_by_role("button", name="Surprise", exact=True).click()
    changed(window, face)
    window.screenshot(path=tmp_path / "surprise.png")
    assert elsewhere == []


def test_a_motion_plays_by_itself(page):
    window, elsewhere = page
    window.locator("select").filter(has_text="Squat").select_option("Squat")
    seen = window.evaluate(SHOWN)
    for _ in range(3):
        seen = changed(window, seen)
    window.get_by_role("button", name="Everything back to rest").click()
    assert elsewhere == []
