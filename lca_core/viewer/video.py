"""Short videos: H.264 in an mp4, through PyAV."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

from lca_core.paths import atomic_path


def write_mp4(path: Path | str, frames: Iterable[np.ndarray], fps: int = 25) -> int:
    """Write uint8 [H, W, 3] frames (even sides) to `path`, atomically; returns how many."""
    count = 0
    with atomic_path(Path(path).with_suffix(".mp4")) as partial, av.open(str(partial), "w", format="mp4") as file:
        stream = None
        for frame in frames:
            if stream is None:
                stream = file.add_stream("libx264", rate=fps, options={"crf": "18"})
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
            count += 1
        if stream is not None:
            file.mux(stream.encode())
    return count
