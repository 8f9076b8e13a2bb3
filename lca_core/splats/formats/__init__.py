"""Formats in which Gaussians leave: each file writes one, or one family."""
