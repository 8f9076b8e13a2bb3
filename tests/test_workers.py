"""Workers: how many there are, and that the files they are told of are there."""

from pathlib import Path
from types import SimpleNamespace

from tests import workers

TESTS = Path(__file__).parent


def test_files_that_are_long_or_slow_are_called_by_the_names_they_have():
    for name in workers.LONG:
        assert (TESTS.parent / name).is_file(), name
    for folder, names in workers.SLOW.items():
        for name in names:
            assert (
                workers.is_slow(TESTS / folder / f"test_{name}.py") and (TESTS / folder / f"test_{name}.py").is_file()
            )
    assert not workers.is_slow(TESTS / "data" / "test_shards.py") and not workers.is_slow(TESTS.parent / "elsewhere.py")


def test_single_files_are_tested_in_one_process_and_folders_by_a_worker_a_core():
    count = lambda *args: workers.count(SimpleNamespace(args=args))  # noqa: E731
    assert count("tests/test_rooms.py") == count("tests/a.py::test_b", "tests/c.py") == 0
    assert 1 <= count("tests") <= workers.MOST and count("tests", "tests/a.py") == count("tests")
