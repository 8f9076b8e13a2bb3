"""Short videos: H.264 in an mp4, through PyAV, and GIFs, through Pillow."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from PIL import Image

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


def write_gif(path: Path | str, frames: Iterable[np.ndarray], fps: int = 25) -> int:
    """Write uint8 [H, W, 3] frames to `path`, atomically, as a GIF that goes on for ever; returns how many.

    GIFs know hundredths of a second only: the nearest number of them is taken, and at least two, which browsers heed.
    """
    pictures = [
        Image.fromarray(np.ascontiguousarray(frame)).quantize(method=Image.Quantize.MEDIANCUT) for frame in frames
    ]
    if pictures:
        hundredths = max(round(100 / fps), 2)
        with atomic_path(Path(path).with_suffix(".gif")) as partial:
            pictures[0].save(
                partial, "gif", save_all=True, append_images=pictures[1:], duration=10 * hundredths, loop=0
            )
    return len(pictures)
