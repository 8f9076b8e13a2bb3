"""Rows of an experiment beside one of them: paired differences with their intervals, drawn from records."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lca_core.errors import InputError
from lca_core.evaluation.figures.style import GREY, KINDS, styled
from lca_core.evaluation.records import METRICS, Record
from lca_core.evaluation.verdicts import paired
from lca_core.judges.summaries import Summary

DOMAINS = ("studio", "wild")


def differences(
    records: Mapping[str, Record], rows: Mapping[str, str], to: str, metric: str = "psnr"
) -> dict[tuple[str, str], Summary]:
    """(row, domain) -> how much more the row has of a metric than row `to`, person by person.

    rows: of records (`table1/mixed`), with the names they have in the figure. InputError where one is not recorded.
    """
    ids = [f"{row}/{domain}/{metric}" for row in (*rows, to) for domain in DOMAINS]
    if missing := [id for id in ids if id not in records]:
        raise InputError(f"there is no record of {', '.join(missing)}; run `python -m lca_core experiments` for it")
    return {
        (row, domain): paired(records[f"{row}/{domain}/{metric}"], records[f"{to}/{domain}/{metric}"])
        for row in rows
        for domain in DOMAINS
    }


def differences_figure(records: Mapping[str, Record], rows: Mapping[str, str], to: str, metric: str = "psnr") -> Figure:
    """The differences as points with 95% intervals over people, a line a row; a row left of the zero line has less than
    row `to`. Arguments and errors as `differences`'."""
    found = differences(records, rows, to, metric)
    with styled():
        figure, axis = plt.subplots(figsize=(6.4, 0.8 + 0.42 * len(rows)))
        for number, row in enumerate(rows):
            for shift, domain, (mark, line, tone) in zip((-0.14, 0.14), DOMAINS, KINDS):
                less = found[row, domain]
                low, high = less.ci95 or (less.value, less.value)
                axis.plot([low, high], [number + shift] * 2, ls=line, color=tone, lw=1.4)
                axis.plot(less.value, number + shift, mark, color=tone, label=domain if number == 0 else None)
        axis.axvline(0, color=GREY, lw=0.8)
        axis.set_yticks(range(len(rows)), list(rows.values()))
        axis.set_ylim(len(rows) - 0.5, -0.5)
        unit = METRICS[metric][0]
        axis.set_xlabel(f"{metric} less that of {to}" + (f", {unit}" if unit else ""))
        axis.grid(axis="x", color=GREY, alpha=0.3)
        axis.legend(loc="best")
        figure.tight_layout()
    return figure


def alt_of(records: Mapping[str, Record], rows: Mapping[str, str], to: str, metric: str = "psnr") -> str:
    """The sentences for who cannot see the figure."""
    told = []
    for (row, domain), less in differences(records, rows, to, metric).items():
        interval = f" ({less.ci95[0]:+.2f} to {less.ci95[1]:+.2f})" if less.ci95 else ""
        told.append(f"{rows[row]}, {domain}: {less.value:+.2f}{interval}")
    return f"Points with 95% intervals: {metric} less that of {to}, person by person. {'; '.join(told)}."
