"""All runs of many rows, one after another, and their records: what `python -m lca_core experiments` does."""

import sys
from collections.abc import Sequence
from pathlib import Path

from lca_core.evaluation.records import Record
from lca_core.evaluation.results_page import write_results_readme
from lca_core.evaluation.tables import aligned
from lca_core.experiments.experiment import Experiment
from lca_core.experiments.people import shards_of
from lca_core.experiments.results import recorded_values, records_of, values_of, write_changed
from lca_core.experiments.runs import FOLDER, Outcome, run, state_of
from lca_core.experiments.table import TABLE, keeper_of
from lca_core.paths import RECORDS


def listing(rows: Sequence[Experiment], root: Path = FOLDER) -> str:
    """A line a run: its row, profile, stages, people and what has become of it."""
    header = ("experiment", "seed", "profile", "stages", "trained on", "judged", "state")
    lines = []
    for row in rows:
        stages = " + ".join(_told(row, number) for number in range(len(row.stages)))
        judged = f"{row.people.judged} {row.people.split}"
        for seed in row.seeds:
            lines.append((row.name, str(seed), row.profile, stages, row.trained_on, judged, state_of(row, seed, root)))
    return aligned(header, lines)


def _told(row: Experiment, number: int) -> str:
    """A stage, and as whose it is trained."""
    stage, keeper = row.stages[number], keeper_of(row, number)
    return f"{stage.name} {stage.steps}" + (f" of {keeper}" if keeper != row.name else "")


def make(
    rows: Sequence[Experiment], root: Path = FOLDER, records: Path | None = RECORDS, workers: int = 2
) -> list[Record]:
    """Run what of these rows is not done, and give their records.

    records: folder they are written to as each row is through, and again where the row they are compared with came
    later (None: nowhere). What is done already is neither run nor written again.
    """
    outcomes: dict[str, dict[int, Outcome]] = {}
    for row in rows:
        shards = shards_of(row, workers)
        outcomes[row.name] = {}
        for seed in row.seeds:
            state = state_of(row, seed, root)
            print(f"{row.name}, seed {seed}: {row.what}; {state}", file=sys.stderr, flush=True)
            outcomes[row.name][seed] = run(row, seed, shards, root)
        _keep([row], outcomes, records)
    return _keep(rows, outcomes, records)


def _keep(rows: Sequence[Experiment], outcomes: dict, folder: Path | None) -> list[Record]:
    made = [r for row in rows for r in records_of(row, outcomes[row.name], _against(row, outcomes, folder))]
    if folder is not None and write_changed(made, folder) and folder == RECORDS:
        write_results_readme()
    return made


def _against(row: Experiment, outcomes: dict, folder: Path | None) -> dict | None:
    """Values of the row that this one is compared with: of its runs, or else of its records."""
    if not row.against:
        return None
    other = TABLE[row.against]
    if other.name in outcomes:
        return values_of(row, list(outcomes[other.name].values()))
    return recorded_values(other, folder or RECORDS)
