"""Workers: how many there are, what each is given, and that the files they are told of are there."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

from tests import workers

TESTS = Path(__file__).parent
OPTIONS = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["addopts"]
WHO = """
import os, pathlib, pytest, time
@pytest.mark.parametrize("number", range(6))
def test_who(number):
    time.sleep(0.05)  # so that the other worker has its turn
    with open(pathlib.Path(__file__).with_suffix(".txt"), "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_file_is_tested_by_one_worker_whole(tmp_path):
    for name in ("test_a", "test_b", "test_c"):
        (tmp_path / f"{name}.py").write_text(WHO)
    dealt = [option for option in OPTIONS if option.startswith(("--dist", "--no-loadscope"))]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *dealt, "-p", "no:cacheprovider", "--rootdir", tmp_path]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # nbval and others, which load for seconds in each process
    subprocess.run(
        [*command, "-p", "xdist", tmp_path], cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    workers_of = [(tmp_path / f"{name}.txt").read_text().split() for name in ("test_a", "test_b", "test_c")]
    assert [len(names) for names in workers_of] == [6, 6, 6]
    assert [len(set(names)) for names in workers_of] == [1, 1, 1]


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
