"""A process that does one item after another, and may hang or die doing so without taking anybody along."""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import TypeVar

from lca_core.errors import InputError

SECONDS = 300.0  # for one item, after which its process is ended
START_SECONDS = 600.0  # for a process to load its libraries, on however busy a machine
TRIES = 2
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# MKL's sums the same to the last bit wherever its arrays lie in memory: two runs give the same bytes.
REPEATABLE = ONE_THREAD | {"MKL_CBWR": "COMPATIBLE"}

_KILLED = -getattr(signal, "SIGKILL", 9)  # Windows has none, and ends processes with other codes
_STARTING = threading.Lock()
Item, Result = TypeVar("Item"), TypeVar("Result")


class WorkerDied(RuntimeError):
    """The process died on an item, each time it was tried."""


class WorkerHung(WorkerDied):
    """The process took longer for an item than it was given, each time it was tried (or died on it the other times)."""


class WorkerNotStarted(InputError):
    """The process was never ready for an item: the fault is this machine's or its installation's, not the item's."""


class WorkerEnded(RuntimeError):
    """Somebody ended the worker while it was asked, or before."""


class Worker:
    """`task` in a process of its own, one thread, started when first asked and again after a death.

    task: a function of one argument; it and all that goes in and out can be pickled. seconds: for one item, None for
    any. prepare: a function of none that the process calls first; its time is no item's. environment: variables set for
    the process.
    """

    def __init__(
        self,
        task: Callable,
        seconds: float | None = SECONDS,
        prepare: Callable[[], None] | None = None,
        environment: Mapping[str, str] = REPEATABLE,
    ):
        self._task, self._seconds, self._prepare, self._variables = task, seconds, prepare, environment
        self._process, self._pipe = None, None
        self._ended, self._changing = False, threading.Lock()

    def ask(self, item: object) -> object:
        """task(item), or what it raised. WorkerHung or WorkerDied when the process hung or died on it `TRIES` times,
        WorkerNotStarted when there was none to ask, WorkerEnded once it was ended."""
        for _ in range(TRIES):
            if self._process is None:
                self._start_ready()
            try:
                self._pipe.send(item)
                if self._pipe.poll(self._seconds):
                    result, error = self._pipe.recv()
                    if error is not None:
                        raise error
                    return result
                death, why = WorkerHung, f"took over {self._seconds:.0f} s"
            except (EOFError, OSError):
                self._process.join(5)
                death, why = WorkerDied, f"ended its process ({self._exit()})"
            self._stop()
        raise death(f"{why}, {TRIES} times")

    def _start_ready(self) -> None:
        """Start the process and wait until it has loaded its libraries: that is not the item's time."""
        for _ in range(TRIES):
            self._start()
            try:
                if self._pipe.poll(START_SECONDS):
                    self._pipe.recv()
                    return
                why = f"was not ready after {START_SECONDS:.0f} s"
            except (EOFError, OSError):
                self._process.join(5)
                why = f"ended while it started ({self._exit()})"
            self._stop()
        raise WorkerNotStarted(
            f"a worker process {why}, {TRIES} times; nothing is wrong with the input, and what is done is kept: see "
            "that the machine has memory left, and run the same command again"
        )

    def _exit(self) -> str:
        """How the process ended; a kill that nobody sent is the system's, out of memory."""
        code = self._process.exitcode
        return f"exit code {code}" + (": killed, perhaps for want of memory" if code == _KILLED else "")

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
            process = context.Process(target=_work, args=(theirs, self._task, self._prepare), daemon=True)
            with _STARTING, _environment(self._variables):
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


@contextmanager
def started(count: int, task: Callable, *arguments, **named) -> Iterator[list[Worker]]:
    """`count` workers (arguments: as `Worker`'s), ended with the block, whatever they are at."""
    made = [Worker(task, *arguments, **named) for _ in range(count)]
    try:
        yield made
    finally:
        for worker in made:
            worker.end()


def shared(workers: Sequence[Worker], ask: Callable[[Worker, Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """ask(worker, item) of all items, as they come, in any order. Stopped early, it ends the workers."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def do(item: Item) -> Result:
        worker = idle.get()
        try:
            return ask(worker, item)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(workers)) as threads:
        waiting = [threads.submit(do, item) for item in items]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:  # also of whoever stops to ask for more
            for future in waiting:
                future.cancel()
            for worker in workers:
                worker.end()
            raise


def in_workers(
    task: Callable,
    ask: Callable[[Worker, Item], Result],
    items: Sequence[Item],
    workers: int,
    seconds: float | None = SECONDS,
) -> Iterator[Result]:
    """ask(worker, item) of all items, as they come, in any order: `workers` processes that do `task`."""
    with started(max(1, min(workers, len(items))), task, seconds) as made:
        yield from shared(made, ask, items)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables set for the length of a block: libraries read them when a child first loads them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in before.items() if value is not None})
        for name in [name for name, value in before.items() if value is None]:
            del os.environ[name]


def _work(pipe: Connection, task: Callable, prepare: Callable[[], None] | None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare()
    pipe.send("ready")
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            result = task(item), None
        except Exception as error:  # the task's own answer, not a death: raised where it was asked for
            error.add_note(f"in a process of its own:\n{traceback.format_exc()}")
            result = None, error
        pipe.send(result)


def _end_with_parent() -> None:
    wait([parent_process().sentinel])
    os._exit(1)
