"""Our numbers beside the paper's, as text for a terminal and as Markdown."""

from lca_core.evaluation.paper import NOTES, PAPER, TITLES, PaperValue
from lca_core.evaluation.records import METRICS, Record, show

WHAT_DIFFERS = (
    "Beside, not against: the paper's people, cameras and pictures are real, and it trains on 1,000,000 videos and "
    "2,737 people at 1024 px; ours are digital humans, a few hundred of them, at the profile named. What can be "
    "compared is the order of the rows, not the decibels. PSNR over the whole masked frame, mean over people."
)
_HEADER = ("table", "row", "domain", "paper, dB", "ours, dB", "95% interval", "people", "our record, and what differs")


def comparison(records: dict[str, Record], all_rows: bool = False) -> list[tuple[str, ...]]:
    """Rows of the table beside the paper's: table, row, domain, paper, ours, interval, people, note.

    A row's number is the record of exactly its id, or else the nearest one named in `paper.PAPER`, which the note
    then says. Rows that we have nothing for are left out unless `all_rows`.
    """
    rows = []
    for entry in PAPER:
        record, note = _ours(entry, records)
        if record is None and not all_rows:
            continue
        paper = "not known here" if entry.value is None else f"{entry.value:.3f}"
        ours = ("not measured yet", "", "")
        if record is not None:
            interval = "" if record.ci95 is None else f"{record.ci95[0]:.2f} to {record.ci95[1]:.2f}"
            ours = (f"{record.value:.2f}", interval, str(record.n_people))
        rows.append((f"Table {entry.table}", entry.method, entry.domain, paper, *ours, note))
    return rows


def _ours(entry: PaperValue, records: dict[str, Record]) -> tuple[Record | None, str]:
    if entry.id in records:
        record = records[entry.id]
        return record, f"{record.id} ({record.profile})"
    for id in entry.beside:
        if id in records:
            return records[id], f"{id} ({records[id].profile}): {entry.differs}"
    return None, ""


def comparison_text(records: dict[str, Record], all_rows: bool = False) -> str:
    """The comparison for a terminal: aligned columns, then what differs."""
    return f"{aligned(_HEADER, comparison(records, all_rows))}\n\n{WHAT_DIFFERS}\n"


def comparison_markdown(records: dict[str, Record], all_rows: bool = False) -> str:
    """The comparison as Markdown, one table for each of the paper's, then what differs."""
    parts = []
    rows = comparison(records, all_rows)
    for table, title in TITLES.items():
        members = [row[1:] for row in rows if row[0] == f"Table {table}"]
        if members:
            parts.append(f"**Table {table}: {title}**\n\n{_markdown(_HEADER[1:], members)}")
            parts += [NOTES[table]] if table in NOTES else []
    return "\n\n".join([*parts, WHAT_DIFFERS]) + "\n"


def metrics_rows(records: dict[str, Record]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of what we measured on test people: one row for each method and domain, one column for each
    metric; the last tells rows of today's weights from those of a commit, which saw other pictures. What was measured
    on validation people, to choose by, stands apart from it (results/README.md), and so do rows of experiments, which
    have tables of their own (notebook 08)."""
    records = {
        id: record for id, record in records.items()
        if record.protocol.get("people") != "validation" and "stages" not in record.protocol
    }  # fmt: skip
    columns = [name for name in METRICS if any(id.endswith(f"/{name}") for id in records)]
    groups: dict[str, dict[str, Record]] = {}
    for id, record in records.items():
        prefix, _, metric = id.rpartition("/")
        if prefix and metric in METRICS:
            groups.setdefault(prefix, {})[metric] = record
    arrows = [f"{name} {'up' if METRICS[name][1] else 'down'}" for name in columns]
    rows = []
    for prefix, members in groups.items():
        people = sorted({record.n_people for record in members.values()})
        cells = [show(members[name].value, members[name].unit) if name in members else "" for name in columns]
        rows.append((prefix, *cells, "-".join(map(str, people)), ", ".join(sorted({_of(r) for r in members.values()}))))
    return ("what", *arrows, "people", "of"), rows


def _of(record: Record) -> str:
    commit = record.provenance.get("commit")
    return f"commit {commit[:7]}" if record.kind == "frozen" and commit else "today"


def metrics_text(records: dict[str, Record]) -> str:
    """`metrics_rows` with aligned columns; "up" marks a metric of which more is better."""
    return aligned(*metrics_rows(records)) + "\n"


def metrics_markdown(records: dict[str, Record]) -> str:
    """`metrics_rows` as a Markdown table."""
    return _markdown(*metrics_rows(records)) + "\n"


def aligned(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table for a terminal: aligned columns under a header and a rule."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _markdown(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
