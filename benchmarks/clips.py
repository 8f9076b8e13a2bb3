"""Clips of digital humans with known truth, as files a phone might have written: what curation is measured on."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from lca_core.paths import atomic_path
from lca_core.people.domains.performing import FPS
from lca_core.people.domains.production import cached_people
from lca_core.profiles import PROFILES

FIRST_VALIDATION, FIRST_TEST = 9_000, 10_000
SIZES = replace(PROFILES["laptop"], name="clips", body_px=448, wild_frames=8)  # as large as a small phone clip


def wild_shards(seeds: Sequence[int], workers: int = 2) -> list[Path]:
    """Shards in the cache of the wild clips of these people, at `SIZES`; drawn on first use."""
    return cached_people(seeds, "wild", SIZES, workers)


def write_clip(path: Path, images: Sequence[np.ndarray], rate: float = FPS, quality: int = 18) -> Path:
    """Write pictures uint8 [H, W, 3] of one size (even numbers) as an H.264 mp4, atomically; quality: x264's crf."""
    height, width = images[0].shape[:2]
    with atomic_path(path) as partial, av.open(str(partial), "w") as container:
        stream = container.add_stream("h264", rate=Fraction(rate).limit_denominator(1000))
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.options = {"crf": str(quality)}
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")))
        container.mux(stream.encode())
    return path
