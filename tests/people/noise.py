"""Stands in for the path tracer, in whatever process, which loads the records of people and nothing else."""

from dataclasses import replace

from lca_core.data import Person, write_shard
from tests.data.people import random_person


def draw_noise(seed, path, domain, profile, truth) -> None:
    """Random pixels, told apart by the seed."""
    write_shard(path, [noisy(seed, domain)])


def noisy(seed: int, domain: str = "wild") -> Person:
    """Somebody whose pictures are noise."""
    return replace(random_person(seed), id=f"{domain}-{seed:06d}", domain=domain, meta={"compressed": True})


def nothing() -> None:
    """Stands in for loading the path tracer."""
