"""How a metric grows with the people pretrained on (the paper's Table 3 and Figure 4), drawn from records."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lca_core.errors import InputError
from lca_core.evaluation.figures.style import GREY, KINDS, styled
from lca_core.evaluation.records import METRICS, Record

SHARES = {"sixteenth": 1 / 16, "quarter": 1 / 4, "all": 1.0}
DOMAINS = ("studio", "wild")


def scale_figure(records: Mapping[str, Record], metric: str = "psnr") -> Figure:
    """Means and 95% intervals over people, by the share of the wild people; one line a domain.

    InputError where a row of Table 3 is not recorded.
    """
    ids = [f"table3/{name}/{domain}/{metric}" for name in SHARES for domain in DOMAINS]
    if missing := [id for id in ids if id not in records]:
        raise InputError(f"there is no record of {', '.join(missing)}; run `python -m lca_core experiments` for it")
    with styled():
        figure, axis = plt.subplots(figsize=(4.2, 3))
        for domain, (mark, line, tone) in zip(DOMAINS, KINDS):
            mine = [records[f"table3/{name}/{domain}/{metric}"] for name in SHARES]
            ends = [record.ci95 or (record.value, record.value) for record in mine]
            values = [record.value for record in mine]
            below_above = [[v - e[0] for v, e in zip(values, ends)], [e[1] - v for v, e in zip(values, ends)]]
            axis.errorbar(list(SHARES.values()), values, below_above, marker=mark, ls=line, color=tone, capsize=3,
                          label=domain)  # fmt: skip
        axis.set_xscale("log", base=2)
        axis.set_xticks(list(SHARES.values()), [f"a {n}" if n != "all" else n for n in SHARES])
        axis.minorticks_off()
        unit = METRICS[metric][0]
        axis.set(xlabel="share of the wild people pretrained on", ylabel=f"{metric}, {unit}" if unit else metric)
        axis.grid(axis="y", color=GREY, alpha=0.3)
        axis.legend()
        figure.tight_layout()
    return figure


def alt_of(records: Mapping[str, Record], metric: str = "psnr") -> str:
    """The sentences for who cannot see the figure."""
    told = "; ".join(
        f"{domain}: " + ", ".join(f"{n} {records[f'table3/{n}/{domain}/{metric}'].value:.2f}" for n in SHARES)
        for domain in DOMAINS
    )
    return (
        f"Lines of {metric} over the share of wild people that pretraining saw, with 95% intervals over people. {told}."
    )
