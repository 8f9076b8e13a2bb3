"""Verdicts follow from intervals of paired differences, and nothing is said of what is not recorded."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.evaluation.paper import PAPER
from lca_core.evaluation.records import METRICS, read_records, record_of
from lca_core.evaluation.results_page import results_readme
from lca_core.evaluation.verdicts import (
    CLAIMS,
    FAILS,
    HOLDS,
    MISSING,
    OPEN,
    Claim,
    Comparison,
    Gain,
    verdict_on,
    verdicts,
    verdicts_markdown,
)
from lca_core.experiments import TABLE
from lca_core.experiments.results import id_of, judged_in
from lca_core.judges.summaries import summarise

HARD = np.linspace(18, 32, 16)  # people differ by far more than methods do


def record(id: str, values, unit: str | None = None):
    people = {10_000 + i: [float(value)] for i, value in enumerate(values)}
    return record_of(id, summarise(people, np.random.default_rng(0)), "study", {}, {}, unit=unit)


def both(less, metric: str = "psnr") -> dict:
    records = (record(f"a/wild/{metric}", HARD), record(f"b/wild/{metric}", HARD - less))
    return {each.id: each for each in records}


def claim(metric: str = "psnr") -> Claim:
    return Claim("1", "a is better", (Comparison(f"a/wild/{metric}", f"b/wild/{metric}"),))


def test_small_differences_of_unlike_people_are_seen_because_they_are_paired(rng):
    noise = rng.normal(0, 0.2, 16)
    assert verdict_on(claim(), both(0.5 + noise)).verdict == HOLDS
    assert verdict_on(claim(), both(-0.5 + noise)).verdict == FAILS
    assert verdict_on(claim(), both(noise - noise.mean())).verdict == OPEN


def test_pictures_drawn_otherwise_are_not_compared(rng):
    """Values of the same people, once drawn as today and once as some commit drew them, are no pair."""
    records = both(0.5 + rng.normal(0, 0.2, 16))
    old, new = ({"drawn": {"wild-laptop": digest}} for digest in ("fc75", "0ca2"))
    for less, verdict in ((new, HOLDS), (old, MISSING)):
        of = {"a/wild/psnr": new, "b/wild/psnr": less}
        found = verdict_on(claim(), {id: replace(r, provenance=r.provenance | of[id]) for id, r in records.items()})
        assert found.verdict == verdict, found.because
    assert "a and b are of pictures drawn at other commits" in found.because


def test_of_errors_less_is_better(rng):
    noise = rng.normal(0, 0.01, 16)
    assert verdict_on(claim("lpips"), both(0.05 + noise, "lpips")).verdict == FAILS
    assert verdict_on(claim("lpips"), both(-0.05 + noise, "lpips")).verdict == HOLDS


def test_all_of_a_claim_has_to_hold(rng):
    good, bad = both(1 + rng.normal(0, 0.1, 16)), both(-1 + rng.normal(0, 0.1, 16))
    records = good | {id.replace("wild", "studio"): record(id.replace("wild", "studio"), r.per_person.values())
                      for id, r in bad.items()}  # fmt: skip
    twice = Claim("1", "everywhere", (*claim().by, Comparison("a/studio/psnr", "b/studio/psnr")))
    found = verdict_on(twice, records)
    assert found.verdict == FAILS and "wild +0." in found.because and "studio -1." in found.because
    assert len(found.ids) == 4


def test_what_is_not_recorded_is_not_judged():
    found = verdict_on(claim(), {})
    assert found.verdict == MISSING and found.because == "no records of a, b yet" and not found.ids
    assert {each.verdict for each in verdicts({})} == {MISSING}


def test_what_stands_in_for_what_is_not_recorded_says_so(rng):
    meanwhile = Claim("1", "c is better", (Comparison("c/wild/psnr", "d/wild/psnr"),), claim().by)
    records = both(1 + rng.normal(0, 0.1, 16))
    found = verdict_on(meanwhile, records)
    assert found.verdict == HOLDS and "meanwhile of a and b; c and d are not recorded yet" in found.because
    exact = {id.replace("a/", "c/").replace("b/", "d/"): r for id, r in both(-1 + rng.normal(0, 0.1, 16)).items()}
    exact = {id: record(id, r.per_person.values()) for id, r in exact.items()}
    assert verdict_on(meanwhile, records | exact).verdict == FAILS and verdict_on(meanwhile, {}).verdict == MISSING


def test_a_gain_is_judged_by_its_own_interval():
    gain = Claim("", "it helps", (Gain("control/face_gain_db"),))
    for values, verdict in ((HARD / 20, HOLDS), (-HARD / 20, FAILS), (HARD - HARD.mean(), OPEN)):
        one = record("control/face_gain_db", values, unit="dB")
        assert verdict_on(gain, {one.id: one}).verdict == verdict


def test_other_people_are_no_comparison():
    records = both(1.0) | {"b/wild/psnr": record("b/wild/psnr", HARD[:8])}
    with pytest.raises(ValueError, match="a/wild/psnr and b/wild/psnr cannot be compared"):
        verdict_on(claim(), records)


def test_every_claim_of_a_table_is_of_rows_that_the_papers_tables_name():
    rows = {entry.id.rsplit("/", 2)[0] for entry in PAPER}
    rows |= {row for row in TABLE if row.startswith("table2/") and row.endswith(("_plain", "_aligned"))}  # ours, beside
    compared = [part for claim in CLAIMS if claim.table for part in claim.by if isinstance(part, Comparison)]
    assert {row for claim in CLAIMS for part in claim.meanwhile for row in (part.better, part.worse)} <= set(
        read_records()
    )
    for part in compared:
        for id in (part.better, part.worse):
            row, _, metric = id.rsplit("/", 2)
            assert row in rows and metric in METRICS, id
    assert {claim.table for claim in CLAIMS} == {"1", "2", "3", "S1", "S2", "S3", ""}


def test_the_results_page_opens_with_the_verdicts(rng):
    records = {id.replace("a/", "s1/dual/").replace("b/", "s1/single_branch/"): r for id, r in both(1.0).items()}
    records = {id: record(id, r.per_person.values()) for id, r in records.items()}
    records |= {id.replace("wild", "studio"): record(id.replace("wild", "studio"), r.per_person.values())
                for id, r in records.items()}  # fmt: skip
    text = results_readme(records)
    assert verdicts_markdown(records) in text and text.index("**holds here**") < text.index("| kind |")
    row = next(line for line in text.splitlines() if "two branches are better" in line)
    assert "[1](records/s1/dual/studio/psnr.json)" in row and "+1.00 dB of psnr" in row
    assert sum(f"**{MISSING}**" in line for line in text.splitlines()) == len(CLAIMS) - 1


def test_claims_of_emergence_are_of_rows_there_are_and_told_by_their_names():
    """Everybody against nobody and against a sixteenth, in every domain that is judged."""
    there = {id_of(row, f"{domain}/gain") for row in TABLE.values() if row.ability for domain in judged_in(row)}
    claims = [claim for claim in CLAIMS if claim.says.startswith("emergent")]
    parts = [part for claim in claims for part in claim.by]
    assert len(claims) == 3 and {id for part in parts for id in (part.better, part.worse)} <= there
    assert {part.better.rsplit("/", 2)[1] for part in parts} == {"studio", "wild"}
    records = {}
    for id in there:
        gain = {"all": 1.0, "quarter": 0.9, "sixteenth": 0.5, "none": 0.25}[id.rsplit("/", 1)[-1]]
        people = {10_000 + i: [gain + i % 3 - 1] for i in range(6)}
        records[id] = record_of(id, summarise(people, np.random.default_rng(0)), "study", {}, {}, unit="dB")
    for claim in claims:
        verdict = verdict_on(claim, records)
        assert verdict.verdict == HOLDS and "studio, all less none: +0.75 dB (+0.75" in verdict.because
