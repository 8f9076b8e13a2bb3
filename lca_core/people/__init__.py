"""Digital humans: seeds in, records of people with exact truth out."""
