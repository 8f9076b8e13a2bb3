"""Work that is always for the newest wish: what was asked for while it went on, and is not the newest, is left out."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Wish = TypeVar("Wish")


class Newest(Generic[Wish]):
    """Calls `work(wish)` on a thread of its own, one at a time; there is never a queue.

    failed: called with what `work` raises, there; without it, the next `wait` raises it.
    """

    def __init__(self, work: Callable[[Wish], None], failed: Callable[[Exception], None] | None = None):
        self._work, self._failed = work, failed
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="newest")  # ended with the process
        self._lock = threading.Lock()
        self._wishes: list[Wish] = []  # one at most
        self._running: Future | None = None
        self._error: Exception | None = None  # that nobody has been told of

    def ask(self, wish: Wish) -> None:
        """Have this done next, in place of what else waits; back at once."""
        with self._lock:
            self._wishes[:] = [wish]
            if self._running is None:
                self._running = self._pool.submit(self._go)

    def wait(self, seconds: float | None = None) -> None:
        """Until the newest wish is done; TimeoutError after `seconds`."""
        with self._lock:
            running = self._running
        if running is not None:
            running.result(seconds)
        with self._lock:
            error, self._error = self._error, None
        if error is not None:
            raise error

    def _go(self) -> None:
        while True:
            with self._lock:
                if not self._wishes:
                    self._running = None
                    return
                wish = self._wishes.pop()
            try:
                self._work(wish)
            except Exception as error:
                if self._failed is not None:
                    self._failed(error)
                else:
                    with self._lock:
                        self._error = error
