"""Sphinx's settings for the course as a site; docs/book.py gathers what it is made of and calls it."""

import html

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

project = "lca_core"
author = "the lca_core contributors"
copyright = ""
extensions = ["myst_nb"]
exclude_patterns = ["lca_core", "data_manifests/*/*.json"]

# Notebooks come with their outputs: nothing is run here, and nothing is fetched, now or by a reader's browser.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "sphinx_book_theme"
html_title = "Codec avatars, a course"
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "navbar_persistent": [],  # one field to search in is enough: the one beside the pages
}
html_static_path = ["static"]
html_css_files = ["course.css"]


def write_math(translator, node) -> None:
    """Formulas as MathML, which browsers draw without a script."""
    display = "block" if node.tagname == "math_block" else "inline"
    try:
        formula = convert(node.astext(), display=display)
    except Exception as error:
        raise ValueError(f"{node.source}, line {node.line}: no MathML of {node.astext()!r}: {error}") from error
    tag = "div" if display == "block" else "span"
    translator.body.append(f'<{tag} class="formula" title="{html.escape(node.astext())}">{formula}</{tag}>')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
