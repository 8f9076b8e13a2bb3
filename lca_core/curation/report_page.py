"""The report page: what a collection holds, what the filters cost, and pictures of what was kept and dropped.

One HTML file with all in it, without scripts. Whatever comes from a file's name or an error's text is escaped.
"""

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from lca_core.curation.filters import KINDS, Limits
from lca_core.curation.identity import SPLITS
from lca_core.curation.items import Entry, Job

TEMPLATE = Path(__file__).with_name("report.html")
KEPT_SHOWN, DROPPED_SHOWN = 60, 12  # pictures: of kept items, and of those dropped for one kind of reason
LEFT_OUT_SHOWN = 200  # names
MILLION, DAY = 1_000_000, 86_400
_BINS, _WIDTH, _BASE = 28, 300, 86  # of a histogram; the last two in its own units


@dataclass(frozen=True)
class Measure:
    """How a measure is told. words: what it is; form: of a value; least, most: the `Limits` it is held to, if any."""

    words: str
    form: str
    least: str = ""
    most: str = ""

    def limits(self, limits: Limits) -> list[tuple[str, float]]:
        """("at least" or "at most", value) of each limit."""
        named = (("at least", self.least), ("at most", self.most))
        return [(words, getattr(limits, name)) for words, name in named if name]


MEASURES = {
    "face_px": Measure("face, brow to chin", "{:.0f} px", least="face_px"),
    "sharpness": Measure("sharpness of the head", "{:.3f}", least="sharpness"),
    "brightness": Measure("brightness of the person", "{:.2f}", least="darkest", most="brightest"),
    "clipped": Measure("black or white share of the person", "{:.1%}", most="clipped"),
    "motion": Measure("motion, in the person's own size", "{:.3f}", most="motion"),
    "fit_error": Measure("fit error of the joints, share of height", "{:.1%}", most="fit_error"),
    "hidden": Measure("hidden share of the body", "{:.1%}", most="hidden"),
    "turn": Measure("turn before the camera", "{:.0f}°"),
    "text": Measure("pictures with writing laid over them", "{:.0%}", most="text"),
    "change": Measure("largest change between pictures", "{:.4f}", least="frozen"),
    "frames": Measure("pictures in the longest shot", "{:.0f}", least="frames"),
    "cuts": Measure("cuts", "{:.0f}"),
}


def page(entries: Sequence[Entry], job: Job, name: str, left_out: Mapping[Path, str]) -> str:
    """The page as HTML; strips are read from `job.work` where there are any. left_out: path -> why it is no item."""
    kept = [entry for entry in entries if entry.keep]
    pictures = f"at most {counted(job.most, 'picture')} of a clip, {job.rate:g} a second"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escaped(name), settings=escaped(f"Curated by lca_core: profile {job.profile}, {pictures}"),
        warning=_warning(job), tiles=_tiles(entries, kept), million=_million(entries, job), splits=_splits(kept),
        terms=_terms(job), bars=_bars(entries), charts=_charts(entries, job.limits), kept=_kept(kept, job),
        dropped=_dropped(entries, job), left_out=_left_out(entries, job, left_out),
    )  # fmt: skip


def readable(text: str) -> str:
    """Text in one line that can be written as UTF-8: names of files need not be valid."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())


def escaped(text: str) -> str:
    """`readable` text that HTML shows as it is."""
    return html.escape(readable(text))


def counted(count: int, word: str) -> str:
    """E.g. "1 clip", "1,200 clips"."""
    return f"{count:,} {word}{'s' * (count != 1)}"


def unstated(job: Job) -> list[str]:
    """Of "licence" and "consent", those that whoever ran the curation did not state."""
    return [name for name in ("licence", "consent") if getattr(job, name).strip().lower() in ("", "not stated")]


def count_kinds(entries: Sequence[Entry]) -> dict[str, int]:
    """Items that were dropped for each kind of reason, the commonest first."""
    counts: dict[str, int] = {}
    for entry in entries:
        for kind in {reason.kind for reason in entry.reasons}:
            counts[kind] = counts.get(kind, 0) + 1
    known = list(KINDS)
    return dict(sorted(counts.items(), key=lambda c: (-c[1], known.index(c[0]) if c[0] in known else len(known), c[0])))


def measures_of(entries: Sequence[Entry]) -> dict[str, Measure]:
    """Name -> measure of all that any of these items has, known ones first."""
    found = {name for entry in entries for name in entry.measures if len(values_of([entry], name))}
    others = {name: Measure(readable(name.replace("_", " ")), "{:.3g}") for name in sorted(found - set(MEASURES))}
    return {name: measure for name, measure in (MEASURES | others).items() if name in found}


def values_of(entries: Sequence[Entry], name: str) -> np.ndarray:
    """float64 [n]: a measure of those items that have it; of a file that gave no picture nothing was measured."""
    values = np.array([entry.measures.get(name, np.nan) for entry in entries if entry.frames], float)
    return values[np.isfinite(values)]


def _warning(job: Job) -> str:
    missing = " and ".join(unstated(job)).capitalize()
    text = f"{missing} not stated: without rights and consent, publish nothing and train on nothing."
    return f'<p class="warning">{text}</p>' if missing else ""


def _tiles(entries: Sequence[Entry], kept: Sequence[Entry]) -> str:
    people, pictures = len({entry.identity for entry in kept}), sum(entry.kept for entry in kept)
    seconds = sum(entry.seconds for entry in entries)
    share = f"kept, {len(kept) / len(entries):.0%} of them" if entries else "kept"
    told = (
        (f"{len(entries):,}", "items"), (f"{len(kept):,}", share), (f"{people:,}", "people"),
        (f"{pictures:,}", "pictures kept"), (_duration(seconds), "of computing"),
    )  # fmt: skip
    return "".join(f'<div class="tile"><b>{number}</b>{words}</div>' for number, words in told)


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


def _splits(kept: Sequence[Entry]) -> str:
    rows = ["<tr><th>split</th><th>items</th><th>people</th><th>pictures</th></tr>"]
    for split in SPLITS:
        inside = [entry for entry in kept if entry.split == split]
        numbers = (len(inside), len({entry.identity for entry in inside}), sum(entry.kept for entry in inside))
        rows.append(f"<tr><td>{split}</td>{''.join(f'<td>{number:,}</td>' for number in numbers)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _terms(job: Job) -> str:
    told = (("licence", job.licence), ("consent", job.consent), ("input", job.root.resolve().name))
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{escaped(text)}</dd>' for name, text in told)}</dl>"


def _bars(entries: Sequence[Entry]) -> str:
    if not entries:
        return "<p>There are no items.</p>"
    shown = set(_groups(entries))
    kept = sum(entry.keep for entry in entries)
    bars = [_bar('<a href="#kept">kept</a>', kept, len(entries), " kept")]
    for kind, count in count_kinds(entries).items():
        words = escaped(KINDS.get(kind, kind))
        label = f'<a href="#kind-{html.escape(kind)}">{words}</a>' if kind in shown else words
        bars.append(_bar(label, count, len(entries)))
    return "".join(bars)


def _bar(label: str, count: int, total: int, style: str = "") -> str:
    share = count / total
    length = f'<i style="width: {100 * share:.2f}%"></i>' if count else ""
    return (
        f'<div class="bar{style}"><span>{label}</span><span>{length}</span><span>{count:,} · {share:.1%}</span></div>'
    )


def _charts(entries: Sequence[Entry], limits: Limits) -> str:
    charts = []
    for name, measure in measures_of(entries).items():
        kept, dropped = (values_of([e for e in entries if e.keep == keep], name) for keep in (True, False))
        counts = f"{len(kept):,} kept, {len(dropped):,} dropped"
        caption = f'{escaped(measure.words)}<span class="soft">{counts}</span>'
        drawing = histogram(kept, dropped, measure.limits(limits), measure.form.format)
        charts.append(f'<figure class="chart"><figcaption>{caption}</figcaption>{drawing}</figure>')
    return "".join(charts) or "<p>Nothing was measured.</p>"


def histogram(
    kept: np.ndarray, dropped: np.ndarray, limits: Sequence[tuple[str, float]], form: Callable[[float], str]
) -> str:
    """SVG of two sets of values, stacked, with limits (words, value); from 0 to what 99 % stay below, or a limit.

    form: value to text.
    """
    both = np.concatenate([kept, dropped])
    low = min(0.0, float(both.min()))
    high = max([float(np.quantile(both, 0.99)), *(1.08 * value for _, value in limits)])
    bins = _BINS
    if form(1.5) == form(2.0):  # whole numbers: bars that are as wide as some of them
        step = int(np.ceil((high - low + 1) / _BINS))
        bins = max(int(np.ceil((high - low + 1) / step)), 8)
        high = low + bins * step
    high = high if high > low else low + 1
    edges = np.linspace(low, high, bins + 1)
    counts = [np.histogram(values.clip(low, high), edges)[0] for values in (kept, dropped)]
    scale, wide = (_BASE - 18) / max((counts[0] + counts[1]).max(), 1), _WIDTH / bins
    parts, under = [], np.zeros(bins)
    for style, heights in zip(("kept", "dropped"), counts):
        for i in np.flatnonzero(heights):
            tall = heights[i] * scale
            place = f'x="{i * wide:.1f}" y="{_BASE - under[i] - tall:.1f}" width="{wide - 1:.1f}" height="{tall:.1f}"'
            parts.append(f'<rect {place} style="fill: var(--{style})"/>')
        under += heights * scale
    for words, value in limits:
        x = _WIDTH * (value - low) / (high - low)
        side = ("start", x + 4) if x < _WIDTH / 2 else ("end", x - 4)
        parts.append(f'<path d="M{x:.1f} 2V{_BASE}" stroke="#23282d" stroke-dasharray="3 3"/>')
        parts.append(f'<text x="{side[1]:.1f}" y="11" text-anchor="{side[0]}">{words} {form(value)}</text>')
    axis = f'<path d="M0 {_BASE}.5H{_WIDTH}" stroke="#c9cdca"/><text x="0" y="{_BASE + 14}">{form(low)}</text>'
    end = f'<text x="{_WIDTH}" y="{_BASE + 14}" text-anchor="end">{form(high)}</text>'
    return f'<svg viewBox="0 0 {_WIDTH} {_BASE + 18}" role="img">{"".join(parts)}{axis}{end}</svg>'


def _kept(kept: Sequence[Entry], job: Job) -> str:
    if not kept:
        return "<p>Nothing was kept.</p>"
    shown = _spread(sorted(kept, key=lambda e: (-1 if e.identity is None else e.identity, e.file)), KEPT_SHOWN)
    some = "all of them" if len(shown) == len(kept) else f"{len(shown)} of {len(kept):,}, spread evenly over the people"
    figures = []
    for entry in shown:
        facts = [f"person {entry.identity}", f"{entry.split}", f"{entry.kept} of {entry.frames} pictures kept"]
        if "face_px" in entry.measures:
            facts.append(f"face {entry.measures['face_px']:.0f} px")
        if "fit_error" in entry.measures:
            facts.append(f"fit error {entry.measures['fit_error']:.1%}")
        figures.append(_figure(entry, job, f'<span class="soft">{escaped(" · ".join(facts))}</span>'))
    about = "Pictures that were kept are framed green, the others red; last come two with the fitted body."
    return f'<p class="soft">Shown: {some}, by person. {about}</p>{"".join(figures)}'


def _dropped(entries: Sequence[Entry], job: Job) -> str:
    by_key, parts = {entry.key: entry for entry in entries}, []
    for kind, group in _groups(entries).items():
        shown = _spread(group, DROPPED_SHOWN)
        some = counted(len(group), "item") + (f", {len(shown)} of them shown" if len(shown) < len(group) else "")
        words = escaped(KINDS.get(kind, kind))
        parts.append(f'<h3 id="kind-{html.escape(kind)}">{words} <small>{some}</small></h3>')
        for entry in shown:
            reasons = "".join(f'<span class="reason">{escaped(reason.text)}</span>' for reason in entry.reasons)
            figure, original = _figure(entry, job, reasons), by_key.get(entry.original or "")
            if original is not None:
                figure = f'<div class="pair">{figure}{_figure(original, job, _ORIGINAL)}</div>'
            parts.append(figure)
    if not parts:
        return "<p>Nothing was dropped.</p>"
    return f'<p class="soft">By the first reason of each item, at most {DROPPED_SHOWN} of a kind.</p>{"".join(parts)}'


def _left_out(entries: Sequence[Entry], job: Job, left_out: Mapping[Path, str]) -> str:
    """Files of the input that are no items, and photographs that will not do in folders that will."""
    names = {path: str(path.relative_to(job.root)) if path.is_relative_to(job.root) else path.name for path in left_out}
    lines = [f'<span class="file">{escaped(names[path])}</span>{escaped(why)}' for path, why in left_out.items()]
    shown = [lines[i] for i in _spread(range(len(lines)), LEFT_OUT_SHOWN)]
    parts = []
    if shown:
        some = f"{len(shown)} of {len(lines):,}" if len(shown) < len(lines) else counted(len(lines), "file")
        parts.append(f'<p class="soft">No items: {some}.</p><ul>{"".join(f"<li>{line}</li>" for line in shown)}</ul>')
    pictures = [reason.text for entry in entries if entry.keep for reason in entry.left_out]
    if pictures:
        listed = "".join(f"<li>{escaped(text)}</li>" for text in _spread(pictures, LEFT_OUT_SHOWN))
        parts.append(
            f'<p class="soft">Of folders that were kept: {counted(len(pictures), "photograph")}.</p><ul>{listed}</ul>'
        )
    return "".join(parts) or "<p>Nothing was left out.</p>"


_ORIGINAL = '<span class="soft">the original, kept</span>'


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


def _figure(entry: Entry, job: Job, about: str) -> str:
    """An item's name, what is to be said about it (HTML), and its strip."""
    caption = f'<figcaption><span class="file">{escaped(entry.file)}</span>{about}</figcaption>'
    return f'<figure class="item">{caption}{_strip(job.work / f"{entry.key}.jpg", entry.file)}</figure>'


def _strip(path: Path, file: str) -> str:
    try:
        data = path.read_bytes()
        width, height = Image.open(io.BytesIO(data)).size
    except OSError:
        return '<div class="none">No picture of it was made.</div>'
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    size = f'width="{width}" height="{height}" alt="Pictures of {escaped(file)}"'
    return f'<div class="strip"><img {size} src="{source}"></div>'
