"""What an exercise answers the student who tries it."""

from collections.abc import Callable


def attempt(check: Callable[[Callable], None], answer: Callable) -> None:
    """Run an exercise's check on a student's function, and say what came of it.

    An answer that is not written yet (it raises NotImplementedError) only says so, and the notebook runs on. A wrong
    one raises what the check finds: AssertionError, in words.
    """
    try:
        check(answer)
    except NotImplementedError as gap:
        print(f"{answer.__name__}: {gap}")
    else:
        print(f"{answer.__name__}: right")
