"""Are clips of one person put together, and of two kept apart? Clips of digital humans in other lights and places."""

from collections.abc import Sequence

import numpy as np
from tqdm.auto import tqdm

from lca_core.curation.detect import find_people
from lca_core.curation.identity import face_of, group, pairwise_f1
from lca_core.data import read_people
from lca_core.evaluation.portraits import cached_portraits
from lca_core.workers import Worker, in_workers

CLIPS, PICTURES = 5, 3  # a person, a clip
# Chosen on validation people (40 of them: F1 0.96 at 0.35, 0.99 at 0.38, 1.00 at 0.41, 0.86 at 0.44). To dlib's network
# digital humans are more alike than real people, whose threshold is `identity.SAME_PERSON`.
SAME_DIGITAL = 0.38


def clip_faces(seeds: Sequence[int], workers: int = 2) -> dict[int, list[np.ndarray | None]]:
    """Seed -> embeddings [128] of the person's clips; None where no face was found."""
    shards = cached_portraits(seeds, CLIPS * PICTURES, workers, together=PICTURES)
    found = in_workers(_faces, Worker.ask, list(zip(seeds, shards)), workers)
    return dict(sorted(tqdm(found, total=len(seeds), desc="looking for faces", unit="person")))


def _faces(item: tuple) -> tuple[int, list[np.ndarray | None]]:
    seed, shard = item
    (person,) = read_people(shard)
    images = [frame.body.image for frame in person.frames]
    found = [find_people(image) for image in images]
    meshes = [people[0].mesh if len(people) == 1 else None for people in found]
    clips = [slice(n * PICTURES, (n + 1) * PICTURES) for n in range(CLIPS)]
    return seed, [face_of(images[clip], meshes[clip]) for clip in clips]


def measure_grouping(seeds: Sequence[int], workers: int = 2) -> dict:
    """f1, precision, recall of pairs of clips, groups found, and clips without a face (each on its own)."""
    faces = clip_faces(seeds, workers)
    owners = [seed for seed, clips in faces.items() for face in clips if face is not None]
    known = np.stack([face for clips in faces.values() for face in clips if face is not None])
    numbers = group(known, SAME_DIGITAL).tolist()
    missing = [seed for seed, clips in faces.items() for face in clips if face is None]
    found = numbers + [max(numbers) + 1 + n for n in range(len(missing))]
    f1, precision, recall = pairwise_f1(found, owners + missing)
    return {"f1": f1, "precision": precision, "recall": recall, "groups": len(set(found)), "people": len(seeds),
            "clips": len(found), "without_face": len(missing)}  # fmt: skip
