"""The report page: what a collection holds, what the filters cost, and pictures of what was kept and dropped.

One HTML file with all in it, without scripts. The template (report.html) escapes whatever it is given; here is what
it is given.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from PIL import Image

from lca_core.curation import histograms
from lca_core.curation.filters import KINDS, Limits
from lca_core.curation.identity import SPLITS
from lca_core.curation.items import Entry, Job
from lca_core.curation.measures import count_kinds, counted, measures_of, readable, unstated, values_of

KEPT_SHOWN, DROPPED_SHOWN = 60, 12  # pictures: of kept items, and of those dropped for one kind of reason
LEFT_OUT_SHOWN = 200  # names
MILLION, DAY = 1_000_000, 86_400


def page(entries: Sequence[Entry], job: Job, name: str, left_out: Mapping[Path, str]) -> str:
    """The page as HTML; strips are read from `job.work` where there are any. left_out: path -> why it is no item."""
    kept = [entry for entry in entries if entry.keep]
    pictures = f"at most {counted(job.most, 'picture')} of a clip, {job.rate:g} a second"
    return _template().render(
        title=name, settings=f"Curated by lca_core: profile {job.profile}, {pictures}", unstated=unstated(job),
        tiles=_tiles(entries, kept), million=_million(entries, job), splits=_splits(kept),
        terms={"licence": job.licence, "consent": job.consent, "input": job.root.resolve().name},
        bars=_bars(entries, kept), charts=_charts(entries, job.limits), width=histograms.WIDTH, base=histograms.BASE,
        kept=_kept(kept, job), dropped=_dropped(entries, job), at_most=DROPPED_SHOWN,
        left_out=_left_out(job, left_out), photographs=_left_out_photographs(entries),
    )  # fmt: skip


@cache
def _template() -> Template:
    """Escapes all it is given, and makes it readable first: names of files need not be valid."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_finalize,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template("report.html")


def _finalize(value: object) -> object:
    return readable(value) if type(value) is str else value  # not what is marked as safe HTML, a str of another kind


def _tiles(entries: Sequence[Entry], kept: Sequence[Entry]) -> list[tuple[str, str]]:
    """(number, words) of each."""
    people, pictures = len({entry.identity for entry in kept}), sum(entry.kept for entry in kept)
    seconds = sum(entry.seconds for entry in entries)
    share = f"kept, {len(kept) / len(entries):.0%} of them" if entries else "kept"
    return [
        (f"{len(entries):,}", "items"), (f"{len(kept):,}", share), (f"{people:,}", "people"),
        (f"{pictures:,}", "pictures kept"), (_duration(seconds), "of computing"),
    ]  # fmt: skip


def _million(entries: Sequence[Entry], job: Job) -> str:
    """What a million such items would take."""
    if not entries:
        return "There are no items."
    days = sum(entry.seconds for entry in entries) / len(entries) * MILLION / DAY
    sizes = [path.stat().st_size for e in entries if e.keep and (path := job.work / f"{e.key}.tar").is_file()]
    kept = sum(entry.keep for entry in entries) / len(entries)
    disk = f", and {_size(np.mean(sizes) * kept * MILLION)} for the records of the {kept:.0%} kept" if sizes else ""
    return f"{MILLION:,} such items would take {days:,.3g} core-days{disk}."


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _size(count: float) -> str:
    power = min(int(np.log10(max(count, 1)) / 3), 4)
    return f"{count / 1000**power:,.0f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def _splits(kept: Sequence[Entry]) -> list[tuple[str, int, int, int]]:
    """(split, items, people, pictures) of each."""
    inside = {split: [entry for entry in kept if entry.split == split] for split in SPLITS}
    return [
        (split, len(entries), len({entry.identity for entry in entries}), sum(entry.kept for entry in entries))
        for split, entries in inside.items()
    ]


def _bars(entries: Sequence[Entry], kept: Sequence[Entry]) -> list[dict]:
    """What was kept, then each kind of reason: words, link ("" for none), count and share of all."""
    if not entries:
        return []
    shown = set(_groups(entries))
    counts = [("kept", "kept", len(kept))]
    for kind, count in count_kinds(entries).items():
        counts.append((KINDS.get(kind, kind), f"kind-{kind}" if kind in shown else "", count))
    return [{"words": w, "link": link, "count": n, "share": n / len(entries)} for w, link, n in counts]


def _charts(entries: Sequence[Entry], limits: Limits) -> list[dict]:
    charts = []
    for name, measure in measures_of(entries).items():
        kept, dropped = (values_of([e for e in entries if e.keep == keep], name) for keep in (True, False))
        drawing = histograms.histogram(kept, dropped, measure.limits(limits), measure.form.format)
        charts.append({"words": measure.words, "kept": len(kept), "dropped": len(dropped), "drawing": drawing})
    return charts


def _kept(kept: Sequence[Entry], job: Job) -> dict:
    """some: how many are shown; figures: of them."""
    shown = _spread(sorted(kept, key=lambda e: (-1 if e.identity is None else e.identity, e.file)), KEPT_SHOWN)
    some = "all of them" if len(shown) == len(kept) else f"{len(shown)} of {len(kept):,}, spread evenly over the people"
    return {"some": some, "figures": [_figure(entry, job, soft=_facts(entry)) for entry in shown]}


def _facts(entry: Entry) -> str:
    facts = [f"person {entry.identity}", f"{entry.split}", f"{entry.kept} of {entry.frames} pictures kept"]
    if "face_px" in entry.measures:
        facts.append(f"face {entry.measures['face_px']:.0f} px")
    if "fit_error" in entry.measures:
        facts.append(f"fit error {entry.measures['fit_error']:.1%}")
    return " · ".join(facts)


def _dropped(entries: Sequence[Entry], job: Job) -> list[dict]:
    """A group for each kind of reason; each of its pairs is an item and, of a copy, the original (else None)."""
    by_key, groups = {entry.key: entry for entry in entries}, []
    for kind, group in _groups(entries).items():
        shown, pairs = _spread(group, DROPPED_SHOWN), []
        some = counted(len(group), "item") + (f", {len(shown)} of them shown" if len(shown) < len(group) else "")
        for entry in shown:
            figure, original = _figure(entry, job, [r.text for r in entry.reasons]), by_key.get(entry.original or "")
            pairs.append((figure, original and _figure(original, job, soft="the original, kept")))
        groups.append({"kind": kind, "words": KINDS.get(kind, kind), "some": some, "pairs": pairs})
    return groups


def _left_out(job: Job, left_out: Mapping[Path, str]) -> dict:
    """Files of the input that are no items: some: how many are listed; lines: (name, why) of each."""
    names = {path: str(path.relative_to(job.root)) if path.is_relative_to(job.root) else path.name for path in left_out}
    lines = [(names[path], why) for path, why in left_out.items()]
    shown = _spread(lines, LEFT_OUT_SHOWN)
    some = f"{len(shown)} of {len(lines):,}" if len(shown) < len(lines) else counted(len(lines), "file")
    return {"some": some, "lines": shown}


def _left_out_photographs(entries: Sequence[Entry]) -> dict:
    """Photographs that will not do in folders that will."""
    texts = [reason.text for entry in entries if entry.keep for reason in entry.left_out]
    return {"some": counted(len(texts), "photograph"), "lines": _spread(texts, LEFT_OUT_SHOWN)}


def _groups(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Dropped items by the kind of their first reason, in the order of `count_kinds`; copies by their originals."""
    dropped = [entry for entry in entries if not entry.keep and entry.reasons]
    groups = {
        kind: sorted((e for e in dropped if e.reasons[0].kind == kind), key=lambda e: (e.original or "", e.file))
        for kind in count_kinds(entries)
    }
    return {kind: group for kind, group in groups.items() if group}


def _spread(entries: Sequence, most: int) -> list:
    """At most so many, evenly."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(most, len(entries))).round().astype(int))
    return [entries[i] for i in chosen]


def _figure(entry: Entry, job: Job, reasons: Sequence[str] = (), soft: str = "") -> dict:
    """An item's name, what is to be said about it, and its strip of pictures: None where none was made."""
    return {"file": entry.file, "reasons": reasons, "soft": soft, "strip": _strip(job.work / f"{entry.key}.jpg")}


def _strip(path: Path) -> dict | None:
    try:
        data = path.read_bytes()
        width, height = Image.open(io.BytesIO(data)).size
    except OSError:
        return None
    return {"width": width, "height": height, "data": base64.b64encode(data).decode()}
