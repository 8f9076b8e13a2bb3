"""What the commands `evaluate` and `verify` print."""

import json
from pathlib import Path

import numpy as np

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import RELEASE, TEMPLATE, Values, evaluate_people, load_release, to_records
from lca_core.evaluation.metrics import summarise
from lca_core.evaluation.records import read_records, write_record, write_results_readme
from lca_core.evaluation.sheets import people_sheet
from lca_core.evaluation.tables import comparison_text, metrics_text
from lca_core.evaluation.verify import Check
from lca_core.model import encoder_of
from lca_core.training import load_template
from lca_core.viewer import save_picture


def evaluate_folder(
    data: Path | str,
    checkpoint: Path | str | None = None,
    n_inputs: int = 4,
    baselines: bool = False,
    as_json: bool = False,
    write: bool = False,
    sheet: Path | str | None = None,
    sheet_people: int = 4,
    encoder: Path | str | None = None,
) -> str:
    """Evaluate a checkpoint (default: the release) on every person of a folder; returns a table or JSON as text.

    write: keep the numbers as records in results/ and renew results/README.md. sheet: a PNG or JPEG to draw the first
    `sheet_people` people into. encoder: the folder of a pretrained image encoder, where the weights were trained with
    one.
    """
    if sheet and (Path(sheet).suffix.lower() not in (".png", ".jpg", ".jpeg") or sheet_people < 1):
        raise InputError(f"{sheet}: a sheet is a .png or .jpg of one person or more; give another --sheet")
    checkpoint = Path(checkpoint or RELEASE)
    model, meta = load_release(checkpoint)
    encoder = encoder_of(meta, encoder)
    template = load_template(TEMPLATE, model) if baselines else None
    people = list(read_people(data))
    results = evaluate_people(people, model, encoder, template, n_inputs, total=len(people))
    if write:
        command = (
            f"python -m lca_core evaluate --data DATA --inputs {n_inputs}" + (" --baselines" * baselines) + " --record"
        )
        for record in to_records(results, checkpoint, model.profile.name, command, n_inputs):
            write_record(record)
        write_results_readme()
    if sheet:
        save_picture(people_sheet(people[:sheet_people], model, encoder, n_inputs=n_inputs, refined=baselines), sheet)
    rows = summaries(results)
    if as_json:
        return json.dumps(rows, indent=1)
    lines = [f"{'method':24}{'domain':8}{'metric':20}{'value':>9}{'95% interval':>20}{'people':>8}"]
    for row in rows:
        low, high = row["ci95"] or (row["value"], row["value"])
        interval = f"{low:.3f} to {high:.3f}"
        lines.append(
            f"{row['method']:24}{row['domain']:8}{row['metric']:20}{row['value']:9.3f}{interval:>20}{row['n_people']:8}"
        )
    return "\n".join(lines)


def summaries(results: dict[str, Values]) -> list[dict]:
    """One row a method, domain and metric, with intervals and people's own values."""
    rows = []
    for domain, methods in results.items():
        for method, metrics in methods.items():
            for metric, values in metrics.items():
                s = summarise(values, np.random.default_rng(0))
                rows.append({
                    "method": method, "domain": domain, "metric": metric, "value": round(s.value, 6), "ci95": s.ci95,
                    "n_people": s.n_people, "n_frames": s.n_frames, "per_person": s.per_person,
                })  # fmt: skip
    return rows


def verification_text(checks: list[Check]) -> str:
    """The checks line by line, our metrics, and our table beside the paper's."""
    lines = [f"{'record':40}{'recorded':>10}{'measured':>10}{'people':>8}  within"]
    for c in sorted(checks, key=lambda c: c.id):
        verdict = f"{c.tolerance:g}" if c.holds else f"{c.tolerance:g}  NO"
        lines.append(f"{c.id:40}{c.recorded:10.3f}{c.measured:10.3f}{c.people:8}  {verdict}")
    records = read_records()
    return "\n".join([*lines, "", metrics_text(records), "", comparison_text(records)])
