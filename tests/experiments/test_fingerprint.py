"""What makes a run stale: what code does, not how it is laid out or explained."""

from lca_core.experiments.fingerprint import JUDGED_BY, TRAINED_BY, code_digest, digest_of_file
from lca_core.paths import REPOSITORY

SOURCE = '"""A module."""\n\n\ndef twice(x):\n    """Two times."""\n    return 2 * x\n'


def house(tmp_path, source: str):
    (tmp_path / "model").mkdir(exist_ok=True)
    (tmp_path / "model" / "a.py").write_text(source)
    (tmp_path / "evaluation.py").write_text("LEAST = 1\n")
    return code_digest(("model", "evaluation.py"), tmp_path)


def test_comments_docstrings_and_layout_do_not_count_and_numbers_do(tmp_path):
    before = house(tmp_path, SOURCE)
    assert house(tmp_path, SOURCE.replace("Two times", "Twice").replace("2 * x", "2*x  # doubled")) == before
    assert house(tmp_path, SOURCE.replace("2 * x", "3 * x")) != before
    (tmp_path / "evaluation.py").write_text("LEAST = 2\n")
    assert code_digest(("model", "evaluation.py"), tmp_path) != before


def test_a_new_file_counts(tmp_path):
    before = house(tmp_path, SOURCE)
    (tmp_path / "model" / "b.py").write_text("")
    assert code_digest(("model", "evaluation.py"), tmp_path) != before


def test_how_gaussians_are_handed_over_does_not_count(tmp_path):
    (tmp_path / "splats" / "formats").mkdir(parents=True)
    before = code_digest(("splats",), tmp_path)
    (tmp_path / "splats" / "formats" / "ply.py").write_text("KIND = 'ply'\n")
    assert code_digest(("splats",), tmp_path) == before
    (tmp_path / "splats" / "draw.py").write_text("LEAST = 1\n")
    assert code_digest(("splats",), tmp_path) != before


def test_the_places_are_there():
    assert all((REPOSITORY / "lca_core" / place).exists() for place in (*TRAINED_BY, *JUDGED_BY))


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    before = digest_of_file(path)
    path.write_text("other")
    assert digest_of_file(path) != before
