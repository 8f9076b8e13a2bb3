"""The README's numbers are the records', and what it points at is there."""

import re

from lca_core.evaluation import metrics_markdown, read_records
from lca_core.paths import REPOSITORY

TEXT = (REPOSITORY / "README.md").read_text()


def test_the_table_is_made_from_the_records():
    table = TEXT.split("<!-- from the records: begin -->")[1].split("<!-- from the records: end -->")[0]
    assert table.strip() == metrics_markdown(read_records()).strip()


def test_every_link_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#][^)]*)\)", TEXT):
        if not target.startswith("http"):
            assert (REPOSITORY / target).exists(), target


def test_the_results_page_is_made_from_the_records():
    from lca_core.evaluation import results_readme

    assert (REPOSITORY / "results" / "README.md").read_text() == results_readme(read_records())
