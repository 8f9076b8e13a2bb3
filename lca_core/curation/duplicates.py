"""Copies of one clip: encoded again, made smaller, cut shorter.

A picture's fingerprint is 64 signs of the low frequencies of its luminance (the perceptual hash of Zauner,
"Implementation and benchmarking of perceptual image hash functions", 2010); copies differ in few of them.

At least half of the shorter copy's pictures are `SAME_BITS` or less from one of the other's, for the median is. So of
more than half of its pictures, whichever they are, one is: the rarest are taken, for what many clips begin with (black)
tells little. Cut into bands, two such fingerprints differ in some band by no more than its share of those bits; so
putting together all whose bands differ by so few finds every copy (multi-index hashing: Norouzi, Punjani and Fleet,
"Fast exact search in Hamming space with multi-index hashing", 2012). Clips that have nothing in common never meet.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Int64, UInt64
from numba import njit
from PIL import Image
from scipy.fft import dctn

from lca_core.curation.filters import luminance

SAME_BITS = 10  # of 64 that pictures of copies may differ in, the median of a clip's pictures
_PX = 32
_MANY = 2_000_000  # fingerprints from which on bands of 16 bits hold too many each
_FEW_BANDS, _MANY_BANDS = (4, 16), (3, 21)  # (bands, bits of each); of the latter, bit 63 is in none
_AT_ONCE = 4_000_000  # pairs, before those that were found twice are dropped


def fingerprint(images: Sequence[np.ndarray]) -> UInt64[np.ndarray, " N"]:
    """uint64 [N] of pictures uint8 [H, W, 3]."""
    return np.array([_bits(image) for image in images], np.uint64)


def _bits(image: np.ndarray) -> int:
    small = np.asarray(Image.fromarray(image).resize((_PX, _PX), Image.Resampling.BOX))
    low = dctn(luminance(small), norm="ortho")[:9, :9].ravel()[1:65]  # without the mean
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


def bits_apart(a: UInt64[np.ndarray, " N"], b: UInt64[np.ndarray, " M"]) -> float:
    """Bits that two clips' fingerprints differ in: the median of the shorter one's pictures, each against the one of
    the other that it is most like."""
    few, many = sorted((a, b), key=len)
    if not len(few):
        return 64.0
    return float(np.median(np.bitwise_count(few[:, None] ^ many[None]).min(1)))


def find_duplicates(fingerprints: Sequence[np.ndarray], quality: Sequence) -> dict[int, int]:
    """Copy -> original, as numbers of clips. Of clips that are alike the one with the best quality (of whatever can be
    ordered) is the original; of equals the first. Time grows with clips and copies, not with pairs."""
    alike: dict[int, list[int]] = {}
    for i, j in _candidates(fingerprints).tolist():
        alike.setdefault(i, []).append(j)
        alike.setdefault(j, []).append(i)
    order = sorted(range(len(fingerprints)), key=lambda i: quality[i], reverse=True)
    ranks: dict[int, int] = {}  # of originals
    copies = {}
    for i in order:
        others = sorted((j for j in alike.get(i, ()) if j in ranks), key=ranks.__getitem__)
        same = next((j for j in others if bits_apart(fingerprints[i], fingerprints[j]) <= SAME_BITS), None)
        if same is None:
            ranks[i] = len(ranks)
        else:
            copies[i] = same
    return copies


def _candidates(fingerprints: Sequence[np.ndarray]) -> Int64[np.ndarray, "K 2"]:
    """Pairs of clips' numbers, each once, all copies among them."""
    lengths = np.array([len(own) for own in fingerprints], np.int64)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    values = _interleaved(np.concatenate([np.empty(0, np.uint64), *fingerprints]).astype(np.uint64))
    bands, width = _FEW_BANDS if len(values) < _MANY else _MANY_BANDS
    most = SAME_BITS // bands
    ways = [sum(1 << bit for bit in bits) for n in range(most + 1) for bits in combinations(range(width), n)]
    rare, clips = _rarest(values, owners, lengths), max(len(lengths), 1)
    found, new = np.empty(0, np.int64), []
    for band in range(bands):
        keys = ((values >> np.uint64(band * width)) & np.uint64((1 << width) - 1)).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=1 << width))]).astype(np.uintp)
        ranged = values[order], owners[order], rare[order], starts
        for way in ways:
            new.append(_meetings(*ranged, way, clips, SAME_BITS))
            if sum(map(len, new)) > _AT_ONCE:
                found, new = np.unique(np.concatenate([found, *new])), []
    return np.stack(np.divmod(np.unique(np.concatenate([found, *new])), clips), -1)


def _interleaved(values: np.ndarray) -> np.ndarray:
    """The same bits in another order: neighbours, which are alike in most pictures, come into different bands."""
    bits = np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).reshape(-1, 4, 16)
    return np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1).view(np.uint64)[:, 0]


def _rarest(values: np.ndarray, owners: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """bool [N]: of each clip's fingerprints more than half, those that fewest others have."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.lexsort((counts[inverse], owners))
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return place <= lengths[owners] // 2


@njit(cache=True)
def _count_ones(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True)
def _meetings(values, owners, rare, starts, way, clips, most):
    """Pairs of clips, as i * clips + j, with fingerprints whose keys differ by `way` and all of which differ little."""
    found, count, limit = np.empty(64, np.int64), 0, np.uint64(most)
    for key in range(len(starts) - 1):
        other = key ^ way
        if other < key:
            continue  # they met when it was the other's turn
        last = starts[other + 1]
        for x in range(starts[key], starts[key + 1]):
            one, first, near = values[x], x + np.uintp(1) if way == 0 else starts[other], 0
            for y in range(first, last):  # a loop without branches, which the compiler makes wide; nearly all ends here
                near += _count_ones(one ^ values[y]) <= limit
            if not near:
                continue
            for y in range(first, last):
                if _count_ones(one ^ values[y]) <= limit and (rare[x] or rare[y]) and owners[x] != owners[y]:
                    if count == len(found):
                        found = np.concatenate((found, np.empty(count, np.int64)))
                    found[count] = min(owners[x], owners[y]) * clips + max(owners[x], owners[y])
                    count += 1
    return found[:count]
