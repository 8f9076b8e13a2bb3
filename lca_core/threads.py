"""Torch's threads, and those that draw."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_set_aside = 0  # torch's threads, while torch computes on one of them


def available() -> int:
    """How many threads there are to draw with: torch's, or those that `torch_on_one_thread` keeps from torch."""
    return _set_aside or torch.get_num_threads()


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """For work of many small operations: torch computes on one thread, drawing keeps all.

    Shared out, an operation on some ten thousand numbers takes longer to hand round than to do, and much longer where
    another program is at work: fitting a body takes four times the processor time on two threads that it takes on one.
    """
    global _set_aside
    count, before = torch.get_num_threads(), _set_aside
    _set_aside = before or count
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)
        _set_aside = before
