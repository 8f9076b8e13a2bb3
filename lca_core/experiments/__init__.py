"""Experiments: one table, runs that resume, records with intervals of paired differences."""

from lca_core.experiments.experiment import Experiment, People, Stage
from lca_core.experiments.making import listing, make
from lca_core.experiments.results import held_to_records, report
from lca_core.experiments.runs import run, state_of
from lca_core.experiments.table import TABLE, chosen

__all__ = ["TABLE", "Experiment", "People", "Stage", "chosen", "held_to_records", "listing", "make", "report", "run",
           "state_of"]  # fmt: skip
