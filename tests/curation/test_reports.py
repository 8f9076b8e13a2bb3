"""Manifest, datasheet and report page of made-up entries: right numbers, safe text, the same bytes every time."""

import hashlib
import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from html.parser import HTMLParser
from pathlib import Path

import mlcroissant
import numpy as np
import pytest
from PIL import Image

from lca_core.curation.filters import LIMITS, Reason
from lca_core.curation.histograms import WIDTH, histogram
from lca_core.curation.items import Entry, Job
from lca_core.curation.measures import MEASURES, count_kinds, values_of
from lca_core.curation.report_page import DROPPED_SHOWN, KEPT_SHOWN
from lca_core.curation.reports import write_datasheet, write_manifest, write_report
from lca_core.data import write_shard
from tests.data.people import random_person

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>.mp4'
NOT_UNICODE = os.fsdecode(b"caf\xe9.mp4")


class Page(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, path: Path):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split()) + "\n"

    @property
    def strips(self) -> list[str]:
        """The descriptions of the pictures, in order."""
        return [attributes["alt"] for tag, attributes in self.elements if tag == "img"]


def kept(number: int, person: int, split: str = "train", pictures: int = 5, **measures: float) -> Entry:
    return Entry(
        f"clip-{number:03d}", f"clip {number:03d}.mp4", "clip", f"{number:064x}", True, kept=pictures, frames=8,
        seconds=36, measures=measures, face=(0.1,) * 128, identity=person, split=split,
    )  # fmt: skip


def dropped(number: int, *kinds: str, file: str = "", text: str = "A sentence.", **measures: float) -> Entry:
    reasons = tuple(Reason(kind, text) for kind in kinds)
    name = file or f"bad {number:03d}.mp4"
    return Entry(f"bad-{number:03d}", name, "clip", "", False, reasons, measures, 0, 8, seconds=12)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = Job(tmp_path / "in" / "street scenes", tmp_path / "out", licence="CC BY 4.0", consent="signed forms")
    made.work.mkdir(parents=True)
    return made


def draw(job: Job, entries: Sequence[Entry]) -> None:
    """A strip for every entry, and a record for the kept ones."""
    for entry in entries:
        Image.new("RGB", (60, 12), "grey").save(job.work / f"{entry.key}.jpg")
        if entry.keep:
            (job.work / f"{entry.key}.tar").write_bytes(b"0" * 2_000_000)


def write_all(entries: Sequence[Entry], job: Job, shards: Sequence[Path] = ()) -> list[Path]:
    return [write_manifest(shards, entries, job), write_datasheet(entries, job), write_report(entries, job)]


def shard(job: Job, split: str = "train") -> Path:
    """A shard of one record, as a collection holds it."""
    meta = {"licence": job.licence, "consent": job.consent, "identity": 4, "split": split}
    path = job.out / split / f"{split}-000000.tar"
    write_shard(path, [replace(random_person(1, "wild", 1, 14, meta), id="clip-001", seed=None)])
    return path


@pytest.mark.parametrize(
    "licence", ["not stated", "https://creativecommons.org/licenses/by/4.0/", 'ours, "all" <of> it']
)
def test_the_manifest_is_croissant_and_says_where_everything_is(job, licence):
    job = replace(job, licence=licence)
    path = write_manifest([shard(job), shard(job, "test")], [kept(1, 4), dropped(2, "dark")], job)
    read = mlcroissant.Dataset(jsonld=str(path)).metadata
    assert not read.issues.errors
    assert read.license == [licence] and read.name == "street scenes"
    assert "signed forms" in read.personal_sensitive_information[1] and "signed forms" in read.data_collection
    assert read.data_preprocessing_protocol == ["Dropped 1: the person is too dark."]
    for file, name in zip(read.file_objects, ("train/train-000000.tar", "test/test-000000.tar"), strict=True):
        data = (job.out / name).read_bytes()
        assert (file.content_url, file.content_size) == (name, f"{len(data)} B")
        assert file.sha256 == hashlib.sha256(data).hexdigest()
    with tarfile.open(job.out / "train/train-000000.tar") as tar:
        record = json.load(tar.extractfile("clip-001.person.json"))
    paths = {field.name: field.source.extract.json_path for field in read.record_sets[0].fields}
    found = {name: reduce(dict.__getitem__, path.removeprefix("$.").split("."), record) for name, path in paths.items()}
    assert found == {
        "id": "clip-001", "domain": "wild", "identity": 4, "split": "train", "licence": licence,
        "consent": "signed forms",
    }  # fmt: skip


def test_the_same_entries_give_the_same_bytes_however_long_they_took(job, tmp_path):
    entries = [kept(1, 0, face_px=40.0), dropped(2, "dark", "blurred"), dropped(3, "blurred", "dark")]
    draw(job, entries)
    first = [path.read_bytes() for path in write_all(entries, job, [shard(job)])]
    assert [path.read_bytes() for path in write_all(entries, job, [shard(job)])] == first
    elsewhere = replace(job, root=tmp_path / "other disk" / "street scenes", out=tmp_path / "elsewhere")
    slower = [replace(entry, seconds=1000.5) for entry in entries]
    again = [path.read_bytes() for path in write_all(slower, elsewhere, [shard(elsewhere)])]
    assert again[:2] == first[:2], "manifest and datasheet"
    assert all(str(tmp_path).encode() not in data for data in first), "nobody needs to know where it was made"


def test_the_datasheet_counts_people_splits_pictures_and_reasons(job):
    entries = [kept(1, 0), kept(2, 0), kept(3, 0), kept(4, 1, "test", 7), kept(5, 2, "validation")]
    entries += [
        dropped(6, "dark", "blurred"),
        dropped(7, "blurred"),
        replace(dropped(8, "no_face"), kind="photographs"),
    ]
    text = write_datasheet(entries, job).read_text()
    flat = " ".join(text.split())
    assert "8 items: 7 clips, 1 folder of photographs. Kept: 5; dropped: 3." in flat
    assert "told apart by their faces: 3; items of one person: 1 to 3, median 1. Pictures: 27." in flat
    assert "| train | 3 | 1 | 15 |\n| validation | 1 | 1 | 5 |\n| test | 1 | 1 | 7 |" in text
    assert "| the head is blurred | 2 |\n| no face can be seen | 1 |\n| the person is too dark | 1 |" in text
    for part in ("Motivation", "Composition", "Collection", "Processing", "Uses and limits", "Privacy", "Distribution",
                 "Maintenance"):  # fmt: skip
        assert f"## {part}\n" in text
    assert "biometric" in text and "signed forms" in text and "CC BY 4.0" in text


def test_the_datasheet_gives_quantiles_of_what_was_kept(job):
    entries = [kept(i, i, face_px=float(i)) for i in range(101)]
    entries += [dropped(200, "small_face", face_px=9000.0), kept(201, 201), kept(202, 202, invented_measure=1.23456)]
    text = write_datasheet(entries, job).read_text()
    assert "| face, brow to chin | 101 | 5 px | 50 px | 95 px |" in text
    assert "| invented measure | 1 | 1.23 | 1.23 | 1.23 |" in text


@pytest.mark.parametrize("licence, consent, warned", [
    ("not stated", "not stated", "licence and consent not stated"), ("CC0", "  ", "consent not stated"),
    ("Not stated", "signed", "licence not stated"), ("CC0", "signed", ""),
])  # fmt: skip
def test_what_is_not_stated_is_warned_of_everywhere(job, licence, consent, warned):
    job = replace(job, licence=licence, consent=consent)
    manifest, datasheet, report = write_all([kept(1, 0)], job)
    for text in (json.loads(manifest.read_text())["description"], datasheet.read_text(), Page(report).text.lower()):
        assert ("not stated. without" in " ".join(text.lower().replace(":", ".").split())) == bool(warned)
        assert warned in text


def test_the_page_adds_up(job):
    entries = [kept(i, i // 2) for i in range(4)] + [dropped(i, "dark", "blurred", "dark") for i in range(12)]
    draw(job, entries)
    (job.work / "bad-000.tar").write_bytes(b"0" * 9_000_000)  # a copy's record, made before it was known for one
    text = Page(write_report(entries, job)).text
    for number in ("16\nitems", "4\nkept, 25% of them", "2\npeople", "20\npictures kept", "4.8 min\nof computing"):
        assert f"\n{number}\n" in text
    # 18 s an item; a quarter leaves 2 MB
    assert "1,000,000 such items would take 208 core-days, and 500 GB for the records of the 25% kept." in text
    assert "the head is blurred\n12 · 75.0%" in text and "the person is too dark\n12 · 75.0%" in text
    longer = [replace(entry, seconds=3600.0) for entry in entries]
    assert "\n16.0 h\nof computing" in Page(write_report(longer, job)).text


def test_the_page_runs_nothing_and_asks_for_nothing(job):
    files = [dropped(1, "failed", file=HOSTILE, text=f"A stage failed: {HOSTILE}."), dropped(2, HOSTILE),
             replace(kept(3, 0, **{HOSTILE: 1.0}), file=HOSTILE, split="train")]  # fmt: skip
    job = replace(job, licence=HOSTILE, consent=HOSTILE, root=job.root.with_name("<script>alert(1)<script>"))
    draw(job, files)
    page = Page(write_report(files, job))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "link", "base", "form"})
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert attributes.get("href", "#").startswith("#")
    assert page.text.count(HOSTILE) >= 5, "and it is all there to be read"
    policy = next(attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")


def test_names_that_are_not_unicode_are_written_readably(job):
    job = replace(job, root=job.root.with_name(NOT_UNICODE), licence=NOT_UNICODE)
    entries = [replace(kept(1, 0), file=NOT_UNICODE), dropped(2, "unreadable", file=NOT_UNICODE, text=NOT_UNICODE)]
    manifest, datasheet, report = write_all(entries, job, [shard(replace(job, licence="CC0"))])
    assert not mlcroissant.Dataset(jsonld=str(manifest)).metadata.issues.errors
    for path in (manifest, datasheet, report):
        assert r"caf\udce9.mp4" in path.read_text(encoding="utf-8").replace(r"\\", "\\")


@pytest.mark.parametrize("entries", [[], [dropped(1, "dark"), dropped(2, "unreadable")]])
def test_a_collection_of_nothing_is_described_too(job, entries):
    manifest, datasheet, report = write_all(entries, job)
    assert not mlcroissant.Dataset(jsonld=str(manifest)).metadata.issues.errors
    assert "Nothing was kept." in datasheet.read_text()
    text = Page(report).text
    assert "Nothing was kept." in text and ("Nothing was dropped." in text) == (not entries)


def test_pictures_are_capped_and_the_page_says_so(job):
    entries = [kept(i, i) for i in range(KEPT_SHOWN + 40)]
    entries += [dropped(i, "dark", "blurred") for i in range(30)] + [dropped(90 + i, "blurred") for i in range(3)]
    draw(job, entries)
    page = Page(write_report(entries, job))
    assert len(page.strips) == KEPT_SHOWN + DROPPED_SHOWN + 3
    assert page.strips[0] == "Pictures of clip 000.mp4" and page.strips[KEPT_SHOWN - 1] == "Pictures of clip 099.mp4"
    assert f"Shown: {KEPT_SHOWN} of 100, spread evenly over the people" in page.text
    assert f"30 items, {DROPPED_SHOWN} of them shown" in page.text and "\n3 items\n" in page.text


def test_an_item_without_a_strip_or_with_a_broken_one_is_told_in_words(job):
    entries = [kept(1, 0), dropped(2, "unreadable", text="It is a letter.")]
    (job.work / "clip-001.jpg").write_bytes(b"half a pic")
    page = Page(write_report(entries, job))
    assert not page.strips and page.text.count("No picture of it was made.") == 2 and "It is a letter." in page.text


def test_a_copy_lies_beside_its_original(job):
    copies = [replace(dropped(i, "duplicate"), original=f"clip-00{2 - i}") for i in range(2)]
    entries = [kept(1, 0), kept(2, 1), *copies]
    draw(job, entries)
    strips = [name.removeprefix("Pictures of ") for name in Page(write_report(entries, job)).strips]
    assert strips[2:] == ["bad 001.mp4", "clip 001.mp4", "bad 000.mp4", "clip 002.mp4"]


def test_a_histogram_holds_every_value_and_draws_the_limits():
    rng = np.random.default_rng(0)
    limits = [("at least", 0.1), ("at most", 4.0)]
    drawn = histogram(rng.random(500), rng.random(200) * 9, limits, "{:.2f}".format)
    tall = {style: sum(bar.height for bar in drawn.bars if bar.style == style) for style in ("kept", "dropped")}
    assert tall["kept"] / tall["dropped"] == pytest.approx(500 / 200)
    assert [limit.words for limit in drawn.limits] == ["at least 0.10", "at most 4.00"]
    assert 0 < drawn.limits[0].x < drawn.limits[1].x < WIDTH and drawn.low == "0.00"
    same = histogram(np.zeros(3), np.empty(0), [], "{:.0f}".format)
    assert len(same.bars) == 1


def test_what_was_not_measured_does_not_count():
    entries = [kept(1, 0, text=0.5), replace(dropped(2, "unreadable", text="", cuts=0.0), frames=0), kept(3, 1)]
    assert values_of(entries, "text").tolist() == [0.5] and not len(values_of(entries, "cuts"))


def test_reasons_are_counted_once_an_item_and_ordered():
    entries = [dropped(1, "dark", "dark", "blurred"), dropped(2, "dark"), dropped(3, "nobody", "new kind")]
    assert list(count_kinds(entries).items()) == [("dark", 2), ("nobody", 1), ("blurred", 1), ("new kind", 1)]


def test_every_measure_has_words_and_true_limits():
    for measure in MEASURES.values():
        assert measure.words and all(value > 0 for _, value in measure.limits(LIMITS))
    named = {name for measure in MEASURES.values() for name in (measure.least, measure.most) if name}
    assert set(vars(LIMITS)) - named == {"shot_cut", "kept"}, "limits of frames and shots that no measure shows"
