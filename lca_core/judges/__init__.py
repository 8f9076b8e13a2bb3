"""Judges: what training, evaluation and curation all ask, pictures in and numbers out."""
