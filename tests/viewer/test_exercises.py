"""What an exercise answers: that nothing is written yet, that it is right, or what is wrong."""

import pytest

from lca_core.viewer.exercises import attempt


def check_twice(twice) -> None:
    assert twice(3) == 6, f"six of three, not {twice(3)}"


def unwritten(x):
    raise NotImplementedError("yours to write")


def twice(x):
    return 2 * x


def square(x):
    return x * x


def test_an_answer_that_is_not_written_yet_only_says_so(capsys):
    attempt(check_twice, unwritten)
    assert capsys.readouterr().out == "unwritten: yours to write\n"


def test_a_right_answer_is_told_so(capsys):
    attempt(check_twice, twice)
    assert capsys.readouterr().out == "twice: right\n"


def test_a_wrong_answer_raises_what_is_wrong(capsys):
    with pytest.raises(AssertionError, match="six of three, not 9"):
        attempt(check_twice, square)
    assert capsys.readouterr().out == ""
