"""Encoding pictures to bytes and back."""

import io

import numpy as np
from PIL import Image


def encode(image: np.ndarray, kind: str = "png", quality: int = 90) -> bytes:
    """uint8 [H, W, 3] or [H, W], or uint16 [H, W] -> PNG or JPEG bytes ("png" | "jpg")."""
    buffer = io.BytesIO()
    if kind == "jpg":
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    else:
        Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def decode(data: bytes) -> np.ndarray:
    """PNG or JPEG bytes -> uint8 [H, W, 3] or [H, W], or uint16 [H, W]."""
    return np.asarray(Image.open(io.BytesIO(data)))
