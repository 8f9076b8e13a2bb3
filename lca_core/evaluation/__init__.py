"""Metrics, records, baselines, protocols, and the paper's numbers beside ours."""

from lca_core.curation.face_network import face_embedding
from lca_core.evaluation.baselines import PosedPicture, optimise_person
from lca_core.evaluation.metrics import (
    Summary,
    iou,
    l1_fg,
    lpips_crop,
    mean_of_runs,
    over_white,
    psnr,
    psnr_fg,
    summarise,
    summarise_difference,
)
from lca_core.evaluation.protocols import Target, split_frames
from lca_core.evaluation.records import Record, provenance, read_records, record_of, write_record
from lca_core.evaluation.results_page import results_readme, write_results_readme
from lca_core.evaluation.sources import drawn, require_clean_tree
from lca_core.evaluation.tables import comparison_markdown, comparison_text, metrics_markdown, metrics_text
from lca_core.evaluation.tolerances import TIMING, Tolerance
from lca_core.training.identity import identity_distance
from lca_core.training.perceptual import lpips

__all__ = [
    "TIMING",
    "PosedPicture",
    "Record",
    "Summary",
    "Target",
    "Tolerance",
    "comparison_markdown",
    "comparison_text",
    "drawn",
    "face_embedding",
    "identity_distance",
    "iou",
    "l1_fg",
    "lpips",
    "lpips_crop",
    "mean_of_runs",
    "metrics_markdown",
    "metrics_text",
    "optimise_person",
    "over_white",
    "provenance",
    "psnr",
    "psnr_fg",
    "read_records",
    "record_of",
    "require_clean_tree",
    "results_readme",
    "split_frames",
    "summarise",
    "summarise_difference",
    "write_record",
    "write_results_readme",
]
