"""A process that curates one item after another, and may hang or die doing so without taking anybody along."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import TypeVar

SECONDS = 300.0  # for one item, after which its process is ended
TRIES = 2
# One thread, and MKL's sums the same to the last bit wherever its arrays lie in memory: two runs give the same bytes.
_CHILD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_CBWR": "COMPATIBLE"}

_STARTING = threading.Lock()
Item, Result = TypeVar("Item"), TypeVar("Result")


class WorkerDied(RuntimeError):
    """The process hung or died on an item, each time it was tried."""


class WorkerEnded(RuntimeError):
    """Somebody ended the worker while it was asked, or before."""


class Worker:
    """`task` in a process of its own, one thread, started when first asked and again after a death.

    task: a function of one argument; it and all that goes in and out can be pickled. seconds: for one item.
    """

    def __init__(self, task: Callable, seconds: float = SECONDS):
        self._task, self._seconds = task, seconds
        self._process, self._pipe = None, None
        self._ended, self._changing = False, threading.Lock()

    def ask(self, item: object) -> object:
        """task(item). WorkerDied when the process hung or died on it `TRIES` times, WorkerEnded after `end`."""
        for _ in range(TRIES):
            new = self._process is None
            if new:
                self._start()
            try:
                if new:
                    self._pipe.recv()  # it has loaded its libraries: that is not the item's time
                self._pipe.send(item)
                if self._pipe.poll(self._seconds):
                    return self._pipe.recv()
                why = f"took over {self._seconds:.0f} s"
            except (EOFError, OSError):
                self._process.join(5)
                why = f"ended its process (exit code {self._process.exitcode})"
            self._stop()
        raise WorkerDied(f"{why}, {TRIES} times")

    def end(self) -> None:
        """End the process for good; another thread that waits in `ask` gets WorkerEnded."""
        with self._changing:
            self._ended = True
            if self._process is not None:
                self._process.kill()

    def _start(self) -> None:
        context = get_context("spawn")
        with self._changing:
            if self._ended:
                raise WorkerEnded
            self._pipe, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, self._task), daemon=True)
            with _STARTING, _environment(_CHILD):
                process.start()
            self._process = process
        theirs.close()

    def _stop(self) -> None:
        with self._changing:
            self._process.kill()
            self._process.join()
            self._process = None
            self._pipe.close()
            if self._ended:
                raise WorkerEnded


def in_workers(
    task: Callable, ask: Callable[[Worker, Item], Result], items: Sequence[Item], workers: int, seconds: float = SECONDS
) -> Iterator[Result]:
    """ask(worker, item) of all items, as they come, in any order: `workers` processes that do `task`."""
    made = [Worker(task, seconds) for _ in range(max(1, min(workers, len(items))))]
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in made:
        idle.put(worker)

    def do(item: Item) -> Result:
        worker = idle.get()
        try:
            return ask(worker, item)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(made)) as threads:
        waiting = [threads.submit(do, item) for item in items]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()
            for worker in made:
                worker.end()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables set for the length of a block: libraries read them when a child first loads them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in before.items() if value is not None})
        for name in [name for name, value in before.items() if value is None]:
            del os.environ[name]


def _work(pipe: Connection, task: Callable) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pipe.send("ready")
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send(task(item))


def _end_with_parent() -> None:
    wait([parent_process().sentinel])
    os._exit(1)
