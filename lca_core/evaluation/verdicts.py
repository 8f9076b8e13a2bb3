"""What the paper claims, and whether it holds here, as far as our records tell.

A claim is a comparison: one row of ours against another by a metric, person by person. It holds where the 95% interval
of the paired difference lies on the side that the claim says, it does not where the interval lies on the other side,
and cannot be told where zero is inside. What a claim needs and is not recorded makes it "not measured yet". Digital
humans at a laptop's size can tell whether an order holds here, not whether the paper is right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lca_core.evaluation.records import METRICS, Record, show
from lca_core.judges.summaries import Summary, summarise_difference

HOLDS, FAILS, OPEN, MISSING = "holds here", "does not hold here", "cannot be told", "not measured yet"


@dataclass(frozen=True)
class Comparison:
    """Two records, by their ids, of the same people: the first is claimed to be better than the second."""

    better: str
    worse: str


@dataclass(frozen=True)
class Gain:
    """A record that is a difference itself, claimed to be more than zero."""

    id: str


@dataclass(frozen=True)
class Claim:
    """table: of the paper, "" for what it shows in pictures; says: the claim in words; by: what it comes to here, all
    of which has to hold; meanwhile: what stands in for it while that is not recorded, which the verdict then says."""

    table: str
    says: str
    by: tuple[Comparison | Gain, ...]
    meanwhile: tuple[Comparison | Gain, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One of HOLDS, FAILS, OPEN, MISSING; because: the differences in a sentence; ids: of the records it rests on."""

    claim: Claim
    verdict: str
    because: str
    ids: tuple[str, ...]


def _in(domains: Sequence[str], better: str, worse: str, metric: str = "psnr") -> tuple[Comparison, ...]:
    return tuple(Comparison(f"{better}/{domain}/{metric}", f"{worse}/{domain}/{metric}") for domain in domains)


_BOTH, _STUDIO, _WILD = ("studio", "wild"), ("studio",), ("wild",)


def _emerges(ability: str, domains: Sequence[str] = _BOTH) -> tuple[Comparison, ...]:
    """All people against none and against a sixteenth of them."""
    return tuple(
        Comparison(f"emergent/{ability}/{domain}/all", f"emergent/{ability}/{domain}/{fewer}")
        for domain in domains for fewer in ("none", "sixteenth")
    )  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    Claim("1", "pretraining, then post-training is better than both at once: in the studio",
          _in(_STUDIO, "table1/pre_post", "table1/mixed")),
    Claim("1", "pretraining, then post-training is better than both at once: in the wild",
          _in(_WILD, "table1/pre_post", "table1/mixed")),
    Claim("1", "post-training makes a pretrained model better in the studio",
          _in(_STUDIO, "table1/pre_post", "table1/pretrain")),
    Claim("1", "pretraining is what makes a studio model general: without it, it is worse in the wild",
          _in(_WILD, "table1/pre_post", "table1/posttrain")),
    Claim("2", "several photographs: better than optimisation on the person alone",
          _in(_BOTH, "table2/multi/lca", "table2/multi/per_person"), _in(_BOTH, "release", "baseline/per_person")),
    # Like with like: each method with what is ours (pixel alignment, looking again), and each without it.
    Claim("2", "several photographs: better than LHM retrained on as many (MV-LHM), both with what is ours",
          _in(_BOTH, "table2/multi/lca", "table2/multi/mv_lhm_aligned")),
    Claim("2", "several photographs: better than MV-LHM, both without what is ours",
          _in(_BOTH, "table2/multi/lca_plain", "table2/multi/mv_lhm")),
    Claim("2", "one photograph: better than LHM, both with what is ours",
          _in(_BOTH, "table2/single/lca", "table2/single/lhm_aligned")),
    Claim("2", "one photograph: better than LHM, both without what is ours",
          _in(_BOTH, "table2/single/lca_plain", "table2/single/lhm")),
    Claim("3", "more people to pretrain on are better", (*_in(_WILD, "table3/all", "table3/quarter"),
                                                         *_in(_WILD, "table3/quarter", "table3/sixteenth"))),
    Claim("S1", "two branches are better than one", _in(_BOTH, "s1/dual", "s1/single_branch")),
    Claim("S1", "layer-wise decay is better in the studio than training the decoders alone",
          _in(_STUDIO, "s1/gamma_065", "s1/gamma_0")),
    Claim("S1", "layer-wise decay keeps more of what pretraining knew of the wild than no decay",
          _in(_WILD, "s1/gamma_065", "s1/gamma_1")),
    Claim("S2", "at a tenth of the people, pretraining, then post-training is better than both at once: in the studio",
          _in(_STUDIO, "s2/pre_post", "s2/mixed")),
    Claim("S2", "at a tenth of the people, pretraining, then post-training is better than both at once: in the wild",
          _in(_WILD, "s2/pre_post", "s2/mixed")),
    Claim("S3", "loose garments are better with corrected skinning weights than without",
          (Comparison("s3/weights/psnr", "s3/without/psnr"),)),
    Claim("S3", "loose garments are better where a decoder says how they hang (ours) than without",
          (Comparison("s3/with/psnr", "s3/without/psnr"),)),
    Claim("", "emergent: relighting learned from few lit people is the better, the more people were pretrained on",
          _emerges("relight")),
    Claim("", "emergent: loose clothes learned from few people are the better, the more people were pretrained on",
          _emerges("garment")),
    Claim("", "emergent: drawings are taken the better, the more people were pretrained on",
          _emerges("stylised", _STUDIO)),
    Claim("", "expressions are driven: faces come nearer to the truth than at rest", (Gain("control/face_gain_db"),)),
    Claim("", "named actions are obeyed: mouths come nearer to the truth than at rest",
          (Gain("control/mouth_told_gain_db"),)),
    Claim("", "named actions are obeyed: lids that close come nearer to the truth than at rest",
          (Gain("control/eyes_told_gain_db"),)),
    Claim("", "another person's expression codes drive them: faces come nearer to the truth than at rest",
          (Gain("control/cross_person_face_gain_db"),)),
    Claim("", "fingers are driven: hands come nearer to the truth than at rest", (Gain("control/hand_gain_db"),)),
)  # fmt: skip


def verdicts(records: Mapping[str, Record], claims: Sequence[Claim] = CLAIMS) -> list[Verdict]:
    """What the records say of each claim, in their order."""
    return [verdict_on(claim, records) for claim in claims]


def verdict_on(claim: Claim, records: Mapping[str, Record]) -> Verdict:
    """What the records say of a claim. Where one part of it fails it does not hold; else where one part cannot be told
    it cannot; where a record is missing nothing is said. ValueError where two records are of different people."""
    parts, rest = claim.by, ""
    missing = [id for part in parts for id in _ids_of(part) if id not in records]
    if missing and claim.meanwhile and all(id in records for part in claim.meanwhile for id in _ids_of(part)):
        parts, rest = (
            claim.meanwhile,
            f" (meanwhile of {_rows(claim.meanwhile)}; {_rows(claim.by)} are not recorded yet)",
        )
    elif missing:
        rows = dict.fromkeys(id.rsplit("/", 2)[0] for id in missing)
        return Verdict(claim, MISSING, f"no records of {', '.join(rows)} yet", ())
    if apart := [part for part in parts if isinstance(part, Comparison) and not _alike(part, records)]:
        rows = _rows(apart)
        return Verdict(
            claim, MISSING, f"{rows} are of pictures drawn at other commits: one of them is to be made again", ()
        )
    found = [_part(part, records) for part in parts]
    said = [verdict for verdict, _ in found]
    verdict = next((each for each in (FAILS, OPEN) if each in said), HOLDS)
    ids = tuple(id for part in parts for id in _ids_of(part))
    return Verdict(claim, verdict, "; ".join(sentence for _, sentence in found) + rest, ids)


def _alike(part: Comparison, records: Mapping[str, Record]) -> bool:
    """Whether both records are of the same pictures, as far as they say how those were drawn."""
    drawn = [records[id].provenance.get("drawn") or {} for id in _ids_of(part)]
    return all(drawn[0][name] == drawn[1][name] for name in drawn[0].keys() & drawn[1].keys())


def _rows(parts: Sequence[Comparison | Gain]) -> str:
    """The rows compared, by name."""
    return " and ".join(dict.fromkeys(id.rsplit("/", 2)[0] for part in parts for id in _ids_of(part)))


def _ids_of(part: Comparison | Gain) -> tuple[str, ...]:
    return (part.id,) if isinstance(part, Gain) else (part.better, part.worse)


def _part(part: Comparison | Gain, records: Mapping[str, Record]) -> tuple[str, str]:
    """(verdict, sentence) of one comparison."""
    first = records[_ids_of(part)[0]]
    if isinstance(part, Gain):
        return _told("", first.value, first.ci95, first, 1)
    less = paired(first, records[part.worse])
    metric = first.id.rsplit("/", 1)[-1]
    domain = first.id.split("/")[-2]
    where = domain if domain in ("studio", "wild") else ""
    if metric not in METRICS:  # rows told apart by their last name, of one metric
        where = f"{where}, {metric} less {part.worse.rsplit('/', 1)[-1]}:"
    return _told(where, less.value, less.ci95, first, 1 if metric not in METRICS or METRICS[metric][1] else -1)


def paired(one: Record, other: Record) -> Summary:
    """How much more one record is than another, person by person. ValueError where they are not of the same people."""
    sides = ({person: [value] for person, value in record.per_person.items()} for record in (one, other))
    try:
        return summarise_difference(*sides, np.random.default_rng(0))
    except ValueError as error:
        raise ValueError(f"{one.id} and {other.id} cannot be compared: {error}") from error


def _told(where: str, value: float, ci95: tuple[float, float] | None, record: Record, sign: int) -> tuple[str, str]:
    """(verdict, sentence) of a difference in a metric; where: the domain, if there is one."""
    metric = record.id.rsplit("/", 1)[-1]
    amount = f"{where} {'+' if value > 0 else ''}{show(value, record.unit)}".lstrip() + (
        f" of {metric}" if where and metric in METRICS else ""
    )
    if ci95 is None:
        return OPEN, f"{amount}, of one person"
    low, high = ci95
    verdict = OPEN if low <= 0 <= high else HOLDS if sign * low > 0 else FAILS
    return verdict, f"{amount} ({low:+.2f} to {high:+.2f}, {record.n_people} people)"


def verdicts_markdown(records: Mapping[str, Record]) -> str:
    """A table of all claims, what is said of each, and the records behind it."""
    lines = ["| table | the paper's claim | verdict | difference, 95% interval |", "|---|---|---|---|"]
    for each in verdicts(records):
        links = ", ".join(f"[{number}](records/{id}.json)" for number, id in enumerate(each.ids, 1))
        place = f"Table {each.claim.table}" if each.claim.table else "pictures"
        because = f"{each.because} {links}".rstrip()
        lines.append(f"| {place} | {each.claim.says} | **{each.verdict}** | {because} |")
    return "\n".join(lines)
