"""What the commands `evaluate` and `verify` print."""

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lca_core.data import Person, read_people
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import Values, evaluate_people, to_records
from lca_core.evaluation.records import write_record
from lca_core.evaluation.results_page import write_results_readme
from lca_core.evaluation.sheets import people_sheet
from lca_core.evaluation.sources import require_clean_tree, sha256
from lca_core.evaluation.tables import comparison_text, metrics_text
from lca_core.evaluation.verify import Verdict
from lca_core.judges.summaries import summarise
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.release import RELEASE, TEMPLATE
from lca_core.training import load_template
from lca_core.viewer.figures import save_picture


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
    second: Path | str | None = None,
) -> str:
    """Evaluate a checkpoint (default: the release) on every person of a folder; returns a table or JSON as text.

    Pictures larger than those of the weights are scaled down to be looked at (`data.scaling.at_sizes`); what avatars
    are judged on stays as large as it is.
    write: keep the numbers as records in results/ and renew results/README.md; InputError, before anything is measured,
    where files are not committed or the weights are not the release, which these records are of. sheet: a PNG or JPEG
    to draw the first `sheet_people` people into. encoder: the folder of a pretrained image encoder, where the weights
    were trained with one. second: a folder of second clips of these people, which are what they are judged on.
    """
    if sheet and (Path(sheet).suffix.lower() not in (".png", ".jpg", ".jpeg") or sheet_people < 1):
        raise InputError(f"{sheet}: a sheet is a .png or .jpg of one person or more; give another --sheet")
    checkpoint = Path(checkpoint or RELEASE)
    if write:
        require_clean_tree()
        if sha256(checkpoint) != sha256(RELEASE):
            raise InputError(
                f"{checkpoint} is not the release, and records called release/ are of {RELEASE.name}; leave --record "
                "out, or ship these weights first"
            )
    model, meta = load_release(checkpoint)
    encoder = encoder_of(meta, encoder)
    template = load_template(TEMPLATE, model) if baselines else None
    people = list(read_people(data))
    clips = {} if second is None else _second_clips(second, people)
    results = evaluate_people(people, model, encoder, template, n_inputs, total=len(people), seconds=clips)
    if write:
        command = recording_command(people, data, model.profile.name, n_inputs, baselines, bool(clips))
        more = {"template": TEMPLATE if baselines else None, "manifest": _manifest(data)}
        more["second"] = next(iter(clips.values())).domain if clips else ""
        for record in to_records(results, checkpoint, model.profile.name, command, n_inputs, **more):
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


def _second_clips(folder: Path | str, people: Sequence[Person]) -> dict[int, Person]:
    """Second clips by seed; InputError where one of these people has none."""
    clips = {clip.seed: clip for clip in read_people(folder)}
    missing = [person.id for person in people if person.seed not in clips]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(f"{folder} has no second clip of {', '.join(missing[:3])}{more}; draw them (domain wild2)")
    return clips


def recording_command(
    people: list[Person], data: Path | str, profile: str, n_inputs: int, baselines: bool, second: bool = False
) -> str:
    """A command that runs in a clone and records the same again; it draws digital humans first."""
    seeds, domains = [person.seed for person in people], {person.domain for person in people}
    folder, draw = Path(data).name, ""
    if None not in seeds and len(domains) == 1:
        folder = f"build/recorded/{domains.pop()}-{profile}"
        domain = Path(folder).name.removesuffix(f"-{profile}")
        listed = f"--first {min(seeds)} --count {len(seeds)}"
        if sorted(seeds) != list(range(min(seeds), min(seeds) + len(seeds))):
            listed = f"--seeds {' '.join(map(str, sorted(seeds)))}"
        draw = f"python -m lca_core people --domain {domain} --profile {profile} {listed} --out {folder} && "
        if second:
            draw += draw.replace(f"--domain {domain} ", f"--domain {domain}2 ").replace(folder, f"{folder}-second")
    more = " --baselines" * baselines + f" --second {folder}-second" * second
    return f"{draw}python -m lca_core evaluate --data {folder} --inputs {n_inputs}{more} --record"


def _manifest(data: Path | str) -> Path | None:
    path = Path(data, "croissant.json")
    return path if path.exists() else None


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


def verification_text(verdict: Verdict) -> str:
    """What was measured again, by line; what is owed, left out or wrong, by name; our table beside the paper's."""
    lines = []
    if verdict.checks:
        lines.append(f"{'record':40}{'recorded':>10}{'measured':>10}{'people':>8}  within")
    for c in sorted(verdict.checks, key=lambda c: c.id):
        within = f"{'x' if c.factor else ''}{c.tolerance:.3g}" + ("" if c.holds else "  NO")
        lines.append(f"{c.id:40}{c.recorded:10.4g}{c.measured:10.4g}{c.people or '':>8}  {within}")
    owed: dict[str, list[str]] = {}
    for id, found in verdict.debts.items():
        for debt in found:
            owed.setdefault(debt, []).append(id)
    for debt, ids in owed.items():
        lines += ["", f"to be recorded again, {debt} ({len(ids)}):", *_listed(ids)]
    if verdict.unmeasured:
        left = Counter(id.split("/")[0] for id in verdict.unmeasured)
        lines += ["", f"not measured this time ({len(verdict.unmeasured)}; make verify FULL=1 measures all):"]
        lines += _listed([f"{group} {count}" for group, count in left.items()])
    lines += ["", metrics_text(verdict.read), "", comparison_text(verdict.read), ""]
    records = verdict.read.values()
    recomputed, frozen = sum(bool(r.per_person) for r in records), sum(r.kind == "frozen" for r in records)
    lines.append(
        f"{len(records)} records: hashes of all checked, {recomputed} recomputed from their people's values, "
        f"{len(verdict.checks)} measured again, {frozen} frozen at their commits, {len(verdict.debts)} to be made again"
    )
    if not verdict.read:
        lines.append("FAILED: there are no records")
    for id, found in sorted(verdict.faults.items()):
        lines += [f"FAILED {id}: {fault}" for fault in found]
    return "\n".join(lines)


def _listed(ids: list[str]) -> list[str]:
    return textwrap.wrap(", ".join(ids), 118, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
