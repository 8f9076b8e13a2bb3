"""Many people drawn by processes or machines: a file each, resumable, and what happens when a process dies.

The path tracer's compiled kernels crash now and then (one in a few thousand pictures, not at the same one again), so
whoever draws many people expects deaths: a person is tried twice.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from lca_core.engines import Engine, Work, local
from lca_core.workers import ONE_THREAD


def draw_missing(
    folder: Path,
    what: str,
    seeds: Sequence[int],
    draw: Callable[[int, Path], None],
    workers: int = 2,
    progress: bool = True,
    engine: Engine = local,
    kind: str = "tar",
) -> list[Path]:
    """Files `<what>-<seed>.<kind>` of a folder, in the order of the seeds; those missing are drawn (see `drawing`)."""
    paths = [file_of(folder, what, seed, kind) for seed in seeds]
    with tqdm(desc=what, total=len(set(paths)), unit="person", disable=not progress) as bar:
        for _ in drawing(folder, what, seeds, draw, workers, engine, kind):
            bar.update()
    return paths


def drawing(
    folder: Path,
    what: str,
    seeds: Sequence[int],
    draw: Callable[[int, Path], None],
    workers: int,
    engine: Engine,
    kind: str = "tar",
) -> Iterator[int]:
    """Each seed as its file is there: first those that were, then, in any order, those that are drawn.

    draw(seed, path): writes one file, whole or not at all; a function that can be pickled. engine: `engines.local` or
    `on_ray`. RuntimeError when a person killed its process each time; what was drawn is kept.
    """
    missing = {int(seed): None for seed in seeds}
    for seed in [seed for seed in missing if file_of(folder, what, seed, kind).exists()]:
        del missing[seed]
        yield seed
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    work = Work(partial(_draw_once, folder=folder, what=what, draw=draw, kind=kind), None, prepare, ONE_THREAD)
    for done in engine(work, list(missing), workers=workers):
        if done.died:
            raise RuntimeError(
                f"drawing {what} person {done.item} {done.died}; what was drawn is kept: run again, with more memory "
                "if it ran out"
            )
        yield done.item


def file_of(folder: Path, what: str, seed: int, kind: str = "tar") -> Path:
    """Where a person's file is."""
    return folder / f"{what}-{int(seed):06d}.{kind}"


def prepare() -> None:
    """What a process does before it draws. Two of one thread draw quicker than one of two."""
    import torch

    torch.set_num_threads(1)
    from lca_core.people.stage.backend import mitsuba

    mitsuba()
    import drjit

    drjit.set_thread_count(1)


def _draw_once(seed: int, folder: Path, what: str, draw: Callable[[int, Path], None], kind: str) -> str:
    path = file_of(folder, what, seed, kind)
    if not path.exists():  # an engine may ask twice
        draw(seed, path)
    return path.name
