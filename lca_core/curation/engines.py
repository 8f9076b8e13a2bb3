"""Curating many items by the engines of `lca_core.engines`: items and a `Job` in, entries out, in any order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from lca_core import engines
from lca_core.curation.filters import Reason
from lca_core.curation.items import Entry, Job, curate_item, key_of, unknown_entry
from lca_core.engines import Done, Work


def local(items: Sequence[Path], job: Job, workers: int = 2) -> Iterator[Entry]:
    """Processes of this machine, one thread each."""
    for done in engines.local(_work(job), items, workers):
        yield entry_of(done, job)


def on_ray(items: Sequence[Path], job: Job, workers: int = 2, address: str | None = None) -> Iterator[Entry]:
    """A Ray cluster that sees `job.root` and `job.out` under these paths; address: of a running one (default: one is
    started here and ended after)."""
    for done in engines.on_ray(_work(job), items, workers, address):
        yield entry_of(done, job)


def _work(job: Job) -> Work:
    return Work(partial(curate_once, job=job), job.seconds)


def curate_once(item: Path, job: Job) -> str:
    """Curate an item and give its key; one that is through already (a block is done again) is left alone."""
    key = key_of(item, job.root)
    if not (job.work / f"{key}.json").exists():
        curate_item(item, job)
    return key


def entry_of(done: Done, job: Job) -> Entry:
    """The entry of an item; of one that hung or killed its process, an entry that says so."""
    if not done.died:
        return Entry.read(job.work / f"{done.result}.json")
    entry = unknown_entry(done.item, job, Reason("slow" if done.hung else "failed", f"Curating it {done.died}."))
    entry = replace(entry, seconds=round(done.seconds, 3), given=job.seconds if done.hung else 0.0)
    entry.write(job.work / f"{entry.key}.json")
    return entry


ENGINES = {"local": local, "ray": on_ray}
