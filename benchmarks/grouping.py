"""Are clips of one person put together, and of two kept apart? Clips of digital humans in other lights and places.

`python -m benchmarks.grouping 1000 10000 100000` prints how long the last step of curation takes for so many clips.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from tqdm.auto import tqdm

from lca_core.curation.collection import settle
from lca_core.curation.detect import find_people
from lca_core.curation.identity import face_of, group, pairwise_f1
from lca_core.curation.items import Entry
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


def distinct_clips(count: int, apart: float = 0.85) -> list[Entry]:
    """Kept clips of 16 pictures, each of somebody else; apart: of two faces, on average (of real people: 0.82-0.92)."""
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(count, 128)) * (apart / 16)
    prints = rng.integers(0, 2**63, (count, 16))
    return [
        Entry(f"k{i}", f"f{i}", "clip", f"{i:064x}", True, pixels=1, face=tuple(faces[i].tolist()),
              fingerprint=tuple(f"{bits:016x}" for bits in prints[i].tolist()))
        for i in range(count)
    ]  # fmt: skip


def measure_settling(counts: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Number of distinct clips -> (seconds, seconds of computing) of `collection.settle`."""
    settle(distinct_clips(64))  # kernels are compiled
    times = {}
    for count in counts:
        entries = distinct_clips(count)
        started, computing = time.perf_counter(), time.process_time()
        settled = settle(entries)
        times[count] = (time.perf_counter() - started, time.process_time() - computing)
        print(f"{count:8,} clips, {len({e.identity for e in settled}):8,} people: {times[count][0]:7.1f} s, "
              f"{times[count][1]:7.1f} s of computing", flush=True)  # fmt: skip
    return times


if __name__ == "__main__":
    measure_settling([int(count) for count in sys.argv[1:]] or [1_000, 10_000, 100_000])
