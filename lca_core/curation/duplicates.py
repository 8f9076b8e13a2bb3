"""Copies of one clip: encoded again, made smaller, cut shorter.

A picture's fingerprint is 64 signs of the low frequencies of its luminance (the perceptual hash of Zauner,
"Implementation and benchmarking of perceptual image hash functions", 2010); copies differ in few of them.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.fft import dctn

from lca_core.curation.filters import luminance

SAME_BITS = 10  # of 64 that pictures of copies may differ in, the median of a clip's pictures
_PX = 32


def fingerprint(images: Sequence[np.ndarray]) -> np.ndarray:
    """uint64 [N] of pictures uint8 [H, W, 3]."""
    return np.array([_bits(image) for image in images], np.uint64)


def _bits(image: np.ndarray) -> int:
    small = np.asarray(Image.fromarray(image).resize((_PX, _PX), Image.Resampling.BOX))
    low = dctn(luminance(small), norm="ortho")[:9, :9].ravel()[1:65]  # without the mean
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


def bits_apart(a: np.ndarray, b: np.ndarray) -> float:
    """Bits that two clips' fingerprints differ in: the median of the shorter one's pictures, each against the one of
    the other that it is most like."""
    few, many = sorted((a, b), key=len)
    if not len(few):
        return 64.0
    return float(np.median(np.bitwise_count(few[:, None] ^ many[None]).min(1)))


def find_duplicates(fingerprints: Sequence[np.ndarray], quality: Sequence) -> dict[int, int]:
    """Copy -> original, as numbers of clips. Of clips that are alike the one with the best quality (of whatever can be
    ordered) is the original; of equals the first."""
    order = sorted(range(len(fingerprints)), key=lambda i: quality[i], reverse=True)
    originals: list[int] = []
    copies = {}
    for i in order:
        same = next((o for o in originals if bits_apart(fingerprints[i], fingerprints[o]) <= SAME_BITS), None)
        if same is None:
            originals.append(i)
        else:
            copies[i] = same
    return copies
