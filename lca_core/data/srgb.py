"""sRGB in bytes and linear light."""

import numpy as np


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """uint8 sRGB [..., 3] to linear float32 in [0, 1]."""
    return _LINEAR[np.asarray(srgb, np.uint8)]


def to_srgb8(linear: np.ndarray) -> np.ndarray:
    """Linear light to uint8 sRGB, clipped."""
    x = np.clip(linear, 0, 1)
    return np.round(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)


_LINEAR = np.arange(256) / 255
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4).astype(np.float32)
