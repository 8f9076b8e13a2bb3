"""Numbers as whole numbers of few bits, and arrays as one string for a page."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

_ALIGNED = 4  # bytes: where typed arrays may begin in JavaScript


@dataclass(frozen=True)
class Planes:
    """Planes of numbers [*planes, n] as whole numbers, each plane with a scale and a middle of its own [*planes]."""

    whole: Shaped[np.ndarray, "*planes n"]
    scales: Float[np.ndarray, "*planes"]
    middles: Float[np.ndarray, "*planes"]

    @classmethod
    def of(cls, values: Float[np.ndarray, "*planes n"], kind: type, centred: bool = False) -> "Planes":
        """Rounded to np.int8 or np.int16; centred: zero stays zero, as it must in what is added many times over."""
        low, high = (edge(values, -1, initial=0 if centred else None) for edge in (np.min, np.max))
        middles = np.zeros_like(low) if centred else (low + high) / 2
        most = np.iinfo(kind).max
        scales = np.maximum(np.maximum(high - middles, middles - low) / most, 1e-12)
        whole = np.rint((values - middles[..., None]) / scales[..., None])
        return cls(whole.astype(kind), scales.astype(np.float32), middles.astype(np.float32))

    @property
    def values(self) -> Float[np.ndarray, "*planes n"]:
        """The numbers, as they are read again."""
        return self.middles[..., None] + self.scales[..., None] * self.whole.astype(np.float32)


def packed(arrays: Mapping[str, np.ndarray]) -> tuple[dict, str]:
    """(where each array lies: type, first byte and count, by name; all of them deflated, as base64)."""
    layout, pieces, start = {}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        data += bytes(-len(data) % _ALIGNED)
        layout[name] = {"type": array.dtype.name, "start": start, "count": array.size}
        pieces.append(data)
        start += len(data)
    return layout, base64.b64encode(zlib.compress(b"".join(pieces))).decode("ascii")
