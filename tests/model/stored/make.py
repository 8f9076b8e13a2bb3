"""Store four test people and what the shipped release makes of them, for `tests/model/test_stored.py`.

    python tests/model/stored/make.py

To be run where the release is replaced, and where people are drawn otherwise; never to make a test pass.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from lca_core.data import Person, read_people, write_shard
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.sources import sha256
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE

HERE = Path(__file__).parent
PEOPLE, EXPECTED = HERE / "people.tar", HERE / "expected.npz"
SEEDS, DOMAINS, PHOTOS = (10_000, 10_001), ("studio", "wild"), 4
EVERY = 97  # Gaussians: one in so many is stored


def made(path: Path = PEOPLE) -> dict[str, np.ndarray]:
    """Person's id -> raw numbers [n, 14] of one canonical Gaussian in `EVERY`, by the shipped release."""
    model, meta = load_release()
    encoder = encoder_of(meta)
    with torch.no_grad():
        avatars = {person.id: encode_person(model, encoder, person, person.frames) for person in read_people(path)}
    return {id: avatar.raw.flatten(0, 1)[::EVERY].numpy() for id, avatar in avatars.items()}


def _exactly(person: Person) -> Person:
    """Without hands, and with pictures that are stored as they are, not compressed a second time."""
    frames = tuple(replace(frame, hands=(None, None)) for frame in person.frames)
    return replace(person, frames=frames, meta=person.meta | {"compressed": False})


def main() -> None:
    """Write both files."""
    model, _ = load_release()
    people = [person for d in DOMAINS for person in read_people(cached_people(SEEDS, d, model.profile))]
    shown = [replace(person, frames=split_frames(person, PHOTOS)[0]) for person in people]
    write_shard(PEOPLE, [_exactly(person) for person in shown])
    np.savez_compressed(EXPECTED, weights=np.array(sha256(RELEASE)), **made())


if __name__ == "__main__":
    main()
