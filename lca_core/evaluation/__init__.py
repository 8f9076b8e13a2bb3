"""Evaluation: records, baselines, protocols, and the paper's numbers beside ours."""
