"""A record's people: those of its seeds, its values, its command and its pictures are the same, or it fails by name."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.evaluation import whose
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.evaluate import protocol_of
from lca_core.evaluation.measurers import Measurer
from lca_core.evaluation.records import provenance, read_records, record_of, write_record
from lca_core.evaluation.verify import verify
from lca_core.evaluation.whose import people_faults
from lca_core.judges.summaries import summarise
from lca_core.people.domains.domains import DOMAINS

ID = "release/wild/psnr"
SEEDS = [10_000, 10_001, 10_002, 10_003]
DRAW = "python -m lca_core people --domain wild --profile laptop {} --out build/recorded"
EVALUATE = "python -m lca_core evaluate --data build/recorded --inputs 4 --record"


def made(seeds=SEEDS, people=SEEDS, command=EVALUATE, domains=("wild",), id=ID, **more):
    source = provenance(command, None, seeds, drawn=drawn(domains, "laptop"), **more)
    summary = summarise({seed: [20.0 + len(str(seed))] for seed in people}, np.random.default_rng(0))
    return record_of(id, summary, "laptop", protocol_of("psnr", 4), source)


def with_seeds(record, seeds, **more):
    return replace(record, provenance=record.provenance | {"seeds": seeds} | more)


def test_domains_are_those_that_people_are_drawn_in():
    assert whose.DOMAINS == DOMAINS


def test_a_record_of_the_people_it_names_has_no_fault():
    assert people_faults(made()) == []
    assert people_faults(made([10_000, 10_009], seeds_are="first and last")) == []
    assert people_faults(made(command=f"{DRAW.format('--first 10000 --count 64')} && {EVALUATE}")) == []
    assert people_faults(made(command=f"{DRAW.format('--seeds 10000 10001 10002 10003')} && {EVALUATE}")) == []
    assert people_faults(made(["ann", "bob"], ["ann"])) == [], "people who are called by name"


def test_shipped_records_are_of_the_people_they_name():
    assert {id: found for id, record in read_records().items() if (found := people_faults(record))} == {}


def test_whom_nothing_was_measured_of_is_listed():
    assert made(SEEDS, SEEDS[:3]).provenance["without_value"] == [10_003]
    assert "without_value" not in made().provenance


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (with_seeds(made(), []), "it keeps values of 10000, 10001, 10002 and 1 more, whom its seeds do not name"),
        (with_seeds(made(), [*SEEDS[:3], 10_007]), "it keeps values of 10003, whom its seeds do not name"),
        (with_seeds(made(), [*SEEDS, 10_007]), "its seeds name 10007, of whom it keeps no value"),
        (made([10_001, 10_009], seeds_are="first and last"), "it keeps values of 10000, its seeds are 10001 to 10009"),
        (made(command=DRAW.format("--first 10001 --count 5")), "values of 10000, whom its command does not draw"),
        (made(command=DRAW.format("--seeds 10000 10001")), "values of 10002, 10003, whom its command does not draw"),
        (made(domains=["studio"]), "its people were drawn in studio, not in wild"),
    ],
)
def test_other_people_than_it_names_are_a_fault(record, words):
    assert any(words in fault for fault in people_faults(record)), people_faults(record)


def measured_as(record) -> Measurer:
    return Measurer(("*",), lambda records, people: {record.id: record}, 0, (1, 1))


@pytest.mark.parametrize("kind", ["live", "frozen"])
def test_verify_names_a_record_whose_seeds_are_not_its_peoples(house, kind):
    record = replace(with_seeds(made(), [*SEEDS[:3], 10_007]), kind=kind)
    write_record(record, house / "records")
    verdict = verify(folder=house / "records", measurers=[measured_as(record)])
    assert not verdict.holds
    assert "it keeps values of 10003, whom its seeds do not name" in verdict.faults[ID]


def test_verify_names_a_record_whose_protocol_is_not_what_is_measured(house):
    record = made()
    write_record(record, house / "records")
    assert verify(folder=house / "records", measurers=[measured_as(record)]).holds
    other = replace(record, protocol=record.protocol | {"inputs": 2, "what": "something it found"})
    verdict = verify(folder=house / "records", measurers=[measured_as(other)])
    assert verdict.faults == {ID: ["its inputs is 4, 2 was measured"]}
