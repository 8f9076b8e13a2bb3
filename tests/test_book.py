"""The course as a site: built without a warning, a page for every notebook, nothing fetched by who reads it."""

import importlib.util
import re
from pathlib import Path

import pytest

from lca_core.paths import REPOSITORY


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("book", REPOSITORY / "docs" / "book.py")
    book = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(book)
    out = tmp_path_factory.mktemp("book")
    assert book.build(out) == 0, "a warning, above, is an error"
    return out / "html"


def test_every_notebook_has_a_page_in_the_order_of_the_course(html):
    notebooks = [path.stem for path in sorted((REPOSITORY / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
    linked = re.findall(r'class="reference internal" href="notebooks/([^"#]+)\.html', (html / "index.html").read_text())
    assert list(dict.fromkeys(name for name in linked if name in notebooks)) == notebooks
    assert all((html / "notebooks" / f"{name}.html").exists() for name in notebooks)


def test_no_page_loads_anything_from_elsewhere(html):
    loaded = r'<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"'
    for page in html.rglob("*.html"):
        assert re.findall(loaded, page.read_text()) == [], page.name


def test_formulas_are_drawn_and_solutions_folded(html):
    text = (html / "notebooks" / "01_gaussians_from_scratch.html").read_text()
    assert text.count("<math ") >= 4 and "\\begin{pmatrix}" not in re.sub(r'title="[^"]*"', "", text)
    assert text.count("<details><summary>Solution</summary>") == 3
    assert "yours to write" in text
