"""What a curated collection says of itself: a Croissant manifest for programs, a datasheet and a page for people.

Manifest and datasheet hold neither times nor this machine's paths: the same input gives the same bytes, whoever did
the work and however fast.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lca_core.curation.filters import KINDS
from lca_core.curation.finding import summary
from lca_core.curation.identity import SPLITS
from lca_core.curation.items import Entry, Job
from lca_core.curation.measures import count_kinds, counted, measures_of, readable, unstated, values_of
from lca_core.curation.report_page import page
from lca_core.data.manifests import Field, people_document, shard_file
from lca_core.paths import atomic_path

_FIELDS = (
    Field("id", "Text", "the file's name and part of a hash of its path"),
    Field("domain", "Text", "wild: taken by anybody, parameters found in the pictures"),
    Field("identity", "Integer", "number of the person; clips of one person share it", "meta.identity"),
    Field("split", "Text", "train, validation or test; a person is in one only", "meta.split"),
    Field("licence", "Text", "as whoever ran the curation stated it", "meta.licence"),
    Field("consent", "Text", "as whoever ran the curation stated it", "meta.consent"),
)
_TOOLS = ("MediaPipe: faces, facial actions, poses, hands, mattes", "dlib's face recognition network: who is who")
_BIASES = (
    "Detectors and recognisers err more for some people than for others, by skin, sex and age (Buolamwini and Gebru "
    "2018; Grother et al., NIST IR 8280, 2019), and in poor light. They choose what is kept, so who is in the shards "
    "may differ from who was in the input.",
    "People are told apart by their faces. Relatives and lookalikes may share a number; one person may have two, by "
    "age, beard or glasses, and then be in two splits.",
)
_LIMITS = (
    "Body, pose, gaze, facial actions and camera are fitted to landmarks and mattes, not measured. With one camera, "
    "size and distance cannot be told apart, and what is hidden is a guess.",
    "A clip holds one person: pictures that show two are dropped, and with them whatever people do together.",
)
_BIOMETRIC = "Faces and bodies of real people, which are biometric data."
_WITHDRAWAL = (
    "To take somebody out, delete their files from the input and what is theirs in `work/`, and run the same command "
    "again: the shards and these descriptions are written anew. `splits.json`, which keeps who was held out held out, "
    "has hashes of files, which show nobody."
)


def write_manifest(shards: Sequence[Path], entries: Sequence[Entry], job: Job) -> Path:
    """Write croissant.json beside the folders of shards: their sizes and sha256, and what a record holds."""
    path = job.out / "croissant.json"
    files = [shard_file(shard, job.out) for shard in shards]
    document = people_document(collection_name(job), _about(entries, job), files, _FIELDS)
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def write_datasheet(entries: Sequence[Entry], job: Job, left_out: Mapping[Path, str] | None = None) -> Path:
    """Write DATASHEET.md, after Gebru et al., "Datasheets for datasets" (2021). left_out: path -> why it is no item."""
    path = job.out / "DATASHEET.md"
    with atomic_path(path) as partial:
        partial.write_text(datasheet(entries, job, left_out or {}), encoding="utf-8")
    return path


def write_report(entries: Sequence[Entry], job: Job, left_out: Mapping[Path, str] | None = None) -> Path:
    """Write report.html, which needs no other file; pictures are taken from `job.work` where there are any."""
    path = job.out / "report.html"
    with atomic_path(path) as partial:
        partial.write_text(page(entries, job, collection_name(job), left_out or {}), encoding="utf-8")
    return path


def collection_name(job: Job) -> str:
    """The name of the folder that was curated, without the path to it."""
    return readable(job.root.resolve().name) or "collection"


def datasheet(entries: Sequence[Entry], job: Job, left_out: Mapping[Path, str]) -> str:
    """The datasheet as Markdown; all counts are of these entries."""
    kept = [entry for entry in entries if entry.keep]
    clips, folders = (sum(entry.kind == kind for entry in entries) for kind in ("clip", "photographs"))
    return _wrapped(f"""# {collection_name(job)}: a curated collection

## Motivation

Made by lca_core from clips and photographs, as records that codec avatars can be trained on. Why the input was
collected, and who paid for it, is for whoever collected it to say.

## Composition

{counted(len(entries), "item")}: {counted(clips, "clip")}, {counted(folders, "folder")} of photographs. Kept:
{len(kept)}; dropped: {len(entries) - len(kept)}. A record is an item: its pictures, cropped, with mattes, crops of the
face and the hands, cameras, body shape and pose, gaze and 52 facial actions. {_people_text(kept)}

{_splits_table(kept)}

{_left_out_text(kept, left_out)}

Measures of the kept items; those of pictures are means of an item's pictures.

{_measures_table(kept)}

## Collection

The input was given by whoever ran the curation; nothing was downloaded. They stated:

- licence: {readable(job.licence)}
- consent of the people shown: {readable(job.consent)}

{_terms_text(job)}

## Processing

Profile {job.profile}; at most {counted(job.most, "picture")} of a clip, {job.rate:g} a second. Files are read and cut
into shots, people found and cut out, pictures measured and judged, a body fitted, and the result judged again. Copies
are found by fingerprints of the pictures, people by their faces; a person is dealt to a split by a hash of one of their
files. An item can be dropped for several reasons.

{_kinds_table(entries)}

Every item with its reasons is in `entries.jsonl`, the limits in `settings.json`, and pictures of what was kept and
dropped in `report.html`. Tools: {"; ".join(_TOOLS)}.

## Uses and limits

For research on avatars, within what the people shown agreed to; not for identifying or watching anybody.

{" ".join(_BIASES)}

{" ".join(_LIMITS)}

## Privacy

{_BIOMETRIC} The numbers by which faces are compared stay in `work/` and are in no shard; delete `work/` when the
collection is final. `report.html` shows people, kept and dropped, and is to be guarded as the shards are. Names of
files are in the records, `entries.jsonl` and the report: a name in them is a name given away.

## Distribution

Nothing is distributed by lca_core. Whoever passes the collection on does so under the licence above, with this sheet.

## Maintenance

Kept up by whoever made it. What is added to the input is curated by the same command; people may then be numbered anew.
{_WITHDRAWAL}
""")


def _about(entries: Sequence[Entry], job: Job) -> dict:
    """Under the names of `mlcroissant.Metadata`."""
    kept = [entry for entry in entries if entry.keep]
    consent = f"Consent of the people shown, as stated by whoever ran the curation: {readable(job.consent)}."
    return {
        "description": f"{len(kept)} of {len(entries)} clips and folders of photographs, curated by lca_core, profile "
        f"{job.profile}: pictures, mattes, crops of faces and hands, cameras, body parameters and facial actions. "
        f"{_people_text(kept)} {_terms_text(job)}",
        "license": [readable(job.licence)], "version": "1.0.0",
        "cite_as": "lca_core: an open implementation of Large-scale Codec Avatars (arXiv 2604.02320).",
        "keywords": ["real people", f"profile {job.profile}", *(s for s in SPLITS if any(e.split == s for e in kept))],
        "data_collection": f"Given by whoever ran the curation; nothing was downloaded. {consent}",
        "data_preprocessing_protocol": [f"Dropped {count}: {KINDS.get(kind, kind)}."
                                        for kind, count in count_kinds(entries).items()],
        "machine_annotation_tools": list(_TOOLS),
        "data_biases": list(_BIASES),
        "data_limitations": list(_LIMITS),
        "personal_sensitive_information": [_BIOMETRIC, consent],
        "data_release_maintenance_plan": _WITHDRAWAL,
    }  # fmt: skip


def _people_text(kept: Sequence[Entry]) -> str:
    if not kept:
        return "Nothing was kept."
    items = np.unique([entry.identity for entry in kept], return_counts=True)[1]
    return (
        f"People, told apart by their faces: {len(items)}; items of one person: {items.min()} to {items.max()}, median "
        f"{np.median(items):g}. Pictures: {sum(entry.kept for entry in kept)}."
    )


def _terms_text(job: Job) -> str:
    missing = unstated(job)
    if not missing:
        return "These statements were not checked."
    return (
        f"Warning: {' and '.join(missing)} not stated. Without the rights to the pictures and the consent of the "
        "people shown, the records may be neither published nor trained on."
    )


def _wrapped(text: str) -> str:
    """Markdown with its paragraphs broken at 110 characters; headings, lists and tables as they are."""
    blocks = text.strip().split("\n\n")
    return "\n\n".join(b if b[:1] in "#|-" else textwrap.fill(" ".join(b.split()), 110) for b in blocks) + "\n"


def _left_out_text(kept: Sequence[Entry], left_out: Mapping[Path, str]) -> str:
    lines = [readable(line) for line in summary(left_out)]
    pictures = sum(len(entry.left_out) for entry in kept)
    if pictures:
        lines.append(f"{counted(pictures, 'photograph')} in folders of which others were kept")
    return f"Left out of the input: {'. '.join(lines)}." if lines else "Nothing of the input was left out."


def _splits_table(kept: Sequence[Entry]) -> str:
    rows = []
    for split in SPLITS:
        inside = [entry for entry in kept if entry.split == split]
        people = len({entry.identity for entry in inside})
        rows.append((split, f"{len(inside)}", f"{people}", f"{sum(entry.kept for entry in inside)}"))
    return _table(("split", "items", "people", "pictures"), rows)


def _measures_table(kept: Sequence[Entry]) -> str:
    rows = []
    for name, measure in measures_of(kept).items():
        values = values_of(kept, name)
        quantiles = (measure.form.format(value) for value in np.quantile(values, (0.05, 0.5, 0.95)))
        rows.append((measure.words, f"{len(values)}", *quantiles))
    return _table(("measure", "items", "5 %", "50 %", "95 %"), rows) if rows else "There are none."


def _kinds_table(entries: Sequence[Entry]) -> str:
    rows = [(KINDS.get(kind, kind), f"{count}") for kind, count in count_kinds(entries).items()]
    return _table(("dropped because", "items"), rows) if rows else "Nothing was dropped."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))
