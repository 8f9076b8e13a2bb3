"""Tasks for worker processes, in a module that loads nothing: who is given one imports it, and a test file loads
libraries for seconds, in every process anew."""

import os
import signal
import time
from pathlib import Path

from lca_core.errors import InputError


def ill(item: str) -> str:
    """An item in capitals; one that hangs, one that dies."""
    if item == "hangs":
        time.sleep(60)
    if item == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return item.upper()


def die(item: Path) -> str:
    """End the process, whatever the item."""
    os.kill(os.getpid(), signal.SIGKILL)


def upset(item: str) -> str:
    """Raise what a task may raise."""
    raise InputError(f"{item} is no good")


def prepare() -> None:
    """What `prepared` finds."""
    os.environ["PREPARED"] = "yes"


def prepared(item: str) -> str:
    """An item, and what it finds prepared."""
    return f"{item} {os.environ['PREPARED']} {os.environ['COLOUR']}"


class Deadly:
    """A task that cannot be unpickled: whoever is given it dies before it can say that it is there."""

    def __reduce__(self):
        return os._exit, (3,)


class Silent:
    """A task that takes for ever to unpickle: whoever is given it never says that it is there."""

    def __reduce__(self):
        return time.sleep, (60,)
