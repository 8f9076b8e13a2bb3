"""The paper's figures, made by code from weights, people and records: one style, each in a file."""
