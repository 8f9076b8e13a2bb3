"""The recipe of the release, from nothing to weights, resumable at every step."""

import time
from pathlib import Path

from lca_core.people.domains.production import render_people
from lca_core.people.domains.sets import sets
from lca_core.profiles import profile as profile_named
from lca_core.training.stages import train_stage

_DRAWN = ("wild-train", "studio-train", "studio-test", "wild-test")


def draw_sets(profile: str, folder: Path, workers: int = 2) -> dict[str, Path]:
    """Draw the people of a profile that training and evaluation need; folders by "<domain>-<split>"."""
    folders = {}
    for name, (domain, seeds) in sets(profile_named(profile)).items():
        split = f"{domain}-{name.rsplit('-', 1)[-1]}"
        if split in _DRAWN:
            folders[split] = folder / split
            render_people(seeds, domain, profile, folders[split], workers)
    return folders


def train_both(
    profile: str, data: dict[str, Path], out: Path, minutes: float = 0.0, encoder: str | None = None
) -> Path:
    """Pretrain, then post-train; the path of the weights. `Paused` when `minutes` of training are over (0: never)."""
    begun = time.monotonic()
    weights: Path | None = None
    for stage, domain in (("pretrain", "wild"), ("posttrain", "studio")):
        folder = out / stage
        done = folder / "weights.safetensors"
        if not done.exists():
            left = max(minutes - (time.monotonic() - begun) / 60, 0.01) if minutes else 0.0
            people = data[f"{domain}-train"]
            train_stage(stage, people, folder, profile, init=weights, resume=True, minutes=left, encoder=encoder)
        weights = done
    return weights
