"""The people of a row, as shards: those trained on, by domain, those judged, and their second clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lca_core.data.scaling import scaled_shards
from lca_core.engines import Done, Engine, local
from lca_core.evaluation.drawn_people import cached_drawings
from lca_core.evaluation.protocols import SECOND
from lca_core.experiments.abilities import ABILITIES, DRAWINGS
from lca_core.experiments.experiment import JUDGED, Experiment, sizes_of
from lca_core.people.domains.production import cached_people

WITH_TRUTH = ("relit", "relit_held_out", "garment")  # lights that train and judge; parts and depths of cloth


class NotDrawn(Exception):
    """People of a row are not in the cache."""


@dataclass(frozen=True)
class Shards:
    """One person each, as drawn: `trained` by domain, `judged` of both domains; `second`: second clips of those;
    `shown`: by domain, those by whom an ability is judged instead."""

    trained: dict[str, list[Path]]
    judged: list[Path]
    second: list[Path]
    shown: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def all_judged(self) -> list[Path]:
        """Everything that judging reads."""
        return [*self.judged, *self.second, *(path for paths in self.shown.values() for path in paths)]


def shards_of(row: Experiment, workers: int = 2, progress: bool = True, engine: Engine = local) -> Shards:
    """The shards of a row, drawn where they are missing (2 s a person on a core)."""
    sizes = sizes_of(row)
    drawn_at = sizes.reads or sizes

    def drawn(seeds: range, domain: str) -> list[Path]:
        if domain == DRAWINGS:
            return cached_drawings(seeds, drawn_at, workers, progress, engine=engine)
        truth = domain in WITH_TRUTH
        return cached_people(seeds, domain, drawn_at, workers, truth, progress=progress, engine=engine)

    trained = {domain: drawn(row.people.seeds(domain), domain) for domain in row.domains}
    if row.ability:
        domains = ABILITIES[row.ability].domains
        return Shards(trained, [], [], {domain: drawn(row.people.judged_seeds, domain) for domain in domains})
    judged, second = (
        [path for domain in domains for path in drawn(row.people.judged_seeds, domain)]
        for domains in (JUDGED, SECOND.values())
    )
    return Shards(trained, judged, second)


def shards_there(row: Experiment) -> Shards:
    """The same without drawing anybody; `NotDrawn` where somebody is missing."""
    return shards_of(row, progress=False, engine=_nobody)


def _nobody(work, items: Sequence, workers: int) -> Iterator[Done]:
    raise NotDrawn(f"{len(items)} people")
    yield


def at_size(shards: Sequence[Path], row: Experiment) -> list[Path]:
    """The shards with pictures of the row's profile: scaled down where it reads another's."""
    sizes = sizes_of(row)
    return scaled_shards(shards, sizes) if sizes.reads else list(shards)
