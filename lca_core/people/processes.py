"""Processes that draw: how many there are, how they end, and what happens when one dies.

The path tracer's compiled kernels crash now and then (one in a few thousand pictures, not at the same one again), so
whoever draws many people expects deaths.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path

from tqdm.auto import tqdm


def pool(workers: int) -> ProcessPoolExecutor:
    """Processes of one thread each: two of one thread draw quicker than one of two. They end with this process,
    killed or not."""
    return ProcessPoolExecutor(workers, get_context("spawn"), _single_threaded)


def draw_missing(
    folder: Path,
    what: str,
    seeds: Sequence[int],
    draw: Callable[[int, Path], None],
    workers: int = 2,
    progress: bool = True,
) -> list[Path]:
    """Files `<what>-<seed>.tar` of a folder, in the order of the seeds; those missing are drawn in processes.

    draw(seed, path): writes one file, whole or not at all; it must be a function that can be pickled. RuntimeError when
    processes die twice with nothing drawn in between; what was drawn is kept.
    """
    paths = {int(seed): folder / f"{what}-{int(seed):06d}.tar" for seed in seeds}
    deaths = 0
    with tqdm(desc=what, total=len(paths), unit="person", disable=not progress) as bar:
        while waiting := [(seed, path) for seed, path in paths.items() if not path.exists()]:
            bar.update(len(paths) - len(waiting) - bar.n)
            try:
                with pool(workers) as processes:
                    for _ in processes.map(draw, *zip(*waiting)):
                        bar.update()
            except BrokenProcessPool as error:
                deaths = deaths + 1 if not any(path.exists() for _, path in waiting) else 0
                if deaths == 2:
                    raise RuntimeError(
                        f"drawing {what} person {waiting[0][0]} (or one just after) killed its process twice; what "
                        "was drawn is kept: run again, with more memory if it ran out"
                    ) from error
        bar.update(len(paths) - bar.n)
    return [paths[int(seed)] for seed in seeds]


def _single_threaded() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    from lca_core.people.backend import mitsuba

    mitsuba()
    import drjit

    drjit.set_thread_count(1)


def _end_with_parent() -> None:
    wait([parent_process().sentinel])  # without it, the process would wait for work for ever
    os._exit(1)
