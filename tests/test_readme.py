"""The README's numbers are the records', and what it points at is there."""

import re

from lca_core.evaluation.records import read_records
from lca_core.evaluation.tables import metrics_markdown
from lca_core.paths import REPOSITORY

TEXT = (REPOSITORY / "README.md").read_text()


def test_the_table_is_made_from_the_records():
    table = TEXT.split("<!-- from the records: begin -->")[1].split("<!-- from the records: end -->")[0]
    assert table.strip() == metrics_markdown(read_records()).strip()


def test_numbers_linked_to_a_record_are_the_record():
    """A number in prose is written [12.3 %](results/records/.../name.json), rounded as it stands."""
    linked = re.findall(r"\[([\d.,]+)( [^]]+)?\]\(results/records/([^)]+)\.json\)", TEXT)
    records = read_records()
    assert len(linked) >= 6
    for number, unit, id in linked:
        decimals = len(number.partition(".")[2])
        value = records[id].value * (100 if unit == " %" else 1)
        assert number.replace(",", "") == f"{value:.{decimals}f}", id


def test_every_link_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#][^)]*)\)", TEXT):
        if not target.startswith("http"):
            assert (REPOSITORY / target).exists(), target


def test_the_results_page_is_made_from_the_records():
    from lca_core.evaluation.results_page import results_readme

    assert (REPOSITORY / "results" / "README.md").read_text() == results_readme(read_records())
