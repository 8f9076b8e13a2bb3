"""Who does the work on many items: processes of this machine, or a Ray cluster. Both are called alike.

An engine takes a `Work` and items and gives what became of each, as they come, in any order. Items are done by
`workers.Worker`s, so one that hangs or kills its process costs that process and is told of.
"""

import logging
import os
import pickle
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from lca_core.errors import InputError
from lca_core.workers import REPEATABLE, SECONDS, Worker, WorkerDied, WorkerHung, shared, started

BLOCKS = 100  # that a Ray worker's items come in
STARTS = 6  # a busy machine's Ray node may miss the 30 s that Ray gives it
# For a busy machine: longer for the first server, and workers that are not the last to be given a processor.
_CONNECTING = 10.0  # seconds that a cluster has to take a connection
_PATIENT = {"RAY_gcs_server_port_wait_time_s": "120", "RAY_worker_niceness": "0"}


@dataclass(frozen=True)
class Work:
    """What is done with an item, and how. task: a function of the item that can be pickled and gives a text; the rest:
    as `Worker`'s."""

    task: Callable[..., str]
    seconds: float | None = SECONDS
    prepare: Callable[[], None] | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: REPEATABLE)


class Done(NamedTuple):
    """What became of an item: what the task gave, or how the item hung or killed its process, each time it was tried
    ("" where it did not); seconds: it took; hung: whether it took longer than it was given."""

    item: object
    result: str
    died: str
    seconds: float
    hung: bool = False


Engine = Callable[..., Iterator[Done]]  # (work, items, workers=2)


def local(work: Work, items: Sequence, workers: int = 2) -> Iterator[Done]:
    """Processes of this machine, one thread each. What the task raises is raised here."""
    count = max(1, min(workers, len(items)))
    with started(count, work.task, work.seconds, work.prepare, work.environment) as made:
        yield from shared(made, attempt, items)


def attempt(worker: Worker, item: object) -> Done:
    """Ask a worker for an item; a hang or a death is an outcome like others."""
    begun, result, died, hung = time.perf_counter(), "", "", False
    try:
        result = worker.ask(item)
    except WorkerDied as error:
        died, hung = str(error), isinstance(error, WorkerHung)
    return Done(item, result, died, time.perf_counter() - begun, hung)


def on_ray(work: Work, items: Sequence, workers: int = 2, address: str | None = None) -> Iterator[Done]:
    """A Ray cluster: `workers` stateful actors, each with a `Worker`.

    What the task reads and writes must be seen by all machines under the same paths. Rows are an item's number, so
    memory stays bounded; an actor or machine that dies is replaced and its items are done again: a task must do
    no harm when done twice. address: of a running cluster; InputError when it does not answer. Without one a cluster
    is started here and ended after; where it does not start, that is said and processes of this machine do the work.
    """
    with _cluster(workers, address) as there:
        if not there:
            yield from local(work, items, workers)
            return
        import ray

        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        blocks = min(len(items), BLOCKS * workers)
        rows = ray.data.from_items([{"number": n} for n in range(len(items))], override_num_blocks=blocks)
        # half a core each: the pool's other half goes to Ray's own tasks, which otherwise wait for ever
        actors = ray.data.ActorPoolStrategy(size=workers)
        packed = pickle.dumps(work.task), pickle.dumps(work.prepare)
        arguments = packed, work.seconds, dict(work.environment), list(items)
        done = rows.map(RayWorker, fn_constructor_args=arguments, compute=actors, num_cpus=0.5)
        for row in done.iter_rows():
            yield Done(items[row["number"]], row["result"], row["died"], row["seconds"], row["hung"])


class RayWorker:
    """An actor's state: a worker, kept from item to item.

    packed: the work's task and preparation, pickled. Only the worker's process unpickles them: the actor needs none of
    the libraries that they load, which takes seconds and memory.
    """

    def __init__(self, packed: tuple[bytes, bytes], seconds: float | None, environment: dict, items: Sequence):
        task, prepare = map(_Packed, packed)
        self._worker, self._items = Worker(task, seconds, prepare, environment), items

    def __call__(self, row: dict) -> dict:
        """{"number": of an item} to what became of it."""
        done = attempt(self._worker, self._items[row["number"]])
        return row | {"result": done.result, "died": done.died, "seconds": done.seconds, "hung": done.hung}


class _Packed:
    """What is pickled, not unpickled here: whoever gets it as a pickle gets the thing itself. The bytes are those that
    `on_ray` made of its own task, sent to its own actors; none come out of a file."""

    def __init__(self, pickled: bytes):
        self._pickled = pickled

    def __reduce__(self):
        return pickle.loads, (self._pickled,)


@contextmanager
def _cluster(workers: int, address: str | None) -> Iterator[bool]:
    """Ray for the length of a block, joined or started unless this process has one already; False where none starts."""
    import ray

    if ray.is_initialized():
        yield True
        return
    if address and (silent := _silent(address)):
        raise InputError(f"no Ray cluster answers at {address} ({silent}); start one, or leave it out")
    for name, value in _PATIENT.items():
        os.environ.setdefault(name, value)
    trouble = None
    for _ in range(1 if address else STARTS):
        there_before = set(psutil.Process().children(recursive=True))
        try:
            ray.init(
                address=address, num_cpus=None if address else workers, include_dashboard=False, log_to_driver=False,
                logging_level="error", configure_logging=True,
            )  # fmt: skip
            break
        except Exception as error:  # Ray raises plain ones, for a node that is late among others
            trouble = error
            ray.shutdown()
            _end_rays(set(psutil.Process().children(recursive=True)) - there_before)
    if address and not ray.is_initialized():
        raise InputError(f"no Ray cluster answers at {address} ({_first_line(trouble)}); start one, or leave it out")
    if not ray.is_initialized():
        print(f"Ray did not start ({_first_line(trouble)}): processes of this machine do the work", file=sys.stderr)
    try:
        yield ray.is_initialized()
    finally:
        ray.shutdown()


def _end_rays(started: set[psutil.Process]) -> None:
    """End those that are Ray's: a start that fails leaves its servers running, which keep the next one from a core."""
    left = [
        process for process in started
        if any("/ray/" in part or part.startswith("ray::") for part in _command_of(process))
    ]  # fmt: skip
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, _CONNECTING)


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return []


def _silent(address: str) -> str:
    """Why nobody listens at host:port, "" where somebody does or no port is named. Ray itself would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not (host and port.isdigit()):
        return ""
    try:
        socket.create_connection((host, int(port)), _CONNECTING).close()
    except (OSError, OverflowError) as error:
        return str(error)
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


ENGINES = {"local": local, "ray": on_ray}
