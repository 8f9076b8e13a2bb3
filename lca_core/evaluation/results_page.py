"""results/README.md, generated from the records."""

from collections import Counter
from pathlib import Path

from lca_core.evaluation.checks import debts_of
from lca_core.evaluation.records import KINDS, Record, read_records, show
from lca_core.evaluation.verdicts import verdicts_markdown
from lca_core.paths import RESULTS, atomic_path

_WHAT = {
    "live": "measured with the shipped weights and today's code; `make verify` measures a sample of them again, "
    "`make verify FULL=1` all",
    "frozen": "made by weights and code of the commit that the record names; hashes are checked, and its command "
    "begins by checking that commit out",
    "timing": "a speed, judged by its ratio to a yardstick measured in the same run",
}


def results_readme(records: dict[str, Record]) -> str:
    """What the records say of the paper's claims, what kinds of records there are and what they owe, then a table for
    each first part of the ids."""
    kinds = Counter(record.kind for record in records.values())
    lines = [
        "# Results",
        "",
        "Generated from the records in `records/` (one JSON file a number, with its protocol, tolerance and",
        "provenance); don't edit. `make verify` recomputes means from their people's own values, checks hashes,",
        "measures again and compares. The people are digital humans that training never saw; intervals are 95%",
        "bootstrap intervals over people. The paper's values were measured on other data (real people, its own",
        "cameras) at another scale: beside ours, not against ours.",
        "",
        "## What holds of the paper",
        "",
        "By differences between our own rows on the same people, one person against the same one: a claim holds here",
        "where the whole interval says so, and cannot be told where zero lies in it. That tells of digital humans at",
        "the sizes of a laptop, not whether the paper is right.",
        "",
        verdicts_markdown(records),
        "",
        "## The records",
        "",
        "| kind | records | what it is |",
        "|---|---|---|",
        *(f"| {kind} | {kinds[kind]} | {_WHAT[kind]} |" for kind in KINDS),
        *_debts(records),
    ]
    groups: dict[str, list[Record]] = {}
    for record in records.values():
        groups.setdefault(record.id.split("/")[0], []).append(record)
    for group, members in groups.items():
        lines += ["", f"## {group}", ""]
        lines.append("| record | value | 95% interval | people | pictures | profile | paper | kind |")
        lines.append("|---|---|---|---|---|---|---|---|")
        for r in members:
            interval = "" if r.ci95 is None else " to ".join(show(end, r.unit) for end in r.ci95)
            paper = "" if r.paper is None else show(r.paper, r.unit)
            link = f"[{r.id}](records/{r.id}.json)"
            people, pictures = (str(n or "") for n in (r.n_people, r.n_frames))  # speeds have none
            cells = (link, show(r.value, r.unit), interval, people, pictures, r.profile, paper, r.kind)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _debts(records: dict[str, Record]) -> list[str]:
    """How many records were made without something that a new one must have, and which."""
    owed: dict[str, list[str]] = {}
    for record in records.values():
        for debt in debts_of(record):
            owed.setdefault(debt, []).append(record.id)
    if not owed:
        return []
    count = len({id for ids in owed.values() for id in ids})
    lines = ["", f"{count} of {len(records)} records are older than these rules and were made without something that a",
             "new one must have; verify names them until they are recorded again:", ""]  # fmt: skip
    for debt, ids in owed.items():
        lines.append(f"- {debt} ({len(ids)}): " + ", ".join(ids))
    return lines


def write_results_readme(results: Path | str = RESULTS) -> Path:
    """Write <results>/README.md from <results>/records and return its path."""
    path = Path(results, "README.md")
    text = results_readme(read_records(Path(results, "records")))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
