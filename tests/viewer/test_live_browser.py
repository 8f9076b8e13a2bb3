"""The quickstart in JupyterLab in a browser: it runs, its viewer shows the person and moves them; no other is asked."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from playwright.sync_api import Page

from lca_core.paths import REPOSITORY
from tests.scripts import loaded

lab = loaded("lab")
# The picture's bytes as a number, nought while there is none; and the share of it that is not white.
LOOKED = """() => {
  const image = document.querySelector("img.turned-picture");
  if (!image || !image.complete || !image.naturalWidth) return [0, 0];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
  const inked = pixels.filter((value, place) => place % 4 === 1 && value < 250).length;
  return [pixels.reduce((sum, value) => (31 * sum + value) % 4294967291, 1), inked / (pixels.length / 4)];
}"""
SHOWN = f"({LOOKED})()[0]"

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no browser: `apt-get install chromium` gets the one these tests drive"
)


def until_its_viewer(out: Path) -> nbformat.NotebookNode:
    """The quickstart's code, up to the cell that shows the live viewer."""
    cells = [cell for cell in jupytext.read(REPOSITORY / "notebooks" / "00_quickstart.py").cells]
    last = next(i for i, cell in enumerate(cells) if cell.cell_type == "code" and "LiveViewer(" in cell.source)
    code = [cell.source for cell in cells[: last + 1] if cell.cell_type == "code"]
    return lab.notebook_of([source.replace('out = "build/00_quickstart"', f"out = {str(out)!r}") for source in code])


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[Page, list[str]]]:
    """(the notebook, run to its viewer; what was asked for elsewhere)."""
    home = tmp_path_factory.mktemp("lab")
    with lab.lab(until_its_viewer(home / "out"), home) as address, lab.looked_at(address) as (window, elsewhere):
        window.evaluate(lab.RUN_ALL)
        window.wait_for_function(f"{SHOWN} !== 0")
        yield window, elsewhere


def changed(page: Page, before: int) -> int:
    page.wait_for_function(f"(before) => ![0, before].includes({SHOWN})", arg=before)
    return page.evaluate(SHOWN)


def test_the_quickstart_runs_and_its_viewer_shows_the_person_large(page, tmp_path):
    window, elsewhere = page
    assert window.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    window.evaluate("document.querySelector('img.turned-picture').scrollIntoView()")
    window.screenshot(path=tmp_path / "viewer.png")
    picture = window.locator("img.turned-picture").bounding_box()
    panel = window.locator(".jupyter-widget-tab").bounding_box()
    assert picture["width"] > 400 and picture["height"] == pytest.approx(picture["width"], abs=2)
    assert 0.05 < window.evaluate(LOOKED)[1] < 0.6, "nobody is in the picture"
    assert panel["x"] >= picture["x"] + picture["width"], "the sliders stand beside the picture"
    assert panel["x"] + panel["width"] <= 1280 and abs(panel["y"] - picture["y"]) < 60
    assert elsewhere == []


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


def readout(page: Page, name: str) -> float:
    """What the slider of this name shows."""
    row = page.locator(".widget-slider").filter(has=page.get_by_text(name, exact=True))
    return float(row.locator(".widget-readout").inner_text().replace("−", "-"))


def settled(page: Page, name: str, wanted: float, within: float) -> float:
    """What a slider shows once it has come near to a number; where it stays away from it, what it shows then."""
    for _ in range(100):
        if abs(readout(page, name) - wanted) <= within:
            break
        page.wait_for_timeout(100)
    return readout(page, name)


def test_dragging_the_picture_turns_the_camera_and_the_wheel_comes_nearer_once_it_was_clicked(page):
    window, elsewhere = page
    window.evaluate("document.querySelector('img.turned-picture').scrollIntoView()")
    window.evaluate("document.activeElement.blur()")
    box = window.locator("img.turned-picture").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before, turned, above, nearer = window.evaluate(SHOWN), *(readout(window, n) for n in ("Turn", "Above", "Nearer"))
    window.mouse.move(x, y)
    window.mouse.wheel(0, 1)  # scrolls the notebook
    window.mouse.down()
    window.mouse.move(x - 60, y + 40, steps=3)
    window.mouse.up()
    seen = changed(window, before)
    assert settled(window, "Turn", turned + 60 * 0.46, 1.5) == pytest.approx(turned + 60 * 0.46, abs=1.5)
    assert settled(window, "Above", above + 40 * 0.34, 1.5) == pytest.approx(above + 40 * 0.34, abs=1.5)
    assert readout(window, "Nearer") == nearer
    window.mouse.move(x + 30, y, steps=2)  # nothing is held
    window.mouse.wheel(0, -400)
    changed(window, seen)
    assert settled(window, "Nearer", nearer * 1.616, 0.1) == pytest.approx(nearer * 1.616, abs=0.1)
    assert readout(window, "Turn") == pytest.approx(turned + 60 * 0.46, abs=1.5)
    assert elsewhere == []


def test_a_motion_plays_by_itself(page):
    window, elsewhere = page
    window.locator("select").filter(has_text="Squat").select_option("Squat")
    seen = window.evaluate(SHOWN)
    for _ in range(3):
        seen = changed(window, seen)
    window.get_by_role("button", name="Everything back to rest").click()
    assert elsewhere == []
