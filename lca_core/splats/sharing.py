"""Threads that share one kernel's work, and never wait for a thread that is not at work.

A picture takes a few milliseconds, in four or five steps that each need the one before. Where the steps are divided
evenly and all threads meet after each (OpenMP's static schedule, and so Numba's prange), a thread that shares its core
with a stranger holds everybody up, and those who wait for it by spinning keep the core it could go on with: one busy
neighbour on two cores then makes drawing some ten times slower. Here the pieces of work lie in one heap, of which every
thread takes the next as it is done with one; who calls works too, and goes on as soon as all pieces are done, whether
or not the helpers ever came. Waiting is sleeping.

Helpers are plain Python threads inside kernels that have let go of Python's lock. A forked process starts its own.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

import numba
import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lca_core.threads import available


@intrinsic
def _fetch_add(typing, counters, place, amount):
    """counters[place] += amount as one indivisible step; the value before it. An int64 array."""

    def generate(context, builder, signature, values):
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, values[0])
        pointer = cgutils.get_item_pointer(context, builder, kind, array, [values[1]], wraparound=False)
        return builder.atomic_rmw("add", pointer, values[2], ordering="seq_cst")

    return types.int64(counters, types.intp, types.int64), generate


@njit(cache=True, inline="always")
def first_piece(counters):
    """The number of a piece nobody has taken yet; -1 when there is none. Counters: taken, done, all."""
    piece = _fetch_add(counters, 0, 1)
    return piece if piece < counters[2] else -1


@njit(cache=True, inline="always")
def next_piece(counters):
    """The same, by who is done with a piece."""
    _fetch_add(counters, 1, 1)
    return first_piece(counters)


@njit(cache=True)
def _all_done(counters):
    return _fetch_add(counters, 1, 0) == counters[2]


@dataclass(frozen=True)
class _Work:
    kernel: Callable
    counters: np.ndarray
    arguments: tuple
    returned: SimpleQueue  # of helpers: None, or the error they came back with


def threads() -> int:
    """How many threads draw and skin: as many as torch uses (`lca_core.threads`), and no more than NUMBA_NUM_THREADS
    says."""
    return min(available(), numba.config.NUMBA_NUM_THREADS)


def share_out(kernel: Callable, pieces: int, *arguments) -> None:
    """kernel(counters, *arguments) by this thread and helpers together: back when all pieces are done.

    kernel: compiled with nogil; takes pieces 0 to `pieces` - 1 by `first_piece` and `next_piece` and writes for each of
    them where no other does, so that nothing depends on who does what. What it raises, in whatever thread, is raised.
    """
    counters = np.array([0, 0, pieces])
    helpers = min(threads(), pieces) - 1
    work = _Work(kernel, counters, arguments, SimpleQueue())
    if helpers > 0:
        _start(helpers)
        for _ in range(helpers):
            _heap.put(work)
    kernel(counters, *arguments)
    while not _all_done(counters):
        error = work.returned.get()  # a helper is in the middle of a piece: sleep, and leave it this core
        if error is not None:
            raise error


def _help(heap: SimpleQueue) -> None:
    while True:
        work = heap.get()
        if work.counters[0] < work.counters[2]:  # else it came too late
            error = None
            try:
                work.kernel(work.counters, *work.arguments)
            except BaseException as problem:
                error = problem
            work.returned.put(error)
        del work  # not to keep its arrays until the next one


def _start(helpers: int) -> None:
    global _started
    if _started < helpers:
        with _starting:
            while _started < helpers:
                threading.Thread(target=_help, args=(_heap,), daemon=True, name=f"splats-{_started}").start()
                _started += 1


def _alone() -> None:
    """No helpers, none starting, nothing to do: at first, and in a forked process, which has no threads but one."""
    global _heap, _started, _starting
    _heap, _started, _starting = SimpleQueue(), 0, threading.Lock()


_alone()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
