"""The numbers of the paper's tables (arXiv 2604.02320), typed, with the records of ours that stand beside them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperValue:
    """One cell of one table: PSNR in dB, as all values known to us.

    id: the record that reproduces exactly this cell, e.g. "table1/pre_post/studio/psnr"; table: as the paper
    names it; method: the row; domain: "studio", "wild" or "loose garments"; value: the paper's, None where we know only
    that it is there; beside: records to show while the exact one is not there, the nearest thing to it, with
    `differs` saying how it is not the same.
    """

    id: str
    table: str
    method: str
    domain: str
    value: float | None
    beside: tuple[str, ...] = ()
    differs: str = ""


TITLES = {
    "1": "training schemes",
    "2": "against per-person optimisation and LHM",
    "3": "size of the pretraining set",
    "S1": "dual and single branch; layer-wise decay gamma",
    "S2": "the same schemes at a tenth of the data",
    "S3": "loose-garment deformer",
}

_PLACES = {"1": "table1", "2": "table2", "S1": "s1", "S2": "s2"}  # table -> where its records are


def _both(table: str, key: str, method: str, studio: float | None, wild: float | None, beside="", differs=""):
    return tuple(
        PaperValue(
            id=f"{_PLACES[table]}/{key}/{domain}/psnr",
            table=table,
            method=method,
            domain=domain,
            value=value,
            beside=(f"{beside}/{domain}/psnr",) if beside else (),
            differs=differs,
        )
        for domain, value in (("studio", studio), ("wild", wild))
    )


_OURS = "the shipped checkpoint"
_OPTIMISED = "our own per-person optimisation of Gaussians, not ExAvatar"

PAPER: tuple[PaperValue, ...] = (
    *_both("1", "pretrain", "pretrain only", None, None),
    *_both("1", "posttrain", "post-train only", None, None),
    *_both("1", "mixed", "mixed", 28.000, 27.998),
    *_both("1", "pre_post", "pretrain, then post-train", 30.514, 28.175, "release", _OURS),
    *_both("2", "multi/lca", "LCA, several images", 27.483, 27.802, "release", _OURS),
    *_both("2", "multi/per_person", "ExAvatar, several images", 23.925, 18.010, "baseline/per_person", _OPTIMISED),
    *_both("2", "multi/mv_lhm", "MV-LHM, several images", None, None),
    *_both("2", "single/lca", "LCA, one image", 26.878, 27.685),
    *_both("2", "single/lhm", "LHM, one image", 21.897, 18.322),
    PaperValue("table3/sixteenth/wild/psnr", "3", "10K videos", "wild", 27.665),
    PaperValue("table3/quarter/wild/psnr", "3", "100K videos", "wild", None),
    PaperValue("table3/all/wild/psnr", "3", "1M videos", "wild", 28.175),
    *_both("S1", "dual", "dual branch, gamma 0.65", 30.514, 28.175, "release", _OURS),
    *_both("S1", "single_branch", "single branch", 30.370, 27.936),
    PaperValue("s1/gamma_0/studio/psnr", "S1", "gamma 0, decoders alone", "studio", 27.464),
    *_both("S1", "gamma_065", "gamma 0.65", 30.514, 28.175),
    *_both("S1", "gamma_1", "gamma 1, no decay", None, None),
    *_both("S2", "pretrain", "pretrain only", None, None),
    *_both("S2", "posttrain", "post-train only", None, None),
    *_both("S2", "mixed", "mixed", None, None),
    *_both("S2", "pre_post", "pretrain, then post-train", None, None),
    PaperValue("s3/without/psnr", "S3", "deformer off", "loose garments", 24.538),
    PaperValue("s3/weights/psnr", "S3", "deformer on", "loose garments", 26.013),
    PaperValue("s3/with/psnr", "S3", "deformer on", "loose garments", 26.013),
)
NOTES = {  # of tables, said below them
    "2": "Ours of LHM and MV-LHM is as their paper tells it, trained by us on our people.",
    "3": "Our shares of the people are a sixteenth, a quarter and all; the paper's a hundredth, a tenth and all.",
}


def paper_value(id: str) -> float | None:
    """The paper's number for a record's id, or None."""
    return next((entry.value for entry in PAPER if entry.id == id), None)
