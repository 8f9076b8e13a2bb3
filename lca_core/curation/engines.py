"""Who does the work of a collection: processes of this machine, or a Ray cluster. Both call the same function.

An engine takes items and a `Job` and gives entries as they come, in any order. Items are done by `workers.Worker`s, so
one that hangs or kills its process costs that process and becomes an entry that says so.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from lca_core.curation.filters import Reason
from lca_core.curation.items import Entry, Job, curate_item, key_of, unknown_entry
from lca_core.curation.workers import SECONDS, Worker, WorkerDied, in_workers

BLOCKS = 100  # that a Ray worker's items come in


def local(items: Sequence[Path], job: Job, workers: int = 2, seconds: float = SECONDS) -> Iterator[Entry]:
    """Processes of this machine, one thread each."""
    return in_workers(partial(curate_item, job=job), partial(attempt, job=job), items, workers, seconds)


def attempt(worker: Worker, item: Path, job: Job) -> Entry:
    """The entry of an item; of one that hangs or kills the worker, an entry that says so."""
    started = time.perf_counter()
    try:
        return worker.ask(item)
    except WorkerDied as error:
        entry = unknown_entry(item, job, Reason("failed", f"Curating it {error}."))
        entry = replace(entry, seconds=round(time.perf_counter() - started, 3))
        entry.write(job.work / f"{entry.key}.json")
        return entry


def on_ray(
    items: Sequence[Path], job: Job, workers: int = 2, seconds: float = SECONDS, address: str | None = None
) -> Iterator[Entry]:
    """A Ray cluster: `workers` stateful actors, each with a `Worker` that keeps its networks.

    `job.root` and `job.out` must be seen by all machines under these paths. Rows are one item each and hold nothing but
    paths, so memory stays bounded; an actor or machine that dies is replaced and its items are done again, with the
    same outcome in the same files. address: of a running cluster (default: one is started here and ended after).
    """
    import ray

    begun = not ray.is_initialized()
    if begun:
        ray.init(
            address=address, num_cpus=None if address else workers, include_dashboard=False, log_to_driver=False,
            logging_level="error", configure_logging=True,
        )  # fmt: skip
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        blocks = min(len(items), BLOCKS * workers)
        rows = ray.data.from_items([{"item": str(item)} for item in items], override_num_blocks=blocks)
        # half a core each: the pool's other half goes to Ray's own tasks, which otherwise wait for ever
        actors = ray.data.ActorPoolStrategy(size=workers)
        curated = rows.map(RayCurator, fn_constructor_args=(job, seconds), compute=actors, num_cpus=0.5)
        for row in curated.iter_rows():
            yield Entry.read(job.work / f"{row['key']}.json")
    finally:
        if begun:
            ray.shutdown()


class RayCurator:
    """An actor's state: a worker, kept from item to item."""

    def __init__(self, job: Job, seconds: float):
        self._job = job
        self._worker = Worker(partial(curate_item, job=job), seconds)

    def __call__(self, row: dict) -> dict:
        """{"item": path} to {"key": of its entry}; what is through already (a block is done again) is left alone."""
        key = key_of(Path(row["item"]), self._job.root)
        if not (self._job.work / f"{key}.json").exists():
            attempt(self._worker, Path(row["item"]), self._job)
        return {"key": key}


ENGINES = {"local": local, "ray": on_ray}
